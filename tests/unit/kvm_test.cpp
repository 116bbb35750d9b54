// SPDX-License-Identifier: MIT
// The judge is facts/kvm-policy.md: leaf descriptors read out of real kernels, errnos and exits observed beside them.
#include "vmsa/policy/kvm.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace vmsa {
namespace {

// What one run of the experiment saw. `low` is the descriptor without its output address: bits 11:0, and XN.
struct seen {
  policy_outcome outcome = policy_outcome::map;
  u64 low = 0;
  policy_errno error = policy_errno::none;
  u64 esr_el1 = 0;

  friend bool operator==(seen const&, seen const&) = default;
  friend std::ostream& operator<<(std::ostream& out, seen const& s) {
    return out << "outcome " << static_cast<int>(s.outcome) << " low " << std::hex << s.low << " errno " << std::dec
               << static_cast<int>(s.error) << " esr " << std::hex << s.esr_el1;
  }
};

constexpr u64 xn = u64{1} << 54;
constexpr seen leaf(u64 low) { return {.low = low}; }
constexpr seen slot_error(policy_errno e) { return {policy_outcome::memslot_error, 0, e, 0}; }
constexpr seen run(policy_errno e) { return {policy_outcome::run_error, 0, e, 0}; }
constexpr seen sea{policy_outcome::guest_exception, 0, policy_errno::none, 0x86000010};
constexpr seen mmio{policy_outcome::mmio_exit, 0, policy_errno::none, 0};
constexpr seen not_tried{policy_outcome::not_applicable, 0, policy_errno::none, 0};

constexpr seen observe(decision const& d, memory_inputs const& m) {
  if (!d.maps()) return {d.outcome, 0, d.error, d.esr_el1};
  level const at = m.vma.pfnmap ? level::l3 : d.largest_leaf;
  encoded_descriptor const raw = encode_leaf({}, at, leaf_of(d), {.ds = !d.sh_in_leaf});
  return {.low = raw ? raw.value.raw : ~u64{0}};
}

struct machine {
  char const* name;
  kernel_version kernel;
  policy_host host;
};
constexpr policy_host a72{};
constexpr policy_host max_cpu{.cpu = {.s2fwb = true}};
constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};
constexpr machine machines[] = {
    {"6.1 a72", {6, 1}, a72}, {"6.12 max", {6, 12}, max_cpu}, {"6.12 v1", {6, 12}, v1},
    {"7.3 a72", {7, 3}, a72}, {"7.3 v1", {7, 3}, v1},
};

struct experiment {
  char const* name;
  memory_inputs inputs;
  access_kind access;
  seen result[5];
};

constexpr memory_inputs with_slot(backing b, memslot slot) {
  memory_inputs m = inputs_of(b);
  m.slot = slot;
  return m;
}
constexpr memory_inputs mapped(page_class page, vma const& v) { return {.page = page, .vma = v}; }

using enum access_kind;
using enum policy_errno;
constexpr vma wb_pfnmap{.type = vma_type::wb, .pfnmap = true};
constexpr vma nc_pfnmap{.type = vma_type::nc, .pfnmap = true};
constexpr vma flagged_pfnmap{.type = vma_type::nGnRnE, .pfnmap = true, .allow_any_uncached = true};
constexpr memslot read_only{.read_only = true};
constexpr memslot logged{.log_dirty = true};

