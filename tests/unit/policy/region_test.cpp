// SPDX-License-Identifier: MIT
#include "vmsa/policy/region.hpp"

#include <gtest/gtest.h>

namespace vmsa::region_test {
namespace {

constexpr region ram = make_region({0x4000'0000}, 0x4000'0000, {0x8000'0000}, backing::anonymous);
constexpr region bar = make_region({0x80'0000'0000}, 0x40'0000, {0x10'0000'0000}, backing::vfio_pci_bar);
constexpr region map[] = {ram, bar};

constexpr region_map in_order = *region_map::over(map, granule::k4);
static_assert(in_order.find({0x4000'0000}) == &map[0] && in_order.find({0x7fff'ffff}) == &map[0]);
static_assert(in_order.find({0x3fff'ffff}) == nullptr && in_order.find({0x8000'0000}) == nullptr);
static_assert(region_map{}.find({0}) == nullptr);

// What is unsorted or overlaps is refused where it comes in, and not searched.
constexpr region unsorted[] = {bar, ram};
constexpr region twice[] = {ram, ram};
static_assert(!region_map::over(unsorted, granule::k4) && !region_map::over(twice, granule::k4));

TEST(Region, FindReachesTheLastByteOfTheAddressSpace) {
  region const top[] = {make_region({0xffff'ffff'ffff'f000}, 0x1000, {0x1000}, backing::anonymous)};
  EXPECT_EQ(region_map::over(top, granule::k4)->find({~u64{0}}), &top[0]);
  EXPECT_EQ(check_regions(top, granule::k4), region_check{});
}

TEST(Region, WhatIsWrongAndWhere) {
  using enum region_problem;
  auto const one = [](u64 base, u64 size, u64 output) {
    region const r[] = {ram, make_region({base}, size, {output}, backing::anonymous)};
    return check_regions(r, granule::k4);
  };
  EXPECT_EQ(one(0x8000'0000, 0x1000, 0), (region_check{none, 0}));
  EXPECT_EQ(one(0x8000'0000, 0, 0), (region_check{empty, 1}));
  EXPECT_EQ(one(0x8000'0800, 0x1000, 0), (region_check{misaligned_base, 1}));
  EXPECT_EQ(one(0x8000'0000, 0x1001, 0), (region_check{misaligned_size, 1}));
  EXPECT_EQ(one(0x8000'0000, 0x1000, 1), (region_check{misaligned_output, 1}));
  EXPECT_EQ(one(0xffff'ffff'ffff'f000, 0x2000, 0), (region_check{wraps, 1}));
  EXPECT_EQ(one(0x8000'0000, 0x2000, 0xffff'ffff'ffff'f000), (region_check{wraps, 1}));
  EXPECT_EQ(one(0x1000, 0x1000, 0), (region_check{out_of_order, 1}));
  EXPECT_EQ(one(0x7fff'f000, 0x1000, 0), (region_check{overlap, 1}));
  EXPECT_EQ(one(0x4000'0000, 0x1000, 0), (region_check{overlap, 1}));
  region const page_4k[] = {make_region({0x1000}, 0x1000, {0}, backing::anonymous)};
  EXPECT_EQ(check_regions(page_4k, granule::k64), (region_check{misaligned_base, 0}));
}

TEST(Region, LeafSizeIsLimitedByCongruenceAndEnds) {
  EXPECT_EQ(leaf_at(ram, {0x4123'4000}, level::l1, granule::k4), level::l1);
  EXPECT_EQ(leaf_at(ram, {0x4123'4000}, level::l2, granule::k4), level::l2);
  EXPECT_EQ(leaf_at(ram, {0x4123'4000}, level::l3, granule::k4), level::l3);
  EXPECT_EQ(leaf_at(bar, {0x80'0000'0000}, level::l1, granule::k4), level::l2);  // 4 MiB hold no 1 GiB block
  region shifted = bar;
  shifted.output = {0x10'0000'1000};
  EXPECT_EQ(leaf_at(shifted, {0x80'0000'0000}, level::l1, granule::k4), level::l3);
  region tail = bar;
  tail.size = 0x30'0000;
  EXPECT_EQ(leaf_at(tail, {0x80'0000'0000}, level::l1, granule::k4), level::l2);
  EXPECT_EQ(leaf_at(tail, {0x80'0020'0000}, level::l1, granule::k4), level::l3);  // half a block is left
  region host = ram;
  host.largest_leaf = level::l2;
  EXPECT_EQ(leaf_at(host, {0x4000'0000}, level::l1, granule::k4), level::l2);
  EXPECT_EQ(leaf_at(ram, {0x4000'0000}, level::l1, granule::k64), level::l2);
}

TEST(Region, CongruentLeaf) {
  EXPECT_EQ(congruent_leaf(granule::k4, {0x7f00'4000'0000}, {0x4000'0000}, {0xc000'0000}), level::l1);
  EXPECT_EQ(congruent_leaf(granule::k4, {0x7f00'0020'0000}, {0x4000'0000}, {0xc000'0000}), level::l2);
  EXPECT_EQ(congruent_leaf(granule::k4, {0x7f00'0000'1000}, {0x4000'0000}, {0xc000'0000}), level::l3);
}

TEST(Region, SlotFlagsAddToTheBacking) {
  EXPECT_TRUE(make_region({0}, 0x1000, {0}, backing::rom, {}).inputs.slot.read_only);
  region const r = make_region({0}, 0x1000, {0}, backing::anonymous, {.log_dirty = true});
  EXPECT_TRUE(r.inputs.slot.log_dirty);
  EXPECT_FALSE(r.inputs.slot.read_only);
}

TEST(Backing, NamesAreThoseOfTheScenarioFiles) {
  EXPECT_STREQ(name(backing::vfio_pci_bar), "vfio-pci-bar");
  EXPECT_STREQ(name(backing::devm_generic_mixedmap), "devm-generic-mixedmap");
  EXPECT_STREQ(name(backing::rom), "rom");
  for (backing_row const& row : backings.rows) EXPECT_NE(row.what[0], '\0') << row.name;
}

// A block needs all three addresses: two that agree are not enough.
TEST(Region, ACongruentLeafAsksTheFrameToo) {
  EXPECT_EQ(level::l2, congruent_leaf(granule::k4, {0x7f00'4000'0000}, {0x4000'0000}, {0xc020'0000}));
  EXPECT_EQ(level::l3, congruent_leaf(granule::k4, {0x7f00'4000'0000}, {0x4000'0000}, {0xc000'1000}));
  EXPECT_EQ(level::l3, congruent_leaf(granule::k64, {0x2000'0000}, {0x4000'0000}, {0x2001'0000}));
}

// A block that begins before the region, or ends behind it, is not taken; one that fills it is.
TEST(Region, ABlockLiesInsideWholly) {
  region const late = make_region({0x4010'0000}, 0x40'0000, {0x8010'0000}, backing::anonymous);
  EXPECT_EQ(level::l3, leaf_at(late, {0x4010'0000}, level::l1, granule::k4));
  EXPECT_EQ(level::l2, leaf_at(late, {0x4020'0000}, level::l1, granule::k4));
  EXPECT_EQ(level::l3, leaf_at(late, {0x4040'0000}, level::l1, granule::k4));
  region const exact = make_region({0x4020'0000}, 0x20'0000, {0x8020'0000}, backing::anonymous);
  EXPECT_EQ(level::l2, leaf_at(exact, {0x403f'f000}, level::l1, granule::k4));
  EXPECT_EQ(level::l2, leaf_at(make_region({0x4000'0000}, 0x4000'0000, {}, backing::anonymous), {0x4200'0000},
                               level::l1, granule::k16));
}

TEST(Region, TheFrameFollowsTheAddress) {
  EXPECT_EQ((pa{0x8000'1234}), ram.output_of({0x4000'1234}));
  EXPECT_TRUE(ram.contains({0x7fff'ffff}));
  EXPECT_FALSE(ram.contains({0x8000'0000}));
}

}  // namespace
}  // namespace vmsa::region_test
