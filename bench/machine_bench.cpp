// SPDX-License-Identifier: MIT
// How many guest accesses a second the machine makes, with nothing kept and with everything kept, by the number of PEs;
// and beside it the limit that it cannot pass: the same loads and stores of memory behind one table look-up.
#include <benchmark/benchmark.h>

#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/machine.hpp"

namespace {

using namespace vmsa;

constexpr u64 guest_memory = 0x8100'0000;
constexpr u64 bytes = u64{1} << 20;  // of each PE: 256 pages

struct rig {
  using arena = arena_frames<sim::machine_pe>;
  using frames = sim::machine_frames<arena>;

  rig(sim::adversary const& who, unsigned pes)
      : m({.pes = pes, .who = who}),
        source(m.pe(0), m.options().base, u64{8} << 20, granule::k4),
        given(source, m.pe(0)),
        table(std::move(
            *stage2_table<sim::machine_pe, frames>::create(m.pe(0), given, m.shape(), m.options().controls))) {
    static_cast<void>(table.map_range({0}, {guest_memory}, pes * bytes, {.fwb = true}, {.largest = level::l3}));
    m.pe(0).done();
    for (unsigned n = 0; n < pes; ++n) m.pe(n).enter({.root = table.root()});
  }

  sim::machine m;
  arena source;
  frames given;
  stage2_table<sim::machine_pe, frames> table;
};

// Two loads to a store, a step of five words, each PE in memory of its own.
void accesses(benchmark::State& state, sim::adversary const& who) {
  auto const pes = static_cast<unsigned>(state.range(0));
  rig r(who, pes);
  u64 at = 0, sum = 0, count = 0;
  for (auto _ : state) {
    for (unsigned i = 0; i < 256; ++i) {
      at = (at + 40) & (bytes - 8);
      for (unsigned n = 0; n < pes; ++n) {
        va const where{n * bytes + at};
        if (i % 3 == 2)
          sum += static_cast<u64>(r.m.pe(n).store(where, i).stale);
        else
          sum += r.m.pe(n).load(where).value;
      }
    }
    count += 256 * pes;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

void obedient(benchmark::State& state) { accesses(state, sim::adversary::obedient()); }
void hoarder(benchmark::State& state) { accesses(state, sim::adversary::hoarder()); }
void random_choices(benchmark::State& state) { accesses(state, sim::adversary::random(1)); }

void limit(benchmark::State& state) {
  auto const pes = static_cast<u64>(state.range(0));
  std::vector<u64> memory(pes * bytes / 8);
  std::vector<u64> pages(pes * bytes / 4096);
  for (u64 n = 0; n < pages.size(); ++n) pages[n] = n * 512;
  u64 at = 0, sum = 0, count = 0;
  for (auto _ : state) {
    for (unsigned i = 0; i < 256; ++i) {
      at = (at + 40) & (bytes - 8);
      for (u64 n = 0; n < pes; ++n) {
        u64 const where = n * bytes + at;
        u64& word = memory[pages[where / 4096] + where / 8 % 512];
        if (i % 3 == 2)
          word = i;
        else
          sum += word;
      }
    }
    count += 256 * pes;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

BENCHMARK(limit)->Arg(1)->Arg(16);
BENCHMARK(obedient)->Arg(1)->Arg(2)->Arg(4)->Arg(16);
BENCHMARK(hoarder)->Arg(1)->Arg(2)->Arg(4)->Arg(16);
BENCHMARK(random_choices)->Arg(2);

}  // namespace
