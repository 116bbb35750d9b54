// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/assumptions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vmsa::coherency::assumptions_test {
namespace {

constexpr memory_attributes inner = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes outer = normal_memory(write_back_rw, write_back_rw, shareability::outer, false);

bool assumes(scenario const& s, std::string_view id, model_options const& options = {}) {
  auto const all = assumptions(s, options);
  return std::any_of(all.begin(), all.end(), [&](assumption const& a) { return a.id == id; });
}

scenario two_guests(memory_attributes const& second) {
  return {
      .lines = {{"line", {"x"}}},
      .agents = {{.name = "a"}, {.name = "b"}},
      .aliases = {{.name = "one", .agent = 0, .attributes = inner}, {.name = "two", .agent = 1, .attributes = second}},
      .events = {}};
}

TEST(coherency_assumptions, what_the_scenario_does_not_touch_is_not_assumed) {
  scenario s = two_guests(inner);
  EXPECT_TRUE(assumes(s, "loads-in-order"));
  EXPECT_FALSE(assumes(s, "devices-in-order"));
  EXPECT_FALSE(assumes(s, "whole-alias"));
  EXPECT_FALSE(assumes(s, "inner-is-outer"));
  EXPECT_FALSE(assumes(s, "no-speculation"));
  s.agents.push_back({.name = "nic", .kind = agent_kind::device});
  EXPECT_TRUE(assumes(s, "devices-in-order"));
  EXPECT_TRUE(assumes(s, "devices-hold-nothing"));
  s.agents[0].program = {unmap(1)};
  EXPECT_TRUE(assumes(s, "whole-alias"));
}

// The two shareabilities agree only where the domains make them the same, and the proof then says so.
TEST(coherency_assumptions, inner_beside_outer_write_back_rests_on_one_domain) {
  scenario s = two_guests(outer);
  EXPECT_TRUE(mismatches(s).empty());
  EXPECT_TRUE(assumes(s, "inner-is-outer"));
  s.agents[1].domain = 1;
  EXPECT_EQ(mismatches(s).size(), 1u);
  EXPECT_FALSE(assumes(s, "inner-is-outer"));
}

TEST(coherency_assumptions, an_ablation_is_an_assumption) {
  scenario const s = two_guests(inner);
  EXPECT_TRUE(assumes(s, "no-speculation", {.speculation = false}));
  EXPECT_FALSE(assumes(s, "shared-cache", {.speculation = false}));
  EXPECT_TRUE(assumes(s, "shared-cache", {.cache_per_pe = false}));
}

}  // namespace
}  // namespace vmsa::coherency::assumptions_test
