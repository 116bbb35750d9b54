// SPDX-License-Identifier: MIT
// usage: instructions_per_operation OPERATION MODE N: runs N operations where callgrind counts, and nothing else there.
// The script beside it takes the difference of two runs.
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // nothing is counted then
#define CALLGRIND_TOGGLE_COLLECT (void)0
#endif

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "limits.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace {

using namespace vmsa;

constexpr u64 page = 4096;
constexpr u64 block = u64{2} << 20;

// Addresses of which no two neighbours share a group, so that no cursor helps; tables are there already.
std::vector<u64> scattered(u64 n) {
  std::vector<u64> order(n);
  for (u64 i = 0; i < n; ++i) order[i] = (i % 16) * block + (i / 16) * page;
  return order;
}

std::vector<u64> neighbours(u64 n) {
  std::vector<u64> order(n);
  for (u64 i = 0; i < n; ++i) order[i] = i * page;
  return order;
}

// Each operation's loop is a function of its own, so that none is spilled for another's sake. They return how many
// calls failed.
template <class Table>
[[gnu::noinline]] u64 map_each(Table& table, std::vector<u64> const& order, bool counted,
                               stage2_leaf const& of = {.fwb = true}) {
  prepared_leaf const leaf = table.prepare(of);
  stage2_cursor cursor;
  u64 failed = 0;
  if (counted) CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) failed += !table.map(cursor, {at}, {at}, leaf);
  if (counted) CALLGRIND_TOGGLE_COLLECT;
  return failed;
}

// What the limit of single pages takes for the same: the difference is what a table costs that checks and answers.
[[gnu::noinline]] u64 store_each(bench::radix3& tree, std::vector<u64> const& order) {
  CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) {
    tree.entry(at) = at | 0x7db;
    asm volatile("" ::: "memory");
  }
  CALLGRIND_TOGGLE_COLLECT;
  return 0;
}

template <class Table>
[[gnu::noinline]] u64 look_up_each(Table& table, std::vector<u64> const& order) {
  u64 failed = 0;
  u64 sum = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) {
    stage2_mapping const m = table.look_up({at});
    sum += m.output.value;
    failed += !m.mapped;
  }
  CALLGRIND_TOGGLE_COLLECT;
  return failed + (sum == 0);
}

template <class Table>
[[gnu::noinline]] u64 unmap_each(Table& table, std::vector<u64> const& order) {
  stage2_cursor cursor;
  u64 failed = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) failed += !table.unmap(cursor, {at});
  CALLGRIND_TOGGLE_COLLECT;
  return failed;
}

template <class Table>
[[gnu::noinline]] u64 relax_each(Table& table, std::vector<u64> const& order) {
  stage2_cursor cursor;
  u64 failed = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) failed += !table.relax(cursor, {at}, stage2_access::read_write);
  CALLGRIND_TOGGLE_COLLECT;
  return failed;
}

template <class Table>
[[gnu::noinline]] u64 split_range(Table& table, u64 n) {
  CALLGRIND_TOGGLE_COLLECT;
  bool const good = static_cast<bool>(table.split({0}, n * page));
  CALLGRIND_TOGGLE_COLLECT;
  return !good;
}

template <class Table>
[[gnu::noinline]] u64 map_range(Table& table, u64 n) {
  CALLGRIND_TOGGLE_COLLECT;
  bool const good = static_cast<bool>(table.map_range({0}, {page}, n * page, {.fwb = true}));
  CALLGRIND_TOGGLE_COLLECT;
  return !good;
}

template <class Table>
bool run(Table& table, std::string_view operation, u64 n) {
  u64 failed = 0;
  if (operation == "cursor_map") {
    failed = map_each(table, neighbours(n), true);
  } else if (operation == "walk_map") {
    for (u64 i = 0; i < 16; ++i) failed += map_each(table, {i * block + block - page}, false);
    failed += map_each(table, scattered(n), true);
  } else if (operation == "look_up") {
    failed = map_each(table, scattered(n), false) + look_up_each(table, scattered(n));
  } else if (operation == "limit") {
    bench::radix3 tree(u64{1} << 30);
    failed = store_each(tree, neighbours(n));
  } else if (operation == "refault") {
    failed = map_each(table, neighbours(n), false) + map_each(table, neighbours(n), true);
  } else if (operation == "relax") {
    failed = map_each(table, scattered(n), false, {.fwb = true, .access = stage2_access::read});
    failed += relax_each(table, scattered(n));
  } else if (operation == "unmap") {
    failed = map_each(table, neighbours(n), false) + unmap_each(table, neighbours(n));
  } else if (operation == "unmap_scattered") {
    failed = map_each(table, scattered(n), false) + unmap_each(table, scattered(n));
  } else if (operation == "split") {
    failed = !table.map_range({0}, {0}, n * page, {.fwb = true}) + split_range(table, n);
  } else if (operation == "bulk") {
    failed = map_range(table, n);
  } else {
    return false;
  }
  return failed == 0;
}

template <class Mode, template <class, class> class Frames>
bool run_mode(std::string_view operation, u64 n) {
  sim::arena memory(u64{8} << 20);
  sim::direct_memory<Mode> port(memory, pa{u64{1} << 32});
  Frames<sim::direct_memory<Mode>, Mode> frames(port, port.base(), port.size(), granule::k4);
  auto table = stage2_table<sim::direct_memory<Mode>, Frames<sim::direct_memory<Mode>, Mode>, geometry, Mode>::create(
      port, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});
  return table && run(*table, operation, n);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto const n = static_cast<u64>(std::atoll(argv[3]));
  bool const good = std::string_view(argv[2]) == "lock_free" ? run_mode<lock_free, arena_frames>(argv[1], n)
                                                             : run_mode<exclusive, occupancy_frames>(argv[1], n);
  if (!good) std::puts("failed");
  return good ? 0 : 1;
}
