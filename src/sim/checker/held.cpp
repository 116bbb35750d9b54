// SPDX-License-Identifier: MIT
// What one PE's TLB may hold: the question that a machine asks before it translates.
#include <algorithm>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

void checker::held(unsigned pe, stage of, u64 root, u16 vmid, u64 input, std::vector<held_entry>& out) const {
  out.clear();
  state const& s = *state_;
  u64 const mask = u64{1} << pe;
  auto const ask = [&](u32 n) {
    context const& c = s.contexts[n];
    tree const& t = s.trees[c.tree];
    if (t.declared.of != of || (of == stage::one && t.declared.root != root)) return;
    if (of == stage::two && t.declared.root != root && (c.dirty & mask) != 0)
      out.push_back({.root = t.declared.root, .whole_tree = true});
    u64 const within = input & low_mask(t.shape.input_bits);
    for (int l = 3; l >= number(t.shape.start); --l)
      for (u32 x = c.index.first(l, within); x != no_element; x = s.elements[x].next_here) {
        tlb_element const& e = s.elements[x];
        if ((e.holders & ~e.gone & mask) == 0 || e.portable) continue;
        out.push_back({.name = x,
                       .generation = e.generation,
                       .root = t.declared.root,
                       .begin = e.begin,
                       .old = e.old,
                       .line = e.line,
                       .writer = e.writer,
                       .at = static_cast<level>(e.at),
                       .table = e.table,
                       .size_only = e.size_only,
                       .harmless = e.harmless});
      }
  };
  if (of == stage::two) {
    auto const found = s.by_vmid.find(s.machine.vmid_bits == 8 ? vmid & u16{0xff} : vmid);
    if (found == s.by_vmid.end()) return;
    for (u32 const n : found->second) ask(n);
  } else {
    for (u32 n = 0; n < s.contexts.size(); ++n) ask(n);
  }
  std::stable_sort(out.begin(), out.end(), [](held_entry const& a, held_entry const& b) {
    return !a.table && !a.whole_tree && (b.table || b.whole_tree);
  });
}

}  // namespace vmsa::sim
