// SPDX-License-Identifier: MIT
// What kernels were seen to do is in kvm_observed_test.cpp; here are the rows that were read in their source.
#include "vmsa/policy/kvm.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmsa::kvm_test {
namespace {

constexpr u64 xn = u64{1} << 54;

// The leaf without its output address: bits 11:0, and XN. All ones where there is none.
constexpr u64 low(decision const& d, memory_inputs const& m) {
  level const at = m.vma.pfnmap ? level::l3 : d.largest_leaf;
  encoded_descriptor const raw = encode_leaf({}, at, leaf_of(d), {.ds = !d.sh_in_leaf});
  return d.maps() && raw ? raw.value.raw : ~u64{0};
}

constexpr policy_host a72{};
constexpr policy_host max_cpu{.cpu = {.s2fwb = true}};
constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};

constexpr memory_inputs with_slot(backing b, memslot slot) {
  memory_inputs m = inputs_of(b);
  m.slot = slot;
  return m;
}

using enum access_kind;
using enum policy_errno;
constexpr memslot read_only{.read_only = true};
constexpr memslot logged{.log_dirty = true};

// Decisions are constant expressions too: a reader's and a hypervisor's static table.
static_assert(low(decide({7, 3}, v1, backing::devm_generic, {}), inputs_of(backing::devm_generic)) == 0x7db);
static_assert(decide({6, 1}, a72, backing::vfio_pci_bar, {.kind = exec}).esr_el1 == 0x86000010);

TEST(Kvm, Capability243) {
  EXPECT_FALSE(decide({6, 1}, v1, backing::anonymous, {}).capability_243);
  EXPECT_FALSE(decide({6, 12}, v1, backing::anonymous, {}).capability_243);
  EXPECT_FALSE(decide({6, 16}, v1, backing::anonymous, {}).capability_243);
  EXPECT_TRUE(decide({6, 17}, v1, backing::anonymous, {}).capability_243);
  EXPECT_TRUE(decide({7, 3}, v1, backing::anonymous, {}).capability_243);
  EXPECT_FALSE(decide({7, 3}, max_cpu, backing::anonymous, {}).capability_243);
  EXPECT_FALSE(decide({7, 3}, a72, backing::anonymous, {}).capability_243);
  policy_host pkvm = v1;
  pkvm.mode = hypervisor_mode::pkvm_guest;
  EXPECT_TRUE(decide({7, 3}, pkvm, backing::nvgrace_usemem, {}).capability_243);
}

// Section 2: the columns a, b and c, on a host with FWB and DIC.
struct class_row {
  backing kind;
  char const* a;
  char const* b;
  char const* c;
};
constexpr class_row classes[] = {
    {backing::anonymous, "WB", "WB", "WB"},
    {backing::hugetlb_2m, "WB block", "WB block", "WB block"},
    {backing::no_map, "nGnRE", "nGnRE", "nGnRE"},
    {backing::efi_runtime, "nGnRE", "nGnRE", "nGnRE"},
    {backing::efi_persistent, "WB", "WB", "WB"},
    {backing::soft_reserved, "nGnRE", "nGnRE", "WB"},
    {backing::cxl, "nGnRE", "nGnRE", "WB"},
    {backing::pmem, "nGnRE", "nGnRE", "WB"},
    {backing::devm_private, "-", "-", "-"},
    {backing::devm_coherent, "nGnRE", "nGnRE", "WB"},
    {backing::fs_dax, "nGnRE", "nGnRE", "WB"},
    {backing::devm_generic, "nGnRE", "nGnRE", "WB"},
    {backing::p2pdma, "EFAULT", "EFAULT", "EFAULT"},
    {backing::vfio_pci_bar, "nGnRE", "NC", "NC"},
    {backing::pci_sysfs_resource, "nGnRE", "nGnRE", "nGnRE"},
    {backing::pci_sysfs_resource_wc, "nGnRE", "nGnRE", "nGnRE"},
    {backing::vfio_platform, "nGnRE", "nGnRE", "nGnRE"},
    {backing::vfio_amba, "nGnRE", "nGnRE", "nGnRE"},
    {backing::vfio_cdx, "nGnRE", "nGnRE", "nGnRE"},
    {backing::vfio_fsl_mc_cacheable, "nGnRE", "nGnRE", "WB"},
    {backing::nvgrace_usemem, "nGnRE", "nGnRE", "WB"},
    {backing::nvgrace_resmem, "nGnRE", "NC", "NC"},
    {backing::gicv, "nGnRE", "nGnRE", "nGnRE"},
    {backing::emulated_mmio, "MMIO", "MMIO", "MMIO"},
    {backing::guest_memfd, "EINVAL", "EINVAL", "WB"},
    {backing::drm_wc_ram, "WB", "WB", "WB"},
};