// Section 0, row by row, column by column.
constexpr experiment observed[] = {
    {"anonymous, data", inputs_of(backing::anonymous), write,
     {leaf(0x7ff | xn), leaf(0x7db | xn), leaf(0x7db), leaf(0x7ff | xn), leaf(0x7db)}},
    {"anonymous, read", inputs_of(backing::anonymous), read,
     {leaf(0x7ff | xn), leaf(0x7db | xn), leaf(0x7db), leaf(0x7ff | xn), leaf(0x7db)}},
    {"memfd, data", inputs_of(backing::memfd), write,
     {leaf(0x7ff | xn), leaf(0x7db | xn), leaf(0x7db), leaf(0x7ff | xn), leaf(0x7db)}},
    {"anonymous, fetch", inputs_of(backing::anonymous), exec,
     {leaf(0x7ff), leaf(0x7db), leaf(0x7db), leaf(0x7ff), leaf(0x7db)}},
    {"read-only slot, read", with_slot(backing::anonymous, read_only), read,
     {leaf(0x77f | xn), leaf(0x75b | xn), leaf(0x75b), leaf(0x77f | xn), leaf(0x75b)}},
    {"logged slot, read", with_slot(backing::anonymous, logged), read,
     {leaf(0x77f | xn), leaf(0x75b | xn), leaf(0x75b), leaf(0x77f | xn), leaf(0x75b)}},
    {"logged slot, write", with_slot(backing::anonymous, logged), write,
     {leaf(0x7ff | xn), leaf(0x7db | xn), leaf(0x7db), leaf(0x7ff | xn), leaf(0x7db)}},
    {"hugetlb 2 MiB", inputs_of(backing::hugetlb_2m), write,
     {leaf(0x7fd | xn), leaf(0x7d9 | xn), leaf(0x7d9), leaf(0x7fd | xn), leaf(0x7d9)}},
    {"PCI sysfs resource2", inputs_of(backing::pci_sysfs_resource), write,
     {leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn)}},
    {"PCI sysfs resource2_wc", inputs_of(backing::pci_sysfs_resource_wc), write,
     {leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn)}},
    {"/dev/mem of a BAR, shared", inputs_of(backing::dev_mem_bar), write,
     {leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn)}},
    {"/dev/mem of a BAR, private", inputs_of(backing::dev_mem_bar_private), read,
     {leaf(0x747 | xn), leaf(0x747 | xn), leaf(0x747 | xn), leaf(0x747 | xn), leaf(0x747 | xn)}},
    {"/dev/mem of no-map RAM", inputs_of(backing::dev_mem_no_map), write,
     {leaf(0x7c7 | xn), not_tried, leaf(0x7c7 | xn), leaf(0x7c7 | xn), leaf(0x7c7 | xn)}},
    {"vfio-pci BAR", inputs_of(backing::vfio_pci_bar), write,
     {leaf(0x7c7 | xn), leaf(0x7d7 | xn), leaf(0x7d7 | xn), leaf(0x7d7 | xn), leaf(0x7d7 | xn)}},
    {"PFNMAP WB on a BAR", mapped(page_class::mmio, wb_pfnmap), write,
     {not_tried, not_tried, not_tried, slot_error(einval), leaf(0x7db)}},
    {"PFNMAP NC on a BAR, no flag", mapped(page_class::mmio, nc_pfnmap), write,
     {not_tried, not_tried, not_tried, leaf(0x7c7 | xn), leaf(0x7c7 | xn)}},
    {"PFNMAP nGnRnE with the flag on a BAR", mapped(page_class::mmio, flagged_pfnmap), write,
     {not_tried, not_tried, not_tried, leaf(0x7d7 | xn), leaf(0x7d7 | xn)}},
    {"PFNMAP WB on RAM", mapped(page_class::map_memory, wb_pfnmap), write,
     {not_tried, not_tried, not_tried, slot_error(einval), leaf(0x7db)}},
    {"PFNMAP NC on RAM", inputs_of(backing::drm_wc_ram), write,
     {not_tried, not_tried, not_tried, leaf(0x7ff | xn), leaf(0x7db)}},
    {"devm GENERIC, plain VMA", inputs_of(backing::devm_generic), write,
     {not_tried, not_tried, not_tried, leaf(0x7ff | xn), leaf(0x7db)}},
    {"devm GENERIC, MIXEDMAP", inputs_of(backing::devm_generic_mixedmap), write,
     {not_tried, not_tried, not_tried, run(efault), leaf(0x7db)}},
    {"P2PDMA", inputs_of(backing::p2pdma), write, {not_tried, not_tried, not_tried, run(efault), run(efault)}},
    {"PFNMAP slot with dirty logging", with_slot(backing::vfio_pci_bar, logged), write,
     {slot_error(einval), slot_error(einval), slot_error(einval), slot_error(einval), slot_error(einval)}},
    {"write to a read-only slot", with_slot(backing::anonymous, read_only), write, {mmio, mmio, mmio, mmio, mmio}},
    {"branch into a Device BAR", inputs_of(backing::pci_sysfs_resource), exec, {sea, sea, sea, sea, sea}},
    {"branch into a vfio-pci BAR", inputs_of(backing::vfio_pci_bar), exec, {sea, sea, sea, sea, sea}},
    {"branch into a cacheable PFNMAP BAR", mapped(page_class::mmio, wb_pfnmap), exec,
     {not_tried, not_tried, not_tried, not_tried, leaf(0x7db)}},
};

TEST(Kvm, ObservedLeavesErrorsAndExits) {
  unsigned rows = 0;
  for (experiment const& e : observed) {
    for (unsigned i = 0; i < 5; ++i) {
      if (e.result[i] == not_tried) continue;
      machine const& m = machines[i];
      decision const d = decide(m.kernel, m.host, e.inputs, backing::custom, {.kind = e.access});
      EXPECT_EQ(observe(d, e.inputs), e.result[i]) << e.name << " on " << m.name << ", row "
                                                   << (d.row == nullptr ? "none" : d.row->id);
      ++rows;
    }
  }
  EXPECT_EQ(rows, 106u);  // 27 rows of 5 columns, less the 29 cells that were not tried
}

