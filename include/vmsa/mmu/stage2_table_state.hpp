// SPDX-License-Identifier: MIT
// What every table operation stands on: the walk, entry changes, table frames, the caller's cursor.
#pragma once
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/mmu/stage2_table_mode.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"

namespace vmsa {

// The last-level table that the caller's last operation ended in. One per vCPU makes a fault next to the last one a
// compare instead of a walk. It stays usable over any operation: the key goes stale when a table is unlinked.
struct stage2_cursor {
  u64 key = ~u64{0};
  pa table{};
};

// A 64-bit word that is neither valid nor free: another call is between break and make here, or the table that holds
// it was unlinked. Hardware sees an invalid entry.
constexpr bool is_busy(descriptor d) noexcept { return (d.raw & 0b11) == 0b10; }
// The busy form of a valid entry keeps everything but the type, so that the entry can be put back.
constexpr descriptor busy_form(descriptor d) noexcept { return {(d.raw & ~u64{0b11}) | 0b10}; }

constexpr bool is_valid(descriptor d) noexcept { return (d.raw & 1) != 0; }
// Table or page; which, the level tells.
constexpr bool has_not_block(descriptor d) noexcept { return (d.raw & 0b11) == 0b11; }

namespace engine {

// One entry on the way of a walk.
struct slot {
  pa where{};
  descriptor entry{};
  unsigned shift = 0;  // log2 of the bytes it maps
  level at = level::l3;
};

template <mmu_port Port, frame_source Frames, translation_geometry Geometry, class Mode>
struct table_state {
  using mode = Mode;

  Port* port;
  Frames* frames;
  [[no_unique_address]] Geometry shape;
  stage2_controls controls;
  pa root;
  u64 tables = 0;  // frames in use besides the root
  // Changes whenever a table is unlinked. In the upper half, so that adding it to an input address's table number
  // makes a cursor's key: a stale cursor matches again only after exactly 2^32 unlinked tables.
  u64 generation = 0;
  u64 retired = 0;  // lock_free: the first unlinked table that another call may still hold, 0 for none

  static constexpr u64 generation_step = u64{1} << 32;

  unsigned page_shift() const noexcept { return shape.shift(level::l3); }
  unsigned table_stride() const noexcept { return page_shift() - 3; }
  u64 granule_bytes() const noexcept { return u64{1} << page_shift(); }
  unsigned entries() const noexcept { return 1u << table_stride(); }
  descriptor_format format() const noexcept { return shape.format; }

  // Byte offset of an input address's entry in a full table whose entries map 2^shift bytes.
  u64 entry_offset(u64 input, unsigned shift) const noexcept {
    return (input >> (shift - 3)) & (granule_bytes() - 8);
  }
  // Table frames lie below 2^48 (see take_table), so that no address bit of a table descriptor is folded.
  pa next_table(descriptor d) const noexcept { return {d.raw & (bit_mask(47, 0) & ~(granule_bytes() - 1))}; }

  descriptor load(pa where) const noexcept { return port->load(where, Mode::order); }

  // The entry for `input`, which the geometry contains: where the walk ends, or the entry at `stop`.
  slot find(u64 input, unsigned stop_shift) const noexcept {
    unsigned shift = shape.shift(shape.start_level());
    level at = shape.start_level();
    pa where = root + ((input >> shift) << 3);
    descriptor entry = load(where);
    while (shift != stop_shift && has_not_block(entry)) {
      shift -= table_stride();
      at = next(at);
      where = next_table(entry) + entry_offset(input, shift);
      entry = load(where);
    }
    return {where, entry, shift, at};
  }
  slot find(u64 input) const noexcept { return find(input, page_shift()); }

  bool is_table(slot const& s) const noexcept { return s.shift != page_shift() && has_not_block(s.entry); }

  u64 cursor_key(u64 input) const noexcept {
    return (input >> (page_shift() + table_stride())) + Mode::load(generation);
  }
  // Makes the cursor hold the last-level table for `input`; false when there is none, or the geometry ends before it.
  // The key is read before the walk: a table unlinked meanwhile leaves a key that matches nothing.
  bool reach(stage2_cursor& cursor, u64 input) const noexcept {
    u64 const key = cursor_key(input);
    if (cursor.key == key) [[likely]]
      return true;
    if (!shape.contains(input)) return false;
    slot const s = find(input);
    if (s.shift != page_shift()) return false;
    cursor = {key, s.where - entry_offset(input, s.shift)};
    return true;
  }

  change_context context(level at) const noexcept {
    return {format(), at, controls.fwb, controls.ha, controls.hd, controls.bbm, false};
  }

  // Makes `desired` of an entry that was seen as `expected`; false when it changed meanwhile. With hardware updates
  // even the only owner may lose a race, so a valid entry is compared too.
  bool change(pa where, descriptor expected, descriptor desired) const noexcept {
    if (Mode::concurrent || (controls.ha && is_valid(expected))) {
      if (port->compare_exchange(where, expected, desired) != expected) return false;
    } else {
      port->store(where, desired, store_order::release);
    }
    publish(where);
    return true;
  }
  // A walker that does not look into the caches finds the entry in memory.
  void publish(pa where) const noexcept {
    if (!controls.coherent_walks) port->maintain(cache_op::clean_to_poc, where, 8);
  }

  // Writes `count` entries that nobody can reach yet, the i-th first + i * step.
  void fill(pa where, descriptor first, u64 step, u64 count) const noexcept {
    if constexpr (bulk_port<Port>) {
      port->fill(where, first, step, count);
    } else {
      for (u64 n = 0; n < count; ++n) port->store(where + 8 * n, {first.raw + n * step}, store_order::relaxed);
    }
  }
  void clean_table(pa table) const noexcept {
    if (!controls.coherent_walks) port->maintain(cache_op::clean_to_poc, table, granule_bytes());
  }

  // A frame for a table; cleared unless the caller will write all of it.
  std::optional<pa> take_table(bool overwritten) noexcept {
    std::optional<frame> const f = frames->take(granule_bytes());
    if (!f) return std::nullopt;
    if ((f->address.value >> 48) != 0) {
      frames->give(*f, granule_bytes());
      return std::nullopt;
    }
    if (!f->zeroed && !overwritten) fill(f->address, {}, 0, entries());
    Mode::add(tables, 1);
    return f->address;
  }
  void give_table(pa table, bool zeroed) noexcept {
    frames->give({table, zeroed}, granule_bytes());
    Mode::add(tables, ~u64{0});
  }

  void unlinked_a_table() noexcept { Mode::add(generation, generation_step); }

  u64 output_limit_mask() const noexcept {
    unsigned const width = output_address_width(format());
    unsigned const bits = shape.output_bits < width ? shape.output_bits : width;
    return ~low_mask(bits);
  }
};

constexpr stage2_outcome failed(table_error error, u64 input, level at) noexcept {
  stage2_outcome out;
  out.error = error;
  out.at = {input};
  out.at_level = at;
  return out;
}

}  // namespace engine
}  // namespace vmsa
