// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage1_geometry.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vmsa;

// Start level = 3 - (64 - TxSZ - 1 - granule bits) / stride, worked out by hand.
TEST(Stage1Geometry, EveryGranuleStartsWhereItsInputSizeSays) {
  struct row {
    u8 txsz;
    u8 tg0;
    bool ds;
    int start;
    u32 root_entries;
  };
  constexpr row rows[] = {
      {16, 0b00, false, 0, 512},  {25, 0b00, false, 1, 512}, {34, 0b00, false, 2, 512},  {24, 0b00, false, 0, 2},
      {48, 0b00, false, 3, 16},   {12, 0b00, true, -1, 16},  {16, 0b10, false, 0, 2},    {17, 0b10, false, 1, 2048},
      {28, 0b10, false, 2, 2048}, {12, 0b10, true, 0, 32},   {22, 0b01, false, 2, 8192}, {16, 0b01, false, 1, 64},
      {12, 0b01, false, 1, 1024}, {47, 0b01, false, 3, 2},
  };
  for (row const& r : rows) {
    geometry_result const g =
        decode_tcr({.txsz = r.txsz, .tg = r.tg0, .ips = 6, .ds = r.ds}, va_half::lower, all_features);
    ASSERT_TRUE(g) << unsigned{r.txsz};
    EXPECT_EQ(number(g.value.start), r.start) << unsigned{r.txsz} << ' ' << unsigned{r.tg0};
    EXPECT_EQ(g.value.root_entries, r.root_entries) << unsigned{r.txsz} << ' ' << unsigned{r.tg0};
    EXPECT_EQ(g.value.input_bits, 64 - r.txsz);
  }
}

TEST(Stage1Geometry, TheTwoHalvesEncodeGranulesDifferently) {
  struct row {
    u8 tg;
    granule lower;
    granule upper;
  };
  for (row const& r : {row{0b00, granule::k4, granule::k16}, row{0b01, granule::k64, granule::k16},
                       row{0b10, granule::k16, granule::k4}, row{0b11, granule::k16, granule::k64}}) {
    constraint_choices choices;
    choices.reserved_tg = granule::k16;  // TG0 0b11 and TG1 0b00
    EXPECT_EQ(stage1_granule(r.tg, va_half::lower, all_features, choices), r.lower);
    EXPECT_EQ(stage1_granule(r.tg, va_half::upper, all_features, choices), r.upper);
  }
}

// Below the minimum: a fault with FEAT_LVA whatever the granule, else a choice. Above the maximum: always a choice.
TEST(Stage1Geometry, SizesBeyondTheLimitsFaultOrClamp) {
  features without;
  EXPECT_EQ(decode_tcr({.txsz = 15}, va_half::lower, all_features).error, geometry_error::input_too_large);
  EXPECT_EQ(decode_tcr({.txsz = 15}, va_half::lower, without).value.input_bits, 48);
  EXPECT_EQ(decode_tcr({.txsz = 11, .tg = 0b01}, va_half::lower, all_features).error, geometry_error::input_too_large);
  EXPECT_EQ(decode_tcr({.txsz = 40}, va_half::lower, without).value.input_bits, 25) << "39 without FEAT_TTST";
  EXPECT_EQ(decode_tcr({.txsz = 49}, va_half::lower, all_features).value.input_bits, 16);
  EXPECT_EQ(decode_tcr({.txsz = 48, .tg = 0b01}, va_half::lower, all_features).value.input_bits, 17);
  constraint_choices faulting;
  faulting.txsz_above_max_faults = faulting.txsz_below_min_faults = true;
  EXPECT_EQ(decode_tcr({.txsz = 49}, va_half::lower, all_features, faulting).error, geometry_error::input_too_small);
  EXPECT_EQ(decode_tcr({.txsz = 15}, va_half::lower, without, faulting).error, geometry_error::input_too_large);
}

TEST(Stage1Geometry, ReadsTheFieldsOfItsHalf) {
  tcr_el1 const tcr{{0x0100'0442'5519'2b19 | u64{1} << 59}};
  tcr_half const lower = half_of(tcr, va_half::lower);
  tcr_half const upper = half_of(tcr, va_half::upper);
  EXPECT_EQ(lower.txsz, 0x19);
  EXPECT_EQ(upper.txsz, 0x19);
  EXPECT_EQ(lower.sh, 0b10);
  EXPECT_EQ(upper.sh, 0b01);
  EXPECT_TRUE(upper.e0pd && upper.hpd && upper.tbi && lower.ds && upper.ds);
  EXPECT_FALSE(lower.e0pd || lower.hpd || lower.tbi || lower.epd || upper.epd);
  EXPECT_EQ(lower.ips, 0b010);
}

}  // namespace
