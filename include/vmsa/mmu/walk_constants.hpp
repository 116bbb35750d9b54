// SPDX-License-Identifier: MIT
// Shifts and masks of a table walk in the form that a walk uses them: computed once, or at compile time.
#pragma once
#include "vmsa/mmu/geometry.hpp"

namespace vmsa::engine {

struct walk_values {
  unsigned page_shift = 12;
  unsigned stride = 9;
  // Shifts with 3 in the name leave the byte offset of an 8-byte entry, once masked.
  unsigned page_shift3 = 9;
  unsigned start_shift3 = 36;
  unsigned middle_shift3 = 18;  // of a shape of three levels
  unsigned group_shift = 18;    // 64 pages
  u64 page_mask = 0xfff;
  u64 slot_mask = 0xff8;
  u64 middle_slot = 0;  // slot_mask before the shift by middle_shift3, and by page_shift3
  u64 page_slot = 0;
  u64 table_mask = 0;    // the address in a table descriptor, and in a page descriptor below 2^48
  u64 beyond_table = 0;  // all other bits
  u64 root_bytes = 4096;
  u64 three_level_root = 0;  // root_bytes of a shape of three levels, which most guests have: its walk has no loop
  u64 folded_output = 0;     // 1: output addresses have bits in other places of a descriptor
  u64 look_up_root = 0;      // three_level_root, or 0 with folded_output
};

template <translation_geometry Geometry>
constexpr walk_values make_walk_values(Geometry const& g) noexcept {
  unsigned const page = g.shift(level::l3);
  u64 const page_mask = low_mask(page);
  walk_values w;
  w.page_shift = page;
  w.stride = page - 3;
  w.page_shift3 = page - 3;
  w.start_shift3 = g.shift(g.start_level()) - 3;
  w.middle_shift3 = w.page_shift3 + w.stride;
  w.group_shift = page + 6;
  w.page_mask = page_mask;
  w.slot_mask = page_mask & ~u64{7};
  w.middle_slot = w.slot_mask << w.middle_shift3;
  w.page_slot = w.slot_mask << w.page_shift3;
  w.table_mask = bit_mask(47, 0) & ~page_mask;
  w.beyond_table = ~w.table_mask;
  w.root_bytes = g.root_size();
  w.three_level_root = w.start_shift3 == w.middle_shift3 + w.stride ? w.root_bytes : 0;
  w.folded_output = output_address_width(g.format) > 48;
  w.look_up_root = w.folded_output != 0 ? 0 : w.three_level_root;
  return w;
}

// Of a geometry that is known at run time.
template <translation_geometry Geometry>
struct walk_constants {
  explicit constexpr walk_constants(Geometry const& g) noexcept : values(make_walk_values(g)) {}
  walk_values values;
};

// Of a geometry whose type holds it: no state, every shift and mask a constant in the code.
template <translation_geometry Geometry>
requires requires { Geometry::value; }
struct walk_constants<Geometry> {
  explicit constexpr walk_constants(Geometry const&) noexcept {}
  static constexpr walk_values values = make_walk_values(Geometry{});
};

}  // namespace vmsa::engine
