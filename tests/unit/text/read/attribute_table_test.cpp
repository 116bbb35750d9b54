// SPDX-License-Identifier: MIT
#include "vmsa/text/read/attribute_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/testing/attribute_table.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace attribute_table_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;
using ::testing::HasSubstr;

std::vector<attribute_case> read(std::string text) {
  line_reader lines("ours.csv", std::move(text));
  return read_attribute_table(lines);
}

TEST(AttributeTable, RowsAreQuestionsWithExpectations) {
  std::vector<attribute_case> const rows = read(
      "# ours\n"
      "stage1,stage2,fwb,s1_sh,type,sh,par_attr\n"
      "\n"
      "normal-wb,normal-nc,0,,normal-nc,outer,0x40\r\n"
      "44,0b0110,1,non,Normal-WB,outer,ff\n"
      "0xff,stage1,1,0,,inner,\n");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].line, 4u);
  EXPECT_EQ(rows[0].question.mair, 0xff);
  EXPECT_EQ(rows[0].question.s1_sh, 0b11) << "inner unless said";
  EXPECT_EQ(rows[1].question.memattr, 0b0110);
  EXPECT_TRUE(rows[1].question.stage2.fwb);
  EXPECT_EQ(rows[1].type, summary::normal_wb);
  EXPECT_EQ(rows[1].par_attr, 0xff);
  EXPECT_EQ(rows[2].question.memattr, 0b0111);
  EXPECT_FALSE(rows[2].type);
  for (attribute_case const& row : rows) EXPECT_EQ(explain_differences(row), "");
}

// Each of these columns of 0 and 1 says one thing of the question, and no other.
TEST(AttributeTable, AFlagIsItsOwn) {
  std::vector<attribute_case> const rows = read(
      "stage1,stage2,fwb,cd,id,fnxs,fetch,type\n"
      "ff,f,1,0,0,0,0,normal-wb\n"
      "ff,f,0,1,0,0,0,normal-nc\n"
      "ff,f,0,0,1,0,0,normal-wb\n"
      "ff,f,0,0,0,1,0,normal-wb\n"
      "ff,f,0,0,0,0,1,normal-wb\n");
  ASSERT_EQ(rows.size(), 5u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    combine_question const& q = rows[i].question;
    EXPECT_EQ(q.stage2.fwb, i == 0);
    EXPECT_EQ(q.stage2.cd, i == 1);
    EXPECT_EQ(q.stage2.id, i == 2);
    EXPECT_EQ(q.fnxs, i == 3);
    EXPECT_EQ(q.stage1.fetch, i == 4);
    EXPECT_EQ(q.stage2.fetch, i == 4);
  }
}

TEST(AttributeTable, ADifferenceNamesLineExpectationAndSteps) {
  attribute_case const row = read("stage1,stage2,type,sh,par_attr\n0xff,0x1,normal-wb,inner,ff\n").front();
  std::string const text = explain_differences(row);
  EXPECT_THAT(text, HasSubstr("ours.csv:2:\ntype: expected normal-wb, vmsa device-nGnRE\n"));
  EXPECT_THAT(text, HasSubstr("sh: expected inner, vmsa outer\n"));
  EXPECT_THAT(text, HasSubstr("par_attr: expected 0xff, vmsa 0x5\n"));
  EXPECT_THAT(text, HasSubstr("stage 2 says Device: any Device gives Device"));
  EXPECT_FALSE(attribute_case_holds(row));
}

struct refusal {
  char const* text;
  std::size_t line;
  char const* problem;
  char const* valid;
};

