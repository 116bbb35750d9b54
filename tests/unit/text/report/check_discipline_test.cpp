// SPDX-License-Identifier: MIT
// `vmsa check --discipline casemate`: Casemate's own logs with the verdict that each of them ends with, and what each
// rule asks for, in pairs that differ in one thing.
#include <gtest/gtest.h>

#include <set>

#include "golden_rows.hpp"
#include "vmsa/text/report/check_report.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace check_discipline_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;

check_question casemate() {
  check_question q;
  q.casemate = true;
  return q;
}

std::string told(trace_answer const& a) {
  std::string out;
  for (sim::discipline_violation const& v : a.against_discipline) {
    out += (out.empty() ? "" : " ") + std::string(name(v.rule)) + "@" + std::to_string(v.event);
    if (v.why != sim::violation_cause::none) out += ":" + std::string(name(v.why));
  }
  return out;
}

// A log that is refused ends with the record that is, and the reason.
TEST(CheckDiscipline, EveryLogOfCasemate) {
  std::string const folder = tests_folder() + "/traces/casemate/";
  unsigned logs = 0;
  for (golden_row const& row : golden_rows("traces/casemate/expected.tsv", 7)) {
    SCOPED_TRACE(row[0]);
    std::string const content = read_trace_bytes(folder + row[0] + ".log");
    bool const refused = content.find("\n! ") != std::string::npos;
    EXPECT_EQ(refused ? "bad" : "good", row[1]);
    trace_answer const a = check_trace(row[0], content, casemate());
    EXPECT_EQ(a.passes(), !refused);
    ASSERT_EQ(a.against_discipline.size(), refused ? 1u : 0u) << told(a);
    EXPECT_EQ(a.verdict() == trace_answer::verdict_type::good ? "-" : name(a.violations.front().what), row[2]);
    if (refused) {
      EXPECT_EQ(name(a.against_discipline[0].rule), row[4]);
      EXPECT_EQ(a.against_discipline[0].line, std::stoul(row[5]));
      EXPECT_EQ(a.against_discipline[0].event, a.events);
    }
    // As vmsa-trace it says the same, though lines are others.
    trace_answer const again = check_trace(row[0], trace_as_text(row[0], content), casemate());
    EXPECT_EQ(told(again), told(a));
    EXPECT_EQ(again.verdict(), a.verdict());
    ++logs;
  }
  EXPECT_EQ(logs, 25u);
}

// Without it nothing of the discipline is told, and with it the architecture's verdict stays what it was.
TEST(CheckDiscipline, StandsBesideTheArchitecture) {
  std::string const file = tests_folder() + "/traces/casemate/bad_race.log";
  std::string const content = read_trace_bytes(file);
  EXPECT_TRUE(check_trace(file, content, {}).passes());
  EXPECT_EQ(to_json(check_trace(file, content, {})).find("discipline"), std::string::npos);
  trace_answer const a = check_trace(file, content, casemate());
  EXPECT_EQ(a.verdict(), trace_answer::verdict_type::good);
  EXPECT_FALSE(a.passes());
  std::string const json = to_json(a);
  EXPECT_NE(json.find("\"verdict\": \"good\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"unlocked-write\""), std::string::npos) << json;
}

// Root 0x10000 under lock 1, with a table at 0x11000 and a page below tables at 0x12000 and 0x13000.
constexpr char const* start =
    "0 hint set_root_lock 0x10000 1\n"
    "0 w 0x13000 0x400007ff\n0 w 0x12000 0x13003\n0 w 0x11000 0x12003\n0 w 0x10000 0x11003\n"
    "0 dsb ishst\n0 msr vttbr_el2 0x1000000010000\n0 isb\n"  // events 6 to 8
    "0 lock 1\n";                                            // 9

constexpr char const* break_page = "0 w 0x13000 0x0\n0 dsb ish\n";                               // 10, 11
constexpr char const* clean = "0 tlbi ipas2e1is 0x0\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n";  // 12 to 15
constexpr char const* make = "0 w 0x13000 0x500007ff\n";

std::string operator+(char const* a, std::string const& b) { return std::string(a) + b; }

trace_answer judge(std::string const& events) {
  return check_trace("t.vtr", "vmsa-trace 1\nmachine granule=4k ipa=48 start=0 pes=2\n" + events, casemate());
}

