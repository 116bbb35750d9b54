// SPDX-License-Identifier: MIT
#include "vmsa/mmu/geometry.hpp"

#include <gtest/gtest.h>

namespace geometry_test {
namespace {

using namespace vmsa;

TEST(Geometry, SlotsOfAnInput) {
  geometry const g = make_geometry({}, level::l1, 40, 48, false);
  u64 const input = 0xab'cdef'1234;
  // 40 bits: 10 at level 1 (two concatenated tables), 9 at level 2, 9 at level 3.
  EXPECT_EQ(g.slot_index(level::l1, input), 0x2afu);
  EXPECT_EQ(g.slot_index(level::l2, input), 0x06fu);
  EXPECT_EQ(g.slot_index(level::l3, input), 0x0f1u);
  EXPECT_EQ(g.slot_index(level::l3, ipa{input}), 0x0f1u);
  EXPECT_TRUE(g.contains(0xff'ffff'ffff));
  EXPECT_FALSE(g.contains(0x100'0000'0000));
  EXPECT_EQ(g.size(level::l2), 0x20'0000u);
}

struct root_row {
  descriptor_format format;
  level start;
  u8 bits;
  bool wide;
  u64 size, alignment;
  unsigned tables;
};
constexpr descriptor_format k4{}, k64{.tg = granule::k64};
constexpr root_row roots[] = {
    {k4, level::l1, 40, false, 8192, 8192, 2},
    {k4, level::l1, 39, false, 4096, 4096, 1},
    {k4, level::l1, 31, false, 16, 16, 1},
    {k4, level::l1, 31, true, 16, 64, 1},
    {k4, level::l1, 33, true, 64, 64, 1},
    {k4, level::l0, 40, false, 16, 16, 1},
    {k64, level::l2, 46, false, 1 << 20, 1 << 20, 16},
};

TEST(Geometry, RootSizeAndAlignment) {
  for (root_row const& r : roots) {
    geometry const g = make_geometry(r.format, r.start, r.bits, 48, r.wide);
    EXPECT_EQ(g.root_size(), r.size) << &r - roots;
    EXPECT_EQ(g.root_alignment(), r.alignment) << &r - roots;
    EXPECT_EQ(g.concatenated_tables(), r.tables) << &r - roots;
  }
}

// Base is TTBR[47:1], low bits below the root ignored; a wide base takes 51:48 from register bits 5:2.
TEST(Geometry, TableBase) {
  geometry const plain = make_geometry(k4, level::l1, 40, 48, false);
  EXPECT_EQ(table_base(0x00ab'1234'5678'ffff, plain).value, 0x1234'5678'e000u);
  geometry const small = make_geometry(k4, level::l1, 31, 48, false);
  EXPECT_EQ(table_base(0x1234'5678'ffff, small).value, 0x1234'5678'fff0u);
  geometry const wide = make_geometry(k4, level::l1, 31, 52, true);
  EXPECT_EQ(table_base(0x1234'5678'ffff, wide).value, 0x000f'1234'5678'ffc0u);
  EXPECT_EQ(table_base(0x1234'5678'0004, wide).value, 0x0001'1234'5678'0000u);
}

TEST(Geometry, SizesOutsideTheRange) {
  u8 txsz = 10;
  EXPECT_EQ(limit_txsz(txsz, 16, 39, false, {}), geometry_error::none);
  EXPECT_EQ(txsz, 16);
  txsz = 10;
  EXPECT_EQ(limit_txsz(txsz, 16, 39, true, {}), geometry_error::input_too_large);
  txsz = 40;
  EXPECT_EQ(limit_txsz(txsz, 16, 39, true, {}), geometry_error::none);
  EXPECT_EQ(txsz, 39);
  txsz = 40;
  EXPECT_EQ(limit_txsz(txsz, 16, 39, true, {.txsz_above_max_faults = true}), geometry_error::input_too_small);
  EXPECT_EQ(max_txsz(granule::k4, {}), 39);
  EXPECT_EQ(max_txsz(granule::k64, {.ttst = true}), 47);
  EXPECT_EQ(max_txsz(granule::k16, {.ttst = true}), 48);
}

TEST(Geometry, OutputsBeyondTheOutputSize) {
  geometry const g = make_geometry(k4, level::l1, 40, 40, false);
  EXPECT_FALSE(g.output_too_large(pa{0xff'ffff'f000}));
  EXPECT_TRUE(g.output_too_large(pa{0x100'0000'0000}));
}

}  // namespace
}  // namespace geometry_test
