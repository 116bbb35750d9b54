// SPDX-License-Identifier: MIT
#include "vmsa/arch/tlbi.hpp"

#include <gtest/gtest.h>

namespace tlbi_test {
namespace {

using namespace vmsa;

TEST(Tlbi, SingleOperands) {
  EXPECT_EQ(encode_tlbi(ipa{0}), 0u);
  EXPECT_EQ(encode_tlbi(ipa{0x1000}), 0x1u);
  EXPECT_EQ(encode_tlbi(ipa{0x0000'ffff'ffff'f000}), 0x0000'000f'ffff'ffffu);
  EXPECT_EQ(encode_tlbi(ipa{0x000f'0000'0000'0000}), 0x0000'00f0'0000'0000u);
  EXPECT_EQ(encode_tlbi(ipa{0x1000}, 0b0111), 0x0000'7000'0000'0001u);
  EXPECT_EQ(encode_tlbi(ipa{0x1000}, 0, true), 0x8000'0000'0000'0001u);
}

TEST(Tlbi, LevelHints) {
  EXPECT_EQ(tlbi_level_hint(granule::k4, level::l1), 0b0101);
  EXPECT_EQ(tlbi_level_hint(granule::k4, level::l2), 0b0110);
  EXPECT_EQ(tlbi_level_hint(granule::k4, level::l3), 0b0111);
  EXPECT_EQ(tlbi_level_hint(granule::k16, level::l3), 0b1011);
  EXPECT_EQ(tlbi_level_hint(granule::k64, level::l2), 0b1110);
  EXPECT_EQ(tlbi_level_hint(granule::k4, level::l0), 0);
  EXPECT_EQ(tlbi_level_hint(granule::k4, level::m1), 0);
}

TEST(Tlbi, RangeOperands) {
  // (NUM + 1) * 2^(5 * SCALE + 1) granules.
  EXPECT_EQ((tlbi_range_size{0, 0}).granules(), 2u);
  EXPECT_EQ((tlbi_range_size{0, 31}).granules(), 64u);
  EXPECT_EQ((tlbi_range_size{1, 0}).granules(), 64u);
  EXPECT_EQ((tlbi_range_size{3, 31}).granules(), 2'097'152u);
  EXPECT_EQ(encode_tlbi_range(ipa{0x1000}, {.scale = 0, .num = 0}, granule::k4), 0x0000'4000'0000'0001u);
  EXPECT_EQ(encode_tlbi_range(ipa{0x4000}, {.scale = 3, .num = 31}, granule::k16), 0x0000'bf80'0000'0001u);
  EXPECT_EQ(encode_tlbi_range(ipa{0x10000}, {.scale = 0, .num = 0}, granule::k64, false, 3), 0x0000'c060'0000'0001u);
  // With 52-bit addresses the base counts in 64 KiB.
  EXPECT_EQ(encode_tlbi_range(ipa{0x10000}, {.scale = 0, .num = 0}, granule::k4, true), 0x0000'4000'0000'0001u);
}

TEST(Tlbi, LargestRange) {
  EXPECT_EQ(largest_tlbi_range(2), (tlbi_range_size{0, 0}));
  EXPECT_EQ(largest_tlbi_range(3), (tlbi_range_size{0, 0}));
  EXPECT_EQ(largest_tlbi_range(63), (tlbi_range_size{0, 30}));
  EXPECT_EQ(largest_tlbi_range(64), (tlbi_range_size{1, 0}));
  EXPECT_EQ(largest_tlbi_range(262'144), (tlbi_range_size{3, 3}));
  EXPECT_EQ(largest_tlbi_range(u64{1} << 40), (tlbi_range_size{3, 31}));
}

}  // namespace
}  // namespace tlbi_test
