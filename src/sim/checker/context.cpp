// SPDX-License-Identifier: MIT
// Registers, who uses which table, and the points where something is judged: a guest's entry, the end of an operation.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "sim/checker/state.hpp"
#include "vmsa/arch/registers.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa::sim {

using namespace judge;

namespace {

constexpr u64 root_of(u64 ttbr) noexcept { return ttbr & bit_mask(47, 1); }
constexpr bool cnp_of(u64 ttbr) noexcept { return (ttbr & 1) != 0; }

}  // namespace

u32 checker::state::context_of(u32 n, u16 vmid) {
  for (u32 const c : trees[n].contexts)
    if (contexts[c].vmid == vmid) return c;
  auto const c = static_cast<u32>(contexts.size());
  context& made = contexts.emplace_back(machine.tg);
  made.tree = n;
  made.vmid = vmid;
  trace_table const& t = trees[n].declared;
  made.mode = t.of == stage::two ? machine.stage2_mode : machine.stage1_mode[static_cast<unsigned>(t.regime)];
  if (made.mode == trace_mode::always) made.dirty = all_pes();
  trees[n].contexts.push_back(c);
  if (t.regime == trace_regime::el10) by_vmid[machine.vmid_bits == 8 ? vmid & u16{0xff} : vmid].push_back(c);
  return c;
}

void checker::declare(trace_table const& table) {
  geometry_result const shape = trace_geometry(state_->machine, table);
  if (!shape) throw std::invalid_argument("a table that this machine cannot walk");
  declare(table, shape.value);
}

void checker::declare(trace_table const& table, geometry const& shape) {
  if (table.root % shape.root_alignment() != 0) throw std::invalid_argument("the root is not aligned to its size");
  state_->add_tree(table, shape);
}

void checker::state::add_tree(trace_table const& table, geometry const& shape) {
  for (u32 const n : trees_at(table.root)) {
    trace_table const& t = trees[n].declared;
    if (t.of != table.of || t.regime != table.regime || t.upper != table.upper) continue;
    context_of(n, table.vmid);
    return;
  }
  auto const n = static_cast<u32>(trees.size());
  trees.push_back({table, shape, {}});
  trees_of_root[table.root].push_back(n);
  context_of(n, table.vmid);
  add_root(n);
}

void checker::state::load_register(trace_event const& e) {
  processor& p = pes[e.pe];
  auto const set = [&](synchronized& r) {
    r.value = e.value;
    r.known = true;
    r.line = line;
    r.event = event;
  };
  switch (e.reg) {
    case trace_register::vttbr_el2:
      set(p.vttbr);
      // A root that nobody declared has the machine's shape.
      if (root_of(e.value) != 0 && loaded(pe, false) == none && machine.stage2_mode == trace_mode::by_register)
        if (geometry_result const shape = trace_geometry(machine, {});
            shape && root_of(e.value) % shape.value.root_alignment() == 0)
          add_tree({.of = stage::two, .root = root_of(e.value), .vmid = vmid_of(e.value)}, shape.value);
      return;
    case trace_register::hcr_el2: p.hcr_line = line; return set(p.hcr);
    case trace_register::hcrx_el2: return set(p.hcrx);
    case trace_register::ttbr0_el1: return set(p.ttbr[0]);
    case trace_register::ttbr1_el1: return set(p.ttbr[1]);
    case trace_register::ttbr0_el2: return set(p.ttbr[2]);
    case trace_register::ttbr1_el2: return set(p.ttbr[3]);
    case trace_register::vtcr_el2: {
      p.vtcr = e.value;
      p.vtcr_event = event;
      p.vtcr_line = line;
      machine.ha = bit(e.value, 21);
      machine.hd = bit(e.value, 22);
      machine.vmid_bits = bit(e.value, 19) ? 16 : 8;
      return;
    }
    case trace_register::mair_el1:
      mair_el1 = e.value;
      mair_el1_known = true;
      return;
    case trace_register::mair_el2:
      mair_el2 = e.value;
      mair_el2_known = true;
      return;
    default: ++ignored; return;
  }
}

