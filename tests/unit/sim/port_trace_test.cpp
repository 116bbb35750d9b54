// SPDX-License-Identifier: MIT
// The judge accepts what the table does, and misses no barrier, invalidation or break that is taken out of it.
#include "vmsa/sim/port_trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/text/report/check_report.hpp"

namespace port_trace_test {
namespace {

using namespace vmsa;

geometry const shape = geometry::for_ipa_size(40, granule::k4, {}).shape;
constexpr stage2_leaf ram{.fwb = true};
constexpr stage2_leaf read_only{.fwb = true, .access = stage2_access::read};

using recorder = sim::recording_port<sim::machine_memory>;
using source = sim::recording_frames<arena_frames<recorder>, recorder>;
using table_type = stage2_table<recorder, source>;

struct recording {
  pa root{};
  stage2_controls controls{};
  std::vector<sim::port_event> before;  // up to the operation
  std::vector<sim::port_event> events;  // of the operation
};

recording record(stage2_controls const& controls, std::function<void(table_type&)> const& prepare,
                 std::function<void(table_type&)> const& operation) {
  sim::machine_memory memory(u64{1} << 20, pa{0x8000'0000});
  recorder port(memory);
  arena_frames<recorder> frames(port, memory.base(), memory.size(), granule::k4);
  source given(frames, port);
  table_type table = *table_type::create(port, given, shape, controls);
  prepare(table);
  recording r{table.root(), controls, port.events, {}};
  port.events.clear();
  operation(table);
  r.events = port.events;
  return r;
}

std::size_t violations(recording const& r, std::size_t without = ~std::size_t{0}) {
  sim::port_judge checker(r.root, shape, r.controls);
  for (sim::port_event const& e : r.before) checker.on(e);
  checker.finish();
  EXPECT_TRUE(checker.violations().empty()) << text::describe(checker.violations().front());
  for (std::size_t n = 0; n < r.events.size(); ++n)
    if (n != without) checker.on(r.events[n]);
  checker.finish();
  return checker.violations().size();
}

enum class also { breaks, nothing };

// Accepted whole, and refused without any one of its barriers and invalidations, and of the breaks on the way to
// something new.
void expect_needed(recording const& r, also what = also::nothing) {
  ASSERT_FALSE(r.events.empty());
  EXPECT_EQ(violations(r), 0u);
  unsigned tried = 0;
  for (std::size_t n = 0; n < r.events.size(); ++n) {
    sim::port_event const& e = r.events[n];
    bool const breaks =
        what == also::breaks && e.kind == sim::event_kind::write && is_valid(e.before) && !is_valid(e.after);
    if (e.kind != sim::event_kind::barrier && e.kind != sim::event_kind::tlbi && !breaks) continue;
    ++tried;
    EXPECT_GT(violations(r, n), 0u) << "event " << n << " of " << r.events.size() << " is not missed";
  }
  EXPECT_GT(tried, 0u);
}

void map_pages(table_type& table) { EXPECT_TRUE(table.map_range({0x1000}, {0x4000'1000}, 0x8000, ram)); }
void map_block(table_type& table) { EXPECT_TRUE(table.map({0x20'0000}, {0x4020'0000}, level::l2, ram)); }

constexpr stage2_controls controls[] = {
    {.fwb = true, .dic = true},
    {.fwb = true, .ttl = true, .dic = true},
    {.fwb = true, .ttl = true, .tlbi_range = true, .dic = true},
};

TEST(PortJudge, Install) {
  for (stage2_controls const& c : controls)
    expect_needed(record(
        c, [](table_type&) {}, [](table_type& t) { EXPECT_TRUE(t.map({0}, {0}, level::l3, ram)); }));
}

TEST(PortJudge, UnmapOnePage) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap(ipa{0x3000})); }));
}

TEST(PortJudge, ChangeOfMemoryType) {
  for (stage2_controls const& c : controls) {
    expect_needed(
        record(c, map_pages,
               [](table_type& t) { EXPECT_TRUE(t.change_memory({0x3000}, 0x1000, stage2_memory::device_nGnRE)); }),
        also::breaks);
  }
}

TEST(PortJudge, ReplaceOutput) {
  for (stage2_controls const& c : controls) {
    expect_needed(
        record(c, map_pages,
               [](table_type& t) { EXPECT_TRUE(t.map({0x3000}, {0x7000'0000}, level::l3, ram, existing::replace)); }),
        also::breaks);
  }
}

TEST(PortJudge, WriteProtect) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.write_protect({0x1000}, 0x8000)); }));
}

TEST(PortJudge, Split) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_block, [](table_type& t) { EXPECT_TRUE(t.split({0x20'0000}, 0x20'0000)); }),
                  also::breaks);
}

TEST(PortJudge, Collapse) {
  auto const whole_table = [](table_type& t) {
    EXPECT_TRUE(t.map_range({0x20'0000}, {0x4020'0000}, 0x20'0000, ram, {.largest = level::l3}));
  };
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, whole_table, [](table_type& t) { EXPECT_TRUE(t.collapse({0x20'0000}, 0x20'0000)); }));
  }
}

TEST(PortJudge, UnlinkedTable) {
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x4000'0000)); }));
  }
}

