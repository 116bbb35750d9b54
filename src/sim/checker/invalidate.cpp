// SPDX-License-Identifier: MIT
// Old entries, and what takes them out of the TLBs: which TLBI reaches which, and which DSB completes it.
#include <stdexcept>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

u32 checker::state::add_element(u32 in, level at, u64 input, descriptor old, u64 word) {
  context& c = contexts[in];
  u32 n = none;
  if (spare.empty()) {
    n = static_cast<u32>(elements.size());
    elements.emplace_back();
  } else {
    n = spare.back();
    spare.pop_back();
  }
  tlb_element& x = elements[n];
  tree const& t = trees[c.tree];
  x = {.begin = input,
       .old = old.raw,
       .word = word,
       .holders = c.dirty,
       .event = event,
       .line = line,
       .generation = x.generation + 1,
       .context = in,
       .writer = pe,
       .at = static_cast<signed char>(number(at)),
       .table = kind_of(old, at, t.shape.format) == descriptor_kind::table,
       .xs = excluded_by_xs(t, old, at)};
  u32& head = c.index.head(x.at, input, 1);
  x.next_here = head;
  head = n;
  enlist(n, 0);
  pes[pe].created.push_back({n, x.generation});
  return n;
}

void checker::state::remove_element(u32 n) {
  tlb_element& x = elements[n];
  context& c = contexts[x.context];
  u32* at = &c.index.head(x.at, x.begin, -1);
  while (*at != n) at = &elements[*at].next_here;
  *at = x.next_here;
  unlist(n);
  ++x.generation;
  spare.push_back(n);
}

void checker::state::enlist(u32 n, u8 list) {
  tlb_element& x = elements[n];
  u32& head = contexts[x.context].list[list];
  x.list = list;
  x.previous = none;
  x.next = head;
  if (head != none) elements[head].previous = n;
  head = n;
}

void checker::state::unlist(u32 n) {
  tlb_element const& x = elements[n];
  if (x.next != none) elements[x.next].previous = x.previous;
  (x.previous == none ? contexts[x.context].list[x.list] : elements[x.previous].next) = x.next;
}

// How far a barrier of `writer` must reach for the walkers that may hold the entry.
trace_domain checker::state::walkers(u8 writer, u64 holders) const noexcept {
  if ((holders & ~(u64{1} << writer)) == 0) return trace_domain::non_shareable;
  return (holders & outside[writer]) != 0 ? trace_domain::outer : trace_domain::inner;
}

// True when no walk fetches the old entry again. `weak`: only by the DSB of `by_pe`, which did not write.
bool checker::state::visible(tlb_element const& x, u8 by_pe, bool& weak) const noexcept {
  weak = false;
  if (!machine.coherent_walks) {
    auto const f = frames.find(x.word & ~(granule_bytes() - 1));
    if (f != frames.end() && !f->second->unclean.empty() && f->second->unclean[(x.word - f->first) / 8]) return false;
  }
  auto const seen = [&](u8 writer, u32 written, u8 by) {
    u32 const cleaned = machine.coherent_walks ? 0 : pes[writer].clean_event;
    return pes[by].store_dsb[static_cast<unsigned>(walkers(writer, x.holders))] >
           (written > cleaned ? written : cleaned);
  };
  if (seen(x.writer, x.event, x.writer)) return true;
  if (x.again_event != 0 && seen(x.again_writer, x.again_event, x.again_writer)) return true;
  weak = seen(x.writer, x.event, by_pe);
  return weak;
}

