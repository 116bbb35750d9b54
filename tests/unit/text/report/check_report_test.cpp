// SPDX-License-Identifier: MIT
#include "vmsa/text/report/check_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "golden_rows.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace {

std::string written_lines;

}  // namespace

#define VMSA_TRACE(...)                            \
  do {                                             \
    char line[256];                                \
    std::snprintf(line, sizeof line, __VA_ARGS__); \
    written_lines += line;                         \
  } while (false)
#include "vmsa/c/trace.h"

namespace check_report_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;
using ::testing::HasSubstr;

std::string field(sim::violation const* v, unsigned n) {
  if (v == nullptr) return "-";
  switch (n) {
    case 2: return std::string(name(v->what));
    case 3: return std::string(name(v->why));
    case 4: return std::to_string(v->line);
    case 5: return std::to_string(v->event);
    case 6: return v->cause_line == 0 ? "-" : std::to_string(v->cause_line);
    default: return std::string(name(v->severity));
  }
}

// Pairs that differ in one thing: verdict, class, cause, line, event, line of the cause and severity of each.
TEST(CheckReport, EveryTraceHasItsVerdict) {
  std::string const folder = tests_folder() + "/traces/";
  unsigned rows = 0;
  for (golden_row const& row : golden_rows("traces/expected.tsv", 8)) {
    SCOPED_TRACE(row[0]);
    trace_answer const a = check_trace(row[0], read_trace_bytes(folder + row[0]), {});
    constexpr char const* verdicts[] = {"good", "warn", "bad"};
    EXPECT_EQ(verdicts[static_cast<unsigned>(a.verdict())], row[1]);
    sim::violation const* const first = a.violations.empty() ? nullptr : a.violations.data();
    for (unsigned n = 2; n < 8; ++n) EXPECT_EQ(field(first, n), row[n]) << "column " << n;
    ++rows;
  }
  EXPECT_EQ(rows, 140u);
}

// Further pairs in other geometries, regimes and domains, reasoned from the rules before any was run: verdict, class
// and cause of each.
TEST(CheckReport, FurtherTracesHaveTheirVerdicts) {
  std::string const folder = tests_folder() + "/traces/further/";
  unsigned rows = 0;
  for (golden_row const& row : golden_rows("traces/further/expected.tsv", 4)) {
    SCOPED_TRACE(row[0]);
    trace_answer const a = check_trace(row[0], read_trace_bytes(folder + row[0]), {});
    EXPECT_EQ(a.verdict() == trace_answer::verdict_type::good ? "good" : "bad", row[1]);
    sim::violation const* const first = a.violations.empty() ? nullptr : a.violations.data();
    EXPECT_EQ(field(first, 2), row[2]);
    EXPECT_EQ(field(first, 3), row[3]);
    ++rows;
  }
  EXPECT_EQ(rows, 100u);
}

// Printed and read again, every trace is judged alike.
TEST(CheckReport, TheTextFormSaysEverything) {
  std::string const folder = tests_folder() + "/traces/";
  for (golden_row const& row : golden_rows("traces/expected.tsv", 1)) {
    std::string const& file = row[0];
    SCOPED_TRACE(file);
    std::string const content = read_trace_bytes(folder + file);
    std::string const again = trace_as_text(file, content);
    trace_answer const before = check_trace(file, content, {});
    trace_answer const after = check_trace(file, again, {});
    EXPECT_EQ(before.events, after.events);
    ASSERT_EQ(before.violations.size(), after.violations.size());
    for (std::size_t i = 0; i < before.violations.size(); ++i)
      EXPECT_EQ(describe(before.violations[i]), describe(after.violations[i]));
    EXPECT_EQ(trace_as_text(file, again), again);
  }
}

