// SPDX-License-Identifier: MIT
#include "vmsa/text/combine_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/text/input_error.hpp"

namespace {

using namespace vmsa;
using namespace vmsa::text;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CombineReport, EveryStepHasItsReason) {
  combine_question const q{.mair = 0x44, .memattr = 0b0110, .stage2 = {.fwb = true}};
  combine_answer const a = answer(q);
  EXPECT_EQ(a.par_attr, 0xff);
  EXPECT_EQ(a.par_sh, 0b10);
  EXPECT_EQ(to_text(q, a),
            "Normal-NC under stage 2 MemAttr 0b0110 with FWB: Normal-WB, outer shareable\n\n"
            "  stage 1       Normal-NC, inner shareable  MAIR byte 0x44, SH 0b11\n"
            "  its controls  Normal-NC, outer shareable  Device and Normal-NC are Outer Shareable whatever SH says\n"
            "  stage 2, FWB  Normal-WB, outer shareable  MemAttr 0b0110, SH 0b11: Normal-WB whatever stage 1 says\n"
            "  effective     Normal-WB, outer shareable  the wider of stage 1's OSH and stage 2's ISH\n\n"
            "  PAR_EL1.ATTR 0xff, PAR_EL1.SH 0b10 (outer shareable)\n");
}

struct reason_row {
  combine_question question;
  char const* step;
  char const* reason;
};

TEST(CombineReport, NamesTheControlThatActed) {
  reason_row const rows[] = {
      {{.stage1 = {.enabled = false}}, "stage 1", "SCTLR_EL1.M=0: no stage 1, data is Device-nGnRnE"},
      {{.stage1 = {.enabled = false, .fetch = true}}, "stage 1", "fetches are Normal-WT (SCTLR_EL1.I=1)"},
      {{.stage1 = {.dc = true}}, "stage 1", "HCR_EL2.DC=1"},
      {{.stage1 = {.data_cacheable = false}}, "its controls", "SCTLR_EL1.C=0"},
      {{.stage1 = {.instruction_cacheable = false, .fetch = true}, .stage2 = {.fetch = true}}, "its controls",
       "SCTLR_EL1.I=0"},
      {{.stage2 = {.cd = true}}, "its controls", "HCR_EL2.CD=1"},
      {{.stage2 = {.id = true, .fetch = true}}, "its controls", "HCR_EL2.ID=1"},
      {{.memattr = 0b0001, .stage2 = {.fetch = true}}, "its controls", "a fetch from Device"},
      {{.memattr = 0b0001}, "combined", "stage 2 says Device"},
      {{.mair = 0x04, .memattr = 0b1111}, "combined", "stage 1 says Device"},
      {{.mair = 0x04, .memattr = 0b0000}, "combined", "both say Device: the stricter"},
      {{.mair = 0xff, .memattr = 0b1010}, "combined", "NC beats WT beats WB"},
  };
  for (reason_row const& row : rows) {
    bool found = false;
    for (combine_step const& s : answer(row.question).steps)
      found = found || (s.name == row.step && s.reason.find(row.reason) != std::string::npos);
    EXPECT_TRUE(found) << row.step << ": " << row.reason;
  }
}

TEST(CombineReport, SaysWhatReservedEncodingsWereReadAs) {
  combine_answer const a = answer({.mair = 0x02, .s1_sh = 0b01, .memattr = 0b1000, .s2_sh = 0b01});
  ASSERT_EQ(a.notes.size(), 4u);
  EXPECT_THAT(a.notes[0], HasSubstr("MAIR byte 0x02 is reserved: read as 0x00"));
  EXPECT_THAT(a.notes[2], HasSubstr("MemAttr 0b1000 is reserved"));
  EXPECT_TRUE(answer({}).notes.empty());
}

// attributes.md, Stage 2 MemAttr with FWB: one row for each encoding, columns nGnRnE nGnRE nGRE GRE NC WT WB.
TEST(CombineReport, GridWithFwb) {
  using enum summary;
  constexpr summary expected[8][7] = {
      {device_nGnRnE, device_nGnRnE, device_nGnRnE, device_nGnRnE, device_nGnRnE, device_nGnRnE, device_nGnRnE},
      {device_nGnRnE, device_nGnRE, device_nGnRE, device_nGnRE, device_nGnRE, device_nGnRE, device_nGnRE},
      {device_nGnRnE, device_nGnRE, device_nGRE, device_nGRE, device_nGRE, device_nGRE, device_nGRE},
      {device_nGnRnE, device_nGnRE, device_nGRE, device_GRE, device_GRE, device_GRE, device_GRE},
      {device_nGnRnE, device_nGnRE, device_nGRE, device_GRE, normal_nc, normal_nc, normal_nc},
      {device_nGnRnE, device_nGnRE, device_nGRE, device_GRE, normal_nc, normal_nc, normal_nc},
      {normal_wb, normal_wb, normal_wb, normal_wb, normal_wb, normal_wb, normal_wb},
      {device_nGnRnE, device_nGnRE, device_nGRE, device_GRE, normal_nc, normal_wt, normal_wb},
  };
  std::vector<combine_row> const rows = combine_table({.stage2 = {.fwb = true}});
  ASSERT_EQ(rows.size(), 8u);
  for (unsigned m = 0; m < 8; ++m)
    for (unsigned type = 0; type < 7; ++type)
      EXPECT_EQ(summarize(rows[m].results[type]), expected[m][type]) << m << ' ' << type;
}

TEST(CombineReport, GridFormats) {
  std::vector<combine_row> const rows = combine_table({});
  ASSERT_EQ(rows.size(), 16u);
  EXPECT_THAT(to_text(rows, false, table_format::text), HasSubstr("\n0b1010   Normal-WT "));
  EXPECT_THAT(to_text(rows, false, table_format::text), HasSubstr("in WT, out NC"));
  EXPECT_THAT(to_text(rows, false, table_format::markdown), HasSubstr("\n| 0b1010  | Normal-WT "));
  EXPECT_THAT(to_text(rows, false, table_format::markdown), HasSubstr("\n|---------|---"));
}

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
