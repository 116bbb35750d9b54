// SPDX-License-Identifier: MIT
#include "vmsa/text/replay/replay.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::replay_test {
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

// A row of tests/tables/s2_config.csv.gz, and then with another value in one of its columns at a time.
TEST(Replay, EachNumberOfAConfigurationIsCompared) {
  std::string const columns =
      "pamax,lpa,lpa2,ttst,tg0,ds,sl2,sl0,t0sz,imp_above_faults,valid,start_level,effective_ipa_bits,top_table_bytes,"
      "concatenated\n32,0,0,1,0,0,0,0,2,1,";
  EXPECT_EQ(of(columns + "1,2,32,16384,4\n").matched, 1u);
  for (auto const& [outcome, says] : std::initializer_list<std::pair<char const*, char const*>>{
           {"0,2,32,16384,4", "valid: recorded 0, vmsa 1"},
           {"1,1,32,16384,4", "start_level: recorded 1, vmsa 2"},
           {"1,2,40,16384,4", "effective_ipa_bits: recorded 40, vmsa 32"},
           {"1,2,32,4096,4", "top_table_bytes: recorded 4096, vmsa 16384"},
           {"1,2,32,16384,1", "concatenated: recorded 1, vmsa 4"}}) {
    replay_report const r = of(columns + outcome + "\n");
    ASSERT_EQ(r.differences.size(), 1u) << outcome;
    EXPECT_EQ(r.differences[0].detail, says);
  }
}

// Normal-WB of both stages is 0xff in PAR_EL1, which has it in hexadecimal.
TEST(Replay, ADifferenceSpeaksTheColumnsBase) {
  std::string const columns = "mair,s1_sh,s2_memattr,s2_sh,fwb,cd,type,par_attr,par_sh\nff,3,f,3,0,0,Normal,";
  EXPECT_EQ(of(columns + "ff,3\n").matched, 1u);
  replay_report const r = of(columns + "44,2\n");
  ASSERT_EQ(r.differences.size(), 1u);
  EXPECT_EQ(r.differences[0].detail, "par_attr: recorded 44, vmsa ff; par_sh: recorded 2, vmsa 3");
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

// A header that is nearly one of a known table is told what it lacks.
TEST(Replay, TheNearestTableIsNamed) {
  auto const error_of = [](std::string text) {
    try {
      (void)of(std::move(text));
    } catch (input_error const& error) {
      EXPECT_EQ(error.line(), 1u);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  struct row {
    char const* header;
    char const* says;
  };
  constexpr row rows[] = {
      {"mair,s1_sh,s2_memattr,s2_sh,fbw,cd,type\n",
       "of memattr_combine, the nearest, \"fwb\" is missing, and \"fbw\" is not one of its columns"},
      {"feat,s1mode,mair,s1_sh,op,sctlr_c,hcr_id,hcr_cd,fnxs,s2_memattr,s2_sh,type\n",
       "of memattr_extra, the nearest, \"sctlr_i\" \"fwb\" is missing\n"},
      {"pamax,lpa,lpa2,ttst,tg0,ds,sl2,sl0,t0sz\n", "of s2_config, the nearest, \"valid\" is missing\n"},
      {"ap,aptable,xn,xntable,wxn,pan,epan,hpd,op,el,fault\n", "of s1_perm, the nearest, \"ha_hd_dbm\" is missing\n"},
      {"xnx,s2ap,xn,dbm,ha,hd,af,op,el,aligned,fault\n", "of s2_perm, the nearest, \"memtype\" is missing\n"},
      {"mair,s1_sh,s2_memattr,s2_sh,fwb,cd,typ\n",
       "the table memattr_combine without an outcome to compare, and \"typ\" is not one of its columns"},
      {"mair,s1_sh,s2_memattr,s2_sh,fwb,cd,type,mair\n", "column \"mair\" stands twice"},
      {"a,b,c\n", "no table with this header is known"},
      {"ap,xn,op,el,pan\n", "no table with this header is known"},
  };
  for (row const& r : rows) {
    std::string const says = error_of(r.header);
    EXPECT_NE(says.find(r.says), std::string::npos) << says;
    EXPECT_NE(says.find("valid: "), std::string::npos) << says;
  }
}

// Columns of somebody's own are no reason to refuse the table, but nobody shall think that they were compared.
TEST(Replay, ColumnsThatAreNotComparedAreNamed) {
  replay_report const r = of("id,mair,s1_sh,s2_memattr,s2_sh,fwb,cd,type,divice\n7,ff,3,1,3,0,0,Device,nGnRnE\n");
  EXPECT_EQ(r.matched, 1u);
  EXPECT_EQ(r.unread, (std::vector<std::string>{"id", "divice"}));
  EXPECT_TRUE(of(header + "ff,3,1,3,0,0,Device,nGnRE,,,\n").unread.empty());
}

std::string const machine =
    R"({"mode":"s2","feat":["S2FWB"],"pamax":48,"regs":{"HCR_EL2":"0x1","VTCR_EL2":"0x80023559","VTTBR_EL2":"0x1000"},)"
    R"("op":"read","el":1,"ipa":"0x123","s1attr":"0xff","s1sh":3,"mem":{"0x1000":"0x7fd"},"out":)";

// What was not recorded is not compared; a recorded walk without updates says that there were none.
TEST(Replay, JsonLinesAreTranslations) {
  replay_report const r = of(machine + R"({"fault":"None","pa":"0x123"}})" + "\n");
  EXPECT_EQ(r.table, "translate");
  EXPECT_EQ(r.matched, 1u);
  replay_report const other =
      of(machine + R"({"fault":"None","pa":"0x124","s2leaf":{"level":1,"bits":30,"contig":0}}})");
  ASSERT_EQ(other.differences.size(), 1u);
  EXPECT_EQ(other.differences[0].detail, R"(pa: recorded "0x124", vmsa "0x123")");
  EXPECT_EQ(of(machine + R"({"fetch":[[2,1,"0x1000","0x00000000000007fd"]]}})").matched, 1u);
  EXPECT_EQ(of(machine + R"({"fetch":[[2,1,"0x1000","0x00000000000007fc"]]}})").differed, 1u);
  EXPECT_EQ(of(machine + R"({"cu":"NOVELTY=1"}})").skipped, 1u);
  std::string unknown = machine;
  unknown.replace(unknown.find("S2FWB"), 5, "S9FWB");
  EXPECT_EQ(of(unknown + "{}}").skipped, 1u);
}

TEST(Replay, DamagedJsonLinesAreRefusedWithTheirLine) {
  std::string const good = machine + "{}}\n";
  for (std::string const& bad :
       {std::string("{"), std::string("[]"), good.substr(0, 40), std::string("{}"),
        std::string(good).replace(good.find("\"0x1\""), 5, "1"), std::string(good).replace(good.find(":48"), 3, ":47"),
        std::string(good).replace(good.find("VTTBR_EL2"), 9, "TTBR9_EL2"),
        std::string(good).replace(good.find("read"), 4, "jump")}) {
    try {
      (void)of(good + bad + "\n");
      ADD_FAILURE() << bad;
    } catch (input_error const& error) {
      EXPECT_EQ(error.line(), 2u) << bad;
    }
  }
}

}  // namespace
}  // namespace vmsa::text::replay_test
