// SPDX-License-Identifier: MIT
// Entries of trees: who may write them, and what a broken one has to go through.
#include <algorithm>

#include "sim/discipline/state.hpp"

namespace vmsa::sim {

namespace {

constexpr u64 software_bits = field<58, 55>::mask;
constexpr int deepest = 3;

}  // namespace

discipline::state::page& discipline::state::page_at(u64 address) {
  u64 const bytes = granule_size(machine.tg);
  u64 const base = address & ~(bytes - 1);
  page& p = pages[base];
  if (p.words == nullptr) {
    p.base = base;
    p.words = std::make_unique<entry[]>(bytes / 8);
  }
  return p;
}
discipline::state::entry& discipline::state::at(u64 address) {
  page& p = page_at(address);
  return p.words[(address - p.base) / 8];
}

descriptor_kind discipline::state::kind(entry const& e, u64 value) const noexcept {
  return kind_of({value}, static_cast<level>(e.at), shape_of(e).format);
}
u64 discipline::state::next_page(entry const& e, u64 value) const noexcept {
  return next_table({value}, shape_of(e).format).value;
}

// Every entry of the table at `table`, which maps from `input` on, and of those below, as far as it stands there in
// this tree.
template <class Visit>
void discipline::state::each_in_tree(u64 table, u64 root, int level, u64 input, Visit&& visit) {
  if (level > deepest) return;
  auto const found = pages.find(table & ~(granule_size(machine.tg) - 1));
  if (found == pages.end()) return;
  u64 const words = granule_size(machine.tg) / 8;
  u64 const first = (table - found->second.base) / 8;
  for (u64 n = first; n < words; ++n) {
    entry& e = found->second.words[n];
    u64 const here = input + ((n - first) << shape_of(e).shift(static_cast<vmsa::level>(level)));
    if (!e.in_tree || e.root != root || e.at != level || e.input != here) continue;
    entry const before = e;
    visit(e, found->second.base + 8 * n);
    each_below(before, before.value, visit);
  }
}
// The same of the table that entry `x` leads to when it holds `value`.
template <class Visit>
void discipline::state::each_below(entry const& x, u64 value, Visit&& visit) {
  if (kind(x, value) == descriptor_kind::table) each_in_tree(next_page(x, value), x.root, x.at + 1, x.input, visit);
}

void discipline::state::mark_root(u64 root, bool first_stage, u16 pe) {
  geometry const& g = shape[first_stage ? 0 : 1];
  auto const words = static_cast<u32>(granule_size(machine.tg) / 8);
  for (u32 n = 0; n < g.root_entries; n += words)
    mark(root + u64{8} * n, root, number(g.start), u64{n} << g.shift(g.start), first_stage,
         std::min(words, g.root_entries - n), pe);
}

void discipline::state::mark(u64 table, u64 root, int level, u64 input, bool first_stage, u32 words, u16 pe) {
  if (level > deepest) return;
  geometry const& g = shape[first_stage ? 0 : 1];
  page& p = page_at(table);
  auto const first = static_cast<u32>((table - p.base) / 8);
  auto const end = std::min<u32>(first + words, static_cast<u32>(granule_size(machine.tg) / 8));
  for (u32 n = first; n < end; ++n)
    if (p.words[n].in_tree) return report(discipline_rule::double_use, table, pe, p.event, p.line);
  p.event = event;
  p.line = line;
  for (u32 n = first; n < end; ++n) {
    entry& e = p.words[n];
    u64 const value = e.value;
    e = {};
    e.value = value;
    e.root = root;
    e.at = static_cast<signed char>(level);
    e.input = input + (u64{n - first} << g.shift(static_cast<vmsa::level>(level)));
    e.in_tree = true;
    e.first_stage = first_stage;
    e.now = (value & 1) != 0 ? phase::valid : phase::invalid;
  }
  for (u32 n = first; n < end; ++n) {
    entry const e = p.words[n];
    if (kind(e, e.value) == descriptor_kind::table)
      mark(next_page(e, e.value), root, level + 1, e.input, first_stage, static_cast<u32>(granule_size(machine.tg) / 8),
           pe);
  }
}

void discipline::state::unmark_below(entry const& x, u64 value) {
  each_below(x, value, [](entry& e, u64) { e.in_tree = false; });
}

bool discipline::state::clean_below(entry const& x, u64 value) {
  bool clean = true;
  each_below(x, value, [&](entry const& e, u64) { clean &= e.now != phase::unclean; });
  return clean;
}

bool discipline::state::empty_below(entry const& x, u64 value) {
  bool empty = true;
  each_below(x, value, [&](entry const& e, u64) { empty &= (e.value & 1) == 0; });
  return empty;
}

// The table at `table`, whose first entry is `first`, and all below are none any more, of a root all its tables.
// Returns an entry that waits for its TLBI, or for that of one above it; null where there is none.
discipline::state::entry const* discipline::state::release_tree(entry const& first, u64 table, bool is_root) {
  geometry const& g = shape_of(first);
  entry const* not_clean = nullptr;
  auto const leave = [&](entry& x, u64) {
    if (x.now == phase::unclean || x.now == phase::unlinked) not_clean = &x;
    x.in_tree = false;
  };
  if (!is_root) {
    each_in_tree(table, first.root, first.at, first.input, leave);
    return not_clean;
  }
  for (u32 n = 0; n < g.root_entries; n += static_cast<u32>(granule_size(machine.tg) / 8))
    each_in_tree(first.root + u64{8} * n, first.root, number(g.start), u64{n} << g.shift(g.start), leave);
  return not_clean;
}

bool discipline::state::holds_lock(entry const& x, u16 pe) const {
  if (x.owner >= 0) return x.owner == static_cast<int>(pe);
  auto const l = locks.find(x.root);
  if (l == locks.end()) return false;
  auto const h = held.find(l->second.lock);
  return h != held.end() && h->second.pe == pe;
}

// Whoever holds the lock may store once in any way; plain stores of valid entries after that wait for a DSB.
void discipline::state::authorize(trace_event const& e, entry const& x, u64 address, u64 value) {
  if (x.owner >= 0) {
    if (x.owner != static_cast<int>(e.pe)) report(discipline_rule::foreign_entry, address, e.pe);
    return;
  }
  auto const l = locks.find(x.root);
  if (l == locks.end()) return report(discipline_rule::no_lock, address, e.pe);
  auto const h = held.find(l->second.lock);
  if (h == held.end() || h->second.pe != e.pe)
    return report(discipline_rule::unlocked_write, address, e.pe, h == held.end() ? l->second.event : h->second.event,
                  h == held.end() ? l->second.line : h->second.line);
  bool const first = h->second.plain;
  h->second.plain = false;
  if (!first && e.store == trace_store::plain && (x.now == phase::valid || (value & 1) != 0))
    report(discipline_rule::plain_write, address, e.pe, h->second.event, h->second.line);
}

void discipline::state::link_children(entry& x, u64 address, u64 value, u16 pe) {
  if (kind(x, value) != descriptor_kind::table) return;
  if (!clean_below(x, value)) report(discipline_rule::unclean_child, address, pe);
  mark(next_page(x, value), x.root, x.at + 1, x.input, x.first_stage, static_cast<u32>(granule_size(machine.tg) / 8),
       pe);
}

void discipline::state::write_valid(trace_event const& e, entry& x, u64 address, u64 value) {
  descriptor_kind const before = kind(x, x.value);
  bool const table = before == descriptor_kind::table;
  if ((value & 1) != 0) {
    bool const tables = table || kind(x, value) == descriptor_kind::table;
    if (!tables && ((x.value ^ value) & ~software_bits) == 0) return;
    report(discipline_rule::valid_to_valid, address, e.pe);
    unmark_below(x, x.value);
    return link_children(x, address, value, e.pe);
  }
  x.now = phase::unclean;
  x.done = step::written;
  x.old = x.value;
  x.breaker = static_cast<u8>(e.pe);
  x.broken_event = event;
  x.broken_line = line;
  x.missed = violation_cause::none;
  x.missed_line = 0;
  unclean.push_back(address);
  if (!clean_below(x, x.value)) report(discipline_rule::unclean_child, address, e.pe);
  each_below(x, x.value, [&](entry& child, u64 at_child) {
    if (child.owner >= 0) report(discipline_rule::foreign_entry, at_child, e.pe);
    child.now = phase::unlinked;
  });
}

void discipline::state::write(trace_event const& e, u64 address, u64 value) {
  entry& x = at(address);
  if (x.in_tree) {
    authorize(e, x, address, value);
    bool const valid = (value & 1) != 0;
    switch (x.now) {
      case phase::valid: write_valid(e, x, address, value); break;
      case phase::invalid:
        if (!valid) break;
        link_children(x, address, value, e.pe);
        x.now = phase::valid;
        break;
      case phase::unclean: {
        if (!valid) break;
        constexpr violation_cause missing[] = {violation_cause::dsb_before_missing, violation_cause::tlbi_missing,
                                               violation_cause::dsb_after_missing, violation_cause::tlbi_stage1_missing,
                                               violation_cause::dsb_after_missing};
        bool const missed = x.missed_line != 0;
        report(discipline_rule::unclean_to_valid, address, e.pe, missed ? x.missed_event : x.broken_event,
               missed ? x.missed_line : x.broken_line, missed ? x.missed : missing[static_cast<unsigned>(x.done)]);
        std::erase(unclean, address);
        unmark_below(x, x.old);
        link_children(x, address, value, e.pe);
        x.now = phase::valid;
        break;
      }
      case phase::unlinked:
        if (x.value != value && ((x.value & 1) != 0 || valid)) report(discipline_rule::under_unlinked, address, e.pe);
        break;
    }
  }
  x.value = value;
}

// A DSB carries on what its PE broke itself, in trees whose lock it holds.
void discipline::state::fence(trace_event const& e) {
  for (auto& [id, l] : held)
    if (l.pe == e.pe) l.plain = true;
  bool const reaches = e.barrier.domain >= trace_domain::inner && e.barrier.stores;
  if (!reaches) return;
  std::vector<u64> left;
  for (u64 const address : unclean) {
    entry& x = at(address);
    if (!x.in_tree || x.now != phase::unclean) continue;
    left.push_back(address);
    if (x.breaker != e.pe || !holds_lock(x, e.pe)) continue;
    if (x.done == step::written) {
      x.done = step::visible;
    } else if (x.done == step::by_ipa && e.barrier.loads) {
      x.done = step::by_ipa_done;
    } else if (x.done == step::issued && e.barrier.loads) {
      unmark_below(x, x.old);
      x.now = phase::invalid;
      left.pop_back();
    }
  }
  unclean = std::move(left);
}

// Why a TLBI does nothing for a broken entry; none where it does.
violation_cause discipline::state::misses(trace_event const& e, entry const& x) const {
  tlbi_operation const& op = e.tlbi;
  processor const& p = pes[e.pe];
  if (x.breaker != e.pe || !holds_lock(x, e.pe)) return violation_cause::tlbi_missing;
  if (op.scope == tlbi_scope::local) return violation_cause::tlbi_local;
  if (x.first_stage != (op.el == 2) || op.el == 3) return violation_cause::tlbi_wrong_regime;
  if (x.done == step::written) return violation_cause::dsb_before_missing;
  auto const in_use = roots[x.first_stage ? 0 : 1].find(x.root);
  u16 const id = in_use == roots[x.first_stage ? 0 : 1].end() ? u16{0} : in_use->second.id;
  if (op.by_address()) {
    if (x.first_stage ? op.type == tlbi_type::by_ipa : op.type != tlbi_type::by_ipa)
      return violation_cause::tlbi_missing;
    tlbi_target const t = decode_tlbi_operand(op, e.value, machine.tg, shape_of(x).format.ds, machine.ttl);
    u64 const size = u64{1} << shape_of(x).shift(static_cast<level>(x.at));
    if (t.begin >= x.input + size || t.end <= x.input) return violation_cause::tlbi_wrong_address;
    if (op.last_level && x.at != 3) return violation_cause::tlbi_last_level;
  }
  if (op.type != tlbi_type::all && !x.first_stage) {
    u16 const vmid = e.has_vmid ? e.vmid : p.id[1];
    if (vmid != id) return violation_cause::tlbi_wrong_vmid;
  }
  return violation_cause::none;
}

void discipline::state::invalidate(trace_event const& e) {
  tlbi_type const type = e.tlbi.type;
  if (type == tlbi_type::vmallws2) return;
  for (u64 const address : unclean) {
    entry& x = at(address);
    if (!x.in_tree || x.now != phase::unclean) continue;
    violation_cause why = misses(e, x);
    // One address takes no table with valid entries.
    if (why == violation_cause::none && e.tlbi.by_address() && !empty_below(x, x.old))
      why = violation_cause::tlbi_range_short;
    bool const both = type == tlbi_type::all || type == tlbi_type::vmalls12;
    if (why == violation_cause::none && !x.first_stage && type != tlbi_type::by_ipa && !both && x.done == step::visible)
      why = violation_cause::tlbi_order;
    if (why != violation_cause::none) {
      bool const follows = why == violation_cause::tlbi_order && x.missed_line != 0;  // the first one is the cause
      if (x.done < step::issued && why != violation_cause::tlbi_missing && !follows) {
        x.missed = why;
        x.missed_event = event;
        x.missed_line = line;
      }
      continue;
    }
    if (x.first_stage || both)
      x.done = step::issued;
    else if (type == tlbi_type::by_ipa)
      x.done = x.done == step::visible ? step::by_ipa : x.done;
    else if (x.done == step::by_ipa_done)
      x.done = step::issued;
    x.missed_line = 0;
  }
}

}  // namespace vmsa::sim
