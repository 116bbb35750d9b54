// SPDX-License-Identifier: MIT
// A port that does not say that any number of callers may be in it is for one.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"

struct port_for_one {
  vmsa::descriptor load(vmsa::pa, vmsa::load_order) { return {}; }
  void store(vmsa::pa, vmsa::descriptor, vmsa::store_order) {}
  vmsa::descriptor compare_exchange(vmsa::pa, vmsa::descriptor, vmsa::descriptor) { return {}; }
  void maintain(vmsa::cache_op, vmsa::pa, vmsa::u64) {}
  void issue(vmsa::barrier) {}
  void issue(vmsa::tlbi const&) {}
};

struct port_for_many : port_for_one {
  using mode = vmsa::lock_free;
};

#ifdef VMSA_CONTROL
using port = port_for_many;
#else
using port = port_for_one;
#endif
using frames = vmsa::arena_frames<port_for_many, vmsa::lock_free>;
template class vmsa::stage2_table<port, frames, vmsa::geometry, vmsa::lock_free>;
