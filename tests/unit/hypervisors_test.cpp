// SPDX-License-Identifier: MIT
// Section 3 of facts/kvm-policy.md, as descriptors.
#include "vmsa/policy/hypervisors.hpp"

#include <gtest/gtest.h>

namespace vmsa {
namespace {

constexpr u64 xn = u64{1} << 54;
constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};

u64 leaf(hypervisor h, backing b, std::optional<stage2_memory> choice = {}) {
  decision const d = hypervisor_policy{h, choice}.decide_for(v1, inputs_of(b), b, {});
  if (!d.maps()) return 0;
  return encode_leaf({}, level::l3, leaf_of(d)).value.raw;
}

TEST(Hypervisors, RamAndDevices) {
  // 0xf ISH read-write: 0x7ff; SH is bits 9:8, outer 0x600, non-shareable 0x400.
  EXPECT_EQ(leaf(hypervisor::xen, backing::anonymous), 0x7ffu);
  EXPECT_EQ(leaf(hypervisor::xen, backing::vfio_pci_bar), 0x6c7 | xn);
  EXPECT_EQ(leaf(hypervisor::xen, backing::gicv), 0x6c7 | xn);
  EXPECT_EQ(leaf(hypervisor::xen_dom0, backing::vfio_platform), 0x6ff | xn);
  EXPECT_EQ(leaf(hypervisor::xen_dom0, backing::gicv), 0x6c7 | xn);
  EXPECT_EQ(leaf(hypervisor::hafnium, backing::anonymous), 0x7ffu);
  EXPECT_EQ(leaf(hypervisor::hafnium, backing::vfio_platform), 0x7c3 | xn);
  EXPECT_EQ(leaf(hypervisor::bao, backing::anonymous), 0x4ffu);
  EXPECT_EQ(leaf(hypervisor::bao, backing::vfio_platform), 0x4cfu);
  EXPECT_EQ(leaf(hypervisor::jailhouse, backing::anonymous), 0x7ffu);
  EXPECT_EQ(leaf(hypervisor::jailhouse, backing::vfio_platform), 0x7c7u);
  EXPECT_EQ(leaf(hypervisor::sel4, backing::anonymous), 0x7ffu);
  EXPECT_EQ(leaf(hypervisor::sel4, backing::vfio_platform), 0x7c3 | xn);
  EXPECT_EQ(leaf(hypervisor::tf_rmm, backing::anonymous), 0x7dbu);
  EXPECT_EQ(leaf(hypervisor::tf_rmm, backing::nvgrace_usemem), 0x7dfu);
  EXPECT_EQ(leaf(hypervisor::tf_rmm, backing::vfio_pci_bar), 0x7d7u);
}

TEST(Hypervisors, WhatTheCallerChooses) {
  EXPECT_EQ(leaf(hypervisor::nova, backing::vfio_pci_bar), 0u);
  EXPECT_EQ(leaf(hypervisor::gunyah, backing::anonymous), 0u);
  EXPECT_EQ(leaf(hypervisor::nova, backing::vfio_pci_bar, stage2_memory::device_GRE), 0x7cf | xn);
  EXPECT_EQ(leaf(hypervisor::nova, backing::anonymous, stage2_memory::normal_wt), 0x7ebu);
  EXPECT_EQ(leaf(hypervisor::gunyah, backing::anonymous, stage2_memory::normal_nc), 0x7d7u);
  EXPECT_EQ(leaf(hypervisor::xen, backing::vfio_pci_bar, stage2_memory::normal_nc), 0x6d7u);
  EXPECT_EQ(leaf(hypervisor::tf_rmm, backing::anonymous, stage2_memory::stage1), 0x7dfu);
  // No choice where there is none.
  EXPECT_EQ(leaf(hypervisor::bao, backing::anonymous, stage2_memory::normal_nc), 0x4ffu);
  EXPECT_FALSE(may_choose(hypervisor::sel4, stage2_memory::normal_nc));
  EXPECT_TRUE(may_choose(hypervisor::sel4, stage2_memory::normal_wb));
}

TEST(Hypervisors, FwbAsEachUsesIt) {
  EXPECT_FALSE(hypervisor_table(hypervisor::xen).runs_with_fwb(v1));
  EXPECT_TRUE(hypervisor_table(hypervisor::tf_rmm).runs_with_fwb({}));
}

TEST(Hypervisors, AReadOnlySlotIsReadOnly) {
  memory_inputs m = inputs_of(backing::rom);
  decision const d = hypervisor_policy{hypervisor::xen, {}}.decide_for({}, m, backing::rom, {});
  EXPECT_EQ(encode_leaf({}, level::l3, leaf_of(d)).value.raw, 0x77fu);
}

}  // namespace
}  // namespace vmsa
