// SPDX-License-Identifier: MIT
// The memory image, and which frames the walkers reach.
#include <algorithm>
#include <stdexcept>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

frame* checker::state::find_any(u64 base) noexcept {
  auto const found = frames.find(base);
  if (found == frames.end()) return nullptr;
  return recent[(base >> granule_bits(machine.tg)) % recent.size()] = found->second.get();
}

frame& checker::state::make(u64 address) {
  if (frame* const f = find(address)) return *f;
  u64 const base = address & ~(granule_bytes() - 1);
  auto& f = frames[base];
  f = std::make_unique<frame>();
  f->base = base;
  f->words = std::make_unique<u64[]>(granule_bytes() / 8);
  return *f;
}

u64 checker::state::load(u64 address) noexcept {
  frame const* const f = find(address);
  return f == nullptr ? 0 : f->words[(address - f->base) / 8];
}

void checker::state::set_unclean(frame& f, u64 address) {
  if (f.unclean.empty()) f.unclean.resize(granule_bytes() / 8);
  f.unclean[(address - f.base) / 8] = true;
  pes[pe].unclean.push_back(address);
}

// `bulk`: one word of many that the event writes, for which only the last one says who stored it when.
void checker::state::store(trace_event const& e, u64 address, u64 value, bool bulk) {
  frame* const known = find(address);
  frame& f = known != nullptr ? *known : make(address);
  auto const n = static_cast<u32>((address - f.base) / 8);
  u64 const before = f.words[n];
  f.words[n] = value;
  if (!bulk || before != value) {
    f.stored_event = event;
    f.stored_pe = static_cast<u8>(e.pe);
  }
  if (before == value) return;
  if (e.verb != trace_verb::update && !machine.coherent_walks) set_unclean(f, address);
  if (descriptor_bits::contiguous::get(value)) f.contiguous = true;
  if (e.verb == trace_verb::update) return;
  for (std::size_t i = 0; i < f.places.size(); ++i) {
    if (n < f.places[i].first || n - f.places[i].first >= f.places[i].count) continue;
    if (one_page(e, f, n, f.places[i], {before}, {value})) continue;
    place const p = f.places[i];  // a change may add places
    changed(e, f, n, p, {before}, {value});
  }
}

// Addresses of the frames that [begin, begin + size) touches.
std::vector<u64> checker::state::frames_in(u64 begin, u64 size) const {
  std::vector<u64> found;
  u64 const first = begin & ~(granule_bytes() - 1);
  if ((size >> granule_bits(machine.tg)) < frames.size()) {
    for (u64 base = first; base - first < begin - first + size; base += granule_bytes())
      if (frames.contains(base)) found.push_back(base);
  } else {
    for (auto const& [base, f] : frames)
      if (base >= first && base - first < begin - first + size) found.push_back(base);
    std::sort(found.begin(), found.end());
  }
  return found;
}

void checker::state::clean(trace_event const& e) {
  keep({.kind = log_entry::clean,
        .pe = static_cast<u8>(e.pe),
        .event = event,
        .line = line,
        .address = e.address,
        .size = e.size});
  if (machine.coherent_walks || e.cache == trace_cache::instruction || e.cache == trace_cache::invalidate_poc) return;
  u64 const begin = e.address & ~u64{7};
  for (u64 const base : frames_in(begin, e.size + (e.address - begin))) {
    frame* const f = find(base);
    if (f->unclean.empty()) continue;
    for (u64 n = 0; n < granule_bytes() / 8; ++n)
      if (base + 8 * n >= begin && base + 8 * n < e.address + e.size) f->unclean[n] = false;
  }
}

void checker::state::add_root(u32 n) {
  tree const& t = trees[n];
  u64 const size = t.shape.root_size();
  u64 const shift = t.shape.shift(t.shape.start);
  u64 input = 0;
  for (u64 at = t.declared.root; at < t.declared.root + size;) {
    frame& f = make(at);
    u64 const in_frame = std::min(size - (at - t.declared.root), granule_bytes() - (at - f.base));
    place const p{n,    t.shape.start, true, true, static_cast<u32>((at - f.base) / 8), static_cast<u32>(in_frame / 8),
                  input};
    f.places.push_back(p);
    count_outputs(f, p, 1);
    if (t.shape.start != level::l3) {
      trace_event const quiet{};
      each_entry(f, p, [&](u32, descriptor d, u64 at_input) {
        if (kind_of(d, p.at, t.shape.format) == descriptor_kind::table)
          link(next_table(d, t.shape.format).value, {n, next(p.at), true, false, 0, 0, at_input}, quiet, true);
      });
    }
    input += (in_frame / 8) << shift;
    at += in_frame;
  }
}