std::string short_form(decision const& d) {
  switch (d.outcome) {
    case policy_outcome::map: break;
    case policy_outcome::mmio_exit: return "MMIO";
    case policy_outcome::not_applicable: return "-";
    default: return d.error == policy_errno::efault ? "EFAULT" : d.error == policy_errno::einval ? "EINVAL" : "?";
  }
  std::string const type = d.memory == stage2_memory::normal_wb      ? "WB"
                           : d.memory == stage2_memory::normal_nc    ? "NC"
                           : d.memory == stage2_memory::device_nGnRE ? "nGnRE"
                                                                     : "?";
  return d.largest_leaf == level::l2 ? type + " block" : type;
}

TEST(Kvm, EveryClassInEveryEra) {
  for (class_row const& row : classes) {
    EXPECT_EQ(short_form(decide({6, 8}, v1, row.kind, {})), row.a) << name(row.kind);
    EXPECT_EQ(short_form(decide({6, 9}, v1, row.kind, {})), row.b) << name(row.kind);
    EXPECT_EQ(short_form(decide({6, 16}, v1, row.kind, {})), row.b) << name(row.kind);
    EXPECT_EQ(short_form(decide({6, 17}, v1, row.kind, {})), row.c) << name(row.kind);
    EXPECT_EQ(short_form(decide({7, 1}, v1, row.kind, {})), row.c) << name(row.kind);
  }
  for (backing b : {backing::vfio_fsl_mc_cacheable, backing::nvgrace_usemem}) {
    EXPECT_EQ(short_form(decide({6, 17}, a72, b, {})), "EINVAL") << name(b);
    EXPECT_EQ(short_form(decide({6, 17}, max_cpu, b, {})), "EINVAL") << name(b);
  }
}

TEST(Kvm, Eras) {
  EXPECT_EQ(era_of({5, 10}), kvm_era::to_6_8);
  EXPECT_EQ(era_of({6, 8}), kvm_era::to_6_8);
  EXPECT_EQ(era_of({6, 9}), kvm_era::from_6_9);
  EXPECT_EQ(era_of({6, 12}), kvm_era::from_6_9);
  EXPECT_EQ(era_of({6, 13}), kvm_era::from_6_13);
  EXPECT_EQ(era_of({6, 16}), kvm_era::from_6_13);
  EXPECT_EQ(era_of({6, 17}), kvm_era::from_6_17);
  EXPECT_EQ(era_of({6, 18}), kvm_era::from_6_17);
  EXPECT_EQ(era_of({6, 19}), kvm_era::from_6_19);
  EXPECT_EQ(era_of({7, 0}), kvm_era::from_7_0);
  EXPECT_EQ(era_of({7, 1}), kvm_era::from_7_1);
  EXPECT_EQ(era_of({7, 3}), kvm_era::from_7_1);
}

// Which row decides, in one release on each side of a turning point, and what comes of it.
struct dated {
  char const* what;
  kernel_version before;
  kernel_version after;
  char const* row_before;
  char const* row_after;
  policy_host host;
  memory_inputs memory;
  fault_access access;
};
constexpr policy_host with_mte{.cpu = {.s2fwb = true, .dic = true}, .mte_vm = true};
constexpr policy_host with_sea_exits{.cpu = {.s2fwb = true, .dic = true}, .sea_exits = true};
constexpr fault_access exclusive{.kind = write, .fault = fault_reason::unsupported_access, .syndrome_valid = false};
constexpr fault_access unaligned{.kind = write, .fault = fault_reason::alignment};
constexpr memory_inputs late_hugetlb = [] {
  memory_inputs m = inputs_of(backing::hugetlb_2m);
  m.vma.late = true;
  return m;
}();

