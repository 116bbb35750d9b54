// SPDX-License-Identifier: MIT
// Every barrier, TLBI and break of the table's operations is taken out, one at a time, in each mode and with every
// granule: the judge misses each.
#include "vmsa/sim/checker.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "one_at_a_time.hpp"
#include "table_operations.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_trace.hpp"
#include "vmsa/text/report/check_report.hpp"

namespace checker_test {
namespace {

using namespace vmsa;

using recorder = test::one_at_a_time<sim::recording_port<sim::machine_memory>>;

template <class Mode>
using table_of = stage2_table<recorder, arena_frames<recorder, Mode>, geometry, Mode>;

struct tally {
  unsigned events = 0;
  unsigned redundant = 0;
  std::vector<std::string> missed;
};

template <class Mode>
void drop_each(granule tg, stage2_controls const& controls, test::table_operation<table_of<Mode>> const& what,
               tally& out) {
  geometry const shape = geometry::for_ipa_size(40, tg, {}).shape;
  test::table_sizes const s{granule_size(tg), level_size(tg, level::l2)};
  sim::machine_memory memory(u64{8} << 20, pa{0x8000'0000});
  recorder port(memory);
  arena_frames<recorder, Mode> frames(port, memory.base(), memory.size(), tg);
  table_of<Mode> table(std::move(*table_of<Mode>::create(port, frames, shape, controls)));
  ASSERT_TRUE(what.prepare(table, s));
  std::vector<sim::port_event> const before = port.events;
  port.events.clear();
  ASSERT_TRUE(what.run(table, s));
  std::vector<sim::port_event> const events = port.events;
  auto const judged = [&](std::size_t without) {
    sim::port_judge judge(table.root(), shape, controls, 2);
    for (sim::port_event const& e : before) judge.on(e);
    judge.finish();
    for (std::size_t n = 0; n < events.size(); ++n)
      if (n != without) judge.on(events[n]);
    judge.finish();
    return judge.first() == nullptr ? std::string() : text::describe(*judge.first());
  };
  std::string const whole = judged(events.size());
  EXPECT_EQ(whole, "") << what.name;
  for (std::size_t n = 0; n < events.size(); ++n) {
    sim::port_event const& e = events[n];
    if (e.kind != sim::event_kind::barrier && e.kind != sim::event_kind::tlbi) continue;
    ++out.events;
    bool const may_go = test::may_go(what.name, controls.bbm, events, n);
    out.redundant += may_go && std::string(what.name) == "split";
    if (judged(n).empty() != may_go)
      out.missed.push_back(std::string(what.name) + ": event " + std::to_string(n + 1) + " of " +
                           std::to_string(events.size()));
  }
}

template <class Mode>
tally drop_all() {
  tally out;
  for (granule const tg : {granule::k4, granule::k16, granule::k64})
    for (u8 const bbm : {u8{0}, u8{2}})
      for (stage2_controls c :
           {stage2_controls{.fwb = true, .dic = true}, stage2_controls{.fwb = true, .ttl = true, .dic = true},
            stage2_controls{.fwb = true, .ttl = true, .tlbi_range = true, .dic = true},
            stage2_controls{.fwb = true, .dic = true, .coherent_walks = false}}) {
        c.bbm = bbm;
        for (test::table_operation<table_of<Mode>> const& what : test::table_operations<table_of<Mode>>())
          drop_each<Mode>(tg, c, what, out);
      }
  return out;
}

TEST(Checker, EachBarrierAndTlbiOfTheTableIsNeeded) {
  tally const one = drop_all<exclusive>();
  EXPECT_GT(one.events, 500u);
  EXPECT_EQ(one.redundant, 12u);
  EXPECT_TRUE(one.missed.empty()) << ::testing::PrintToString(one.missed);
}

TEST(Checker, AndOfTheCompactTable) {
  tally const one = drop_all<compact>();
  EXPECT_GT(one.events, 500u);
  EXPECT_EQ(one.redundant, 12u);
  EXPECT_TRUE(one.missed.empty()) << ::testing::PrintToString(one.missed);
}

TEST(Checker, AndOfTheLockFreeTable) {
  tally const one = drop_all<lock_free>();
  EXPECT_GT(one.events, 500u);
  EXPECT_EQ(one.redundant, 12u);
  EXPECT_TRUE(one.missed.empty()) << ::testing::PrintToString(one.missed);
}

TEST(Checker, RefusesWhatMakesNoSense) {
  sim::trace_machine machine;
  for (unsigned const pes : {0u, 65u}) {
    machine.pes = pes;
    EXPECT_THROW((void)sim::checker(machine), std::invalid_argument);
  }
  machine.pes = 2;
  sim::checker judge(machine);
  sim::trace_event event;
  event.pe = 2;
  EXPECT_THROW(judge.on(event), std::invalid_argument);
  sim::trace_table misaligned;
  misaligned.root = 0x1008;
  EXPECT_THROW(judge.declare(misaligned), std::invalid_argument);
}

// A page that comes or goes is judged in one look where that is enough. Here it is not: each trace has the one
// circumstance that asks for more.
TEST(Checker, LooksTwiceAtAPageWhereOneLookIsNotEnough) {
  std::string const machine = "vmsa-trace 1\nmachine granule=4k ipa=39 pes=2\ntable s2 root=0x40000000 vmid=1\n";
  std::string const link =
      "0 w 0x40001000 0x40002003 rel\n0 w 0x40000000 0x40001003 rel\n0 w 0x40002000 0x8000077f\n0 dsb ishst\n0 done\n";
  struct row {
    char const* why;
    std::string trace;
    std::string says;  // of the first violation, after the event; empty: there is none
  };
  row const rows[] = {
      {"an old entry of the word that another PE writes now: its DSB is as good as the writer's",
       machine + link +
           "0 w 0x40002000 0x0\n0 w 0x40002000 0x800007ff\n1 w 0x40002000 0x0\n1 dsb ishst\n1 tlbi ipas2e1is 0x0\n"
           "1 dsb ish\n1 tlbi vmalle1is\n1 dsb ish\n1 done\n0 dsb ishst\n0 done\n",
       ""},
      {"a second VMID, whose TLB entries stay",
       machine + "table s2 root=0x40000000 vmid=2\n" + link +
           "0 w 0x40002000 0x0\n0 dsb ishst\n0 tlbi vmalls12e1is vmid=1\n0 dsb ish\n0 done\n",
       "stale-at-done"},
      {"data that was given away before, since when it is counted what leads to which page",
       machine + link + "0 free 0x90000000 0x1000 data\n0 w 0x40002008 0x900017ff\n0 dsb ishst\n" +
           "0 free 0x90001000 0x1000 data\n",
       "free-data-early"},
      {"a table that no PE has loaded: no walk needs to see its page",
       machine + "0 w 0x40001000 0x40002003 rel\n0 w 0x40000000 0x40001003 rel\n0 w 0x40002000 0x8000077f\n0 done\n"
                 "0 msr vttbr_el2 0x0\n",
       ""},
  };
  for (row const& r : rows) {
    SCOPED_TRACE(r.why);
    text::trace_answer const a = text::check_trace("page", r.trace, {});
    std::string const first = a.violations.empty() ? "" : text::describe(a.violations.front());
    if (r.says.empty())
      EXPECT_EQ(first, "");
    else
      EXPECT_NE(first.find(": " + r.says + ":"), std::string::npos) << first;
  }
}

}  // namespace
}  // namespace checker_test
