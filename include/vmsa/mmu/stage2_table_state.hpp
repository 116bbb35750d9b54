// SPDX-License-Identifier: MIT
// What every table operation stands on: the walk, entry changes, table frames, the caller's cursor.
#pragma once
#include <bit>

#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/mmu/stage2_table_mode.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"
#include "vmsa/mmu/walk_constants.hpp"

namespace vmsa {

// The group of 64 last-level entries that one caller's last operations in one table were in. One per vCPU makes a fault
// next to the last one a compare instead of a walk. It stays usable over any operation of its table: the generation
// tells when it is stale. Another table, also one made where an old one was, wants a fresh one.
struct stage2_cursor {
  u64 first = ~u64{0};       // number of the first page of the group at `group`
  u64 generation = ~u64{0};  // of the table when the group was found; none has this one
  pa group{};
  u64 seen = ~u64{0};  // first page of the last group that was walked to
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
inline constexpr u64 group_entries = 64;
inline constexpr u64 group_bytes = 8 * group_entries;
inline constexpr u64 whole_group = ~u64{0};

template <mmu_port Port, frame_source Frames, translation_geometry Geometry, class Mode>
struct table_state {
  using mode = Mode;
  // Knowing from a bit that an entry is free spares the only load that misses the caches on a first fault.
  static constexpr bool has_occupancy = !Mode::concurrent && occupancy_source<Frames>;
  static constexpr walk_values written_out = walk_constants<Geometry>::written_out;

  Port* port;
  Frames* frames;
  [[no_unique_address]] walk_constants<Geometry> walk;
  Geometry shape;
  stage2_controls controls;
  pa root;
  u64 short_unmap_mask = descriptor_bits::contiguous::mask | 0b11;  // a leaf that is unmapped in the short way has
  u64 short_unmap_value = 0b11;                                     // this in these bits
  bool plain = false;  // nobody but the caller changes entries, and walkers see stores: no hardware updates, coherent
  u64 generation = 0;  // changes when cursors must walk again
  u64 tables = 0;      // frames in use besides the root
  u64 retired = 0;     // lock_free: the first unlinked table that another call may still hold, 0 for none
  u64 restructuring = 0;  // lock_free: 1 while a call restructures
  u64 occupancy_bias = 0;

  auto const& w() const noexcept { return walk.values; }
  unsigned page_shift() const noexcept { return w().page_shift; }
  u64 granule_bytes() const noexcept { return w().page_mask + 1; }
  unsigned entries() const noexcept { return 1u << w().stride; }
  descriptor_format format() const noexcept { return shape.format; }

  // Byte offset of an input address's entry in a full table whose entries map 2^(shift3 + 3) bytes.
  u64 entry_offset(u64 input, unsigned shift3) const noexcept { return (input >> shift3) & w().slot_mask; }
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

  // The last-level entry for `input`, not read; false when there is no last-level table, or the geometry ends before.
  [[gnu::always_inline]] bool find_page(u64 input, pa& where) const noexcept {
    if (input < w().written_out_end) [[likely]]
      return find_page_written_out(input, where);
    return find_page_in_any(input, where);
  }
  // Down the three levels of the written-out walk, for an input address that they cover.
  [[gnu::always_inline]] bool find_page_written_out(u64 input, pa& where) const noexcept {
    constexpr walk_values const& c = written_out;
    u64 table = load(root + (input >> (c.start_shift3 + 3)) * 8).raw ^ 0b11;
    if ((table & ~c.table_mask) != 0) [[unlikely]]
      return false;
    table = load(pa{table} + (input >> c.middle_shift3 & c.slot_mask)).raw ^ 0b11;
    if ((table & ~c.table_mask) != 0) [[unlikely]]
      return false;
    where = pa{table} + (input >> c.page_shift3 & c.slot_mask);
    return true;
  }
  [[gnu::noinline]] bool find_page_in_any(u64 input, pa& where) const noexcept {
    unsigned shift3 = w().start_shift3;
    u64 const offset = input >> shift3 & ~u64{7};
    if (offset >= w().root_bytes) return false;
    where = root + offset;
    while (shift3 != w().page_shift3) {
      descriptor const entry = load(where);
      if (!is_table_or_page(entry)) return false;
      shift3 -= w().stride;
      where = next_table(entry) + entry_offset(input, shift3);
    }
    return true;
  }

