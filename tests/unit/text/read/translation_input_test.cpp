// SPDX-License-Identifier: MIT
#include "vmsa/text/read/translation_input.hpp"

#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/translation_report.hpp"

namespace vmsa::text::translation_input_test {
namespace {

translation_scenario of(std::string_view text) { return parse_translation_scenario(text, "t.toml"); }

TEST(TranslationInput, ReadsMachineRegistersMemoryAndAccesses) {
  translation_scenario const s = of(R"(
[machine]
features = ["XNX", "FEAT_HAFDBS"]
pa_bits = 40
[choices]
nt_faults = true
reserved_sh = "inner"
[registers]
hcr_el2 = "0x1"
[[memory]]
at = "0x1000"
words = ["0x7fd", "0x1"]
[[access]]
ipa = "0x40"
mair = "0x44"
sh = "outer"
op = "stg"
el = 0
aligned = false
)");
  EXPECT_TRUE(s.feat.xnx && s.feat.hw_access_flag && s.feat.hw_dirty_state && !s.feat.s2fwb);
  EXPECT_EQ(s.feat.pa_bits, 40);
  EXPECT_TRUE(s.choices.nt_faults);
  EXPECT_EQ(s.choices.reserved_sh, shareability::inner);
  EXPECT_EQ(s.registers.hcr.raw, 1u);
  EXPECT_EQ(s.memory.load({0x1008}, load_order::relaxed).raw, 1u);
  ASSERT_EQ(s.questions.size(), 1u);
  translation_question const& q = s.questions[0];
  EXPECT_TRUE(q.stage2_only);
  EXPECT_EQ(q.where, 0x40u);
  EXPECT_EQ(q.mair, 0x44);
  EXPECT_EQ(q.sh, 0b10);
  EXPECT_EQ(q.acc, (memory_access{.op = operation::tag_store, .el = exception_level::el0, .aligned = false}));
}

TEST(TranslationInput, BadInputIsRefusedWithItsLine) {
  struct row {
    char const* text;
    std::size_t line;
  };
  for (row const& r : {
           row{"[machine]\nfeatures = [\"XNY\"]\n", 2},
           row{"[machine]\npa_bits = 41\n", 2},
           row{"[choices]\nreserved_mair = \"0x02\"\n", 2},
           row{"[registers]\ntcr_el1 = \"0x1000000000000000\"\n", 2},
           row{"[registers]\nhcr_el2 = \"0x1\"\n\ntcr2_el1 = \"0x40\"\n", 4},
           row{"[registers]\nvttbr_el2 = \"0x100000000000000000000000000000000\"\n", 2},
           row{"[[access]]\npa = \"0x1\"\nspace = \"el3\"\n", 3},
           row{"manual = \"2020\"\n", 1},
           row{"[registers]\nttbr_el2 = \"0x0\"\n", 2},
           row{"[[memory]]\nat = \"0x4\"\nwords = []\n", 2},
           row{"[[memory]]\nat = \"0x8\"\n", 1},
           row{"[[memory]]\nat = \"0xfffffffffffff8\"\nwords = [\"0x1\", \"0x1\"]\n", 2},
           row{"[[memory]]\nat = \"0xfffffffffffffff8\"\nwords = [\"0x1\"]\n", 2},
           row{"[[memory]]\nat = \"0x8\"\nwords = [\"0x1\"]\nfile = \"a\"\n", 3},
           row{"[[access]]\nva = \"0x1\"\nipa = \"0x1\"\n", 2},
           row{"[[memory]]\nat = \"0x8\"\nwords = [\"8\"]\n", 3},
           row{"[[memory]]\nat = \"0x8\"\nfile = \"/nothing/there\"\n", 3},
           row{"[[access]]\nop = \"read\"\n", 1},
           row{"[[access]]\nva = \"0x1\"\nop = \"jump\"\n", 3},
           row{"[[access]]\nva = \"0x1\"\nel = 3\n", 3},
       }) {
    try {
      (void)of(r.text);
      ADD_FAILURE() << r.text;
    } catch (input_error const& error) {
      EXPECT_EQ(error.line(), r.line) << r.text << error.what();
      EXPECT_FALSE(error.valid().empty()) << r.text;
    }
  }
}

// The words and the lay-out of look-ups: what stage 2 was asked for each of its walks.
TEST(TranslationReport, SaysForWhatStage2Walks) {
  translation_scenario s = of(R"(
[registers]
hcr_el2 = "0x1"
vtcr_el2 = "0x80623559"
vttbr_el2 = "0x1000"
tcr_el1 = "0x18200803519"
ttbr0_el1 = "0x0"
mair_el1 = "0xff"
sctlr_el1 = "0x1005"
[[memory]]
at = "0x1000"
words = ["0x2003"]
[[memory]]
at = "0x2000"
words = ["0x400007fd", "0x500007fd"]
[[memory]]
at = "0x40000000"
words = ["0x1003"]
[[memory]]
at = "0x40001000"
words = ["0x200301"]
[[access]]
va = "0x123"
)");
  std::vector<translation_story> const stories = translate_all(s);
  ASSERT_EQ(stories.size(), 1u);
  ASSERT_TRUE(stories[0].outcome);
  struct row {
    stage by;
    int at;
    u64 table;
    u64 slot;
    char const* purpose;
  };
  constexpr row rows[] = {{stage::two, 1, 0x1000, 0, "stage 1 level 1"},
                          {stage::two, 2, 0x2000, 0, "stage 1 level 1"},
                          {stage::one, 1, 0x0, 0, ""},
                          {stage::two, 1, 0x1000, 0, "stage 1 level 2"},
                          {stage::two, 2, 0x2000, 0, "stage 1 level 2"},
                          {stage::one, 2, 0x1000, 0, ""},
                          {stage::two, 1, 0x1000, 0, "update of stage 1 level 2"},
                          {stage::two, 2, 0x2000, 0, "update of stage 1 level 2"},
                          {stage::two, 1, 0x1000, 0, ""},
                          {stage::two, 2, 0x2000, 1, ""}};
  ASSERT_EQ(stories[0].lines.size(), std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    walk_line const& line = stories[0].lines[i];
    EXPECT_EQ(line.step.by, rows[i].by) << i;
    EXPECT_EQ(number(line.step.at), rows[i].at) << i;
    EXPECT_EQ(line.table, rows[i].table) << i;
    EXPECT_EQ(line.slot, rows[i].slot) << i;
    EXPECT_EQ(line.purpose, rows[i].purpose) << i;
  }
  EXPECT_EQ(stories[0].lines[5].says.substr(0, 50), "block of 2M at 0x200000: MAIR_EL1.Attr0 = Normal-W");
  EXPECT_NE(as_text(tell(s, stories)).find("  = pa 0x50000123: Normal-WB, inner shareable\n"), std::string::npos);
  EXPECT_NE(as_text(tell(s, stories)).find("    hardware wrote 0x200701 at 0x40001000\n"), std::string::npos);
}

}  // namespace
}  // namespace vmsa::text::translation_input_test
