// SPDX-License-Identifier: MIT
// A program may say `using namespace` of vmsa and of vmsa::coherency, and every name means one thing.
#include <gtest/gtest.h>

#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/arch/tlbi.hpp"
#include "vmsa/arch/tlbi_operation.hpp"
#include "vmsa/mmu/access.hpp"
#include "vmsa/policy/alias.hpp"
#include "vmsa/policy/check.hpp"
#include "vmsa/policy/fault_trace.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/sim/coherency/assumptions.hpp"
#include "vmsa/sim/coherency/explorer.hpp"
#include "vmsa/sim/coherency/judge.hpp"
#include "vmsa/sim/coherency/model.hpp"
#include "vmsa/sim/coherency/repair.hpp"
#include "vmsa/sim/coherency/scenario.hpp"

using namespace vmsa;
using namespace vmsa::coherency;

namespace names_test {
namespace {

TEST(Names, OfBothNamespacesDoNotClash) {
  // vmsa's
  alias const linear{alias_owner::linear_map, linux_write_back};
  EXPECT_EQ(alias_owner::linear_map, linear.owner);
  EXPECT_NE(mismatch::none, mismatch::loss_of_coherency);
  EXPECT_NE(operation::read, operation::write);
  EXPECT_NE(access_kind::read, access_kind::exec);
  EXPECT_EQ(change_class::none, change{}.what);
  EXPECT_EQ(policy_outcome::map, verdict{}.outcome);
  EXPECT_EQ(tlbi_kind::vmalls12e1is, tlbi{}.kind);
  EXPECT_EQ(tlbi_scope::inner, tlbi_operation{}.scope);
  // and vmsa::coherency's
  scenario s;
  s.lines = {{"line", {"x"}}};
  s.agents = {{.name = "pe", .program = {store(0, 0), dsb(), unmap(0), dsb(), invalidate_tlb(0), dsb()}}};
  s.aliases = {agent_alias{.name = "a", .agent = 0, .attributes = linux_write_back}};
  std::vector<mismatched_pair> const pairs = mismatches(s);
  EXPECT_TRUE(pairs.empty());
  EXPECT_EQ(step_kind::tlbi, s.agents[0].program[4].what);
  EXPECT_EQ(tlbi_scope::inner, s.agents[0].program[4].scope);
  EXPECT_EQ(check_outcome::coherent, check(s).outcome);
  EXPECT_EQ(change_kind::drop_alias, scenario_change{.kind = change_kind::drop_alias}.kind);
  EXPECT_NE(cache_use::write_back, cache_use::uncached);
}

}  // namespace
}  // namespace names_test
