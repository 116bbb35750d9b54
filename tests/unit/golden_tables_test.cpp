// SPDX-License-Identifier: MIT
// The committed tables of Arm's pseudocode (tests/README.md), whole, through the same replay that `vmsa replay` runs.
#include <gtest/gtest.h>

#include "vmsa/text/replay.hpp"

namespace {

using vmsa::text::line_reader;
using vmsa::text::replay_report;

struct table_row {
  char const* file;
  char const* kind;
  unsigned rows;
};
constexpr table_row tables[] = {
    {"memattr_extra.csv.gz", "memattr_extra", 43'776},
    {"s2_config.csv.gz", "s2_config", 18'432},
    {"s1_perm.csv.gz", "s1_perm", 8'160},
    {"s2_perm.csv.gz", "s2_perm", 9'216},
    {"translate_sample.jsonl.gz", "translate", 1'500},
};

TEST(GoldenTables, EveryRowMatches) {
  for (table_row const& t : tables) {
    line_reader reader(VMSA_TESTS_DIR "/tables/" + std::string(t.file));
    replay_report const report = vmsa::text::replay(reader, 5);
    EXPECT_EQ(report.table, t.kind);
    EXPECT_EQ(report.rows, t.rows) << t.file;
    EXPECT_EQ(report.matched, t.rows) << t.file;
    for (auto const& d : report.differences) ADD_FAILURE() << t.file << ':' << d.line << ": " << d.detail;
    for (auto const& d : report.skips) ADD_FAILURE() << t.file << ':' << d.line << " skipped: " << d.detail;
  }
}

}  // namespace
