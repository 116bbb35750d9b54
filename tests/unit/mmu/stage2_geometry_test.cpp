// SPDX-License-Identifier: MIT
// Stage 2 configurations by value [Arm ARM, VTCR_EL2]; tables/s2_config holds the rest.
#include "vmsa/mmu/stage2_geometry.hpp"

#include <gtest/gtest.h>

namespace stage2_geometry_test {
namespace {

using namespace vmsa;
using enum geometry_error;

struct size_row {
  u8 bits;
  granule tg;
  u64 vtcr;  // T0SZ, IRGN0 01, ORGN0 01, SH0 11, TG0, PS, RES1
  int start;
  u64 root_size;
  unsigned tables;
};
constexpr features pa48{.pa_bits = 48};
constexpr size_row sizes[] = {
    {40, granule::k4, 0x8005'3558, 1, 8192, 2},      {39, granule::k4, 0x8005'3559, 1, 4096, 1},
    {43, granule::k4, 0x8005'3555, 1, 65536, 16},    {44, granule::k4, 0x8005'3594, 0, 256, 1},
    {48, granule::k4, 0x8005'3590, 0, 4096, 1},      {34, granule::k4, 0x8005'351e, 2, 65536, 16},
    {32, granule::k4, 0x8005'3520, 2, 16384, 4},     {40, granule::k16, 0x8005'b558, 2, 262144, 16},
    {48, granule::k16, 0x8005'b590, 1, 32768, 2},    {40, granule::k64, 0x8005'7558, 2, 16384, 1},
    {46, granule::k64, 0x8005'7552, 2, 1048576, 16}, {48, granule::k64, 0x8005'7590, 1, 512, 1},
};

TEST(Stage2Geometry, ForIpaSize) {
  for (size_row const& r : sizes) {
    stage2_configuration const c = geometry::for_ipa_size(r.bits, r.tg, pa48);
    ASSERT_EQ(c.error, none) << int{r.bits};
    EXPECT_EQ(c.vtcr.raw, r.vtcr) << int{r.bits} << std::hex << ' ' << c.vtcr.raw;
    EXPECT_EQ(number(c.shape.start), r.start) << int{r.bits};
    EXPECT_EQ(c.shape.root_size(), r.root_size) << int{r.bits};
    EXPECT_EQ(c.shape.root_alignment(), r.root_size) << int{r.bits};
    EXPECT_EQ(c.shape.concatenated_tables(), r.tables) << int{r.bits};
    EXPECT_EQ(c.shape.input_bits, r.bits);
    geometry_result const back = decode_vtcr(c.vtcr, pa48);
    ASSERT_TRUE(back);
    EXPECT_EQ(back.value, c.shape) << int{r.bits};
  }
}

TEST(Stage2Geometry, ForIpaSizeRefuses) {
  EXPECT_EQ(geometry::for_ipa_size(49, granule::k4, pa48).error, input_too_large);
  EXPECT_EQ(geometry::for_ipa_size(41, granule::k4, {.pa_bits = 40}).error, input_too_large);
  EXPECT_EQ(geometry::for_ipa_size(24, granule::k4, pa48).error, input_too_small);
  EXPECT_EQ(geometry::for_ipa_size(40, granule::k16, {.stage2_granules = {true, false, true}}).error,
            granule_unsupported);
  EXPECT_EQ(geometry::for_ipa_size(16, granule::k4, {.pa_bits = 48, .ttst = true}).error, none);
  EXPECT_EQ(geometry::for_ipa_size(15, granule::k4, {.pa_bits = 48, .ttst = true}).error, input_too_small);
}

TEST(Stage2Geometry, FiftyTwoBits) {
  stage2_configuration const k4 = geometry::for_ipa_size(52, granule::k4, all_features);
  ASSERT_TRUE(k4);
  EXPECT_TRUE(k4.shape.format.ds && k4.shape.wide_base);
  EXPECT_EQ(number(k4.shape.start), 0);
  EXPECT_EQ(k4.shape.concatenated_tables(), 16u);
  stage2_configuration const k64 = geometry::for_ipa_size(52, granule::k64, all_features);
  ASSERT_TRUE(k64);
  EXPECT_TRUE(k64.shape.format.lpa && k64.shape.wide_base);
  EXPECT_EQ(k64.shape.root_size(), 8192u);
}

struct vtcr_row {
  char const* what;
  u64 vtcr;
  features feat;
  constraint_choices choices;
  geometry_error error;
  u8 input_bits;
};
constexpr features lpa48{.pa_bits = 48, .lpa = true}, pa40{.pa_bits = 40}, tt{.pa_bits = 48, .ttst = true};
constexpr u64 res1 = u64{1} << 31;
constexpr vtcr_row vtcrs[] = {
    {"a plain 40-bit space", res1 | 24 | 1 << 6, pa48, {}, none, 40},
    {"T0SZ below the minimum clamps", res1 | 10 | 2 << 6, pa48, {}, none, 48},
    {"faults by choice", res1 | 10 | 2 << 6, pa48, {.txsz_below_min_faults = true}, input_too_large, 0},
    {"and by rule with FEAT_LPA", res1 | 10 | 2 << 6, lpa48, {}, input_too_large, 0},
    {"the minimum follows PAMax", res1 | 20 | 1 << 6, pa40, {}, none, 40},
    {"T0SZ above the maximum clamps", res1 | 45 | 0 << 6, pa48, {}, none, 25},
    {"or faults", res1 | 45 | 0 << 6, pa48, {.txsz_above_max_faults = true}, input_too_small, 0},
    {"with FEAT_TTST it is 48", res1 | 45 | 3 << 6, tt, {}, none, 19},
    {"SL0 = 3 needs FEAT_TTST", res1 | 39 | 3 << 6, pa48, {}, start_level_needs_ttst, 0},
    {"4K level 0 needs 44 bits of PA", res1 | 24 | 2 << 6, pa40, {}, start_level_needs_pa, 0},
    {"16K level 1 needs 42", res1 | 24 | 2 << 6 | 2 << 14, pa40, {}, start_level_needs_pa, 0},
    {"64K level 1 needs 44", res1 | 24 | 2 << 6 | 1 << 14, pa40, {}, start_level_needs_pa, 0},
    {"64K SL0 = 3 is reserved", res1 | 24 | 3 << 6 | 1 << 14, pa48, {}, start_level_reserved, 0},
    {"16K SL0 = 3 too, without DS", res1 | 24 | 3 << 6 | 2 << 14, pa48, {}, start_level_reserved, 0},
    {"SL2 does not count without DS", res1 | 24 | 1 << 6 | u64{1} << 33, all_features, {}, none, 40},
    {"with DS it does", res1 | 16 | 1 << 6 | u64{1} << 33 | u64{1} << 32, all_features, {}, start_level_reserved, 0},
    {"too large for its start level", res1 | 20 | 0 << 6, pa48, {}, start_level_mismatch, 0},
    {"too small for it", res1 | 34 | 1 << 6, pa48, {}, start_level_mismatch, 0},
};

TEST(Stage2Geometry, DecodeVtcr) {
  for (vtcr_row const& r : vtcrs) {
    geometry_result const g = decode_vtcr({{r.vtcr}}, r.feat, r.choices);
    EXPECT_EQ(g.error, r.error) << r.what;
    if (g && r.error == none) {
      EXPECT_EQ(g.value.input_bits, r.input_bits) << r.what;
    }
  }
}

// PS = 0b111 acts as 52 bits but does not select the 52-bit base; FEAT_LPA addresses in descriptors do not ask for PS.
TEST(Stage2Geometry, ReservedPs) {
  u64 const vtcr = res1 | 16 | 2 << 6 | 1 << 14;
  geometry const six = decode_vtcr({{vtcr | 6 << 16}}, all_features).value;
  geometry const seven = decode_vtcr({{vtcr | 7 << 16}}, all_features).value;
  EXPECT_TRUE(six.wide_base);
  EXPECT_FALSE(seven.wide_base);
  EXPECT_EQ(six.output_bits, 52);
  EXPECT_EQ(seven.output_bits, 52);
  EXPECT_TRUE(seven.format.lpa);
  EXPECT_TRUE(decode_vtcr({{vtcr | 0 << 16}}, all_features).value.format.lpa);
  EXPECT_EQ(decode_vtcr({{vtcr | 0 << 16}}, all_features).value.output_bits, 32);
}

TEST(Stage2Geometry, DsDoesNotCountWith64K) {
  u64 const vtcr = res1 | 16 | 2 << 6 | 1 << 14 | u64{1} << 32 | 5 << 16;
  EXPECT_FALSE(decode_vtcr({{vtcr}}, all_features).value.format.ds);
  EXPECT_FALSE(decode_vtcr({{vtcr}}, all_features).value.wide_base);
}

TEST(Stage2Geometry, ReservedGranuleIsAChoice) {
  u64 const vtcr = res1 | 24 | 1 << 6 | 3 << 14;
  EXPECT_EQ(decode_vtcr({{vtcr}}, pa48).value.tg(), granule::k4);
  EXPECT_EQ(decode_vtcr({{vtcr}}, pa48, {.reserved_tg = granule::k64}).value.tg(), granule::k64);
}

TEST(Stage2Geometry, FixedSaysWhatRunTimeSays) {
  using fixed = fixed_geometry<granule::k16, 47>;
  geometry const g = geometry::for_ipa_size(47, granule::k16, {}).shape;
  static_assert(fixed::start_level() == level::l1 && fixed::root_size() == 16384);
  EXPECT_EQ(fixed::root_size(), g.root_size());
  u64 const input = 0x5a5a'a5a5'3c3c;
  for (int n = 1; n <= 3; ++n) {
    auto const l = static_cast<level>(n);
    EXPECT_EQ(fixed::slot_index(l, input), g.slot_index(l, input)) << n;
    EXPECT_EQ(fixed::shift(l), g.shift(l));
  }
  EXPECT_TRUE(fixed::contains(0x7fff'ffff'ffff));
  EXPECT_FALSE(fixed::contains(0x8000'0000'0000));
}

// DS is for output addresses above 48 bits as well as for inputs: a small IPA space may map a large machine.
TEST(Stage2Geometry, ALargeMachineNeedsDsWhateverTheIpaSize) {
  features const lpa2{.pa_bits = 52, .lpa2 = true};
  EXPECT_TRUE(geometry::for_ipa_size(40, granule::k4, lpa2).shape.format.ds);
  EXPECT_EQ(52, geometry::for_ipa_size(40, granule::k4, lpa2).shape.output_bits);
  EXPECT_FALSE(geometry::for_ipa_size(40, granule::k4, {.pa_bits = 48, .lpa2 = true}).shape.format.ds);
  EXPECT_FALSE(geometry::for_ipa_size(40, granule::k4, {.pa_bits = 52}).shape.format.ds);
  EXPECT_FALSE(geometry::for_ipa_size(40, granule::k64, {.pa_bits = 52, .lpa = true, .lpa2 = true}).shape.format.ds);
}

}  // namespace
}  // namespace stage2_geometry_test
