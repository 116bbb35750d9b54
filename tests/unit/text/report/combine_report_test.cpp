// SPDX-License-Identifier: MIT
#include "vmsa/text/report/combine_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace combine_report_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;
using ::testing::HasSubstr;

TEST(CombineReport, EveryStepHasItsReason) {
  combine_question const q{.mair = 0x44, .memattr = 0b0110, .stage2 = {.fwb = true}};
  combine_answer const a = answer(q);
  EXPECT_EQ(a.par_attr, 0xff);
  EXPECT_EQ(a.par_sh, 0b10);
  EXPECT_EQ(as_text(tell(q, a)),
            "Normal-NC under stage 2 MemAttr 0b0110 with FWB: Normal-WB, outer shareable\n\n"
            "  stage 1       Normal-NC, inner shareable  MAIR byte 0x44, SH 0b11\n"
            "  its controls  Normal-NC, outer shareable  Device and Normal-NC are Outer Shareable whatever SH says\n"
            "  stage 2, FWB  Normal-WB, outer shareable  MemAttr 0b0110, SH 0b11: Normal-WB whatever stage 1 says\n"
            "  effective     Normal-WB, outer shareable  the wider of stage 1's OSH and stage 2's ISH\n\n"
            "  PAR_EL1.ATTR 0xff, PAR_EL1.SH 0b10 (outer shareable)\n\n"
            "note: IMPLEMENTATION DEFINED: inner shareable where stage 1 hands on SH as it stands\n");
}

TEST(CombineReport, GridFormats) {
  std::vector<combine_row> const rows = combine_table({});
  ASSERT_EQ(rows.size(), 16u);
  EXPECT_THAT(as_text(tell(rows, false)), HasSubstr("\n0b1010   Normal-WT "));
  EXPECT_THAT(as_text(tell(rows, false)), HasSubstr("in WT, out NC"));
  EXPECT_THAT(as_markdown(tell(rows, false)), HasSubstr("\n| 0b1010  | Normal-WT "));
  EXPECT_THAT(as_markdown(tell(rows, false)), HasSubstr("\n|---------|---"));
}

}  // namespace
}  // namespace combine_report_test