// Mistakes of real hypervisors.
TEST(PortJudge, LevelHintForATable) {
  recording r = record(controls[0], map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x20'0000)); });
  ASSERT_EQ(violations(r), 0u);
  for (sim::port_event& e : r.events) {
    if (e.kind != sim::event_kind::tlbi) continue;
    e.invalidation = {.kind = tlbi_kind::ripas2e1is, .size = 0x20'0000, .has_level = true, .leaf = level::l3};
  }
  EXPECT_GT(violations(r), 0u);
}

TEST(PortJudge, FrameGivenBackTooEarly) {
  recording r = record(controls[0], map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x20'0000)); });
  auto const give = std::find_if(r.events.begin(), r.events.end(),
                                 [](sim::port_event const& e) { return e.kind == sim::event_kind::give; });
  ASSERT_NE(give, r.events.end());
  auto const tlbi = std::find_if(r.events.begin(), r.events.end(),
                                 [](sim::port_event const& e) { return e.kind == sim::event_kind::tlbi; });
  std::rotate(tlbi, give, give + 1);
  EXPECT_GT(violations(r), 0u);
}

TEST(PortJudge, TighteningNeedsAnInvalidation) {
  recording const relaxed = record(
      controls[0], [](table_type& t) { EXPECT_TRUE(t.map({0}, {0}, level::l3, read_only)); },
      [](table_type& t) {
        stage2_cursor cursor;
        EXPECT_TRUE(t.relax(cursor, {0}, stage2_access::read_write));
      });
  expect_needed(relaxed);
  for (sim::port_event const& e : relaxed.events) EXPECT_NE(e.kind, sim::event_kind::tlbi);
}

// What a checker must say of a sequence written by hand. One page at 0x1000 is mapped, in a table that is linked three
// levels down; the events are those of one change of it.
class written_by_hand : public ::testing::Test {
 protected:
  static constexpr u64 root = 0x1'0000;
  static constexpr u64 l2 = 0x1'2000;
  static constexpr u64 l3 = 0x1'3000;
  static constexpr u64 slot = l3 + 8;
  static constexpr u64 old_page = 0x4000'14ff | u64{1} << 10;
  static constexpr u64 new_page = 0x5000'14ff | u64{1} << 10;

  using event = sim::port_event;
  std::map<u64, u64> words;
  std::vector<event> events;

  event& add(event const& e) { return events.emplace_back(e); }
  void write(u64 where, u64 raw, u8 pe = 0) {
    // A link is a store-release, as a table's own is.
    bool const link = where != slot && (raw & 0b11) == 0b11;
    add({.kind = sim::event_kind::write,
         .where = {where},
         .before = {words[where]},
         .after = {raw},
         .order = link ? sim::trace_store::release : sim::trace_store::plain,
         .pe = pe});
    words[where] = raw;
  }
  void dsb(barrier b = barrier::dsb_ish, u8 pe = 0) { add({.kind = sim::event_kind::barrier, .fence = b, .pe = pe}); }
  void forget(tlbi const& op, u8 pe = 0) { add({.kind = sim::event_kind::tlbi, .invalidation = op, .pe = pe}); }
  void give(u64 where) { add({.kind = sim::event_kind::give, .where = {where}, .size = 0x1000}); }

  void map() {
    write(l3 + 8, old_page);
    write(l2, l3 | 0b11);
    write(root, l2 | 0b11);
    dsb(barrier::dsb_ishst);
  }
  static tlbi page_op(level leaf = level::l3) { return {tlbi_kind::ipas2e1is, {0x1000}, 0, granule::k4, true, leaf}; }
  static constexpr tlbi combined{.kind = tlbi_kind::vmalle1is};
  static constexpr tlbi everything{.kind = tlbi_kind::vmalls12e1is};

  using what = sim::violation_class;

  // The first violation is of this class, or there is none.
  void expect(std::optional<what> wanted, stage2_controls const& machine = {.fwb = true, .dic = true}) {
    sim::port_judge judge({root}, shape, machine);
    for (event const& e : events) judge.on(e);
    judge.finish();
    if (!wanted) {
      EXPECT_TRUE(judge.violations().empty()) << text::describe(judge.violations().front());
      return;
    }
    ASSERT_FALSE(judge.violations().empty());
    EXPECT_EQ(judge.violations().front().what, *wanted) << text::describe(judge.violations().front());
  }
  static constexpr std::nullopt_t nothing = std::nullopt;
};

TEST_F(written_by_hand, BreakBeforeMake) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op());
  dsb();
  forget(combined);
  dsb();
  write(slot, new_page);
  dsb(barrier::dsb_ishst);
  expect(nothing);
}
TEST_F(written_by_hand, NoBreak) {
  map();
  write(slot, new_page);
  dsb(barrier::dsb_ishst);
  forget(everything);
  dsb();
  expect(what::no_break);
}
TEST_F(written_by_hand, NoDsbBeforeTheTlbi) {
  map();
  write(slot, 0);
  forget(page_op());
  dsb();
  forget(combined);
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, NoDsbAfterTheTlbi) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op());
  dsb();
  forget(combined);
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, NoDsbBetweenStage2AndCombined) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op());
  forget(combined);
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, ADsbForStoresCompletesNoTlbi) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(everything);
  dsb(barrier::dsb_ishst);
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, NoTlbi) {
  map();
  write(slot, 0);
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, NoCombinedTlbi) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op());
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, CombinedBeforeStage2) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(combined);
  dsb();
  forget(page_op());
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, WrongLevelHint) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op(level::l2));
  dsb();
  forget(combined);
  dsb();
  expect(what::stale_at_done);
}
TEST_F(written_by_hand, AnotherPagesTlbi) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget({tlbi_kind::ipas2e1is, {0x2000}, 0, granule::k4, false, level::l3});
  dsb();
  forget(combined);
  dsb();
  expect(what::stale_at_done);
}
// A table entry goes with any one address below it, each leaf with its own: not the whole range need be named.
TEST_F(written_by_hand, RangeOfARemovedTable) {
  for (u64 const first : {u64{0}, u64{0x2000}}) {
    words.clear();
    events.clear();
    map();
    write(l2, 0);
    dsb(barrier::dsb_ishst);
    forget({tlbi_kind::ripas2e1is, {first}, 0x4000, granule::k4, false, level::l3});
    dsb();
    forget(combined);
    dsb();
    expect(first == 0 ? std::nullopt : std::optional(what::stale_at_done));
  }
}
// The operations that cover a range come in any order.
TEST_F(written_by_hand, RangesInDescendingOrder) {
  map();
  write(l3 + 0x18, 0x4000'34ff | u64{1} << 10);
  dsb();
  write(l2, 0);
  dsb(barrier::dsb_ishst);
  for (u64 const first : {u64{0x2000}, u64{0}})
    forget({tlbi_kind::ripas2e1is, {first}, 0x2000, granule::k4, false, level::l3});
  dsb();
  forget(combined);
  dsb();
  expect(nothing);
}
// The stage 2 entries by one PE, the combined ones by another: each completes its own.
TEST_F(written_by_hand, TwoPesShareTheInvalidation) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(page_op());
  dsb();
  forget(combined, 1);
  dsb(barrier::dsb_ish, 1);
  expect(nothing);
}
TEST_F(written_by_hand, MadeBeforeTheTlbiIsComplete) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(everything);
  write(slot, new_page);
  dsb();
  expect(what::make_early);
}
TEST_F(written_by_hand, BlockMadeBeforeTheTablesTlbi) {
  map();
  write(l2, 0);
  dsb(barrier::dsb_ishst);
  write(l2, 0x4000'04fd);
  dsb();
  forget(everything);
  dsb();
  expect(what::make_early);
}
TEST_F(written_by_hand, TableGivenBackTooEarly) {
  for (bool const early : {true, false}) {
    words.clear();
    events.clear();
    map();
    write(l2, 0);
    dsb(barrier::dsb_ishst);
    forget(everything);
    if (early) give(l3);
    dsb();
    if (!early) give(l3);
    expect(early ? std::optional(what::free_early) : nothing);
  }
}
TEST_F(written_by_hand, ReachableTableGivenBack) {
  map();
  give(l3);
  expect(what::free_reachable);
}
TEST_F(written_by_hand, InstallWithoutDsb) {
  map();
  write(l3 + 16, new_page);
  expect(what::publish_missing);
}

// A walker that reads memory and no caches.
TEST_F(written_by_hand, TableLinkedBeforeItIsCleaned) {
  stage2_controls const machine{.fwb = true, .dic = true, .coherent_walks = false};
  auto const clean = [&](u64 where, u64 size) {
    add({.kind = sim::event_kind::maintain, .where = {where}, .size = size, .cache = cache_op::clean_to_poc});
  };
  for (int const missing : {0, 1, 2, 3}) {
    words.clear();
    events.clear();
    write(l3 + 8, old_page);
    if (missing != 1) clean(l3, 0x1000);
    write(l2, l3 | 0b11);
    if (missing != 2) clean(l2, 0x1000);
    write(root, l2 | 0b11);
    if (missing != 3) clean(root, 8);
    dsb(barrier::dsb_ishst);
    expect(missing == 0 ? std::nullopt : std::optional(what::clean_missing), machine);
  }
}
TEST_F(written_by_hand, CleanedBeforeItWasWritten) {
  map();
  events.push_back(
      {.kind = sim::event_kind::maintain, .where = {root}, .size = 0x4000, .cache = cache_op::clean_to_poc});
  std::rotate(events.begin(), events.end() - 1, events.end());
  dsb(barrier::dsb_ishst);
  expect(what::clean_missing, {.fwb = true, .dic = true, .coherent_walks = false});
}

// Barriers and TLBI are the issuing PE's.
TEST_F(written_by_hand, AnotherPesBarriers) {
  for (int const foreign : {0, 1, 2, 3}) {
    words.clear();
    events.clear();
    map();
    auto const pe = [&](int n) { return static_cast<u8>(foreign == n); };
    write(slot, 0);
    dsb(barrier::dsb_ishst, pe(1));
    forget(page_op());
    dsb(barrier::dsb_ish, pe(2));
    forget(combined);
    dsb(barrier::dsb_ish, pe(3));
    expect(foreign == 0 ? std::nullopt : std::optional(what::stale_at_done));
  }
}
TEST_F(written_by_hand, AnotherPeMayInvalidateWhatItCanSee) {
  map();
  write(slot, 0);
  dsb(barrier::dsb_ishst);
  forget(everything, 1);
  dsb(barrier::dsb_ish, 1);
  write(slot, new_page, 1);
  dsb(barrier::dsb_ishst, 1);
  expect(nothing);
}
// A table is invalid for a while, with the same entries before and after: but what changed below it meanwhile counts.
TEST_F(written_by_hand, ChangedInATableThatCameBack) {
  for (bool const changed : {false, true}) {
    words.clear();
    events.clear();
    map();
    write(l2, 0);
    if (changed) write(slot, 0);
    write(l2, l3 | 0b11);
    dsb(barrier::dsb_ishst);
    expect(changed ? std::optional(what::stale_at_done) : nothing);
  }
}
TEST_F(written_by_hand, WalkersUpdateByThemselves) {
  map();
  add({.kind = sim::event_kind::update, .where = {slot}, .before = {old_page}, .after = {old_page | 0x80}});
  expect(nothing);
}

}  // namespace
}  // namespace port_trace_test
