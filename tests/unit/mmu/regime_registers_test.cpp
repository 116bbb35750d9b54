// SPDX-License-Identifier: MIT
#include "vmsa/mmu/regime_registers.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace regime_registers_test {
namespace {

using namespace vmsa;

// What Linux and KVM write, put together from the names of kvm_arm.h and tools/sysreg and the bits of the registers'
// descriptions: none of it changes what the model knows of the EL1&0 regime.
TEST(RegimeRegisters, WhatLinuxAndKvmWriteIsModelled) {
  struct row {
    char const* what;
    regime_registers registers;
  };
  constexpr row rows[] = {
      // VM SWIO PTW FMO IMO AMO FB BSU=IS TWI TWE TID3 TSC TIDCP TACR TSW RW TLOR
      {"a guest of KVM without VHE", {.hcr = {{0x8'807c'663f}}}},
      // ... and E2H TERR TEA
      {"a guest of KVM on a VHE host", {.hcr = {{0x3c'807c'663f}}}},
      // ... and APK API FWB TID4 TTLBOS, without TWE and TWI
      {"a guest with FWB and pointer authentication", {.hcr = {{0x82'433c'807c'063f}}}},
      // ... and ATA EnSCXT AMVOFFEN TICAB TOCU FIEN TVM TID2 TID5 VSE VI VF
      {"a guest with tags and pending interrupts", {.hcr = {{0x05bc'c33c'847e'07ff}}}},
      // RES1, VS, HA and write-back walks; then DS with SL2's start level -1; then 64K
      {"stage 2 of 40 bits", {.vtcr = {{0x802a'3558}}}},
      {"stage 2 of 52 bits with 4K", {.vtcr = {{0x3'802e'350c}}}},
      {"stage 2 with 64K", {.vtcr = {{0x802d'7556}}}},
      {"stage 2 with every hardware-use bit, HAFT, HD and GCSH", {.vtcr = {{0x1100'9e6a'3558}}}},
      {"stage 2 with HA, HD and HDBSS", {.vtcr = {{0x2000'806a'3558}}}},
      // 39-bit VA, 4K, AS, A1, TBI0; then NFD1, HA, HD, HPD0, HPD1, TBI1, TBID, TCMA1, E0PD1, DS
      {"Linux with 39-bit addresses", {.tcr = {{0x32'b559'3519}}}},
      {"Linux with 52-bit addresses", {.tcr = {{0x0d58'07f6'b54c'350c}}}},
      {"hardware-use bits of stage 1", {.tcr = {{0x0007'f800'0000'0000}}}},
      {"two ASIDs and non-global translations", {.tcr2 = {{0x37'0400}}}},
      {"a guest hypervisor under NV, NV1 and NV2", {.hcr = {{0x2c3c'807c'663f}}}},
      {"a VHE host", {.hcr = {{0x34'8800'0000}}}},
      {"stage 2 with AssuredOnly, TL0, TL1, S2PIE and S2POE", {.vtcr = {{0x23c'802a'3558}}}},
      {"PnCH, PIE, E0POE, POE, AIE, HAFT, and DisCH, which counts with 128-bit descriptors alone",
       {.tcr2 = {{0xc81f}}}},
      {"128-bit descriptors at both stages",
       {.hcr = {{0x4'0000'0000}}, .vtcr = {{0x40'802a'3558}}, .tcr2 = {{0x20}}, .el2 = {.tcr2 = 0x20}}},
      {"granule protection of 40 bits with 4K", {.gpccr = {{0x1'3502}}, .gptbr = {{0x8'0000}}}},
      {"big-endian tables", {.sctlr = {{0x200'0000}}}},
      // RES1, 48-bit VA, TBI, TBID, HA, HD, HPD, HWU, TCMA, DS; PIE, POE, AIE, HAFT and PTTWI
      {"EL2 without VHE", {.el2 = {.tcr = 0x1'ff75'3510, .tcr2 = 0xc1b}}},
      {"EL2 with VHE: what Linux writes at EL1, and two ASIDs",
       {.hcr = {{0x34'8800'0000}},
        .el2 = {.tcr = 0x0d58'07f6'b54c'350c, .sctlr = 0x0200'0220'34f4'd91d, .tcr2 = 0x37'0400}}},
      {"Linux at EL1", {.sctlr = {{0x0200'0220'34f4'd91d}}}},
  };
  for (row const& r : rows) {
    unmodelled_bit const bit = unmodelled_control(r.registers);
    EXPECT_FALSE(bit) << r.what << ": " << bit.reg << '.' << bit.name << ' ' << int{bit.bit};
  }
}

struct refused_row {
  regime_registers registers;
  std::string_view reg;
  std::string_view name;
  unsigned bit;
};

// Positions as [Arm ARM, HCR_EL2, VTCR_EL2, TCR_EL1, TCR2_EL1, SCTLR_EL1] list them.
TEST(RegimeRegisters, AControlOutsideTheModelIsNamed) {
  constexpr refused_row rows[] = {
      {{.tcr = {{0x1000'0000'0000'0000}}}, "TCR_EL1", "MTX0", 60},
      {{.tcr = {{0x2000'0000'0000'0000}}}, "TCR_EL1", "MTX1", 61},
      {{.el2 = {.tcr = 0x2'0000'0000}}, "TCR_EL2", "MTX", 33},
      {{.hcr = {{0x4'0000'0000}}, .el2 = {.tcr = 0x1000'0000'0000'0000}}, "TCR_EL2", "MTX0", 60},
      {{.hcr = {{0x4'0000'0000}}, .el2 = {.tcr = 0x2000'0000'0000'0000}}, "TCR_EL2", "MTX1", 61},
      {{.el2 = {.tcr2 = 0x1000}}, "TCR2_EL2", "AMEC0", 12},
      {{.hcr = {{0x4'0000'0000}}, .el2 = {.tcr2 = 0x2000}}, "TCR2_EL2", "AMEC1", 13},
      {{.gpccr = {{1 << 24}}}, "GPCCR_EL3", "APPSAA", 24},
      {{.gpccr = {{1 << 29}}}, "GPCCR_EL3", "GPCBW", 29},
  };
  for (refused_row const& r : rows) {
    unmodelled_bit const bit = unmodelled_control(r.registers);
    ASSERT_TRUE(bit) << r.name;
    EXPECT_EQ(bit.reg, r.reg);
    EXPECT_EQ(bit.name, r.name);
    EXPECT_EQ(bit.bit, r.bit) << r.name;
    EXPECT_STRNE(bit.asks_for, "") << r.name;
  }
}

TEST(RegimeRegisters, AReservedBitIsNamedByItsNumber) {
  constexpr refused_row rows[] = {
      {{.hcr = {{0x80'0000'0000}}}, "HCR_EL2", "RES0", 39},  // TME, withdrawn
      {{.vtcr = {{0x10'0000}}}, "VTCR_EL2", "RES0", 20},
      {{.vtcr = {{0x100'0000}}}, "VTCR_EL2", "RES0", 24},
      {{.vtcr = {{0x80'0000'0000}}}, "VTCR_EL2", "RES0", 39},
      {{.vtcr = {{0x400'0000'0000}}}, "VTCR_EL2", "RES0", 42},
      {{.vtcr = {{0x8000'0000'0000'0000}}}, "VTCR_EL2", "RES0", 63},
      {{.vtcr = {{0xffff'c000'0000'0000}}}, "VTCR_EL2", "RES0", 46},
      {{.tcr = {{0x40}}}, "TCR_EL1", "RES0", 6},
      {{.tcr = {{0x8'0000'0000}}}, "TCR_EL1", "RES0", 35},
      {{.tcr = {{0xc000'0000'0000'0000}}}, "TCR_EL1", "RES0", 62},
      {{.tcr2 = {{0x8'0000}}}, "TCR2_EL1", "RES0", 19},
      {{.tcr2 = {{0x40'0000}}}, "TCR2_EL1", "RES0", 22},
      {{.el2 = {.tcr = 0x8'0000}}, "TCR_EL2", "RES0", 19},
      {{.el2 = {.tcr = 0x4'0000'0000}}, "TCR_EL2", "RES0", 34},
      {{.hcr = {{0x4'0000'0000}}, .el2 = {.tcr = 0x8'0000'0000}}, "TCR_EL2", "RES0", 35},
      {{.el2 = {.tcr2 = 0x4}}, "TCR2_EL2", "RES0", 2},
      {{.el2 = {.tcr2 = 0x4000}}, "TCR2_EL2", "RES0", 14},
      {{.hcr = {{0x4'0000'0000}}, .el2 = {.tcr2 = 0x8'0000}}, "TCR2_EL2", "RES0", 19},
      {{.sctlr = {{0x2'0000}}}, "SCTLR_EL1", "RES0", 17},
      {{.sctlr = {{0x20'0000'0000'0000}}}, "SCTLR_EL1", "RES0", 53},  // TME, withdrawn
      {{.el2 = {.sctlr = 0x2'0000}}, "SCTLR_EL2", "RES0", 17},
      {{.el2 = {.sctlr = 0x400'0000}}, "SCTLR_EL2", "RES0", 26},  // UCI, of EL0, which only EL2&0 has
      {{.vstcr = {{0x1'0000}}}, "VSTCR_EL2", "RES0", 16},
      {{.gptbr = {{0x100'0000'0000}}}, "GPTBR_EL3", "RES0", 40},
  };
  for (refused_row const& r : rows) {
    unmodelled_bit const bit = unmodelled_control(r.registers);
    ASSERT_TRUE(bit) << r.reg << ' ' << r.bit;
    EXPECT_EQ(bit.reg, r.reg);
    EXPECT_EQ(bit.name, r.name);
    EXPECT_EQ(bit.bit, r.bit) << r.reg;
    EXPECT_STREQ(bit.asks_for, "") << r.reg;
  }
}

static_assert(!unmodelled_control({}));

// "RW, bit 31: 0b0 Lower levels are all AArch32. 0b1 The Execution state for EL1 is AArch64"; "in an implementation
// where HCR_EL2.{E2H, TGE} is {1, 1} this field behaves as 1".
TEST(RegimeRegisters, AArch32AtEl1IsNamed) {
  unmodelled_bit const bit = unmodelled_state({.hcr = {{0x1}}});
  ASSERT_TRUE(bit);
  EXPECT_STREQ(bit.reg, "HCR_EL2");
  EXPECT_STREQ(bit.name, "RW");
  EXPECT_EQ(bit.bit, 31);
  EXPECT_TRUE(bit.clear);
  EXPECT_FALSE(unmodelled_state({.hcr = {{0x8000'0001}}}));
  EXPECT_FALSE(unmodelled_state({.hcr = {{0x4'0800'0000}}}));
  EXPECT_TRUE(unmodelled_state({.hcr = {{0x4'0000'0000}}}));
  EXPECT_FALSE(unmodelled_state({.hcr = {{0x1}}, .scr = {{0x400}}}));
  EXPECT_STREQ(unmodelled_state({.hcr = {{0x8000'0001}}, .scr = {{0}}}).reg, "SCR_EL3");
}

}  // namespace
}  // namespace regime_registers_test
