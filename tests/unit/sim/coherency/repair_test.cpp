// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/repair.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vmsa::coherency::repair_test {
namespace {

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

bool offers(repair_result const& r, change_kind kind) {
  return std::any_of(r.sets.begin(), r.sets.end(),
                     [&](auto const& set) { return set.size() == 1 && set[0].kind == kind; });
}

// A write-back guest and a device that reads without snooping.
scenario dirty_in_cache() {
  return {.lines = {{"line", {"x"}}},
          .agents = {{.name = "guest", .program = {store(0, 0), dsb(), signal(0)}},
                     {.name = "nic", .kind = agent_kind::device, .snoops = false, .program = {wait(0), dma_read(0)}}},
          .aliases = {{.name = "wb", .agent = 0, .attributes = wb}},
          .events = {"go"}};
}

TEST(coherency_repair, a_clean_a_snoop_or_canwbs_repairs_a_dirty_line) {
  repair_result const r = find_repair(dirty_in_cache());
  EXPECT_TRUE(offers(r, change_kind::add_cvac));
  EXPECT_TRUE(offers(r, change_kind::add_civac));
  EXPECT_TRUE(offers(r, change_kind::make_snoop));
  EXPECT_TRUE(offers(r, change_kind::set_canwbs));
  EXPECT_FALSE(offers(r, change_kind::add_dsb));
  EXPECT_FALSE(offers(r, change_kind::map_write_back));
  EXPECT_FALSE(offers(r, change_kind::force_write_back));
  for (auto const& set : r.sets) EXPECT_EQ(check(apply(dirty_in_cache(), set)).outcome, check_outcome::coherent);
  // The program has a DSB after the first place that works, so no other is asked for.
  EXPECT_EQ(r.sets[0][0], (scenario_change{change_kind::add_cvac, 0, 1, 0, 0, false}));
}

// A guest whose stage 2 forbids caching cannot be told to map the memory write-back, nor does FWB help.
TEST(coherency_repair, none_that_stage_2_forbids) {
  scenario s{.lines = {{"line", {"x"}}},
             .agents = {{.name = "host", .program = {wait(0), load(0, 0)}},
                        {.name = "guest", .program = {store(0, 1), dsb(), signal(0)}}},
             .aliases = {{.name = "wb", .agent = 0, .attributes = wb}, {.name = "nc", .agent = 1, .attributes = nc}},
             .events = {"go"}};
  EXPECT_TRUE(offers(find_repair(s), change_kind::map_write_back));
  EXPECT_TRUE(offers(find_repair(s), change_kind::force_write_back));
  s.aliases[1].caches_by_stage1 = false;
  EXPECT_FALSE(offers(find_repair(s), change_kind::map_write_back));
  EXPECT_TRUE(offers(find_repair(s), change_kind::force_write_back));
  s.aliases[1].caches_by_fwb = false;
  EXPECT_FALSE(offers(find_repair(s), change_kind::force_write_back));
}

// Snooping is a change also for a device that snoops except where a request says No_Snoop.
TEST(coherency_repair, a_request_without_no_snoop_repairs_a_dirty_line) {
  scenario s = dirty_in_cache();
  s.agents[1].snoops = true;
  s.agents[1].program = {wait(0), dma_read(0, true)};
  EXPECT_TRUE(offers(find_repair(s), change_kind::make_snoop));
}

// A device that does not snoop, and that no setting can make snoop, writes into a write-back guest.
TEST(coherency_repair, two_changes_where_one_is_not_enough) {
  scenario s = dirty_in_cache();
  s.events = {"ready", "done"};
  s.agents[0].program = {store(0, 0), dsb(), signal(0), wait(1), load(0, 0)};
  s.agents[1].program = {wait(0), dma_write(0), signal(1)};
  auto const civac = [](unsigned before) {
    return scenario_change{.kind = change_kind::add_civac, .before = before, .dsb = true};
  };
  EXPECT_EQ(check(apply(s, {civac(2)})).outcome, check_outcome::violation);
  EXPECT_EQ(check(apply(s, {civac(4)})).outcome, check_outcome::violation);
  EXPECT_EQ(check(apply(s, {civac(2), civac(4)})).outcome, check_outcome::coherent);
  EXPECT_TRUE(offers(find_repair(s), change_kind::make_snoop));
  // A second device of the same kind: settings of one no longer help, and maintenance takes two places.
  s.events.insert(s.events.end(), {"ready2", "done2"});
  s.agents[0].program.insert(s.agents[0].program.end(), {signal(2), wait(3), load(0, 0)});
  s.agents.push_back(
      {.name = "nic2", .kind = agent_kind::device, .snoops = false, .program = {wait(2), dma_write(0), signal(3)}});
  repair_result const r = find_repair(s);
  ASSERT_FALSE(r.sets.empty());
  for (auto const& set : r.sets) {
    EXPECT_EQ(set.size(), 2u);
    EXPECT_EQ(check(apply(s, set)).outcome, check_outcome::coherent);
  }
}

TEST(coherency_repair, an_unused_alias_may_be_dropped) {
  scenario s = dirty_in_cache();
  s.agents[1].snoops = true;
  s.aliases[0].attributes = nc;
  s.agents.push_back({.name = "host"});
  s.aliases.push_back({.name = "linear", .agent = 2, .attributes = wb});
  repair_result const r = find_repair(s);
  EXPECT_TRUE(offers(r, change_kind::drop_alias));
  EXPECT_TRUE(offers(r, change_kind::map_write_back));
  EXPECT_TRUE(offers(r, change_kind::add_civac));
}

// A ring: the guest uncached, the device snooping, the host's map beside them. The guest may map it write-back itself,
// as for a dma-coherent device, or be forced to.
TEST(coherency_repair, a_guest_that_maps_write_back_repairs_a_ring) {
  scenario s = dirty_in_cache();
  s.lines = {{"ring", {"desc", "used"}}};
  s.events = {"kick", "irq"};
  s.agents[0].program = {store(0, 0), dsb(), signal(0), wait(1), load(1, 0)};
  s.agents[1].program = {wait(0), dma_read(0), dma_write(1), signal(1)};
  s.agents[1].snoops = true;
  s.aliases[0].attributes = nc;
  s.agents.push_back({.name = "host"});
  s.aliases.push_back({.name = "linear", .agent = 2, .attributes = wb});
  repair_result const r = find_repair(s);
  EXPECT_TRUE(offers(r, change_kind::map_write_back));
  EXPECT_TRUE(offers(r, change_kind::force_write_back));
  EXPECT_EQ(r.sets.size(), 2u);
  // A device that does not snoop must then snoop as well.
  s.agents[1].snoops = false;
  EXPECT_EQ(check(apply(s, {{.kind = change_kind::map_write_back}})).outcome, check_outcome::violation);
  EXPECT_EQ(
      check(apply(s, {{.kind = change_kind::map_write_back}, {.kind = change_kind::make_snoop, .agent = 1}})).outcome,
      check_outcome::coherent);
}

TEST(coherency_repair, maintenance_is_not_placed_where_an_uncached_store_may_still_be_on_its_way) {
  scenario s = dirty_in_cache();
  s.agents[1].snoops = true;
  s.aliases[0].attributes = nc;
  s.agents.push_back({.name = "host"});
  s.aliases.push_back({.name = "linear", .agent = 2, .attributes = wb});
  for (auto const& set : find_repair(s).sets)
    for (scenario_change const& c : set) {
      if (c.kind == change_kind::add_civac) {
        EXPECT_EQ(c.before, 2u);
      }  // after the DSB that follows the store
    }
}

TEST(coherency_repair, a_budget_is_kept) {
  repair_options poor;
  poor.state_budget = 10;
  repair_result const r = find_repair(dirty_in_cache(), poor);
  EXPECT_FALSE(r.finished);
  EXPECT_EQ(r.stopped, stop_reason::max_states);
}

TEST(coherency_repair, a_stop_ends_the_search_with_what_was_found) {
  repair_options options;
  unsigned told = 0;
  bool found = false;
  repair_result const all = find_repair(dirty_in_cache());
  options.progress = [&](repair_result const& so_far) {
    ++told;
    found = !so_far.sets.empty();
  };
  options.check.stop = [&] { return found ? stop_reason::time : stop_reason::none; };
  repair_result const r = find_repair(dirty_in_cache(), options);
  EXPECT_FALSE(r.finished);
  EXPECT_EQ(r.stopped, stop_reason::time);
  EXPECT_EQ(r.explorations, told);
  EXPECT_LT(r.explorations, all.explorations);
  EXPECT_FALSE(r.sets.empty());
}

}  // namespace
}  // namespace vmsa::coherency::repair_test
