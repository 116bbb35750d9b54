// SPDX-License-Identifier: MIT
#include "vmsa/text/replay.hpp"

#include <gtest/gtest.h>

#include "vmsa/text/input_error.hpp"

namespace vmsa::text {
namespace {

replay_report of(std::string text) {
  line_reader reader("t.csv", std::move(text));
  return replay(reader, 2);
}

std::string const header = "mair,s1_sh,s2_memattr,s2_sh,fwb,cd,type,device,inner,outer,cu\n";

TEST(Replay, RowsThatAgreeMatch) {
  replay_report const r = of(header + "ff,3,1,3,0,0,Device,nGnRE,,,\n44,3,6,3,1,0,Normal,,WB-RW,WB-RW,\n");
  EXPECT_EQ(r.table, "memattr_combine");
  EXPECT_EQ(r.rows, 2u);
  EXPECT_EQ(r.matched, 2u);
}

TEST(Replay, ADifferenceShowsBothSides) {
  replay_report const r = of(header + "ff,3,1,3,0,0,Device,nGnRnE,,,\n");
  EXPECT_EQ(r.differed, 1u);
  ASSERT_EQ(r.differences.size(), 1u);
  EXPECT_EQ(r.differences[0].line, 2u);
  EXPECT_EQ(r.differences[0].detail, "device: recorded nGnRnE, vmsa nGnRE");
}

TEST(Replay, EveryDifferenceIsCountedAndTheFirstAreKept) {
  std::string text = header;
  for (int i = 0; i < 5; ++i) text += "ff,3,1,3,0,0,Normal,nGnRE,,,\n";
  replay_report const r = of(text);
  EXPECT_EQ(r.differed, 5u);
  EXPECT_EQ(r.differences.size(), 2u);
}

// The choice named in the row decides; a choice nobody knows makes the row one that cannot be judged.
TEST(Replay, ChoicesComeFromTheRow) {
  EXPECT_EQ(of(header + "ff,3,c,3,0,0,Normal,,NC,WB-RW,S2RESMEMATTR=NC\n").matched, 1u);
  EXPECT_EQ(of(header + "ff,3,c,3,0,0,Normal,,WT-RW,WB-RW,S2RESMEMATTR=WT\n").matched, 1u);
  EXPECT_EQ(of(header + "ff,3,c,3,0,0,Normal,,NC,WB-RW,S2RESMEMATTR=WT\n").differed, 1u);
  EXPECT_EQ(of(header + "ff,3,c,3,0,0,Normal,,NC,WB-RW,NOVELTY=1\n").skipped, 1u);
}

TEST(Replay, DamagedTablesAreRefusedWithTheirLine) {
  auto const line_of = [](std::string text) -> std::size_t {
    try {
      (void)of(std::move(text));
    } catch (input_error const& error) {
      return error.line();
    }
    return 0;
  };
  EXPECT_EQ(line_of("a,b,c\n"), 1u);
  EXPECT_EQ(line_of(header + "fff,3,1,3,0,0,Device,nGnRE,,,\n"), 2u);
  EXPECT_EQ(line_of(header + "ff,3,1,3,0,0,Device\n"), 2u);
  EXPECT_EQ(line_of(header + "\n\nff,4,1,3,0,0,Device,nGnRE,,,\n"), 4u);
  EXPECT_THROW(of(""), input_error);
}

}  // namespace
}  // namespace vmsa::text