TEST(CheckDiscipline, Rules) {
  std::string const whole = break_page + (clean + std::string(make));
  std::vector<std::pair<std::string, std::string>> const rows = {
      {whole, ""},
      {"0 unlock 1\n1 lock 1\n1 w 0x13008 0x400017ff\n", ""},
      {"1 w 0x13008 0x400017ff\n", "unlocked-write@10"},
      {"0 unlock 1\n0 w 0x13008 0x400017ff\n", "unlocked-write@11"},
      {"0 w 0x13008 0x400017ff\n0 dsb ishst\n0 w 0x13010 0x400027ff\n", ""},
      {"0 w 0x13008 0x400017ff\n0 w 0x13010 0x400027ff rel\n", ""},
      {"0 w 0x13008 0x400017ff\n0 w 0x13010 0x400027ff\n", "plain-write@11"},
      {"0 w 0x13008 0x10\n0 w 0x13010 0x20\n", ""},  // what is invalid may change at any time
      {"0 hint set_pte_thread_owner 0x13008 1\n0 unlock 1\n1 w 0x13008 0x400017ff\n", ""},
      {"0 hint set_pte_thread_owner 0x13008 1\n0 w 0x13008 0x400017ff\n", "foreign-entry@11"},
      {"0 hint set_pte_thread_owner 0x13008 1\n0 w 0x12000 0x0\n", "foreign-entry@11"},
      {"0 hint set_pte_thread_owner 0x12000 1\n", "owner-of-used@10"},
      {"0 w 0x13000 0x04800000400007ff\n", ""},  // bits of software only
      {"0 w 0x13000 0x4000073f\n", "valid-to-valid@10"},
      // The sequence, with one link missing each time.
      {"0 w 0x13000 0x0\n" + std::string(clean) + make, "unclean-to-valid@15:dsb-before-missing"},
      {break_page + ("0 tlbi vmalle1is\n0 dsb ish\n" + std::string(make)), "unclean-to-valid@14:tlbi-order"},
      {break_page + ("0 tlbi ipas2e1is 0x0\n0 dsb ish\n" + std::string(make)),
       "unclean-to-valid@14:tlbi-stage1-missing"},
      {break_page + ("0 tlbi vmalls12e1is\n" + std::string(make)), "unclean-to-valid@13:dsb-after-missing"},
      {break_page + ("0 tlbi vmalls12e1is\n0 dsb ishst\n" + std::string(make)),
       "unclean-to-valid@14:dsb-after-missing"},
      {break_page + ("0 tlbi vmalls12e1is\n0 dsb nsh\n" + std::string(make)), "unclean-to-valid@14:dsb-after-missing"},
      {break_page + ("0 tlbi vmalls12e1is\n0 dsb ish\n" + std::string(make)), ""},
      {break_page + ("0 tlbi alle1is\n0 dsb sy\n" + std::string(make)), ""},
      {break_page + ("0 tlbi vmalls12e1\n0 dsb ish\n" + std::string(make)), "unclean-to-valid@14:tlbi-local"},
      {break_page + ("1 tlbi vmalls12e1is vmid=1\n1 dsb ish\n" + std::string(make)),
       "unclean-to-valid@14:tlbi-missing"},
      {break_page + ("0 tlbi ipas2e1is 0x1\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n" + std::string(make)),
       "unclean-to-valid@16:tlbi-wrong-address"},
      {break_page + ("0 tlbi alle2is\n0 dsb ish\n" + std::string(make)), "unclean-to-valid@14:tlbi-wrong-regime"},
      {break_page + ("0 unlock 1\n0 tlbi vmalls12e1is\n0 dsb ish\n0 lock 1\n" + std::string(make)),
       "unclean-to-valid@16:tlbi-missing"},
      // Tables.
      {break_page + std::string("0 w 0x12000 0x0\n"), "unclean-child@12"},
      {break_page + (clean + std::string("0 w 0x12000 0x0\n")), ""},
      {"0 w 0x12000 0x0\n0 w 0x13008 0x400017ff rel\n", "under-unlinked@11"},
      {"0 w 0x12000 0x0\n0 dsb ish\n0 tlbi vmalls12e1is\n0 dsb ish\n0 w 0x13008 0x400017ff\n", ""},
      {"0 w 0x12008 0x13003\n", "double-use@10"},
      {"0 w 0x12008 0x14003\n", ""},
      {"0 r 0x13000 0x400007ff\n", ""},
      {"0 r 0x13000 0x400007fd\n", "changed-unseen@10"},
      {"0 zero 0x14000 0x1000\n", ""},
      {"0 zero 0x13000 0x1000\n", "initialised-used@10"},
      {"0 hint set_owner_root 0x14000 0x10000\n", ""},
      {"0 hint set_owner_root 0x13000 0x10000\n", "owner-of-used@10"},
      // Roots.
      {"0 hint release_table 0x14000\n", ""},
      {"0 hint release_table 0x13000\n", "release-linked@10"},
      {"0 hint release_table 0x10000\n", "release-in-use@10"},
      {"0 msr vttbr_el2 0x0\n0 isb\n0 hint release_table 0x10000\n", ""},
      {break_page + std::string("0 msr vttbr_el2 0x0\n0 isb\n0 hint release_table 0x10000\n"), "release-unclean@14"},
      {"1 msr vttbr_el2 0x1000000010000\n", ""},
      {"1 msr vttbr_el2 0x2000000010000\n", "id-changed@10"},
      {"1 msr vttbr_el2 0x2000000020000\n1 isb\n", ""},
      {"1 msr vttbr_el2 0x1000000020000\n", "id-shared@10"},
      {"0 msr vttbr_el2 0x0\n0 isb\n0 hint release_table 0x10000\n1 msr vttbr_el2 0x1000000020000\n", ""},
      {"1 msr ttbr0_el2 0x30000\n", ""},
      {"1 msr ttbr0_el2 0x1000000030000\n", "el2-asid@10"},
      // Locks.
      {"1 lock 2\n", ""},
      {"1 lock 1\n", "lock-held@10"},
      {"1 unlock 1\n", "unlock-not-held@10"},
      {"0 unlock other\n", "unlock-not-held@10"},
  };
  std::set<std::string> seen;
  for (auto const& [events, expected] : rows) {
    trace_answer const a = judge(start + events);
    EXPECT_EQ(told(a), expected) << events;
    for (sim::discipline_violation const& v : a.against_discipline) seen.emplace(name(v.rule));
  }
  EXPECT_EQ(told(judge("0 w 0x10000 0x11003\n0 msr vttbr_el2 0x10000\n0 w 0x10008 0x12003\n")), "no-lock@3");
  seen.emplace("no-lock");
  EXPECT_EQ(seen.size(), sim::discipline_rules);
}

