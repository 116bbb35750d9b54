// SPDX-License-Identifier: MIT
#include "vmsa/arch/el3_registers.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

namespace vmsa::el3_registers_test {
namespace {

using test::expect_bits;

TEST(El3Registers, TranslationControl) {
  expect_bits<tcr_el3>({{0, "T0SZ"},
                        {16, "PS"},
                        {20, "TBI"},
                        {23, "RES1"},
                        {24, "HPD"},
                        {31, "RES1"},
                        {32, "DS"},
                        {34, "PnCH"},
                        {35, "PIE"},
                        {36, "POE"},
                        {37, "AIE"},
                        {38, "D128"},
                        {39, "RES0"},
                        {41, "PTTWI"},
                        {42, "HAFT"},
                        {43, "DisCH0"}});
}

TEST(El3Registers, SecureConfiguration) {
  expect_bits<scr_el3>({{0, "NS"},        {3, "EA"},    {4, "RES1"},    {6, "RES0"},   {8, "HCE"},     {9, "SIF"},
                        {10, "RW"},       {18, "EEL2"}, {24, "RES0"},   {27, "FGTEn"}, {30, "TWEDEL"}, {34, "RES0"},
                        {35, "AMVOFFEN"}, {38, "HXEn"}, {43, "TCR2En"}, {45, "PIEn"},  {46, "AIEn"},   {48, "GPF"},
                        {49, "MECEn"},    {56, "RES0"}, {62, "NSE"},    {63, "RES0"}});
  EXPECT_TRUE(scr_el3{{u64{1} << 62}}.get<scr_el3::nse>());
}

TEST(El3Registers, SystemControl) {
  expect_bits<sctlr_el3>({{0, "M"},
                          {4, "RES1"},
                          {6, "nAA"},
                          {12, "I"},
                          {16, "RES1"},
                          {18, "RES1"},
                          {19, "WXN"},
                          {25, "EE"},
                          {28, "RES1"},
                          {44, "DSSBS"},
                          {45, "RES0"},
                          {53, "RES0"},
                          {58, "RES0"},
                          {59, "TCSO"},
                          {61, "NMI"},
                          {63, "RES0"}});
}

}  // namespace
}  // namespace vmsa::el3_registers_test
