// SPDX-License-Identifier: MIT
#include "vmsa/text/words/policy_names.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vmsa::text::policy_names_test {
namespace {

TEST(PolicyNames, BackingsAndBack) {
  for (unsigned i = 0; i + 1 < backing_count; ++i) {
    auto const b = static_cast<backing>(i);
    EXPECT_EQ(parse_backing(vmsa::name(b)), b);
  }
  EXPECT_FALSE(parse_backing("custom"));
  EXPECT_FALSE(parse_backing("ram"));
  EXPECT_EQ(parse_hypervisor("tf-rmm"), hypervisor::tf_rmm);
  EXPECT_FALSE(parse_hypervisor("kvm"));
  EXPECT_EQ(parse_stage2_memory("stage1"), stage2_memory::stage1);
  EXPECT_EQ(parse_stage2_memory("normal-nc"), stage2_memory::normal_nc);
  EXPECT_FALSE(parse_stage2_memory("Normal-NC"));
}

TEST(PolicyNames, EveryValueOfEveryInputHasItsOwnName) {
  std::set<std::string_view> keys;
  for (policy_input const& input : policy_inputs) {
    EXPECT_TRUE(keys.insert(input.key).second) << input.key;
    std::set<std::string_view> const values(input.values.begin(), input.values.end());
    EXPECT_EQ(values.size(), input.values.size()) << input.key;
    for (unsigned v = 0; v < input.values.size(); ++v)
      EXPECT_EQ(parse_value(input.key, input.values[v]), v) << input.key << " = " << input.values[v];
    EXPECT_FALSE(parse_value(input.key, "nothing")) << input.key;
  }
  EXPECT_FALSE(parse_value("nothing", "false"));
}

TEST(PolicyNames, ReleasesThatDecideAlike) {
  auto const of = [](kvm_era first, kvm_era last) { return describe(what_if{circumstance::release, {}, first, last}); };
  EXPECT_EQ(of(kvm_era::to_6_8, kvm_era::to_6_8), "before 6.9");
  EXPECT_EQ(of(kvm_era::to_6_8, kvm_era::from_6_13), "before 6.17");
  EXPECT_EQ(of(kvm_era::from_6_9, kvm_era::from_6_13), "from 6.9 to 6.16");
  EXPECT_EQ(of(kvm_era::from_6_19, kvm_era::from_6_19), "in 6.19");
  EXPECT_EQ(of(kvm_era::from_6_9, kvm_era::from_7_1), "from 6.9 on");
}

TEST(PolicyNames, EveryRowsCauseAndOutcomeHasAName) {
  for (policy_table const* const table : kvm_tables) {
    policy_table const& t = *table;
    for (rule const& r : t.rows()) {
      EXPECT_NE(name(r.then.outcome), "?");
      EXPECT_NE(name(r.then.cause), "?");
      EXPECT_NE(std::string_view(r.why), "") << r.id;
    }
  }
  EXPECT_EQ(name(policy_cause::configuration), "configuration");
  EXPECT_EQ(name(policy_errno::enosys), "ENOSYS");
  EXPECT_EQ(describe(what_if{circumstance::without_protection, {}, {}, {}}), "not under pKVM");
}

TEST(PolicyNames, CacheDuties) {
  EXPECT_EQ(describe(cache_duties{}), "none");
  EXPECT_EQ(describe(cache_duties{true, false}), "clean+invalidate to PoC");
  EXPECT_EQ(describe(cache_duties{true, true}), "clean+invalidate to PoC, invalidate I-cache to PoU");
}

// A mapping is no answer to every fault. KVM's rows ask which fault it is; a user's own need not.
TEST(PolicyNames, AMappingIsNoAnswerToEveryFault) {
  decision const leaf{.outcome = policy_outcome::map, .readable = true, .writable = false};
  using enum fault_reason;
  for (fault_reason cannot :
       {external_abort, beyond_host_limit, beyond_vm_limit, unsupported_access, tlb_conflict, granule_protection})
    EXPECT_NE(unfit_mapping(leaf, {.fault = cannot}).find("no mapping cures"), std::string::npos) << int(cannot);
  EXPECT_EQ(unfit_mapping(leaf, {.fault = translation}), "");
  EXPECT_EQ(unfit_mapping(leaf, {.kind = access_kind::write, .fault = permission}), "");
  EXPECT_NE(unfit_mapping(leaf, {.kind = access_kind::read, .fault = permission}).find("permits the access"),
            std::string::npos);
  EXPECT_NE(unfit_mapping(leaf, {.kind = access_kind::read, .fault = access_flag}), "");
  EXPECT_EQ(unfit_mapping({}, {.fault = tlb_conflict}), "");
}

}  // namespace
}  // namespace vmsa::text::policy_names_test
