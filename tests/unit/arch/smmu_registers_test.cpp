// SPDX-License-Identifier: MIT
#include "vmsa/arch/smmu_registers.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

#include <string>

namespace smmu_registers_test {
namespace {

using namespace vmsa;

using test::bit_row;
using test::expect_bits;

// The descriptions of the registers in IHI 0070, 6.3.
TEST(SmmuRegisters, BitsOfTheIdRegisters) {
  constexpr bit_row idr0[] = {{0, "S2P"},       {1, "S1P"},          {2, "TTF"},         {4, "COHACC"},
                              {6, "HTTU"},      {9, "Hyp"},          {10, "ATS"},        {11, "NS1ATS"},
                              {12, "ASID16"},   {13, "MSI"},         {18, "VMID16"},     {19, "CD2L"},
                              {22, "TTENDIAN"}, {25, "STALL_MODEL"}, {26, "TERM_MODEL"}, {28, "ST_LEVEL"}};
  expect_bits<smmu_idr0>(idr0);
  constexpr bit_row idr1[] = {{5, "SIDSIZE"},  {6, "SSIDSIZE"},       {10, "SSIDSIZE"},       {11, "PRIQS"},
                              {20, "EVENTQS"}, {21, "CMDQS"},         {26, "ATTR_PERMS_OVR"}, {27, "ATTR_TYPES_OVR"},
                              {28, "REL"},     {29, "QUEUES_PRESET"}, {30, "TABLES_PRESET"},  {31, "ECMDQ"}};
  expect_bits<smmu_idr1>(idr1);
  constexpr bit_row idr3[] = {{2, "HAD"},   {3, "PBHA"},  {4, "XNX"},   {5, "PPS"},   {7, "MPAM"},     {8, "FWB"},
                              {9, "STT"},   {10, "RIL"},  {12, "BBML"}, {13, "E0PD"}, {14, "PTWNNC"},  {15, "DPT"},
                              {17, "EPAN"}, {18, "S1PI"}, {19, "S2PI"}, {20, "S2PO"}, {22, "MTEPERM"}, {23, "AIE"}};
  expect_bits<smmu_idr3>(idr3);
  constexpr bit_row idr5[] = {{2, "OAS"}, {4, "GRAN4K"}, {5, "GRAN16K"}, {6, "GRAN64K"},
                              {7, "DS"},  {8, "D128"},   {10, "VAX"},    {16, "STALL_MAX"}};
  expect_bits<smmu_idr5>(idr5);
}

TEST(SmmuRegisters, BitsOfTheControlRegisters) {
  constexpr bit_row cr0[] = {{0, "SMMUEN"}, {1, "PRIQEN"}, {2, "EVENTQEN"}, {3, "CMDQEN"}, {4, "ATSCHK"}};
  expect_bits<smmu_cr0>(cr0);
  constexpr bit_row cr2[] = {{0, "E2H"}, {1, "RECINVSID"}, {2, "PTM"}, {3, "REC_CFG_ATS"}};
  expect_bits<smmu_cr2>(cr2);
  constexpr bit_row gbpa[] = {{0, "MemAttr"},  {4, "MTCFG"},    {8, "ALLOCCFG"}, {12, "SHCFG"},
                              {16, "PRIVCFG"}, {18, "INSTCFG"}, {20, "ABORT"},   {31, "Update"}};
  expect_bits<smmu_gbpa>(gbpa);
  constexpr bit_row cfg[] = {{5, "LOG2SIZE"}, {6, "SPLIT"}, {10, "SPLIT"}, {16, "FMT"}, {17, "FMT"}};
  expect_bits<smmu_strtab_base_cfg>(cfg);
}

TEST(SmmuRegisters, FieldsReadWhatTheyName) {
  EXPECT_TRUE(smmu_idr3{{0x100}}.get<smmu_idr3::fwb>());
  EXPECT_EQ(20, smmu_idr1{{0x510}}.get<smmu_idr1::ssidsize>());
  EXPECT_EQ(16, smmu_idr1{{0x510}}.get<smmu_idr1::sidsize>());
  EXPECT_EQ(0b01, smmu_gbpa{{0x1000}}.get<smmu_gbpa::shcfg>());
  EXPECT_EQ(8, smmu_strtab_base_cfg{{0x10210}}.get<smmu_strtab_base_cfg::split>());
  EXPECT_EQ(1, smmu_strtab_base_cfg{{0x10210}}.get<smmu_strtab_base_cfg::fmt>());
}

}  // namespace
}  // namespace smmu_registers_test
