// SPDX-License-Identifier: MIT
#include "vmsa/text/report/decode_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmsa::text::decode_report_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<explanation> with_all() {
  explanation e = explain_mair_byte(0x04);
  e.steps = {"first", "second"};
  e.notes = {"what follows"};
  return {e};
}

TEST(DecodeReport, RowsAreAlignedAndPartsStandBelow) {
  EXPECT_EQ(as_text(tell(with_all())),
            "mair 0x4: Device-nGnRE\n\n"
            "  7:0    Attr    0b00000100  Device-nGnRE\n"
            "    7:4  Device  0b0000\n"
            "    3:2  kind    0b01        nGnRE\n"
            "    1:0  XS      0b00        XS=1\n"
            "\n"
            "   1. first\n"
            "   2. second\n"
            "\n"
            "note: what follows\n");
}

TEST(DecodeReport, MarkdownHasATableOfFields) {
  std::string const text = as_markdown(tell(with_all()));
  EXPECT_THAT(text, StartsWith("### mair 0x4: Device-nGnRE\n"));
  EXPECT_THAT(text, HasSubstr("0b00000100 | Device-nGnRE |\n"));
  EXPECT_THAT(text, HasSubstr("what follows\n"));
}

TEST(DecodeReport, JsonNestsAndHasEveryKey) {
  explanation const e = explain_mair_byte(0x04);
  std::string const one = to_json(std::vector{e});
  EXPECT_THAT(one, StartsWith("{\n  \"schema\": \"vmsa.decode/1\",\n  \"kind\": \"mair\",\n  \"value\": \"0x4\",\n"));
  EXPECT_THAT(one, HasSubstr("\"when\": null"));
  EXPECT_THAT(one, HasSubstr("\"steps\": [],\n  \"notes\": []"));
  EXPECT_THAT(to_json(std::vector{e, e}), StartsWith("[\n"));
}

}  // namespace
}  // namespace vmsa::text::decode_report_test