  // Number of the page at `input`. The rotation keeps bits that a page's address has not, so that no cursor holds the
  // number of a misaligned one.
  // The most usual granule is asked for first: rotating by a constant costs less than the question.
  u64 page_number(u64 input) const noexcept {
    constexpr unsigned usual = written_out.page_shift;
    if (w().page_shift == usual) [[likely]]
      return std::rotr(input, static_cast<int>(usual));
    return std::rotr(input, static_cast<int>(w().page_shift));
  }
  // Index of the entry for `input` in the cursor's group: below group_entries if the cursor holds it and is not stale.
  u64 index_in(stage2_cursor const& cursor, u64 input) const noexcept { return page_number(input) - cursor.first; }
  bool is_fresh(stage2_cursor const& cursor) const noexcept { return cursor.generation == Mode::load(generation); }
  void cursors_walk_again() noexcept { Mode::add(generation, 1); }

  change_context context(level at) const noexcept {
    return {format(),     at,   controls.fwb, Mode::concurrent || controls.ha, controls.ha && controls.hd,
            controls.bbm, false};
  }

  // Makes `desired` of an entry that was seen as `expected`; false when it changed meanwhile. With hardware updates
  // even the only owner may lose a race, so a valid entry is compared too.
  [[gnu::always_inline]] bool change(pa where, descriptor expected, descriptor desired) const noexcept {
    if (Mode::concurrent || !plain) return change_beside_others(where, expected, desired);
    port->store(where, desired, store_order::release);
    return true;
  }
  bool change_beside_others(pa where, descriptor expected, descriptor desired) const noexcept {
    if (Mode::concurrent || (controls.ha && is_valid(expected))) {
      if (port->compare_exchange(where, expected, desired) != expected) return false;
    } else {
      port->store(where, desired, store_order::release);
    }
    publish(where);
    return true;
  }
  // One page, and not of a run that one TLB entry may hold, whose memory needs no cleaning once it is unmapped.
  bool unmaps_shortly(descriptor d) const noexcept { return (d.raw & short_unmap_mask) == short_unmap_value; }
  // Whether stage 2's own type lets the data caches hold what a leaf maps: Normal Write-Back or Write-Through, or with
  // FWB what stage 1 may make so.
  bool may_be_cached(descriptor leaf) const noexcept {
    u8 const memattr = stage2_bits::memattr::get(leaf.raw);
    return controls.fwb ? (memattr & 0b0110) == 0b0110 : (memattr & 0b0011) >= 0b0010 && memattr > 3;
  }
  bool is_device(descriptor leaf) const noexcept {
    return (stage2_bits::memattr::get(leaf.raw) & (controls.fwb ? 0b0100 : 0b1100)) == 0;
  }
  // A walker that does not look into the caches finds the entry in memory.
  void publish(pa where) const noexcept {
    if (!controls.coherent_walks) port->maintain(cache_op::clean_to_poc, where, 8);
  }

