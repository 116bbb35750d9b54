// SPDX-License-Identifier: MIT
// [Arm ARM, Stage 2 memory type and Cacheability attributes], with and without FEAT_S2FWB.
#include "vmsa/arch/stage2_attributes.hpp"

#include <gtest/gtest.h>

namespace stage2_attributes_test {
namespace {

using namespace vmsa;

struct row {
  u8 memattr;
  cache_policy outer, inner;
};
using enum cache_policy;
// [3:2] outer, [1:0] inner: 01 NC, 10 WT, 11 WB; a reserved half reads as Non-cacheable by default.
constexpr row normal_rows[] = {
    {0b0101, non_cacheable, non_cacheable}, {0b0110, non_cacheable, write_through},
    {0b0111, non_cacheable, write_back},    {0b1000, write_through, non_cacheable},
    {0b1001, write_through, non_cacheable}, {0b1010, write_through, write_through},
    {0b1011, write_through, write_back},    {0b1100, write_back, non_cacheable},
    {0b1101, write_back, non_cacheable},    {0b1110, write_back, write_through},
    {0b1111, write_back, write_back},
};

TEST(Stage2Attributes, NormalHalves) {
  for (row const& r : normal_rows) {
    memory_attributes const a = decode_memattr({.memattr = r.memattr}, {});
    EXPECT_EQ(a.type, memory_type::normal);
    EXPECT_EQ(a.outer.policy, r.outer) << int{r.memattr};
    EXPECT_EQ(a.inner.policy, r.inner) << int{r.memattr};
    EXPECT_FALSE(a.outer.read_allocate || a.inner.write_allocate) << "hints are stage 1's";
  }
  constraint_choices const wb{.reserved_s2_half = write_back};
  EXPECT_EQ(decode_memattr({.memattr = 0b1000}, {}, wb).inner.policy, write_back);
}

TEST(Stage2Attributes, DeviceKinds) {
  constexpr device_kind kinds[] = {device_kind::nGnRnE, device_kind::nGnRE, device_kind::nGRE, device_kind::GRE};
  for (u8 m = 0; m < 4; ++m) {
    memory_attributes const a = decode_memattr({.memattr = m, .sh = shareability::non}, {});
    EXPECT_EQ(a.type, memory_type::device);
    EXPECT_EQ(a.device, kinds[m]);
    EXPECT_EQ(a.sh, shareability::non) << "as the descriptor says, until combined";
  }
}

TEST(Stage2Attributes, XsIsNotFnxs) {
  EXPECT_TRUE(decode_memattr({.memattr = 0b1111}, {}).xs);
  EXPECT_FALSE(decode_memattr({.memattr = 0b1111, .fnxs = true}, {}).xs);
  EXPECT_FALSE(decode_memattr({.memattr = 0b0001, .fnxs = true}, {}).xs);
}

TEST(Stage2Attributes, NoTagAccessNeedsMtePerm) {
  memory_attributes const with = decode_memattr({.memattr = 0b0100}, {.mte_perm = true});
  EXPECT_TRUE(is_write_back(with));
  EXPECT_TRUE(with.no_tag_access);
  memory_attributes const without = decode_memattr({.memattr = 0b0100}, {});
  EXPECT_TRUE(is_non_cacheable(without));
  EXPECT_FALSE(without.no_tag_access);
}

TEST(Stage2Attributes, ReservedEncodings) {
  for (u8 m = 0; m < 16; ++m) {
    EXPECT_EQ(memattr_is_reserved(m, false, {.mte_perm = true}), m == 0b1000 || m == 0b1100) << int{m};
    EXPECT_EQ(memattr_is_reserved(m, false, {}), m == 0b0100 || m == 0b1000 || m == 0b1100) << int{m};
    EXPECT_EQ(memattr_is_reserved(m, true, {}), m == 0b0100 || m == 0b1100) << int{m};
    EXPECT_EQ(memattr_blocks_tags(m, false), m == 0b0100) << int{m};
    EXPECT_EQ(memattr_blocks_tags(m, true), m == 0b1110 || m == 0b1111) << int{m};
  }
}

struct encoding_row {
  stage2_memory memory;
  std::optional<u8> plain, fwb;
};
constexpr encoding_row encodings[] = {
    {stage2_memory::device_nGnRnE, u8{0b0000}, u8{0b0000}}, {stage2_memory::device_nGnRE, u8{0b0001}, u8{0b0001}},
    {stage2_memory::device_nGRE, u8{0b0010}, u8{0b0010}},   {stage2_memory::device_GRE, u8{0b0011}, u8{0b0011}},
    {stage2_memory::normal_nc, u8{0b0101}, u8{0b0101}},     {stage2_memory::normal_wt, u8{0b1010}, std::nullopt},
    {stage2_memory::normal_wb, u8{0b1111}, u8{0b0110}},     {stage2_memory::stage1, u8{0b1111}, u8{0b0111}},
};

TEST(Stage2Attributes, Encodings) {
  for (encoding_row const& r : encodings) {
    EXPECT_EQ(encode_memattr(r.memory, false), r.plain);
    EXPECT_EQ(encode_memattr(r.memory, true), r.fwb);
  }
}

}  // namespace
}  // namespace stage2_attributes_test
