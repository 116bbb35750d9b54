// SPDX-License-Identifier: MIT
// A fault handler as EL2 has it, in both modes: what it takes of the stack is measured.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/kvm.hpp"

namespace {

using namespace vmsa;

struct bare_port {
  using mode = lock_free;

  descriptor load(pa where, load_order) { return {__atomic_load_n(word(where), __ATOMIC_ACQUIRE)}; }
  void store(pa where, descriptor d, store_order) { __atomic_store_n(word(where), d.raw, __ATOMIC_RELEASE); }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    __atomic_compare_exchange_n(word(where), &expected.raw, desired.raw, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
  }
  void maintain(cache_op, pa, u64) { asm volatile("" ::: "memory"); }
  void issue(barrier) { asm volatile("" ::: "memory"); }
  void issue(tlbi const&) { asm volatile("" ::: "memory"); }

 private:
  static u64* word(pa where) { return reinterpret_cast<u64*>(where.value); }
};

template <class Mode>
using table_of = stage2_table<bare_port, arena_frames<bare_port, Mode>, geometry, Mode>;

}  // namespace

extern "C" {

void fault_exclusive(table_of<exclusive>& table, region_map const& regions, policy_host const& host,
                     stage2_fault const& fault, fault_outcome& out);
void fault_exclusive(table_of<exclusive>& table, region_map const& regions, policy_host const& host,
                     stage2_fault const& fault, fault_outcome& out) {
  out = handle_fault(table, regions, kvm_policy({6, 17}), host, fault, {});
}

void fault_lock_free(table_of<lock_free>& table, region_map const& regions, policy_host const& host,
                     stage2_fault const& fault, fault_outcome& out);
void fault_lock_free(table_of<lock_free>& table, region_map const& regions, policy_host const& host,
                     stage2_fault const& fault, fault_outcome& out) {
  out = handle_fault(table, regions, kvm_policy({6, 17}), host, fault, {});
}

}  // extern "C"
