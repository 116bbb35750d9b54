// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "vmsa/sim/coherency/model.hpp"

namespace vmsa::coherency {

// Which buffered operations hold back which. Stores of one word and definition drain in order, and so do a line's
// maintenance and its stores; DSB waits for everything, DMB for stores, since only DSB completes maintenance. After a
// DMB the PE's own reads of a line also wait for the maintenance before it. The store of an unmap is complete for
// walkers only after a DSB [Arm ARM RSPVBD], and no TLBI waits for it; a map of the same alias does.
inline void order_buffer(model_agent& a) {
  unsigned slot = 0;
  std::vector<unsigned> open;  // instructions since the last DSB that are buffered
  int last_dmb = -1;
  a.slot_owner.assign(a.program.size() + 1, {});
  for (unsigned i = 0; i < a.program.size(); ++i) {
    instruction& in = a.program[i];
    if (i != 0) a.slot_owner[i] = a.slot_owner[i - 1];
    if (i != 0 && is_buffered(a.program[i - 1].what)) a.slot_owner[i][a.program[i - 1].slot] = static_cast<u8>(i - 1);
    unsigned issue = 0, complete = 0, forward = 0;
    for (unsigned j : open) {
      instruction const& earlier = a.program[j];
      unsigned const bit = 1u << earlier.slot;
      bool const stores = earlier.what == step_kind::store;
      bool const maintains = is_maintenance(earlier.what);
      if (in.what == step_kind::dsb || (in.what == step_kind::dmb && stores)) issue |= bit;
      bool const unmaps = earlier.what == step_kind::unmap && earlier.alias == in.alias;
      if (in.what == step_kind::map && unmaps) issue |= bit;
      if (is_read(in.what) && maintains && earlier.line == in.line && static_cast<int>(j) < last_dmb) issue |= bit;
      bool const same_word =
          stores && earlier.line == in.line && earlier.offset == in.offset && earlier.definition == in.definition;
      if (is_read(in.what) && same_word) forward |= bit;
      if (in.what == step_kind::store && (same_word || (maintains && earlier.line == in.line))) complete |= bit;
      if (is_maintenance(in.what) && (stores || maintains) && earlier.line == in.line) complete |= bit;
    }
    in.issue_after = static_cast<u16>(issue);
    in.complete_after = static_cast<u16>(complete);
    in.forward = static_cast<u16>(forward);
    if (in.what == step_kind::dsb) {
      slot = 0;
      open.clear();
    }
    if (in.what == step_kind::dmb) last_dmb = static_cast<int>(i);
    if (is_buffered(in.what)) {
      in.slot = static_cast<u8>(slot++);
      open.push_back(i);
    }
  }
  if (!a.program.empty()) {
    unsigned const n = static_cast<unsigned>(a.program.size());
    a.slot_owner[n] = a.slot_owner[n - 1];
    if (is_buffered(a.program[n - 1].what)) a.slot_owner[n][a.program[n - 1].slot] = static_cast<u8>(n - 1);
  }
}

}  // namespace vmsa::coherency
