// SPDX-License-Identifier: MIT
// What a policy answers: the outcome of one fault, and the row that decided it.
#pragma once
#include <concepts>

#include "vmsa/arch/cache_duties.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/policy/host.hpp"
#include "vmsa/policy/region.hpp"

namespace vmsa {

struct rule;  // policy/rule.hpp

enum class policy_outcome : u8 {
  map,               // a leaf is written
  memslot_error,     // the slot is refused before the guest runs
  run_error,         // KVM_RUN returns -errno; elsewhere the VM, or the CPU that made the access, is stopped
  guest_exception,   // the guest takes an exception
  mmio_exit,         // the monitor emulates the access
  make_young,        // the leaf is there: its access flag is set
  skip_instruction,  // cache maintenance where there is nothing to maintain
  sea_exit,          // the monitor is told of an external abort: KVM_EXIT_ARM_SEA
  not_applicable,    // no such memory can be behind a guest, or no row of the policy speaks about it
};

enum class policy_errno : u8 { none, efault, einval, eperm, eio, enosys };

// Which of the many reasons for one errno. KVM_RUN's "Bad address" alone has seven.
enum class policy_cause : u8 {
  none,
  no_vma,                        // EFAULT: nothing is mapped at the monitor's address
  cannot_pin,                    // EFAULT: P2PDMA, PROT_NONE, or a write through a mapping that is not writable
  pfnmap_read_only,              // EFAULT: PFNMAP write, and the host's entry is read-only
  cacheable_pfnmap_unsupported,  // EFAULT or memslot EINVAL: needs FWB and DIC
  mte_not_allowed,               // EFAULT or memslot EINVAL: the VMA cannot hold tags
  unsupported_fsc,               // EFAULT
  read_permission_fault,         // EFAULT: a read that stage 2 forbids although every leaf grants reads
  pfnmap_dirty_logging,          // memslot EINVAL
  guest_memfd_unsupported,       // memslot EINVAL
  guest_memfd_flags,             // memslot EINVAL
  guest_memfd_no_mmap,           // memslot EINVAL: made without GUEST_MEMFD_FLAG_MMAP
  partial_host_page,             // memslot EINVAL: size or address is no multiple of the host's page
  protected_slot_flags,          // memslot EPERM
  protected_backing,             // EIO: neither anonymous nor shmem
  pkvm_not_cacheable,            // EINVAL: Device or Normal-NC in a VM under pKVM
  pkvm_outside_memblock,         // EPERM: cacheable, but not memory that the pKVM hypervisor knows
  no_syndrome,                   // ENOSYS, or an exit: the MMIO access cannot be decoded
  no_memslot,                    // guest exception: fetch or table walk where no memory is
  read_only_memslot,             // exit or guest exception: write to a read-only slot
  not_executable,                // guest exception: fetch from Device or Normal-NC
  beyond_host_limit,             // guest exception, Address size
  beyond_vm_limit,               // guest exception
  external_abort,                // guest exception, SError
  unsupported_access,            // guest exception: an exclusive or atomic access to memory that cannot take one
  not_a_mapping_fault,           // no leaf cures this fault, and the policy does not say what is done with it
  nested_permission,             // the guest hypervisor's own stage 2 refuses: its fault, not ours
  configuration,                 // another hypervisor refuses the mapping
};

enum class injected_exception : u8 {
  none,
  external_abort,
  address_size,
  serror,
  stage2_fault,
  unsupported_access,
  as_taken,  // the abort that EL2 took, its syndrome handed on: the fault status is stage 2's
};

/// What a policy answers to one fault. `row` points into the policy's rows: KVM's and the hypervisors' live for ever, a
/// policy file's as long as a copy of its user_policy.
struct [[nodiscard]] decision {
  policy_outcome outcome = policy_outcome::not_applicable;
  // For outcome map: what the leaf says.
  stage2_memory memory = stage2_memory::normal_wb;
  u8 memattr = 0b1111;  // MemAttr[3:0] in the scheme that `fwb` names
  bool fwb = false;     // the hypervisor runs with HCR_EL2.FWB
  shareability sh = shareability::inner;
  bool sh_in_leaf = true;  // false with FEAT_LPA2 descriptors: VTCR_EL2 says it
  bool readable = false;
  bool writable = false;
  bool executable = false;         // by EL1 and EL0
  granule tg = granule::k4;        // of the leaf
  level largest_leaf = level::l3;  // see leaf_at for the leaf that a region allows
  cache_duties duties{};           // before the leaf is written
  // For errors and exceptions.
  policy_errno error = policy_errno::none;
  policy_cause cause = policy_cause::none;
  injected_exception exception = injected_exception::none;
  u64 esr_el1 = 0;  // of a synchronous exception, else 0
  // KVM_CHECK_EXTENSION(KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED) on this host, whatever this fault comes to.
  bool capability_243 = false;
  bool of_kvm = false;        // the policy is KVM's: an error is KVM_RUN's or the memslot ioctl's
  rule const* row = nullptr;  // null: no row matches

