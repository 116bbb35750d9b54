// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/combine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace combine_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;
using ::testing::HasSubstr;

struct reason_row {
  combine_question question;
  char const* step;
  char const* reason;
};

TEST(CombineAnswer, NamesTheControlThatActed) {
  reason_row const rows[] = {
      {{.stage1 = {.enabled = false}}, "stage 1", "SCTLR_EL1.M=0: no stage 1, data is Device-nGnRnE"},
      {{.stage1 = {.enabled = false, .fetch = true}}, "stage 1", "fetches are Normal-WT (SCTLR_EL1.I=1)"},
      {{.stage1 = {.dc = true}}, "stage 1", "HCR_EL2.DC=1"},
      {{.stage1 = {.data_cacheable = false}}, "its controls", "SCTLR_EL1.C=0"},
      {{.stage1 = {.instruction_cacheable = false, .fetch = true}, .stage2 = {.fetch = true}},
       "its controls",
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

TEST(CombineAnswer, SaysWhatReservedEncodingsWereReadAs) {
  combine_answer const a = answer({.mair = 0x02, .s1_sh = 0b01, .memattr = 0b1000, .s2_sh = 0b01});
  ASSERT_EQ(a.notes.size(), 4u);
  EXPECT_THAT(a.notes[0], HasSubstr("MAIR byte 0x02 is reserved: read as 0x00"));
  EXPECT_THAT(a.notes[2], HasSubstr("MemAttr 0b1000 is reserved"));
  EXPECT_TRUE(answer({}).notes.empty());
}

// [Arm ARM, Stage 2 memory type and Cacheability attributes when FEAT_S2FWB is enabled]: one row for each encoding,
// columns nGnRnE nGnRE nGRE GRE NC WT WB.
TEST(CombineAnswer, GridWithFwb) {
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

}  // namespace
}  // namespace combine_test
