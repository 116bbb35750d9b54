// SPDX-License-Identifier: MIT
// What KVM/arm64 decides, row by row in the order in which the kernel asks: what the memslot ioctl checks, what the
// fault's entry sorts out, what pinning the page can refuse, and the memory types. A row says in which releases it
// holds. The functions are those of arch/arm64/kvm/mmu.c, as of 7.1 unless said.
#pragma once
#include <array>

#include "vmsa/policy/kvm_era.hpp"
#include "vmsa/policy/rule.hpp"

namespace vmsa::kvm_detail {

using enum policy_outcome;
using enum policy_errno;
using enum access_kind;
using enum fault_reason;
using cause = policy_cause;
using mode = hypervisor_mode;

/// A row that holds from release `since` on, up to the one before `before`.
struct dated_rule {
  kernel_version since{};
  kernel_version before = no_release;
  vmsa::rule rule{};
};
constexpr dated_rule always(vmsa::rule const& r) noexcept { return {.rule = r}; }
constexpr dated_rule from(kernel_version v, vmsa::rule const& r) noexcept { return {.since = v, .rule = r}; }
constexpr dated_rule until(kernel_version v, vmsa::rule const& r) noexcept { return {.before = v, .rule = r}; }

inline constexpr any_of<page_class> not_ram{page_class::no_map, page_class::mmio, page_class::zone_device,
                                            page_class::p2pdma};
inline constexpr any_of<vma_type> uncached_vma{vma_type::nc, vma_type::nGnRE, vma_type::nGnRnE};
inline constexpr any_of<vma_type> any_vma{vma_type::wb, vma_type::nc, vma_type::nGnRE, vma_type::nGnRnE};
inline constexpr any_of<slot_kind> registered{slot_kind::memory, slot_kind::guest_memfd};

constexpr verdict refuse(policy_outcome what, policy_errno error, policy_cause why) noexcept {
  return {.outcome = what, .error = error, .cause = why};
}
constexpr verdict inject(injected_exception e, policy_cause why) noexcept {
  return {.outcome = guest_exception, .cause = why, .exception = e};
}
inline constexpr injected_exception sea = injected_exception::external_abort;
inline constexpr verdict device{.memory = stage2_memory::device_nGnRE, .leaf = leaf_limit::vma};
inline constexpr verdict uncached{.memory = stage2_memory::normal_nc, .leaf = leaf_limit::vma};

// KVM_SET_USER_MEMORY_REGION: kvm_set_memory_region of virt/kvm/kvm_main.c, then kvm_arch_prepare_memory_region. A VMA
// that replaced another later is not seen here.
inline constexpr std::array slot_rows{
    always(row("memslot-host-page", {.slot = registered, .whole_pages = false},
               refuse(memslot_error, einval, cause::partial_host_page),
               "the slot's size or address is not a multiple of the host's page")),
    from({6, 17},
         row("memslot-protected-read-only", {.mode = mode::pkvm_protected, .slot = registered, .read_only = true},
             refuse(memslot_error, eperm, cause::protected_slot_flags),
             "a protected VM owns its pages: the host can neither write-protect nor track them")),
    from({6, 17}, row("memslot-protected-logged", {.mode = mode::pkvm_protected, .slot = registered, .log_dirty = true},
                      refuse(memslot_error, eperm, cause::protected_slot_flags),
                      "a protected VM owns its pages: the host can neither write-protect nor track them")),
    // The public history merges host mmap of guest_memfd, which arm64's support needs, for the release after 6.17
    // (3d3a04fad25a, August 2025); the table of decisions that this one follows has it from 6.17 on.
    until({6, 17}, row("memslot-no-guest-memfd", {.slot = slot_kind::guest_memfd},
                       refuse(memslot_error, einval, cause::guest_memfd_unsupported),
                       "KVM/arm64 has no guest_memfd before 6.17")),
    from({6, 17}, row("memslot-guest-memfd-no-mmap", {.slot = slot_kind::guest_memfd, .mappable = false},
                      refuse(memslot_error, einval, cause::guest_memfd_no_mmap),
                      "KVM/arm64 takes only a guest_memfd that was made with GUEST_MEMFD_FLAG_MMAP")),
    from({6, 17}, row("memslot-guest-memfd-read-only", {.slot = slot_kind::guest_memfd, .read_only = true},
                      refuse(memslot_error, einval, cause::guest_memfd_flags),
                      "a guest_memfd slot cannot be read-only: a write would have to become an MMIO exit")),
    from({6, 17},
         row("memslot-guest-memfd-logged", {.slot = slot_kind::guest_memfd, .log_dirty = true},
             refuse(memslot_error, einval, cause::guest_memfd_flags), "a guest_memfd slot cannot be dirty-logged")),
    // hugetlb VMAs can hold tags from 6.13 on: commit 25c17c4b55de.
    until({6, 13},
          row("memslot-mte",
              {.mte_vm = true, .vma = any_vma, .mte_allowed = false, .late = false, .slot = slot_kind::memory},
              refuse(memslot_error, einval, cause::mte_not_allowed), "the VM uses MTE and the VMA cannot hold tags")),
    from({6, 13},
         row("memslot-mte",
             {.mte_vm = true,
              .vma = any_vma,
              .mte_allowed = false,
              .hugetlb = false,
              .late = false,
              .slot = slot_kind::memory},
             refuse(memslot_error, einval, cause::mte_not_allowed), "the VM uses MTE and the VMA cannot hold tags")),
    always(row("memslot-pfnmap-logged", {.pfnmap = true, .late = false, .slot = slot_kind::memory, .log_dirty = true},
               refuse(memslot_error, einval, cause::pfnmap_dirty_logging),
               "dirty logging is refused on a PFNMAP VMA: device memory is never write-protected for it")),
    from({6, 17},
         row("memslot-cacheable-pfnmap",
             {.maintenance_free = false, .vma = vma_type::wb, .pfnmap = true, .late = false, .slot = slot_kind::memory},
             refuse(memslot_error, einval, cause::cacheable_pfnmap_unsupported),
             "a cacheable PFNMAP VMA needs FWB and DIC, because there may be no kernel mapping to maintain caches "
             "through; the check looks at the VMA, not at the page")),
};

// kvm_handle_guest_abort: everything that is sorted out before the page is looked for.
inline constexpr std::array entry_rows{
    from({6, 17},
         row("pkvm-gicv", {.mode = {mode::pkvm_guest, mode::pkvm_protected}, .slot = slot_kind::ioremap},
             refuse(run_error, eperm, cause::pkvm_not_cacheable), "under pKVM the host maps no device into a guest")),
    always(row("not-cpu-mappable", {.backing = backing::devm_private}, {.outcome = not_applicable},
               "MEMORY_DEVICE_PRIVATE pages have no CPU mapping, so that none can be behind a memslot")),
    // kvm_handle_guest_sea; the capability came with the KVM/arm64 updates for 6.19.
    from({6, 19}, row("external-abort-exit", {.fault = external_abort, .sea_exits = true},
                      {.outcome = sea_exit, .cause = cause::external_abort},
                      "an external abort on memory that the host does not own: KVM_EXIT_ARM_SEA, the monitor decides")),
    always(row("external-abort", {.fault = external_abort}, inject(injected_exception::serror, cause::external_abort),
               "an external abort that the host's firmware does not claim becomes an SError in the guest")),
    always(row("beyond-host-limit", {.fault = beyond_host_limit},
               inject(injected_exception::address_size, cause::beyond_host_limit),
               "the IPA is at or above the host's limit: an Address size fault")),
    always(row("beyond-vm-limit", {.fault = beyond_vm_limit}, inject(sea, cause::beyond_vm_limit),
               "the IPA is above the VM's size and below the host's limit")),
    always(row("alignment-fault", {.fault = alignment}, refuse(run_error, efault, cause::unsupported_fsc),
               "an unaligned access to a Device leaf while the guest's own stage 1 says Normal: the Alignment fault is "
               "stage 2's, KVM logs \"Unsupported FSC\" 0x21 and the VM ends; no mapping of this type cures it")),
    until({7, 0},
          row("unsupported-access", {.fault = unsupported_access}, refuse(run_error, efault, cause::unsupported_fsc),
              "an exclusive or atomic access to memory that cannot take one: before 7.0 KVM logs "
              "\"Unsupported FSC\" 0x35 and the VM ends")),
    always(row("unsupported-fsc", {.fault = {tlb_conflict, granule_protection, unsupported}},
               refuse(run_error, efault, cause::unsupported_fsc),
               "the fault status is none that KVM handles: it logs \"Unsupported FSC\" and the VM ends")),
    always(row("nested-permission", {.nested_grant = false},
               inject(injected_exception::stage2_fault, cause::nested_permission),
               "the guest hypervisor's own stage 2 does not allow this access, so the fault is handed to it")),
    always(row("gicv-fetch", {.slot = slot_kind::ioremap, .access = exec}, inject(sea, cause::no_memslot),
               "the GICV page is in no memslot and execute-never")),
    from({7, 0}, row("unsupported-access-elsewhere",
                     {.slot = {slot_kind::ioremap, slot_kind::guest_memfd}, .fault = unsupported_access},
                     {.outcome = not_applicable, .cause = cause::not_a_mapping_fault},
                     "KVM hands this abort to the guest for ordinary memslots only; here the page is mapped already, "
                     "and no mapping cures the fault")),
    always(row("gicv", {.slot = slot_kind::ioremap},
               {.memory = stage2_memory::device_nGnRE, .write = write_grant::always, .leaf = leaf_limit::page},
               "kvm_phys_addr_ioremap maps Device-nGnRE in every release")),
    always(row("no-memslot-fetch", {.slot = slot_kind::none, .access = exec}, inject(sea, cause::no_memslot),
               "a fetch from where no memory is cannot be emulated")),
    always(row("no-memslot-walk", {.slot = slot_kind::none, .stage1_walk = true}, inject(sea, cause::no_memslot),
               "the guest's page tables are where no memory is")),
    always(row("no-memslot-maintenance", {.slot = slot_kind::none, .cache_maintenance = true},
               {.outcome = skip_instruction},
               "cache maintenance where no memory is: nothing there can be cached, so the instruction is skipped")),
    always(row("mmio", {.slot = slot_kind::none, .syndrome_valid = true}, {.outcome = mmio_exit},
               "no memslot: emulated MMIO")),
    always(row("mmio-nisv", {.slot = slot_kind::none, .nisv_exits = true},
               {.outcome = mmio_exit, .cause = cause::no_syndrome},
               "no memslot and no syndrome: KVM_EXIT_ARM_NISV, the monitor decodes the instruction")),
    always(row("mmio-no-syndrome", {.slot = slot_kind::none}, refuse(run_error, enosys, cause::no_syndrome),
               "no memslot, and ESR_EL2.ISV=0 does not say which register or width")),
    always(row("read-only-walk", {.read_only = true, .access = write, .stage1_walk = true},
               inject(sea, cause::read_only_memslot), "the guest's page tables are in a read-only slot")),
    always(row("read-only-write", {.read_only = true, .access = write, .syndrome_valid = true},
               {.outcome = mmio_exit, .cause = cause::read_only_memslot},
               "a write to a read-only slot is emulated MMIO")),
    always(row("read-only-write-nisv", {.read_only = true, .access = write, .nisv_exits = true},
               {.outcome = mmio_exit, .cause = cause::no_syndrome},
               "a write to a read-only slot without a syndrome: KVM_EXIT_ARM_NISV")),
    always(row("read-only-write-no-syndrome", {.read_only = true, .access = write},
               refuse(run_error, enosys, cause::no_syndrome),
               "a write to a read-only slot, and ESR_EL2.ISV=0 does not say which register or width")),
    always(row("access-flag", {.fault = access_flag}, {.outcome = make_young},
               "the leaf is there: its access flag is set again")),
};

// gmem_abort and pkvm_mem_abort.
inline constexpr std::array own_memory_rows{
    from({6, 17}, row("guest-memfd", {.slot = slot_kind::guest_memfd},
                      {.memory = stage2_memory::normal_wb,
                       .write = write_grant::always,
                       .execute = execute_grant::fetch_or_dic,
                       .leaf = leaf_limit::page},
                      "guest_memfd pages are RAM that the monitor need not map: always Normal-WB, in pages")),
    from({7, 0}, row("protected-unsupported-access",
                     {.mode = mode::pkvm_protected, .slot = slot_kind::memory, .fault = unsupported_access},
                     {.outcome = not_applicable, .cause = cause::not_a_mapping_fault},
                     "KVM does not hand this abort to a protected VM; the page is mapped already, and no mapping cures "
                     "the fault")),
    from({6, 17},
         row("protected-backing", {.mode = mode::pkvm_protected, .swap_backed = false, .slot = slot_kind::memory},
             refuse(run_error, eio, cause::protected_backing),
             "a protected VM is given anonymous or shmem pages only: others may be written back under it")),
    from({6, 17}, row("protected", {.mode = mode::pkvm_protected, .vma = vma_type::wb, .slot = slot_kind::memory},
                      {.memory = stage2_memory::normal_wb,
                       .write = write_grant::always,
                       .execute = execute_grant::always,
                       .leaf = leaf_limit::page},
                      "pages are donated to a protected VM Normal-WB, readable, writable and executable, one by one")),
};

// __kvm_faultin_pfn and hva_to_pfn_remapped of virt/kvm/kvm_main.c: the page must be there before its type is asked.
inline constexpr std::array pin_rows{
    always(row("read-permission", {.access = read, .fault = permission, .stage1_walk = false},
               refuse(run_error, efault, cause::read_permission_fault),
               "every leaf grants reads, so a permission fault on a read is not explained")),
    always(row("no-vma", {.vma = vma_type::none}, refuse(run_error, efault, cause::no_vma),
               "the monitor has no VMA at that address")),
    always(row("prot-none", {.host_access = host_access::none}, refuse(run_error, efault, cause::cannot_pin),
               "the page cannot be pinned: the monitor's own mapping grants nothing (PROT_NONE)")),
    always(row("p2pdma", {.page = page_class::p2pdma, .pfnmap = false}, refuse(run_error, efault, cause::cannot_pin),
               "the page cannot be pinned: KVM does not ask for peer-to-peer pages")),
    always(row("pfnmap-read-only", {.pfnmap = true, .host_access = host_access::read_only, .access = write},
               refuse(run_error, efault, cause::pfnmap_read_only),
               "the host's entry for this PFNMAP page is read-only, and the guest writes: KVM does not make the driver "
               "turn it writable, which a write of the monitor does")),
    always(row("vma-read-only", {.host_access = host_access::read_only, .access = write},
               refuse(run_error, efault, cause::cannot_pin),
               "the page cannot be pinned for writing: the VMA is read-only")),
};

// kvm_s2_fault_compute_prot; user_mem_abort before 7.1. Up to 6.16 the page class decides; from 6.17 the VMA's memory
// type decides over memory that is not RAM, in a PFNMAP or MIXEDMAP VMA.
inline constexpr std::array type_rows{
    until({6, 17},
          row("device-fetch", {.page = not_ram, .access = exec, .stage1_walk = false},
              inject(sea, cause::not_executable), "the page is not RAM, so the guest may not execute from it")),
    dated_rule{{6, 9},
               {6, 17},
               row("any-uncached", {.page = not_ram, .allow_any_uncached = true}, uncached,
                   "the driver set VM_ALLOW_ANY_UNCACHED: any uncached type is safe, so the guest may choose "
                   "write-combining")},
    until({6, 17}, row("not-ram", {.page = not_ram}, device,
                       "pfn_is_map_memory() is false, and the VMA's own memory type is not asked")),
    from({6, 17}, row("cacheable-pfnmap-unsupported",
                      {.maintenance_free = false, .page = not_ram, .vma = vma_type::wb, .special = true},
                      refuse(run_error, efault, cause::cacheable_pfnmap_unsupported),
                      "a cacheable mapping of memory that is not RAM needs FWB and DIC, because there may be no kernel "
                      "mapping to maintain caches through")),
    from({6, 17},
         row("uncached-fetch",
             {.page = not_ram, .vma = uncached_vma, .special = true, .access = exec, .stage1_walk = false},
             inject(sea, cause::not_executable), "the VMA is not cacheable, so the guest may not execute from it")),
    // kvm_inject_dabt_excl_atomic, which came with FEAT_LS64 in 7.0.
    from({7, 0}, row("unsupported-access", {.fault = unsupported_access},
                     inject(injected_exception::unsupported_access, cause::unsupported_access),
                     "an exclusive or atomic access to memory that cannot take one: the memslot is there, so the guest "
                     "gets the abort")),
    from({6, 17},
         row("pkvm-uncached", {.mode = mode::pkvm_guest, .page = not_ram, .vma = uncached_vma, .special = true},
             refuse(run_error, einval, cause::pkvm_not_cacheable),
             "pKVM's hypervisor takes read, write and execute from the host, and no memory type: Device and "
             "Normal-NC are refused")),
    from({6, 17}, row("pkvm-outside-memblock", {.mode = mode::pkvm_guest, .page = not_ram},
                      refuse(run_error, eperm, cause::pkvm_outside_memblock),
                      "the page is not memory that pKVM's hypervisor knows from memblock, whatever capability 243 "
                      "says")),
    from({6, 17}, row("any-uncached",
                      {.page = not_ram, .vma = uncached_vma, .special = true, .allow_any_uncached = true}, uncached,
                      "the driver set VM_ALLOW_ANY_UNCACHED: any uncached type is safe, so the guest may choose "
                      "write-combining")),
    from({6, 17}, row("uncached-vma", {.page = not_ram, .vma = uncached_vma, .special = true}, device,
                      "the VMA is not cacheable, and the driver did not set VM_ALLOW_ANY_UNCACHED")),
    from({6, 17},
         row("mte-late-special",
             {.mte_vm = true, .page = not_ram, .special = true, .mte_allowed = false, .fault = translation},
             refuse(run_error, efault, cause::mte_not_allowed), "the VM uses MTE and the VMA cannot hold tags")),
    from({6, 17}, row("cacheable-pfnmap", {.page = not_ram, .special = true},
                      {.memory = stage2_memory::normal_wb, .execute = execute_grant::fetch_or_dic},
                      "the VMA is cacheable, and with FWB and DIC no cache maintenance is needed")),
    until({6, 13}, row("mte-late", {.mte_vm = true, .mte_allowed = false, .fault = translation},
                       refuse(run_error, efault, cause::mte_not_allowed),
                       "the VM uses MTE, and a VMA that cannot hold tags replaced the one the slot was made with")),
    from({6, 13}, row("mte-late", {.mte_vm = true, .mte_allowed = false, .hugetlb = false, .fault = translation},
                      refuse(run_error, efault, cause::mte_not_allowed),
                      "the VM uses MTE, and a VMA that cannot hold tags replaced the one the slot was made with")),
    always(row("cacheable", {},
               {.memory = stage2_memory::normal_wb,
                .write = write_grant::host_unless_logged,
                .execute = execute_grant::fetch_or_dic},
               "ordinary memory is Normal-WB")),
};

// Calls see(row) for the rows of one era, in order.
template <class See>
constexpr void for_each_row(kvm_era era, See&& see) noexcept {
  auto const dated = [&](auto const& rows) {
    for (dated_rule const& r : rows)
      if (r.since <= first_release(era) && first_release(era) < r.before) see(r.rule);
  };
  dated(slot_rows);
  dated(entry_rows);
  dated(own_memory_rows);
  dated(pin_rows);
  dated(type_rows);
}

template <kvm_era Era>
inline constexpr auto rows_of = [] {
  constexpr std::size_t count = [] {
    std::size_t n = 0;
    for_each_row(Era, [&n](rule const&) { ++n; });
    return n;
  }();
  std::array<rule, count> rows{};
  std::size_t n = 0;
  for_each_row(Era, [&](rule const& r) { rows[n++] = r; });
  return rows;
}();

}  // namespace vmsa::kvm_detail
