// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/judge.hpp"

#include <gtest/gtest.h>

namespace vmsa::coherency::judge_test {
namespace {

constexpr region page = make_region({0x4000'0000}, 0x1000, {0x8000'0000}, backing::anonymous);

// A guest whose access ended with `attr` at MAIR's spelling, beside `others`.
fault_trace ended_with(u8 attr, std::initializer_list<vmsa::alias> others) {
  fault_trace o;
  o.step = fault_step::resolved;
  o.where = &page;
  o.decided.outcome = policy_outcome::map;
  o.decided.readable = o.decided.writable = true;
  o.retried.attributes = with_effective_shareability(mair(attr));
  for (vmsa::alias const& a : others) o.aliases.push({a, vmsa::mismatch::none});
  return o;
}

constexpr vmsa::alias linear{alias_owner::linear_map, linux_write_back};
constexpr vmsa::alias dma{alias_owner::dma, linux_write_back};
constexpr vmsa::alias dma_past_caches{alias_owner::dma, linux_non_cacheable};

// Verdicts in the order of the questions: for each alias from the guest, then to the guest.
std::vector<check_outcome> verdicts(fault_trace const& o) {
  std::vector<check_outcome> out;
  for (judgement const& j : judge(o)) {
    EXPECT_FALSE(find_problem(j.question.asked));
    out.push_back(j.result.outcome);
  }
  return out;
}

constexpr check_outcome ok = check_outcome::coherent;
constexpr check_outcome bad = check_outcome::violation;

TEST(Judge, WriteBackEverywhereIsCoherent) {
  EXPECT_EQ(verdicts(ended_with(0xff, {linear, dma})), (std::vector{ok, ok, ok, ok}));
}

// The seed question: the host's mere mapping is enough, and so is a DMA write that allocates.
TEST(Judge, AnUncachedGuestBesideTheLinearMapIsNot) {
  EXPECT_EQ(verdicts(ended_with(0x44, {linear})), (std::vector{bad, bad}));
  EXPECT_EQ(verdicts(ended_with(0x44, {linear, dma})), (std::vector{bad, bad, bad, bad}));
  EXPECT_EQ(verdicts(ended_with(0x44, {dma})), (std::vector{ok, bad}));
}

TEST(Judge, ADeviceThatDoesNotSnoopMeetsAnUncachedGuestInMemory) {
  EXPECT_EQ(verdicts(ended_with(0x44, {dma_past_caches})), (std::vector{ok, ok}));
  EXPECT_EQ(verdicts(ended_with(0xff, {dma_past_caches})), (std::vector{bad, bad}));
}

TEST(Judge, UncachedAliasesOnlyLoseOrder) {
  vmsa::alias const monitor{alias_owner::monitor, device_memory(device_kind::nGnRnE)};
  EXPECT_EQ(verdicts(ended_with(0x44, {monitor})), (std::vector{ok, ok}));
}

TEST(Judge, NothingIsAskedWhereNothingIsMappedOrNobodyElseLooks) {
  EXPECT_TRUE(judge(ended_with(0xff, {})).empty());
  EXPECT_TRUE(judge(fault_trace{}).empty());
  EXPECT_TRUE(judge(ended_with(0x4f, {linear})).empty());  // outer Normal-NC, inner Normal-WB
}

TEST(Judge, AReadOnlyLeafHandsNothingOver) {
  fault_trace o = ended_with(0xff, {linear});
  o.decided.writable = false;
  std::vector<handover_question> const q = handovers(o);
  ASSERT_EQ(q.size(), 1u);
  EXPECT_EQ(q[0].direction, handover::to_guest);
}

TEST(Judge, ALeafThatIsNotReadableTakesNothing) {
  fault_trace o = ended_with(0xff, {linear});
  o.decided.readable = false;
  std::vector<handover_question> const q = handovers(o);
  ASSERT_EQ(q.size(), 1u);
  EXPECT_EQ(q[0].direction, handover::from_guest);
}

// A guest's Non-shareable memory is coherent with no device, whatever that snoops.
TEST(Judge, ANonShareableGuestBesideASnoopingDeviceIsNot) {
  fault_trace o = ended_with(0xff, {dma});
  EXPECT_EQ(verdicts(o), (std::vector{ok, ok}));
  o.retried.attributes.sh = shareability::non;
  EXPECT_EQ(verdicts(o), (std::vector{bad, bad}));
}

}  // namespace
}  // namespace vmsa::coherency::judge_test