void checker::state::load_root_at_once(trace_event const& e) {
  switch (e.reg) {
    case trace_register::vttbr_el2:
    case trace_register::ttbr0_el1:
    case trace_register::ttbr1_el1:
    case trace_register::ttbr0_el2:
    case trace_register::ttbr1_el2: pes[e.pe].order = event; return synchronize(e);
    default: return;
  }
}

// The context whose root VTTBR_EL2 holds, none where no table is known there.
u32 checker::state::loaded(u8 n, bool effective) {
  synchronized const& r = pes[n].vttbr;
  if (effective ? !r.effective_known : !r.known) return none;
  u64 const value = effective ? r.effective : r.value;
  for (u32 const t : trees_at(root_of(value)))
    if (trees[t].declared.of == stage::two) return context_of(t, vmid_of(value));
  return none;
}

u64 checker::state::control_value(u8 n) const noexcept {
  processor const& p = pes[n];
  return (p.hcr.effective_known && bit(p.hcr.effective, hcr_fwb) ? 1u : 0u) | (p.vtcr_effective << 1);
}

// TLBs of this PE may take entries of context `n` from here on.
void checker::state::enter(u8 who, u32 n, trace_event const& e) {
  context& c = contexts[n];
  u64 const mask = u64{1} << who;
  if ((c.dirty & mask) == 0) {
    for (u32 x = c.list[0]; x != none; x = elements[x].next) {
      bool weak = false;
      if (!visible(elements[x], elements[x].writer, weak)) elements[x].holders |= mask;
    }
    if (c.dirty == 0) c.control = control_value(who);
  }
  c.dirty |= mask;
  c.dirtied[who] = event;
  if (cnp_of(pes[who].vttbr.effective)) c.cnp |= mask;
  frame const* const f = find(trees[c.tree].declared.root);
  if (f != nullptr && f->stored_pe == e.pe && f->stored_event > pes[who].order) {
    violation v = about(c, trees[c.tree].shape.start, 0);
    v.what = violation_class::publish_order;
    report(v);
    pes[who].order = event;
  }
}

void checker::state::synchronize(trace_event const& e) {
  processor& p = pes[e.pe];
  auto const who = static_cast<u8>(e.pe);
  p.synchronized_event = event;
  if (p.last_dsb_event > p.own_event) p.own_pending = false;
  bool const new_root = p.vttbr.line != 0;
  bool const new_half[4] = {p.ttbr[0].line != 0, p.ttbr[1].line != 0, p.ttbr[2].line != 0, p.ttbr[3].line != 0};
  for (synchronized* const r : {&p.vttbr, &p.hcr, &p.hcrx, &p.ttbr[0], &p.ttbr[1], &p.ttbr[2], &p.ttbr[3]}) {
    r->effective = r->value;
    r->effective_known = r->known;
    r->line = 0;
  }
  p.vtcr_effective = p.vtcr;
  if (p.hcr.known) machine.fwb = bit(p.hcr.effective, hcr_fwb);
  if (new_root)
    if (u32 const n = loaded(who, true); n != none && contexts[n].mode == trace_mode::by_register) enter(who, n, e);
  for (unsigned i = 0; i < 4; ++i) {
    if (!new_half[i]) continue;
    for (u32 const t : trees_at(root_of(p.ttbr[i].effective))) {
      trace_table const& d = trees[t].declared;
      bool const el1 = d.regime == trace_regime::el10;
      if (d.of != stage::one || d.upper != ((i & 1) != 0) || el1 != (i < 2)) continue;
      for (u32 const n : trees[t].contexts)
        if (contexts[n].mode == trace_mode::by_register) enter(who, n, e);
    }
  }
  if (e.verb == trace_verb::exception) {
    if (p.running != none) contexts[p.running].dirtied[who] = event;
    // A guest ran, though nothing says since when.
    if (u32 const n = p.running != none ? p.running : loaded(who, true); n != none && !p.at_el2)
      contexts[n].ran |= u64{1} << who;
    p.running = none;
    p.at_el2 = true;
  }
  if (e.verb == trace_verb::eret) run_guest(e);
}

