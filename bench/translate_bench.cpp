// SPDX-License-Identifier: MIT
// What an exact translation costs while its tables are in the cache: four levels under four levels, 24 descriptors read
// and recorded, every check made, attributes combined and PAR_EL1 encoded; and stage 2 alone, 4 descriptors. The pages
// of a 2 MiB window are visited in an order that is not the tables'.
#include <benchmark/benchmark.h>

#include <vector>

#include "instructions.hpp"
#include "vmsa/mmu/translate_stream.hpp"

namespace {

using namespace vmsa;

// Plain memory from PA 0, as a program at EL2 sees it.
class flat_memory {
 public:
  explicit flat_memory(u64 bytes) : words_(bytes / 8) {}
  u64& at(u64 where) { return words_[where / 8]; }

  descriptor load(pa where, load_order) const { return {words_[where.value / 8]}; }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    u64& word = words_[where.value / 8];
    descriptor const found{word};
    if (found == expected) word = desired.raw;
    return found;
  }

 private:
  std::vector<u64> words_;
};

constexpr u64 window = 0x20'0000;
constexpr u64 pages = window / 0x1000;

// Stage 2 at 0x1000: 48-bit IPA, the first 4 MiB as pages onto themselves. Stage 1 at IPA 0x10000: 48-bit VA, the first
// 2 MiB as pages of the second.
struct nest {
  flat_memory memory{0x10'0000};
  regime_registers registers{.hcr = {{1}},
                             .vtcr = {{0x8005'3590}},
                             .vttbr = {{0x1000}},
                             .tcr = {{u64{0b101} << 32 | 1 << 23 | 16}},
                             .ttbr0 = {{0x1'0000}},
                             .mair = {{0xff}},
                             .sctlr = {{0x1005}}};

  nest() {
    memory.at(0x1000) = 0x2003;
    memory.at(0x2000) = 0x3003;
    for (u64 block = 0; block < 2; ++block) {
      u64 const table = 0x4000 + 0x1000 * block;
      memory.at(0x3000 + 8 * block) = table | 3;
      for (u64 i = 0; i < pages; ++i) memory.at(table + 8 * i) = window * block | i << 12 | 0x7ff;
    }
    memory.at(0x1'0000) = 0x1'1003;
    memory.at(0x1'1000) = 0x1'2003;
    memory.at(0x1'2000) = 0x1'3003;
    for (u64 i = 0; i < pages; ++i) memory.at(0x1'3000 + 8 * i) = window | i << 12 | 0x703;
  }
};

template <class Translate>
void measure(benchmark::State& state, unsigned reads, Translate const& translate_page) {
  translation const probe = translate_page(5);
  if (!probe || probe.output != pa{window | 0x5000} || probe.steps.size() != reads) {
    state.SkipWithError("the nest does not translate as it was built");
    return;
  }
  u64 page = 0;
  auto const step = [&] {
    page = (page + 197) % pages;
    translation const t = translate_page(page);
    benchmark::DoNotOptimize(&t);
    benchmark::ClobberMemory();
  };
  for (auto _ : state) step();
  state.SetItemsProcessed(state.iterations());
  state.counters["descriptors"] = reads;
  if (auto const count = bench::instructions_per_call(step)) state.counters["instructions"] = *count;
}

void both_stages(benchmark::State& state) {
  nest n;
  auto const regime = make_regime(n.registers, all_features);
  measure(state, 24, [&](u64 page) { return translate(n.memory, regime, va{page << 12}, {}); });
}
BENCHMARK(both_stages);

void both_stages_fixed_geometry(benchmark::State& state) {
  nest n;
  auto const regime = make_regime<fixed_geometry<granule::k4, 48>>(n.registers, all_features);
  measure(state, 24, [&](u64 page) { return translate(n.memory, regime, va{page << 12}, {}); });
}
BENCHMARK(both_stages_fixed_geometry);

void stage2_alone(benchmark::State& state) {
  nest n;
  auto const regime = make_regime(n.registers, all_features);
  memory_attributes const stage1 = mair(0xff);
  measure(state, 4, [&](u64 page) { return translate(n.memory, regime, ipa{window | page << 12}, stage1, {}); });
}
BENCHMARK(stage2_alone);

void stage2_alone_fixed_geometry(benchmark::State& state) {
  nest n;
  auto const regime = make_regime<fixed_geometry<granule::k4, 48>>(n.registers, all_features);
  memory_attributes const stage1 = mair(0xff);
  measure(state, 4, [&](u64 page) { return translate(n.memory, regime, ipa{window | page << 12}, stage1, {}); });
}
BENCHMARK(stage2_alone_fixed_geometry);

// The same nest as a device's nested stream: STE and CD found once, as an SMMU's configuration cache does, then
// attributes from what came in to what leaves. The target is 80 % of both_stages' rate in the same run.
void stream_both_stages(benchmark::State& state) {
  nest n;
  smmu unit = full_smmu;
  unit.idr5 = unit.idr5.with<smmu_idr5::oas>(5);
  smmu_ste const ste = smmu_ste{}
                           .with<smmu_ste::v>(true)
                           .with<smmu_ste::config>(7)
                           .with<smmu_ste::shcfg>(1)
                           .with<smmu_ste::s2t0sz>(16)
                           .with<smmu_ste::s2sl0>(2)
                           .with<smmu_ste::s2ps>(5)
                           .with<smmu_ste::s2aa64>(true)
                           .with<smmu_ste::s2ttb>(0x1000 >> 4);
  smmu_cd const cd = smmu_cd{}
                         .with<smmu_cd::t0sz>(16)
                         .with<smmu_cd::epd1>(true)
                         .with<smmu_cd::v>(true)
                         .with<smmu_cd::ips>(5)
                         .with<smmu_cd::aa64>(true)
                         .with<smmu_cd::a>(true)
                         .with<smmu_cd::ttb0>(0x1'0000 >> 4)
                         .with<smmu_cd::mair>(0xff);
  stream_configuration const stream = find_stream(n.memory, unit, ste, cd);
  stream_access const access{.privileged = true};
  stream_translation const probe = translate_stream(n.memory, unit, stream, 0x5000, access);
  if (!probe || probe.output != pa{window | 0x5000} || probe.walk.steps.size() != 24) {
    state.SkipWithError("the stream does not translate as the nest does");
    return;
  }
  u64 page = 0;
  auto const step = [&] {
    page = (page + 197) % pages;
    stream_translation const t = translate_stream(n.memory, unit, stream, page << 12, access);
    benchmark::DoNotOptimize(&t);
    benchmark::ClobberMemory();
  };
  for (auto _ : state) step();
  state.SetItemsProcessed(state.iterations());
  state.counters["descriptors"] = 24;
  if (auto const count = bench::instructions_per_call(step)) state.counters["instructions"] = *count;
}
BENCHMARK(stream_both_stages);

}  // namespace
