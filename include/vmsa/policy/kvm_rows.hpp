// SPDX-License-Identifier: MIT
// The rows KVM/arm64's eras are made of, as groups: what the memslot ioctl checks, what the fault's entry sorts out,
// what pinning the page can refuse, and the memory types. Observed on Linux 6.1, 6.12, 6.17 and 7.3, or read there.
#pragma once
#include <array>

#include "vmsa/policy/rule.hpp"

namespace vmsa::kvm_detail {

using enum policy_outcome;
using enum policy_errno;
using enum access_kind;
using enum fault_reason;

inline constexpr any_of<page_class> not_ram{page_class::no_map, page_class::mmio, page_class::zone_device,
                                            page_class::p2pdma};
inline constexpr any_of<vma_type> uncached_vma{vma_type::nc, vma_type::nGnRE, vma_type::nGnRnE};

constexpr verdict refuse(policy_outcome what, policy_errno error, policy_cause cause) noexcept {
  return {.outcome = what, .error = error, .cause = cause};
}
constexpr verdict inject(injected_exception e, policy_cause cause) noexcept {
  return {.outcome = policy_outcome::guest_exception, .cause = cause, .exception = e};
}
inline constexpr injected_exception sea = injected_exception::external_abort;
inline constexpr verdict device{.memory = stage2_memory::device_nGnRE, .leaf = leaf_limit::vma};
inline constexpr verdict uncached{.memory = stage2_memory::normal_nc, .leaf = leaf_limit::vma};
inline constexpr verdict cached{.memory = stage2_memory::normal_wb, .execute = execute_grant::fetch_or_dic};

// KVM_SET_USER_MEMORY_REGION. A VMA that replaced another later is not seen here.
inline constexpr std::array slot_rows{
    row("memslot-mte", {.mte_vm = true, .vma = {vma_type::wb, vma_type::nc, vma_type::nGnRE,
                                                vma_type::nGnRnE},
                        .mte_allowed = false, .late = false, .slot = slot_kind::memory},
        refuse(memslot_error, einval, policy_cause::mte_not_allowed),
        "the VM uses MTE and the VMA cannot hold tags"),
    row("memslot-pfnmap-logged", {.pfnmap = true, .late = false, .slot = slot_kind::memory, .log_dirty = true},
        refuse(memslot_error, einval, policy_cause::pfnmap_dirty_logging),
        "dirty logging is refused on a PFNMAP VMA: device memory is never write-protected for it"),
};

inline constexpr std::array slot_rows_to_6_16{
    row("memslot-no-guest-memfd", {.slot = slot_kind::guest_memfd},
        refuse(memslot_error, einval, policy_cause::guest_memfd_unsupported),
        "KVM/arm64 has no guest_memfd before 6.17"),
    slot_rows[0],
    slot_rows[1],
};

inline constexpr std::array slot_rows_from_6_17{
    row("memslot-guest-memfd-read-only", {.slot = slot_kind::guest_memfd, .read_only = true},
        refuse(memslot_error, einval, policy_cause::guest_memfd_flags),
        "a guest_memfd slot cannot be read-only: a write would have to become an MMIO exit"),
    row("memslot-guest-memfd-logged", {.slot = slot_kind::guest_memfd, .log_dirty = true},
        refuse(memslot_error, einval, policy_cause::guest_memfd_flags), "a guest_memfd slot cannot be dirty-logged"),
    slot_rows[0],
    slot_rows[1],
    row("memslot-cacheable-pfnmap", {.maintenance_free = false, .vma = vma_type::wb, .pfnmap = true,
                                     .late = false, .slot = slot_kind::memory},
        refuse(memslot_error, einval, policy_cause::cacheable_pfnmap_unsupported),
        "a cacheable PFNMAP VMA needs FWB and DIC, because there may be no kernel mapping to maintain caches through; "
        "the check looks at the VMA, not at the page"),
};

inline constexpr std::array protected_slot_rows{
    row("memslot-protected-read-only",
        {.mode = hypervisor_mode::pkvm_protected, .slot = {slot_kind::memory, slot_kind::guest_memfd},
         .read_only = true},
        refuse(memslot_error, eperm, policy_cause::protected_slot_flags),
        "a protected VM owns its pages: the host can neither write-protect nor track them"),
    row("memslot-protected-logged",
        {.mode = hypervisor_mode::pkvm_protected, .slot = {slot_kind::memory, slot_kind::guest_memfd},
         .log_dirty = true},
        refuse(memslot_error, eperm, policy_cause::protected_slot_flags),
        "a protected VM owns its pages: the host can neither write-protect nor track them"),
};

inline constexpr std::array pkvm_entry_rows{
    row("pkvm-gicv", {.mode = {hypervisor_mode::pkvm_guest, hypervisor_mode::pkvm_protected},
                      .slot = slot_kind::ioremap},
        refuse(run_error, eperm, policy_cause::pkvm_not_cacheable), "under pKVM the host maps no device into a guest"),
};

// The fault's entry: everything that is sorted out before the page is looked for.
inline constexpr std::array entry_rows{
    row("not-cpu-mappable", {.backing = backing::devm_private}, {.outcome = not_applicable},
        "MEMORY_DEVICE_PRIVATE pages have no CPU mapping, so that none can be behind a memslot"),
    row("external-abort", {.fault = external_abort}, inject(injected_exception::serror, policy_cause::external_abort),
        "an external abort that the host's firmware does not claim becomes an SError in the guest"),
    row("beyond-host-limit", {.fault = beyond_host_limit},
        inject(injected_exception::address_size, policy_cause::beyond_host_limit),
        "the IPA is at or above the host's limit: an Address size fault"),
    row("beyond-vm-limit", {.fault = beyond_vm_limit}, inject(sea, policy_cause::beyond_vm_limit),
        "the IPA is above the VM's size and below the host's limit"),
    row("unsupported-fsc", {.fault = unsupported}, refuse(run_error, efault, policy_cause::unsupported_fsc),
        "the fault status is neither translation, permission nor access flag"),
    row("nested-permission", {.nested_grant = false},
        inject(injected_exception::stage2_fault, policy_cause::nested_permission),
        "the guest hypervisor's own stage 2 does not allow this access, so the fault is handed to it"),
    row("gicv-fetch", {.slot = slot_kind::ioremap, .access = exec}, inject(sea, policy_cause::no_memslot),
        "the GICV page is in no memslot and execute-never"),
    row("gicv", {.slot = slot_kind::ioremap},
        {.memory = stage2_memory::device_nGnRE, .write = write_grant::always, .leaf = leaf_limit::page},
        "kvm_phys_addr_ioremap maps Device-nGnRE in every release"),
    row("no-memslot-fetch", {.slot = slot_kind::none, .access = exec}, inject(sea, policy_cause::no_memslot),
        "a fetch from where no memory is cannot be emulated"),
    row("no-memslot-walk", {.slot = slot_kind::none, .stage1_walk = true}, inject(sea, policy_cause::no_memslot),
        "the guest's page tables are where no memory is"),
    row("no-memslot-maintenance", {.slot = slot_kind::none, .cache_maintenance = true}, {.outcome = skip_instruction},
        "cache maintenance where no memory is: nothing there can be cached, so the instruction is skipped"),
    row("mmio", {.slot = slot_kind::none, .syndrome_valid = true}, {.outcome = mmio_exit}, "no memslot: emulated MMIO"),
    row("mmio-nisv", {.slot = slot_kind::none, .nisv_exits = true},
        {.outcome = mmio_exit, .cause = policy_cause::no_syndrome},
        "no memslot and no syndrome: KVM_EXIT_ARM_NISV, the monitor decodes the instruction"),
    row("mmio-no-syndrome", {.slot = slot_kind::none}, refuse(run_error, enosys, policy_cause::no_syndrome),
        "no memslot, and ESR_EL2.ISV=0 does not say which register or width"),
    row("read-only-walk", {.read_only = true, .access = write, .stage1_walk = true},
        inject(sea, policy_cause::read_only_memslot), "the guest's page tables are in a read-only slot"),
    row("read-only-write", {.read_only = true, .access = write, .syndrome_valid = true},
        {.outcome = mmio_exit, .cause = policy_cause::read_only_memslot},
        "a write to a read-only slot is emulated MMIO"),
    row("read-only-write-nisv", {.read_only = true, .access = write, .nisv_exits = true},
        {.outcome = mmio_exit, .cause = policy_cause::no_syndrome},
        "a write to a read-only slot without a syndrome: KVM_EXIT_ARM_NISV"),
    row("read-only-write-no-syndrome", {.read_only = true, .access = write},
        refuse(run_error, enosys, policy_cause::no_syndrome),
        "a write to a read-only slot, and ESR_EL2.ISV=0 does not say which register or width"),
    row("access-flag", {.fault = access_flag}, {.outcome = make_young},
        "the leaf is there: its access flag is set again"),
};

inline constexpr std::array guest_memfd_rows{
    row("guest-memfd", {.slot = slot_kind::guest_memfd},
        {.memory = stage2_memory::normal_wb, .write = write_grant::always, .execute = execute_grant::fetch_or_dic,
         .leaf = leaf_limit::page},
        "guest_memfd pages are RAM that the monitor need not map: always Normal-WB, in pages"),
};

inline constexpr std::array protected_rows{
    row("protected-backing", {.mode = hypervisor_mode::pkvm_protected, .swap_backed = false, .slot = slot_kind::memory},
        refuse(run_error, eio, policy_cause::protected_backing),
        "a protected VM is given anonymous or shmem pages only: others may be written back under it"),
    row("protected", {.mode = hypervisor_mode::pkvm_protected, .vma = vma_type::wb, .slot = slot_kind::memory},
        {.memory = stage2_memory::normal_wb, .write = write_grant::always, .execute = execute_grant::always,
         .leaf = leaf_limit::page},
        "pages are donated to a protected VM Normal-WB, readable, writable and executable, one by one"),
};

// __kvm_faultin_pfn: the page must be there before its type is asked.
inline constexpr std::array pin_rows{
    row("read-permission", {.access = read, .fault = permission, .stage1_walk = false},
        refuse(run_error, efault, policy_cause::read_permission_fault),
        "every leaf grants reads, so a permission fault on a read is not explained"),
    row("no-vma", {.vma = vma_type::none}, refuse(run_error, efault, policy_cause::no_vma),
        "the monitor has no VMA at that address"),
    row("prot-none", {.host_access = host_access::none}, refuse(run_error, efault, policy_cause::cannot_pin),
        "the page cannot be pinned: the monitor's own mapping grants nothing (PROT_NONE)"),
    row("p2pdma", {.page = page_class::p2pdma, .pfnmap = false}, refuse(run_error, efault, policy_cause::cannot_pin),
        "the page cannot be pinned: KVM does not ask for peer-to-peer pages"),
    row("pfnmap-read-only", {.pfnmap = true, .host_access = host_access::read_only, .access = write},
        refuse(run_error, efault, policy_cause::pfnmap_read_only),
        "the host's entry for this PFNMAP page is read-only, and the guest writes"),
    row("vma-read-only", {.host_access = host_access::read_only, .access = write},
        refuse(run_error, efault, policy_cause::cannot_pin),
        "the page cannot be pinned for writing: the VMA is read-only"),
};

// Up to 6.16: the page class decides.
inline constexpr std::array device_fetch_rows{
    row("device-fetch", {.page = not_ram, .access = exec, .stage1_walk = false},
        inject(sea, policy_cause::not_executable), "the page is not RAM, so the guest may not execute from it"),
};
inline constexpr std::array uncached_rows{
    row("any-uncached", {.page = not_ram, .allow_any_uncached = true}, uncached,
        "the driver set VM_ALLOW_ANY_UNCACHED: any uncached type is safe, so the guest may choose write-combining"),
};
inline constexpr std::array device_rows{
    row("not-ram", {.page = not_ram}, device,
        "pfn_is_map_memory() is false, and the VMA's own memory type is not asked"),
};

// From 6.17: in a PFNMAP or MIXEDMAP VMA the VMA's memory type decides over memory that is not RAM.
inline constexpr std::array special_rows{
    row("cacheable-pfnmap-unsupported",
        {.maintenance_free = false, .page = not_ram, .vma = vma_type::wb, .special = true},
        refuse(run_error, efault, policy_cause::cacheable_pfnmap_unsupported),
        "a cacheable mapping of memory that is not RAM needs FWB and DIC, because there may be no kernel mapping to "
        "maintain caches through"),
    row("uncached-fetch",
        {.page = not_ram, .vma = uncached_vma, .special = true, .access = exec, .stage1_walk = false},
        inject(sea, policy_cause::not_executable), "the VMA is not cacheable, so the guest may not execute from it"),
};
inline constexpr std::array pkvm_rows{
    row("pkvm-uncached", {.mode = hypervisor_mode::pkvm_guest, .page = not_ram, .vma = uncached_vma, .special = true},
        refuse(run_error, einval, policy_cause::pkvm_not_cacheable),
        "pKVM's hypervisor takes read, write and execute from the host, and no memory type: Device and Normal-NC are "
        "refused"),
    row("pkvm-outside-memblock", {.mode = hypervisor_mode::pkvm_guest, .page = not_ram},
        refuse(run_error, eperm, policy_cause::pkvm_outside_memblock),
        "the page is not memory that pKVM's hypervisor knows from memblock, whatever capability 243 says"),
    row("any-uncached", {.page = not_ram, .vma = uncached_vma, .special = true, .allow_any_uncached = true}, uncached,
        "the driver set VM_ALLOW_ANY_UNCACHED: any uncached type is safe, so the guest may choose write-combining"),
    row("uncached-vma", {.page = not_ram, .vma = uncached_vma, .special = true}, device,
        "the VMA is not cacheable, and the driver did not set VM_ALLOW_ANY_UNCACHED"),
};
inline constexpr std::array special_cacheable_rows{
    row("mte-late-special", {.mte_vm = true, .page = not_ram, .special = true, .mte_allowed = false,
                             .fault = translation},
        refuse(run_error, efault, policy_cause::mte_not_allowed), "the VM uses MTE and the VMA cannot hold tags"),
    row("cacheable-pfnmap", {.page = not_ram, .special = true},
        {.memory = stage2_memory::normal_wb, .execute = execute_grant::fetch_or_dic},
        "the VMA is cacheable, and with FWB and DIC no cache maintenance is needed"),
};

inline constexpr std::array ram_rows{
    row("mte-late", {.mte_vm = true, .mte_allowed = false, .fault = translation},
        refuse(run_error, efault, policy_cause::mte_not_allowed),
        "the VM uses MTE, and a VMA that cannot hold tags replaced the one the slot was made with"),
    row("cacheable", {},
        {.memory = stage2_memory::normal_wb, .write = write_grant::host_unless_logged,
         .execute = execute_grant::fetch_or_dic},
        "ordinary memory is Normal-WB"),
};

}  // namespace vmsa::kvm_detail
