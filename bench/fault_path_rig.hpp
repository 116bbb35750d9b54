// SPDX-License-Identifier: MIT
// What every row of fault_path_bench stands on: a table in memory of its own, the clock, and the row that times
// workload and limit in turn.
#pragma once
#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::bench {

constexpr u64 gib = u64{1} << 30;
constexpr u64 page = 4096;
constexpr int repetitions = 11;

inline geometry const shape = geometry::for_ipa_size(40, granule::k4, {}).shape;
constexpr stage2_controls controls{.fwb = true, .ttl = true, .tlbi_range = true, .dic = true};
constexpr stage2_leaf ram{.fwb = true};
constexpr stage2_leaf read_only{.fwb = true, .access = stage2_access::read};
constexpr u64 leaf_bits = 0x7db;  // of `ram` as a page

// Time that this thread had the processor, in ns: what else runs on the machine takes turns with it.
inline double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

// Nothing of the next call starts before this one is done, as with an exception between them.
inline void serialise() {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

template <class T>
inline void consume(T const& value) {
  asm volatile("" : : "r"(value) : "memory");
}

inline void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "fault_path_bench: %s went wrong\n", what);
  std::abort();
}

inline double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// `work` and `limit` prepare what they need, do `operations`, and return the ns that those took.
template <class Work, class Limit>
void row(benchmark::State& state, double operations, Work work, Limit limit) {
  std::vector<double> ns, limit_ns, ratio;
  for (auto _ : state) {
    double total = 0;
    for (int n = 0; n < repetitions; ++n) {
      double const w = work();
      double const l = limit();
      ns.push_back(w / operations);
      limit_ns.push_back(l / operations);
      ratio.push_back(w / l);
      total += w;
    }
    state.SetIterationTime(total * 1e-9);
  }
  state.counters["ns"] = median(ns);
  state.counters["limit_ns"] = median(limit_ns);
  state.counters["ratio"] = median(ratio);
}

template <class Body>
void add(std::string const& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), body)->UseManualTime()->Unit(benchmark::kMillisecond);
}
// Single blocks, short ranges, scans and other shapes: fault_path_more.cpp.
void add_more_rows();

// One address for each `stride` bytes.
inline std::vector<u64> ascending(u64 bytes, u64 stride = page) {
  std::vector<u64> order(bytes / stride);
  for (u64 n = 0; n < order.size(); ++n) order[n] = n * stride;
  return order;
}
inline std::vector<u64> shuffled(u64 bytes, u64 stride = page) {
  std::vector<u64> order = ascending(bytes, stride);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  return order;
}

// What the tables for `bytes` of pages take and no more: a range row's memory should be as warm as its limit's.
inline u64 arena_for(u64 bytes) {
  u64 const tables = (bytes >> 21) + (bytes >> 30) + 8;  // with a root of two, and what aligns it
  return tables * page + (tables / 63 + 1) * page;       // and their bits
}

// A table in memory of its own, which is all zeros whenever a table starts.
template <class Mode = exclusive, template <class, class> class Frames = occupancy_frames, class Geometry = geometry>
struct rig {
  using port_type = sim::direct_memory<Mode>;
  using frames_type = Frames<port_type, Mode>;
  using table_type = stage2_table<port_type, frames_type, Geometry, Mode>;

  // `bytes` of pages will be mapped, or as much table memory is needed.
  explicit rig(u64 bytes, Geometry const& g)
      : used(arena_for(bytes)), memory(used), port(memory, pa{u64{1} << 32}), of(g) {}

  u64 used;
  sim::arena memory;
  port_type port;
  Geometry of;
  std::optional<frames_type> frames;
  std::optional<table_type> table;

  table_type& fresh() {
    table.reset();
    std::memset(memory.data(), 0, used);
    frames.emplace(port, port.base(), used, of.tg());
    table.emplace(*table_type::create(port, *frames, of, controls));
    return *table;
  }
  table_type& mapped(std::vector<u64> const& order, stage2_leaf const& leaf = ram) {
    table_type& t = fresh();
    prepared_leaf const p = t.prepare(leaf);
    stage2_cursor cursor;
    bool good = true;
    for (u64 at : order) good &= static_cast<bool>(t.map(cursor, {at}, {at}, p));
    require(good, "mapping");
    return t;
  }
};

enum class pace { free, serialised };

// Inlined, so that what the operation refers to is not reached through one more pointer.
template <pace Pace, class Operation>
[[gnu::always_inline]] inline double each(std::vector<u64> const& order, Operation operation) {
  u64 failed = 0;
  double const start = now();
  for (u64 at : order) {
    failed += !operation(at);
    if constexpr (Pace == pace::serialised) serialise();
  }
  double const time = now() - start;
  require(failed == 0, "a workload");
  return time;
}

}  // namespace vmsa::bench
