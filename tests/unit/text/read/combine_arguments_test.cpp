// SPDX-License-Identifier: MIT
#include "vmsa/text/read/combine_arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"

namespace combine_arguments_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;

TEST(CombineArguments, EncodingsAndNames) {
  EXPECT_EQ(parse_mair_byte("STAGE1", "0xff"), 0xff);
  EXPECT_EQ(parse_mair_byte("STAGE1", "44"), 0x44);
  EXPECT_EQ(parse_mair_byte("STAGE1", "Device-nGnRE"), 0x04);
  EXPECT_EQ(parse_memattr("STAGE2", "0b0101", false), 0b0101);
  EXPECT_EQ(parse_memattr("STAGE2", "0101", false), 0b0101);
  EXPECT_EQ(parse_memattr("STAGE2", "0xf", false), 0b1111);
  EXPECT_EQ(parse_memattr("STAGE2", "normal-wb", false), 0b1111);
  EXPECT_EQ(parse_memattr("STAGE2", "normal-wb", true), 0b0110);
  EXPECT_EQ(parse_memattr("STAGE2", "stage1", true), 0b0111);
  EXPECT_EQ(parse_sh("--s1-sh", "inner"), 0b11);
  EXPECT_EQ(parse_sh("--s1-sh", "0b01"), 0b01);
  EXPECT_EQ(parse_sh("--s1-sh", "2"), 0b10);
}

TEST(CombineArguments, Refusals) {
  EXPECT_THROW(parse_mair_byte("STAGE1", "0x100"), input_error);
  EXPECT_THROW(parse_mair_byte("STAGE1", "normal-mixed"), input_error);
  EXPECT_THROW(parse_memattr("STAGE2", "0x10", false), input_error);
  EXPECT_THROW(parse_memattr("STAGE2", "0b10101", false), input_error);
  EXPECT_THROW(parse_memattr("STAGE2", "normal-wt", true), input_error);
  EXPECT_THROW(parse_memattr("STAGE2", "", false), input_error);
  EXPECT_THROW(parse_sh("--s1-sh", "4"), input_error);
  try {
    parse_sh("--s1-sh", "outre");
    FAIL();
  } catch (input_error const& error) {
    EXPECT_STREQ(error.what(), "vmsa: --s1-sh \"outre\"\n  valid: non inner outer, or SH as 0 to 3");
  }
}

}  // namespace
}  // namespace combine_arguments_test