  // One bit for each last-level entry. Set: the entry is free. Clear: look. A word is either exact, or 0 while cursors
  // work in its group without it, as it also is in a table that was written as a whole.
  struct free_bits {
    pa word{};
    u64 bits = 0;
    unsigned bit = 0;  // of the entry asked for, in bits 5:0
    bool free() const noexcept { return (bits >> (bit & 63) & 1) != 0; }
    u64 with() const noexcept { return bits | u64{1} << (bit & 63); }
    u64 without() const noexcept { return bits & ~(u64{1} << (bit & 63)); }
  };
  free_bits free_bits_of(pa where) const noexcept {
    pa const word{((where.value >> 6) & ~u64{7}) + occupancy_bias};
    return {word, port->load(word, load_order::relaxed).raw, static_cast<unsigned>(where.value >> 3)};
  }
  void set_free_bits(free_bits const& f, u64 bits) const noexcept { port->store(f.word, {bits}, store_order::relaxed); }
  // `count` last-level entries from `where` came into use.
  void occupy(pa where, u64 count) const noexcept {
    if constexpr (has_occupancy) {
      for (pa const end = where + 8 * count; where < end;) {
        free_bits const f = free_bits_of(where);
        unsigned const first = f.bit & 63;
        u64 const n = (end - where) / 8 < 64 - first ? (end - where) / 8 : 64 - first;
        if (f.bits != 0) set_free_bits(f, f.bits & ~(low_mask(static_cast<unsigned>(n)) << first));
        where = where + 8 * n;
      }
    }
  }
  // Every entry of a fresh last-level table is free.
  void all_free(pa table) const noexcept {
    if constexpr (has_occupancy) fill(free_bits_of(table).word, {whole_group}, 0, entries() / 64);
  }
  // Makes an inexact word exact, and returns it; then cursors may not work without it any more.
  [[gnu::noinline]] u64 count_exactly(pa where) noexcept {
    pa const group = where - (where.value & (group_bytes - 8));
    u64 bits = 0;
    for (u64 n = 0; n < 64; ++n) bits |= u64{load(group + 8 * n).raw == 0} << n;
    if (bits == 0) return 0;
    set_free_bits(free_bits_of(where), bits);
    cursors_walk_again();
    return bits;
  }
  // The entry after `where` in its table is in use: a quick proof that the table is not empty.
  bool next_in_use(pa where) const noexcept {
    return ((where.value + 8) & w().page_mask) != 0 && load(where + 8).raw != 0;
  }
  // The entry at `where` was freed; true when its group, or without bits its table, may have no other.
  [[gnu::always_inline]] bool vacate(pa where) noexcept {
    if constexpr (has_occupancy) {
      free_bits f = free_bits_of(where);
      if (f.bits == 0) [[unlikely]] {
        // A last-level root has no bits: it may be smaller than a word's entries, and its frame is not given back
        // alone.
        if (shape.start_level() == level::l3 || next_in_use(where)) return false;
        f.bits = count_exactly(where);
      }
      set_free_bits(f, f.with());
      return f.with() == whole_group;
    } else {
      return !next_in_use(where);
    }
  }
  u64 any_of_eight(pa first) const noexcept {
    u64 const low = load(first).raw | load(first + 8).raw | load(first + 16).raw | load(first + 24).raw;
    return low | load(first + 32).raw | load(first + 40).raw | load(first + 48).raw | load(first + 56).raw;
  }
  // True when no entry of the last-level `table` is in use.
  [[gnu::noinline]] bool vacant(pa table) const noexcept {
    for (pa group = table; group < table + granule_bytes(); group = group + group_bytes) {
      if constexpr (has_occupancy) {
        u64 const bits = free_bits_of(group).bits;
        if (bits == whole_group) continue;
        if (bits != 0) return false;
      }
      for (pa eight = group; eight < group + group_bytes; eight = eight + 64)
        if (any_of_eight(eight) != 0) return false;
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
  void clean_table(pa table) const noexcept { clean_tables({table, 1}); }
  void clean_tables(frame_run const& run) const noexcept {
    if (!controls.coherent_walks) port->maintain(cache_op::clean_to_poc, run.first, run.count * granule_bytes());
  }

  // Frames that a walker may read tables in, and whose addresses have no folded bits.
  bool can_be_walked(pa first, u64 size) const noexcept {
    pa const last = first + (size - 1);
    return (last.value >> 48) == 0 && !shape.output_too_large(last);
  }
  // A frame for a table that the caller fills in part.
  std::optional<pa> take_table() noexcept {
    std::optional<frame> const f = frames->take(granule_bytes());
    if (!f) return std::nullopt;
    if (!can_be_walked(f->address, granule_bytes())) {
      frames->give(*f, granule_bytes());
      return std::nullopt;
    }
    if (!f->zeroed) fill(f->address, {}, 0, entries());
    Mode::add(tables, 1);
    return f->address;
  }
  // Up to `most` frames, of which each follows the last, for tables that the caller writes as a whole. None: count 0.
  frame_run take_tables(u64 most) noexcept {
    frame_run run;
    if constexpr (run_source<Frames>) {
      run = frames->take_run(most);
    } else if (std::optional<frame> const f = frames->take(granule_bytes())) {
      run = {f->address, 1};
    }
    if (run.count != 0 && !can_be_walked(run.first, run.count * granule_bytes())) [[unlikely]] {
      for (u64 n = 0; n < run.count; ++n) frames->give({run.first + n * granule_bytes(), false}, granule_bytes());
      return {};
    }
    Mode::add(tables, run.count);
    return run;
  }
  void give_table(pa table, bool zeroed) noexcept {
    if constexpr (has_occupancy) fill(free_bits_of(table).word, {}, 0, entries() / 64);
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
// What stopped at a leaf that begins before `input` came as far as that.
constexpr void stopped_within(stage2_outcome& out, u64 input) noexcept {
  if (!out && out.at.value < input) out.at = {input};
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
