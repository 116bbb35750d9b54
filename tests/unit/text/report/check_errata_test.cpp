// SPDX-License-Identifier: MIT
// `vmsa check --errata`: what processors with a known fault need beside the architecture, in pairs.
#include <gtest/gtest.h>

#include "vmsa/text/report/check_report.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace check_errata_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;

constexpr char const* mapped =
    "table s2 root=0x82000000 vmid=1\n0 w 0x82002008 0x400017ff\n0 w 0x82001000 0x82002003\n"
    "0 w 0x82000000 0x82001003 rel\n0 dsb ishst\n";
constexpr char const* loaded =
    "0 msr hcr_el2 0x80000001\n0 msr vttbr_el2 0x1000082000000\n0 isb\n0 eret\n0 exc\n";  // from event 5

std::string first_of(char const* erratum, std::string const& events, char const* machine = "") {
  check_question q;
  EXPECT_EQ(set_erratum(q.policy.errata, erratum), *erratum != 0) << erratum;
  trace_answer const a =
      check_trace("t.vtr", "vmsa-trace 1\nmachine granule=4k ipa=39 pes=2 " + std::string(machine) + "\n" + events, q);
  if (a.violations.empty()) return "";
  sim::violation const& v = a.violations.front();
  return std::string(name(v.what)) + " " + std::string(name(v.why)) + "@" + std::to_string(v.event) + "<" +
         std::to_string(v.cause_event) + " " + std::string(rules_of(v));
}

struct row {
  char const* erratum;
  char const* title;
  std::string events;
  char const* told;
};

TEST(CheckErrata, Pairs) {
  std::string const unmap = std::string(mapped) + "0 w 0x82002008 0x0\n0 dsb ishst\n";  // events 5 and 6
  std::string const once = unmap + "0 tlbi vmalls12e1is\n0 dsb ish\n";                  // 7 and 8
  std::string const cnp = std::string(mapped) +
                          "0 msr vttbr_el2 0x1000082000001\n0 isb\n1 msr vttbr_el2 0x1000082000001\n1 isb\n"
                          "0 w 0x82002008 0x0\n0 dsb ish\n0 tlbi vmalls12e1\n0 dsb nsh\n1 tlbi vmalls12e1\n1 dsb nsh\n"
                          "0 done\n";
  row const rows[] = {
      {"repeat-tlbi", "one round", once + "0 done\n", "stale-at-done tlbi-not-repeated@9<8 E1"},
      {"repeat-tlbi", "and another", once + "0 tlbi vale1is 0x0\n0 dsb ish\n0 done\n", ""},
      {"repeat-tlbi", "many TLBIs share one",
       unmap + "0 tlbi ipas2e1is 0x1\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 done\n",
       ""},
      {"repeat-tlbi", "two before one DSB are one round",
       unmap + "0 tlbi vmalls12e1is\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n",
       "stale-at-done tlbi-not-repeated@10<9 E1"},
      {"repeat-tlbi", "the second is local", once + "0 tlbi vmalls12e1\n0 dsb ish\n0 done\n",
       "stale-at-done tlbi-not-repeated@11<8 E1"},
      {"repeat-tlbi", "the second by another PE", once + "1 tlbi vale1is 0x0\n1 dsb ish\n0 done\n",
       "stale-at-done tlbi-not-repeated@11<8 E1"},
      {"repeat-tlbi", "its DSB does not complete it", once + "0 tlbi vale1is 0x0\n0 dsb ishst\n0 done\n",
       "stale-at-done tlbi-not-repeated@11<8 E1"},
      {"repeat-tlbi", "before the new entry", once + "0 w 0x82002008 0x500017ff\n",
       "make-early tlbi-not-repeated@9<8 E1"},
      {"repeat-tlbi", "before the page goes to somebody else", once + "0 free 0x40001000 0x1000 data\n",
       "free-data-early tlbi-not-repeated@9<8 R56"},
      {"repeat-tlbi", "the page goes after it", once + "0 tlbi vale1is 0x0\n0 dsb ish\n0 free 0x40001000 0x1000 data\n",
       ""},
      {"repeat-tlbi", "local operations are not concerned",
       unmap + "0 tlbi vmalls12e1\n0 dsb nsh\n1 tlbi vmalls12e1\n1 dsb nsh\n0 done\n", ""},
      {"speculative-at", "a root goes while a register at EL2 holds it",
       std::string(mapped) + loaded + "0 tlbi vmalls12e1is\n0 dsb ish\n0 free 0x82000000 0x1000 table\n",
       "free-reachable -@12<0 R50"},
      {"speculative-at", "and after it left the register",
       std::string(mapped) + loaded +
           "0 tlbi vmalls12e1is\n0 dsb ish\n0 msr vttbr_el2 0x0\n0 isb\n0 free 0x82000000 0x1000 table\n",
       ""},
      {"carmel-cnp", "local operations under CnP", cnp, "stale-at-done cnp@15<11 E3"},
      {"carmel-cnp", "broadcast ones",
       std::string(mapped) +
           "0 msr vttbr_el2 0x1000082000001\n0 isb\n1 msr vttbr_el2 0x1000082000001\n1 isb\n0 w 0x82002008 0x0\n0 dsb "
           "ish\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n",
       ""},
  };
  for (row const& r : rows) {
    EXPECT_EQ(first_of(r.erratum, r.events), r.told) << r.title;
    EXPECT_EQ(first_of("", r.events), "") << "by the architecture: " << r.title;
  }
}

// Numbers of those who published them mean the same; nothing else is a name.
TEST(CheckErrata, Names) {
  for (char const* const name : {"repeat-tlbi", "CVE-2025-10263", "4118414", "1286807", "2441007", "2441009", "1009"}) {
    sim::tlb_errata e;
    EXPECT_TRUE(set_erratum(e, name) && e.repeat_tlbi && !e.speculative_at && !e.carmel_cnp) << name;
  }
  for (char const* const name : {"speculative-at", "1165522", "1319367", "1319537", "1530923"}) {
    sim::tlb_errata e;
    EXPECT_TRUE(set_erratum(e, name) && e.speculative_at) << name;
  }
  sim::tlb_errata e;
  EXPECT_FALSE(set_erratum(e, "repeat"));
  EXPECT_FALSE(set_erratum(e, ""));
}

}  // namespace
}  // namespace check_errata_test
