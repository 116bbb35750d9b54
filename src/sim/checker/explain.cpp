// SPDX-License-Identifier: MIT
// Why an old entry may still be held: what happened since it was taken away is gone through once more, for it alone,
// and the first missing link of write, DSB, TLBI, DSB, TLBI of combined entries, DSB is named.
#include <algorithm>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

namespace {

struct flight {
  log_entry const* entry = nullptr;
  effect what = effect::nothing;
  u64 reach = 0;
  bool weak = false;
  bool complete = false;
  log_entry const* weak_dsb = nullptr;  // by the issuer, of the wrong kind
  bool other_dsb = false;
};

}  // namespace

void checker::state::keep(log_entry const& entry) {
  if (log.size() == longest_log) {
    if (log.front().kind == log_entry::tlbi) {
      logged_tlbis.pop_front();
      ++first_tlbi;
    }
    log.pop_front();
  }
  log.push_back(entry);
}

void checker::state::keep(issued_tlbi const& op) {
  logged_tlbis.push_back(op);
  keep({.kind = log_entry::tlbi,
        .pe = op.pe,
        .event = op.event,
        .line = op.line,
        .number = first_tlbi + logged_tlbis.size() - 1});
}

std::size_t checker::state::log_after(u32 after) const noexcept {
  auto const at =
      std::upper_bound(log.begin(), log.end(), after, [](u32 wanted, log_entry const& l) { return wanted < l.event; });
  return static_cast<std::size_t>(at - log.begin());
}

