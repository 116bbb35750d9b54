// SPDX-License-Identifier: MIT
// How fast tables in a dump are walked, found and turned round. Each row has its limit in the same run: what reading
// the same bytes, or the same tables, costs this machine at the same time.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <random>

#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/sim/tables/find_roots.hpp"
#include "vmsa/sim/tables/leaf_runs.hpp"
#include "vmsa/sim/tables/reverse_index.hpp"

namespace vmsa::sim {
namespace {

constexpr u64 guest = u64{64} << 30;  // bytes in pages of 4K: 128 MiB of tables
constexpr pa root{0};

geometry shape() { return decode_vtcr({{0x8002'3558}}, all_features).value; }

// Three levels of tables for `guest` bytes of IPA from 0 on, as bytes of physical memory from 0 on.
std::vector<std::byte> make_tables(bool scattered) {
  u64 const leaves = guest >> 12;
  u64 const level3 = leaves / 512;
  u64 const level2 = level3 / 512;
  u64 const first_level2 = 2;  // two concatenated roots
  u64 const first_level3 = first_level2 + level2;
  std::vector<std::byte> bytes(static_cast<std::size_t>((first_level3 + level3) << 12));
  auto const put = [&](u64 at, u64 value) { std::memcpy(bytes.data() + at, &value, 8); };
  for (u64 i = 0; i < level2; ++i) put(8 * i, (first_level2 + i) << 12 | 3);
  for (u64 i = 0; i < level3; ++i) put((first_level2 << 12) + 8 * i, (first_level3 + i) << 12 | 3);
  std::mt19937_64 random(1);
  for (u64 i = 0; i < leaves; ++i) {
    u64 const frame = scattered ? (random() & low_mask(26)) << 13 : (u64{1} << 38) + (i << 12);
    put((first_level3 << 12) + 8 * i, frame | 0x7ff);
  }
  return bytes;
}

dump as_dump(std::vector<std::byte> bytes) { return open_dump(in_memory(std::move(bytes)), {.base = root}); }
dump const& contiguous() {
  static dump const d = as_dump(make_tables(false));
  return d;
}
dump const& scattered() {
  static dump const d = as_dump(make_tables(true));
  return d;
}

void report(benchmark::State& state, u64 bytes, u64 items) {
  auto const rounds = static_cast<u64>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * rounds));
  if (items != 0)
    state.counters["ns_each"] = benchmark::Counter(static_cast<double>(items * rounds) * 1e-9,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// The limit of all that follow: every word of the same bytes once.
void every_word(benchmark::State& state, dump const& d, u64 leaves) {
  memory_extent const all = d.memory->next_present({});
  std::vector<std::byte> none(8);
  std::byte const* const p = d.memory->bytes({}, all.size, none.data());
  for (auto _ : state) {
    u64 sum = 0;
    for (u64 i = 0; i < all.size; i += 8) {
      u64 w;
      std::memcpy(&w, p + i, 8);
      sum += w;
    }
    benchmark::DoNotOptimize(sum);
  }
  report(state, all.size, leaves);
}
void read_every_word(benchmark::State& state) { every_word(state, contiguous(), guest >> 12); }
BENCHMARK(read_every_word)->Unit(benchmark::kMillisecond);

void walk(benchmark::State& state, dump const& d) {
  u64 ranges = 0;
  walk_totals totals;
  for (auto _ : state) {
    std::vector<absent_table> absent;
    totals = for_each_range(
        physical_tables(*d.memory), shape(), 0, 0, ~u64{0} >> 1, {}, [&](mapped_range const& r) { ranges += r.leaves; },
        absent);
    benchmark::DoNotOptimize(ranges);
  }
  report(state, totals.tables << 12, totals.leaves);
}
void walk_contiguous(benchmark::State& state) { walk(state, contiguous()); }
void walk_scattered(benchmark::State& state) { walk(state, scattered()); }
BENCHMARK(walk_contiguous)->Unit(benchmark::kMillisecond);
BENCHMARK(walk_scattered)->Unit(benchmark::kMillisecond);

// Ordinary memory: a third zeros, a third text-like, a third pointers.
dump const& host() {
  static dump const d = [] {
    std::vector<std::byte> bytes(std::size_t{256} << 20);
    std::mt19937_64 random(2);
    for (std::size_t page = 0; page < bytes.size(); page += 4096) {
      unsigned const kind = static_cast<unsigned>(random() % 3);
      for (std::size_t i = 0; kind != 0 && i < 4096; i += 8) {
        u64 const w = kind == 1 ? random() & 0x7f7f'7f7f'7f7f'7f7f : 0xffff'0000'0000'0000 | (random() & low_mask(40));
        std::memcpy(bytes.data() + page + i, &w, 8);
      }
    }
    return as_dump(std::move(bytes));
  }();
  return d;
}
void host_every_word(benchmark::State& state) { every_word(state, host(), 0); }
BENCHMARK(host_every_word)->Unit(benchmark::kMillisecond);

void find_by_signature(benchmark::State& state) {
  unsigned const threads = static_cast<unsigned>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(find_kvm_mmus(*host().memory, threads, {}));
  report(state, u64{256} << 20, 0);
}
BENCHMARK(find_by_signature)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void find_by_shape(benchmark::State& state) {
  unsigned const threads = static_cast<unsigned>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(find_table_roots(*host().memory, granule::k4, false, threads, {}));
  report(state, u64{256} << 20, 0);
}
BENCHMARK(find_by_shape)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void reverse_a_million_ranges(benchmark::State& state) {
  std::mt19937_64 random(3);
  std::vector<physical_mapping> mappings;
  for (u32 i = 0; i < 1'000'000; ++i)
    mappings.push_back({{(random() & low_mask(30)) << 12}, 4096 * (1 + random() % 4), i % 7, i});
  for (auto _ : state) {
    reverse_index const index(mappings);
    benchmark::DoNotOptimize(index.size());
  }
  report(state, 0, mappings.size());
}
BENCHMARK(reverse_a_million_ranges)->Unit(benchmark::kMillisecond);

// A file of 1 TiB, nearly all of it a hole.
void open_a_terabyte(benchmark::State& state) {
  char name[] = "/tmp/vmsa-bench-XXXXXX";
  int const file = ::mkstemp(name);
  if (file < 0 || ::ftruncate(file, off_t{1} << 40) != 0) {
    state.SkipWithError("no file of 1 TiB here");
    return;
  }
  for (auto _ : state) {
    dump const d = open_dump(std::string(name), {.base = pa{0}});
    benchmark::DoNotOptimize(d.memory->word({u64{1} << 39}));
  }
  ::close(file);
  ::unlink(name);
}
BENCHMARK(open_a_terabyte)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vmsa::sim
