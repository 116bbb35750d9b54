// SPDX-License-Identifier: MIT
#include "vmsa/mmu/el1_registers.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace {

using namespace vmsa;

// What Linux and KVM write, put together from the names of kvm_arm.h and tools/sysreg and the bits of the registers'
// descriptions: none of it changes what the model knows of the EL1&0 regime.
TEST(El1Registers, WhatLinuxAndKvmWriteIsModelled) {
  struct row {
    char const* what;
    el1_registers registers;
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
      // 39-bit VA, 4K, AS, A1, TBI0; then NFD1, HA, HD, HPD0, HPD1, TBI1, TBID, TCMA1, E0PD1, DS
      {"Linux with 39-bit addresses", {.tcr = {{0x32'b559'3519}}}},
      {"Linux with 52-bit addresses", {.tcr = {{0x0d58'07f6'b54c'350c}}}},
      {"hardware-use bits of stage 1", {.tcr = {{0x0007'f800'0000'0000}}}},
      {"two ASIDs and non-global translations", {.tcr2 = {{0x37'0400}}}},
      {"Linux at EL1", {.sctlr = {{0x0200'0220'34f4'd91d}}}},
  };
  for (row const& r : rows) {
    unmodelled_bit const bit = unmodelled_control(r.registers);
    EXPECT_FALSE(bit) << r.what << ": " << bit.reg << '.' << bit.name << ' ' << int{bit.bit};
  }
}

struct refused_row {
  el1_registers registers;
  std::string_view reg;
  std::string_view name;
  unsigned bit;
};

// Positions as [Arm ARM, HCR_EL2, VTCR_EL2, TCR_EL1, TCR2_EL1, SCTLR_EL1] list them.
TEST(El1Registers, AControlOutsideTheModelIsNamed) {
  constexpr refused_row rows[] = {
      {{.hcr = {{0x800'0000}}}, "HCR_EL2", "TGE", 27},
      {{.hcr = {{0x400'0000'0000}}}, "HCR_EL2", "NV", 42},
      {{.hcr = {{0x800'0000'0000}}}, "HCR_EL2", "NV1", 43},
      {{.hcr = {{0x2000'0000'0000}}}, "HCR_EL2", "NV2", 45},
      {{.hcr = {{0x2c3c'807c'663f}}}, "HCR_EL2", "NV", 42},
      {{.vtcr = {{0x4'0000'0000}}}, "VTCR_EL2", "AssuredOnly", 34},
      {{.vtcr = {{0x8'0000'0000}}}, "VTCR_EL2", "TL1", 35},
      {{.vtcr = {{0x10'802a'3558}}}, "VTCR_EL2", "S2PIE", 36},
      {{.vtcr = {{0x20'0000'0000}}}, "VTCR_EL2", "S2POE", 37},
      {{.vtcr = {{0x40'0000'0000}}}, "VTCR_EL2", "D128", 38},
      {{.vtcr = {{0x200'0000'0000}}}, "VTCR_EL2", "TL0", 41},
      {{.vtcr = {{0x2000'0000'0000}}}, "VTCR_EL2", "HDBSS", 45},
      {{.tcr = {{0x1000'0000'0000'0000}}}, "TCR_EL1", "MTX0", 60},
      {{.tcr = {{0x2000'0000'0000'0000}}}, "TCR_EL1", "MTX1", 61},
      {{.tcr2 = {{0x1}}}, "TCR2_EL1", "PnCH", 0},
      {{.tcr2 = {{0x2}}}, "TCR2_EL1", "PIE", 1},
      {{.tcr2 = {{0x4}}}, "TCR2_EL1", "E0POE", 2},
      {{.tcr2 = {{0x8}}}, "TCR2_EL1", "POE", 3},
      {{.tcr2 = {{0x10}}}, "TCR2_EL1", "AIE", 4},
      {{.tcr2 = {{0x20}}}, "TCR2_EL1", "D128", 5},
      {{.tcr2 = {{0x800}}}, "TCR2_EL1", "HAFT", 11},
      {{.tcr2 = {{0x4000}}}, "TCR2_EL1", "DisCH0", 14},
      {{.tcr2 = {{0x8000}}}, "TCR2_EL1", "DisCH1", 15},
      {{.sctlr = {{0x200'0000}}}, "SCTLR_EL1", "EE", 25},
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

TEST(El1Registers, AReservedBitIsNamedByItsNumber) {
  constexpr refused_row rows[] = {
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

}  // namespace
