// SPDX-License-Identifier: MIT
#include "vmsa/text/policy_names.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vmsa::text {
namespace {

TEST(PolicyNames, KernelVersions) {
  EXPECT_EQ(parse_kernel("6.17"), (kernel_version{6, 17}));
  EXPECT_EQ(parse_kernel("6.17-rc1"), (kernel_version{6, 17}));
  EXPECT_EQ(parse_kernel("6.12.3"), (kernel_version{6, 12}));
  EXPECT_EQ(parse_kernel("7.1"), (kernel_version{7, 1}));
  EXPECT_EQ(parse_kernel("6.1.0-18-arm64"), (kernel_version{6, 1}));
  EXPECT_EQ(parse_kernel("6.12.57+deb13-arm64"), (kernel_version{6, 12}));
  EXPECT_EQ(parse_kernel("3.11"), (kernel_version{3, 11}));
  for (char const* bad : {"", "6", "6.", ".17", "six.one", "6.x", "-6.1", "6.-1", "6.1.", "6.17rc1", "6.17-", "6 .17",
                          "6.17 ", "70000.1", "6.99999", "3.10", "2.6.32", "0x6.1", "6.1-\"", "v6.1"})
    EXPECT_FALSE(parse_kernel(bad)) << bad;
}

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
  std::set<std::string_view> inputs;
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    EXPECT_NE(name(input), "?");
    EXPECT_TRUE(inputs.insert(name(input)).second) << name(input);
    auto const values = values_of(input);
    EXPECT_EQ(values.size(), field_of(input).values) << name(input);
    EXPECT_EQ(std::set<std::string_view>(values.begin(), values.end()).size(), values.size()) << name(input);
  }
}

TEST(PolicyNames, EveryRowsCauseAndOutcomeHasAName) {
  for (policy_table const& t : kvm_tables) {
    for (rule const& r : t.rows()) {
      EXPECT_NE(name(r.then.outcome), "?");
      EXPECT_NE(name(r.then.cause), "?");
      EXPECT_NE(std::string_view(r.why), "") << r.id;
    }
  }
  EXPECT_EQ(name(policy_cause::configuration), "configuration");
  EXPECT_EQ(name(policy_errno::enosys), "ENOSYS");
  EXPECT_EQ(describe(circumstance::without_protection), "not under pKVM");
}

TEST(PolicyNames, CacheDuties) {
  EXPECT_EQ(describe(cache_duties{}), "none");
  EXPECT_EQ(describe(cache_duties{true, false}), "clean+invalidate to PoC");
  EXPECT_EQ(describe(cache_duties{true, true}), "clean+invalidate to PoC, invalidate I-cache to PoU");
}

TEST(PolicyNames, Processors) {
  ASSERT_NE(find_cpu("cortex-a72"), nullptr);
  EXPECT_FALSE(find_cpu("cortex-a72")->s2fwb || find_cpu("cortex-a72")->dic);
  EXPECT_TRUE(find_cpu("max")->s2fwb && !find_cpu("max")->dic);
  EXPECT_TRUE(find_cpu("neoverse-v1")->s2fwb && find_cpu("neoverse-v1")->dic);
  EXPECT_TRUE(find_cpu("neoverse-v2")->s2fwb && find_cpu("neoverse-v2")->dic);
  EXPECT_FALSE(find_cpu("neoverse-n1")->s2fwb);
  EXPECT_EQ(find_cpu("pentium"), nullptr);
}

}  // namespace
}  // namespace vmsa::text
