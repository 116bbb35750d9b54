// SPDX-License-Identifier: MIT
// The frames that a table is made of: taken, known to be empty or not, unlinked, given back.
#pragma once
#include "vmsa/mmu/stage2/state.hpp"

namespace vmsa {

/// Unlinked tables, chained through their first entries in a busy form: to a walker that entry is invalid, to a
/// concurrent caller a reason to start again. The word also holds the level of the table it lies in.
struct unlinked_tables {
  u64 head = 0;  // address of the first table, 0 for none

  static constexpr u64 link(u64 next, level at) noexcept { return next | u64{index(at)} << 2 | 0b10; }
  static constexpr level level_of(u64 word) noexcept {
    return static_cast<level>(static_cast<int>(word >> 2 & 0b111) - 1);
  }
};

namespace engine {

inline constexpr u64 group_bytes = 8 * group_entries;
inline constexpr u64 whole_group = ~u64{0};

// ---- occupancy -----------------------------------------------------------------------------------------------------
// One bit for each entry below the root. Set: the entry is free. Clear: look. A word is either exact, or 0 while
// cursors work in its group without it, as it also is in a table that was written as a whole, and in the root.

struct free_bits {
  pa word{};
  u64 bits = 0;
  unsigned bit = 0;  // of the entry asked for, in bits 5:0
  bool free() const noexcept { return (bits >> (bit & 63) & 1) != 0; }
  u64 with() const noexcept { return bits | u64{1} << (bit & 63); }
  u64 without() const noexcept { return bits & ~(u64{1} << (bit & 63)); }
};
// Where the bits of the group of the entry at `where` are.
template <class State>
[[gnu::__always_inline__]] inline pa free_word_of(State const& t, pa where) noexcept {
  return {((where.value >> 6) & ~u64{7}) + t.occupancy_bias};
}
template <class State>
[[gnu::__always_inline__]] inline free_bits free_bits_of(State const& t, pa where) noexcept {
  pa const word = free_word_of(t, where);
  return {word, t.port->load(word, load_order::relaxed).raw, static_cast<unsigned>(where.value >> 3)};
}
template <class State>
[[gnu::__always_inline__]] inline void set_free_bits(State const& t, free_bits const& f, u64 bits) noexcept {
  t.port->store(f.word, {bits}, store_order::relaxed);
}
constexpr bool same_group(pa a, pa b) noexcept { return (a.value ^ b.value) < group_bytes; }
constexpr pa last_of_group(pa where) noexcept { return {where.value | (group_bytes - 8)}; }
// The bits of the entries from `first` to `last`, of one group.
constexpr u64 bits_of(pa first, pa last) noexcept {
  return whole_group << (first.value >> 3 & 63) & whole_group >> (~last.value >> 3 & 63);
}
// The entries from `first` to `last`, of one group of a table that is not the root, came into use.
template <class State>
[[gnu::__always_inline__]] inline void occupy_in_group(State const& t, pa first, pa last) noexcept {
  free_bits const f = free_bits_of(t, last);
  if (f.bits != 0) set_free_bits(t, f, f.bits & ~bits_of(first, last));
}
// The same of more than one group of a table.
template <class State>
[[gnu::__noinline__]] void occupy_groups(State const& t, pa first, pa last) noexcept {
  for (; !same_group(first, last); first = last_of_group(first) + 8) occupy_in_group(t, first, last_of_group(first));
  occupy_in_group(t, first, last);
}
// `count` entries from `where`, at least one, of one table that is not the root, came into use.
template <class State>
[[gnu::__always_inline__]] inline void occupy(State const& t, pa where, u64 count) noexcept {
  if constexpr (State::has_occupancy) {
    pa const last = where + 8 * (count - 1);
    if (same_group(where, last)) return occupy_in_group(t, where, last);
    occupy_groups(t, where, last);
  }
}
template <class State>
[[gnu::__always_inline__]] inline void occupy_one(State const& t, pa where) noexcept {
  if constexpr (State::has_occupancy) {
    free_bits const f = free_bits_of(t, where);
    set_free_bits(t, f, f.without());
  }
}
enum class use : u8 { leaf, table };
// The same of a table whose entries are of level `at`. A root that never held a leaf is all zeros when its tables are
// gone.
template <class State>
[[gnu::__always_inline__]] inline void came_into_use(State& t, level at, pa where, u64 count, use as) noexcept {
  if constexpr (!State::mode::concurrent) {
    if (at != t.shape.start_level())
      occupy(t, where, count);
    else if (as == use::leaf)
      t.root_had_leaf = true;
  }
}
// Every entry of a fresh table is free.
template <class State>
void all_free(State const& t, pa table) noexcept {
  if constexpr (State::has_occupancy) t.fill(free_word_of(t, table), {whole_group}, 0, t.entries() / 64);
}
// Makes an inexact word exact, and returns it; then cursors may not work without it any more.
template <class State>
[[gnu::__noinline__]] u64 count_exactly(State& t, pa where) noexcept {
  pa const group = where - (where.value & (group_bytes - 8));
  u64 bits = 0;
#pragma GCC unroll 8
  for (u64 n = 0; n < 64; ++n) bits = 2 * bits + u64{t.load(group + 8 * (63 - n)).raw == 0};
  if (bits == 0) return 0;
  set_free_bits(t, free_bits_of(t, where), bits);
  t.cursors_walk_again();
  return bits;
}
// The entry after `where` in its table is in use: a quick proof that the table is not empty.
template <class State>
[[gnu::__always_inline__]] inline bool next_in_use(State const& t, pa where) noexcept {
  return ((where.value + 8) & t.w().page_mask) != 0 && t.load(where + 8).raw != 0;
}
// The entry before or after `where` in its table is in use.
template <class State>
[[gnu::__always_inline__]] inline bool neighbour_in_use(State const& t, pa where) noexcept {
  return next_in_use(t, where) || ((where.value & t.w().page_mask) != 0 && t.load(where - 8).raw != 0);
}
// The entry at `where`, not of the root, was freed; true when its group, or without bits its table, may have no other.
template <class State>
[[gnu::__always_inline__]] inline bool vacate(State& t, pa where) noexcept {
  if constexpr (State::has_occupancy) {
    pa const word = free_word_of(t, where);
    u64 bits = t.port->load(word, load_order::relaxed).raw;
    if (bits == 0) {
      if (next_in_use(t, where)) return false;
      bits = count_exactly(t, where);
    }
    bits |= u64{1} << (where.value >> 3 & 63);
    t.port->store(word, {bits}, store_order::relaxed);
    return bits == whole_group;
  } else {
    return !next_in_use(t, where);
  }
}
// The entries from `first` to `last`, of one group of a table that is not the root, were freed. An inexact word stays
// so unless all of its group is free now. False when the group is certainly in use.
template <class State>
[[gnu::__always_inline__]] inline bool vacate_in_group(State& t, pa first, pa last) noexcept {
  free_bits const f = free_bits_of(t, last);
  u64 const freed = bits_of(first, last);
  if (f.bits == 0) [[unlikely]] {
    if (freed != whole_group) return true;
    t.cursors_walk_again();
  }
  set_free_bits(t, f, f.bits | freed);
  return (f.bits | freed) == whole_group;
}
// The same of more than one group of a table.
template <class State>
[[gnu::__noinline__]] bool vacate_groups(State& t, pa first, pa last) noexcept {
  bool free = true;
  for (; !same_group(first, last); first = last_of_group(first) + 8)
    free &= vacate_in_group(t, first, last_of_group(first));
  return vacate_in_group(t, first, last) && free;
}
template <class State>
[[gnu::__always_inline__]] inline bool vacate_all(State& t, pa first, pa last) noexcept {
  if constexpr (!State::has_occupancy) return true;
  return same_group(first, last) ? vacate_in_group(t, first, last) : vacate_groups(t, first, last);
}
// True when no entry of `table`, which is not the root, is in use.
template <class State>
[[gnu::__noinline__]] bool vacant(State const& t, pa table) noexcept {
  for (u64 group = 0; group < t.entries() / group_entries; ++group) {
    if constexpr (State::has_occupancy) {
      u64 const bits = t.port->load(free_word_of(t, table) + 8 * group, load_order::relaxed).raw;
      if (bits == whole_group) continue;
      if (bits != 0) return false;
    }
    pa const first = table + group * group_bytes;
    for (u64 eight = 0; eight < group_bytes; eight += 64)
      if (t.any_of_eight(first + eight) != 0) return false;
  }
  return true;
}

// ---- frames --------------------------------------------------------------------------------------------------------

// Frames that a walker may read tables in, and whose addresses have no folded bits.
template <class State>
bool can_be_walked(State const& t, pa first, u64 size) noexcept {
  pa const last = first + (size - 1);
  return (last.value >> 48) == 0 && !t.shape.output_too_large(last);
}
// A frame for a table that the caller fills in part.
template <class State>
std::optional<pa> take_table(State& t) noexcept {
  std::optional<frame> const f = t.frames->take(t.granule_bytes());
  if (!f) return std::nullopt;
  if (!can_be_walked(t, f->address, t.granule_bytes())) {
    t.frames->give(*f, t.granule_bytes());
    return std::nullopt;
  }
  if (!f->zeroed) t.fill(f->address, {}, 0, t.entries());
  State::mode::add(t.tables, 1);
  return f->address;
}
// Frames side by side, up to `most` of them and at least one, for tables that the caller writes as a whole. Count 0
// when the source has none left.
template <class State>
frame_run take_tables(State& t, u64 most) noexcept {
  frame_run run;
  if constexpr (run_source<typename State::frames_type>) {
    run = t.frames->take_run(most);
  } else if (std::optional<frame> const f = t.frames->take(t.granule_bytes())) {
    run = {f->address, 1};
  }
  if (run.count != 0 && !can_be_walked(t, run.first, run.count * t.granule_bytes())) [[unlikely]] {
    for (u64 n = 0; n < run.count; ++n) t.frames->give({run.first + n * t.granule_bytes(), false}, t.granule_bytes());
    return {};
  }
  State::mode::add(t.tables, run.count);
  return run;
}
template <class State>
void give_table(State& t, pa table, bool zeroed) noexcept {
  if constexpr (State::has_occupancy) t.fill(free_word_of(t, table), {}, 0, t.entries() / 64);
  t.frames->give({table, zeroed}, t.granule_bytes());
  State::mode::add(t.tables, ~u64{0});
}
template <class State>
void clean_tables(State const& t, frame_run const& run) noexcept {
  if (!t.controls.coherent_walks) t.port->maintain(cache_op::clean_to_poc, run.first, run.count * t.granule_bytes());
}
template <class State>
void clean_table(State const& t, pa table) noexcept {
  clean_tables(t, {table, 1});
}

// ---- unlinking -----------------------------------------------------------------------------------------------------

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
    give_table(t, child, false);
    ++given;
  }
  return given;
}

