// SPDX-License-Identifier: MIT
#include "vmsa/mmu/walk_attributes.hpp"

#include <gtest/gtest.h>

#include <map>

#include "vmsa/mmu/translate.hpp"

namespace walk_attributes_test {
namespace {

using namespace vmsa;

struct memory {
  std::map<u64, u64> words;
  descriptor load(pa where, load_order) const {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
};

// 39-bit VA with write-back, inner shareable walks from IPA 0x0; stage 2 of 39 bits, likewise, from PA 0x1000.
regime_registers registers() {
  regime_registers r{.hcr = {{0x8000'0001}}, .vtcr = {{0x8002'3559}}, .vttbr = {{0x1000}}};
  r.tcr = {{0x2'0080'3519}};
  r.mair = {{0xff}};
  r.sctlr = {{0x1005}};
  return r;
}

summary of_stage1_read(regime_registers const& r, u64 stage2_leaf) {
  memory const ram{{{0x1000, stage2_leaf}, {0x0, 0x701}}};
  auto const regime = make_regime(r, all_features);
  translation const t = translate(ram, regime, va{0x123}, {});
  EXPECT_GE(t.steps.size(), 2u);
  EXPECT_EQ(t.steps[1].by, stage::one);
  EXPECT_EQ(summarize(read_attributes(regime, regime.lower, t, 0)), summary::normal_wb) << "stage 2's own table";
  return summarize(read_attributes(regime, regime.lower, t, 1));
}

// What a guest's tables are read with is decided by both stages: the walker sees what a kernel's cacheable stores left
// in the caches only if it reads them write-back.
TEST(WalkAttributes, AStage1TableIsReadThroughTheStage2LeafThatMapsIt) {
  EXPECT_EQ(of_stage1_read(registers(), 0x7fd), summary::normal_wb);
  EXPECT_EQ(of_stage1_read(registers(), 0x7d5), summary::normal_nc) << "stage 2 Normal-NC";
  EXPECT_EQ(of_stage1_read(registers(), 0x7c5), summary::normal_nc) << "stage 2 Device, HCR_EL2.PTW = 0";
  regime_registers caches_off = registers();
  caches_off.sctlr.raw &= ~u64{4};
  EXPECT_EQ(of_stage1_read(caches_off, 0x7fd), summary::normal_nc) << "SCTLR_EL1.C = 0";
  caches_off.hcr.raw |= u64{1} << 46;
  EXPECT_EQ(of_stage1_read(caches_off, 0x7d9), summary::normal_wb) << "FWB: stage 2 forces write-back";
}

TEST(WalkAttributes, HcrCdMakesEveryTableNonCacheable) {
  regime_registers r = registers();
  r.hcr.raw |= u64{1} << 32;
  auto const regime = make_regime(r, all_features);
  memory const ram{{{0x1000, 0x7fd}, {0x0, 0x701}}};
  translation const t = translate(ram, regime, va{0x123}, {});
  EXPECT_EQ(summarize(read_attributes(regime, regime.lower, t, 0)), summary::normal_nc);
  EXPECT_EQ(summarize(read_attributes(regime, regime.lower, t, 1)), summary::normal_nc);
}

// The regime of an access [Arm ARM, Translation regimes]: EL2 has its own, and a VHE host's EL0 shares it.
TEST(Regime, FollowsE2hAndTge) {
  struct row {
    u64 hcr;
    exception_level el;
    regime_kind expected;
  };
  constexpr u64 e2h = u64{1} << 34;
  constexpr u64 tge = u64{1} << 27;
  for (row const& r :
       {row{0, exception_level::el2, regime_kind::el2}, row{e2h, exception_level::el2, regime_kind::el2_0},
        row{e2h | tge, exception_level::el0, regime_kind::el2_0}, row{e2h, exception_level::el0, regime_kind::el1_0},
        row{tge, exception_level::el0, regime_kind::el1_0}, row{e2h | tge, exception_level::el1, regime_kind::el1_0}})
    EXPECT_EQ(regime_of({{r.hcr}}, r.el), r.expected) << std::hex << r.hcr << ' ' << static_cast<int>(r.el);
}

// Whether an AT instruction sets the access flag is left open by the current manual; the 2023-03 pseudocode sets it.
TEST(Translate, WhetherAtSetsTheAccessFlagIsAChoice) {
  regime_registers r = registers();
  r.vtcr.raw |= u64{1} << 21;  // HA
  memory const ram{{{0x1000, 0x3fd}}};
  memory_access const at{.op = operation::at_read};
  constraint_choices leaving;
  leaving.at_sets_af = false;
  memory_attributes const normal = mair(0xff);
  translation const set = translate(ram, make_regime(r, all_features), ipa{0}, normal, at);
  EXPECT_EQ(set.updates.size(), 1u);
  EXPECT_EQ(set.consulted.size(), 1u);
  translation const left = translate(ram, make_regime(r, all_features, leaving), ipa{0}, normal, at);
  EXPECT_TRUE(left);
  EXPECT_TRUE(left.updates.empty());
  translation const older = translate(
      ram, make_regime(r, all_features, leaving, regime_kind::el1_0, manual_release::v2023_03), ipa{0}, normal, at);
  EXPECT_EQ(older.updates.size(), 1u);
  EXPECT_TRUE(older.consulted.empty());
  // A load sets it in any case.
  EXPECT_EQ(translate(ram, make_regime(r, all_features, leaving), ipa{0}, normal, {}).updates.size(), 1u);
}

// HCR_EL2.TGE = 1: "the SCTLR_EL1.M field is treated as being 0 for all purposes", when EL2 is enabled.
TEST(Regime, NoStage1OfEl1WhileEl2HasEl0) {
  constexpr u64 tge = u64{1} << 27;
  regime_registers r{.hcr = {{tge}}, .sctlr = {{1}}};
  EXPECT_FALSE(make_regime(r, all_features).stage1_on);
  r.scr = {{0}};  // Secure without EL2
  EXPECT_TRUE(make_regime(r, all_features).stage1_on);
  r.scr = {{0x4'0000}};  // Secure with it
  EXPECT_FALSE(make_regime(r, all_features).stage1_on);
  EXPECT_TRUE(make_regime({.hcr = {{tge | u64{1} << 34}}, .el2 = {.sctlr = 1}}, all_features, {}, regime_kind::el2_0)
                  .stage1_on);
}

// TCR2_EL1: "treated as zero when ... EL2 is implemented and enabled in the current Security state [and] the Effective
// value of HCRX_EL2.TCR2En is 0"; or when SCR_EL3.TCR2En is.
TEST(Regime, Tcr2CountsWithoutHcrxWhereThereIsNoEl2) {
  constexpr u64 tcr2en = u64{1} << 43;
  constexpr u64 hxen = u64{1} << 38;
  auto const overlays = [](u64 scr, u64 hcrx) {
    return make_regime({.tcr2 = {{0x8}}, .hcrx = {{hcrx}}, .scr = {{scr}}}, all_features)
        .one_indirect.overlay_privileged;
  };
  EXPECT_FALSE(overlays(1 | tcr2en | hxen, 0));
  EXPECT_TRUE(overlays(1 | tcr2en | hxen, 1 << 14));
  EXPECT_TRUE(overlays(tcr2en, 0)) << "Secure without EL2";
  EXPECT_FALSE(overlays(tcr2en | 0x4'0000, 0)) << "Secure with EL2";
  EXPECT_FALSE(overlays(0, 0)) << "EL3 withholds it";
}

// HCR_EL2.{NV1, NV} = {1, 1}: "when executing at EL1, the Effective value of PSTATE.UAO is 1", so that LDTR asks as
// LDR.
TEST(Regime, UnprivilegedAccessesOfAGuestHypervisorHaveItsPrivilege) {
  constexpr u64 nv = u64{1} << 42;
  constexpr u64 nv1 = u64{1} << 43;
  EXPECT_TRUE(make_regime({.hcr = {{0}}}, all_features).unprivileged_is_el0);
  EXPECT_TRUE(make_regime({.hcr = {{nv}}}, all_features).unprivileged_is_el0);
  EXPECT_FALSE(make_regime({.hcr = {{nv | nv1}}}, all_features).unprivileged_is_el0);
}

// Write-back walks have no XS, and any other have it: VTCR_EL2.IRGN0 in bits 9:8, ORGN0 in 11:10; 01 is write-back.
TEST(Regime, OnlyWriteBackWalksHaveNoXs) {
  auto const walks = [](u64 irgn, u64 orgn) {
    return make_regime({.hcr = {{1}}, .vtcr = {{0x8002'0059 | irgn << 8 | orgn << 10}}}, all_features).stage2.walks;
  };
  EXPECT_FALSE(walks(0b01, 0b01).xs);
  EXPECT_TRUE(walks(0b00, 0b00).xs);
  EXPECT_TRUE(walks(0b01, 0b00).xs);
  EXPECT_TRUE(walks(0b00, 0b01).xs);
  EXPECT_TRUE(walks(0b10, 0b10).xs);
}

}  // namespace
}  // namespace walk_attributes_test