  constexpr bool maps() const noexcept { return outcome == policy_outcome::map; }
};

/// The decision to map, for a policy that is nobody's in particular: the region's largest leaf unless `largest` is
/// smaller, in FWB's encoding where `host` has it. Not applicable where the memory type has no encoding there
/// (Normal-WT with FWB).
constexpr decision make_decision(stage2_memory memory, stage2_access access, bool execute, policy_host const& host,
                                 level largest = level::l1) noexcept {
  decision d{.memory = memory, .fwb = host.cpu.s2fwb, .sh_in_leaf = !host.lpa2_tables, .tg = host.page};
  std::optional<u8> const memattr = encode_memattr(memory, d.fwb);
  if (!memattr) return d;
  d.outcome = policy_outcome::map;
  d.memattr = *memattr;
  d.readable = access == stage2_access::read || access == stage2_access::read_write;
  d.writable = access == stage2_access::write || access == stage2_access::read_write;
  d.executable = execute;
  d.largest_leaf = largest;
  d.duties = duties_of_map(caching_of(memory, d.executable, d.fwb), host.cpu.dic);
  return d;
}

// Anything that decides. handle_fault calls it once per fault; it must not allocate.
template <class P>
concept fault_policy = requires(P const& policy, policy_host const& host, region const& r, fault_access const& access) {
  { policy(host, r, access) } -> std::same_as<decision>;
};

// The leaf of a decision that maps.
constexpr stage2_leaf leaf_of(decision const& d) noexcept {
  return {.memory = d.memory,
          .fwb = d.fwb,
          .access = static_cast<stage2_access>((d.readable ? 0b01u : 0u) | (d.writable ? 0b10u : 0u)),
          .execute = d.executable ? stage2_execute::everyone : stage2_execute::nobody,
          .sh = d.sh};
}

// ESR_EL1 as the hypervisor fills it: a synchronous abort, IL set, from the EL the guest was at. Its layout is that of
// ESR_EL2.
constexpr u64 exception_syndrome(injected_exception e, fault_access const& access) noexcept {
  if (e == injected_exception::none || e == injected_exception::serror || e == injected_exception::stage2_fault ||
      e == injected_exception::as_taken)
    return 0;
  using enum exception_class;
  exception_class const ec = access.kind == access_kind::exec
                                 ? (access.from_el0 ? instruction_abort_lower_el : instruction_abort_same_el)
                                 : (access.from_el0 ? data_abort_lower_el : data_abort_same_el);
  u8 const fsc = e == injected_exception::external_abort       ? 0x10
                 : e == injected_exception::unsupported_access ? 0x35
                                                               : 0x00;
  u64 esr = esr_el2::fsc::put(0, fsc);
  esr = esr_el2::il::put(esr, true);
  return esr_el2::ec::put(esr, static_cast<u8>(ec));
}
static_assert(exception_syndrome(injected_exception::external_abort, {.kind = access_kind::exec}) == 0x8600'0010);

}  // namespace vmsa