TEST(Kvm, TurningPoints) {
  dated const points[] = {
      {"a BAR", {6, 8}, {6, 9}, "not-ram", "any-uncached", v1, inputs_of(backing::vfio_pci_bar), {}},
      {"VRAM keeps its type", {6, 8}, {7, 1}, "not-ram", "uncached-vma", v1, inputs_of(backing::drm_vram), {}},
      {"hugetlb and MTE", {6, 12}, {6, 13}, "memslot-mte", "cacheable", with_mte, inputs_of(backing::hugetlb_2m), {}},
      {"late hugetlb and MTE", {6, 12}, {6, 13}, "mte-late", "cacheable", with_mte, late_hugetlb, {}},
      {"a file and MTE", {6, 12}, {7, 1}, "memslot-mte", "memslot-mte", with_mte, inputs_of(backing::fs_dax), {}},
      {"guest_memfd",
       {6, 16},
       {6, 17},
       "memslot-no-guest-memfd",
       "memslot-guest-memfd-no-mmap",
       v1,
       inputs_of(backing::guest_memfd_no_mmap),
       {}},
      {"an external abort",
       {6, 18},
       {6, 19},
       "external-abort",
       "external-abort-exit",
       with_sea_exits,
       inputs_of(backing::memfd),
       {.fault = fault_reason::external_abort}},
      {"an external abort that the monitor did not ask for",
       {6, 18},
       {7, 1},
       "external-abort",
       "external-abort",
       v1,
       inputs_of(backing::memfd),
       {.fault = fault_reason::external_abort}},
      {"an exclusive",
       {6, 19},
       {7, 0},
       "unsupported-access",
       "unsupported-access",
       v1,
       inputs_of(backing::memfd),
       exclusive},
      {"an exclusive where no memslot is",
       {6, 19},
       {7, 0},
       "unsupported-access",
       "mmio-no-syndrome",
       v1,
       inputs_of(backing::emulated_mmio),
       exclusive},
      {"an exclusive to guest_memfd",
       {6, 19},
       {7, 0},
       "unsupported-access",
       "unsupported-access-elsewhere",
       v1,
       inputs_of(backing::guest_memfd),
       exclusive},
      {"an exclusive to what cannot be pinned",
       {6, 19},
       {7, 0},
       "unsupported-access",
       "p2pdma",
       v1,
       inputs_of(backing::p2pdma),
       exclusive},
      {"an alignment fault",
       {6, 1},
       {7, 1},
       "alignment-fault",
       "alignment-fault",
       v1,
       inputs_of(backing::vfio_pci_bar),
       unaligned},
  };
  for (dated const& p : points) {
    EXPECT_STREQ(p.row_before, decide(p.before, p.host, p.memory, backing::custom, p.access).row->id) << p.what;
    EXPECT_STREQ(p.row_after, decide(p.after, p.host, p.memory, backing::custom, p.access).row->id) << p.what;
  }
}

TEST(Kvm, AnExclusiveOnUnfitMemoryEndsTheVmBefore70AndIsTheGuestsSince) {
  decision const before = decide({6, 19}, v1, backing::memfd, exclusive);
  EXPECT_EQ(policy_outcome::run_error, before.outcome);
  EXPECT_EQ(efault, before.error);
  EXPECT_EQ(policy_cause::unsupported_fsc, before.cause);
  // kvm_inject_dabt_excl_atomic: the abort of kvm_inject_sea with DFSC 0x35.
  decision const since = decide({7, 0}, v1, backing::memfd, exclusive);
  EXPECT_EQ(policy_outcome::guest_exception, since.outcome);
  EXPECT_EQ(0x96000035u, since.esr_el1);
  fault_access user = exclusive;
  user.from_el0 = true;
  EXPECT_EQ(0x92000035u, decide({7, 0}, v1, backing::memfd, user).esr_el1);
}

