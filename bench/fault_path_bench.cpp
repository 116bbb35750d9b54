// SPDX-License-Identifier: MIT
// How fast are faults and the other work on stage 2 tables, beside the least that any implementation must do?
// Each row times workload and limit in turn and reports medians; README.md has the method and the results.
#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "limits.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"

namespace {

using namespace vmsa;

constexpr u64 gib = u64{1} << 30;
constexpr u64 page = 4096;
constexpr int repetitions = 11;

geometry const shape = geometry::for_ipa_size(40, granule::k4, {}).shape;
constexpr stage2_controls controls{.fwb = true, .ttl = true, .tlbi_range = true, .dic = true};
constexpr stage2_leaf ram{.fwb = true};
constexpr stage2_leaf read_only{.fwb = true, .access = stage2_access::read};
constexpr u64 leaf_bits = 0x7db;  // of `ram` as a page

// Time that this thread had the processor, in ns: what else runs on the machine takes turns with it.
double now() {
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

void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "fault_path_bench: %s went wrong\n", what);
  std::abort();
}

double median(std::vector<double> values) {
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

std::vector<u64> ascending(u64 bytes) {
  std::vector<u64> order(bytes / page);
  for (u64 n = 0; n < order.size(); ++n) order[n] = n * page;
  return order;
}
std::vector<u64> shuffled(u64 bytes) {
  std::vector<u64> order = ascending(bytes);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  return order;
}

// What the tables for `bytes` of pages take and no more: a range row's memory should be as warm as its limit's.
u64 arena_for(u64 bytes) {
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
    frames.emplace(port, port.base(), used, granule::k4);
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

template <pace Pace = pace::free>
auto limit_store(bench::radix3& tree, std::vector<u64> const& order, u64 bits) {
  return [&tree, &order, bits] {
    tree.clear();
    return each<Pace>(order, [&, bits](u64 at) {
      tree.entry(at) = at | bits;
      asm volatile("" ::: "memory");
      return true;
    });
  };
}

// W1, W1s, W2, W2s: faults from an empty table, in this order.
template <pace Pace, class Rig>
auto fault_each(Rig& rig, std::vector<u64> const& order) {
  return [&] {
    auto& table = rig.fresh();
    prepared_leaf const leaf = table.prepare(ram);
    stage2_cursor cursor;
    return each<Pace>(order, [&](u64 at) { return static_cast<bool>(table.map(cursor, {at}, {at}, leaf)); });
  };
}

template <pace Pace, class Rig>
void faults(benchmark::State& state, Rig&& rig, std::vector<u64> const& order, u64 bytes) {
  bench::radix3 tree(bytes);
  row(state, static_cast<double>(order.size()), fault_each<Pace>(rig, order),
      limit_store<Pace>(tree, order, leaf_bits));
}

constexpr std::size_t batch = 256;

void faults_in_batches(benchmark::State& state, u64 bytes) {
  rig<> r(bytes, shape);
  bench::radix3 tree(bytes);
  std::vector<u64> const order = shuffled(bytes);
  std::vector<page_mapping> pages(order.size());
  std::transform(order.begin(), order.end(), pages.begin(), [](u64 at) { return page_mapping{{at}, {at}}; });
  row(
      state, static_cast<double>(order.size()),
      [&] {
        auto& table = r.fresh();
        prepared_leaf const leaf = table.prepare(ram);
        bool good = true;
        double const start = now();
        for (std::size_t n = 0; n < pages.size(); n += batch)
          good &= static_cast<bool>(table.map(std::span(pages).subspan(n, batch), leaf));
        double const time = now() - start;
        require(good, "a batch");
        return time;
      },
      limit_store(tree, order, leaf_bits));
}

// W3, W6: one operation on each page of a table where all are mapped.
template <class Rig, class Operation>
auto on_mapped(Rig& rig, std::vector<u64> const& order, stage2_leaf const& leaf, Operation operation) {
  return [&rig, &order, leaf, operation, all = ascending(order.size() * page)] {
    auto& table = rig.mapped(all, leaf);
    stage2_cursor cursor;
    return each<pace::free>(order, [&](u64 at) { return operation(table, cursor, at); });
  };
}

void refault(benchmark::State& state, std::vector<u64> const& order) {
  rig<> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  prepared_leaf const leaf = r.fresh().prepare(ram);
  row(state, static_cast<double>(order.size()),
      on_mapped(r, order, ram,
                [leaf](auto& table, stage2_cursor& cursor, u64 at) {
                  return static_cast<bool>(table.map(cursor, {at}, {at}, leaf));
                }),
      limit_store(tree, order, leaf_bits));
}

void relax(benchmark::State& state) {
  rig<> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  std::vector<u64> const order = shuffled(4 * gib);
  row(state, static_cast<double>(order.size()),
      on_mapped(r, order, read_only,
                [](auto& table, stage2_cursor& cursor, u64 at) {
                  return static_cast<bool>(table.relax(cursor, {at}, stage2_access::read_write));
                }),
      [&] {
        tree.clear();
        return each<pace::free>(order, [&](u64 at) {
          tree.entry(at) |= u64{0b10} << 6;
          asm volatile("" ::: "memory");
          return true;
        });
      });
}

void unmap_each(benchmark::State& state, std::vector<u64> const& order) {
  rig<> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  row(state, static_cast<double>(order.size()),
      on_mapped(
          r, order, ram,
          [](auto& table, stage2_cursor& cursor, u64 at) { return static_cast<bool>(table.unmap(cursor, {at})); }),
      [&] {
        return each<pace::free>(order, [&](u64 at) {
          tree.entry(at) = 0;
          asm volatile("" ::: "memory");
          return true;
        });
      });
}

// W4, W6: one call for a range, on several tables where one would be over too soon. All memory was just written when
// the clock starts, the limit's too.
template <class Prepare, class Operation, class PrepareLimit, class Limit>
void on_range(benchmark::State& state, u64 descriptors, unsigned tables, u64 bytes, Prepare prepare,
              Operation operation, PrepareLimit prepare_limit, Limit limit) {
  bench::flat array(descriptors * tables);
  std::vector<rig<>> rigs;
  rigs.reserve(tables);
  for (unsigned n = 0; n < tables; ++n) rigs.emplace_back(bytes, shape);
  row(
      state, static_cast<double>(descriptors) * tables,
      [&] {
        for (rig<>& r : rigs) prepare(r.fresh());
        bool good = true;
        double const start = now();
        for (rig<>& r : rigs) good &= static_cast<bool>(operation(*r.table));
        double const time = now() - start;
        require(good, "a range");
        return time;
      },
      [&] {
        prepare_limit(array);
        double const start = now();
        limit(array);
        consume(array.data());
        return now() - start;
      });
}

auto const nothing = [](auto&) {};
auto const clear = [](bench::flat& array) { array.clear(); };
auto const fill = [](u64 step) { return [step](bench::flat& array) { array.fill(leaf_bits, step); }; };
auto const map_pages = [](auto& table) {
  require(static_cast<bool>(table.map_range({0}, {page}, 4 * gib, ram)), "mapping a range");
};

void look_up(benchmark::State& state, bool in_batches) {
  rig<> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  std::vector<u64> const order = shuffled(4 * gib);
  std::vector<ipa> addresses(order.size());
  std::transform(order.begin(), order.end(), addresses.begin(), [](u64 at) { return ipa{at}; });
  auto& table = r.mapped(ascending(4 * gib));
  limit_store(tree, order, leaf_bits)();
  row(
      state, static_cast<double>(order.size()),
      [&] {
        if (!in_batches) {
          return each<pace::free>(order, [&](u64 at) {
            stage2_mapping const m = table.look_up({at});
            consume(m.output.value);
            return m.mapped;
          });
        }
        std::vector<stage2_mapping> found(batch);
        u64 missing = 0;
        double const start = now();
        for (std::size_t n = 0; n < addresses.size(); n += batch) {
          table.look_up(std::span(addresses).subspan(n, batch), found);
          for (stage2_mapping const& m : found) {
            consume(m.output.value);
            missing += !m.mapped;
          }
        }
        double const time = now() - start;
        require(missing == 0, "a look-up");
        return time;
      },
      [&] {
        return each<pace::free>(order, [&](u64 at) {
          consume(tree.entry(at));
          return true;
        });
      });
}

// W7: every thread faults its share of one table; the time of a round is that of its slowest thread.
template <class Body>
double together(unsigned threads, Body body) {
  std::vector<double> times(threads);
  std::atomic<unsigned> waiting{threads};
  std::vector<std::thread> all;
  for (unsigned n = 0; n < threads; ++n) {
    all.emplace_back([&, n] {
      waiting.fetch_sub(1);
      while (waiting.load() != 0) std::this_thread::yield();
      double const start = now();
      body(n);
      times[n] = now() - start;
    });
  }
  for (std::thread& t : all) t.join();
  return *std::max_element(times.begin(), times.end());
}

// Shares of two threads: halves of the guest, or alternate stretches of `stretch` bytes.
void two_threads(benchmark::State& state, u64 stretch) {
  rig<lock_free, arena_frames> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  std::vector<u64> const all = ascending(4 * gib);
  std::vector<u64> shares[2];
  for (u64 at : all) shares[(at / stretch) & 1].push_back(at);
  auto const fault = [&](std::vector<u64> const& order) {
    prepared_leaf const leaf = r.table->prepare(ram);
    stage2_cursor cursor;
    u64 failed = 0;
    for (u64 at : order) failed += !r.table->map(cursor, {at}, {at}, leaf);
    require(failed == 0, "a thread");
  };
  auto const store = [&](std::vector<u64> const& order) {
    for (u64 at : order) {
      tree.entry(at) = at | leaf_bits;
      asm volatile("" ::: "memory");
    }
  };
  std::vector<double> ns, limit_ns, ratio, scaling;
  double const operations = static_cast<double>(all.size());
  for (auto _ : state) {
    double total = 0;
    for (int n = 0; n < repetitions; ++n) {
      r.fresh();
      double const one = together(1, [&](unsigned) { fault(all); });
      r.fresh();
      double const two = together(2, [&](unsigned thread) { fault(shares[thread]); });
      tree.clear();
      double const limit = together(2, [&](unsigned thread) { store(shares[thread]); });
      ns.push_back(two / operations);
      limit_ns.push_back(limit / operations);
      ratio.push_back(two / limit);
      scaling.push_back(one / two);
      total += two;
    }
    state.SetIterationTime(total * 1e-9);
  }
  auto const counter = [](double value) { return benchmark::Counter(value, benchmark::Counter::kAvgThreads); };
  state.counters["ns"] = counter(median(ns));
  state.counters["limit_ns"] = counter(median(limit_ns));
  state.counters["ratio"] = counter(median(ratio));
  state.counters["scaling"] = counter(median(scaling));
}

// What the limit costs with the one compare-exchange that a lock-free install cannot do without.
void compare_exchange_limit(benchmark::State& state) {
  bench::radix3 tree(4 * gib);
  std::vector<u64> const order = ascending(4 * gib);
  row(
      state, static_cast<double>(order.size()),
      [&] {
        tree.clear();
        return each<pace::free>(order, [&](u64 at) {
          u64 expected = 0;
          return std::atomic_ref<u64>(tree.entry(at)).compare_exchange_strong(expected, at | leaf_bits);
        });
      },
      limit_store(tree, order, leaf_bits));
}

// A cursor that remembers nothing, and frames that must be cleared.
void without_cursor(benchmark::State& state) {
  rig<> r(4 * gib, shape);
  bench::radix3 tree(4 * gib);
  std::vector<u64> const order = ascending(4 * gib);
  row(
      state, static_cast<double>(order.size()),
      [&] {
        auto& table = r.fresh();
        prepared_leaf const leaf = table.prepare(ram);
        return each<pace::free>(order, [&](u64 at) {
          stage2_cursor cursor;
          return static_cast<bool>(table.map(cursor, {at}, {at}, leaf));
        });
      },
      limit_store(tree, order, leaf_bits));
}

template <class Port, class Mode>
struct dirty_frames : occupancy_frames<Port, Mode> {
  using occupancy_frames<Port, Mode>::occupancy_frames;
  std::optional<frame> take(u64 size) noexcept {
    std::optional<frame> f = occupancy_frames<Port, Mode>::take(size);
    if (f) f->zeroed = false;
    return f;
  }
};

using fixed = fixed_geometry<granule::k4, 40>;

void add(char const* name, void (*body)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name, body)->UseManualTime()->Unit(benchmark::kMillisecond);
}

void add_rows() {
  using state = benchmark::State&;
  add("W1/exclusive", [](state s) { faults<pace::free>(s, rig<>(4 * gib, shape), ascending(4 * gib), 4 * gib); });
  add("W1/lock_free", [](state s) {
    faults<pace::free>(s, rig<lock_free, arena_frames>(4 * gib, shape), ascending(4 * gib), 4 * gib);
  });
  add("W1s", [](state s) { faults<pace::serialised>(s, rig<>(4 * gib, shape), ascending(4 * gib), 4 * gib); });
  add("W2_4G/call", [](state s) { faults<pace::free>(s, rig<>(4 * gib, shape), shuffled(4 * gib), 4 * gib); });
  add("W2_4G/batch", [](state s) { faults_in_batches(s, 4 * gib); });
  add("W2s", [](state s) { faults<pace::serialised>(s, rig<>(4 * gib, shape), shuffled(4 * gib), 4 * gib); });
  add("W2_64G/call", [](state s) { faults<pace::free>(s, rig<>(64 * gib, shape), shuffled(64 * gib), 64 * gib); });
  add("W2_64G/batch", [](state s) { faults_in_batches(s, 64 * gib); });
  add("W3/refault_seq", [](state s) { refault(s, ascending(4 * gib)); });
  add("W3/refault_rand", [](state s) { refault(s, shuffled(4 * gib)); });
  add("W3/relax", relax);
  add("W4/4K", [](state s) {
    on_range(
        s, gib / page, 1, gib, nothing, [](auto& t) { return t.map_range({0}, {page}, gib, ram); }, clear, fill(page));
  });
  add("W4/2M", [](state s) {
    on_range(
        s, 32768, 4, gib / 8, nothing, [](auto& t) { return t.map_range({0}, {2 << 20}, 64 * gib, ram); }, clear,
        fill(2 << 20));
  });
  add("W4/1G", [](state s) {
    on_range(
        s, 1024, 16, gib / 64, nothing, [](auto& t) { return t.map_range({0}, {gib}, 1024 * gib, ram); }, clear,
        fill(gib));
  });
  add("W5/inline", [](state s) { look_up(s, false); });
  add("W5/batch", [](state s) { look_up(s, true); });
  add("W6/unmap_seq", [](state s) { unmap_each(s, ascending(4 * gib)); });
  add("W6/unmap_rand", [](state s) { unmap_each(s, shuffled(4 * gib)); });
  add("W6/unmap_range", [](state s) {
    on_range(
        s, 4 * gib / page, 1, 4 * gib, map_pages, [](auto& t) { return t.unmap(ipa{0}, 4 * gib); }, fill(page), clear);
  });
  add("W6/write_protect", [](state s) {
    on_range(
        s, 4 * gib / page, 1, 4 * gib, map_pages, [](auto& t) { return t.write_protect({0}, 4 * gib); }, fill(page),
        [](bench::flat& array) { array.protect(u64{0b10} << 6); });
  });
  add("W6/split", [](state s) {
    on_range(
        s, 4 * gib / page, 1, 4 * gib,
        [](auto& t) { require(static_cast<bool>(t.map_range({0}, {0}, 4 * gib, ram)), "blocks"); },
        [](auto& t) { return t.split({0}, 4 * gib); }, clear, fill(page));
  });
  add("W7/disjoint", [](state s) { two_threads(s, 2 * gib); });
  add("W7/interleaved", [](state s) { two_threads(s, u64{2} << 20); });

  // What each choice buys.
  add("ablation/W1/without_cursor", without_cursor);
  add("ablation/W1/frames_cleared", [](state s) {
    faults<pace::free>(s, rig<exclusive, dirty_frames>(4 * gib, shape), ascending(4 * gib), 4 * gib);
  });
  add("ablation/W1/fixed_geometry", [](state s) {
    faults<pace::free>(s, rig<exclusive, occupancy_frames, fixed>(4 * gib, fixed{}), ascending(4 * gib), 4 * gib);
  });
  add("ablation/W1/without_occupancy", [](state s) {
    faults<pace::free>(s, rig<exclusive, arena_frames>(4 * gib, shape), ascending(4 * gib), 4 * gib);
  });
  add("ablation/W2s/without_occupancy", [](state s) {
    faults<pace::serialised>(s, rig<exclusive, arena_frames>(4 * gib, shape), shuffled(4 * gib), 4 * gib);
  });
  add("ablation/W2_4G/fixed_geometry", [](state s) {
    faults<pace::free>(s, rig<exclusive, occupancy_frames, fixed>(4 * gib, fixed{}), shuffled(4 * gib), 4 * gib);
  });
  add("ablation/W1/limit_with_compare_exchange", compare_exchange_limit);
  add("ablation/W7/interleaved_pages", [](state s) { two_threads(s, page); });
}

}  // namespace

int main(int argc, char** argv) {
  // One iteration holds all repetitions of a row; the user's own flag comes later and wins.
  std::string once = "--benchmark_min_time=0.000001";
  std::vector<char*> arguments{argv[0], once.data()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  add_rows();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
