// SPDX-License-Identifier: MIT
// The checker accepts what the table does, and misses no barrier, invalidation or break that is taken out of it.
#include "vmsa/sim/bbm_checker.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

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
  sim::bbm_checker checker(r.root, shape, r.controls);
  for (sim::port_event const& e : r.before) checker.on(e);
  checker.finish();
  EXPECT_TRUE(checker.violations().empty()) << checker.violations().front();
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
    bool const breaks = what == also::breaks && e.kind == sim::event_kind::write && is_valid(e.before) &&
                        !is_valid(e.after);
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

TEST(BbmChecker, Install) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, [](table_type&) {}, [](table_type& t) { EXPECT_TRUE(t.map({0}, {0}, level::l3, ram)); }));
}

TEST(BbmChecker, UnmapOnePage) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap(ipa{0x3000})); }));
}

TEST(BbmChecker, ChangeOfMemoryType) {
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, map_pages, [](table_type& t) {
      EXPECT_TRUE(t.change_memory({0x3000}, 0x1000, stage2_memory::device_nGnRE));
    }), also::breaks);
  }
}

TEST(BbmChecker, ReplaceOutput) {
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, map_pages, [](table_type& t) {
      EXPECT_TRUE(t.map({0x3000}, {0x7000'0000}, level::l3, ram, existing::replace));
    }), also::breaks);
  }
}

TEST(BbmChecker, WriteProtect) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.write_protect({0x1000}, 0x8000)); }));
}

TEST(BbmChecker, Split) {
  for (stage2_controls const& c : controls)
    expect_needed(record(c, map_block, [](table_type& t) { EXPECT_TRUE(t.split({0x20'0000}, 0x20'0000)); }),
                  also::breaks);
}

TEST(BbmChecker, Collapse) {
  auto const whole_table = [](table_type& t) {
    EXPECT_TRUE(t.map_range({0x20'0000}, {0x4020'0000}, 0x20'0000, ram, {.largest = level::l3}));
  };
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, whole_table, [](table_type& t) { EXPECT_TRUE(t.collapse({0x20'0000}, 0x20'0000)); }));
  }
}

TEST(BbmChecker, UnlinkedTable) {
  for (stage2_controls const& c : controls) {
    expect_needed(record(c, map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x4000'0000)); }));
  }
}

// Mistakes of real hypervisors.
TEST(BbmChecker, LevelHintForATable) {
  recording r = record(controls[0], map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x20'0000)); });
  ASSERT_EQ(violations(r), 0u);
  for (sim::port_event& e : r.events) {
    if (e.kind != sim::event_kind::tlbi) continue;
    e.invalidation = {.kind = tlbi_kind::ripas2e1is, .size = 0x20'0000, .has_level = true, .leaf = level::l3};
  }
  EXPECT_GT(violations(r), 0u);
}

TEST(BbmChecker, FrameGivenBackTooEarly) {
  recording r = record(controls[0], map_pages, [](table_type& t) { EXPECT_TRUE(t.unmap({0}, 0x20'0000)); });
  auto const give = std::find_if(r.events.begin(), r.events.end(),
                                 [](sim::port_event const& e) { return e.kind == sim::event_kind::give; });
  ASSERT_NE(give, r.events.end());
  auto const tlbi = std::find_if(r.events.begin(), r.events.end(),
                                 [](sim::port_event const& e) { return e.kind == sim::event_kind::tlbi; });
  std::rotate(tlbi, give, give + 1);
  EXPECT_GT(violations(r), 0u);
}

TEST(BbmChecker, TighteningNeedsAnInvalidation) {
  recording const relaxed = record(
      controls[0], [](table_type& t) { EXPECT_TRUE(t.map({0}, {0}, level::l3, read_only)); },
      [](table_type& t) {
        stage2_cursor cursor;
        EXPECT_TRUE(t.relax(cursor, {0}, stage2_access::read_write));
      });
  expect_needed(relaxed);
  for (sim::port_event const& e : relaxed.events) EXPECT_NE(e.kind, sim::event_kind::tlbi);
}

}  // namespace
