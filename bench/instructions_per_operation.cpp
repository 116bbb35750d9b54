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
#include <random>
#include <string_view>
#include <utility>
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

// One call for each range of `size` bytes, in this order.
template <class Table, class Operation>
[[gnu::noinline]] u64 each_range(Table& table, std::vector<u64> const& order, Operation operation) {
  u64 failed = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (u64 at : order) failed += !operation(table, at);
  CALLGRIND_TOGGLE_COLLECT;
  return failed;
}

template <class Table, class Operation>
[[gnu::noinline]] u64 once(Table& table, Operation operation) {
  CALLGRIND_TOGGLE_COLLECT;
  bool const good = operation(table);
  CALLGRIND_TOGGLE_COLLECT;
  return !good;
}

std::vector<u64> ascending(u64 n, u64 stride) {
  std::vector<u64> order(n);
  for (u64 i = 0; i < n; ++i) order[i] = i * stride;
  return order;
}

// The same places in a random order that is always the same.
std::vector<u64> mixed(u64 n, u64 stride) {
  std::vector<u64> order = ascending(n, stride);
  std::mt19937_64 random(1);
  for (u64 i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

constexpr stage2_leaf ram{.fwb = true};
constexpr stage2_leaf read_only{.fwb = true, .access = stage2_access::read};

template <class Table>
u64 map_pages(Table& table, u64 n, stage2_leaf const& leaf = ram) {
  return !table.map_range({0}, {page}, n * page, leaf);
}
template <class Table>
u64 map_blocks(Table& table, u64 n) {
  return !table.map_range({0}, {0}, n * block, ram, {.largest = level::l2});
}
// Output addresses of which no two continue each other.
template <class Table>
u64 map_fragments(Table& table, u64 n) {
  u64 failed = 0;
  prepared_leaf const leaf = table.prepare(ram);
  stage2_cursor cursor;
  for (u64 i = 0; i < n; ++i) failed += !table.map(cursor, {i * page}, {(2 * n - i) * page}, leaf);
  return failed;
}
template <class Table>
u64 map_list(Table& table, u64 n, u64 pages) {
  u64 failed = 0;
  for (u64 at : mixed(n, 4 * pages * page)) failed += !table.map_range({at}, {at + page}, pages * page, ram);
  return failed;
}

constexpr auto unmap_block = [](auto& t, u64 at) { return static_cast<bool>(t.unmap(ipa{at})); };
constexpr auto map_block = [](auto& t, u64 at) { return static_cast<bool>(t.map({at}, {at}, level::l2, ram)); };
constexpr auto protect_page = [](auto& t, u64 at) {
  return static_cast<bool>(t.protect({at}, page, stage2_access::read, stage2_execute::everyone));
};
constexpr auto write_protect_page = [](auto& t, u64 at) { return static_cast<bool>(t.write_protect({at}, page)); };
constexpr auto age_page = [](auto& t, u64 at) {
  u64 young = 0;
  return t.age({at}, page, young) && young == page;
};
template <u64 Pages>
constexpr auto unmap_pages = [](auto& t, u64 at) { return static_cast<bool>(t.unmap({at}, Pages * page)); };
template <u64 Pages>
constexpr auto map_to =
    [](auto& t, u64 at) { return static_cast<bool>(t.map_range({at}, {at + page}, Pages * page, ram)); };

// `n` operations; returns how many of all failed. One row for each operation.
template <class Table>
struct operation {
  std::string_view name;
  u64 (*run)(Table& table, u64 n);
};
template <class T>
constexpr operation<T> operations[] = {
    {"cursor_map", [](T& t, u64 n) { return map_each(t, neighbours(n), true); }},
    {"walk_map",
     [](T& t, u64 n) {
       u64 failed = 0;
       for (u64 i = 0; i < 16; ++i) failed += map_each(t, {i * block + block - page}, false);
       return failed + map_each(t, scattered(n), true);
     }},
    {"look_up", [](T& t, u64 n) { return map_each(t, scattered(n), false) + look_up_each(t, scattered(n)); }},
    {"limit",
     [](T&, u64 n) {
       bench::radix3 tree(u64{1} << 30);
       return store_each(tree, neighbours(n));
     }},
    {"refault", [](T& t, u64 n) { return map_each(t, neighbours(n), false) + map_each(t, neighbours(n), true); }},
    {"relax", [](T& t, u64 n) { return map_each(t, scattered(n), false, read_only) + relax_each(t, scattered(n)); }},
    {"unmap", [](T& t, u64 n) { return map_each(t, neighbours(n), false) + unmap_each(t, neighbours(n)); }},
    {"unmap_scattered", [](T& t, u64 n) { return map_each(t, scattered(n), false) + unmap_each(t, scattered(n)); }},
    {"split",
     [](T& t, u64 n) {
       u64 const failed = !t.map_range({0}, {0}, n * page, ram);
       return failed + once(t, [n](T& of) { return static_cast<bool>(of.split({0}, n * page)); });
     }},
    {"bulk",
     [](T& t, u64 n) {
       return once(t, [n](T& of) { return static_cast<bool>(of.map_range({0}, {page}, n * page, ram)); });
     }},
    {"unmap_2M_ascending",
     [](T& t, u64 n) { return map_blocks(t, n) + each_range(t, ascending(n, block), unmap_block); }},
    {"unmap_2M_random", [](T& t, u64 n) { return map_blocks(t, n) + each_range(t, mixed(n, block), unmap_block); }},
    {"map_2M", [](T& t, u64 n) { return each_range(t, mixed(n, block), map_block); }},
    {"protect_one", [](T& t, u64 n) { return map_pages(t, n) + each_range(t, mixed(n, page), protect_page); }},
    {"write_protect_one",
     [](T& t, u64 n) { return map_pages(t, n) + each_range(t, mixed(n, page), write_protect_page); }},
    {"age_one", [](T& t, u64 n) { return map_pages(t, n) + each_range(t, mixed(n, page), age_page); }},
    {"visit_run",
     [](T& t, u64 n) {
       u64 bytes = 0;
       u64 const failed =
           map_pages(t, n) + once(t, [&](T& of) {
             return static_cast<bool>(of.visit({0}, n * page, [&](stage2_run const& run) { bytes += run.size; }));
           });
       return failed + (bytes != n * page);
     }},
    {"visit_fragmented",
     [](T& t, u64 n) {
       u64 runs = 0;
       u64 const failed = map_fragments(t, n) + once(t, [&](T& of) {
                            return static_cast<bool>(of.visit({0}, n * page, [&](stage2_run const&) { ++runs; }));
                          });
       return failed + (runs != n);
     }},
    {"collect_dirty_0",
     [](T& t, u64 n) {
       u64 dirty = 0;
       u64 const failed = map_pages(t, n, read_only) + once(t, [&](T& of) {
                            return static_cast<bool>(of.collect_dirty({0}, n * page, [&](ipa, u64) { ++dirty; }));
                          });
       return failed + dirty;
     }},
    {"collect_dirty_all",
     [](T& t, u64 n) {
       u64 dirty = 0;
       u64 const failed = map_pages(t, n) + once(t, [&](T& of) {
                            return static_cast<bool>(of.collect_dirty({0}, n * page, [&](ipa, u64) { ++dirty; }));
                          });
       return failed + (dirty != n);
     }},
    {"unmap_list_16",
     [](T& t, u64 n) { return map_list(t, n, 16) + each_range(t, mixed(n, 64 * page), unmap_pages<16>); }},
    {"unmap_list_4",
     [](T& t, u64 n) { return map_list(t, n, 4) + each_range(t, mixed(n, 16 * page), unmap_pages<4>); }},
    {"map_list_16", [](T& t, u64 n) { return each_range(t, mixed(n, 64 * page), map_to<16>); }},
    {"map_list_4", [](T& t, u64 n) { return each_range(t, mixed(n, 16 * page), map_to<4>); }},
    {"map_list_1", [](T& t, u64 n) { return each_range(t, mixed(n, 16 * page), map_to<1>); }},
    {"write_protect_range",
     [](T& t, u64 n) {
       return map_pages(t, n) + once(t, [n](T& of) { return static_cast<bool>(of.write_protect({0}, n * page)); });
     }},
    {"age_range_old",
     [](T& t, u64 n) {
       u64 young = 0;
       u64 failed = map_pages(t, n, {.fwb = true, .af = false});
       failed += once(t, [&](T& of) { return static_cast<bool>(of.age({0}, n * page, young)); });
       return failed + young;
     }},
    {"collapse",
     [](T& t, u64 n) {
       u64 const failed = !t.map_range({0}, {0}, n * page, ram, {.largest = level::l3});
       return failed + once(t, [n](T& of) { return of.collapse({0}, n * page).tables_freed == n * page / block; });
     }},
    {"statistics",
     [](T& t, u64 n) {
       return map_pages(t, n) + once(t, [n](T& of) { return of.statistics().bytes_mapped == n * page; });
     }},
};

// A name that ends in _48 is of a table with four levels.
template <class Mode, template <class, class> class Frames>
bool run_mode(std::string_view name, u64 n) {
  constexpr std::string_view four = "_48";
  bool const levels4 = name.size() > four.size() && name.substr(name.size() - four.size()) == four;
  if (levels4) name.remove_suffix(four.size());
  sim::arena memory(u64{64} << 20);
  sim::direct_memory<Mode> port(memory, pa{u64{1} << 32});
  Frames<sim::direct_memory<Mode>, Mode> frames(port, port.base(), port.size(), granule::k4);
  using table_type = stage2_table<sim::direct_memory<Mode>, Frames<sim::direct_memory<Mode>, Mode>, geometry, Mode>;
  auto table = table_type::create(port, frames, geometry::for_ipa_size(levels4 ? 48 : 40, granule::k4, {}).shape,
                                  {.fwb = true, .dic = true});
  for (operation<table_type> const& o : operations<table_type>)
    if (o.name == name) return table && o.run(*table, n) == 0;
  return false;
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
