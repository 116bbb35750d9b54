// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmsa::coherency::scenario_test {
namespace {

using testing::HasSubstr;

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

scenario two_agents() {
  return {.lines = {{"a", {"x", "y"}}, {"b", {"z"}}},
          .agents = {{.name = "first"}, {.name = "second"}},
          .aliases = {{.name = "one", .agent = 0, .attributes = wb}, {.name = "two", .agent = 1, .attributes = nc}},
          .events = {"go", "done"}};
}

std::string problem_of(scenario const& s) {
  auto const p = find_problem(s);
  return p ? p->what : "";
}

TEST(coherency_scenario, words_are_numbered_through_the_lines) {
  scenario const s = two_agents();
  EXPECT_EQ(word_count(s), 3u);
  EXPECT_EQ(word_name(s, 2), "z");
  EXPECT_EQ(place(s, 2).line, 1u);
  EXPECT_EQ(place(s, 1).offset, 1u);
}

TEST(coherency_scenario, events_order_steps_and_number_versions) {
  scenario s = two_agents();
  s.agents[0].program = {store(0, 0), signal(0), wait(1), store(0, 0)};
  s.agents[1].program = {wait(0), store(0, 1), signal(1)};
  ASSERT_EQ(problem_of(s), "");
  timeline const t = order(s);
  EXPECT_TRUE(t.happens_before(0, 0, 1, 1));
  EXPECT_TRUE(t.happens_before(1, 1, 0, 3));
  EXPECT_FALSE(t.happens_before(0, 3, 1, 1));
  EXPECT_TRUE(t.happens_before(0, 1, 1, 0));  // the signal itself, before the wait for it
  EXPECT_EQ(t.version[0][0], 1u);
  EXPECT_EQ(t.version[1][1], 2u);
  EXPECT_EQ(t.version[0][3], 3u);
  EXPECT_EQ(t.latest, (std::vector<unsigned>{3, 0, 0}));
}

TEST(coherency_scenario, two_writers_at_once_are_refused) {
  scenario s = two_agents();
  s.agents[0].program = {store(0, 0)};
  s.agents[1].program = {store(0, 1)};
  EXPECT_THAT(problem_of(s), HasSubstr("two writers of word \"x\" at once"));
  s.agents[1].program = {store(1, 1)};
  EXPECT_EQ(problem_of(s), "");
}

TEST(coherency_scenario, waits_need_a_signal_that_can_come) {
  scenario s = two_agents();
  s.agents[0].program = {wait(0)};
  EXPECT_THAT(problem_of(s), HasSubstr("which nobody signals"));
  s.agents[0].program = {wait(0), signal(1)};
  s.agents[1].program = {wait(1), signal(0)};
  EXPECT_THAT(problem_of(s), HasSubstr("waits in turn"));
  s.agents[0].program = {signal(0), signal(0)};
  s.agents[1].program.clear();
  EXPECT_THAT(problem_of(s), HasSubstr("signalled twice"));
}

TEST(coherency_scenario, accesses_need_a_mapped_alias_of_their_own) {
  scenario s = two_agents();
  s.agents[0].program = {load(0, 1)};
  EXPECT_THAT(problem_of(s), HasSubstr("belongs to \"second\""));
  s.agents[0].program = {unmap(0), load(0, 0)};
  EXPECT_THAT(problem_of(s), HasSubstr("may be unmapped"));
  s.agents[0].program = {unmap(0), map(0), load(0, 0)};
  EXPECT_EQ(problem_of(s), "");
  s.agents[0].program = {load(0, 0)};
  s.agents[1].program = {unmap(0)};
  EXPECT_THAT(problem_of(s), HasSubstr("may be unmapped"));
  s.agents[0].program = {load(0, 0), signal(0)};
  s.agents[1].program = {wait(0), unmap(0)};
  EXPECT_EQ(problem_of(s), "");
  s.aliases[0].mapped = false;
  EXPECT_THAT(problem_of(s), HasSubstr("may be unmapped"));
  s.aliases[0].mapped = true;
  s.aliases[0].lines = {1};
  EXPECT_THAT(problem_of(s), HasSubstr("does not map line \"a\""));
}

// The stores of unmap and map go to one descriptor, and the second must not overtake the first.
TEST(coherency_scenario, a_map_waits_for_the_dsb_of_whoever_unmapped) {
  scenario s = two_agents();
  s.agents[0].program = {unmap(0), signal(0)};
  s.agents[1].program = {wait(0), map(0)};
  EXPECT_THAT(problem_of(s), HasSubstr("mapped again while the unmap of \"first\" may still be on its way"));
  s.agents[0].program = {unmap(0), signal(0), dsb()};
  EXPECT_THAT(problem_of(s), HasSubstr("mapped again"));
  s.agents[0].program = {unmap(0), dsb(), signal(0)};
  EXPECT_EQ(problem_of(s), "");
  s.agents[0].program = {unmap(0), map(0)};  // its own, in order
  s.agents[1].program.clear();
  EXPECT_EQ(problem_of(s), "");
}

TEST(coherency_scenario, an_unmap_and_a_tlbi_are_buffered) {
  scenario s = two_agents();
  s.agents[0].program.assign(max_buffer, unmap(1));
  EXPECT_EQ(problem_of(s), "");
  s.agents[0].program.push_back(invalidate_tlb(1));
  EXPECT_THAT(problem_of(s), HasSubstr("without a DSB"));
}

TEST(coherency_scenario, agents_do_what_their_kind_does) {
  scenario s = two_agents();
  s.agents[0].program = {dma_read(0)};
  EXPECT_THAT(problem_of(s), HasSubstr("for devices"));
  s.agents[0].program.clear();
  s.agents.push_back({.name = "nic", .kind = agent_kind::device, .program = {dsb()}});
  EXPECT_THAT(problem_of(s), HasSubstr("not something a device does"));
}

TEST(coherency_scenario, what_the_model_cannot_hold_is_refused) {
  scenario s = two_agents();
  s.aliases[0].attributes = normal_memory(write_back_rw, non_cacheable, shareability::inner);
  EXPECT_THAT(problem_of(s), HasSubstr("inner and outer cacheability differ"));
  s = two_agents();
  s.agents[0].program.assign(max_buffer + 1, store(0, 0));
  EXPECT_THAT(problem_of(s), HasSubstr("without a DSB"));
  s.agents[0].program.assign(max_steps + 1, dsb());
  EXPECT_THAT(problem_of(s), HasSubstr("61 steps"));
  s = two_agents();
  s.agents.resize(max_agents + 1);
  EXPECT_THAT(problem_of(s), HasSubstr("9 agents"));
}

TEST(coherency_scenario, mismatches_are_found_by_line) {
  scenario s = two_agents();
  EXPECT_EQ(mismatches(s).size(), 2u);
  s.aliases[1].lines = {1};
  ASSERT_EQ(mismatches(s).size(), 1u);
  EXPECT_EQ(mismatches(s)[0].line, 1u);
  s.aliases[1].mapped = false;
  EXPECT_TRUE(mismatches(s).empty());
}

}  // namespace
}  // namespace vmsa::coherency::scenario_test
