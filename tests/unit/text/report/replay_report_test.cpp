// SPDX-License-Identifier: MIT
#include "vmsa/text/report/replay_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmsa::text::replay_report_test {
namespace {

using ::testing::HasSubstr;

replay_report everything() {
  replay_report r;
  r.table = "s2_config";
  r.rows = 9;
  r.matched = 1;
  r.differed = 2;
  r.newer = 3;
  r.together = 4;
  r.skipped = 5;
  r.differences = {{7, "1,\x1b[31m2", "valid: recorded 0, vmsa 1"}};
  r.skips = {{8, "a,b", "no such feature"}};
  r.unread = {"id", "name"};
  r.interrupted = true;
  return r;
}

// Rows are other people's: none acts on a terminal.
TEST(ReplayReport, EachCountIsToldAndRowsAreEscaped) {
  EXPECT_EQ(as_text(tell(everything())),
            "line 7: valid: recorded 0, vmsa 1\n"
            "  1,\\x1b[31m2\n"
            "... and 1 more that differ\n"
            "line 8 skipped: no such feature\n"
            "  a,b\n"
            "columns not compared: id name\n"
            "differed where the current manual does: 3\n"
            "differed where its rules A and B do so only together: 4\n"
            "interrupted: the rows that follow were not read\n"
            "rows 9, matched 1, differed 2, skipped 5\n");
  replay_report plain;
  EXPECT_EQ(as_text(tell(plain)), "rows 0, matched 0, differed 0, skipped 0\n");
}

TEST(ReplayReport, JsonHasEveryCount) {
  std::string const json = to_json(everything());
  for (char const* const key :
       {"\"schema\": \"vmsa.replay/1\"", "\"table\": \"s2_config\"", "\"rows\": 9", "\"matched\": 1", "\"differed\": 2",
        "\"newer\": 3", "\"newer_together\": 4", "\"skipped\": 5", "\"line\": 7", "\"line\": 8",
        "\"detail\": \"no such feature\"", "\"unread_columns\": [", "\"interrupted\": true"})
    EXPECT_THAT(json, HasSubstr(key));
}

}  // namespace
}  // namespace vmsa::text::replay_report_test