// The binary form says the same; only lines are records there.
TEST(CheckReport, TheBinaryFormSaysEverything) {
  std::string const folder = tests_folder() + "/traces/";
  for (golden_row const& row : golden_rows("traces/expected.tsv", 1)) {
    std::string const& file = row[0];
    SCOPED_TRACE(file);
    std::string const content = read_trace_bytes(folder + file);
    trace_reader reader(file, content);
    std::string records;
    std::vector<sim::trace_table> tables;
    for (;;) {
      trace_reader::item const what = reader.next();
      if (what == trace_reader::item::end) break;
      if (what == trace_reader::item::table)
        tables.push_back(reader.table());
      else
        records += trace_record(reader.event());
    }
    std::string const binary = trace_binary_file(reader.machine(), tables, records);
    trace_answer const before = check_trace(file, content, {});
    trace_answer const after = check_trace(file, binary, {});
    EXPECT_EQ(before.events, after.events);
    ASSERT_EQ(before.violations.size(), after.violations.size());
    for (std::size_t i = 0; i < before.violations.size(); ++i)
      EXPECT_EQ(describe(before.violations[i]), describe(after.violations[i]));
    EXPECT_EQ(trace_as_text(file, binary), trace_as_text(file, trace_as_text(file, binary)));
  }
}

// What a hypervisor in C writes with vmsa/c/trace.h.
TEST(CheckReport, ACHypervisorWritesTheFormat) {
  for (bool const with_dsb : {true, false}) {
    written_lines.clear();
    vmsa_trace_begin("granule=4k ipa=39 pes=2");
    vmsa_trace_table(0x82000000, 1);
    vmsa_trace_zero(0, 0x82000000, 0x3000);
    vmsa_trace_write(0, 0x82002008, 0x400017ff, "");
    vmsa_trace_write(0, 0x82001000, 0x82002003, "rel");
    vmsa_trace_write(0, 0x82000000, 0x82001003, "rel");
    vmsa_trace_dsb(0, "ishst");
    vmsa_trace_write(0, 0x82002008, 0, "");
    if (with_dsb) vmsa_trace_dsb(0, "ishst");
    vmsa_trace_tlbi_address(0, "ipas2e1is", 0x700000000001);
    vmsa_trace_dsb(0, "ish");
    vmsa_trace_tlbi(0, "vmalle1is");
    vmsa_trace_dsb(0, "ish");
    vmsa_trace_free(0, 0x82004000, 0x1000);
    vmsa_trace_done(0);
    trace_answer const a = check_trace("c.vtr", written_lines, {});
    EXPECT_EQ(a.violations.empty(), with_dsb);
    if (!with_dsb) {
      EXPECT_EQ(a.violations.front().why, sim::violation_cause::dsb_before_missing);
    }
  }
}

// A log of the form that Casemate writes, by the architecture.
TEST(CheckReport, Casemate) {
  std::string const head =
      "(mem-init (id 0) (tid 0) (address 0x82000000) (size 0x1000) (src \"a.c:1\"))\n"
      "(mem-init (id 1) (tid 0) (address 82001000) (size 1000) (src \"a.c:2\"))\n"
      "(hint (id 2) (tid 0) (kind set_root_lock) (location 0x82000000) (value 0x82005000) (src \"a.c:3\"))\n"
      "(mem-write (id 3) (tid 0) (mem-order release) (address 0x82000000) (value 0x82001003) (src \"a.c:4\"))\n"
      "(sysreg-write (id 4) (tid 0) (sysreg vttbr_el2) (value 0x82000000) (src \"a.c:5\"))\n"
      "(mem-write (id 5) (tid 0) (mem-order plain) (address 0x82000000) (value 0x0) (src \"a.c:6\"))\n"
      "(barrier (id 6) (tid 0) dsb (kind ish) (src \"a.c:7\"))\n";
  std::string const make =
      "(mem-write (id 9) (tid 0) (mem-order release) (address 0x82000000) (value 0x82002003) (src \"a.c:9\"))\n"
      "! BBM invalid unclean->valid\n";
  trace_answer const bad = check_trace("bad.log", head + make, {});
  ASSERT_EQ(bad.violations.size(), 1u);
  EXPECT_EQ(bad.violations[0].what, sim::violation_class::make_early);
  EXPECT_EQ(bad.violations[0].why, sim::violation_cause::tlbi_missing);
  EXPECT_EQ(bad.violations[0].line, 8u);
  EXPECT_EQ(bad.sources[0], "a.c:9");
  trace_answer const good = check_trace("good.log",
                                        head +
                                            "(tlbi (id 7) (tid 0) vmalls12e1is (src \"a.c:8\"))\n(barrier (id 8) (tid "
                                            "0) dsb (kind ish) (src \"a.c:8\"))\n" +
                                            make,
                                        {});
  EXPECT_TRUE(good.violations.empty()) << describe(good.violations.front());
}

