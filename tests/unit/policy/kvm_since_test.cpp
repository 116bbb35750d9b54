// SPDX-License-Identifier: MIT
// What older releases do not know: the merge windows of the commits that kvm_since.hpp names.
#include "vmsa/policy/kvm_since.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "vmsa/policy/kvm.hpp"

namespace vmsa::kvm_since_test {
namespace {

constexpr policy_host everything{
    .cpu = {.s2fwb = true, .dic = true}, .lpa2_tables = true, .mte_vm = true, .nisv_exits = true, .sea_exits = true};

TEST(KvmSince, AnOldReleaseForgetsWhatItDoesNotKnow) {
  EXPECT_FALSE(as_known_to({4, 18}, everything).cpu.s2fwb);
  EXPECT_TRUE(as_known_to({4, 19}, everything).cpu.s2fwb);
  EXPECT_FALSE(as_known_to({5, 4}, everything).nisv_exits);
  EXPECT_TRUE(as_known_to({5, 5}, everything).nisv_exits);
  EXPECT_FALSE(as_known_to({6, 7}, everything).lpa2_tables);
  EXPECT_TRUE(as_known_to({6, 8}, everything).lpa2_tables);
  // The rest stays: DIC is the processor's, and no VM has what its KVM cannot give it.
  EXPECT_TRUE(as_known_to({4, 18}, everything).cpu.dic);
  EXPECT_TRUE(as_known_to({4, 18}, everything).mte_vm);
  EXPECT_EQ(everything, as_known_to({6, 8}, everything));
}

TEST(KvmSince, ADecisionIsThatOfTheHostAsTheReleaseSeesIt) {
  EXPECT_EQ(0b1111, decide({4, 18}, everything, backing::anonymous, {}).memattr);
  EXPECT_EQ(0b0110, decide({4, 19}, everything, backing::anonymous, {}).memattr);
  EXPECT_TRUE(decide({6, 7}, everything, backing::anonymous, {}).sh_in_leaf);
  EXPECT_FALSE(decide({6, 8}, everything, backing::anonymous, {}).sh_in_leaf);
  // 2aa53d68cee6: PFNMAP memory in blocks, from 5.14 on; hugetlb memory had them before.
  EXPECT_EQ(level::l3, decide({5, 13}, {}, backing::vfio_pci_bar, {}).largest_leaf);
  EXPECT_EQ(level::l1, decide({5, 14}, {}, backing::vfio_pci_bar, {}).largest_leaf);
  EXPECT_EQ(level::l2, decide({5, 13}, {}, backing::hugetlb_2m, {}).largest_leaf);
}

// Which row a question is about, by what it begins with; one that takes nothing for granted is about none.
TEST(KvmSince, EachRowKnowsItsQuestion) {
  struct row {
    kernel_version since;
    policy_host host;
    memory_inputs memory;
    fault_access access;
    std::string_view says;
  };
  policy_host const fwb{.cpu = {.s2fwb = true}};
  memory_inputs const memfd = inputs_of(backing::memfd);
  row const rows[] = {
      {{4, 19}, fwb, memfd, {}, "KVM does not use FEAT_S2FWB"},
      {{5, 5}, {.nisv_exits = true}, memfd, {}, "there is no KVM_CAP_ARM_NISV_TO_USER"},
      {{5, 14}, {.mte_vm = true}, memfd, {}, "no VM has MTE"},
      {{5, 14}, {}, inputs_of(backing::vfio_pci_bar), {}, "KVM maps PFNMAP memory in pages only"},
      {{5, 18}, {}, memfd, {.fault = fault_reason::beyond_host_limit}, "KVM takes an access beyond the limits"},
      {{5, 18}, {}, memfd, {.fault = fault_reason::beyond_vm_limit}, "KVM takes an access beyond the limits"},
      {{6, 8}, {.lpa2_tables = true}, memfd, {}, "KVM makes no FEAT_LPA2 descriptors"},
      {{6, 16}, {.mode = hypervisor_mode::nested}, memfd, {}, "KVM has no nested VMs"},
      {{6, 17}, {.mode = hypervisor_mode::pkvm_guest}, memfd, {}, "nothing is known here of pKVM"},
      {{6, 17}, {.mode = hypervisor_mode::pkvm_protected}, memfd, {}, "nothing is known here of pKVM"},
      {{6, 19}, {.sea_exits = true}, memfd, {}, "there is no KVM_CAP_ARM_SEA_TO_USER"},
  };
  for (row const& r : rows) {
    unsigned asked = 0;
    for (kvm_since const& known : kvm_since_rows) {
      if (!known.asked(r.host, r.memory, r.access)) continue;
      ++asked;
      EXPECT_EQ(r.since, known.since) << r.says;
      EXPECT_TRUE(std::string_view(known.says).starts_with(r.says)) << known.says;
    }
    EXPECT_EQ(1u, asked) << r.says;
  }
  for (kvm_since const& known : kvm_since_rows) EXPECT_FALSE(known.asked({}, memfd, {})) << known.says;
}

TEST(KvmSince, WhatWasSeen) {
  EXPECT_EQ((kernel_version{6, 1}), first_observed_kvm);
  EXPECT_EQ((kernel_version{7, 3}), last_observed_kvm);
}

}  // namespace
}  // namespace vmsa::kvm_since_test
