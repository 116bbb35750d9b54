// SPDX-License-Identifier: MIT
// Field positions and values as the ID registers' descriptions give them.
#include "vmsa/arch/features.hpp"

#include <gtest/gtest.h>

namespace features_test {
namespace {

using namespace vmsa;

constexpr u64 at(unsigned low, u64 value) { return value << low; }

TEST(Features, NothingAnnouncedIsNothingImplemented) {
  features const f = decode_features({});
  EXPECT_EQ(f.pa_bits, 32);
  EXPECT_FALSE(f.s2fwb || f.xnx || f.xs || f.lpa || f.lpa2 || f.lva || f.ttst || f.mte || f.idc || f.dic);
  EXPECT_TRUE(f.stage1_granules.k4 && f.stage1_granules.k64) << "0 is present for 4K and 64K";
  EXPECT_FALSE(f.stage1_granules.k16) << "0 is absent for 16K";
  EXPECT_EQ(f.stage2_granules, f.stage1_granules);
}

TEST(Features, PhysicalAddressSizes) {
  constexpr u8 bits[] = {32, 36, 40, 42, 44, 48, 52};
  for (u8 e = 0; e < 7; ++e) {
    EXPECT_EQ(physical_address_bits(e), bits[e]);
    EXPECT_EQ(physical_address_encoding(bits[e]), e);
    EXPECT_EQ(decode_features({.id_aa64mmfr0_el1 = e}).pa_bits, bits[e]);
  }
  EXPECT_EQ(physical_address_bits(7), 52) << "0b111 acts as 52";
  EXPECT_EQ(physical_address_encoding(45), 0xff);
  EXPECT_FALSE(decode_features({.id_aa64mmfr0_el1 = 5}).lpa);
  EXPECT_TRUE(decode_features({.id_aa64mmfr0_el1 = 6}).lpa);
}

struct granule_row {
  u64 mmfr0;
  granule_set stage1, stage2;
};
// TGran4 31:28, TGran64 27:24 (0xf absent), TGran16 23:20 (0 absent); TGran4_2 43:40, TGran64_2 39:36, TGran16_2 35:32
// (0 as stage 1, 1 absent, 2 present).
constexpr granule_row granule_rows[] = {
    {at(28, 0xf), {false, false, true}, {false, false, true}},
    {at(24, 0xf), {true, false, false}, {true, false, false}},
    {at(20, 1), {true, true, true}, {true, true, true}},
    {at(20, 1) | at(40, 1) | at(36, 1) | at(32, 1), {true, true, true}, {false, false, false}},
    {at(28, 0xf) | at(24, 0xf) | at(40, 2) | at(36, 2) | at(32, 2), {false, false, false}, {true, true, true}},
};

TEST(Features, Granules) {
  for (granule_row const& row : granule_rows) {
    features const f = decode_features({.id_aa64mmfr0_el1 = row.mmfr0});
    EXPECT_EQ(f.stage1_granules, row.stage1) << std::hex << row.mmfr0;
    EXPECT_EQ(f.stage2_granules, row.stage2) << std::hex << row.mmfr0;
  }
  for (u64 const lpa2 : {at(28, 1), at(20, 2), at(40, 3), at(32, 3)})
    EXPECT_TRUE(decode_features({.id_aa64mmfr0_el1 = lpa2}).lpa2) << std::hex << lpa2;
}

struct flag_row {
  id_registers id;
  bool features::*flag;
};
constexpr flag_row flags[] = {
    {{.id_aa64mmfr1_el1 = at(0, 1)}, &features::hw_access_flag},
    {{.id_aa64mmfr1_el1 = at(0, 2)}, &features::hw_dirty_state},
    {{.id_aa64mmfr1_el1 = at(0, 3)}, &features::haft},
    {{.id_aa64mmfr1_el1 = at(0, 4)}, &features::hdbss},
    {{.id_aa64mmfr1_el1 = at(4, 2)}, &features::vmid16},
    {{.id_aa64mmfr1_el1 = at(12, 1)}, &features::hpds},
    {{.id_aa64mmfr1_el1 = at(28, 1)}, &features::xnx},
    {{.id_aa64mmfr2_el1 = at(16, 1)}, &features::lva},
    {{.id_aa64mmfr2_el1 = at(28, 1)}, &features::ttst},
    {{.id_aa64mmfr2_el1 = at(32, 1)}, &features::lse2},
    {{.id_aa64mmfr2_el1 = at(40, 1)}, &features::s2fwb},
    {{.id_aa64mmfr2_el1 = at(48, 1)}, &features::ttl},
    {{.id_aa64mmfr2_el1 = at(60, 1)}, &features::e0pd},
    {{.id_aa64pfr1_el1 = at(8, 1)}, &features::mte},
    {{.id_aa64pfr1_el1 = at(8, 2)}, &features::mte2},
    {{.id_aa64pfr2_el1 = at(0, 1)}, &features::mte_perm},
    {{.id_aa64mmfr2_el1 = at(24, 1)}, &features::nv},
    {{.id_aa64mmfr4_el1 = at(20, 1)}, &features::nv},
    {{.id_aa64mmfr3_el1 = at(0, 1)}, &features::tcr2},
    {{.id_aa64mmfr3_el1 = at(8, 1)}, &features::s1pie},
    {{.id_aa64mmfr3_el1 = at(12, 1)}, &features::s2pie},
    {{.id_aa64mmfr3_el1 = at(16, 1)}, &features::s1poe},
    {{.id_aa64mmfr3_el1 = at(20, 1)}, &features::s2poe},
    {{.id_aa64mmfr3_el1 = at(24, 1)}, &features::aie},
    {{.id_aa64pfr1_el1 = at(48, 1)}, &features::the},
    {{.id_aa64isar0_el1 = at(56, 2)}, &features::tlbi_range},
    {{.id_aa64isar1_el1 = at(56, 1)}, &features::xs},
    {{.id_aa64mmfr2_el1 = at(16, 2)}, &features::lva3},
    {{.id_aa64mmfr3_el1 = at(32, 1)}, &features::d128},
    {{.id_aa64pfr0_el1 = at(36, 1)}, &features::sel2},
    {{.id_aa64pfr0_el1 = at(52, 1)}, &features::rme},
    {{.ctr_el0 = at(28, 1)}, &features::idc},
    {{.ctr_el0 = at(29, 1)}, &features::dic},
};

TEST(Features, EachFlagFromItsField) {
  for (flag_row const& row : flags) {
    EXPECT_TRUE(decode_features(row.id).*row.flag) << &row - flags;
    EXPECT_FALSE(decode_features({}).*row.flag) << &row - flags;
  }
  EXPECT_FALSE(decode_features({.id_aa64mmfr1_el1 = at(0, 1)}).hw_dirty_state);
  EXPECT_FALSE(decode_features({.id_aa64mmfr1_el1 = at(0, 3)}).hdbss);
  // E2H0 = 0b1110: "HCR_EL2.NV1 is RES0".
  EXPECT_FALSE(decode_features({.id_aa64mmfr2_el1 = at(24, 2), .id_aa64mmfr4_el1 = at(24, 0b1110)}).nv);
  EXPECT_EQ(decode_features({.id_aa64mmfr2_el1 = at(52, 2)}).bbm, 2);
  EXPECT_EQ(decode_features({.id_aa64mmfr1_el1 = at(20, 3)}).pan, 3);
  // LS64: the value says how much of it there is.
  EXPECT_EQ(decode_features({.id_aa64isar1_el1 = at(60, 1)}).ls64, 1);
  EXPECT_EQ(decode_features({.id_aa64isar1_el1 = at(60, 4)}).ls64, 4);
}

// A field's smaller value announces less. ISAR0.TLB = 1 has Outer Shareable TLBIs and none by range, which are
// UNDEFINED.
TEST(Features, TheValueBelowIsNotEnough) {
  constexpr flag_row below[] = {
      {{.id_aa64mmfr1_el1 = at(0, 1)}, &features::hw_dirty_state},
      {{.id_aa64mmfr1_el1 = at(0, 2)}, &features::haft},
      {{.id_aa64mmfr1_el1 = at(0, 3)}, &features::hdbss},
      {{.id_aa64mmfr1_el1 = at(4, 1)}, &features::vmid16},
      {{.id_aa64pfr1_el1 = at(8, 1)}, &features::mte2},
      {{.id_aa64isar0_el1 = at(56, 1)}, &features::tlbi_range},
      {{.id_aa64mmfr2_el1 = at(16, 1)}, &features::lva3},
  };
  for (flag_row const& row : below) EXPECT_FALSE(decode_features(row.id).*row.flag) << &row - below;
}

TEST(Features, FiftySixBitsNeed128BitDescriptors) {
  EXPECT_EQ(decode_features({.id_aa64mmfr0_el1 = 7}).pa_bits, 52);
  EXPECT_EQ(decode_features({.id_aa64mmfr0_el1 = 7, .id_aa64mmfr3_el1 = at(32, 1)}).pa_bits, 56);
}

}  // namespace
}  // namespace features_test
