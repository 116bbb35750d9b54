// SPDX-License-Identifier: MIT
// Table frames that lead nowhere any more: chained, retired, given back.
#pragma once
#include "vmsa/mmu/stage2_table_state.hpp"

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
    auto const [table, at] = take_first(t, list);
    u64 seen = State::mode::load(t.retired);
    do {
      t.port->store(table, {unlinked_tables::link(seen, at)}, store_order::release);
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

}  // namespace engine
}  // namespace vmsa
