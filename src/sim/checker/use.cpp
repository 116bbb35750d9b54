// SPDX-License-Identifier: MIT
// Translations that were seen to happen: whether the tables, or what TLBs may hold beside them, allow them.
#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

checker::state::seen_leaf checker::state::walk(tree const& t, u64 base, level at, u64 input) {
  for (bool root = base == t.declared.root;; root = false) {
    u64 const slot = root ? t.shape.slot_index(at, input) : (input >> t.shape.shift(at)) & low_mask(stride(machine.tg));
    descriptor const d{load(base + 8 * slot)};
    descriptor_kind const kind = kind_of(d, at, t.shape.format);
    if (is_leaf(kind)) return {d, at, true};
    if (kind != descriptor_kind::table) return {};
    base = next_table(d, t.shape.format).value;
    at = next(at);
  }
}

bool checker::state::allows(tree const& t, seen_leaf const& l, trace_event const& e) const noexcept {
  if (!l.mapped) return false;
  change_context const c = change_of(t, l.at, false);
  if (t.declared.of == stage::two) {
    u8 const bits = permission_bits(l.leaf, c);
    return (bits & (e.access == trace_access::read ? 1 : e.access == trace_access::write ? 2 : 12)) != 0;
  }
  u8 const bits = stage1_permission_bits(l.leaf, c);
  return e.access == trace_access::read || (bits & (e.access == trace_access::write ? 1 : 12)) != 0;
}

void checker::state::use(trace_event const& e) {
  std::vector<u32> chosen;
  u32 const own = loaded(static_cast<u8>(e.pe), true);
  for (u32 n = 0; n < contexts.size(); ++n) {
    tree const& t = trees[contexts[n].tree];
    if (e.has_vmid ? contexts[n].vmid == e.vmid && t.declared.regime == trace_regime::el10
                   : own == none || own == n || t.declared.of == stage::one)
      chosen.push_back(n);
  }
  bool unpublished = false;
  for (processor const& p : pes) unpublished |= p.install_pending;
  u32 stale = none;
  for (u32 const n : chosen) {
    context& c = contexts[n];
    tree const& t = trees[c.tree];
    if (!t.shape.contains(e.address & (t.declared.upper ? low_mask(t.shape.input_bits) : ~u64{0}))) continue;
    u64 const input = e.address & low_mask(t.shape.input_bits);
    auto const fits = [&](seen_leaf const& l) {
      u64 const offset = input & (t.shape.size(l.at) - 1);
      bool const age = descriptor_bits::af::get(l.leaf.raw) || machine.ha;
      switch (e.fault) {
        case trace_fault::none:
          return allows(t, l, e) && age && leaf_output(l.leaf, l.at, t.shape.format).value + offset == e.value;
        case trace_fault::translation: return !l.mapped || (l.at != level::l3 && descriptor_bits::nt::get(l.leaf.raw));
        case trace_fault::permission: return l.mapped && !allows(t, l, e);
        case trace_fault::access_flag: return l.mapped && !descriptor_bits::af::get(l.leaf.raw);
        case trace_fault::address_size:
          return l.mapped && t.shape.output_too_large(leaf_output(l.leaf, l.at, t.shape.format));
        case trace_fault::conflict: return false;
      }
      return false;
    };
    seen_leaf const now = walk(t, t.declared.root, t.shape.start, input);
    if (fits(now) || (e.fault == trace_fault::translation && unpublished)) return;
    for (int l = number(t.shape.start); l <= 3; ++l)
      for (u32 x = c.index.first(l, input); x != no_element; x = elements[x].next_here) {
        tlb_element const& old = elements[x];
        auto const at = static_cast<level>(old.at);
        if (e.fault == trace_fault::conflict) {
          if (now.mapped && (old.table || old.at != number(now.at) || old.size_only)) return;
          continue;
        }
        if (e.fault == trace_fault::translation) continue;  // no TLB holds one
        seen_leaf const leaf = old.table ? walk(t, next_table({old.old}, t.shape.format).value, next(at), input)
                                         : seen_leaf{{old.old}, at, true};
        if (!leaf.mapped || !fits(leaf)) continue;
        if (!old.reported) return;
        stale = x;
      }
  }
  violation v = chosen.empty() ? violation{} : about(contexts[chosen.front()], level::l3, e.address);
  if (stale != none) {
    report_element(violation_class::use_stale, violation_severity::corrupt, stale);
    return;
  }
  v.what = violation_class::use_impossible;
  v.severity = violation_severity::trace;
  v.who = u64{1} << e.pe;
  report(v);
}

}  // namespace vmsa::sim
