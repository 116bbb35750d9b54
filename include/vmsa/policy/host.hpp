// SPDX-License-Identifier: MIT
// The host, the VM and the access: the rest of what a policy decides from.
#pragma once
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/syndrome.hpp"

namespace vmsa {

enum class hypervisor_mode : u8 {
  vhe,             // VHE, or nVHE without protection
  pkvm_guest,      // a non-protected VM under pKVM
  pkvm_protected,  // a protected VM under pKVM
  nested,          // a guest's guest, through its shadow stage 2
};
inline constexpr unsigned hypervisor_mode_count = 4;

// What the guest hypervisor's own stage 2 grants, for mode nested.
struct stage2_grant {
  bool read = true;
  bool write = true;
  bool execute = true;

  friend constexpr bool operator==(stage2_grant, stage2_grant) = default;
};

struct policy_host {
  features cpu{};              // s2fwb, dic, idc, xnx, mte decide
  granule page = granule::k4;  // of the host, and so of its stage 2 tables
  bool lpa2_tables = false;    // the hypervisor uses FEAT_LPA2 descriptors (VTCR_EL2.DS): leaves have no SH field
  hypervisor_mode mode = hypervisor_mode::vhe;
  bool mte_vm = false;      // the VM has KVM_CAP_ARM_MTE
  bool nisv_exits = false;  // the VM has KVM_CAP_ARM_NISV_TO_USER
  bool sea_exits = false;   // the VM has KVM_CAP_ARM_SEA_TO_USER
  stage2_grant nested{};

  friend constexpr bool operator==(policy_host const&, policy_host const&) = default;
};

// Both at once mean that a mapping needs no maintenance by virtual address, so memory without a kernel mapping can be
// cached: KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED.
constexpr bool maintenance_free(policy_host const& h) noexcept { return h.cpu.s2fwb && h.cpu.dic; }

inline constexpr unsigned access_kind_count = 3;

enum class fault_reason : u8 {
  translation,
  permission,
  access_flag,
  external_abort,
  beyond_host_limit,   // translation fault at or above the host's IPA limit
  beyond_vm_limit,     // translation fault between the VM's IPA size and the host's limit
  alignment,           // an unaligned access to a Device leaf under a stage 1 that says Normal
  unsupported_access,  // an exclusive or atomic access to memory that cannot take one
  tlb_conflict,
  granule_protection,
  unsupported,  // any other FSC
};
inline constexpr unsigned fault_reason_count = 11;

// Only these ask for a leaf or for more of one; a mapping cures none of the others.
constexpr bool cured_by_mapping(fault_reason f) noexcept {
  return f == fault_reason::translation || f == fault_reason::permission || f == fault_reason::access_flag;
}

struct fault_access {
  access_kind kind = access_kind::read;
  fault_reason fault = fault_reason::translation;
  bool stage1_walk = false;        // ESR_EL2.S1PTW: the guest's own table walk
  bool cache_maintenance = false;  // ESR_EL2.CM
  bool syndrome_valid = true;      // ESR_EL2.ISV: register and width are known
  bool from_el0 = false;           // the guest was at EL0

  friend constexpr bool operator==(fault_access const&, fault_access const&) = default;
};

// IPA sizes in bits.
struct ipa_limits {
  unsigned vm = 40;
  unsigned host = 48;
};

// What KVM makes of a decoded fault before it looks at memory. A stage 1 walk counts as a write only when the fault is
// a Permission fault: otherwise page tables in a read-only slot would be refused.
constexpr fault_access access_of(stage2_fault const& f, bool from_el0, ipa_limits const& limits = {}) noexcept {
  fault_access a{.stage1_walk = f.s1ptw,
                 .cache_maintenance = f.cache_maintenance,
                 .syndrome_valid = f.isv.has_value(),
                 .from_el0 = from_el0};
  switch (f.status.kind) {
    case fault_kind::translation:
      a.fault = f.where.value >> limits.host != 0 ? fault_reason::beyond_host_limit
                : f.where.value >> limits.vm != 0 ? fault_reason::beyond_vm_limit
                                                  : fault_reason::translation;
      break;
    case fault_kind::permission: a.fault = fault_reason::permission; break;
    case fault_kind::access_flag: a.fault = fault_reason::access_flag; break;
    case fault_kind::external_abort:
    case fault_kind::external_abort_on_walk:
    case fault_kind::parity:
    case fault_kind::parity_on_walk: a.fault = fault_reason::external_abort; break;
    case fault_kind::alignment: a.fault = fault_reason::alignment; break;
    case fault_kind::unsupported_access: a.fault = fault_reason::unsupported_access; break;
    case fault_kind::tlb_conflict: a.fault = fault_reason::tlb_conflict; break;
    case fault_kind::granule_protection:
    case fault_kind::granule_protection_on_walk: a.fault = fault_reason::granule_protection; break;
    default: a.fault = fault_reason::unsupported;
  }
  a.kind = f.access;
  if (f.s1ptw && f.access != access_kind::exec)
    a.kind = a.fault == fault_reason::permission ? access_kind::write : access_kind::read;
  return a;
}

}  // namespace vmsa
