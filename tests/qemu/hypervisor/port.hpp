// SPDX-License-Identifier: MIT
// The core's seam to this machine: real memory, the PE's own barriers, cache and TLB maintenance.
#pragma once
#include "system.hpp"
#include "vmsa/arch/tlbi.hpp"
#include "vmsa/mmu/port.hpp"

namespace el2 {

struct port {
  vmsa::descriptor load(vmsa::pa where, vmsa::load_order order) const noexcept {
    u64 const* const p = at(where);
    return {order == vmsa::load_order::acquire ? __atomic_load_n(p, __ATOMIC_ACQUIRE)
                                               : __atomic_load_n(p, __ATOMIC_RELAXED)};
  }
  void store(vmsa::pa where, vmsa::descriptor value, vmsa::store_order order) const noexcept {
    if (order == vmsa::store_order::release)
      __atomic_store_n(at(where), value.raw, __ATOMIC_RELEASE);
    else
      __atomic_store_n(at(where), value.raw, __ATOMIC_RELAXED);
  }
  vmsa::descriptor compare_exchange(vmsa::pa where, vmsa::descriptor expected,
                                    vmsa::descriptor desired) const noexcept {
    __atomic_compare_exchange_n(at(where), &expected.raw, desired.raw, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
  }

  // EL2 maps all memory at its own address, so that a PA is an address to maintain by.
  void maintain(vmsa::cache_op op, vmsa::pa where, u64 size) const noexcept {
    u64 const line = u64{4} << vmsa::ctr::dmin_line::get(read_ctr_el0());
    for (u64 p = where.value & ~(line - 1); p < where.value + size; p += line) {
      switch (op) {
        case vmsa::cache_op::clean_to_poc: asm volatile("dc cvac, %0" : : "r"(p) : "memory"); break;
        case vmsa::cache_op::clean_invalidate_to_poc: asm volatile("dc civac, %0" : : "r"(p) : "memory"); break;
        case vmsa::cache_op::invalidate_instruction: asm volatile("dc cvau, %0" : : "r"(p) : "memory"); break;
      }
    }
    dsb_ish();
    if (op == vmsa::cache_op::invalidate_instruction) asm volatile("ic ialluis\n dsb ish" : : : "memory");
  }

  void issue(vmsa::barrier what) const noexcept {
    switch (what) {
      case vmsa::barrier::dsb_ishst: return dsb_ishst();
      case vmsa::barrier::dsb_ish: return dsb_ish();
      case vmsa::barrier::isb: return isb();
    }
  }

  // No table of this hypervisor uses 52-bit addresses. RIPAS2E1IS by its encoding, which old assemblers take.
  void issue(vmsa::tlbi const& what) const noexcept {
    u8 const hint = what.has_level ? vmsa::tlbi_level_hint(what.tg, what.leaf) : u8{0};
    switch (what.kind) {
      case vmsa::tlbi_kind::ipas2e1is:
        asm volatile("tlbi ipas2e1is, %0" : : "r"(vmsa::encode_tlbi(what.base, hint)) : "memory");
        return;
      case vmsa::tlbi_kind::ripas2e1is: {
        vmsa::tlbi_range_size const size = vmsa::largest_tlbi_range(what.size >> vmsa::granule_bits(what.tg));
        u64 const xt = vmsa::encode_tlbi_range(what.base, size, what.tg, false, hint & 0b11);
        asm volatile("sys #4, c8, c0, #2, %0" : : "r"(xt) : "memory");
        return;
      }
      case vmsa::tlbi_kind::vmalle1is: asm volatile("tlbi vmalle1is" : : : "memory"); return;
      case vmsa::tlbi_kind::vmalls12e1is: asm volatile("tlbi vmalls12e1is" : : : "memory"); return;
    }
  }

 private:
  static u64* at(vmsa::pa where) noexcept { return reinterpret_cast<u64*>(where.value); }
};
static_assert(vmsa::mmu_port<port>);

}  // namespace el2