trace_answer check(std::string const& events, std::string const& machine = "granule=4k ipa=39 pes=2") {
  return check_trace("t.vtr", "vmsa-trace 1\nmachine " + machine + "\n" + events, {});
}

constexpr char const* start =
    "table s2 root=0x82000000 vmid=1\n"
    "0 w 0x82002008 0x400017ff\n"
    "0 w 0x82001000 0x82002003\n"
    "0 w 0x82000000 0x82001003 rel\n"
    "0 dsb ishst\n";

struct row {
  char const* title;
  char const* machine;
  char const* events;
  char const* what;  // class and cause, "" for none
};

// Situations beside those of the files, each with what the rules make of it.
TEST(CheckReport, Situations) {
  constexpr char const* usual = "granule=4k ipa=39 pes=2";
  row const rows[] = {
      {"the other PE's DSB does not make the break visible for certain", usual,
       "0 w 0x82002008 0x0\n1 dsb ish\n1 tlbi vmalls12e1is\n1 dsb ish\n1 done\n", "stale-at-done dsb-other-pe"},
      {"a PE in another Inner Shareable domain", "granule=4k ipa=39 pes=2 inner=0,1",
       "0 w 0x82002008 0x0\n0 dsb oshst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n", "stale-at-done tlbi-domain"},
      {"OS reaches it, with DSB OSH", "granule=4k ipa=39 pes=2 inner=0,1",
       "0 w 0x82002008 0x0\n0 dsb oshst\n0 tlbi vmalls12e1os\n0 dsb osh\n0 done\n", ""},
      {"OS needs more than DSB ISH", "granule=4k ipa=39 pes=2 inner=0,1",
       "0 w 0x82002008 0x0\n0 dsb oshst\n0 tlbi vmalls12e1os\n0 dsb ish\n0 done\n", "stale-at-done dsb-weak"},
      {"each PE invalidates for itself", usual,
       "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi vmalls12e1\n0 dsb nsh\n1 tlbi vmalls12e1\n1 dsb nsh\n0 done\n", ""},
      {"address bits spill into the hint", usual,
       "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi ipas2e1is 0x900000000001\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 "
       "done\n",
       "stale-at-done tlbi-wrong-level"},
      {"without FEAT_TTL the same bits are nothing", "granule=4k ipa=39 pes=2 ttl=0",
       "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi ipas2e1is 0x900000000001\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 "
       "done\n",
       ""},
      {"combined entries only", usual, "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi vmalle1is\n0 dsb ish\n0 done\n",
       "stale-at-done tlbi-scope"},
      {"by IPA in words", usual,
       "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi ipas2le1is ipa=0x1000 level=3\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb "
       "ish\n0 done\n",
       ""},
      {"invalid and the same again", usual, "0 w 0x82002008 0x0\n0 w 0x82002008 0x400017ff\n0 dsb ish\n0 done\n", ""},
      {"another VM's operation in between", usual,
       "table s2 root=0x83000000 vmid=2\n0 w 0x82002008 0x0\n1 w 0x83000000 0x400007fd\n1 dsb ishst\n1 done\n0 dsb "
       "ishst\n0 tlbi vmalls12e1is vmid=1\n0 dsb ish\n0 done\n",
       ""},
      {"walkers that read memory", "granule=4k ipa=39 pes=2 walks=noncoherent",
       "0 w 0x82002008 0x0\n0 dsb ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n", "clean-missing dc-missing"},
      {"a block is split under nT", "granule=4k ipa=39 pes=2 bbm=1",
       "0 w 0x82001008 0x402007fd\n0 dsb ishst\n0 done\n0 w 0x82001008 0x402107fd\n0 dsb ishst\n0 tlbi "
       "vmalls12e1is\n0 dsb ish\n0 fill 0x82004000 0x1000 0x402007ff 0x1000\n0 w 0x82001008 0x82004003 rel\n0 dsb "
       "ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n",
       ""},
      {"and not before TLBs have nT", "granule=4k ipa=39 pes=2 bbm=1",
       "0 w 0x82001008 0x402007fd\n0 dsb ishst\n0 done\n0 w 0x82001008 0x402107fd\n0 dsb ishst\n0 fill 0x82004000 "
       "0x1000 0x402007ff 0x1000\n0 w 0x82001008 0x82004003 rel\n0 dsb ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n",
       "make-early tlbi-missing"},
      {"level 2 is for pure changes of size", "granule=4k ipa=39 pes=2 bbm=2",
       "0 w 0x82001008 0x402007fd\n0 dsb ishst\n0 done\n0 fill 0x82004000 0x1000 0x406007ff 0x1000\n0 w 0x82001008 "
       "0x82004003 rel\n0 dsb ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n",
       "no-break -"},
      {"a removed table and no invalidation", usual, "0 w 0x82001000 0x0\n0 dsb ishst\n0 done\n",
       "stale-at-done tlbi-missing"},
      {"a guest runs under another FWB", usual,
       "0 msr hcr_el2 0x80000001\n0 msr vttbr_el2 0x1000082000000\n0 isb\n0 eret\n0 exc\n0 msr hcr_el2 "
       "0x400080000001\n0 isb\n0 eret\n",
       "control-stale tlbi-missing"},
      {"invalidated after the change", usual,
       "0 msr hcr_el2 0x80000001\n0 msr vttbr_el2 0x1000082000000\n0 isb\n0 eret\n0 exc\n0 msr hcr_el2 "
       "0x400080000001\n0 isb\n0 tlbi vmalls12e1is\n0 dsb ish\n0 eret\n",
       ""},
      {"before any guest nothing is cached", usual,
       "0 w 0x82002008 0x500017ff\n0 dsb ishst\n0 msr vttbr_el2 0x1000082000000\n0 isb\n0 eret\n0 done\n", ""},
      {"a member of a Contiguous run is forgotten", usual,
       "0 fill 0x82002100 0x80 0x100000500207ff 0x1000\n0 dsb ishst\n0 done\n0 zero 0x82002100 0x80\n0 dsb ishst\n0 "
       "tlbi ipas2e1is 0x700000000020\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 done\n",
       "stale-at-done tlbi-wrong-address"},
  };
  for (row const& r : rows) {
    SCOPED_TRACE(r.title);
    trace_answer const a = check(std::string(start) + r.events, r.machine);
    std::string const got = a.violations.empty() ? ""
                                                 : std::string(name(a.violations.front().what)) + " " +
                                                       std::string(name(a.violations.front().why));
    EXPECT_EQ(got, r.what);
  }
}