void checker::state::run_guest(trace_event const& e) {
  auto const who = static_cast<u8>(e.pe);
  processor& p = pes[who];
  u32 const n = loaded(who, true);
  if (p.reset) {
    p.reset = false;
    violation v = n == none ? violation{} : about(contexts[n], level::l3, 0);
    v.what = violation_class::pe_reset;
    v.severity = violation_severity::portable;
    v.why = violation_cause::tlbi_missing;
    v.cause_event = p.reset_event;
    v.cause_line = p.reset_line;
    for (emptying const& m : p.emptied)
      if (m.every_regime_entry) v.why = violation_cause::dsb_after_missing;
    v.who = u64{1} << who;
    report(v);
  }
  p.at_el2 = false;
  if (n == none) return;
  p.running = n;
  context& c = contexts[n];
  c.ran |= u64{1} << who;
  if (tree& t = trees[c.tree]; t.given_event != 0) {
    violation v = about(c, t.shape.start, 0);
    v.what = violation_class::free_reachable;
    v.who = u64{1} << who;
    v.cause_event = t.given_event;
    v.cause_line = t.given_line;
    t.given_event = 0;
    report(v);
  }
  control(who, n);
  if (c.mode == trace_mode::by_register) enter(who, n, e);
  for (u32 const other : by_vmid[machine.vmid_bits == 8 ? c.vmid & u16{0xff} : c.vmid]) {
    context& o = contexts[other];
    tree const& t = trees[o.tree];
    if (other == n || t.declared.of != stage::two || o.mode == trace_mode::always || o.tree == c.tree || o.dirty == 0)
      continue;
    if (t.declared.secure_space != trees[c.tree].declared.secure_space) continue;  // two trees of one Secure VM
    bool live = false;
    for (u8 q = 0; q < machine.pes; ++q) live |= q != who && loaded(q, true) == other && (o.dirty >> q & 1) != 0;
    violation v = about(c, trees[c.tree].shape.start, 0);
    v.who = o.dirty;
    if (live) {
      v.what = violation_class::vmid_conflict;
      if ((o.cnp & ~(u64{1} << who)) != 0 && (c.cnp >> who & 1) != 0) v.why = violation_cause::cnp;
    } else {
      v.what = violation_class::vmid_reuse;
      explanation const why = explain_emptying(other);
      v.why = why.why;
      v.cause_event = why.event;
      v.cause_line = why.line;
    }
    report(v);
  }
}

// TLBs may hold FWB and nearly all of VTCR_EL2 beside the entries that were made under them [RVNRFW].
void checker::state::control(u8 who, u32 n) {
  context& c = contexts[n];
  u64 const now = control_value(who);
  if (c.mode == trace_mode::always) {
    if (!c.control_known) c.control = now;
    c.control_known = true;
  }
  if (c.dirty == 0 || c.control == now) return;
  violation v = about(c, trees[c.tree].shape.start, 0);
  v.what = violation_class::control_stale;
  v.who = c.dirty;
  explanation const why = explain_emptying(n);
  processor const& p = pes[who];
  bool const vtcr_is_newer = p.vtcr_event > p.hcr.event;
  v.why = why.why;
  v.cause_event = why.event;
  v.cause_line = why.line;
  if (why.why == violation_cause::tlbi_missing) {
    v.cause_event = vtcr_is_newer ? p.vtcr_event : p.hcr.event;
    v.cause_line = vtcr_is_newer ? p.vtcr_line : p.hcr_line;
  }
  c.control = now;
  report(v);
}

void checker::state::note_invalidated(processor& p, u32 n) {
  if (!p.invalidated.empty() && p.invalidated.back() == n) return;
  if (p.invalidated.size() >= 256) {
    std::sort(p.invalidated.begin(), p.invalidated.end());
    p.invalidated.erase(std::unique(p.invalidated.begin(), p.invalidated.end()), p.invalidated.end());
  }
  p.invalidated.push_back(n);
}

