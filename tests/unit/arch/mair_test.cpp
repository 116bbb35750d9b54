// SPDX-License-Identifier: MIT
// All 256 attribute bytes [Arm ARM, MAIR_EL1].
#include "vmsa/arch/mair.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace mair_test {
namespace {

using namespace vmsa;
using enum cache_policy;

// 0000 is no half. 0100 NC, 00RW WT transient, 01RW WB transient, 10RW WT, 11RW WB.
constexpr cacheability halves[16] = {
    {},
    {write_through, false, true, true},
    {write_through, true, false, true},
    {write_through, true, true, true},
    {non_cacheable, false, false, false},
    {write_back, false, true, true},
    {write_back, true, false, true},
    {write_back, true, true, true},
    {write_through, false, false, false},
    {write_through, false, true, false},
    {write_through, true, false, false},
    {write_through, true, true, false},
    {write_back, false, false, false},
    {write_back, false, true, false},
    {write_back, true, false, false},
    {write_back, true, true, false},
};

struct special_row {
  u8 byte;
  mair_class what;
  memory_attributes attributes;
};
constexpr cacheability wb_rw{write_back, true, true, false};
constexpr cacheability wt_r{write_through, true, false, false};
constexpr special_row specials[] = {
    {0x00, mair_class::defined, {memory_type::device, device_kind::nGnRnE}},
    {0x04, mair_class::defined, {memory_type::device, device_kind::nGnRE}},
    {0x08, mair_class::defined, {memory_type::device, device_kind::nGRE}},
    {0x0c, mair_class::defined, {memory_type::device, device_kind::GRE}},
    {0x01, mair_class::needs_xs, {.type = memory_type::device, .device = device_kind::nGnRnE, .xs = false}},
    {0x05, mair_class::needs_xs, {.type = memory_type::device, .device = device_kind::nGnRE, .xs = false}},
    {0x09, mair_class::needs_xs, {.type = memory_type::device, .device = device_kind::nGRE, .xs = false}},
    {0x0d, mair_class::needs_xs, {.type = memory_type::device, .device = device_kind::GRE, .xs = false}},
    {0x40, mair_class::needs_xs, {.type = memory_type::normal, .inner = {}, .outer = {}, .xs = false}},
    {0xa0, mair_class::needs_xs, {.type = memory_type::normal, .inner = wt_r, .outer = wt_r, .xs = false}},
    {0xf0,
     mair_class::needs_mte2,
     {.type = memory_type::normal, .inner = wb_rw, .outer = wb_rw, .xs = false, .tagged = true}},
};

struct expectation {
  mair_class what;
  memory_attributes attributes;
};

expectation expected(u8 byte) {
  for (special_row const& r : specials)
    if (r.byte == byte) return {r.what, r.attributes};
  u8 const high = byte >> 4;
  u8 const low = byte & 0xf;
  if (high == 0 || low == 0) return {mair_class::reserved, {}};
  bool const both_wb = (high & 0b0100) != 0 && (low & 0b0100) != 0 && high != 0b0100 && low != 0b0100;
  return {mair_class::defined,
          {.type = memory_type::normal, .inner = halves[low], .outer = halves[high], .xs = !both_wb}};
}

TEST(Mair, EveryByte) {
  unsigned counts[4] = {};
  for (unsigned b = 0; b < 256; ++b) {
    u8 const byte = static_cast<u8>(b);
    expectation const e = expected(byte);
    EXPECT_EQ(classify_mair(byte), e.what) << std::hex << b;
    ++counts[static_cast<unsigned>(e.what)];
    memory_attributes attributes = e.attributes;
    attributes.sh = shareability::inner;
    EXPECT_EQ(mair(byte), attributes) << std::hex << b;
    if (e.what != mair_class::reserved) {
      EXPECT_EQ(encode_mair(mair(byte)), byte) << std::hex << b;
    }
  }
  // 225 pairs of halves and 4 Device kinds; the rest of the first row and column.
  EXPECT_EQ(counts[static_cast<unsigned>(mair_class::defined)], 229u);
  EXPECT_EQ(counts[static_cast<unsigned>(mair_class::needs_xs)], 6u);
  EXPECT_EQ(counts[static_cast<unsigned>(mair_class::needs_mte2)], 1u);
  EXPECT_EQ(counts[static_cast<unsigned>(mair_class::reserved)], 20u);
}

TEST(Mair, BytesThatNeedAFeatureAreReservedWithoutIt) {
  constexpr u8 bytes[] = {0x01, 0x05, 0x09, 0x0d, 0x40, 0xa0};
  for (u8 const byte : bytes) {
    EXPECT_TRUE(mair_is_reserved(byte, {}));
    EXPECT_FALSE(mair_is_reserved(byte, {.xs = true}));
    EXPECT_EQ(mair(byte, shareability::outer, {}), device_memory(device_kind::nGnRnE));
  }
  EXPECT_TRUE(mair_is_reserved(0xf0, {.xs = true}));
  EXPECT_FALSE(mair_is_reserved(0xf0, {.mte2 = true}));
}

TEST(Mair, AReservedByteIsReadAsTheChoiceSays) {
  EXPECT_EQ(mair(0x02, shareability::inner, all_features, {.reserved_mair = 0x44}),
            normal_memory(cacheability{}, cacheability{}, shareability::inner));
  EXPECT_EQ(mair(0x02, shareability::outer, all_features, {.reserved_mair = 0x03}), device_memory(device_kind::nGnRnE))
      << "a choice that is reserved itself";
}

TEST(Mair, WhatNoByteSaysHasNoEncoding) {
  EXPECT_EQ(encode_mair(normal_memory(wb_rw, cacheability{}, shareability::inner, false)), std::nullopt);
  EXPECT_EQ(encode_mair(device_memory(device_kind::GRE, false), features{}), std::nullopt);
}

}  // namespace
}  // namespace mair_test
