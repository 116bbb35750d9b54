// SPDX-License-Identifier: MIT
#include "vmsa/arch/registers.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/arch/layout_bits.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/syndrome.hpp"

namespace registers_test {
namespace {

using namespace vmsa;

using test::bit_row;
using test::name_of;

// Bits as the registers' descriptions in the manual list them.
TEST(Registers, HcrBits) {
  constexpr bit_row rows[] = {{0, "VM"},   {2, "PTW"},  {3, "FMO"},  {4, "IMO"},    {5, "AMO"},  {9, "FB"},
                              {11, "BSU"}, {12, "DC"},  {13, "TWI"}, {19, "TSC"},   {26, "TVM"}, {27, "TGE"},
                              {31, "RW"},  {32, "CD"},  {33, "ID"},  {34, "E2H"},   {42, "NV"},  {45, "NV2"},
                              {46, "FWB"}, {56, "ATA"}, {57, "DCT"}, {63, "TWEDEL"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of(hcr_el2::layout, r.bit), r.name);
  EXPECT_TRUE(hcr_el2{{u64{1} << 46}}.get<hcr_el2::fwb>());
  EXPECT_TRUE(hcr_el2{{u64{1} << 57}}.get<hcr_el2::dct>());
  EXPECT_EQ(hcr_el2{}.with<hcr_el2::cd>(true).raw, u64{1} << 32);
}

TEST(Registers, VtcrBits) {
  constexpr bit_row rows[] = {{5, "T0SZ"},  {6, "SL0"}, {8, "IRGN0"}, {10, "ORGN0"}, {12, "SH0"},
                              {14, "TG0"},  {16, "PS"}, {19, "VS"},   {21, "HA"},    {22, "HD"},
                              {31, "RES1"}, {32, "DS"}, {33, "SL2"},  {44, "HAFT"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of(vtcr_el2::layout, r.bit), r.name);
  vtcr_el2 const v{{0x0000'0003'8062'75a9}};
  EXPECT_EQ(v.get<vtcr_el2::t0sz>(), 0x29);
  EXPECT_EQ(v.get<vtcr_el2::sl0>(), 0b10);
  EXPECT_EQ(v.get<vtcr_el2::irgn0>(), 0b01);
  EXPECT_EQ(v.get<vtcr_el2::sh0>(), 0b11);
  EXPECT_EQ(v.get<vtcr_el2::tg0>(), 0b01);
  EXPECT_EQ(v.get<vtcr_el2::ps>(), 0b010);
  EXPECT_TRUE(v.get<vtcr_el2::ha>() && v.get<vtcr_el2::hd>() && v.get<vtcr_el2::ds>() && v.get<vtcr_el2::sl2>());
}

TEST(Registers, TcrBits) {
  constexpr bit_row rows[] = {{5, "T0SZ"},   {7, "EPD0"},   {12, "SH0"},   {14, "TG0"},  {16, "T1SZ"}, {22, "A1"},
                              {23, "EPD1"},  {28, "SH1"},   {30, "TG1"},   {32, "IPS"},  {36, "AS"},   {37, "TBI0"},
                              {38, "TBI1"},  {39, "HA"},    {40, "HD"},    {41, "HPD0"}, {42, "HPD1"}, {51, "TBID0"},
                              {52, "TBID1"}, {55, "E0PD0"}, {56, "E0PD1"}, {59, "DS"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of(tcr_el1::layout, r.bit), r.name);
  tcr_el1 const t{{0x0000'0005'b519'3510}};
  EXPECT_EQ(t.get<tcr_el1::t0sz>(), 16);
  EXPECT_EQ(t.get<tcr_el1::t1sz>(), 25);
  EXPECT_EQ(t.get<tcr_el1::tg1>(), 0b10);
  EXPECT_EQ(t.get<tcr_el1::ips>(), 0b101);
}

TEST(Registers, Tcr2Bits) {
  constexpr bit_row rows[] = {{0, "PnCH"},   {1, "PIE"},   {2, "E0POE"},   {3, "POE"},     {4, "AIE"}, {5, "D128"},
                              {10, "PTTWI"}, {11, "HAFT"}, {14, "DisCH0"}, {15, "DisCH1"}, {16, "A2"}, {21, "FNGNA1"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of(tcr2_el1::layout, r.bit), r.name);
}

TEST(Registers, SctlrAndTableBases) {
  constexpr bit_row rows[] = {{0, "M"},    {1, "A"},   {2, "C"},     {12, "I"},
                              {19, "WXN"}, {25, "EE"}, {57, "EPAN"}, {30, "EnIB"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of(sctlr_el1::layout, r.bit), r.name);
  EXPECT_EQ(vttbr_el2{{0xabcd'1234'5678'9001}}.get<vttbr_el2::vmid>(), 0xabcd);
  EXPECT_TRUE(vttbr_el2{{1}}.get<vttbr_el2::cnp>());
  EXPECT_EQ(ttbr_el1{{0x0001'0000'0000'2000}}.get<ttbr_el1::baddr>(), 0x1000u);
  EXPECT_EQ(ttbr_el1{{0x0001'0000'0000'2000}}.get<ttbr_el1::asid>(), 1);
}

TEST(Registers, MairHoldsEightBytes) {
  mair_el1 const mair{{0x7766'5544'3322'1100}};
  for (u8 i = 0; i < 8; ++i) EXPECT_EQ(mair.attr(i), 0x11 * i);
  EXPECT_EQ(name_of(mair_el1::layout, 23), "Attr2");
}

TEST(Registers, EveryLayoutNamesEveryBitOnce) {
  EXPECT_TRUE(covers_all_bits(hcr_el2::layout));
  EXPECT_TRUE(covers_all_bits(vtcr_el2::layout));
  EXPECT_TRUE(covers_all_bits(vttbr_el2::layout));
  EXPECT_TRUE(covers_all_bits(ttbr_el1::layout));
  EXPECT_TRUE(covers_all_bits(tcr_el1::layout));
  EXPECT_TRUE(covers_all_bits(tcr2_el1::layout));
  EXPECT_TRUE(covers_all_bits(sctlr_el1::layout));
  EXPECT_TRUE(covers_all_bits(mair_el1::layout));
  EXPECT_TRUE(covers_all_bits(par_el1::success_layout));
  EXPECT_TRUE(covers_all_bits(par_el1::fault_layout));
  EXPECT_TRUE(covers_all_bits(hpfar_el2::layout));
}

}  // namespace
}  // namespace registers_test
