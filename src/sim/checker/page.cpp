// SPDX-License-Identifier: MIT
// What most stores are: a page comes where nothing was, or goes. A trace has millions of them, and they ask for little
// of what a change of an entry can ask for.
#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

// One page of a stage 2 table in use under one VMID comes, and TLBs hold nothing old of that VMID, or goes, and they
// hold nothing old of this page. False where there is more to ask; then nothing is done, and changed() is to be called.
bool checker::state::one_page(trace_event const& e, frame const& f, u32 n, place const& p, descriptor before,
                              descriptor after) {
  constexpr u64 page = 0b11 | descriptor_bits::af::mask;
  bool const comes = before.raw == 0 && (after.raw & page) == page;
  bool const goes = (before.raw & page) == page && (after.raw & 1) == 0;
  if (!comes && !goes) return false;
  tree const& t = trees[p.tree];
  if (p.at != level::l3 || !p.linked || counts_outputs || t.declared.of != stage::two || t.contexts.size() != 1)
    return false;
  u32 const in = t.contexts.front();
  context const& c = contexts[in];
  if (c.dirty == 0) return false;
  u64 const input = p.input + (u64{n - p.first} << t.shape.shift(level::l3));
  if (comes) {
    if (f.contiguous || !c.index.empty()) return false;
    note_install(e, input);
  } else {
    if (c.index.first(number(level::l3), input) != no_element) return false;
    add_element(in, level::l3, input, before, f.base + 8 * u64{n});
    if (machine.ha) check_update(e, t, p.at, input, before, after);
  }
  pes[e.pe].wrote = true;
  return true;
}

}  // namespace vmsa::sim