TEST(Kvm, NoMappingCuresAnAlignmentFault) {
  for (backing b : {backing::vfio_pci_bar, backing::memfd, backing::emulated_mmio, backing::gicv}) {
    decision const d = decide({6, 8}, v1, b, unaligned);
    EXPECT_EQ(policy_outcome::run_error, d.outcome) << name(b);
    EXPECT_EQ(efault, d.error) << name(b);
    EXPECT_EQ(policy_cause::unsupported_fsc, d.cause) << name(b);
  }
}

// Blocks of stage 2: 1G and 2M with 4K pages, 32M with 16K, 512M with 64K.
TEST(Kvm, LeavesByTheHostsPage) {
  struct row {
    granule page;
    backing kind;
    u64 largest;
  };
  constexpr row rows[] = {
      {granule::k4, backing::vfio_pci_bar, u64{1} << 30},  {granule::k16, backing::vfio_pci_bar, u64{1} << 25},
      {granule::k64, backing::vfio_pci_bar, u64{1} << 29}, {granule::k4, backing::hugetlb_2m, u64{1} << 21},
      {granule::k16, backing::hugetlb_2m, u64{1} << 14},   {granule::k64, backing::hugetlb_2m, u64{1} << 16},
      {granule::k4, backing::hugetlb_1g, u64{1} << 30},    {granule::k16, backing::hugetlb_1g, u64{1} << 25},
      {granule::k16, backing::anonymous, u64{1} << 14},    {granule::k64, backing::anonymous, u64{1} << 16},
  };
  for (row const& r : rows) {
    policy_host host = v1;
    host.page = r.page;
    decision const d = decide({7, 1}, host, r.kind, {});
    EXPECT_EQ(r.largest, level_size(d.tg, d.largest_leaf)) << name(r.kind) << int(r.page);
  }
}

TEST(Kvm, ASlotOfPartOfAHostPageIsRefused) {
  memory_inputs m = inputs_of(backing::vfio_pci_bar);
  m.slot.whole_pages = false;
  for (kernel_version v : {kernel_version{5, 15}, {6, 8}, {6, 12}, {7, 1}}) {
    EXPECT_EQ(policy_outcome::memslot_error, decide(v, v1, m, backing::vfio_pci_bar, {}).outcome);
    EXPECT_EQ(einval, decide(v, v1, m, backing::vfio_pci_bar, {}).error);
  }
}

TEST(Kvm, TheFrontEnd) {
  auto const on = [](fault_access const& a, backing b = backing::anonymous) { return decide({7, 3}, a72, b, a); };
  EXPECT_EQ(on({.kind = exec, .fault = fault_reason::beyond_host_limit}).esr_el1, 0x86000000u);
  EXPECT_EQ(on({.fault = fault_reason::beyond_host_limit}).esr_el1, 0x96000000u);
  EXPECT_EQ(on({.fault = fault_reason::beyond_vm_limit}).esr_el1, 0x96000010u);
  EXPECT_EQ(on({.fault = fault_reason::beyond_vm_limit, .from_el0 = true}).esr_el1, 0x92000010u);
  EXPECT_EQ(on({.fault = fault_reason::unsupported}).cause, policy_cause::unsupported_fsc);
  EXPECT_EQ(on({.fault = fault_reason::access_flag}).outcome, policy_outcome::make_young);
  EXPECT_EQ(on({.kind = exec}, backing::emulated_mmio).esr_el1, 0x86000010u);
  EXPECT_EQ(on({.kind = exec, .from_el0 = true}, backing::emulated_mmio).esr_el1, 0x82000010u);
  EXPECT_EQ(on({.stage1_walk = true}, backing::emulated_mmio).esr_el1, 0x96000010u);
  EXPECT_EQ(on({.kind = write, .cache_maintenance = true}, backing::emulated_mmio).outcome,
            policy_outcome::skip_instruction);
  EXPECT_EQ(on({.syndrome_valid = false}, backing::emulated_mmio).error, enosys);
  EXPECT_EQ(on({.kind = write}, backing::rom).outcome, policy_outcome::mmio_exit);
  EXPECT_EQ(on({.kind = exec}, backing::rom).outcome, policy_outcome::map);
  EXPECT_EQ(on({.kind = exec}, backing::gicv).esr_el1, 0x86000010u);
  policy_host nisv = a72;
  nisv.nisv_exits = true;
  decision const exit = decide({7, 3}, nisv, backing::emulated_mmio, {.syndrome_valid = false});
  EXPECT_EQ(exit.outcome, policy_outcome::mmio_exit);
  EXPECT_EQ(exit.cause, policy_cause::no_syndrome);
}

