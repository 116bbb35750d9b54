// SPDX-License-Identifier: MIT
// usage: instructions_per_operation OPERATION MODE N: runs N operations where callgrind counts, and nothing else there.
// The script beside it takes the difference of two runs.
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // nothing is counted then
#define CALLGRIND_TOGGLE_COLLECT
#endif

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

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

template <class Table>
bool run(Table& table, char const* operation, u64 n) {
  prepared_leaf const leaf = table.prepare({.fwb = true});
  stage2_cursor cursor;
  u64 failed = 0;
  auto const map_all = [&](std::vector<u64> const& order) {
    for (u64 at : order) failed += !table.map(cursor, {at}, {at}, leaf);
  };
  if (std::strcmp(operation, "cursor_map") == 0) {
    CALLGRIND_TOGGLE_COLLECT;
    for (u64 at = 0; at < n * page; at += page) failed += !table.map(cursor, {at}, {at}, leaf);
    CALLGRIND_TOGGLE_COLLECT;
  } else if (std::strcmp(operation, "walk_map") == 0) {
    std::vector<u64> const order = scattered(n);
    for (u64 i = 0; i < 16; ++i) failed += !table.map(cursor, {i * block + block - page}, {0}, leaf);
    CALLGRIND_TOGGLE_COLLECT;
    for (u64 at : order) failed += !table.map(cursor, {at}, {at}, leaf);
    CALLGRIND_TOGGLE_COLLECT;
  } else if (std::strcmp(operation, "look_up") == 0) {
    std::vector<u64> const order = scattered(n);
    map_all(order);
    u64 sum = 0;
    CALLGRIND_TOGGLE_COLLECT;
    for (u64 at : order) {
      stage2_mapping const m = table.look_up({at});
      if (m)
        sum += m.output.value;
      else
        ++failed;
    }
    CALLGRIND_TOGGLE_COLLECT;
    asm volatile("" : : "r"(sum));
  } else if (std::strcmp(operation, "bulk") == 0) {
    CALLGRIND_TOGGLE_COLLECT;
    failed += !table.map_range({0}, {page}, n * page, {.fwb = true});
    CALLGRIND_TOGGLE_COLLECT;
  } else {
    return false;
  }
  return failed == 0;
}

template <class Mode, template <class, class> class Frames>
bool run_mode(char const* operation, u64 n) {
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
  bool const good = std::strcmp(argv[2], "lock_free") == 0 ? run_mode<lock_free, arena_frames>(argv[1], n)
                                                           : run_mode<exclusive, occupancy_frames>(argv[1], n);
  if (!good) std::puts("failed");
  return good ? 0 : 1;
}