struct unlinked_table {
  pa address{};
  level at = level::l3;  // of its entries
};
// Takes the first table out of a list that is not empty.
template <class State>
unlinked_table take_first(State& t, unlinked_tables& list) noexcept {
  pa const table{list.head};
  u64 const word = t.load(table).raw;
  list.head = t.next_table({word}).value;
  return {table, unlinked_tables::level_of(word)};
}

// Gives back every table of the list and below it. Nobody may hold them: TLBs are clean, and so is every caller.
template <class State>
u32 give_all(State& t, unlinked_tables list) noexcept {
  u32 given = 0;
  while (list.head != 0) {
    auto const [table, at] = take_first(t, list);
    if (at != level::l3) given += give_children(t, table, at, 1);
    give_table(t, table, false);
    ++given;
  }
  return given;
}

// Hands the list over to the caller's grace period; returns how many tables it holds, those below them not counted.
template <class State>
u32 retire(State& t, unlinked_tables list) noexcept {
  u32 retired = 0;
  while (list.head != 0) {
    auto const [table, at] = take_first(t, list);
    u64 seen = State::mode::load(t.retired);
    do {
      t.port->store(table, {unlinked_tables::link(seen, at)}, store_order::release);
    } while (!State::mode::exchange(t.retired, seen, table.value));
    ++retired;
  }
  return retired;
}

template <class State>
unlinked_tables take_retired(State& t) noexcept {
  u64 seen = State::mode::load(t.retired);
  while (!State::mode::exchange(t.retired, seen, 0)) continue;
  return {seen};
}

// Every frame of the table, its root and what is retired: nobody walks it any more. Nothing is read once the last frame
// was found, and a root in which only tables were is given back as zeros.
template <class State>
void give_everything(State& t) noexcept {
  give_all(t, take_retired(t));
  level const start = t.shape.start_level();
  for (pa where = t.root; t.tables != 0 && where < t.root + t.shape.root_size(); where = where + 8) {
    descriptor const d = t.load(where);
    if (!is_table_or_page(d)) continue;
    if (next(start) != level::l3) give_children(t, t.next_table(d), next(start), 0);
    give_table(t, t.next_table(d), false);
    t.port->store(where, {}, store_order::relaxed);
  }
  t.frames->give({t.root, start != level::l3 && !t.root_had_leaf}, t.shape.root_size());
}

}  // namespace engine
}  // namespace vmsa
