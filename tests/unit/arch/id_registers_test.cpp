// SPDX-License-Identifier: MIT
#include "vmsa/arch/id_registers.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

namespace vmsa::id_registers_test {
namespace {

using test::expect_bits;

TEST(IdRegisters, MemoryModelFeatures) {
  expect_bits<id_aa64mmfr0_el1>({{0, "PARange"},
                                 {4, "ASIDBits"},
                                 {8, "BigEnd"},
                                 {20, "TGran16"},
                                 {24, "TGran64"},
                                 {28, "TGran4"},
                                 {32, "TGran16_2"},
                                 {36, "TGran64_2"},
                                 {40, "TGran4_2"},
                                 {48, "RES0"},
                                 {56, "FGT"},
                                 {60, "ECV"}});
  expect_bits<id_aa64mmfr1_el1>(
      {{0, "HAFDBS"}, {4, "VMIDBits"}, {8, "VH"}, {12, "HPDS"}, {20, "PAN"}, {28, "XNX"}, {36, "ETS"}, {40, "HCX"}});
  expect_bits<id_aa64mmfr2_el1>({{0, "CnP"},
                                 {16, "VARange"},
                                 {24, "NV"},
                                 {28, "ST"},
                                 {32, "AT"},
                                 {40, "FWB"},
                                 {44, "RES0"},
                                 {48, "TTL"},
                                 {52, "BBM"},
                                 {60, "E0PD"}});
  expect_bits<id_aa64mmfr3_el1>({{0, "TCRX"},
                                 {8, "S1PIE"},
                                 {12, "S2PIE"},
                                 {16, "S1POE"},
                                 {20, "S2POE"},
                                 {24, "AIE"},
                                 {32, "D128"},
                                 {36, "D128_2"}});
  expect_bits<id_aa64mmfr4_el1>({{8, "ASID2"}, {12, "HACDBS"}, {20, "NV_frac"}, {24, "E2H0"}, {48, "RES0"}});
}

TEST(IdRegisters, ProcessorFeaturesAndCacheType) {
  expect_bits<id_aa64pfr0_el1>({{0, "EL0"}, {8, "EL2"}, {16, "FP"}, {24, "GIC"}, {36, "SEL2"}, {52, "RME"}});
  expect_bits<id_aa64pfr1_el1>({{0, "BT"}, {8, "MTE"}, {20, "RES0"}, {24, "SME"}, {48, "THE"}});
  expect_bits<ctr_el0>({{0, "IminLine"},
                        {4, "RES0"},
                        {14, "L1Ip"},
                        {16, "DminLine"},
                        {20, "ERG"},
                        {24, "CWG"},
                        {28, "IDC"},
                        {29, "DIC"},
                        {31, "RES1"},
                        {32, "TminLine"}});
}

}  // namespace
}  // namespace vmsa::id_registers_test
