// SPDX-License-Identifier: MIT
// What every table operation stands on: the walk, entry changes, table frames, the caller's cursor.
#pragma once
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/mmu/stage2_table_mode.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"
#include "vmsa/mmu/walk_constants.hpp"

namespace vmsa {

// The group of 64 last-level entries that the caller's last operations were in. One per vCPU makes a fault next to the
// last one a compare instead of a walk. It stays usable over any operation: the key goes stale when it must.
struct stage2_cursor {
  u64 key = ~u64{0};   // of the group at `group`
  pa group{};
  u64 seen = ~u64{0};  // key of the last group that was walked to
};

// A 64-bit word that is neither valid nor free: another call is between break and make here, or the table that holds
// it was unlinked. Hardware sees an invalid entry.
constexpr bool is_busy(descriptor d) noexcept { return (d.raw & 0b11) == 0b10; }
// The busy form of a valid entry keeps everything but the type, so that the entry can be put back.
constexpr descriptor busy_form(descriptor d) noexcept { return {(d.raw & ~u64{0b11}) | 0b10}; }

// Busy forms that stand for what was unmapped, until the TLBs have forgotten it: nobody may map there before. Bit 63 is
// of no leaf and of no link between unlinked tables. A page's is taken away by whoever unmapped it alone, which may be
// beside a call that restructures; a range's by the one call that does.
inline constexpr descriptor page_going{u64{1} << 63 | 0b10};
inline constexpr descriptor range_going{u64{1} << 63 | u64{1} << 62 | 0b10};

constexpr bool is_valid(descriptor d) noexcept { return (d.raw & 1) != 0; }
// Bits 1:0 are 0b11: a table, or at level 3 a page.
constexpr bool is_table_or_page(descriptor d) noexcept { return ((d.raw + 1) & 0b11) == 0; }

namespace engine {

// One entry on the way of a walk.
struct slot {
  pa where{};
  descriptor entry{};
  unsigned shift = 0;  // log2 of the bytes it maps
  level at = level::l3;
};

// Entries in one word of occupancy bits, and in a cursor's group.
inline constexpr u64 group_bytes = 64 * 8;
inline constexpr u64 whole_group = ~u64{0};

template <mmu_port Port, frame_source Frames, translation_geometry Geometry, class Mode>
struct table_state {
  using mode = Mode;
  // Knowing from a bit that an entry is free spares the only load that misses the caches on a first fault.
  static constexpr bool has_occupancy = !Mode::concurrent && occupancy_source<Frames>;
  static constexpr u64 generation_step = u64{1} << 36;

  Port* port;
  Frames* frames;
  [[no_unique_address]] walk_constants<Geometry> walk;
  Geometry shape;
  stage2_controls controls;
  pa root;
  bool plain = false;  // nobody but the caller changes entries, and walkers see stores: no hardware updates, coherent
  // Changes when cursors must walk again. In the upper bits, so that adding it to a group's number makes a key: a stale
  // cursor could match again only after exactly 2^28 changes.
  u64 generation = 0;
  u64 tables = 0;   // frames in use besides the root
  u64 retired = 0;  // lock_free: the first unlinked table that another call may still hold, 0 for none
  u64 restructuring = 0;  // lock_free: 1 while a call restructures
  u64 occupancy_bias = 0;

  auto const& w() const noexcept { return walk.values; }
  unsigned page_shift() const noexcept { return w().page_shift; }
  u64 granule_bytes() const noexcept { return w().page_mask + 1; }
  unsigned entries() const noexcept { return 1u << w().stride; }
  descriptor_format format() const noexcept { return shape.format; }

  // Byte offset of an input address's entry in a full table whose entries map 2^(shift3 + 3) bytes.
  u64 entry_offset(u64 input, unsigned shift3) const noexcept { return (input >> shift3) & w().slot_mask; }
  // The same in the two lower tables of a shape of three levels.
  u64 middle_offset(u64 input) const noexcept { return (input & w().middle_slot) >> w().middle_shift3; }
  u64 page_offset(u64 input) const noexcept { return (input & w().page_slot) >> w().page_shift3; }
  // The same in any table, the root's concatenated ones included.
  u64 entry_offset(u64 input, unsigned shift, level at) const noexcept {
    return at == shape.start_level() ? input >> shift << 3 : entry_offset(input, shift - 3);
  }
  // Table frames lie below 2^48 (see take_table), so that no address bit of a table descriptor is folded.
  pa next_table(descriptor d) const noexcept { return {d.raw & w().table_mask}; }

