// SPDX-License-Identifier: MIT
#include "vmsa/arch/bits.hpp"

#include <gtest/gtest.h>

namespace bits_test {
namespace {

using namespace vmsa;

struct mask_row {
  unsigned high, low;
  u64 mask;
};
constexpr mask_row masks[] = {
    {0, 0, 0x1},          {63, 63, 0x8000'0000'0000'0000}, {63, 0, 0xffff'ffff'ffff'ffff},
    {9, 8, 0x300},        {47, 12, 0xffff'ffff'f000},      {62, 59, 0x7800'0000'0000'0000},
    {31, 0, 0xffff'ffff}, {63, 32, 0xffff'ffff'0000'0000},
};

TEST(Bits, MaskIncludesBothEnds) {
  for (mask_row const& row : masks) EXPECT_EQ(bit_mask(row.high, row.low), row.mask) << row.high << ':' << row.low;
  EXPECT_EQ(low_mask(0), 0u);
  EXPECT_EQ(low_mask(1), 1u);
  EXPECT_EQ(low_mask(63), 0x7fff'ffff'ffff'ffffu);
  EXPECT_EQ(low_mask(64), 0xffff'ffff'ffff'ffffu);
}

TEST(Bits, FieldReadsAndReplacesItsRangeOnly) {
  using sh = field<9, 8, u8>;
  EXPECT_EQ(sh::get(0xfdff), 0b01);
  EXPECT_EQ(sh::put(0xffff'ffff'ffff'ffff, 0b00), 0xffff'ffff'ffff'fcffu);
  EXPECT_EQ(sh::put(0, 0b110), 0x200u) << "bits that do not fit are dropped";
  using top = field<63, 63, bool>;
  EXPECT_TRUE(top::get(0x8000'0000'0000'0000));
  EXPECT_EQ(top::put(1, true), 0x8000'0000'0000'0001u);
  using whole = field<63, 0>;
  EXPECT_EQ(whole::put(0x123, ~u64{0}), 0xffff'ffff'ffff'ffffu);
}

TEST(Bits, ARowIsAField) {
  constexpr field_info row = field<54, 53>::info("XN", field_role::software);
  EXPECT_EQ(row.high, 54);
  EXPECT_EQ(row.low, 53);
  EXPECT_STREQ(row.name, "XN");
  EXPECT_EQ(row.role, field_role::software);
  EXPECT_EQ(row.mask(), 0x0060'0000'0000'0000u);
  EXPECT_EQ(row.width(), 2u);
  EXPECT_EQ(row.get(0x0040'0000'0000'0000), 0b10u);
}

TEST(Bits, ALayoutNamesEveryBitOnce) {
  constexpr field_info whole[] = {{63, 32, "high"}, {31, 0, "low"}};
  constexpr field_info gap[] = {{63, 32, "high"}, {30, 0, "low"}};
  constexpr field_info twice[] = {{63, 31, "high"}, {31, 0, "low"}};
  EXPECT_TRUE(covers_all_bits(whole));
  EXPECT_FALSE(covers_all_bits(gap));
  EXPECT_FALSE(covers_all_bits(twice));
  field_list list;
  list.add(63, 1, "IGNORED", field_role::ignored);
  EXPECT_FALSE(covers_all_bits(list));
  list.add(0, 0, "valid");
  EXPECT_TRUE(covers_all_bits(list));
  EXPECT_EQ(list.end() - list.begin(), 2);
}

}  // namespace
}  // namespace bits_test
