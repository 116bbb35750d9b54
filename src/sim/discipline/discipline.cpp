// SPDX-License-Identifier: MIT
// Locks, roots and hints.
#include "vmsa/sim/discipline.hpp"

#include <stdexcept>

#include "sim/discipline/state.hpp"

namespace vmsa::sim {

namespace {

constexpr u64 root_of(u64 ttbr) noexcept { return ttbr & bit_mask(47, 1); }
constexpr u16 id_of(u64 ttbr) noexcept { return static_cast<u16>(ttbr >> 48); }

}  // namespace

discipline::state::state(trace_machine const& m) : machine(m), pes(m.pes) {
  trace_table el2;
  el2.of = stage::one;
  el2.regime = trace_regime::el2;
  geometry_result const one = trace_geometry(m, el2);
  geometry_result const two = trace_geometry(m, {});
  if (!one || !two) throw std::invalid_argument("a machine whose tables have no shape");
  shape = {one.value, two.value};
}

void discipline::state::report(discipline_rule rule, u64 address, u16 pe, u32 cause_event, u32 cause_line,
                               violation_cause why) {
  u32 const bit = u32{1} << static_cast<unsigned>(rule);
  if ((reported & bit) != 0 || violations.size() >= checker::most_violations) return;
  reported |= bit;
  violations.push_back({rule, why, event, line, cause_event, cause_line, address, pe});
}

// A root belongs to its VMID from the synchronization after its register was written, until it is released.
void discipline::state::load_root(trace_event const& e) {
  bool const first_stage = e.reg == trace_register::ttbr0_el2;
  if (!first_stage && e.reg != trace_register::vttbr_el2) return;
  unsigned const which = first_stage ? 0 : 1;
  u64 const root = root_of(e.value);
  u16 const id = id_of(e.value);
  processor& p = pes[e.pe];
  if (first_stage && id != 0 && !machine.e2h) report(discipline_rule::el2_asid, root, e.pe);
  p.root[which] = root;
  p.id[which] = id;
  if (root == 0) return;
  auto& known = roots[which];
  auto const found = known.find(root);
  if (found != known.end()) {
    if (found->second.id == id) return;
    if (found->second.settled) report(discipline_rule::id_changed, root, e.pe, found->second.event, found->second.line);
    found->second.id = id;
    return;
  }
  for (auto const& [other, r] : known)
    if (r.settled && r.id == id) report(discipline_rule::id_shared, root, e.pe, r.event, r.line);
  known[root] = {id, false, event, line};
  mark_root(root, first_stage, e.pe);
}

void discipline::state::synchronize(trace_event const& e) {
  processor& p = pes[e.pe];
  if (e.verb == trace_verb::exception) p.in_context = false;
  if (e.verb == trace_verb::eret) p.in_context = true;
  for (unsigned which = 0; which < 2; ++which) {
    if (p.root[which] == 0) continue;
    auto const found = roots[which].find(p.root[which]);
    if (found != roots[which].end()) {
      found->second.settled = true;
    } else if (e.verb == trace_verb::eret) {
      // Released while the register held it, and a table again.
      roots[which][p.root[which]] = {p.id[which], true, event, line};
      mark_root(p.root[which], which == 0, e.pe);
    }
  }
}

void discipline::state::release(trace_event const& e) {
  u64 const table = e.address & ~(granule_size(machine.tg) - 1);
  locks.erase(table);
  page& p = page_at(table);
  entry const* in_tree = nullptr;
  u64 const words = granule_size(machine.tg) / 8;
  for (u64 n = 0; n < words && in_tree == nullptr; ++n)
    if (p.words[n].in_tree) in_tree = &p.words[n];
  if (in_tree == nullptr) return;
  entry const x = *in_tree;
  bool const first_stage = x.first_stage;
  auto& known = roots[first_stage ? 0 : 1];
  bool const is_root = x.at == number(shape[first_stage ? 0 : 1].start) && known.contains(x.root);
  entry const* const not_clean = release_tree(x, table, is_root);
  if (is_root) known.erase(x.root);
  if (not_clean != nullptr)
    report(discipline_rule::release_unclean, table, e.pe, not_clean->broken_event, not_clean->broken_line);
  else if (!is_root)
    report(discipline_rule::release_linked, table, e.pe, p.event, p.line);
  trace_mode const mode = first_stage ? machine.stage1_mode[1] : machine.stage2_mode;
  if (is_root && mode == trace_mode::always) report(discipline_rule::release_in_use, table, e.pe);
  for (processor const& q : pes)
    if (is_root && q.root[first_stage ? 0 : 1] == x.root && q.in_context)
      report(discipline_rule::release_in_use, table, e.pe);
}

void discipline::state::hint(trace_event const& e) {
  switch (e.hint) {
    case trace_hint::root_lock: locks[e.address] = {event, line, e.value}; return;
    case trace_hint::release: return release(e);
    case trace_hint::owner_root: {
      page const& p = page_at(e.address);
      for (u64 n = 0; n < granule_size(machine.tg) / 8; ++n)
        if (p.words[n].in_tree) report(discipline_rule::owner_of_used, p.base, e.pe, p.event, p.line);
      return;
    }
    case trace_hint::entry_owner: {
      entry& x = at(e.address);
      if (!x.in_tree || x.at != 3)
        report(discipline_rule::owner_of_used, e.address, e.pe);
      else
        x.owner = static_cast<signed char>(e.value < machine.pes ? e.value : ~u64{0});
      return;
    }
    case trace_hint::no_discipline: return;
  }
}

void discipline::state::lock(trace_event const& e) {
  auto const found = held.find(e.address);
  if (e.verb == trace_verb::lock) {
    if (found != held.end())
      report(discipline_rule::lock_held, e.address, e.pe, found->second.event, found->second.line);
    else
      held[e.address] = {e.pe, true, event, line};
    return;
  }
  if (found == held.end() || found->second.pe != e.pe) {
    bool const other = found != held.end();
    report(discipline_rule::unlock_not_held, e.address, e.pe, other ? found->second.event : 0,
           other ? found->second.line : 0);
    return;
  }
  held.erase(found);
}

void discipline::state::on(trace_event const& e) {
  ++event;
  line = e.line != 0 ? e.line : event;
  reported = 0;
  if (e.pe >= machine.pes) throw std::invalid_argument("an event of a PE that the machine does not have");
  switch (e.verb) {
    case trace_verb::write: return write(e, e.address, e.value);
    case trace_verb::update: at(e.address).value = e.value; return;
    case trace_verb::write_128: write(e, e.address, e.value); return write(e, e.address + 8, e.high);
    case trace_verb::zero:
      for (u64 n = 0; n < e.size; n += 8) {
        auto const found = pages.find((e.address + n) & ~(granule_size(machine.tg) - 1));
        if (found == pages.end()) {
          n = ((e.address + n) | (granule_size(machine.tg) - 1)) - 7 - e.address;
          continue;
        }
        if (at(e.address + n).in_tree)
          report(discipline_rule::initialised_used, e.address + n, e.pe, found->second.event, found->second.line);
        at(e.address + n).value = 0;
      }
      return;
    case trace_verb::fill:
      for (u64 n = 0; n < e.size / 8; ++n) write(e, e.address + 8 * n, e.value + n * e.step);
      return;
    case trace_verb::read: {
      entry const& x = at(e.address);
      if (x.in_tree && x.value != e.value) report(discipline_rule::changed_unseen, e.address, e.pe);
      return;
    }
    case trace_verb::dsb: return fence(e);
    case trace_verb::isb:
    case trace_verb::eret:
    case trace_verb::exception: return synchronize(e);
    case trace_verb::tlbi: return invalidate(e);
    case trace_verb::msr: return load_root(e);
    case trace_verb::lock:
    case trace_verb::unlock: return lock(e);
    case trace_verb::hint: return hint(e);
    case trace_verb::dmb:
    case trace_verb::cache:
    case trace_verb::alloc:
    case trace_verb::free:
    case trace_verb::use:
    case trace_verb::done:
    case trace_verb::off:
    case trace_verb::on:
    case trace_verb::note: return;
  }
}

discipline::discipline(trace_machine const& machine) : state_(std::make_unique<state>(machine)) {}
discipline::~discipline() = default;
discipline::discipline(discipline&&) noexcept = default;
discipline& discipline::operator=(discipline&&) noexcept = default;

void discipline::declare(trace_table const& t) {
  bool const two = t.of == stage::two;
  if (!two && t.regime != trace_regime::el2) return;
  geometry_result const g = trace_geometry(state_->machine, t);
  if (!g) throw std::invalid_argument("a table that this machine cannot walk");
  state_->shape[two ? 1 : 0] = g.value;
  trace_mode const mode = two ? state_->machine.stage2_mode : state_->machine.stage1_mode[1];
  if (mode != trace_mode::always || state_->roots[two ? 1 : 0].contains(t.root)) return;
  state_->roots[two ? 1 : 0][t.root] = {t.vmid, true, state_->event, state_->line};
  state_->mark_root(t.root, !two, 0);
}

void discipline::on(trace_event const& e) { state_->on(e); }

std::vector<discipline_violation> const& discipline::violations() const noexcept { return state_->violations; }

}  // namespace vmsa::sim