  descriptor load(pa where) const noexcept { return port->load(where, Mode::order); }

  // The entry for `input`, which the geometry contains: where the walk ends, or the entry that maps 2^stop bytes.
  slot find(u64 input, unsigned stop) const noexcept {
    unsigned shift3 = w().start_shift3;
    level at = shape.start_level();
    pa where = root + (input >> shift3 & ~u64{7});
    descriptor entry = load(where);
    while (shift3 != stop - 3 && is_table_or_page(entry)) {
      shift3 -= w().stride;
      at = next(at);
      where = next_table(entry) + entry_offset(input, shift3);
      entry = load(where);
    }
    return {where, entry, shift3 + 3, at};
  }

  bool is_table(slot const& s) const noexcept { return s.at != level::l3 && is_table_or_page(s.entry); }

  // The last-level entry for `input`, not read; none when there is no last-level table, or the geometry ends before.
  struct place {
    pa where{1};
    explicit operator bool() const noexcept { return (where.value & 1) == 0; }
  };
  [[gnu::always_inline]] place find_page(u64 input) const noexcept {
    unsigned shift3 = w().start_shift3;
    u64 const offset = input >> shift3 & ~u64{7};
    pa where = root + offset;
    if (offset < w().three_level_root) [[likely]] {
      u64 table = load(where).raw ^ 0b11;
      if ((table & w().beyond_table) != 0) return {};
      table = load(pa{table} + middle_offset(input)).raw ^ 0b11;
      if ((table & w().beyond_table) != 0) return {};
      return {pa{table} + page_offset(input)};
    }
    if (offset >= w().root_bytes) return {};
    while (shift3 != w().page_shift3) {
      descriptor const entry = load(where);
      if (!is_table_or_page(entry)) return {};
      shift3 -= w().stride;
      where = next_table(entry) + entry_offset(input, shift3);
    }
    return {where};
  }

  u64 cursor_key(u64 input) const noexcept { return (input >> w().group_shift) + Mode::load(generation); }
  u64 group_offset(u64 input) const noexcept { return (input >> w().page_shift3) & (group_bytes - 8); }
  void cursors_walk_again() noexcept { Mode::add(generation, generation_step); }

  change_context context(level at) const noexcept {
    return {format(), at, controls.fwb, controls.ha, controls.hd, controls.bbm, false};
  }

