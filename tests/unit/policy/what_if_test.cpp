// SPDX-License-Identifier: MIT
#include "vmsa/policy/what_if.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace vmsa::what_if_test {
namespace {

constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};

what_if const* find(what_if_list const& list, circumstance c) {
  for (what_if const& w : list)
    if (w.changed == c) return &w;
  return nullptr;
}

what_if const* in_era(what_if_list const& list, kvm_era e) {
  for (what_if const& w : list)
    if (w.changed == circumstance::release && w.first <= e && e <= w.last) return &w;
  return nullptr;
}

TEST(WhatIf, ABarBefore69) {
  what_if_list const list = what_would_change({6, 12}, v1, inputs_of(backing::vfio_pci_bar), backing::vfio_pci_bar, {});
  ASSERT_NE(in_era(list, kvm_era::to_6_8), nullptr);
  EXPECT_EQ(in_era(list, kvm_era::to_6_8)->then.memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(in_era(list, kvm_era::to_6_8)->last, kvm_era::to_6_8);
  EXPECT_EQ(in_era(list, kvm_era::from_6_17), nullptr);
  EXPECT_EQ(find(list, circumstance::without_fwb), nullptr);
  EXPECT_EQ(find(list, circumstance::on_fetch)->then.outcome, policy_outcome::guest_exception);
}

TEST(WhatIf, CoherentMemoryWithoutFwb) {
  what_if_list const list =
      what_would_change({6, 17}, {}, inputs_of(backing::nvgrace_usemem), backing::nvgrace_usemem, {});
  EXPECT_EQ(find(list, circumstance::fwb_and_dic)->then.memory, stage2_memory::normal_wb);
  EXPECT_EQ(in_era(list, kvm_era::to_6_8)->then.memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(in_era(list, kvm_era::to_6_8)->last, kvm_era::from_6_13);  // one entry for all that decide alike
  EXPECT_EQ(find(list, circumstance::without_fwb), nullptr);
}

TEST(WhatIf, NothingForWhatNothingChanges) {
  what_if_list const list = what_would_change({7, 3}, v1, inputs_of(backing::gicv), backing::gicv, {});
  EXPECT_EQ(list.count, 1u);  // a fetch is refused
  EXPECT_EQ(list.items[0].changed, circumstance::on_fetch);
}

TEST(WhatIf, DirtyLoggingOfABar) {
  memory_inputs m = inputs_of(backing::vfio_pci_bar);
  m.slot.log_dirty = true;
  what_if_list const list = what_would_change({7, 3}, v1, m, backing::vfio_pci_bar, {});
  EXPECT_EQ(find(list, circumstance::no_dirty_logging)->then.memory, stage2_memory::normal_nc);
}

TEST(WhatIf, WhatCuresAnAlignmentFaultOfStage2) {
  // vfio-pci maps Normal-NC from 6.9 on; in 6.8 no other host would help.
  fault_access const access{.kind = access_kind::write, .fault = fault_reason::alignment};
  what_if_list const before =
      what_would_change({6, 8}, v1, inputs_of(backing::vfio_pci_bar), backing::vfio_pci_bar, access);
  ASSERT_NE(in_era(before, kvm_era::from_6_9), nullptr);
  EXPECT_EQ(in_era(before, kvm_era::from_6_9)->then.memory, stage2_memory::normal_nc);
  EXPECT_EQ(in_era(before, kvm_era::from_6_9)->last, kvm_era::from_7_1);
  EXPECT_EQ(find(before, circumstance::without_fwb), nullptr);
  EXPECT_EQ(find(before, circumstance::not_special), nullptr);
  // PCI sysfs never sets the flag: only another driver does.
  what_if_list const sysfs =
      what_would_change({7, 1}, v1, inputs_of(backing::pci_sysfs_resource), backing::pci_sysfs_resource, access);
  EXPECT_EQ(in_era(sysfs, kvm_era::from_6_9), nullptr);
  ASSERT_NE(find(sysfs, circumstance::allow_any_uncached), nullptr);
  EXPECT_EQ(find(sysfs, circumstance::allow_any_uncached)->then.memory, stage2_memory::normal_nc);
}

// Releases that decide alike are one entry, and only they: cacheable memory whose driver vouches for any uncached type
// was Device-nGnRE, then Normal-NC, and is Normal-WB.
TEST(WhatIf, ReleasesThatDecideDifferentlyAreTwoEntries) {
  memory_inputs m = inputs_of(backing::nvgrace_usemem);
  m.vma.allow_any_uncached = true;
  what_if_list const list = what_would_change({7, 1}, v1, m, backing::custom, {});
  ASSERT_NE(nullptr, in_era(list, kvm_era::to_6_8));
  EXPECT_EQ(stage2_memory::device_nGnRE, in_era(list, kvm_era::to_6_8)->then.memory);
  EXPECT_EQ(kvm_era::to_6_8, in_era(list, kvm_era::to_6_8)->last);
  ASSERT_NE(nullptr, in_era(list, kvm_era::from_6_9));
  EXPECT_EQ(stage2_memory::normal_nc, in_era(list, kvm_era::from_6_9)->then.memory);
  EXPECT_EQ(kvm_era::from_6_13, in_era(list, kvm_era::from_6_9)->last);
  EXPECT_EQ(nullptr, in_era(list, kvm_era::from_6_17));
}

// What a guest can tell apart is another answer, what it cannot is the same.
TEST(WhatIf, WhatAGuestCanTell) {
  decision const base = decide({7, 1}, v1, backing::memfd, {});
  auto const with = [&](auto&& change) {
    decision d = base;
    change(d);
    return same_answer(base, d);
  };
  EXPECT_FALSE(with([](decision& d) { d.memory = stage2_memory::normal_nc; }));
  EXPECT_FALSE(with([](decision& d) { d.sh = shareability::outer; }));
  EXPECT_FALSE(with([](decision& d) { d.readable = false; }));
  EXPECT_FALSE(with([](decision& d) { d.writable = false; }));
  EXPECT_FALSE(with([](decision& d) { d.executable = false; }));
  EXPECT_FALSE(with([](decision& d) { d.outcome = policy_outcome::mmio_exit; }));
  EXPECT_FALSE(with([](decision& d) { d.error = policy_errno::efault; }));
  EXPECT_FALSE(with([](decision& d) { d.exception = injected_exception::serror; }));
  EXPECT_TRUE(with([](decision& d) { d.largest_leaf = level::l1; }));
  EXPECT_TRUE(with([](decision& d) { d.duties = {true, true}; }));
}

// Each circumstance by a question that it alone changes, and what is decided then.
TEST(WhatIf, EveryCircumstance) {
  auto const then = [](circumstance c, kernel_version v, policy_host const& host, memory_inputs const& m,
                       fault_access const& a) {
    what_if_list const list = what_would_change(v, host, m, backing::custom, a);
    what_if const* const found = find(list, c);
    return found == nullptr ? std::string_view("nothing") : std::string_view(found->then.row->id);
  };
  policy_host const none{};
  policy_host pkvm = v1;
  pkvm.mode = hypervisor_mode::pkvm_guest;
  policy_host nested = v1;
  nested.mode = hypervisor_mode::nested;
  nested.nested.write = false;
  memory_inputs const bar = inputs_of(backing::pci_sysfs_resource);
  memory_inputs const gpu = inputs_of(backing::nvgrace_usemem);
  memory_inputs const drm = inputs_of(backing::drm_wc_ram);
  memory_inputs partial = inputs_of(backing::vfio_pci_bar);
  partial.slot.whole_pages = false;
  fault_access const write{.kind = access_kind::write};
  fault_access const no_isv{.syndrome_valid = false};
  fault_access const sea{.fault = fault_reason::external_abort};
  EXPECT_EQ(then(circumstance::fwb_and_dic, {7, 1}, none, gpu, {}), "cacheable-pfnmap");
  EXPECT_EQ(then(circumstance::without_fwb, {7, 1}, v1, gpu, {}), "memslot-cacheable-pfnmap");
  EXPECT_EQ(then(circumstance::without_dic, {7, 1}, v1, gpu, {}), "memslot-cacheable-pfnmap");
  EXPECT_EQ(then(circumstance::allow_any_uncached, {7, 1}, v1, bar, {}), "any-uncached");
  EXPECT_EQ(then(circumstance::cacheable_vma, {7, 1}, v1, bar, {}), "cacheable-pfnmap");
  EXPECT_EQ(then(circumstance::not_special, {7, 1}, v1, bar, {}), "cacheable");
  EXPECT_EQ(then(circumstance::host_entry_read_only, {7, 1}, v1, drm, write), "pfnmap-read-only");
  EXPECT_EQ(then(circumstance::host_entry_read_only, {7, 1}, v1, bar, write), "nothing");
  EXPECT_EQ(then(circumstance::host_entry_writable, {7, 1}, v1, inputs_of(backing::dev_mem_bar_private), write),
            "uncached-vma");
  EXPECT_EQ(then(circumstance::not_read_only, {7, 1}, v1, inputs_of(backing::rom), write), "cacheable");
  EXPECT_EQ(then(circumstance::whole_host_pages, {7, 1}, v1, partial, {}), "any-uncached");
  EXPECT_EQ(then(circumstance::guest_memfd_mmap, {7, 1}, v1, inputs_of(backing::guest_memfd_no_mmap), {}),
            "guest-memfd");
  EXPECT_EQ(then(circumstance::nisv_exits, {7, 1}, v1, inputs_of(backing::emulated_mmio), no_isv), "mmio-nisv");
  EXPECT_EQ(then(circumstance::sea_exits, {7, 1}, v1, inputs_of(backing::memfd), sea), "external-abort-exit");
  EXPECT_EQ(then(circumstance::sea_exits, {6, 18}, v1, inputs_of(backing::memfd), sea), "nothing");
  EXPECT_EQ(then(circumstance::on_fetch, {7, 1}, v1, bar, {}), "uncached-fetch");
  EXPECT_EQ(then(circumstance::without_protection, {7, 1}, pkvm, bar, {}), "uncached-vma");
  EXPECT_EQ(then(circumstance::without_protection, {7, 1}, nested, inputs_of(backing::memfd), write), "nothing");
}

}  // namespace
}  // namespace vmsa::what_if_test
