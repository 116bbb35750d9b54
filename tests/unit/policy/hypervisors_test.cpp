// SPDX-License-Identifier: MIT
// What each hypervisor's source says, read 2024 to 2026, as descriptors.
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
  EXPECT_EQ(leaf(hypervisor::sel4, backing::anonymous), 0x4ffu);
  EXPECT_EQ(leaf(hypervisor::sel4, backing::vfio_platform), 0x4c3 | xn);
  EXPECT_EQ(leaf(hypervisor::sel4_smp, backing::anonymous), 0x7ffu);
  EXPECT_EQ(leaf(hypervisor::sel4_smp, backing::vfio_platform), 0x7c3 | xn);
  EXPECT_EQ(leaf(hypervisor::sel4, backing::vfio_platform, stage2_memory::normal_wb), 0x4ffu);
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

// A leaf is no answer to a fault that says nothing about leaves, with or without a type that the caller chose.
TEST(Hypervisors, NoMappingCuresAnythingButThreeFaults) {
  // DFSC: external aborts, parity, alignment, granule protection, TLB conflict, atomic updates, lockdown, exclusives,
  // tag checks, address size, reserved.
  for (u8 const fsc : std::initializer_list<u8>{0x10, 0x11, 0x14, 0x18, 0x1c, 0x21, 0x22, 0x24, 0x28, 0x30, 0x31, 0x34,
                                                0x35, 0x00, 0x29, 0x3f}) {
    stage2_fault fault;
    fault.status = decode_fsc(fsc);
    fault_access const access = access_of(fault, false);
    for (unsigned i = 0; i < hypervisor_count; ++i) {
      auto const h = static_cast<hypervisor>(i);
      for (std::optional<stage2_memory> const choice : {std::optional<stage2_memory>(), {stage2_memory::normal_wb}}) {
        for (backing b : {backing::anonymous, backing::vfio_platform, backing::emulated_mmio}) {
          decision const d = hypervisor_policy{h, choice}.decide_for(v1, inputs_of(b), b, access);
          EXPECT_EQ(policy_outcome::not_applicable, d.outcome) << hypervisor_table(h).name() << " " << int{fsc};
          EXPECT_EQ(policy_cause::not_a_mapping_fault, d.cause) << hypervisor_table(h).name() << " " << int{fsc};
        }
      }
    }
  }
  for (u8 const fsc : std::initializer_list<u8>{0x04, 0x07, 0x0b, 0x0f, 0x2b}) {
    stage2_fault fault;
    fault.status = decode_fsc(fsc);
    EXPECT_TRUE(
        hypervisor_policy{}.decide_for(v1, inputs_of(backing::memfd), backing::memfd, access_of(fault, false)).maps());
  }
}

TEST(Hypervisors, Dom0GetsAnAbortWhereNothingIsMapped) {
  decision const d = hypervisor_policy{hypervisor::xen_dom0, {}}.decide_for({}, inputs_of(backing::emulated_mmio),
                                                                            backing::emulated_mmio, {});
  EXPECT_EQ(policy_outcome::guest_exception, d.outcome);
  EXPECT_EQ(0x96000010u, d.esr_el1);
}

}  // namespace
}  // namespace vmsa