  // Makes `desired` of an entry that was seen as `expected`; false when it changed meanwhile. With hardware updates
  // even the only owner may lose a race, so a valid entry is compared too.
  bool change(pa where, descriptor expected, descriptor desired) const noexcept {
    if (!Mode::concurrent && plain) [[likely]] {
      port->store(where, desired, store_order::release);
      return true;
    }
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

  // One bit for each last-level entry. Clear: the entry is free. Set: look. A word is either exact, or all ones while
  // cursors work in its group without it.
  struct occupancy {
    pa word{};
    u64 bits = 0;
    unsigned bit = 0;  // of the entry asked for, in bits 5:0
    bool free() const noexcept { return (bits >> (bit & 63) & 1) == 0; }
    u64 with() const noexcept { return bits | u64{1} << (bit & 63); }
    u64 without() const noexcept { return bits & ~(u64{1} << (bit & 63)); }
  };
  occupancy occupancy_of(pa where) const noexcept {
    pa const word{((where.value >> 6) & ~u64{7}) + occupancy_bias};
    return {word, port->load(word, load_order::relaxed).raw, static_cast<unsigned>(where.value >> 3)};
  }
  void set_occupancy(occupancy const& o, u64 bits) const noexcept {
    port->store(o.word, {bits}, store_order::relaxed);
  }
  // `count` last-level entries from `where` came into use.
  void occupy(pa where, u64 count) const noexcept {
    if constexpr (has_occupancy) {
      for (pa const end = where + 8 * count; where < end;) {
        occupancy const o = occupancy_of(where);
        unsigned const first = o.bit & 63;
        u64 const n = (end - where) / 8 < 64 - first ? (end - where) / 8 : 64 - first;
        set_occupancy(o, o.bits | low_mask(static_cast<unsigned>(n)) << first);
        where = where + 8 * n;
      }
    }
  }
  // Every entry of a last-level table came into use.
  void occupy_all(pa table) const noexcept {
    if constexpr (has_occupancy) fill(occupancy_of(table).word, {whole_group}, 0, entries() / 64);
  }
  // Makes an inexact word exact; then cursors may not work without it any more.
  void count_exactly(occupancy& o, pa where) noexcept {
    pa const group = where - (where.value & (group_bytes - 8));
    for (u64 n = 0; n < 64; ++n)
      if (load(group + 8 * n).raw == 0) o.bits &= ~(u64{1} << n);
    if (o.bits == whole_group) return;
    set_occupancy(o, o.bits);
    cursors_walk_again();
  }
  // The entry after `where` in its table is in use: a quick proof that the table is not empty.
  bool next_in_use(pa where) const noexcept {
    return ((where.value + 8) & w().page_mask) != 0 && load(where + 8).raw != 0;
  }
  // The entry at `where` was freed; true when its group, or without bits its table, may have no other.
  bool vacate(pa where) noexcept {
    if constexpr (has_occupancy) {
      occupancy o = occupancy_of(where);
      if (o.bits == whole_group) [[unlikely]] {
        if (next_in_use(where)) return false;
        count_exactly(o, where);
      }
      set_occupancy(o, o.without());
      return o.without() == 0;
    } else {
      return !next_in_use(where);
    }
  }
  // True when no entry of the last-level `table` is in use.
  [[gnu::noinline]] bool vacant(pa table) noexcept {
    for (pa group = table; group < table + granule_bytes(); group = group + group_bytes) {
      if constexpr (has_occupancy) {
        occupancy o = occupancy_of(group);
        if (o.bits == whole_group) count_exactly(o, group);
        if (o.bits != 0) return false;
      } else {
        for (u64 n = 0; n < group_bytes; n += 8)
          if (load(group + n).raw != 0) return false;
      }
    }
    return true;
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
    if constexpr (has_occupancy) fill(occupancy_of(table).word, {}, 0, entries() / 64);
    frames->give({table, zeroed}, granule_bytes());
    Mode::add(tables, ~u64{0});
  }

  u64 output_limit_mask() const noexcept {
    unsigned const width = output_address_width(format());
    return ~low_mask(shape.output_bits < width ? shape.output_bits : width);
  }
};

constexpr stage2_outcome failed(table_error error, u64 input, level at) noexcept {
  stage2_outcome out;
  out.error = error;
  out.at = {input};
  out.at_level = at;
  return out;
}

constexpr void add_counts(stage2_outcome& all, stage2_outcome const& one) noexcept {
  all.entries_written += one.entries_written;
  all.tables_allocated += one.tables_allocated;
  all.tables_freed += one.tables_freed;
  all.tlbi_count += one.tlbi_count;
  all.broke |= one.broke;
}
constexpr void set_error(stage2_outcome& out, table_error error, u64 input, level at) noexcept {
  out.error = error;
  out.at = {input};
  out.at_level = at;
}
constexpr table_error refusal(existing what) noexcept {
  return what == existing::keep ? table_error::already_mapped : table_error::needs_break;
}

// Runs `f`, which may break entries, unlink tables or hold more than one entry. In lock_free mode only one such call
// runs at a time, and another is refused as busy: entries in their busy form, and the first words of unlinked tables,
// have one owner.
template <class State, class F>
[[gnu::always_inline]] inline stage2_outcome restructure(State& t, ipa at, F const& f) noexcept {
  if constexpr (!State::mode::concurrent) {
    return f();
  } else {
    u64 idle = 0;
    if (!State::mode::swap(t.restructuring, idle, 1)) return failed(table_error::busy, at.value, t.shape.start_level());
    stage2_outcome const out = f();
    State::mode::add(t.restructuring, ~u64{0});
    return out;
  }
}

}  // namespace engine
}  // namespace vmsa
