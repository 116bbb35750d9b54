// SPDX-License-Identifier: MIT
// Taking mappings away, and giving table frames back when nobody can be walking through them any more.
#pragma once
#include "vmsa/mmu/maintenance.hpp"
#include "vmsa/mmu/stage2_table_map.hpp"
#include "vmsa/mmu/stage2_table_unlink.hpp"

namespace vmsa::engine {

// True when `table`, whose entries are of level `at`, maps nothing and leads nowhere.
template <class State>
bool table_is_empty(State& t, pa table, level at) noexcept {
  if (at == level::l3) return t.vacant(table);
  for (u64 n = 0; n < t.entries(); ++n)
    if (t.load(table + 8 * n).raw != 0) return false;
  return true;
}

// What an unmap has gathered: it becomes effective in finish_unmap.
struct unmapping {
  // Without FWB: entries hold on to what they mapped or led to, which is cleaned when the TLBs have forgotten it.
  bool keeps = false;
  bool any = false;  // something was unmapped
  stage2_outcome out{};
  stale_range stale{};
  unlinked_tables unlinked{};
};

// What an unmapped entry becomes until the TLBs have forgotten it.
template <class State>
inline constexpr descriptor gone = State::mode::concurrent ? range_going : descriptor{};
constexpr descriptor table_going(pa table) noexcept { return {u64{0b101} << 61 | table.value | 0b10}; }
constexpr bool is_table_going(descriptor d) noexcept { return d.raw >> 61 == 0b101; }

// Everything that the leaves of an unlinked table map leaves the caches.
template <class State>
void clean_below(State& t, pa table, level at) noexcept {
  for (u64 n = 0; n < t.entries(); ++n) {
    descriptor const d = t.load(table + 8 * n);
    if (at != level::l3 && is_table_or_page(d))
      clean_below(t, t.next_table(d), next(at));
    else if (is_valid(d))
      clean_unmapped(t, d, at);
  }
}

// The TLBs have forgotten what was unmapped in [begin, end): it leaves the caches where it must, and is free for
// others.
template <class State>
void release_in_table(State& t, unmapping& work, pa table, unsigned shift, level at, u64 begin, u64 end) noexcept {
  u64 const size = u64{1} << shift;
  for (u64 input = begin & ~(size - 1); input < end; input += size) {
    pa const where = table + t.entry_offset(input, shift, at);
    descriptor const d = t.load(where);
    if (at != level::l3 && is_table_or_page(d)) {
      release_in_table(t, work, t.next_table(d), shift - t.w().stride, next(at), begin > input ? begin : input,
                       end - input < size ? end : input + size);
    } else if (is_busy(d) && d != page_going) {
      if (is_table_going(d)) {
        clean_below(t, t.next_table(d), next(at));
        chain(t, work.unlinked, t.next_table(d), next(at));
      } else {
        clean_unmapped(t, d, at);
      }
      t.port->store(where, {}, store_order::release);
      t.publish(where);
      if (at == level::l3) (void)t.vacate(where);
    }
  }
}

// TLBs forget what was unmapped; only then are table frames free for other uses.
template <class State>
void finish_unmap(State& t, unmapping& work) noexcept {
  if (work.stale.empty()) return;
  work.any = true;
  work.out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, work.stale);
  if (State::mode::concurrent || work.keeps) {
    level const start = t.shape.start_level();
    release_in_table(t, work, t.root, t.shape.shift(start), start, work.stale.begin, work.stale.end);
  }
  if constexpr (State::mode::concurrent)
    work.out.tables_freed += retire(t, work.unlinked);
  else
    work.out.tables_freed += give_all(t, work.unlinked);
  work.stale = {};
  work.unlinked = {};
}

// A leaf that the range ends inside is made smaller; true when that is done.
template <class State>
bool cut(State& t, slot const& s, u64 input, u64 begin, u64 end, stage2_outcome& out) noexcept {
  u64 const size = u64{1} << s.shift;
  u64 const region = u64{1} << leaf_region_bits(s.entry, s.at, t.format());
  u64 const first = input & ~(region - 1);
  if (first >= begin && end - first >= region) return false;
  if (region != size)
    (void)unfold(t, s.where - 8 * (((input & ~(size - 1)) - first) >> s.shift), s.shift, s.at, first, out);
  else
    (void)split_entries(t, s.where, 1, s.shift, s.at, first, out);
  stopped_within(out, input);
  return true;
}