TEST(Kvm, CausesOfBadAddress) {
  memory_inputs m = inputs_of(backing::anonymous);
  auto const cause = [&](access_kind k) { return decide({7, 3}, a72, m, backing::custom, {.kind = k}).cause; };
  m.vma = {.type = vma_type::none, .access = host_access::none};
  EXPECT_EQ(cause(read), policy_cause::no_vma);
  m.vma = {.access = host_access::none};
  EXPECT_EQ(cause(read), policy_cause::cannot_pin);
  m = inputs_of(backing::dev_mem_bar_private);
  EXPECT_EQ(cause(write), policy_cause::pfnmap_read_only);
  m = inputs_of(backing::devm_generic_mixedmap);
  EXPECT_EQ(cause(read), policy_cause::cacheable_pfnmap_unsupported);
  // A PFNMAP VMA that came after the slot passes the ioctl and fails at the fault.
  m = inputs_of(backing::nvgrace_usemem);
  m.vma.late = true;
  EXPECT_EQ(cause(read), policy_cause::cacheable_pfnmap_unsupported);
  EXPECT_EQ(cause(exec), policy_cause::cacheable_pfnmap_unsupported);
}

TEST(Kvm, Mte) {
  policy_host host = v1;
  host.mte_vm = true;
  EXPECT_EQ(decide({7, 3}, host, backing::anonymous, {}).outcome, policy_outcome::map);
  EXPECT_EQ(decide({7, 3}, host, backing::vfio_pci_bar, {}).cause, policy_cause::mte_not_allowed);
  EXPECT_EQ(decide({6, 1}, host, backing::fs_dax, {}).outcome, policy_outcome::memslot_error);
  memory_inputs late = inputs_of(backing::fs_dax);
  late.vma.late = true;
  EXPECT_EQ(decide({7, 3}, host, late, backing::custom, {}).error, efault);
  EXPECT_EQ(decide({7, 3}, host, late, backing::custom, {.kind = write, .fault = fault_reason::permission}).outcome,
            policy_outcome::map);
  // Device memory holds no tags, so nobody asks at the fault.
  late = inputs_of(backing::vfio_pci_bar);
  late.vma.late = true;
  EXPECT_EQ(decide({7, 3}, host, late, backing::custom, {}).memory, stage2_memory::normal_nc);
}

TEST(Kvm, Pkvm) {
  policy_host guest = v1;
  guest.mode = hypervisor_mode::pkvm_guest;
  EXPECT_EQ(decide({7, 3}, guest, backing::anonymous, {}).outcome, policy_outcome::map);
  for (backing b : {backing::vfio_pci_bar, backing::pci_sysfs_resource, backing::nvgrace_resmem, backing::no_map}) {
    EXPECT_EQ(decide({7, 3}, guest, b, {}).error, einval) << name(b);
    EXPECT_EQ(decide({7, 3}, guest, b, {}).outcome, policy_outcome::run_error) << name(b);
    EXPECT_EQ(decide({7, 3}, guest, b, {.kind = exec}).esr_el1, 0x86000010u) << name(b);
  }
  for (backing b : {backing::nvgrace_usemem, backing::devm_generic, backing::devm_generic_mixedmap})
    EXPECT_EQ(decide({7, 3}, guest, b, {}).error, eperm) << name(b);

  policy_host own = a72;
  own.mode = hypervisor_mode::pkvm_protected;
  EXPECT_EQ(decide({7, 3}, own, backing::anonymous, {}).outcome, policy_outcome::map);
  EXPECT_EQ(decide({7, 3}, own, backing::memfd, {}).outcome, policy_outcome::map);
  for (backing b : {backing::hugetlb_2m, backing::fs_dax, backing::vfio_pci_bar, backing::no_map})
    EXPECT_EQ(decide({7, 3}, own, b, {}).error, eio) << name(b);
  EXPECT_EQ(decide({7, 3}, own, with_slot(backing::anonymous, read_only), backing::custom, {}).error, eperm);
  EXPECT_EQ(decide({7, 3}, own, with_slot(backing::anonymous, logged), backing::custom, {}).error, eperm);
}