void checker::state::count_output(tree const& t, descriptor d, level at, int change) {
  if (!cacheable(t, d, at) || !is_leaf(kind_of(d, at, t.shape.format))) return;
  u64 const number_of = leaf_output(d, at, t.shape.format).value >> t.shape.shift(at);
  auto& counts = outputs[static_cast<unsigned>(number(at) + 1)];
  if (change > 0) {
    ++counts[number_of];
  } else if (auto const found = counts.find(number_of); found != counts.end() && --found->second == 0) {
    counts.erase(found);
  }
}

void checker::state::count_outputs(frame const& f, place const& p, int change) {
  if (counts_outputs) each_entry(f, p, [&](u32, descriptor d, u64) { count_output(trees[p.tree], d, p.at, change); });
}

// A page of data is given away, and the tables still lead there.
void checker::state::give_data(trace_event const& e) {
  if (!counts_outputs) {
    counts_outputs = true;
    for (auto const& [base, f] : frames)
      for (place const& p : f->places)
        if (p.linked) count_outputs(*f, p, 1);
  }
  bool mapped = false;
  for (int l = -1; l <= 3 && !mapped; ++l) {
    auto const& counts = outputs[static_cast<unsigned>(l + 1)];
    if (counts.empty()) continue;
    unsigned const shift = level_shift(machine.tg, static_cast<level>(l));
    for (u64 n = e.address >> shift; n <= (e.address + e.size - 1) >> shift && !mapped; ++n)
      mapped = counts.contains(n);
  }
  if (!mapped) return;
  for (auto const& [base, f] : frames)
    for (place const& p : f->places) {
      if (!p.linked) continue;
      tree const& t = trees[p.tree];
      bool found = false;
      each_entry(*f, p, [&](u32, descriptor d, u64 input) {
        if (found || !is_leaf(kind_of(d, p.at, t.shape.format)) || !cacheable(t, d, p.at)) return;
        u64 const output = leaf_output(d, p.at, t.shape.format).value;
        if (output >= e.address + e.size || e.address >= output + t.shape.size(p.at)) return;
        for (u32 const n : t.contexts) {
          if (found || contexts[n].dirty == 0) continue;
          found = true;
          violation v = about(contexts[n], p.at, input);
          v.what = violation_class::free_data_early;
          v.old_descriptor = d.raw;
          v.who = contexts[n].dirty;
          v.why = violation_cause::tlbi_missing;
          report(v);
        }
      });
      if (found) return;
    }
}

