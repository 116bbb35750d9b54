// SPDX-License-Identifier: MIT
// Every form that a word of a stage 2 table has, for the walker and for the callers that share the table.
//
//                map, map_range                      unmap beside others
//     free ---------------------------> leaf --------------------------------> page_going, range_going
//      ^  \  link a table                |  \                                          | the TLBs have forgotten it
//      |   `--------------> table <------+   `---> busy ---> leaf (changed)            v
//      |                     |    split      break, TLBI, make                        free
//      |                     |  collapse: busy, then a leaf
//      `---------------------+ unlinked: free at once, or table_going until the caches are clean
//
// Bits 1:0 say which: 0b00 free, 0b01 a block, 0b11 a table or a page, 0b10 held by a call. The walker takes everything
// with bit 0 clear for invalid.
#pragma once
#include "vmsa/arch/break_before_make.hpp"

namespace vmsa {

/// The forms of a word. A leaf and a table differ by level as well: 0b11 is a page at level 3.
enum class entry_form : u8 {
  free,           // all zeros: nothing is mapped and anybody may take it
  block,          // a leaf above level 3, valid
  table_or_page,  // valid
  busy,           // held between break and make: all but the type is that of the entry it was, or is about to be
  page_going,     // a single leaf was unmapped; whoever unmapped it frees the entry once the TLBs have forgotten it
  range_going,    // unmapped by a call that restructures, which frees it once the TLBs have forgotten it
  table_going,    // the same for a table, whose leaves must still leave the caches
};

/// A word is of a form when it has `value` in the bits of `mask`.
struct entry_row {
  entry_form form = entry_form::free;
  u64 mask = 0;
  u64 value = 0;
};
// Bits 63:61 are of no leaf's busy form that is live under one caller's hand: bit 63 is RES0 in a leaf.
inline constexpr entry_row entry_forms[] = {
    {entry_form::free, ~u64{0}, 0},
    {entry_form::block, 0b11, 0b01},
    {entry_form::table_or_page, 0b11, 0b11},
    {entry_form::busy, u64{1} << 63 | 0b11, 0b10},
    {entry_form::page_going, ~u64{0}, u64{1} << 63 | 0b10},
    {entry_form::range_going, ~u64{0}, u64{0b11} << 62 | 0b10},
    {entry_form::table_going, u64{0b111} << 61 | 0b11, u64{0b101} << 61 | 0b10},
};

constexpr bool forms_are_disjoint() noexcept {
  for (entry_row const& a : entry_forms)
    for (entry_row const& b : entry_forms)
      if (a.form != b.form && ((a.value ^ b.value) & a.mask & b.mask) == 0) return false;
  return true;
}
static_assert(forms_are_disjoint());

constexpr bool is_valid(descriptor d) noexcept { return (d.raw & 1) != 0; }
// Bits 1:0 are 0b11: a table, or at level 3 a page.
constexpr bool is_table_or_page(descriptor d) noexcept { return ((d.raw + 1) & 0b11) == 0; }
/// Held by a call: busy or going. Hardware sees an invalid entry.
constexpr bool is_busy(descriptor d) noexcept { return (d.raw & 0b11) == 0b10; }

/// The busy form of a valid entry keeps everything but the type, so that the entry can be put back.
constexpr descriptor busy_form(descriptor d) noexcept { return {(d.raw & ~u64{0b11}) | 0b10}; }
/// And back, as a leaf of level `at`.
constexpr descriptor leaf_form(descriptor d, level at) noexcept {
  return {(d.raw & ~u64{0b11}) | (at == level::l3 ? 0b11u : 0b01u)};
}

inline constexpr descriptor page_going{entry_forms[static_cast<unsigned>(entry_form::page_going)].value};
inline constexpr descriptor range_going{entry_forms[static_cast<unsigned>(entry_form::range_going)].value};
constexpr descriptor table_going(pa table) noexcept {
  return {entry_forms[static_cast<unsigned>(entry_form::table_going)].value | table.value};
}
constexpr bool is_table_going(descriptor d) noexcept {
  entry_row const& row = entry_forms[static_cast<unsigned>(entry_form::table_going)];
  return (d.raw & row.mask) == row.value;
}

/// One page, and not of a run that one TLB entry may hold.
constexpr bool single_page(descriptor d) noexcept {
  return (d.raw & (descriptor_bits::contiguous::mask | 0b11)) == 0b11;
}

static_assert(busy_form({0x4000'07ff}).raw == 0x4000'07fe && leaf_form({0x4000'07fe}, level::l3).raw == 0x4000'07ff);
static_assert(is_busy(page_going) && is_busy(range_going) && is_table_going(table_going({0x8000'0000})));
static_assert(!is_table_going(range_going) && !is_table_going(page_going) && !is_table_going(busy_form({~u64{0}})));

namespace engine {

/// The bit by which a leaf can be written: S2AP[1]. With DBM it is dirty state.
inline constexpr u64 write_bit = u64{0b10} << stage2_bits::s2ap::low;

/// One entry on the way of a walk.
struct slot {
  pa where{};
  descriptor entry{};
  unsigned shift = 0;  // log2 of the bytes it maps
  level at = level::l3;
};

}  // namespace engine
}  // namespace vmsa
