// SPDX-License-Identifier: MIT
// What a policy answers: the outcome of one fault, and the row that decided it.
#pragma once
#include <concepts>

#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/policy/host.hpp"
#include "vmsa/policy/region.hpp"

namespace vmsa {

struct rule;  // policy/rule.hpp

enum class policy_outcome : u8 {
  map,              // a leaf is written
  memslot_error,    // the slot is refused before the guest runs
  run_error,        // KVM_RUN returns -errno
  guest_exception,  // the guest takes an exception
  mmio_exit,        // the monitor emulates the access
  make_young,       // the leaf is there: its access flag is set
  skip_instruction, // cache maintenance where there is nothing to maintain
  not_applicable,   // no such memory can be behind a guest, or no row of the policy speaks about it
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
  nested_permission,             // the guest hypervisor's own stage 2 refuses: its fault, not ours
  configuration,                 // another hypervisor refuses the mapping
};

enum class injected_exception : u8 { none, external_abort, address_size, serror, stage2_fault };

// Work on caches that goes with a change of a leaf.
struct cache_duties {
  bool clean_invalidate_poc = false;       // data, over the whole leaf, through the linear map
  bool invalidate_instruction_pou = false;

  friend constexpr bool operator==(cache_duties, cache_duties) = default;
};

struct [[nodiscard]] decision {
  policy_outcome outcome = policy_outcome::not_applicable;
  // For outcome map: what the leaf says.
  stage2_memory memory = stage2_memory::normal_wb;
  u8 memattr = 0b1111;             // MemAttr[3:0] in the scheme that `fwb` names
  bool fwb = false;                // the hypervisor runs with HCR_EL2.FWB
  shareability sh = shareability::inner;
  bool sh_in_leaf = true;          // false with FEAT_LPA2 descriptors: VTCR_EL2 says it
  bool readable = false;
  bool writable = false;
  bool executable = false;         // by EL1 and EL0
  level largest_leaf = level::l3;  // see leaf_at for the leaf that a region allows
  cache_duties duties{};           // before the leaf is written
  // For errors and exceptions.
  policy_errno error = policy_errno::none;
  policy_cause cause = policy_cause::none;
  injected_exception exception = injected_exception::none;
  u64 esr_el1 = 0;                 // for external_abort and address_size, else 0
  // KVM_CHECK_EXTENSION(KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED) on this host, whatever this fault comes to.
  bool capability_243 = false;
  rule const* row = nullptr;       // lives as long as the policy's table

  constexpr bool maps() const noexcept { return outcome == policy_outcome::map; }
};

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
  if (e != injected_exception::external_abort && e != injected_exception::address_size) return 0;
  using enum exception_class;
  exception_class const ec = access.kind == access_kind::exec
                                 ? (access.from_el0 ? instruction_abort_lower_el : instruction_abort_same_el)
                                 : (access.from_el0 ? data_abort_lower_el : data_abort_same_el);
  u64 esr = esr_el2::fsc::put(0, e == injected_exception::external_abort ? 0x10 : 0x00);
  esr = esr_el2::il::put(esr, true);
  return esr_el2::ec::put(esr, static_cast<u8>(ec));
}
static_assert(exception_syndrome(injected_exception::external_abort, {.kind = access_kind::exec}) == 0x8600'0010);

}  // namespace vmsa
