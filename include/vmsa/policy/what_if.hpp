// SPDX-License-Identifier: MIT
// What would change a decision: the same fault with one thing different, where that gives another answer.
#pragma once
#include "vmsa/policy/kvm.hpp"

namespace vmsa {

enum class circumstance : u8 {
  fwb_and_dic,           // the host had both
  without_fwb,           // the host had no FWB
  without_dic,           // the host had no DIC
  release,               // another release: what_if names the first and the last era that decide so
  allow_any_uncached,    // the driver set VM_ALLOW_ANY_UNCACHED
  cacheable_vma,         // the VMA were write-back
  not_special,           // the VMA had neither VM_PFNMAP nor VM_MIXEDMAP
  host_entry_read_only,  // the host's entry were read-only still, as a driver's may be before the monitor's first write
  host_entry_writable,   // the host's entry were writable
  no_dirty_logging,
  not_read_only,
  whole_host_pages,    // the slot were made of whole pages of the host
  guest_memfd_mmap,    // the guest_memfd were made with GUEST_MEMFD_FLAG_MMAP
  nisv_exits,          // the VM had KVM_CAP_ARM_NISV_TO_USER
  sea_exits,           // the VM had KVM_CAP_ARM_SEA_TO_USER
  on_fetch,            // the access were a fetch
  without_protection,  // the VM were not under pKVM
};
inline constexpr unsigned circumstance_count = 17;

// The guest sees no difference: same outcome, type, permissions, errno and syndrome. Leaf size and duties may differ.
constexpr bool same_answer(decision const& a, decision const& b) noexcept {
  if (a.outcome != b.outcome || a.error != b.error || a.exception != b.exception) return false;
  if (!a.maps()) return true;
  return a.memory == b.memory && a.sh == b.sh && a.readable == b.readable && a.writable == b.writable &&
         a.executable == b.executable;
}

/// One thing different, and what is decided then. The row of `then` is one of KVM's, which live for ever.
struct what_if {
  circumstance changed{};
  decision then{};
  kvm_era first{};  // of `release`: the eras that decide so, next to each other
  kvm_era last{};
};

struct what_if_list {
  static constexpr unsigned capacity = circumstance_count - 1 + kvm_era_count;
  what_if items[capacity] = {};
  unsigned count = 0;

  constexpr void add(what_if const& w) noexcept { items[count++] = w; }
  constexpr what_if const* begin() const noexcept { return items; }
  constexpr what_if const* end() const noexcept { return items + count; }
};

namespace what_if_detail {

struct question {
  kvm_era era{};
  policy_host host{};
  memory_inputs memory{};
  backing kind{};
  fault_access access{};

  constexpr decision decide() const noexcept { return vmsa::decide(kvm_table(era), host, memory, kind, access); }
};

// The question with one thing different; false when that cannot be.
constexpr bool vary(question& q, circumstance c) noexcept {
  vma& v = q.memory.vma;
  bool const has_vma = v.type != vma_type::none;
  switch (c) {
    case circumstance::fwb_and_dic: q.host.cpu.s2fwb = q.host.cpu.dic = true; return true;
    case circumstance::without_fwb: q.host.cpu.s2fwb = false; return true;
    case circumstance::without_dic: q.host.cpu.dic = false; return true;
    case circumstance::release: return true;
    case circumstance::allow_any_uncached: v.allow_any_uncached = true; return has_vma;
    case circumstance::cacheable_vma: v.type = vma_type::wb; return has_vma;
    case circumstance::not_special: v.pfnmap = v.mixedmap = false; return has_vma;
    case circumstance::host_entry_read_only: {
      // A driver that wants to know of the first write maps its own RAM read-only until then.
      bool const drivers_ram = v.pfnmap && pfn_is_map_memory(q.memory.page) && v.access == host_access::read_write;
      v.access = host_access::read_only;
      return drivers_ram;
    }
    case circumstance::host_entry_writable: v.access = host_access::read_write; return has_vma;
    case circumstance::no_dirty_logging: q.memory.slot.log_dirty = false; return true;
    case circumstance::not_read_only: q.memory.slot.read_only = false; return true;
    case circumstance::whole_host_pages: q.memory.slot.whole_pages = true; return true;
    case circumstance::guest_memfd_mmap: q.memory.slot.mappable = true; return true;
    case circumstance::nisv_exits: q.host.nisv_exits = true; return true;
    case circumstance::sea_exits: q.host.sea_exits = true; return true;
    case circumstance::on_fetch: q.access.kind = access_kind::exec; return true;
    case circumstance::without_protection:
      if (q.host.mode != hypervisor_mode::nested) q.host.mode = hypervisor_mode::vhe;
      return true;
  }
  return false;
}

}  // namespace what_if_detail

/// At most one entry for each change, in the order of the enumeration; releases that decide alike are one entry. An
/// Alignment fault is stage 2's because the leaf is Device, so its entries are what would make the leaf Normal.
constexpr what_if_list what_would_change(kernel_version version, policy_host const& host, memory_inputs const& inputs,
                                         backing kind, fault_access const& access) noexcept {
  using namespace what_if_detail;
  question const asked{era_of(version), host, inputs, kind, access};
  decision const now = asked.decide();
  bool const alignment = access.fault == fault_reason::alignment;
  question base = asked;
  if (alignment) base.access.fault = fault_reason::translation;
  auto const counts = [&](decision const& then) {
    return alignment ? then.maps() && !is_device(then.memory) : !same_answer(now, then);
  };
  what_if_list list;
  for (unsigned i = 0; i < circumstance_count; ++i) {
    auto const c = static_cast<circumstance>(i);
    question q = base;
    if (!vary(q, c)) continue;
    if (c != circumstance::release) {
      // What the question has already changes nothing, even where the fault itself was put aside.
      bool const same = q.host == base.host && q.memory == base.memory && q.access == base.access;
      decision const then = q.decide();
      if (!same && counts(then)) list.add({c, then, {}, {}});
      continue;
    }
    what_if* run = nullptr;
    for (unsigned e = 0; e < kvm_era_count; ++e) {
      q.era = static_cast<kvm_era>(e);
      decision const then = q.decide();
      if (q.era == asked.era || !counts(then)) {
        run = nullptr;
      } else if (run != nullptr && same_answer(run->then, then)) {
        run->last = q.era;
      } else {
        list.add({c, then, q.era, q.era});
        run = &list.items[list.count - 1];
      }
    }
  }
  return list;
}

}  // namespace vmsa
