// SPDX-License-Identifier: MIT
// What a table is: where its root stands, how it is walked, and how one entry of it changes.
#pragma once
#include "vmsa/mmu/concurrency.hpp"
#include "vmsa/mmu/stage2/entry.hpp"
#include "vmsa/mmu/stage2/outcome.hpp"
#include "vmsa/mmu/stage2/walk_constants.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa::engine {

// All that the bits of a prepared leaf depend on beside the leaf: equal for tables that may share one. Bit 0 is clear.
template <translation_geometry Geometry>
constexpr u64 leaf_kind_of(Geometry const& shape, stage2_controls const& c) noexcept {
  descriptor_format const f = shape.format;
  u64 kind = static_cast<u64>(f.tg);
  for (bool const bit : {f.ds, f.lpa, c.fwb, c.dic, c.coherent_walks}) kind = kind << 1 | bit;
  kind = kind << 8 | shape.output_bits;
  return (kind << 4 | index(shape.start_level())) << 1;
}

template <mmu_port Port, frame_source Frames, translation_geometry Geometry, class Mode>
struct table_state {
  using mode = Mode;
  using port_type = Port;
  using frames_type = Frames;
  // Knowing from a bit that an entry is free spares the only load that misses the caches on a first fault.
  static constexpr bool has_occupancy = !Mode::concurrent && Mode::short_ways && occupancy_source<Frames>;
  static constexpr walk_values written_out = walk_constants<Geometry>::written_out;

  Port* port;
  Frames* frames;
  [[no_unique_address]] walk_constants<Geometry> walk;
  Geometry shape;
  stage2_controls controls;
  pa root;
  // A leaf that is unmapped in the short way has `value` in these bits, once its MemAttr is counted up by one: with FWB
  // only 0b0111, which leaves the type to stage 1, then has bit 3, and it alone must leave the caches.
  static constexpr u64 next_memattr = u64{1} << stage2_bits::memattr::low;
  static constexpr u64 short_unmap_bits = descriptor_bits::contiguous::mask | next_memattr << 3 | 0b11;
  u64 short_unmap_mask = short_unmap_bits;
  u64 short_unmap_value = 0b11;
  u64 short_block_value = ~u64{0};  // 0b01 where a block may be
  bool plain = false;  // nobody but the caller changes entries, and walkers see stores: no hardware updates, coherent
  u64 generation = 1;  // changes when cursors must walk again
  u64 cleaned = 0;     // with FWB: not 0 once a leaf was mapped that must leave the caches
  u64 tables = 0;      // frames in use besides the root
  u64 retired = 0;     // lock_free: the first unlinked table that another call may still hold, 0 for none
  u64 restructuring = 0;  // lock_free: 1 while a call restructures
  u64 occupancy_bias = 0;
  u64 beyond_output = ~u64{0};                    // bits of an output address that no leaf of this table can have
  u64 leaf_kind = leaf_kind_of(shape, controls);  // of the leaves that are prepared for it
  bool root_had_leaf = Mode::concurrent;          // or may have had: see came_into_use

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

  // Of an entry that maps 2^(shift3 + 3) bytes.
  level level_of(unsigned shift3) const noexcept {
    level at = level::l3;
    for (unsigned shift = w().page_shift3; shift != shift3; shift += w().stride) at = previous(at);
    return at;
  }

  [[gnu::__always_inline__]] descriptor load(pa where) const noexcept { return port->load(where, Mode::order); }
  [[gnu::__always_inline__]] auto through_port() const noexcept {
    return [this](pa where) noexcept { return load(where); };
  }

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

  // The root's entry for `input`. Times eight, because an address has room for that.
  [[gnu::__always_inline__]] pa entry_of_root(u64 input, unsigned shift3) const noexcept {
    return root + 8 * (input >> (shift3 + 3));
  }

  // The last-level entry for `input`, not read; false when there is no last-level table, or the geometry ends before.
  // `shift3` is of the entry at `where`, in which the walk ended in either case; 0 beyond the geometry.
  [[gnu::__always_inline__]] bool find_page(u64 input, pa& where, unsigned& shift3) const noexcept {
    if (input < w().written_out_end) [[likely]]
      return find_page_from(entry_of_root(input, written_out.start_shift3), input, where, shift3);
    if (input < w().one_more_end) return find_page_from_above(input, where, shift3);
    walk_end const end = find_page_in_any(input);
    where = end.where;
    shift3 = static_cast<unsigned>(end.shift3);
    return shift3 == w().page_shift3;
  }
  [[gnu::__always_inline__]] bool find_page(u64 input, pa& where) const noexcept {
    unsigned shift3;
    return find_page(input, where, shift3);
  }
  // The same for look_up, whose caller may know a shorter way to a descriptor than the port; false also where no walk
  // is written out.
  template <class Load>
  [[gnu::__always_inline__]] bool find_page_to_read(u64 input, pa& where, Load const& loaded) const noexcept {
    unsigned shift3;
    if (input < w().look_up_end) [[likely]]
      return find_page_from(entry_of_root(input, written_out.start_shift3), input, where, shift3, loaded);
    return input < w().look_up_one_more_end && find_page_from_above(input, where, shift3, loaded);
  }
  // Down the levels of the written-out walk, from the entry `first` of its start level.
  [[gnu::__always_inline__]] bool find_page_from(pa first, u64 input, pa& where, unsigned& shift3) const noexcept {
    return find_page_from(first, input, where, shift3, through_port());
  }
  template <class Load>
  [[gnu::__always_inline__]] bool find_page_from(pa first, u64 input, pa& where, unsigned& shift3,
                                                 Load const& loaded) const noexcept {
    constexpr walk_values const& c = written_out;
    where = first;
#pragma GCC unroll 4
    for (shift3 = c.start_shift3; shift3 != c.page_shift3;) {
      u64 const table = loaded(where).raw ^ 0b11;
      if ((table & ~c.table_mask) != 0) [[unlikely]]
        return false;
      shift3 -= c.stride;
      where = pa{table} + (input >> shift3 & c.slot_mask);
    }
    return true;
  }
  // The same from the root of a geometry that has one level more.
  [[gnu::__always_inline__]] bool find_page_from_above(u64 input, pa& where, unsigned& shift3) const noexcept {
    return find_page_from_above(input, where, shift3, through_port());
  }
  template <class Load>
  [[gnu::__always_inline__]] bool find_page_from_above(u64 input, pa& where, unsigned& shift3,
                                                       Load const& loaded) const noexcept {
    constexpr walk_values const& c = written_out;
    shift3 = c.start_shift3 + c.stride;
    where = entry_of_root(input, shift3);
    u64 const table = loaded(where).raw ^ 0b11;
    if ((table & ~c.table_mask) != 0) return false;
    return find_page_from(pa{table} + (input >> c.start_shift3 & c.slot_mask), input, where, shift3, loaded);
  }
  // Where a walk ended, in registers.
  struct walk_end {
    pa where{};
    u64 shift3 = 0;
  };
  [[gnu::__noinline__]] walk_end find_page_in_any(u64 input) const noexcept {
    unsigned shift3 = w().start_shift3;
    u64 const offset = input >> shift3 & ~u64{7};
    if (offset >= w().root_bytes) return {};
    pa where = root + offset;
    while (shift3 != w().page_shift3) {
      descriptor const entry = load(where);
      if (!is_table_or_page(entry)) break;
      shift3 -= w().stride;
      where = next_table(entry) + entry_offset(input, shift3);
    }
    return {where, shift3};
  }