// Why an operation reaches no entry of a context, or none like this; `none` where it may reach some.
violation_cause checker::state::refusal(issued_tlbi const& op, context const& c, bool dirty_only) const noexcept {
  tree const& t = trees[c.tree];
  tlbi_type const type = op.op.type;
  using cause = violation_cause;

  // Without FEAT_TLBIRANGE or FEAT_TLBIOS there is no such instruction.
  if (op.op.range && !machine.range) return cause::tlbi_unpredictable;
  if (op.op.scope == tlbi_scope::outer && !machine.os) return cause::tlbi_domain;

  trace_regime const regime = t.declared.regime;
  auto const in = [&](trace_regime r) {
    bool const both_el2 = type == tlbi_type::all && (r == trace_regime::el2 || r == trace_regime::el20);
    return r == regime || (both_el2 && (regime == trace_regime::el2 || regime == trace_regime::el20));
  };
  if (!in(op.regime) || !in(op.other_regime))
    return in(op.regime) != in(op.other_regime) ? cause::isb_missing : cause::tlbi_wrong_regime;
  if (t.declared.of == stage::one && type == tlbi_type::by_ipa) return cause::tlbi_scope;
  if (type == tlbi_type::vmallws2 && !dirty_only) return cause::tlbi_scope;
  if (regime == trace_regime::el10 && type != tlbi_type::all && !op.every_vmid) {
    u16 const mask = machine.vmid_bits == 8 ? u16{0xff} : u16{0xffff};
    auto const same = [&](u16 vmid) { return ((vmid ^ c.vmid) & mask) == 0; };
    if (!op.vmid_known) return cause::tlbi_wrong_vmid;
    if (same(op.vmid) != same(op.other_vmid)) return cause::isb_missing;
    if (!same(op.vmid)) return cause::tlbi_wrong_vmid;
  }
  return cause::none;
}

// [Arm ARM, pseudocode TLBIMatch; The TLB maintenance instructions by type].
match_result checker::state::match(issued_tlbi const& op, context const& c, tlb_element const& x) const noexcept {
  violation_cause const why = refusal(op, c, x.dirty_only);
  return why != violation_cause::none ? match_result{effect::nothing, why} : match_within(op, c, x);
}

// The same of an operation that may reach entries of the context.
match_result checker::state::match_within(issued_tlbi const& op, context const& c,
                                          tlb_element const& x) const noexcept {
  tree const& t = trees[c.tree];
  trace_regime const regime = t.declared.regime;
  bool const stage2 = t.declared.of == stage::two;
  tlbi_type const type = op.op.type;
  using cause = violation_cause;
  auto const no = [](cause refused) { return match_result{effect::nothing, refused}; };

  // TLBs that it leaves out may be reached by operations of their own; until then it is the cause.
  auto const placed = [&](effect what) {
    violation_cause const left_out = (x.holders & ~op.reach) == 0       ? cause::none
                                     : op.op.scope == tlbi_scope::local ? cause::tlbi_local
                                                                        : cause::tlbi_domain;
    bool const own = (x.holders & op.reach) != 0;
    if (policy.errata.carmel_cnp && op.op.scope == tlbi_scope::local && (c.cnp & op.reach) != 0 &&
        (c.cnp & ~op.reach) != 0)
      return match_result{effect::nothing, cause::cnp};
    return match_result{own ? what : effect::nothing, left_out};
  };
  if (op.op.nxs && x.xs) return no(cause::tlbi_nxs);
  switch (type) {
    case tlbi_type::all:
    case tlbi_type::vmalls12: return placed(effect::everything);
    case tlbi_type::vmallws2: return x.dirty_only ? placed(effect::everything) : no(cause::tlbi_scope);
    case tlbi_type::vmall: return placed(stage2 ? effect::combined : effect::everything);
    case tlbi_type::by_asid:
      if (stage2) return no(cause::tlbi_stage1_missing);
      if (!x.table && !stage1_bits::ng::get(x.old)) return no(cause::tlbi_global);
      if (op.asid != t.declared.asid) return no(cause::tlbi_wrong_asid);
      return placed(effect::everything);
    case tlbi_type::by_va:
    case tlbi_type::by_vaa:
    case tlbi_type::by_ipa: break;
  }
  if (stage2 && type != tlbi_type::by_ipa) return no(cause::tlbi_stage1_missing);
  if (stage2 && machine.secure && op.nonsecure == t.declared.secure_space) return no(cause::tlbi_wrong_space);
  bool const asids = regime == trace_regime::el10 || regime == trace_regime::el20;
  bool const global = !x.table && !stage1_bits::ng::get(x.old);
  if (!stage2 && asids && type == tlbi_type::by_va && !global && op.asid != t.declared.asid)
    return no(cause::tlbi_wrong_asid);
  if (op.target.unpredictable) return no(cause::tlbi_unpredictable);
  if (op.op.range && op.target.other_granule) return no(cause::tlbi_wrong_granule);
  u64 begin = x.begin;
  if (!stage2 && t.declared.upper) begin |= ~low_mask(t.shape.input_bits) & low_mask(56);
  u64 const size = t.shape.size(static_cast<level>(x.at));
  if (op.target.end <= begin || op.target.begin >= begin + size)
    return no(op.op.range && op.target.begin <= begin ? cause::tlbi_range_short : cause::tlbi_wrong_address);
  if (op.target.hinted && (op.target.foreign_hint || x.table || number(op.target.leaf) != x.at))
    return no(cause::tlbi_wrong_level);
  if (op.op.last_level && x.table) return no(cause::tlbi_last_level);
  return placed(stage2 ? effect::stage2 : effect::everything);
}

