// SPDX-License-Identifier: MIT
// A fault is handled over regions that were checked, and no others.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/fault_path.hpp"
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

#ifdef VMSA_CONTROL
using regions = region_map;
#else
using regions = std::span<region const>;
#endif
bool handle(stage2_table<port, arena_frames<port>>& table, regions const& memory, stage2_fault const& fault) {
  return static_cast<bool>(handle_fault(table, memory, kvm_policy({6, 17}), {}, fault, {}));
}
