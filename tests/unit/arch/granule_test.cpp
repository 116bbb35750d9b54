// SPDX-License-Identifier: MIT
#include "vmsa/arch/granule.hpp"

#include <gtest/gtest.h>

namespace granule_test {
namespace {

using namespace vmsa;

struct granule_row {
  granule g;
  u64 size;
  unsigned bits, index_bits;
  unsigned shift[5];  // levels -1 to 3
};
constexpr granule_row granules[] = {
    {granule::k4, 4096, 12, 9, {48, 39, 30, 21, 12}},
    {granule::k16, 16384, 14, 11, {58, 47, 36, 25, 14}},
    {granule::k64, 65536, 16, 13, {68, 55, 42, 29, 16}},
};

TEST(Granule, SizesAndShifts) {
  for (granule_row const& row : granules) {
    EXPECT_EQ(granule_size(row.g), row.size);
    EXPECT_EQ(granule_bits(row.g), row.bits);
    EXPECT_EQ(stride(row.g), row.index_bits);
    for (int n = -1; n <= 3; ++n)
      EXPECT_EQ(level_shift(row.g, static_cast<level>(n)), row.shift[n + 1]) << row.size << " level " << n;
  }
  EXPECT_EQ(level_size(granule::k4, level::l1), u64{1} << 30);
  EXPECT_EQ(level_size(granule::k16, level::l2), 0x200'0000u);
  EXPECT_EQ(level_size(granule::k64, level::l2), 0x2000'0000u);
}

TEST(Granule, LevelsHaveArmsNumbers) {
  EXPECT_EQ(number(level::m1), -1);
  EXPECT_EQ(next(level::m1), level::l0);
  EXPECT_EQ(next(level::l2), level::l3);
  EXPECT_EQ(vmsa::index(level::m1), 0u);
  EXPECT_EQ(vmsa::index(level::l3), 4u);
}

}  // namespace
}  // namespace granule_test
