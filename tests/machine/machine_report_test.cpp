// SPDX-License-Identifier: MIT
// What a run's report says, in each form.
#include "rig.hpp"
#include "tiny_table.hpp"

namespace machine_report_test {
namespace {

using namespace vmsa;

constexpr u64 page = 0x40'0000;

// Write permission goes without a TLBI.
void forgets_the_tlbi(sim::machine& m) {
  test::tiny_table t(m, 0, 0x8000'0000);
  t.map(page, 0x8100'0000);
  m.pe(0).enter({.root = t.root()});
  m.pe(0).exception();
  m.pe(1).enter({.root = t.root()});
  m.pe(0).store(t.entry(page), {0x8100'0000 | (test::page_leaf & ~u64{0x80})}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  m.pe(0).done();
  m.pe(1).store({page}, 2);
}

TEST(MachineReport, SaysWhatWentWrongAndWhatItTakes) {
  sim::machine m({.who = sim::adversary::hoarder()});
  forgets_the_tlbi(m);
  auto const shortest = sim::find_shortest({.who = sim::adversary::hoarder()}, forgets_the_tlbi);
  ASSERT_TRUE(shortest);
  std::string const text = text::as_text(text::tell_machine(m, &*shortest));
  for (char const* line : {
           "2 failures\n",
           "event 28: stale-at-done: IPA 0x400000 (VMID 1, level 3): 0x810007db may still be cached when the operation "
           "is done; cause: tlbi-missing at event 26\n",
           "event 29: stale-translation: PE 1 uses 0x810007db for 0x400000 and reaches 0x81000000; the operation of "
           "event 26 that took it away was over\n",
           "26: PE 0 w 0x80003000 0x8100075b\n",
           "29: PE 1 stores 0x400000 (0x81000000) = 0x2, Normal-WB\n",
           "the TLB of PE 1 keeps the translation of 0x400000 that event 26 took away\n",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  EXPECT_NE(text::as_markdown(text::tell_machine(m)).find("# 2 failures\n"), std::string::npos);
  std::string const svg = text::machine_as_svg(m, "permission <tightened>");
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_NE(svg.find("permission &lt;tightened&gt;"), std::string::npos);
  EXPECT_NE(svg.find("29: PE 1 stores 0x400000"), std::string::npos);
}

TEST(MachineReport, SaysThatNothingDid) {
  sim::machine m;
  EXPECT_EQ(text::as_text(text::tell_machine(m)).rfind("nothing went wrong\n", 0), 0u);
}

}  // namespace
}  // namespace machine_report_test
