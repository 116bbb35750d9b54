// SPDX-License-Identifier: MIT
// What would change a decision: the same fault with one thing different, where that gives another answer.
#pragma once
#include "vmsa/policy/kvm.hpp"

namespace vmsa {

enum class circumstance : u8 {
  fwb_and_dic,        // the host had both
  without_fwb,        // the host had no FWB
  without_dic,        // the host had no DIC
  before_6_9,
  from_6_9,           // 6.9 to 6.16
  from_6_17,
  allow_any_uncached, // the driver set VM_ALLOW_ANY_UNCACHED
  cacheable_vma,      // the VMA were write-back
  not_special,        // the VMA had neither VM_PFNMAP nor VM_MIXEDMAP
  no_dirty_logging,
  not_read_only,
  on_fetch,           // the access were a fetch
  without_protection, // the VM were not under pKVM
};
inline constexpr unsigned circumstance_count = 13;

// The guest sees no difference: same outcome, type, permissions, errno and syndrome. Leaf size and duties may differ.
constexpr bool same_answer(decision const& a, decision const& b) noexcept {
  if (a.outcome != b.outcome || a.error != b.error || a.exception != b.exception) return false;
  if (!a.maps()) return true;
  return a.memory == b.memory && a.sh == b.sh && a.readable == b.readable && a.writable == b.writable &&
         a.executable == b.executable;
}

struct what_if {
  circumstance changed{};
  decision then{};
};

// At most one entry for each change, in the order of the enumeration.
struct what_if_list {
  what_if items[circumstance_count] = {};
  unsigned count = 0;

  constexpr what_if const* begin() const noexcept { return items; }
  constexpr what_if const* end() const noexcept { return items + count; }
};

constexpr what_if_list what_would_change(kernel_version version, policy_host const& host, memory_inputs const& inputs,
                                         backing kind, fault_access const& access) noexcept {
  kvm_era const era = era_of(version);
  decision const now = decide(kvm_table(era), host, inputs, kind, access);
  what_if_list list;
  for (unsigned i = 0; i < circumstance_count; ++i) {
    auto const c = static_cast<circumstance>(i);
    policy_host h = host;
    memory_inputs m = inputs;
    fault_access a = access;
    kvm_era e = era;
    switch (c) {
      case circumstance::fwb_and_dic: h.cpu.s2fwb = h.cpu.dic = true; break;
      case circumstance::without_fwb: h.cpu.s2fwb = false; break;
      case circumstance::without_dic: h.cpu.dic = false; break;
      case circumstance::before_6_9: e = kvm_era::to_6_8; break;
      case circumstance::from_6_9: e = kvm_era::from_6_9; break;
      case circumstance::from_6_17: e = era == kvm_era::from_7_1 ? era : kvm_era::from_6_17; break;
      case circumstance::allow_any_uncached: m.vma.allow_any_uncached = true; break;
      case circumstance::cacheable_vma: m.vma.type = vma_type::wb; break;
      case circumstance::not_special: m.vma.pfnmap = m.vma.mixedmap = false; break;
      case circumstance::no_dirty_logging: m.slot.log_dirty = false; break;
      case circumstance::not_read_only: m.slot.read_only = false; break;
      case circumstance::on_fetch: a.kind = access_kind::exec; break;
      case circumstance::without_protection:
        if (h.mode != hypervisor_mode::nested) h.mode = hypervisor_mode::vhe;
        break;
    }
    bool const about_vma = c == circumstance::allow_any_uncached || c == circumstance::cacheable_vma || c == circumstance::not_special;
    if (about_vma && inputs.vma.type == vma_type::none) continue;
    decision const then = decide(kvm_table(e), h, m, kind, a);
    if (!same_answer(now, then)) list.items[list.count++] = {c, then};
  }
  return list;
}

}  // namespace vmsa