TEST(Kvm, NestedPermissionsAreTheAndOfBoth) {
  policy_host host = v1;
  host.mode = hypervisor_mode::nested;
  EXPECT_EQ(low(decide({7, 3}, host, backing::anonymous, {}), {}), 0x7dbu);
  host.nested = {.read = true, .write = false, .execute = false};
  EXPECT_EQ(low(decide({7, 3}, host, backing::anonymous, {}), {}), 0x75b | xn);
  decision const write_fault = decide({7, 3}, host, backing::anonymous, {.kind = write});
  EXPECT_EQ(write_fault.cause, policy_cause::nested_permission);
  EXPECT_EQ(write_fault.esr_el1, 0u);
}

TEST(Kvm, Lpa2LeavesHaveNoShareability) {
  policy_host host = v1;
  host.lpa2_tables = true;
  EXPECT_EQ(low(decide({7, 3}, host, backing::anonymous, {}), {}), 0x4dbu);
  EXPECT_EQ(low(decide({7, 3}, host, backing::vfio_pci_bar, {}), inputs_of(backing::vfio_pci_bar)), 0x4d7 | xn);
}

TEST(Kvm, DirtyLoggingOfMemoryThatIsNotRam) {
  // Neither Device memory of a plain VMA before 6.17 nor cacheable MIXEDMAP memory since is write-protected.
  memory_inputs m = with_slot(backing::devm_generic, logged);
  EXPECT_EQ(low(decide({6, 12}, v1, m, backing::custom, {}), m), 0x7c7 | xn);
  EXPECT_EQ(low(decide({6, 17}, v1, m, backing::custom, {}), m), 0x75bu);
  m = with_slot(backing::devm_generic_mixedmap, logged);
  EXPECT_EQ(low(decide({6, 17}, v1, m, backing::custom, {}), m), 0x7dbu);
  // Logged hugetlb memory is mapped in pages.
  m = with_slot(backing::hugetlb_2m, logged);
  EXPECT_EQ(low(decide({6, 12}, a72, m, backing::custom, {}), m), 0x77f | xn);
}

TEST(Kvm, CacheDuties) {
  auto const duties = [](policy_host const& h, backing b, fault_access const& a) {
    return decide({7, 3}, h, b, a).duties;
  };
  EXPECT_EQ(duties(a72, backing::anonymous, {}), (cache_duties{true, false}));
  EXPECT_EQ(duties(a72, backing::anonymous, {.kind = exec}), (cache_duties{true, true}));
  EXPECT_EQ(duties(max_cpu, backing::anonymous, {}), (cache_duties{false, false}));
  EXPECT_EQ(duties(max_cpu, backing::anonymous, {.kind = exec}), (cache_duties{false, true}));
  EXPECT_EQ(duties(v1, backing::anonymous, {.kind = exec}), (cache_duties{false, false}));
  EXPECT_EQ(duties(a72, backing::vfio_pci_bar, {}), (cache_duties{false, false}));
  EXPECT_EQ(duties(a72, backing::anonymous, {.kind = exec, .fault = fault_reason::permission}),
            (cache_duties{false, true}));
}

TEST(Kvm, PageClassesAnswerAsTheKernelPrinted) {
  EXPECT_TRUE(pfn_is_map_memory(page_class::map_memory) && pfn_valid(page_class::map_memory));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::no_map) && pfn_valid(page_class::no_map));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::mmio) && !pfn_valid(page_class::mmio));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::zone_device) && pfn_valid(page_class::zone_device));
  EXPECT_TRUE(is_zone_device(page_class::p2pdma) && !is_zone_device(page_class::no_map));
}

}  // namespace
}  // namespace vmsa::kvm_test