TEST(CheckReport, Asid) {
  auto const stage1 = [](char const* op) {
    trace_answer const a = check(
        "table s1 regime=el10 root=0x83000000 vmid=1 asid=5 t0sz=25\n0 w 0x83002008 0x40001f43\n0 w 0x83001000 "
        "0x83002003\n0 w 0x83000000 0x83001003 rel\n0 dsb ishst\n0 w 0x83002008 0x0\n0 dsb ishst\n0 tlbi " +
        std::string(op) + " vmid=1\n0 dsb ish\n0 isb\n0 done\n");
    return a.violations.empty() ? sim::violation_cause::none : a.violations.front().why;
  };
  using sim::violation_cause;
  EXPECT_EQ(violation_cause::none, stage1("vae1is 0x5700000000001"));
  EXPECT_EQ(violation_cause::tlbi_wrong_asid, stage1("vae1is 0x6700000000001"));
  EXPECT_EQ(violation_cause::none, stage1("aside1is 0x5000000000000"));
  EXPECT_EQ(violation_cause::tlbi_wrong_asid, stage1("aside1is 0x105000000000000"));
  EXPECT_EQ(violation_cause::none, stage1("rvaae1is 0x400000000001"));
  EXPECT_EQ(violation_cause::tlbi_scope, stage1("ipas2e1is 0x1"));
}