checker::state::explanation checker::state::explain(u32 n) const {
  tlb_element const& x = elements[n];
  context const& c = contexts[x.context];
  bool const stage2 = trees[c.tree].declared.of == stage::two;
  if (x.repeat_event != 0) return {violation_cause::tlbi_not_repeated, x.repeat_event, x.repeat_line};
  auto const at = [](violation_cause why, log_entry const& l) { return explanation{why, l.event, l.line}; };
  auto const mismatch = [&](violation_cause why, log_entry const& l) {
    if (why == violation_cause::isb_missing) return explanation{why, tlbi_of(l).sync_event, tlbi_of(l).sync_line};
    return at(why, l);
  };
  bool cleaned = machine.coherent_walks;
  bool seen = false;
  std::array<bool, 64> seen_by_other{};
  log_entry const* weak_before = nullptr;
  explanation unseen, refused, order, refused_stage1, partial, not_by_writer;
  bool refused_touched = true;
  u64 stage2_gone = 0;
  u64 gone = 0;
  std::vector<flight> flights;
  trace_domain const domain = walkers(x.writer, x.holders);
  // Many violations are explained by what happened last.
  std::size_t const window = violations.size() < 200 ? log.size() : std::min<std::size_t>(log.size(), 4096);
  for (std::size_t i = std::max(log_after(x.event), log.size() - window); i < log.size(); ++i) {
    log_entry const& l = log[i];
    if (l.kind == log_entry::clean) {
      if (l.address <= x.word && x.word < l.address + l.size) cleaned = true;
    } else if (l.kind == log_entry::dsb) {
      bool const writer = l.pe == x.writer || (x.again_event != 0 && l.pe == x.again_writer && l.event > x.again_event);
      if (writer && cleaned && l.barrier.stores && l.barrier.domain >= domain) seen = true;
      if (writer && !seen) weak_before = &l;
      if (!writer && l.barrier.stores && cleaned) seen_by_other[l.pe] = true;
      for (flight& f : flights) {
        if (f.complete) continue;
        bool const full = l.barrier.loads && l.barrier.stores;
        if (f.entry->pe != l.pe) {
          f.other_dsb |= full;
        } else if (completes(l.barrier, tlbi_of(*f.entry).domain) && !(l.barrier.nxs && x.xs)) {
          f.complete = true;
          stage2_gone |= f.reach;
          if (f.what != effect::stage2) gone |= f.reach;
          if (f.what != effect::stage2 && f.weak) not_by_writer = at(violation_cause::dsb_other_pe, *f.entry);
        } else if (f.weak_dsb == nullptr) {
          f.weak_dsb = &l;
        }
      }
    } else if (l.kind == log_entry::tlbi) {
      issued_tlbi const& op = tlbi_of(l);
      match_result const m = match(op, c, x);
      if (m.what == effect::nothing) {
        bool const for_combined = stage2 && (op.op.type == tlbi_type::vmall || op.op.type == tlbi_type::by_asid ||
                                             op.op.type == tlbi_type::by_va || op.op.type == tlbi_type::by_vaa);
        if (for_combined && stage2_gone != 0) {
          if (refused_stage1.why == violation_cause::none) refused_stage1 = mismatch(m.why, l);
        } else if (refused.why == violation_cause::none || (refused_touched && !op.touched)) {
          refused = mismatch(m.why, l);
          refused_touched = op.touched;
        }
        continue;
      }
      if (!seen && !seen_by_other[l.pe]) {
        if (unseen.why == violation_cause::none && m.what != effect::combined)
          unseen = !cleaned                 ? explanation{violation_cause::dc_missing, x.event, x.line}
                   : weak_before != nullptr ? at(violation_cause::dsb_weak, *weak_before)
                                            : at(violation_cause::dsb_before_missing, l);
        continue;
      }
      u64 reach = op.reach & x.holders;
      if (m.what == effect::combined) reach &= stage2_gone;
      if (reach == 0) {
        if (order.why == violation_cause::none) order = at(violation_cause::tlbi_order, l);
        continue;
      }
      if (m.why != violation_cause::none && partial.why == violation_cause::none) partial = at(m.why, l);
      flights.push_back({&l, m.what, reach, !seen, false, nullptr, false});
    }
  }
  if (not_by_writer.why != violation_cause::none && (x.holders & ~gone) == 0) return not_by_writer;
  auto const pending = [&](bool final) {
    for (flight const& f : flights) {
      if (f.complete || (f.what == effect::stage2) == final) continue;
      if (f.weak_dsb != nullptr) return at(violation_cause::dsb_weak, *f.weak_dsb);
      return at(f.other_dsb ? violation_cause::dsb_other_pe : violation_cause::dsb_after_missing, *f.entry);
    }
    return explanation{};
  };
  if (explanation const e = pending(true); e.why != violation_cause::none) return e;
  if (gone != 0 && partial.why != violation_cause::none) return partial;
  if (stage2_gone != 0 && stage2) {
    if (order.why != violation_cause::none) return order;
    if (refused_stage1.why != violation_cause::none) return refused_stage1;
    if (partial.why != violation_cause::none) return partial;
    for (flight const& f : flights)
      if (f.what == effect::stage2) return at(violation_cause::tlbi_stage1_missing, *f.entry);
  }
  if (explanation const e = pending(false); e.why != violation_cause::none) return e;
  if (unseen.why != violation_cause::none) return unseen;
  if (refused.why != violation_cause::none) return refused;
  if (order.why != violation_cause::none) return {violation_cause::tlbi_scope, order.event, order.line};
  if (!machine.coherent_walks && !cleaned) return {violation_cause::dc_missing, x.event, x.line};
  if (explanation const e = earlier(x); e.why != violation_cause::none) return e;
  return {violation_cause::tlbi_missing, x.event, x.line};
}

// An invalidation that fits, before the write and for nothing else: the two were exchanged.
checker::state::explanation checker::state::earlier(tlb_element const& x) const {
  context const& c = contexts[x.context];
  log_entry const* completion = nullptr;
  unsigned left = 16;
  for (std::size_t i = log_after(x.event); i-- > 0 && left-- > 0;) {
    log_entry const& l = log[i];
    if (l.pe != x.writer) continue;
    if (l.kind == log_entry::done) break;
    if (l.kind == log_entry::dsb) {
      if (completion == nullptr && l.barrier.loads && l.barrier.stores) completion = &l;
      continue;
    }
    if (l.kind != log_entry::tlbi) continue;
    if (tlbi_of(l).touched) break;
    if (match(tlbi_of(l), c, x).what == effect::nothing) continue;
    log_entry const& named = completion != nullptr ? *completion : l;
    return {violation_cause::tlbi_before_write, named.event, named.line};
  }
  return {};
}