TEST(AttributeTable, DamagedTablesAreRefusedWithTheirLine) {
  refusal const rows[] = {
      {"", 0, "no rows", "a header and at least one row"},
      {"stage1,stage2,type\n", 0, "no rows", "at least one row"},
      {"stage1,type\n", 1, "no column \"stage2\"", "all columns: stage1 stage2"},
      {"stage1,stage2\n", 1, "no column says what is expected", "type, sh, par_attr"},
      {"stage1,stage2,type,colour\n", 1, "column \"colour\"", "all columns"},
      {"stage1,stage2,type,type\n", 1, "column \"type\" stands twice", "each column once"},
      {"stage1,stage2,type\n\nff,0,normal-wb,1\n", 3, "a row of 4 cells", "3 cells"},
      {"stage1,stage2,type\nfff,0,normal-wb\n", 2, "column stage1: \"fff\"", "a MAIR byte 0x00 to 0xff"},
      {"stage1,stage2,type\nff,16,normal-wb\n", 2, "column stage2: \"16\"", "a MemAttr"},
      {"stage1,stage2,fwb,type\nff,normal-wt,1,normal-wb\n", 2, "column stage2: \"normal-wt\"", "with FWB"},
      {"stage1,stage2,fwb,type\nff,0,2,normal-wb\n", 2, "column fwb: \"2\"", "up to 1"},
      {"stage1,stage2,type\nff,0,cached\n", 2, "column type: \"cached\"", "normal-wb"},
      {"stage1,stage2,sh\nff,0,ish\n", 2, "column sh: \"ish\"", "non inner outer"},
      {"stage1,stage2,par_attr\nff,0,100\n", 2, "column par_attr: \"100\"", "up to 0xff"},
      {"stage1,stage2,type\n\"normal-wb,normal-wb,normal-wb\n", 2, "a comma within double quotes", "each quote closed"},
      {"stage1,stage2,type\nff,0xf,\"normal-wb\n", 2, "a double quote that is not closed", "in pairs"},
      {"\"stage1,stage2,type\nff,0xf,normal-wb\n", 1, "a comma within double quotes", "each quote closed"},
      {"stage1,stage2,type\nff,,normal-wb\n", 2, "column stage2 is empty", "a value"},
  };
  for (refusal const& r : rows) {
    try {
      // A row that cannot be read is there, and fails.
      attribute_case const row = read(r.text).front();
      EXPECT_EQ(row.line, r.line) << r.problem;
      EXPECT_THAT(row.unreadable, HasSubstr(r.problem));
      EXPECT_THAT(row.unreadable, HasSubstr(r.valid)) << r.problem;
      EXPECT_FALSE(attribute_case_holds(row));
    } catch (input_error const& error) {
      EXPECT_EQ(error.line(), r.line) << r.problem;
      EXPECT_THAT(error.problem(), HasSubstr(r.problem));
      EXPECT_THAT(error.valid(), HasSubstr(r.valid)) << r.problem;
    }
  }
}

// A spreadsheet's way to write the same table: byte order mark, quotes, blanks, CR LF.
TEST(AttributeTable, QuotesBlanksAndAByteOrderMarkAreTaken) {
  std::vector<attribute_case> const rows =
      read("\xef\xbb\xbf\"stage1\", \"stage2\" ,\"type\"\r\n \r\n\"normal-wb\",\t\"normal-nc\" , normal-nc\r\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].line, 3u);
  EXPECT_EQ(rows[0].unreadable, "");
  EXPECT_TRUE(attribute_case_holds(rows[0]));
}

// One bad cell costs its row, not the others.
TEST(AttributeTable, ABadCellIsAFailingRow) {
  std::vector<attribute_case> const rows =
      read("stage1,stage2,type\nff,0x5,normal-nc\nfff,0x5,normal-nc\n44,0x5,normal-nc\n");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(attribute_case_holds(rows[0]));
  EXPECT_FALSE(attribute_case_holds(rows[1]));
  EXPECT_THAT(attribute_case_holds(rows[1]).message(), HasSubstr("ours.csv:3: column stage1: \"fff\""));
  EXPECT_TRUE(attribute_case_holds(rows[2]));
}

// GoogleTest loads a table before main, where nobody could catch.
TEST(AttributeTable, AFileThatCannotBeReadIsAFailingRow) {
  std::vector<attribute_case> const rows = load_attribute_table("/nonexistent/ours.csv");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(attribute_case_holds(rows[0]).message(), HasSubstr("/nonexistent/ours.csv: cannot open"));
}

}  // namespace
}  // namespace attribute_table_test
