// SPDX-License-Identifier: MIT
// The regime of a fault is its table's: there is no place for another.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/fault_trace.hpp"
#include "vmsa/policy/kvm.hpp"

using namespace vmsa;

struct port {
  descriptor load(pa, load_order) { return {}; }
  void store(pa, descriptor, store_order) {}
  descriptor compare_exchange(pa, descriptor, descriptor) { return {}; }
  void maintain(cache_op, pa, u64) {}
  void issue(barrier) {}
  void issue(tlbi const&) {}
};

bool handle(stage2_table<port, arena_frames<port>>& table, region_map const& memory, stage2_fault const& fault) {
#ifdef VMSA_CONTROL
  return static_cast<bool>(trace_fault(table, memory, kvm_policy({6, 17}), {}, fault, {}));
#else
  return static_cast<bool>(trace_fault(table, memory, kvm_policy({6, 17}), {}, translation_regime<>{}, fault, {}));
#endif
}