// Why TLBs may still hold entries of a context that nobody uses any more.
checker::state::explanation checker::state::explain_emptying(u32 n) const {
  context const& c = contexts[n];
  u32 since = 0;
  for (unsigned p = 0; p < machine.pes; ++p)
    if ((c.dirty >> p & 1) != 0) since = std::max(since, c.dirtied[p]);
  tlb_element const any{.holders = c.dirty, .context = n};
  explanation refused;
  std::vector<flight> flights;
  for (std::size_t i = log_after(since); i < log.size(); ++i) {
    log_entry const& l = log[i];
    if (l.kind == log_entry::tlbi) {
      issued_tlbi const& op = tlbi_of(l);
      match_result m = match(op, c, any);
      if (m.what != effect::nothing && m.what != effect::everything) m = {effect::nothing, violation_cause::tlbi_scope};
      if (m.what == effect::nothing) {
        if (refused.why == violation_cause::none)
          refused = m.why == violation_cause::isb_missing ? explanation{m.why, op.sync_event, op.sync_line}
                                                          : explanation{m.why, l.event, l.line};
        continue;
      }
      if (m.why != violation_cause::none && refused.why == violation_cause::none) refused = {m.why, l.event, l.line};
      flights.push_back({&l, m.what, op.reach, false, false, nullptr, false});
    } else if (l.kind == log_entry::dsb) {
      for (flight& f : flights) {
        if (f.entry->pe != l.pe)
          f.other_dsb |= l.barrier.loads && l.barrier.stores;
        else if (completes(l.barrier, tlbi_of(*f.entry).domain))
          f.complete = true;
        else if (f.weak_dsb == nullptr)
          f.weak_dsb = &l;
      }
    }
  }
  for (flight const& f : flights) {
    if (f.complete) continue;
    if (f.weak_dsb != nullptr) return {violation_cause::dsb_weak, f.weak_dsb->event, f.weak_dsb->line};
    return {f.other_dsb ? violation_cause::dsb_other_pe : violation_cause::dsb_after_missing, f.entry->event,
            f.entry->line};
  }
  if (refused.why != violation_cause::none) return refused;
  return {violation_cause::tlbi_missing, 0, 0};
}

violation checker::state::about(context const& c, level at, u64 input) const noexcept {
  violation v;
  trace_table const& t = trees[c.tree].declared;
  v.input = input;
  v.at = at;
  v.of = t.of;
  v.regime = t.regime;
  v.vmid = c.vmid;
  v.asid = t.asid;
  v.who = c.dirty;
  return v;
}

// One event that does the same to many words is one violation with many places.
void checker::state::report(violation v) {
  v.event = event;
  v.line = line;
  if (!violations.empty()) {
    violation& last = violations.back();
    if (last.event == event && last.what == v.what && last.why == v.why && last.cause_event == v.cause_event) {
      ++last.places;
      return;
    }
  }
  ++reports;
  if (violations.size() == most_violations) {
    ++uncounted;
    return;
  }
  violations.push_back(v);
}

// Of one write that took a table away, what lay below it is not said again.
void checker::state::mark_reported(u32 n) {
  tlb_element& x = elements[n];
  x.reported = true;
  if (!x.table) return;
  context const& c = contexts[x.context];
  u64 const end = x.begin + trees[c.tree].shape.size(static_cast<level>(x.at));
  for (int l = x.at + 1; l <= 3; ++l)
    c.index.each(l, x.begin, end, [&](u32 head) {
      for (u32 m = head; m != no_element; m = elements[m].next_here)
        if (elements[m].event == x.event) elements[m].reported = true;
    });
}

void checker::state::report_element(violation_class what, violation_severity severity, u32 n, descriptor now) {
  tlb_element const& x = elements[n];
  mark_reported(n);
  violation v = about(contexts[x.context], static_cast<level>(x.at), x.begin);
  explanation const why = violations.size() < most_violations ? explain(n) : explanation{violation_cause::none, 0, 0};
  v.what = what == violation_class::stale_at_done && why.why == violation_cause::dc_missing
               ? violation_class::clean_missing
               : what;
  if (why.why == violation_cause::dc_missing)
    if (frame* const f = find(x.word); f != nullptr && !f->unclean.empty()) f->unclean[(x.word - f->base) / 8] = false;
  v.why = why.why;
  v.cause_event = why.event;
  v.cause_line = why.line;
  v.severity = x.portable ? violation_severity::portable : severity;
  v.old_descriptor = x.old;
  v.new_descriptor = now.raw;
  v.who = x.holders & ~x.gone;
  v.combined = (v.who & ~x.stage2_gone) == 0 && x.stage2_gone != 0;
  report(v);
}

}  // namespace vmsa::sim