// Clears [begin, end) in one table whose entries map 2^shift bytes. Whole tables are unlinked without being read.
template <class State>
void unmap_in_table(State& t, pa table, unsigned shift, level at, u64 begin, u64 end, unmapping& work) noexcept {
  u64 const size = u64{1} << shift;
  for (u64 input = begin; input < end && work.out;) {
    u64 const entry_begin = input & ~(size - 1);
    u64 const stop = end - entry_begin < size ? end : entry_begin + size;
    bool const whole = stop - input == size;
    pa const where = table + t.entry_offset(input, shift, at);
    slot const s{where, t.load(where), shift, at};
    if (is_busy(s.entry)) {
      set_error(work.out, table_error::busy, input, at);
    } else if (t.is_table(s)) {
      pa const child = t.next_table(s.entry);
      if (!whole) unmap_in_table(t, child, shift - t.w().stride, next(at), input, stop, work);
      if (work.out && (whole || (!State::mode::concurrent && table_is_empty(t, child, next(at))))) {
        if (!t.change(where, s.entry, work.keeps ? table_going(child) : gone<State>)) continue;
        // Not before: a cursor that took the new generation first would outlive the table.
        t.cursors_walk_again();
        work.out.entries_written += 1;
        work.stale.add(input & ~low_mask(shift), size, at, true);
        if (!work.keeps) chain(t, work.unlinked, child, next(at));
      }
    } else if (is_valid(s.entry)) {
      if (cut(t, s, input, begin, end, work.out)) continue;
      if (!t.change(where, s.entry, work.keeps ? busy_form(s.entry) : gone<State>)) continue;
      if (at == level::l3 && !work.keeps) (void)t.vacate(where);
      work.out.entries_written += 1;
      work.stale.add(input, size, at, false);
    }
    input = stop;
  }
}

// The checks that every range shares; an outcome without error ends at the range's end.
template <class State>
stage2_outcome check_range(State const& t, ipa at, u64 size) noexcept {
  if (((at.value | size) & t.w().page_mask) != 0) return failed(table_error::misaligned, at.value, level::l3);
  if (size == 0 || at.value + size < at.value || !t.shape.contains(at.value + size - 1))
    return failed(table_error::out_of_range, at.value, t.shape.start_level());
  stage2_outcome out;
  out.at = at + size;
  return out;
}

template <class State>
unmapping unmap_whatever(State& t, ipa at, u64 size) noexcept {
  unmapping work;
  work.out = check_range(t, at, size);
  if (!work.out) return work;
  level const start = t.shape.start_level();
  auto const pass = [&] {
    unmap_in_table(t, t.root, t.shape.shift(start), start, at.value, at.value + size, work);
    finish_unmap(t, work);
  };
  work.keeps = !t.controls.fwb;
  pass();
  // Only now are the tables empty of which the range is a part.
  if (work.keeps && work.out && !State::mode::concurrent) {
    work.keeps = false;
    pass();
  }
  return work;
}

template <class State>
stage2_outcome unmap_range(State& t, ipa at, u64 size) noexcept {
  return unmap_whatever(t, at, size).out;
}

// The long way of unmapping one page or block: blocks, runs, errors.
template <class State>
stage2_outcome unmap_any(State& t, ipa at) noexcept {
  if (!t.shape.contains(at.value)) return failed(table_error::out_of_range, at.value, t.shape.start_level());
  slot const s = t.find(at.value, t.page_shift());
  if (!is_valid(s.entry)) return failed(is_busy(s.entry) ? table_error::busy : table_error::not_mapped, at.value, s.at);
  u64 const size = u64{1} << s.shift;
  if ((at.value & (size - 1)) != 0) return failed(table_error::misaligned, at.value, s.at);
  unmapping work = unmap_whatever(t, at, size);
  // Another call may have unmapped the page since it was found: it goes to one of them.
  if (State::mode::concurrent && work.out && !work.any) set_error(work.out, table_error::not_mapped, at.value, s.at);
  return work.out;
}

template <class State>
[[gnu::noinline]] stage2_outcome unmap_slow(State& t, ipa at) noexcept {
  return restructure(t, at, [&] { return unmap_any(t, at); });
}

// What unmapping one page did, its two TLBI included.
template <class State>
[[gnu::always_inline]] inline stage2_outcome unmapped_page(State const& t, ipa at) noexcept {
  stage2_outcome out;
  out.at = at + t.granule_bytes();
  out.entries_written = 1;
  out.tlbi_count = 2;
  return out;
}

// The same for what may be the last page of its table: gives back the table, and every one above that leads nowhere
// then.
template <class State>
[[gnu::noinline]] stage2_outcome unmapped_last_page(State& t, ipa at) noexcept {
  stage2_outcome out = unmapped_page(t, at);
  pa where;
  if (t.shape.start_level() == level::l3 || !t.find_page(at.value, where)) return out;
  u64 const offset = t.entry_offset(at.value, t.w().page_shift3);
  if (offset != 0 && t.load(where - 8).raw != 0) return out;
  pa const table = where - offset;
  if (!t.vacant(table)) return out;
  slot const above = t.find(at.value, t.page_shift() + t.w().stride);
  if (above.at == t.shape.start_level() || t.next_in_use(above.where)) {
    if (!t.change(above.where, above.entry, {})) return out;
    t.cursors_walk_again();
    stale_range stale;
    stale.add(at.value & ~low_mask(above.shift), u64{1} << above.shift, above.at, true);
    out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
    t.give_table(table, true);
    out.entries_written += 1;
    out.tables_freed = 1;
    return out;
  }
  // The table above may lead nowhere else.
  stage2_outcome const more = unmap_range(t, at, t.granule_bytes());
  out.tlbi_count += more.tlbi_count;
  out.entries_written += more.entries_written;
  out.tables_freed += more.tables_freed;
  return out;
}