issued_tlbi checker::state::resolve(trace_event const& e) const {
  processor const& p = pes[e.pe];
  issued_tlbi op;
  op.event = event;
  op.line = line;
  op.pe = static_cast<u8>(e.pe);
  op.op = e.tlbi;
  if (!machine.xs) op.op.nxs = false;
  bool const fb = e.at_el1 && p.hcr.effective_known && bit(p.hcr.effective, hcr_fb);
  if (fb && op.op.scope == tlbi_scope::local) op.op.scope = tlbi_scope::inner;
  if (e.at_el1 && machine.xs && bit(p.hcrx.effective, 3)) op.op.nxs = true;
  auto const regime = [&](u64 hcr) {
    bool const e2h = machine.e2h || bit(hcr, hcr_e2h);
    if (op.op.el == 3) return trace_regime::el3;
    if (op.op.el == 2) return e2h ? trace_regime::el20 : trace_regime::el2;
    bool const stage1_type = op.op.type == tlbi_type::vmall || op.op.type == tlbi_type::by_asid ||
                             op.op.type == tlbi_type::by_va || op.op.type == tlbi_type::by_vaa;
    bool const host = stage1_type && !e.at_el1 && e2h && bit(hcr, hcr_tge);
    return host ? trace_regime::el20 : trace_regime::el10;
  };
  op.regime = regime(p.hcr.effective);
  op.other_regime = regime(p.hcr.value);
  op.vmid = op.other_vmid = e.vmid;
  if (!e.has_vmid) {
    if (machine.stage2_mode == trace_mode::always && !p.vttbr.known) {
      op.every_vmid = true;
    } else {
      op.vmid_known = p.vttbr.known;
      op.vmid = p.vttbr.effective_known ? vmid_of(p.vttbr.effective) : vmid_of(p.vttbr.value);
      op.other_vmid = vmid_of(p.vttbr.value);
      if (!p.vttbr.effective_known) op.vmid = static_cast<u16>(~op.other_vmid);  // UNKNOWN until synchronized
    }
  }
  bool const by_regime = op.regime != op.other_regime;
  op.sync_line = by_regime ? p.hcr.line : p.vttbr.line;
  op.sync_event = by_regime ? p.hcr.event : p.vttbr.event;
  op.nonsecure = (e.value >> 63) != 0;
  op.asid = op.op.names_asid() ? tlbi_operand_bits::asid::get(e.value) : u16{0};
  switch (op.op.scope) {
    case tlbi_scope::local:
      op.reach = u64{1} << e.pe;
      op.domain = trace_domain::non_shareable;
      break;
    case tlbi_scope::inner:
      op.reach = all_pes() & ~outside[e.pe];
      op.domain = trace_domain::inner;
      break;
    case tlbi_scope::outer:
      op.reach = all_pes();
      op.domain = trace_domain::outer;
      break;
  }
  bool const ds = machine.lpa2 && machine.tg != granule::k64;
  if (op.op.by_address()) op.target = decode_tlbi_operand(op.op, e.value, machine.tg, ds, machine.ttl);
  return op;
}

