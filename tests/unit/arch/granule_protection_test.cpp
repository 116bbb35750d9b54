// SPDX-License-Identifier: MIT
#include "vmsa/arch/granule_protection.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

namespace vmsa::granule_protection_test {
namespace {

using test::bit_row;
using test::expect_bits;
using test::name_of;

TEST(GranuleProtection, ControlRegister) {
  expect_bits<gpccr_el3>({{0, "PPS"},      {2, "PPS"},     {3, "PPS3"},  {4, "RES0"},    {5, "RLPAD"}, {6, "NSPAD"},
                          {7, "SPAD"},     {8, "IRGN"},    {9, "IRGN"},  {10, "ORGN"},   {12, "SH"},   {14, "PGS"},
                          {15, "PGS"},     {16, "GPC"},    {17, "GPCP"}, {18, "TBGPCD"}, {19, "NSO"},  {20, "L0GPTSZ"},
                          {23, "L0GPTSZ"}, {24, "APPSAA"}, {25, "SA"},   {26, "NSP"},    {27, "NA6"},  {28, "NA7"},
                          {29, "GPCBW"},   {30, "RES0"},   {63, "RES0"}});
}

// [Arm ARM, GPT formats]
TEST(GranuleProtection, Descriptors) {
  auto const expect = [](auto const& layout, std::initializer_list<bit_row> rows) {
    for (bit_row const& r : rows) EXPECT_EQ(name_of(layout, r.bit), r.name) << r.bit;
  };
  expect(gpt_entry::block_layout, {{0, "type"}, {3, "type"}, {4, "GPI"}, {7, "GPI"}, {8, "RES0"}, {63, "RES0"}});
  expect(gpt_entry::table_layout,
         {{3, "type"}, {4, "RES0"}, {11, "RES0"}, {12, "address"}, {51, "address"}, {52, "RES0"}, {63, "RES0"}});
  expect(gpt_entry::contiguous_layout,
         {{3, "type"}, {4, "GPI"}, {8, "Contig"}, {9, "Contig"}, {10, "RES0"}, {63, "RES0"}});
  expect(gpt_entry::granules_layout, {{0, "GPI0"}, {3, "GPI0"}, {4, "GPI1"}, {35, "GPI8"}, {60, "GPI15"}});
}

TEST(GranuleProtection, KindsOfEntries) {
  EXPECT_EQ(gpt_level0_kind(0x80020003, 30, 12, true), gpt_entry_kind::table);
  EXPECT_EQ(gpt_level0_kind(0x80010003, 30, 12, true), gpt_entry_kind::invalid);  // 128K is a table's size
  EXPECT_EQ(gpt_level0_kind(0x80008003, 30, 14, true), gpt_entry_kind::table);    // 32K with 16K granules
  EXPECT_EQ(gpt_level0_kind(0x191, 30, 12, true), gpt_entry_kind::invalid);
  EXPECT_EQ(gpt_level1_kind(0x91, true), gpt_entry_kind::invalid);
  EXPECT_EQ(gpt_level1_kind(0xbbbb'bbbb'9999'9999, true), gpt_entry_kind::granules);
  EXPECT_EQ(gpt_level1_kind(0xcbbb'bbbb'9999'9999, true), gpt_entry_kind::invalid);
}

}  // namespace
}  // namespace vmsa::granule_protection_test
