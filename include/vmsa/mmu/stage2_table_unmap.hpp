// SPDX-License-Identifier: MIT
// Taking mappings away, and giving table frames back when nobody can be walking through them any more.
#pragma once
#include "vmsa/mmu/maintenance.hpp"
#include "vmsa/mmu/stage2_table_map.hpp"

namespace vmsa {

// Unlinked tables, chained through their first entries in the busy form: to a walker that entry is invalid, to a
// concurrent caller a reason to start again. The word also holds the level of the table it lies in.
struct unlinked_tables {
  u64 head = 0;  // address of the first table, 0 for none

  static constexpr u64 link(u64 next, level at) noexcept { return next | u64{index(at)} << 2 | 0b10; }
  static constexpr level level_of(u64 word) noexcept {
    return static_cast<level>(static_cast<int>(word >> 2 & 0b111) - 1);
  }
};

namespace engine {

// `table` has entries of level `at`. A table below its first entry is chained as well, since that entry is overwritten.
template <class State>
void chain(State& t, unlinked_tables& list, pa table, level at) noexcept {
  for (;;) {
    descriptor const first = t.load(table);
    if (!t.change(table, first, {unlinked_tables::link(list.head, at)})) continue;
    list.head = table.value;
    if (at == level::l3 || !is_table_or_page(first)) return;
    table = t.next_table(first);
    at = next(at);
  }
}

// Gives back the tables below `table`, whose entries are of level `at` < 3, from entry `first` on; returns how many.
template <class State>
u32 give_children(State& t, pa table, level at, u64 first) noexcept {
  u32 given = 0;
  for (u64 n = first; n < t.entries(); ++n) {
    descriptor const d = t.load(table + 8 * n);
    if (!is_table_or_page(d)) continue;
    pa const child = t.next_table(d);
    if (next(at) != level::l3) given += give_children(t, child, next(at), 0);
    t.give_table(child, false);
    ++given;
  }
  return given;
}

// Gives back every table of the list and below it. Nobody may hold them: TLBs are clean, and so is every caller.
template <class State>
u32 give_all(State& t, unlinked_tables list) noexcept {
  u32 given = 0;
  while (list.head != 0) {
    pa const table{list.head};
    u64 const word = t.load(table).raw;
    list.head = t.next_table({word}).value;
    if (unlinked_tables::level_of(word) != level::l3)
      given += give_children(t, table, unlinked_tables::level_of(word), 1);
    t.give_table(table, false);
    ++given;
  }
  return given;
}

// Hands the list over to the caller's grace period; returns how many tables it holds, those below them not counted.
template <class State>
u32 retire(State& t, unlinked_tables list) noexcept {
  u32 retired = 0;
  while (list.head != 0) {
    pa const table{list.head};
    u64 const word = t.load(table).raw;
    list.head = t.next_table({word}).value;
    u64 seen = State::mode::load(t.retired);
    do {
      t.port->store(table, {unlinked_tables::link(seen, unlinked_tables::level_of(word))}, store_order::release);
    } while (!State::mode::swap(t.retired, seen, table.value));
    ++retired;
  }
  return retired;
}

template <class State>
unlinked_tables take_retired(State& t) noexcept {
  u64 seen = State::mode::load(t.retired);
  while (!State::mode::swap(t.retired, seen, 0)) continue;
  return {seen};
}

// Every frame of the table, its root and what is retired: nobody walks it any more.
template <class State>
void give_everything(State& t) noexcept {
  give_all(t, take_retired(t));
  level const start = t.shape.start_level();
  u64 const entries = t.shape.root_size() / 8;
  for (u64 n = 0; start != level::l3 && n < entries; ++n) {
    descriptor const d = t.load(t.root + 8 * n);
    if (!is_table_or_page(d)) continue;
    if (next(start) != level::l3) give_children(t, t.next_table(d), next(start), 0);
    t.give_table(t.next_table(d), false);
  }
  t.frames->give({t.root, false}, t.shape.root_size());
}

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
  stage2_outcome out{};
  stale_range stale{};
  unlinked_tables unlinked{};
};

// What an unmapped entry becomes until the TLBs have forgotten it.
template <class State>
inline constexpr descriptor gone = State::mode::concurrent ? range_going : descriptor{};

// The TLBs have forgotten what was unmapped in [begin, end): it is free for others.
template <class State>
void release_in_table(State& t, pa table, unsigned shift, level at, u64 begin, u64 end) noexcept {
  u64 const size = u64{1} << shift;
  for (u64 input = begin & ~(size - 1); input < end; input += size) {
    pa const where = table + t.entry_offset(input, shift, at);
    descriptor const d = t.load(where);
    if (at != level::l3 && is_table_or_page(d)) {
      release_in_table(t, t.next_table(d), shift - t.w().stride, next(at), begin > input ? begin : input,
                       end - input < size ? end : input + size);
    } else if (d == range_going) {
      t.port->store(where, {}, store_order::release);
      t.publish(where);
    }
  }
}

template <class State>
void unlink(State& t, unmapping& work, pa table, u64 input, unsigned shift, level at) noexcept {
  work.stale.add(input & ~low_mask(shift), u64{1} << shift, at, true);
  chain(t, work.unlinked, table, next(at));
}

// TLBs forget what was unmapped; only then are table frames free for other uses.
template <class State>
void finish_unmap(State& t, unmapping& work) noexcept {
  if (work.stale.empty()) return;
  work.out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, work.stale);
  if constexpr (State::mode::concurrent) {
    level const start = t.shape.start_level();
    release_in_table(t, t.root, t.shape.shift(start), start, work.stale.begin, work.stale.end);
    work.out.tables_freed += retire(t, work.unlinked);
  } else {
    work.out.tables_freed += give_all(t, work.unlinked);
  }
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
        if (!t.change(where, s.entry, gone<State>)) continue;
        // Not before: a cursor that took the new generation first would outlive the table.
        t.cursors_walk_again();
        work.out.entries_written += 1;
        unlink(t, work, child, input, shift, at);
      }
    } else if (is_valid(s.entry)) {
      if (cut(t, s, input, begin, end, work.out)) continue;
      if (!t.change(where, s.entry, gone<State>)) continue;
      if (at == level::l3) (void)t.vacate(where);
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
  unmap_in_table(t, t.root, t.shape.shift(start), start, at.value, at.value + size, work);
  finish_unmap(t, work);
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
  if (State::mode::concurrent && work.out && work.stale.empty())
    set_error(work.out, table_error::not_mapped, at.value, s.at);
  return work.out;
}

template <class State>
[[gnu::noinline]] stage2_outcome unmap_slow(State& t, ipa at) noexcept {
  return restructure(t, at, [&] { return unmap_any(t, at); });
}

// The outcome of one page without its TLBs.
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
  if (!t.vacant(where - offset)) return out;
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
  return single_page(old) && t.change(where, old, {});
}

enum class removed : u8 { page, maybe_last_page, no };

// A page in a group that the cursor does not hold, or the last one of its group: from there the cursor goes on.
template <class State>
[[gnu::noinline]] removed unmap_page(State& t, stage2_cursor& cursor, u64 input) noexcept {
  cursor_move<State> const move(t, input);
  pa where;
  if ((input & t.w().page_mask) != 0 || !t.find_page(input, where) || !remove_page(t, where)) [[unlikely]]
    return removed::no;
  bool const held = cursor.first == move.first && cursor.generation == move.generation;
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
  if (!single_page(old) || !t.change(where, old, page_going)) return unmap_slow(t, at);
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

}  // namespace engine
}  // namespace vmsa
