// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency_aliases.hpp"

#include <gtest/gtest.h>

namespace vmsa::coherency {
namespace {

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

verdict judged(memory_attributes const& guest, std::vector<live_alias> const& others) {
  auto const v = judge_aliases(guest, others);
  return v ? v->result.outcome : verdict::not_finished;
}

TEST(coherency_aliases, agreement_is_coherent) {
  EXPECT_EQ(judged(wb, {{"monitor", wb, alias_use::reads}, {"linear map", wb}, {"nic", wb, alias_use::dma}}),
            verdict::coherent);
  EXPECT_EQ(judged(nc, {{"monitor", nc, alias_use::reads}, {"nic", nc, alias_use::dma}}), verdict::coherent);
}

TEST(coherency_aliases, an_uncached_guest_beside_a_write_back_monitor_is_not) {
  auto const v = judge_aliases(nc, {{"monitor", wb, alias_use::reads}});
  ASSERT_TRUE(v);
  EXPECT_EQ(v->result.outcome, verdict::violation);
  EXPECT_FALSE(v->result.trace.empty());
}

TEST(coherency_aliases, an_idle_linear_map_is_enough_for_a_snooping_device) {
  EXPECT_EQ(judged(nc, {{"linear map", wb}, {"nic", wb, alias_use::dma}}), verdict::violation);
  EXPECT_EQ(judged(nc, {{"linear map", wb}, {"nic", nc, alias_use::dma}}), verdict::coherent);
}

TEST(coherency_aliases, nothing_in_use_is_no_question) {
  EXPECT_FALSE(judge_aliases(nc, {{"linear map", wb}}));
  EXPECT_FALSE(judge_aliases(normal_memory(write_back_rw, non_cacheable, shareability::inner),
                             {{"monitor", wb, alias_use::reads}}));
}

}  // namespace
}  // namespace vmsa::coherency