void checker::state::issue(issued_tlbi& op, context& c, u32 n) {
  tlb_element& x = elements[n];
  match_result const m = match_within(op, c, x);
  if (m.what == effect::nothing) return;
  bool weak = false;
  if (!visible(x, op.pe, weak)) return;  // a walk may fetch the old entry again
  u64 reach = op.reach & x.holders;
  if (m.what == effect::combined) reach &= x.stage2_gone;
  if (reach == 0) return;
  if (!x.table) op.touched = true;
  // The same again before a DSB adds nothing.
  if (x.issued_pe == op.pe && x.issued_event > pes[op.pe].last_dsb_event && x.issued_as == static_cast<u8>(m.what) &&
      x.issued_scope == static_cast<u8>(op.op.scope))
    return;
  x.weak |= weak;
  x.issued_pe = op.pe;
  x.issued_event = op.event;
  x.issued_as = static_cast<u8>(m.what);
  x.issued_scope = static_cast<u8>(op.op.scope);
  pes[op.pe].issued.push_back({{n, x.generation}, m.what == effect::stage2, op.op.nxs, op.domain, reach});
}

void checker::state::invalidate(trace_event const& e) {
  issued_tlbi op = resolve(e);
  processor& p = pes[e.pe];
  tlbi_type const type = op.op.type;
  if (op.op.scope != tlbi_scope::local && !op.op.nxs) {
    p.repeat_event = event;
    p.repeat_domain = op.domain;
  }
  auto const each_context = [&](auto&& visit) {
    if (type != tlbi_type::all && !op.every_vmid && op.regime == trace_regime::el10 && op.vmid == op.other_vmid) {
      u16 const mask = machine.vmid_bits == 8 ? u16{0xff} : u16{0xffff};
      auto const found = by_vmid.find(op.vmid & mask);
      if (found == by_vmid.end()) return;
      for (u32 const n : found->second) visit(n);
    } else {
      for (u32 n = 0; n < contexts.size(); ++n) visit(n);
    }
  };
  bool const empties = type == tlbi_type::all || type == tlbi_type::vmalls12 || type == tlbi_type::vmall;
  each_context([&](u32 n) {
    context& c = contexts[n];
    tree const& t = trees[c.tree];
    note_invalidated(p, n);
    if (refusal(op, c, true) != violation_cause::none) return;
    if (type == tlbi_type::by_ipa ||
        ((type == tlbi_type::by_va || type == tlbi_type::by_vaa) && t.declared.of == stage::one)) {
      u64 const mask = t.declared.of == stage::one ? low_mask(t.shape.input_bits) : ~u64{0};
      u64 const begin = op.target.begin & mask;
      u64 const end = begin + (op.target.end - op.target.begin);
      for (int l = number(t.shape.start); l <= 3; ++l)
        c.index.each(l, begin, end, [&](u32 head) {
          for (u32 x = head; x != no_element; x = elements[x].next_here) issue(op, c, x);
        });
      return;
    }
    bool const combined_only = type == tlbi_type::vmall && t.declared.of == stage::two;
    for (u8 list = combined_only ? 1 : 0; list < 3; ++list)
      for (u32 x = c.list[list]; x != none; x = elements[x].next) issue(op, c, x);
    tlb_element const any{.holders = all_pes(), .context = n};
    if (empties && !combined_only && match_within(op, c, any).what == effect::everything)
      p.emptied.push_back({n, event, op.domain, op.reach, op.op.nxs, type == tlbi_type::all});
  });
  if (type == tlbi_type::all && op.op.el == 1 && contexts.empty())
    p.emptied.push_back({none, event, op.domain, op.reach, op.op.nxs, true});
  keep(op);
}

