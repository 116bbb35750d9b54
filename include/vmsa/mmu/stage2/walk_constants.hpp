// SPDX-License-Identifier: MIT
// Shifts and masks of a table walk in the form that a walk uses them: computed once, or at compile time.
#pragma once
#include "vmsa/mmu/geometry.hpp"

namespace vmsa::engine {

// Entries in one word of occupancy bits, and in a cursor's group.
inline constexpr u64 group_entries = 64;
// The cursor's group and the next one, to which it goes on.
inline constexpr u64 near_entries = 2 * group_entries;

struct walk_values {
  unsigned page_shift = 12;
  unsigned stride = 9;
  // Shifts with 3 in the name leave the byte offset of an 8-byte entry, once masked.
  unsigned page_shift3 = 9;
  unsigned middle_shift3 = 18;  // of the level above
  unsigned start_shift3 = 36;
  u64 page_mask = 0xfff;
  u64 slot_mask = 0xff8;
  u64 table_mask = 0;  // the address in a table descriptor, and in a page descriptor below 2^48
  u64 root_bytes = 4096;
  // An entry beyond this one, counted from the cursor's group on, is far from it. None is where the root maps pages,
  // which is not given back, so that unmap asks no more of an entry that is far.
  u64 last_near = near_entries - 1;
  u64 folded_output = 0;  // 1: output addresses have bits in other places of a descriptor
  // Input addresses below these are walked without a loop: from the level that the constants start at, or from one more
  // above it. 0 where there is no such walk. The second pair is for look_up, which needs output addresses in place.
  u64 written_out_end = 0;
  u64 one_more_end = 0;
  u64 look_up_end = 0;
  u64 look_up_one_more_end = 0;
};

// `written_out`, `one_more`: the walk's constants are of this geometry, or of it without its first level.
template <translation_geometry Geometry>
constexpr walk_values make_walk_values(Geometry const& g, bool written_out, bool one_more) noexcept {
  unsigned const page = g.shift(level::l3);
  u64 const page_mask = low_mask(page);
  walk_values w;
  w.page_shift = page;
  w.stride = page - 3;
  w.page_shift3 = page - 3;
  w.middle_shift3 = w.page_shift3 + w.stride;
  w.start_shift3 = g.shift(g.start_level()) - 3;
  w.page_mask = page_mask;
  w.slot_mask = page_mask & ~u64{7};
  w.table_mask = bit_mask(47, 0) & ~page_mask;
  w.root_bytes = g.root_size();
  w.last_near = g.start_level() == level::l3 ? ~u64{0} : near_entries - 1;
  w.folded_output = output_address_width(g.format) > 48;
  u64 const end = u64{1} << g.input_bits;
  w.written_out_end = written_out ? end : 0;
  w.one_more_end = one_more ? end : 0;
  w.look_up_end = w.folded_output != 0 ? 0 : w.written_out_end;
  w.look_up_one_more_end = w.folded_output != 0 ? 0 : w.one_more_end;
  return w;
}

// Of a geometry that is known at run time. Most guests have three levels of 4K tables: their walk is written out with
// constants, and with one step more in front it is that of four levels. Any other takes a loop.
template <translation_geometry Geometry>
struct walk_constants {
  explicit constexpr walk_constants(Geometry const& g) noexcept
      : values(make_walk_values(g, g.tg() == granule::k4 && g.start_level() == level::l1,
                                g.tg() == granule::k4 && g.start_level() == level::l0)) {}
  static constexpr walk_values written_out =
      make_walk_values(make_geometry({.tg = granule::k4}, level::l1, 39, 48, false), true, false);
  walk_values values;
};

// Of a geometry whose type holds it: no state, every shift and mask a constant in the code, and a walk of as many steps
// as it has levels.
template <translation_geometry Geometry>
requires requires { Geometry::value; }
struct walk_constants<Geometry> {
  explicit constexpr walk_constants(Geometry const&) noexcept {}
  static constexpr walk_values values = make_walk_values(Geometry{}, true, false);
  static constexpr walk_values written_out = values;
};

}  // namespace vmsa::engine
