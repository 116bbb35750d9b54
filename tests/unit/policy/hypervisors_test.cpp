// SPDX-License-Identifier: MIT
// What each hypervisor's source says, read 2024 to 2026, as descriptors.
#include "vmsa/policy/hypervisors.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vmsa::hypervisors_test {
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

// Every row of every hypervisor: the memory, the row and its answer, and the leaf without its address: bits 11:0 and
// XN. A row that maps gives whole blocks, obeys a read-only slot and not the monitor's own mapping, and claims no
// duties.
struct row_case {
  hypervisor h;
  backing kind;
  char const* row;
  policy_outcome outcome;
  policy_cause cause;
  u64 leaf;
};
constexpr auto map = policy_outcome::map;
constexpr auto exits = policy_outcome::mmio_exit;
constexpr auto aborts = policy_outcome::guest_exception;
constexpr auto stops = policy_outcome::run_error;
constexpr auto unknown = policy_outcome::not_applicable;
using why = policy_cause;
constexpr row_case cases[] = {
    {hypervisor::xen, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::xen, backing::device, "direct-dev", map, why::none, 0x6c7 | xn},
    {hypervisor::xen, backing::no_map, "direct-dev", map, why::none, 0x6c7 | xn},
    {hypervisor::xen, backing::fs_dax, "direct-dev", map, why::none, 0x6c7 | xn},
    {hypervisor::xen, backing::p2pdma, "direct-dev", map, why::none, 0x6c7 | xn},
    {hypervisor::xen, backing::unbacked, "unmapped", exits, why::none, 0},
    {hypervisor::xen_dom0, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::xen_dom0, backing::device, "direct-c", map, why::none, 0x6ff | xn},
    {hypervisor::xen_dom0, backing::gicv, "gicv", map, why::none, 0x6c7 | xn},
    {hypervisor::xen_dom0, backing::unbacked, "unmapped", aborts, why::no_memslot, 0},
    {hypervisor::hafnium, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::hafnium, backing::device, "device", map, why::none, 0x7c3 | xn},
    {hypervisor::hafnium, backing::unbacked, "unmapped", aborts, why::no_memslot, 0},
    {hypervisor::bao, backing::ram, "ram", map, why::none, 0x4ff},
    {hypervisor::bao, backing::device, "device", map, why::none, 0x4cf},
    {hypervisor::bao, backing::unbacked, "unmapped", stops, why::no_memslot, 0},
    {hypervisor::nova, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::nova, backing::device, "caller-device", unknown, why::configuration, 0},
    {hypervisor::nova, backing::unbacked, "unmapped", exits, why::none, 0},
    {hypervisor::jailhouse, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::jailhouse, backing::device, "io", map, why::none, 0x7c7},
    {hypervisor::jailhouse, backing::unbacked, "unmapped", stops, why::no_memslot, 0},
    {hypervisor::sel4, backing::ram, "ram", map, why::none, 0x4ff},
    {hypervisor::sel4, backing::device, "device", map, why::none, 0x4c3 | xn},
    {hypervisor::sel4, backing::unbacked, "unmapped", exits, why::none, 0},
    {hypervisor::sel4_smp, backing::ram, "ram", map, why::none, 0x7ff},
    {hypervisor::sel4_smp, backing::device, "device", map, why::none, 0x7c3 | xn},
    {hypervisor::sel4_smp, backing::unbacked, "unmapped", exits, why::none, 0},
    {hypervisor::tf_rmm, backing::ram, "protected", map, why::none, 0x7db},
    {hypervisor::tf_rmm, backing::device, "device", map, why::none, 0x7d7},
    {hypervisor::tf_rmm, backing::nvgrace_usemem, "coherent-device", map, why::none, 0x7df},
    {hypervisor::tf_rmm, backing::unbacked, "unmapped", exits, why::none, 0},
    {hypervisor::gunyah, backing::ram, "caller-ram", unknown, why::configuration, 0},
    {hypervisor::gunyah, backing::device, "caller-ram", unknown, why::configuration, 0},
    {hypervisor::gunyah, backing::unbacked, "unmapped", exits, why::none, 0},
};
// The DFSCs that no mapping cures come to this row of each: see below.
constexpr char const* other_fault = "other-fault";

