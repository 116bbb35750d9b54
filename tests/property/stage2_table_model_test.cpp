// SPDX-License-Identifier: MIT
// Every operation of a stage 2 table in random sequences over random machines: stage2_table_sequence.hpp holds one.
#include <cstdio>
#include <random>

#include "stage2_table_sequence.hpp"

namespace {

using namespace vmsa;
using test::sequence;
using test::setting;
using test::tally;

// Every choice by itself, so that all of them meet.
setting make_setting(granule tg, unsigned seed) {
  std::mt19937 random(seed * 3 + static_cast<unsigned>(tg));
  auto const pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  constexpr u8 sizes[3][8] = {
      {32, 36, 40, 43, 44, 48, 50, 52}, {36, 40, 42, 47, 48, 48, 50, 52}, {40, 42, 46, 47, 48, 48, 50, 52}};
  setting s;
  s.tg = tg;
  s.cpu = all_features;
  s.cpu.bbm = static_cast<u8>(pick(3));
  u8 const bits = sizes[static_cast<unsigned>(tg)][pick(8)];
  s.cpu.lpa2 = bits > 48 || pick(2);
  s.cpu.pa_bits = s.cpu.lpa2 ? 52 : 48;
  s.shape = geometry::for_ipa_size(bits, tg, s.cpu);
  // Fewest levels, with tables side by side, or one level more.
  if (pick(2) && number(s.shape.shape.start) > -1) {
    vtcr_el2 const vtcr = with_start_level(s.shape.vtcr, tg, static_cast<level>(number(s.shape.shape.start) - 1));
    geometry_result const more = decode_vtcr(vtcr, s.cpu);
    if (more && more.value.input_bits == bits && number(more.value.start) < number(s.shape.shape.start))
      s.shape = {vtcr, more.value, geometry_error::none};
  }
  s.controls = {.fwb = pick(2) != 0,
                .ha = pick(2) != 0,
                .hd = pick(2) != 0,
                .bbm = s.cpu.bbm,
                .ttl = pick(2) != 0,
                .tlbi_range = pick(2) != 0,
                .dic = pick(2) != 0,
                .coherent_walks = pick(3) != 0};
  s.place = pick(3);
  s.starved = pick(4) == 0;
  return s;
}

void count(setting const& s, tally& counts) {
  auto const yes = [&](char const* name, bool is) { counts.settings[name] += is; };
  stage2_controls const& c = s.controls;
  geometry const& g = s.shape.shape;
  yes("FWB", c.fwb);
  yes("no FWB", !c.fwb);
  yes("HA and HD", c.ha && c.hd);
  yes("HA alone", c.ha && !c.hd);
  yes("no HA", !c.ha);
  yes("walkers that read memory", !c.coherent_walks);
  yes("FEAT_BBM 0", c.bbm == 0);
  yes("FEAT_BBM 1", c.bbm == 1);
  yes("FEAT_BBM 2", c.bbm == 2);
  yes("TLBI by range", c.tlbi_range);
  yes("TTL", c.ttl);
  yes("frames refused", s.starved);
  yes("concatenated", g.concatenated_tables() > 1);
  yes("one root table", g.concatenated_tables() == 1);
  if (s.tg != granule::k64) yes("DS", g.format.ds);
  if (s.tg == granule::k4) yes("start level -1", number(g.start) == -1);
  if (s.tg != granule::k64) yes("start level 0", number(g.start) == 0);
  yes("start level 1", number(g.start) == 1);
  if (s.tg != granule::k4) yes("start level 2", number(g.start) == 2);
}

// The judge and the audit follow every n-th sequence, because they look at every word.
void run_all(granule tg, unsigned sequences, unsigned operations, unsigned check_every) {
  tally counts;
  for (unsigned n = 0; n < sequences && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE(::testing::Message() << "sequence " << n);
    setting const s = make_setting(tg, n);
    ASSERT_TRUE(s.shape);
    count(s, counts);
    counts.sequences += 1;
    bool const check = n % check_every == 0;
    switch (n / check_every % 4) {
      case 0: sequence<arena_frames, exclusive>(s, n, check, counts).run(operations); break;
      case 1: sequence<occupancy_frames, exclusive>(s, n, check, counts).run(operations); break;
      case 2: sequence<arena_frames, compact>(s, n, check, counts).run(operations); break;
      default: sequence<arena_frames, lock_free>(s, n, check, counts).run(operations);
    }
  }
  u64 all = 0;
  for (auto const& [name, ended] : counts.operations) all += ended[0] + ended[1];
  std::printf("measured: %llu sequences, %llu operations, %llu audited\n",
              static_cast<unsigned long long>(counts.sequences), static_cast<unsigned long long>(all),
              static_cast<unsigned long long>(counts.audited));
  EXPECT_EQ(counts.operations.size(), 17u);
  for (auto const& [name, ended] : counts.operations) {
    EXPECT_GT(ended[0], all / 200) << name;
    std::printf("  %s: %llu done, %llu refused\n", name.c_str(), static_cast<unsigned long long>(ended[0]),
                static_cast<unsigned long long>(ended[1]));
  }
  for (auto const& [name, n] : counts.settings) EXPECT_GT(n, counts.sequences / 50) << name;
}

TEST(Stage2TableModel, Granule4K) { run_all(granule::k4, 7000, 12, 8); }
TEST(Stage2TableModel, Granule16K) { run_all(granule::k16, 2000, 10, 16); }
TEST(Stage2TableModel, Granule64K) { run_all(granule::k64, 1000, 8, 64); }

}  // namespace
