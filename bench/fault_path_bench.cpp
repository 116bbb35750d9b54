// SPDX-License-Identifier: MIT
// How fast are faults and the other work on stage 2 tables, beside the least that any implementation must do?
// Each row times workload and limit in turn and reports medians; README.md has the method and the results.
#include <atomic>
#include <string>
#include <thread>

#include "fault_path_rig.hpp"
#include "limits.hpp"

namespace {

using namespace vmsa;
using namespace vmsa::bench;

template <pace Pace = pace::free>
auto limit_store(radix3& tree, std::vector<u64> const& order, u64 bits) {
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
  radix3 tree(bytes);
  row(state, static_cast<double>(order.size()), fault_each<Pace>(rig, order),
      limit_store<Pace>(tree, order, leaf_bits));
}

constexpr std::size_t batch = 256;

void faults_in_batches(benchmark::State& state, u64 bytes) {
  rig<> r(bytes, shape);
  radix3 tree(bytes);
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
  radix3 tree(4 * gib);
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
  radix3 tree(4 * gib);
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
  radix3 tree(4 * gib);
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
template <class Rig = rig<>, class Prepare, class Operation, class PrepareLimit, class Limit>
void on_range(benchmark::State& state, u64 descriptors, unsigned tables, u64 bytes, Prepare prepare,
              Operation operation, PrepareLimit prepare_limit, Limit limit) {
  flat array(descriptors * tables);
  std::vector<Rig> rigs;
  rigs.reserve(tables);
  for (unsigned n = 0; n < tables; ++n) rigs.emplace_back(bytes, shape);
  row(
      state, static_cast<double>(descriptors) * tables,
      [&] {
        for (Rig& r : rigs) prepare(r.fresh());
        bool good = true;
        double const start = now();
        for (Rig& r : rigs) good &= static_cast<bool>(operation(*r.table));
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
auto const clear = [](flat& array) { array.clear(); };
auto const fill = [](u64 step) { return [step](flat& array) { array.fill(leaf_bits, step); }; };
auto const map_pages = [](auto& table) {
  require(static_cast<bool>(table.map_range({0}, {page}, 4 * gib, ram)), "mapping a range");
};

// Four tables: one and its limit are as large as a cache of this machine, and would stay in it or not by chance.
template <template <class, class> class Frames>
void range_of_pages(benchmark::State& state) {
  on_range<rig<exclusive, Frames>>(
      state, gib / page, 4, gib, nothing, [](auto& t) { return t.map_range({0}, {page}, gib, ram); }, clear,
      fill(page));
}

void look_up(benchmark::State& state, bool in_batches) {
  rig<> r(4 * gib, shape);
  radix3 tree(4 * gib);
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
  radix3 tree(4 * gib);
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
  radix3 tree(4 * gib);
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

// A cursor that remembers nothing.
void without_cursor(benchmark::State& state) {
  rig<> r(4 * gib, shape);
  radix3 tree(4 * gib);
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

// Frames that must be cleared, and frames of which a range takes one at a time.
template <class Port, class Mode>
struct dirty_frames : occupancy_frames<Port, Mode> {
  using occupancy_frames<Port, Mode>::occupancy_frames;
  std::optional<frame> take(u64 size) noexcept {
    std::optional<frame> f = occupancy_frames<Port, Mode>::take(size);
    if (f) f->zeroed = false;
    return f;
  }
};

template <class Port, class Mode>
struct single_frames : occupancy_frames<Port, Mode> {
  using occupancy_frames<Port, Mode>::occupancy_frames;
  void take_run(u64) = delete;
};

using fixed = fixed_geometry<granule::k4, 40>;

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
  add("W4/4K", range_of_pages<occupancy_frames>);
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
        [](flat& array) { array.protect(u64{0b10} << 6); });
  });
  add("W6/split", [](state s) {
    on_range(
        s, 4 * gib / page, 1, 4 * gib,
        [](auto& t) {
          require(static_cast<bool>(t.map_range({0}, {0}, 4 * gib, ram, {.largest = level::l2})), "blocks");
        },
        [](auto& t) { return t.split({0}, 4 * gib); }, clear, fill(page));
  });
  add("W7/disjoint", [](state s) { two_threads(s, 2 * gib); });
  add("W7/interleaved", [](state s) { two_threads(s, u64{2} << 20); });
  add_more_rows();

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
  add("ablation/W4_4K/frames_one_by_one", range_of_pages<single_frames>);
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