TEST(Hypervisors, EveryRowDecidesExactly) {
  std::set<std::pair<hypervisor, std::string>> decided;
  for (row_case const& c : cases) {
    SCOPED_TRACE(testing::Message() << hypervisor_table(c.h).name() << ", " << name(c.kind));
    for (policy_host const& host : {policy_host{}, v1}) {
      memory_inputs m = inputs_of(c.kind);
      m.host_leaf = level::l2;
      decision d = hypervisor_policy{c.h, {}}.decide_for(host, m, c.kind, {});
      ASSERT_NE(nullptr, d.row);
      decided.insert({c.h, d.row->id});
      EXPECT_STREQ(c.row, d.row->id);
      EXPECT_EQ(c.outcome, d.outcome);
      EXPECT_EQ(c.cause, d.cause);
      injected_exception const taken =
          c.h == hypervisor::hafnium ? injected_exception::as_taken : injected_exception::external_abort;
      EXPECT_EQ(c.outcome == aborts ? taken : injected_exception::none, d.exception);
      EXPECT_EQ(policy_errno::none, d.error);
      EXPECT_FALSE(d.capability_243);
      EXPECT_FALSE(d.of_kvm);
      EXPECT_EQ(c.h == hypervisor::tf_rmm, d.fwb);
      EXPECT_EQ(cache_duties{}, d.duties);
      if (c.outcome != map) continue;
      EXPECT_EQ(c.leaf, encode_leaf({}, level::l3, leaf_of(d)).value.raw);
      EXPECT_EQ(m.vma.pfnmap ? level::l1 : level::l2, d.largest_leaf);
      m.vma.access = host_access::read_only;
      EXPECT_TRUE(hypervisor_policy({c.h, {}}).decide_for(host, m, c.kind, {}).writable);
      m.slot.read_only = true;
      d = hypervisor_policy{c.h, {}}.decide_for(host, m, c.kind, {.kind = access_kind::write});
      EXPECT_EQ(c.leaf & ~u64{0x80}, encode_leaf({}, level::l3, leaf_of(d)).value.raw);
    }
  }
  for (unsigned i = 0; i < hypervisor_count; ++i)
    for (rule const& r : hypervisor_table(static_cast<hypervisor>(i)).rows())
      EXPECT_TRUE(decided.contains({static_cast<hypervisor>(i), r.id}) || std::string(r.id) == other_fault)
          << hypervisor_table(static_cast<hypervisor>(i)).name() << ": " << r.id;
}

// What a caller may choose, in the order nGnRnE nGnRE nGRE GRE NC WT WB stage1, and the leaf that it gets: MemAttr 0 to
// 3, 5, a and f, or with FWB 0 to 3, 5, 6 and 7; Device is execute-never.
TEST(Hypervisors, EveryChoiceOfACaller) {
  struct row {
    hypervisor h;
    char const* may;
    u64 sh;  // bits 9:8
  };
  constexpr row rows[] = {
      {hypervisor::xen,
       "0000"
       "1000",
       0x200},
      {hypervisor::xen_dom0,
       "0000"
       "1000",
       0x200},
      {hypervisor::hafnium,
       "1000"
       "0010",
       0x300},
      {hypervisor::bao,
       "0000"
       "0000",
       0},
      {hypervisor::nova,
       "1111"
       "1110",
       0x300},
      {hypervisor::jailhouse,
       "0100"
       "0010",
       0x300},
      {hypervisor::sel4,
       "1000"
       "0010",
       0},
      {hypervisor::sel4_smp,
       "1000"
       "0010",
       0x300},
      {hypervisor::tf_rmm,
       "1111"
       "1011",
       0x300},
      {hypervisor::gunyah,
       "1111"
       "1110",
       0x300},
  };
  constexpr u64 plain[] = {0x0, 0x1, 0x2, 0x3, 0x5, 0xa, 0xf, 0xf};
  constexpr u64 forced[] = {0x0, 0x1, 0x2, 0x3, 0x5, 0xff, 0x6, 0x7};
  for (row const& r : rows) {
    for (unsigned i = 0; i < 8; ++i) {
      SCOPED_TRACE(testing::Message() << hypervisor_table(r.h).name() << ", type " << i);
      auto const type = static_cast<stage2_memory>(i);
      EXPECT_EQ(r.may[i] == '1', may_choose(r.h, type));
      if (r.may[i] != '1') continue;
      u64 const memattr = r.h == hypervisor::tf_rmm ? forced[i] : plain[i];
      for (backing b : {backing::ram, backing::device})
        EXPECT_EQ(0x4c3 | r.sh | memattr << 2 | (i < 4 ? xn : 0), leaf(r.h, b, type));
      decision const nowhere =
          hypervisor_policy{r.h, type}.decide_for(v1, inputs_of(backing::unbacked), backing::unbacked, {});
      // Where nothing is mapped there is no type to choose.
      bool const refuses = r.h == hypervisor::xen_dom0 || r.h == hypervisor::hafnium;
      EXPECT_EQ(refuses ? aborts : r.h == hypervisor::jailhouse ? stops : exits, nowhere.outcome);
    }
  }
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

// What is mapped nowhere, and what a caller of the hypervisor chose for what is mapped does not count.
TEST(Hypervisors, WhatIsMappedNowhereIsNotAlwaysEmulated) {
  struct row {
    hypervisor which;
    policy_outcome outcome;
    injected_exception exception;
  };
  using enum policy_outcome;
  using none_or = injected_exception;
  constexpr row rows[] = {{hypervisor::hafnium, guest_exception, none_or::as_taken},
                          {hypervisor::bao, run_error, none_or::none},
                          {hypervisor::jailhouse, run_error, none_or::none},
                          {hypervisor::xen, mmio_exit, none_or::none},
                          {hypervisor::nova, mmio_exit, none_or::none},
                          {hypervisor::tf_rmm, mmio_exit, none_or::none}};
  for (row const& r : rows)
    for (std::optional<stage2_memory> const choice : {std::optional<stage2_memory>{}, {stage2_memory::normal_wb}}) {
      decision const d = hypervisor_policy{r.which, choice}.decide_for({}, inputs_of(backing::emulated_mmio),
                                                                       backing::emulated_mmio, {});
      EXPECT_EQ(r.outcome, d.outcome) << hypervisor_table(r.which).name();
      EXPECT_EQ(r.exception, d.exception) << hypervisor_table(r.which).name();
      EXPECT_EQ(policy_errno::none, d.error);
      EXPECT_EQ(0u, d.esr_el1);
    }
}

}  // namespace
}  // namespace vmsa::hypervisors_test
