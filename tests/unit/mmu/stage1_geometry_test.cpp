// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage1_geometry.hpp"

#include <gtest/gtest.h>

namespace stage1_geometry_test {
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

// TCR_EL1 as the manual draws it: each field alone is in its own half and in no other member.
TEST(Stage1Geometry, EachFieldIsInItsOwnPlace) {
  struct row {
    char const* what;
    unsigned low;  // of the field
    u64 value;
    va_half half;
    u64 (*read)(tcr_half const&);
  };
  using enum va_half;
  constexpr row rows[] = {
      {"T0SZ", 0, 0x2a, lower, [](tcr_half const& h) { return u64{h.txsz}; }},
      {"EPD0", 7, 1, lower, [](tcr_half const& h) { return u64{h.epd}; }},
      {"IRGN0", 8, 2, lower, [](tcr_half const& h) { return u64{h.irgn}; }},
      {"ORGN0", 10, 2, lower, [](tcr_half const& h) { return u64{h.orgn}; }},
      {"SH0", 12, 2, lower, [](tcr_half const& h) { return u64{h.sh}; }},
      {"TG0", 14, 2, lower, [](tcr_half const& h) { return u64{h.tg}; }},
      {"T1SZ", 16, 0x2a, upper, [](tcr_half const& h) { return u64{h.txsz}; }},
      {"EPD1", 23, 1, upper, [](tcr_half const& h) { return u64{h.epd}; }},
      {"IRGN1", 24, 2, upper, [](tcr_half const& h) { return u64{h.irgn}; }},
      {"ORGN1", 26, 2, upper, [](tcr_half const& h) { return u64{h.orgn}; }},
      {"SH1", 28, 2, upper, [](tcr_half const& h) { return u64{h.sh}; }},
      {"TG1", 30, 2, upper, [](tcr_half const& h) { return u64{h.tg}; }},
      {"TBI0", 37, 1, lower, [](tcr_half const& h) { return u64{h.tbi}; }},
      {"TBI1", 38, 1, upper, [](tcr_half const& h) { return u64{h.tbi}; }},
      {"HPD0", 41, 1, lower, [](tcr_half const& h) { return u64{h.hpd}; }},
      {"HPD1", 42, 1, upper, [](tcr_half const& h) { return u64{h.hpd}; }},
      {"TBID0", 51, 1, lower, [](tcr_half const& h) { return u64{h.tbid}; }},
      {"TBID1", 52, 1, upper, [](tcr_half const& h) { return u64{h.tbid}; }},
      {"E0PD0", 55, 1, lower, [](tcr_half const& h) { return u64{h.e0pd}; }},
      {"E0PD1", 56, 1, upper, [](tcr_half const& h) { return u64{h.e0pd}; }},
  };
  for (row const& one : rows) {
    tcr_el1 const tcr{{one.value << one.low}};
    for (row const& other : rows)
      EXPECT_EQ(&one == &other ? one.value : 0, other.read(half_of(tcr, other.half)))
          << one.what << " in " << other.what;
  }
  EXPECT_EQ(5, half_of({{u64{5} << 32}}, lower).ips);
  EXPECT_EQ(5, half_of({{u64{5} << 32}}, upper).ips);
  EXPECT_TRUE(half_of({{u64{1} << 59}}, lower).ds && half_of({{u64{1} << 59}}, upper).ds);
}

}  // namespace
}  // namespace stage1_geometry_test