void checker::state::judge_at_done(u32 n) {
  tlb_element const& x = elements[n];
  if (x.harmless || x.reported) return;
  auto const severity = x.portable    ? violation_severity::portable
                        : x.size_only ? violation_severity::conflict
                                      : violation_severity::corrupt;
  report_element(violation_class::stale_at_done, severity, n);
}

// What `e.pe` took away is gone, and what it made is visible. A PE that wrote nothing itself has taken over what others
// began in the contexts that it invalidated.
void checker::state::done(trace_event const& e, bool everything) {
  processor& p = pes[e.pe];
  if (!everything) keep({.kind = log_entry::done, .pe = static_cast<u8>(e.pe), .event = event, .line = line});
  bool wrote = false;
  auto const within = [&](tlb_element const& x) {
    if (e.size == 0) return true;
    u64 const size = trees[contexts[x.context].tree].shape.size(static_cast<level>(x.at));
    return x.begin < e.address + e.size && e.address < x.begin + size;
  };
  std::vector<element_name> later;
  for (element_name const name : p.created) {
    if (elements[name.at].generation != name.generation) continue;
    wrote = true;
    if (within(elements[name.at]))
      judge_at_done(name.at);
    else
      later.push_back(name);
  }
  wrote |= p.wrote;
  p.created = std::move(later);
  if (!wrote || everything)
    for (u32 n = 0; n < contexts.size(); ++n) {
      if (!everything && std::find(p.invalidated.begin(), p.invalidated.end(), n) == p.invalidated.end()) continue;
      for (u32 const list : contexts[n].list)
        for (u32 x = list; x != none; x = elements[x].next)
          if (within(elements[x])) judge_at_done(x);
    }
  p.invalidated.clear();
  p.wrote = false;
  broken.clear();
  auto const at = [&](u64 input, u32 cause_event, u32 cause_line) {
    violation v;
    v.input = input;
    v.cause_event = cause_event;
    v.cause_line = cause_line;
    v.who = all_pes();
    return v;
  };
  if (p.install_pending) {
    violation v = at(p.install_input, p.install_event, p.install_line);
    v.what = violation_class::publish_missing;
    v.why = violation_cause::dsb_missing;
    v.severity = violation_severity::fault;
    report(v);
    p.install_pending = false;
  }
  std::vector<std::pair<u64, u32>> const groups = std::move(p.groups);
  p.groups.clear();
  for (auto const& [address, first] : groups) {
    frame* const f = find(address);
    if (f == nullptr) continue;
    for (std::size_t i = 0; i < f->places.size(); ++i)
      if (f->places[i].linked) check_group(*f, first, f->places[i], true);
  }
  for (u64 const word : p.unclean) {
    frame* const f = find(word);
    if (f == nullptr || f->unclean.empty() || !f->unclean[(word - f->base) / 8]) continue;
    bool const linked = std::any_of(f->places.begin(), f->places.end(), [](place const& q) { return q.linked; });
    if (!linked) continue;
    f->unclean[(word - f->base) / 8] = false;
    violation v = at(f->places.front().input, f->stored_event, 0);
    v.what = violation_class::clean_missing;
    v.why = violation_cause::dc_missing;
    v.severity = (f->words[(word - f->base) / 8] & 1) != 0 ? violation_severity::fault : violation_severity::corrupt;
    report(v);
  }
  p.unclean.clear();
  if (p.own_pending && machine.ets < 2 && p.last_dsb_event > p.own_event && p.synchronized_event < p.last_dsb_event) {
    violation v = at(0, p.last_dsb_event, p.last_dsb_line);
    v.what = violation_class::isb_missing;
    v.why = violation_cause::isb_missing;
    v.severity = violation_severity::portable;
    v.who = u64{1} << e.pe;
    report(v);
  }
  p.own_pending = false;
}

}  // namespace vmsa::sim
