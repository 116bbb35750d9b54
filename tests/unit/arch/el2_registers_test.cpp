// SPDX-License-Identifier: MIT
#include "vmsa/arch/el2_registers.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

namespace vmsa::el2_registers_test {
namespace {

using test::expect_bits;

// The bit numbers are the manual's: "DS, bit [32]" of TCR_EL2.
TEST(El2Registers, TcrOfEl2IsNotTcrOfEl1) {
  expect_bits<tcr_el2>({{0, "T0SZ"},
                        {8, "IRGN0"},
                        {14, "TG0"},
                        {16, "PS"},
                        {19, "RES0"},
                        {20, "TBI"},
                        {21, "HA"},
                        {22, "HD"},
                        {23, "RES1"},
                        {24, "HPD"},
                        {29, "TBID"},
                        {30, "TCMA"},
                        {31, "RES1"},
                        {32, "DS"},
                        {33, "MTX"},
                        {34, "RES0"}});
  tcr_el2 const t{{0x8081'3519}};
  EXPECT_EQ(t.get<tcr_el2::t0sz>(), 25);
  EXPECT_EQ(t.get<tcr_el2::ps>(), 0b001);
  EXPECT_EQ(reserved_bits_set(tcr_el2::layout, 0x5'b510'3510), 0x4'0000'0000u);
}

// Every bit of both, as TCR2MASK_EL2 lists them too.
TEST(El2Registers, Tcr2HasTwoLayouts) {
  expect_bits<tcr2_el2>({{0, "PnCH"},
                         {1, "PIE"},
                         {2, "RES0"},
                         {3, "POE"},
                         {4, "AIE"},
                         {5, "RES0"},
                         {9, "RES0"},
                         {10, "PTTWI"},
                         {11, "HAFT"},
                         {12, "AMEC0"},
                         {13, "RES0"},
                         {63, "RES0"}});
  expect_bits<tcr2_el2_vhe>({{0, "PnCH"},    {1, "PIE"},     {2, "E0POE"},  {3, "POE"},   {4, "AIE"},    {5, "D128"},
                             {6, "RES0"},    {9, "RES0"},    {10, "PTTWI"}, {11, "HAFT"}, {12, "AMEC0"}, {13, "AMEC1"},
                             {14, "DisCH0"}, {15, "DisCH1"}, {16, "A2"},    {17, "FNG0"}, {18, "FNG1"},  {19, "RES0"},
                             {20, "FNGNA0"}, {21, "FNGNA1"}, {22, "RES0"},  {63, "RES0"}});
}

TEST(El2Registers, ExtendedHypervisorConfiguration) {
  expect_bits<hcrx_el2>({{0, "EnAS0"},
                         {3, "FnXS"},
                         {4, "FGTnXS"},
                         {9, "CMOW"},
                         {11, "MSCEn"},
                         {12, "RES0"},
                         {14, "TCR2En"},
                         {15, "SCTLR2En"},
                         {16, "PTTWI"},
                         {17, "D128En"},
                         {22, "GCSEn"},
                         {24, "PACMEn"},
                         {25, "RES0"},
                         {26, "SRMASKEn"}});
}

// What controls EL0 is there with E2H = 1; with E2H = 0 it is reserved, as 0 or as 1 [Arm ARM, SCTLR_EL2].
TEST(El2Registers, SystemControlHasTwoLayouts) {
  expect_bits<sctlr_el2>({{0, "M"},          {1, "A"},     {2, "C"},     {3, "SA"},    {4, "RES1"},  {5, "RES1"},
                          {6, "nAA"},        {7, "RES0"},  {8, "RES0"},  {9, "RES0"},  {10, "RES0"}, {11, "EOS"},
                          {12, "I"},         {13, "EnDB"}, {14, "RES0"}, {15, "RES0"}, {16, "RES1"}, {17, "RES0"},
                          {18, "RES1"},      {19, "WXN"},  {20, "RES0"}, {21, "IESB"}, {22, "EIS"},  {23, "RES1"},
                          {24, "RES0"},      {25, "EE"},   {26, "RES0"}, {27, "EnDA"}, {28, "RES1"}, {29, "RES1"},
                          {30, "EnIB"},      {31, "EnIA"}, {32, "RES0"}, {35, "RES0"}, {36, "BT"},   {37, "ITFSB"},
                          {38, "RES0"},      {39, "RES0"}, {40, "TCF"},  {41, "TCF"},  {42, "RES0"}, {43, "ATA"},
                          {44, "DSSBS"},     {45, "RES0"}, {58, "RES0"}, {59, "TCSO"}, {60, "RES0"}, {61, "NMI"},
                          {62, "SPINTMASK"}, {63, "RES0"}});
  expect_bits<sctlr_el2_vhe>(
      {{0, "M"},       {1, "A"},       {2, "C"},       {3, "SA"},      {4, "SA0"},    {5, "CP15BEN"}, {6, "nAA"},
       {7, "ITD"},     {8, "SED"},     {9, "RES0"},    {10, "EnRCTX"}, {11, "EOS"},   {12, "I"},      {13, "EnDB"},
       {14, "DZE"},    {15, "UCT"},    {16, "nTWI"},   {17, "RES0"},   {18, "nTWE"},  {19, "WXN"},    {20, "TSCXT"},
       {21, "IESB"},   {22, "EIS"},    {23, "SPAN"},   {24, "E0E"},    {25, "EE"},    {26, "UCI"},    {27, "EnDA"},
       {28, "nTLSMD"}, {29, "LSMAOE"}, {30, "EnIB"},   {31, "EnIA"},   {32, "CMOW"},  {33, "MSCEn"},  {34, "EnFPM"},
       {35, "BT0"},    {36, "BT"},     {37, "ITFSB"},  {38, "TCF0"},   {40, "TCF"},   {42, "ATA0"},   {43, "ATA"},
       {44, "DSSBS"},  {45, "TWEDEn"}, {46, "TWEDEL"}, {50, "RES0"},   {53, "RES0"},  {54, "EnASR"},  {55, "EnAS0"},
       {56, "EnALS"},  {57, "EPAN"},   {58, "TCSO0"},  {59, "TCSO"},   {60, "EnTP2"}, {61, "NMI"},    {62, "SPINTMASK"},
       {63, "TIDCP"}});
  // As Linux sets it at EL2 without VHE: bits 4, 5, 16, 18, 23, 28 and 29 are those that read as 1.
  u64 ones = 0;
  for (field_info const& row : sctlr_el2::layout)
    if (row.role == field_role::res1) ones |= row.mask();
  EXPECT_EQ(ones, 0x3085'0030u);
}

TEST(El2Registers, StageTwoOfSecureIpas) {
  expect_bits<vstcr_el2>({{0, "T0SZ"},
                          {5, "T0SZ"},
                          {6, "SL0"},
                          {7, "SL0"},
                          {8, "RES0"},
                          {13, "RES0"},
                          {14, "TG0"},
                          {15, "TG0"},
                          {16, "RES0"},
                          {28, "RES0"},
                          {29, "SW"},
                          {30, "SA"},
                          {31, "RES1"},
                          {32, "RES0"},
                          {33, "SL2"},
                          {34, "RES0"},
                          {63, "RES0"}});
  expect_bits<vsttbr_el2>({{0, "CnP"}, {1, "BADDR"}, {47, "BADDR"}, {48, "RES0"}, {63, "RES0"}});
}

TEST(El2Registers, TableBase) {
  expect_bits<ttbr0_el2>({{0, "CnP"}, {1, "BADDR"}, {47, "BADDR"}, {48, "RES0"}, {63, "RES0"}});
}

}  // namespace
}  // namespace vmsa::el2_registers_test