// Only a DSB for loads and stores, by the PE that issued the operation, and over its domain [RPSMWS, RYNJCP].
bool checker::state::completes(trace_barrier const& b, trace_domain domain) const noexcept {
  return b.loads && b.stores && b.domain >= domain;
}

// The element is still the one that was meant.
void checker::state::complete(in_flight const& f) {
  tlb_element& x = elements[f.element.at];
  x.stage2_gone |= f.reach;
  if (f.stage2) {
    if (x.list == 0) {
      unlist(f.element.at);
      enlist(f.element.at, 1);
    }
    return;
  }
  x.gone |= f.reach;
  if ((x.holders & ~x.gone) != 0) return;
  if (!x.weak) {
    bool const broadcast = f.domain != trace_domain::non_shareable;
    if (x.repeat_event != 0 && !broadcast) return;
    if (!policy.errata.repeat_tlbi || x.table || x.repeat_event != 0 || !broadcast) return remove_element(f.element.at);
    x.repeat_event = event;
    x.repeat_line = line;
    pes[pe].unrepeated.push_back(f.element);
    return;
  }
  x.portable = true;
  unlist(f.element.at);
  enlist(f.element.at, 2);
  x.stage2_gone = x.gone = 0;
  x.weak = false;
}

void checker::state::fence(trace_event const& e) {
  processor& p = pes[e.pe];
  trace_barrier b = e.barrier;
  if (e.at_el1 && (p.hcrx.effective >> 3 & 1) != 0) b.nxs = true;  // HCRX_EL2.FnXS
  keep({.kind = log_entry::dsb, .pe = static_cast<u8>(e.pe), .barrier = b, .event = event, .line = line});
  if (b.stores) {
    for (unsigned d = 0; d <= static_cast<unsigned>(b.domain); ++d) p.store_dsb[d] = event;
    p.order = event;
    p.install_pending = false;
  }
  if (!b.loads || !b.stores) return;
  p.last_dsb_event = event;
  p.last_dsb_line = line;
  std::size_t kept = 0;
  if (policy.errata.repeat_tlbi && completes(b, p.repeat_domain)) {
    for (element_name const name : p.unrepeated) {
      tlb_element const& x = elements[name.at];
      if (x.generation != name.generation) continue;
      if (p.repeat_event > x.repeat_event)
        remove_element(name.at);
      else
        p.unrepeated[kept++] = name;
    }
    p.unrepeated.resize(kept);
    kept = 0;
  }
  for (std::size_t i = 0; i < p.issued.size(); ++i) {
    in_flight const f = p.issued[i];
    tlb_element const& x = elements[f.element.at];
    if (x.generation != f.element.generation) continue;
    if (completes(b, f.domain) && !(b.nxs && x.xs))
      complete(f);
    else
      p.issued[kept++] = f;
  }
  p.issued.resize(kept);
  kept = 0;
  for (std::size_t i = 0; i < p.emptied.size(); ++i) {
    emptying const m = p.emptied[i];
    if (!completes(b, m.domain)) {
      p.emptied[kept++] = m;
      continue;
    }
    for (u8 q = 0; q < machine.pes; ++q) {
      if ((m.reach >> q & 1) == 0) continue;
      if (m.every_regime_entry && pes[q].reset_event < m.event) pes[q].reset = false;
      if (m.context == none) continue;
      context& c = contexts[m.context];
      if (c.mode == trace_mode::always || pes[q].running == m.context || c.dirtied[q] > m.event) continue;
      c.dirty &= ~(u64{1} << q);
    }
  }
  p.emptied.resize(kept);
}

}  // namespace vmsa::sim
