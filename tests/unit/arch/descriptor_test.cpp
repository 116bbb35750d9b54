// SPDX-License-Identifier: MIT
// Leaves and table bases by value, for every granule.
#include "vmsa/arch/descriptor.hpp"

#include <gtest/gtest.h>

namespace descriptor_test {
namespace {

using namespace vmsa;
using enum descriptor_kind;

constexpr descriptor_format k4{}, k4_ds{.ds = true}, k16{.tg = granule::k16}, k16_ds{.tg = granule::k16, .ds = true},
    k64{.tg = granule::k64}, k64_lpa{.tg = granule::k64, .lpa = true},
    k64_pa52{.tg = granule::k64, .lpa = true, .pa52 = true};

struct kind_row {
  descriptor_format format;
  descriptor_kind block[5];  // what 0b01 is at levels -1 to 3
};
// Blocks: 4K at 1 and 2 (0 with DS); 16K at 2 (1 with DS); 64K at 2 (1 if PAMax is 52).
constexpr kind_row kinds[] = {
    {k4, {reserved, reserved, block, block, reserved}},
    {k4_ds, {reserved, block, block, block, reserved}},
    {k16, {reserved, reserved, reserved, block, reserved}},
    {k16_ds, {reserved, reserved, block, block, reserved}},
    {k64, {reserved, reserved, reserved, block, reserved}},
    {k64_lpa, {reserved, reserved, reserved, block, reserved}},
    {k64_pa52, {reserved, reserved, block, block, reserved}},
};

TEST(Descriptor, Kinds) {
  for (kind_row const& row : kinds)
    for (int n = -1; n <= 3; ++n) {
      auto const l = static_cast<level>(n);
      EXPECT_EQ(kind_of({0b01}, l, row.format), row.block[n + 1]) << &row - kinds << " level " << n;
      EXPECT_EQ(kind_of({0b11}, l, row.format), n == 3 ? page : table);
      EXPECT_EQ(kind_of({0b00}, l, row.format), invalid);
      EXPECT_EQ(kind_of({0xffff'ffff'ffff'fffe}, l, row.format), invalid);
    }
}

struct output_row {
  descriptor_format format;
  level at;
  u64 raw, leaf, table;
};
// The address bits of each format, all ones elsewhere; what lies below the leaf's size is not address.
constexpr output_row outputs[] = {
    {k4, level::l3, ~u64{0}, 0x0000'ffff'ffff'f000, 0x0000'ffff'ffff'f000},
    {k4, level::l2, ~u64{0}, 0x0000'ffff'ffe0'0000, 0x0000'ffff'ffff'f000},
    {k4, level::l1, ~u64{0}, 0x0000'ffff'c000'0000, 0x0000'ffff'ffff'f000},
    {k16, level::l3, ~u64{0}, 0x0000'ffff'ffff'c000, 0x0000'ffff'ffff'c000},
    {k16, level::l2, ~u64{0}, 0x0000'ffff'fe00'0000, 0x0000'ffff'ffff'c000},
    {k64, level::l3, ~u64{0}, 0x0000'ffff'ffff'0000, 0x0000'ffff'ffff'0000},
    {k64, level::l2, ~u64{0}, 0x0000'ffff'e000'0000, 0x0000'ffff'ffff'0000},
    {k64_lpa, level::l3, ~u64{0}, 0x000f'ffff'ffff'0000, 0x000f'ffff'ffff'0000},
    {k64_lpa, level::l3, 0x1000, 0x0001'0000'0000'0000, 0x0001'0000'0000'0000},
    {k64_lpa, level::l2, 0x8000, 0x0008'0000'0000'0000, 0x0008'0000'0000'0000},
    {k4_ds, level::l3, ~u64{0}, 0x000f'ffff'ffff'f000, 0x000f'ffff'ffff'f000},
    {k4_ds, level::l3, 0x0100, 0x0004'0000'0000'0000, 0x0004'0000'0000'0000},
    {k4_ds, level::l3, 0x0200, 0x0008'0000'0000'0000, 0x0008'0000'0000'0000},
    {k4_ds, level::l2, 0x0002'0000'0000'0000, 0x0002'0000'0000'0000, 0x0002'0000'0000'0000},
    {k4_ds, level::l0, ~u64{0}, 0x000f'ff80'0000'0000, 0x000f'ffff'ffff'f000},
    {k16_ds, level::l1, ~u64{0}, 0x000f'fff0'0000'0000, 0x000f'ffff'ffff'c000},
};

TEST(Descriptor, OutputAddresses) {
  for (output_row const& row : outputs) {
    EXPECT_EQ(leaf_output({row.raw}, row.at, row.format).value, row.leaf) << &row - outputs;
    EXPECT_EQ(next_table({row.raw}, row.format).value, row.table) << &row - outputs;
    pa const output{row.leaf};
    EXPECT_EQ(leaf_output({encode_output(output, row.format)}, row.at, row.format), output) << &row - outputs;
  }
}

TEST(Descriptor, WhatFits) {
  EXPECT_TRUE(representable({0x0000'ffff'ffff'f000}, k4));
  EXPECT_FALSE(representable({0x0001'0000'0000'0000}, k4));
  EXPECT_FALSE(representable({0x0001'0000'0000'0000}, k64));
  EXPECT_TRUE(representable({0x000f'0000'0000'0000}, k64_lpa));
  EXPECT_TRUE(representable({0x000f'0000'0000'0000}, k4_ds));
  EXPECT_FALSE(representable({0x0010'0000'0000'0000}, k4_ds));
}

struct contiguous_row {
  descriptor_format format;
  level at;
  unsigned entries, bits;
};
// 4K 16 entries; 16K 32 at level 2, 128 at level 3; 64K 32. Ignored at 4K level 0, 16K level 1, 64K level 1.
constexpr contiguous_row contiguous_rows[] = {
    {k4, level::l3, 16, 16},   {k4, level::l2, 16, 25},      {k4, level::l1, 16, 34},    {k4_ds, level::l0, 1, 39},
    {k16, level::l3, 128, 21}, {k16, level::l2, 32, 30},     {k16_ds, level::l1, 1, 36}, {k64, level::l3, 32, 21},
    {k64, level::l2, 32, 34},  {k64_pa52, level::l1, 1, 42},
};

TEST(Descriptor, Contiguous) {
  descriptor const set{u64{1} << 52};
  for (contiguous_row const& row : contiguous_rows) {
    EXPECT_EQ(contiguous_entries(row.format, row.at), row.entries) << &row - contiguous_rows;
    EXPECT_EQ(leaf_region_bits(set, row.at, row.format), row.bits) << &row - contiguous_rows;
    EXPECT_EQ(leaf_region_bits({}, row.at, row.format), level_shift(row.format.tg, row.at));
  }
}

}  // namespace
}  // namespace descriptor_test