// Everything an unmapped page needs before its memory is anybody else's.
template <class State>
[[gnu::always_inline]] inline void invalidate_page(State& t, ipa at) noexcept {
  t.port->issue(barrier::dsb_ishst);
  t.port->issue(tlbi{tlbi_kind::ipas2e1is, at, 0, t.shape.tg(), t.controls.ttl, level::l3});
  t.port->issue(barrier::dsb_ish);
  t.port->issue(tlbi{.kind = tlbi_kind::vmalle1is, .tg = t.shape.tg()});
  t.port->issue(barrier::dsb_ish);
}

// One page, and not of a run that one TLB entry may hold.
constexpr bool single_page(descriptor d) noexcept {
  return (d.raw & (descriptor_bits::contiguous::mask | 0b11)) == 0b11;
}

// The page of a last-level entry.
template <class State>
[[gnu::always_inline]] inline bool remove_page(State& t, pa where) noexcept {
  descriptor const old = t.load(where);
  return t.unmaps_shortly(old) && t.change(where, old, {});
}

enum class removed : u8 { page, maybe_last_page, no };

// A page in a group that the cursor does not hold, or the last one of its group: from there the cursor goes on.
template <class State>
[[gnu::always_inline]] inline removed unmap_page(State& t, stage2_cursor& cursor, u64 input) noexcept {
  cursor_move<State> const move(t, input);
  pa where;
  if ((input & t.w().page_mask) != 0 || !t.find_page(input, where) || !remove_page(t, where)) [[unlikely]]
    return removed::no;
  bool const held = cursor.first == move.first && cursor.generation == move.generation;
  if (t.shape.start_level() == level::l3) [[unlikely]] {
    if (!held && move.taken(cursor)) move.take(t, cursor, where);
    return removed::page;  // the root stays
  }
  if (!held && !move.taken(cursor)) [[likely]]
    return t.vacate(where) ? removed::maybe_last_page : removed::page;
  bool const more = t.next_in_use(where);
  if (!held)
    move.take(t, cursor, where);
  else if (more)
    move.next().take(t, cursor, where + 8);
  return more ? removed::page : removed::maybe_last_page;
}

// The short way beside others: the entry stays busy until the TLBs have forgotten it. Who unlinks its table meanwhile
// may take the entry over.
template <class State>
stage2_outcome unmap_beside_others(State& t, stage2_cursor& cursor, ipa at) noexcept {
  if ((at.value & t.w().page_mask) != 0) return unmap_slow(t, at);
  u64 const index = t.index_in(cursor, at.value);
  pa where = cursor.group + 8 * index;
  if (index >= group_entries || !t.is_fresh(cursor)) {
    cursor_move<State> const move(t, at.value);
    if (!t.find_page(at.value, where)) return unmap_slow(t, at);
    if (move.taken(cursor)) move.take(t, cursor, where);
  }
  descriptor const old = t.load(where);
  if (!t.unmaps_shortly(old) || !t.change(where, old, page_going)) return unmap_slow(t, at);
  invalidate_page(t, at);
  (void)t.change(where, page_going, {});
  return unmapped_page(t, at);
}

// The short way. In a group that a cursor holds no bit changes, and the next entry of the group, where it is in use,
// tells that the table is not empty: that is all it takes to unmap pages in ascending order.
template <class State>
[[gnu::always_inline]] inline stage2_outcome unmap(State& t, stage2_cursor& cursor, ipa at) noexcept {
  if constexpr (State::mode::concurrent) return unmap_beside_others(t, cursor, at);
  u64 const index = t.index_in(cursor, at.value);
  removed done = removed::no;
  if (index < group_entries - 1 && t.is_fresh(cursor)) [[likely]] {
    pa const where = cursor.group + 8 * index;
    if (remove_page(t, where)) [[likely]]
      done = t.load(where + 8).raw != 0 ? removed::page : removed::maybe_last_page;
  } else {
    done = unmap_page(t, cursor, at.value);
  }
  if (done == removed::no) [[unlikely]]
    return unmap_slow(t, at);
  invalidate_page(t, at);
  if (done == removed::maybe_last_page) [[unlikely]]
    return unmapped_last_page(t, at);
  return unmapped_page(t, at);
}

}  // namespace vmsa::engine
