// SPDX-License-Identifier: MIT
// A port that does not say that any number of callers may be in it is for one.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"

struct port {
#ifdef VMSA_CONTROL
  using mode = vmsa::lock_free;
#endif
  vmsa::descriptor load(vmsa::pa, vmsa::load_order) { return {}; }
  void store(vmsa::pa, vmsa::descriptor, vmsa::store_order) {}
  vmsa::descriptor compare_exchange(vmsa::pa, vmsa::descriptor, vmsa::descriptor) { return {}; }
  void maintain(vmsa::cache_op, vmsa::pa, vmsa::u64) {}
  void issue(vmsa::barrier) {}
  void issue(vmsa::tlbi const&) {}
};

using frames = vmsa::arena_frames<port, vmsa::lock_free>;
template class vmsa::stage2_table<port, frames, vmsa::geometry, vmsa::lock_free>;