TEST(CheckReport, SaysEventPlaceCauseAndWho) {
  trace_answer const a = check(std::string(start) +
                               "0 w 0x82002008 0x0 src=mm.c:120\n0 dsb ishst\n0 tlbi ipas2e1is 0x600000000001\n0 dsb "
                               "ish\n0 tlbi vmalle1is\n0 dsb ish\n0 w 0x82002008 0x500017ff src=mm.c:130\n");
  EXPECT_EQ(
      as_text(tell(a)),
      "t.vtr:14: event 11: make-early: IPA 0x1000 (VMID 1, level 3): 0x400017ff may still be cached when 0x500017ff "
      "is written (mm.c:130)\n"
      "    cause: t.vtr:10: event 7: tlbi-wrong-level [R43]\n"
      "    who:   PE 0,1, any entry; severity corrupt\n"
      "1 violation, 11 events\n");
  EXPECT_THAT(to_json(a),
              HasSubstr("\"cause\": \"tlbi-wrong-level\",\n      \"line\": 14,\n      \"event\": 11,\n      "
                        "\"cause_line\": 10,\n      \"severity\": \"corrupt\",\n      \"rules\": [\n"));
}

TEST(CheckReport, BadTraces) {
  struct bad {
    char const* content;
    char const* says;
  };
  bad const rows[] = {
      {"", "the first line is"},
      {"vmsa-trace 2\n", "the first line is"},
      {"vmsa-trace 1\nmachine granule=8k\n", "t:2: granule=8k"},
      {"vmsa-trace 1\n0 frob\n", "t:2: verb \"frob\""},
      {"vmsa-trace 1\n5 isb\n", "t:2: PE 5 of 2"},
      {"vmsa-trace 1\n0 w 0x1001 0x0\n", "t:2: address 0x1001"},
      {"vmsa-trace 1\n0 w 0x1000 10g\n", "t:2: value \"10g\""},
      {"vmsa-trace 1\n0 w 0x1000\n", "t:2: value is missing"},
      {"vmsa-trace 1\n0 w 0x1000 0x11112222333344445\n", "t:2: value"},
      {"vmsa-trace 1\n0 tlbi vae9is 0x1\n", "t:2: TLBI \"vae9is\""},
      {"vmsa-trace 1\n0 tlbi ipas2e1is\n", "t:2: ipas2e1is without its operand"},
      {"vmsa-trace 1\n0 dsb ishstx\n", "t:2: barrier \"ishstx\""},
      {"vmsa-trace 1\n0 zero 0x1000 0x7\n", "t:2: a size of 0x7"},
      {"vmsa-trace 1\n0 fill 0x1000 0x8000000000 0 0\n", "t:2: a size of 0x8000000000"},
      {"vmsa-trace 1\n0 w 0x1000 0x0 when=1\n", "t:2: \"when=1\" after w"},
      {"vmsa-trace 1\ntable s2 vmid=1\n", "t:2: a table without root="},
      {"vmsa-trace 1\ntable s2 root=0x1008\n", "t:2: the root is not aligned"},
      {"vmsa-trace 1\n0 isb\n! no-such-class\n", "t:3: the expectation \"no-such-class\""},
      {"VMSATRB1", "a header that ends early"},
  };
  for (bad const& b : rows) {
    SCOPED_TRACE(b.content);
    try {
      (void)check_trace("t", b.content, {});
      ADD_FAILURE() << "is read";
    } catch (input_error const& e) {
      EXPECT_THAT(e.what(), HasSubstr(b.says));
    }
  }
}

TEST(CheckReport, ExpectationsAreChecked) {
  std::string const events = std::string(start) + "0 w 0x82002008 0x500017ff\n! no-break\n";
  EXPECT_TRUE(check(events).unmet.empty());
  EXPECT_EQ(check(events + "0 isb\n! stale-at-done\n").unmet.size(), 1u);
}

TEST(CheckReport, LenientReadingCounts) {
  check_question q;
  q.reading.lenient = true;
  trace_answer const a = check_trace("t", "vmsa-trace 1\n0 isb\n0 frob\n0 isb\n", q);
  EXPECT_EQ(a.events, 2u);
  EXPECT_EQ(a.skipped, 1u);
}

}  // namespace
}  // namespace check_report_test