// The table at `base` becomes reachable. `ordered`: the link cannot be seen before what was stored into the table.
void checker::state::link(u64 base, place const& at, trace_event const& e, bool ordered) {
  frame& f = make(base);
  place p = at;
  p.count = static_cast<u32>(granule_bytes() / 8);
  if (!ordered && f.stored_event > pes[e.pe].order && f.stored_pe == e.pe) {
    ordered = true;  // one report is enough
    violation v = about(contexts[trees[p.tree].contexts.front()], previous(p.at), p.input);
    v.what = violation_class::publish_order;
    v.new_descriptor = e.value;
    report(v);
  }
  if (!machine.coherent_walks && std::find(f.unclean.begin(), f.unclean.end(), true) != f.unclean.end()) {
    violation v = about(contexts[trees[p.tree].contexts.front()], previous(p.at), p.input);
    v.what = violation_class::clean_missing;
    v.why = violation_cause::dc_missing;
    v.severity = violation_severity::fault;
    v.cause_event = f.stored_event;
    std::fill(f.unclean.begin(), f.unclean.end(), false);
    report(v);
  }
  if (f.places.size() >= most_places) throw std::invalid_argument("a table that is reached in more than 64 ways");
  bool known = false;
  for (std::size_t i = 0; i < f.places.size();) {
    place& q = f.places[i];
    if (q.tree == p.tree && q.at == p.at && q.input == p.input && !q.root) {
      if (q.linked) return;
      q.linked = true;
      known = true;
    } else if (!q.linked) {
      bool pending = false;
      for (u32 const n : trees[q.tree].contexts) {
        u32 found = none;
        if (!hidden_table(contexts[n], q.at, q.input, found)) continue;
        pending = true;
        if (!elements[found].reported) report_element(violation_class::free_early, violation_severity::corrupt, found);
      }
      if (!pending) {
        f.places.erase(f.places.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
    }
    ++i;
  }
  if (!known) f.places.push_back(p);
  count_outputs(f, p, 1);
  tree const& t = trees[p.tree];
  if (f.contiguous) {
    u64 const group = contiguous_entries(t.shape.format, p.at);
    if (group > 1)
      for (u32 n = 0; n < p.count; n += static_cast<u32>(group)) check_group(f, n, p, false);
  }
  // What TLBs hold of entries that are there again is true again.
  u64 const bytes = u64{p.count} << level_shift(machine.tg, p.at);
  for (u32 const c : t.contexts) {
    std::vector<u32> true_again;
    contexts[c].index.each(number(p.at), p.input, p.input + bytes, [&](u32 head) {
      for (u32 n = head; n != no_element; n = elements[n].next_here) {
        u64 const word = (elements[n].begin - p.input) >> level_shift(machine.tg, p.at);
        if (elements[n].old == f.words[word]) true_again.push_back(n);
      }
    });
    for (u32 const n : true_again) remove_element(n);
  }
  if (p.at == level::l3) return;
  std::vector<std::pair<u64, u64>> below;
  each_entry(f, p, [&](u32, descriptor d, u64 input) {
    if (kind_of(d, p.at, t.shape.format) == descriptor_kind::table)
      below.emplace_back(next_table(d, t.shape.format).value, input);
  });
  for (auto const& [address, input] : below) link(address, {p.tree, next(p.at), true, false, 0, 0, input}, e, ordered);
}

// Nothing leads to the table at `base` any more; what it holds may be cached, each entry by itself.
void checker::state::unlink(u64 base, u32 n, level at, u64 input, u64 word) {
  frame* const f = find(base);
  if (f == nullptr) return;
  auto const p = std::find_if(f->places.begin(), f->places.end(),
                              [&](place const& q) { return q.tree == n && q.at == at && q.input == input && !q.root; });
  if (p == f->places.end() || !p->linked) return;
  p->linked = false;
  place const was = *p;
  count_outputs(*f, was, -1);
  tree const& t = trees[n];
  std::vector<std::pair<u64, u64>> below;
  each_entry(*f, was, [&](u32, descriptor d, u64 at_input) {
    if (!cacheable(t, d, at)) return;
    for (u32 const c : t.contexts)
      if (contexts[c].dirty != 0) add_element(c, at, at_input, d, word);
    if (kind_of(d, at, t.shape.format) == descriptor_kind::table)
      below.emplace_back(next_table(d, t.shape.format).value, at_input);
  });
  // Older ones are not fetched any more either, once this write is visible.
  u64 const bytes = u64{was.count} << level_shift(machine.tg, at);
  for (u32 const c : t.contexts)
    contexts[c].index.each(number(at), input, input + bytes, [&](u32 head) {
      for (u32 x = head; x != no_element; x = elements[x].next_here) {
        tlb_element& y = elements[x];
        y.harmless = false;
        if (y.event == event) continue;
        y.again_event = event;
        y.again_writer = pe;
      }
    });
  for (auto const& [address, at_input] : below) unlink(address, n, next(at), at_input, word);
}

// A tree that no PE walks may go with its entries in place once its VMID was invalidated, and where no PE that had its
// root left EL2 meanwhile: no entries of the EL1&0 regime are made there [RSQBCS]. Without an entry nothing is held.
bool checker::state::root_may_be_used(context const& c, u32 n, frame const& f, place const& p, bool& in_use) {
  in_use = c.mode == trace_mode::always;
  bool in_register = false;
  for (u8 q = 0; q < machine.pes && !in_use; ++q) {
    bool const here = loaded(q, true) == n;
    in_register |= here;
    in_use = pes[q].running == n || (here && (!pes[q].at_el2 || policy.errata.speculative_at));
  }
  if (in_use) return true;
  if (in_register && p.root) {
    if (trees[p.tree].given_event == 0) given_trees.push_back(p.tree);
    trees[p.tree].given_event = event;
    trees[p.tree].given_line = line;
  }
  bool const stays = machine.tells_guests && !policy.errata.speculative_at && trees[c.tree].declared.of == stage::two;
  if ((stays ? c.ran & c.dirty : c.dirty) == 0) return false;
  if (!p.root || c.list[0] != none || c.list[1] != none || c.list[2] != none) return true;
  bool some = false;
  each_entry(f, p, [&](u32, descriptor d, u64) { some |= cacheable(trees[p.tree], d, p.at); });
  return some;
}

// A root that was given away is a table again.
void checker::state::take_again(trace_event const& e) {
  u64 const size = e.verb == trace_verb::hint ? granule_bytes() : e.size;
  std::erase_if(given_trees, [&](u32 n) {
    if (trees[n].declared.root - e.address < size) trees[n].given_event = 0;
    return trees[n].given_event == 0;
  });
}

// The table and all that it leads to.
void checker::state::give_tree(trace_event const& e) {
  std::vector<u64> bases{e.address & ~(granule_bytes() - 1)};
  for (std::size_t n = 0; n < bases.size(); ++n) {
    frame const* const f = find(bases[n]);
    if (f == nullptr) continue;
    for (place const& p : f->places) {
      if (!p.linked || p.at == level::l3) continue;
      each_entry(*f, p, [&](u32, descriptor d, u64) {
        descriptor_format const& format = trees[p.tree].shape.format;
        if (kind_of(d, p.at, format) != descriptor_kind::table) return;
        u64 const below = next_table(d, format).value & ~(granule_bytes() - 1);
        if (frame* const g = find(below); g != nullptr && !g->places.empty()) bases.push_back(below);
      });
    }
    trace_event one = e;
    one.verb = trace_verb::free;
    one.address = bases[n];
    one.size = granule_bytes();
    one.memory = trace_memory::table;
    give(one);
  }
}

void checker::state::give(trace_event const& e) {
  bool reported_tree = false;
  bool table = e.memory == trace_memory::table;
  for (u64 const base : frames_in(e.address, e.size)) {
    frame* const f = find(base);
    for (place const& p : f->places) {
      tree const& t = trees[p.tree];
      for (u32 const n : t.contexts) {
        context& c = contexts[n];
        if (p.linked) {
          bool in_use = false;
          if (!root_may_be_used(c, n, *f, p, in_use) || reported_tree) continue;
          reported_tree = true;
          violation v = about(c, p.at, p.input);
          v.what = in_use ? violation_class::free_reachable : violation_class::free_early;
          v.who = c.dirty;
          if (!in_use) {
            explanation const why = explain_emptying(n);
            v.why = why.why;
            v.cause_event = why.event;
            v.cause_line = why.line;
          }
          report(v);
        } else {
          u32 found = none;
          if (hidden_table(c, p.at, p.input, found) && !elements[found].reported)
            report_element(violation_class::free_early, violation_severity::corrupt, found);
        }
      }
    }
    table = table || !f->places.empty();
    for (place const& p : f->places)
      if (p.linked) count_outputs(*f, p, -1);
    f->places.clear();
  }
  if (e.memory == trace_memory::table) return;
  if (!table && e.size != 0) give_data(e);
  for (context& c : contexts) {
    tree const& t = trees[c.tree];
    for (u32 const list : c.list)
      for (u32 n = list; n != none;) {
        tlb_element const& x = elements[n];
        u32 const following = x.next;
        auto const at = static_cast<level>(x.at);
        u64 const output = leaf_output({x.old}, at, t.shape.format).value;
        if (!x.table && !x.reported && output < e.address + e.size && e.address < output + t.shape.size(at))
          report_element(violation_class::free_data_early, violation_severity::corrupt, n);
        n = following;
      }
  }
}

}  // namespace vmsa::sim