  // The last-level entries for [at, at + size) when these are whole pages of one last-level table that is not the root;
  // else none. In registers.
  struct page_entries {
    pa first{};
    u64 bytes = 0;
  };
  [[gnu::__noinline__]] page_entries find_pages_of_one_table(u64 at, u64 size) const noexcept {
    pa first;
    u64 const bytes = size >> w().page_shift3;
    if (((at | size) & w().page_mask) != 0 || shape.start_level() == level::l3 || !find_page(at, first)) return {};
    return bytes - 8 <= (~first.value & w().slot_mask) ? page_entries{first, bytes} : page_entries{};
  }

  // What a cursor remembers is found again by a walk: a table that it may lie in was unlinked.
  void cursors_walk_again() noexcept { Mode::add(generation, 1); }

  change_context context(level at) const noexcept {
    return {format(),     at,   controls.fwb, Mode::concurrent || controls.ha, controls.ha && controls.hd,
            controls.bbm, false};
  }

  // Makes `desired` of an entry that was seen as `expected`; false when it changed meanwhile. With hardware updates
  // even the only owner may lose a race, so a valid entry is compared too.
  [[gnu::__always_inline__]] bool change(pa where, descriptor expected, descriptor desired) const noexcept {
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
  // Writes an entry that this call holds, or that nobody can reach.
  void put(pa where, descriptor d) const noexcept {
    port->store(where, d, store_order::release);
    publish(where);
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
  // All bits of the eight entries from `first` on. Beside others, who ask of pages only, also bits that no entry has,
  // when one is held by a call: the two lowest bits of any other are equal, so that bit 1 is clear when 1 is added.
  [[gnu::__always_inline__]] u64 any_of_eight(pa first) const noexcept {
    Port& from = *port;
    u64 any = 0;
    u64 unequal = 0;
#pragma GCC unroll 8
    for (u64 n = 0; n < 8; ++n) {
      u64 const raw = from.load(first + 8 * n, Mode::order).raw;
      any |= raw;
      if constexpr (Mode::concurrent) unequal |= raw + 1;
    }
    return any | (0 - (unequal >> 1 & 1));
  }

  // One page, and not of a run that one TLB entry may hold, whose memory needs no cleaning once it is unmapped.
  bool unmaps_shortly(descriptor d) const noexcept {
    return ((d.raw + next_memattr) & short_unmap_mask) == short_unmap_value;
  }
  // The same of a block, where nobody but the caller changes entries.
  bool unmaps_shortly_as_block(descriptor d) const noexcept {
    return ((d.raw + next_memattr) & short_unmap_bits) == short_block_value;
  }
  // Whether what is unmapped may have to leave the caches, so that it must be looked at once the TLBs have forgotten
  // it.
  bool unmapping_cleans() const noexcept { return !controls.fwb || Mode::load(cleaned) != 0; }
  // How accesses through a leaf meet the caches.
  leaf_caching caching(descriptor leaf) const noexcept {
    return caching_of(stage2_bits::memattr::get(leaf.raw), stage2_bits::xn::get(leaf.raw) != stage2_execute::nobody,
                      controls.fwb);
  }
};

// Runs `f`, which may break entries, unlink tables or hold more than one entry. In lock_free mode only one such call
// runs at a time, and another is refused as busy: entries in their busy form, and the first words of unlinked tables,
// have one owner.
template <class State, class F>
[[gnu::__always_inline__]] inline stage2_outcome restructure(State& t, ipa at, F const& f) noexcept {
  if constexpr (!State::mode::concurrent) {
    return f();
  } else {
    u64 idle = 0;
    if (!State::mode::exchange(t.restructuring, idle, 1))
      return failed(table_error::busy, at.value, t.shape.start_level());
    stage2_outcome const out = f();
    State::mode::add(t.restructuring, ~u64{0});
    return out;
  }
}

}  // namespace vmsa::engine
