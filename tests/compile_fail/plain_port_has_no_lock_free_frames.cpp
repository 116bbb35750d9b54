// SPDX-License-Identifier: MIT
// Frames for many callers link themselves through their port, which must be for many too.
#include "vmsa/mmu/frames.hpp"

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

template class vmsa::arena_frames<port, vmsa::lock_free>;
