// SPDX-License-Identifier: MIT
// The committed tables of Arm's pseudocode (tests/README.md), whole, through the same replay that `vmsa replay` runs.
#include <gtest/gtest.h>

#include "tests_folder.hpp"
#include "vmsa/text/replay/replay.hpp"

namespace golden_tables_test {
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
    {"walk_attrs_sample.jsonl.gz", "translate", 623},
    {"secure_el2_sample.jsonl.gz", "translate", 308},
    {"big_endian_sample.jsonl.gz", "translate", 163},
    {"nv1_sample.jsonl.gz", "translate", 204},
    {"el2_tcr2_sample.jsonl.gz", "translate", 472},
    {"translate_pie_sample.jsonl.gz", "translate", 1'534},
    {"translate_gaps_sample.jsonl.gz", "translate", 417},
    {"translate_d128_sample.jsonl.gz", "translate", 612},
    {"rme_sample.jsonl.gz", "translate", 673},
};

TEST(GoldenTables, EveryRowMatches) {
  for (table_row const& t : tables) {
    line_reader reader(vmsa::tests_folder() + "/tables/" + std::string(t.file));
    replay_report const report = vmsa::text::replay(reader, 5);
    EXPECT_EQ(report.table, t.kind);
    EXPECT_EQ(report.rows, t.rows) << t.file;
    EXPECT_EQ(report.matched, t.rows) << t.file;
    for (auto const& d : report.differences) ADD_FAILURE() << t.file << ':' << d.line << ": " << d.detail;
    for (auto const& d : report.skips) ADD_FAILURE() << t.file << ':' << d.line << " skipped: " << d.detail;
  }
}

// Under the current manual nothing differs but what is recorded to (the column `newer`), and what its rules A and B
// change together and neither alone: tests/README.md counts them in the whole files.
TEST(GoldenTables, TheCurrentManualDiffersWhereItIsRecordedTo) {
  struct row {
    char const* file;
    unsigned newer;
    unsigned together;
  };
  constexpr row rows[] = {
      {"translate_d128_sample.jsonl.gz", 50, 20},
      {"translate_gaps_sample.jsonl.gz", 29, 11},
      {"translate_pie_sample.jsonl.gz", 16, 6},
      {"rme_sample.jsonl.gz", 5, 0},
  };
  for (row const& r : rows) {
    line_reader reader(vmsa::tests_folder() + "/tables/" + std::string(r.file));
    replay_report const report = vmsa::text::replay(reader, 5, vmsa::manual_release::newest);
    EXPECT_EQ(report.differed, 0u) << r.file;
    EXPECT_EQ(report.newer, r.newer) << r.file;
    EXPECT_EQ(report.together, r.together) << r.file;
    for (auto const& d : report.differences) ADD_FAILURE() << r.file << ':' << d.line << ": " << d.detail;
  }
}

}  // namespace
}  // namespace golden_tables_test