// A block's size, a table's root of two frames and stage 1 of EL2.
TEST(CheckDiscipline, OtherTables) {
  check_question const q = casemate();
  auto const told_of = [&](std::string const& machine, std::string const& events) {
    return told(check_trace("t.vtr", "vmsa-trace 1\nmachine " + machine + "\n" + events, q));
  };
  // 40 bits from level 1: two concatenated tables.
  std::string const two =
      "table s2 root=0x20000 vmid=3\n0 hint set_root_lock 0x20000 one\n0 lock one\n"
      "0 w 0x21008 0x40000000007fd\n0 dsb ishst\n0 w 0x21008 0x0\n0 dsb ish\n0 tlbi vmalls12e1is vmid=3\n0 dsb ish\n"
      "0 w 0x21008 0x8000000007fd\n";
  EXPECT_EQ(told_of("granule=4k ipa=40 pes=1", two), "");
  EXPECT_EQ(told_of("granule=4k ipa=40 pes=1", two + "0 w 0x21008 0x0 rel\n0 hint release_table 0x20000\n"),
            "release-unclean@11 release-in-use@11");
  std::string const el2 =
      "table s1 regime=el2 root=0x30000 t0sz=25\n0 hint set_root_lock 0x30000 2\n0 lock 2\n0 w 0x30000 0x40000705\n"
      "0 dsb ishst\n0 w 0x30000 0x0\n0 dsb ish\n";
  EXPECT_EQ(told_of("granule=4k ipa=39 pes=1", el2 + "0 tlbi vae2is 0x0\n0 dsb ish\n0 w 0x30000 0x80000705\n"), "");
  EXPECT_EQ(told_of("granule=4k ipa=39 pes=1", el2 + "0 tlbi vale2is 0x0\n0 dsb ish\n0 w 0x30000 0x80000705\n"),
            "unclean-to-valid@9:tlbi-last-level");
}

}  // namespace
}  // namespace check_discipline_test