// The same as constant expressions: a reader's and a hypervisor's static table.
static_assert(observe(decide({7, 3}, v1, backing::devm_generic, {}), inputs_of(backing::devm_generic)).low == 0x7db);
static_assert(observe(decide({6, 1}, a72, backing::vfio_pci_bar, {.kind = exec}), {}) == sea);

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
  EXPECT_EQ(era_of({6, 16}), kvm_era::from_6_9);
  EXPECT_EQ(era_of({6, 17}), kvm_era::from_6_17);
  EXPECT_EQ(era_of({7, 0}), kvm_era::from_6_17);
  EXPECT_EQ(era_of({7, 1}), kvm_era::from_7_1);
  EXPECT_EQ(era_of({7, 3}), kvm_era::from_7_1);
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
  EXPECT_EQ(observe(decide({7, 3}, host, backing::anonymous, {}), {}).low, 0x7dbu);
  host.nested = {.read = true, .write = false, .execute = false};
  EXPECT_EQ(observe(decide({7, 3}, host, backing::anonymous, {}), {}).low, 0x75b | xn);
  decision const write_fault = decide({7, 3}, host, backing::anonymous, {.kind = write});
  EXPECT_EQ(write_fault.cause, policy_cause::nested_permission);
  EXPECT_EQ(write_fault.esr_el1, 0u);
}

TEST(Kvm, Lpa2LeavesHaveNoShareability) {
  policy_host host = v1;
  host.lpa2_tables = true;
  EXPECT_EQ(observe(decide({7, 3}, host, backing::anonymous, {}), {}).low, 0x4dbu);
  EXPECT_EQ(observe(decide({7, 3}, host, backing::vfio_pci_bar, {}), inputs_of(backing::vfio_pci_bar)).low, 0x4d7 | xn);
}

TEST(Kvm, DirtyLoggingOfMemoryThatIsNotRam) {
  // Neither Device memory of a plain VMA before 6.17 nor cacheable MIXEDMAP memory since is write-protected.
  memory_inputs m = with_slot(backing::devm_generic, logged);
  EXPECT_EQ(observe(decide({6, 12}, v1, m, backing::custom, {}), m).low, 0x7c7 | xn);
  EXPECT_EQ(observe(decide({6, 17}, v1, m, backing::custom, {}), m).low, 0x75bu);
  m = with_slot(backing::devm_generic_mixedmap, logged);
  EXPECT_EQ(observe(decide({6, 17}, v1, m, backing::custom, {}), m).low, 0x7dbu);
  // Logged hugetlb memory is mapped in pages.
  m = with_slot(backing::hugetlb_2m, logged);
  EXPECT_EQ(observe(decide({6, 12}, a72, m, backing::custom, {}), m).low, 0x77f | xn);
}

TEST(Kvm, CacheDuties) {
  auto const duties = [](policy_host const& h, backing b, fault_access const& a) { return decide({7, 3}, h, b, a).duties; };
  EXPECT_EQ(duties(a72, backing::anonymous, {}), (cache_duties{true, false}));
  EXPECT_EQ(duties(a72, backing::anonymous, {.kind = exec}), (cache_duties{true, true}));
  EXPECT_EQ(duties(max_cpu, backing::anonymous, {}), (cache_duties{false, false}));
  EXPECT_EQ(duties(max_cpu, backing::anonymous, {.kind = exec}), (cache_duties{false, true}));
  EXPECT_EQ(duties(v1, backing::anonymous, {.kind = exec}), (cache_duties{false, false}));
  EXPECT_EQ(duties(a72, backing::vfio_pci_bar, {}), (cache_duties{false, false}));
  EXPECT_EQ(duties(a72, backing::anonymous, {.kind = exec, .fault = fault_reason::permission}),
            (cache_duties{false, true}));
  EXPECT_TRUE(duties_of_unmap(stage2_memory::normal_wb, false).clean_invalidate_poc);
  EXPECT_FALSE(duties_of_unmap(stage2_memory::normal_wb, true).clean_invalidate_poc);
  EXPECT_FALSE(duties_of_unmap(stage2_memory::normal_nc, false).clean_invalidate_poc);
  EXPECT_TRUE(duties_of_cache_toggle(false).clean_invalidate_poc);
  EXPECT_FALSE(duties_of_cache_toggle(true).clean_invalidate_poc);
}

TEST(Kvm, PageClassesAnswerAsTheKernelPrinted) {
  EXPECT_TRUE(pfn_is_map_memory(page_class::map_memory) && pfn_valid(page_class::map_memory));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::no_map) && pfn_valid(page_class::no_map));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::mmio) && !pfn_valid(page_class::mmio));
  EXPECT_TRUE(!pfn_is_map_memory(page_class::zone_device) && pfn_valid(page_class::zone_device));
  EXPECT_TRUE(is_zone_device(page_class::p2pdma) && !is_zone_device(page_class::no_map));
}

}  // namespace
}  // namespace vmsa
