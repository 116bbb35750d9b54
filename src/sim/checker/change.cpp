// SPDX-License-Identifier: MIT
// A live entry changes: whether it may, and what TLBs may hold of it from now on.
#include <algorithm>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

namespace {

bool tables(descriptor d, level at, descriptor_format const& f) noexcept {
  return kind_of(d, at, f) == descriptor_kind::table;
}

bool has_nt(descriptor d, level at) noexcept { return at != level::l3 && descriptor_bits::nt::get(d.raw); }

}  // namespace

change checker::state::classify(tree const& t, descriptor from, descriptor to, change_context const& c) const noexcept {
  change result{};
  if (t.declared.of == stage::two) {
    result = classify_change(from, to, c);
  } else {
    bool const el1 = t.declared.regime == trace_regime::el10;
    bool const asids = el1 || t.declared.regime == trace_regime::el20;
    result =
        classify_stage1_change(from, to, {c, el1 ? mair_el1_known : mair_el2_known, el1 ? mair_el1 : mair_el2, asids});
  }
  if (result.why == break_reason::next_table && !policy.table_change) return {change_class::invalidate, {}};
  return result;
}

bool checker::state::cacheable(tree const& t, descriptor d, level at) const noexcept {
  return !uncacheable(d, change_of(t, at, false));
}

// XS is 1 unless every write to the memory can be held back by caches: Device and Non-cacheable [RKBSSD].
bool checker::state::excluded_by_xs(tree const& t, descriptor d, level at) const noexcept {
  if (!machine.xs || tables(d, at, t.shape.format)) return false;
  if (t.declared.of == stage::one) {
    bool const el1 = t.declared.regime == trace_regime::el10;
    if (!(el1 ? mair_el1_known : mair_el2_known)) return false;
    auto const byte = static_cast<u8>((el1 ? mair_el1 : mair_el2) >> (8 * stage1_bits::attr_index::get(d.raw)));
    return (byte & 0xf0) == 0 || byte == 0x44 || byte == 0x40;
  }
  if ((d.raw >> 11 & 1) != 0) return false;  // FnXS
  u8 const m = canonical_memattr(d, machine.fwb);
  return machine.fwb ? (m & 0b0110) != 0b0110 : (m & 0b1100) == 0 || m == 0b0101;
}

// The same translation and attributes, in entries of two sizes.
bool checker::state::same_in_size(tree const& t, descriptor one, level one_at, u64 one_input, descriptor two,
                                  level two_at, u64 two_input) const noexcept {
  descriptor_format const& f = t.shape.format;
  if (leaf_output(one, one_at, f).value - one_input != leaf_output(two, two_at, f).value - two_input) return false;
  if (t.declared.of == stage::one) {
    return stage1_bits::attr_index::get(one.raw) == stage1_bits::attr_index::get(two.raw) &&
           (f.ds || stage1_bits::sh::get(one.raw) == stage1_bits::sh::get(two.raw)) &&
           stage1_bits::ng::get(one.raw) == stage1_bits::ng::get(two.raw);
  }
  if (canonical_memattr(one, machine.fwb) != canonical_memattr(two, machine.fwb)) return false;
  return f.ds || stage2_bits::sh::get(one.raw) == stage2_bits::sh::get(two.raw) ||
         !shareability_counts(one, machine.fwb);
}

// Every leaf below `table`, an entry at level `at`, is a piece of `leaf`.
bool checker::state::table_matches(tree const& t, descriptor table, level at, u64 input, descriptor leaf, level leaf_at,
                                   u64 leaf_input) {
  frame const* const f = find(next_table(table, t.shape.format).value);
  if (f == nullptr || at == level::l3) return true;
  bool matches = true;
  level const below = next(at);
  place const p{0, below, true, false, 0, static_cast<u32>(granule_bytes() / 8), input};
  each_entry(*f, p, [&](u32, descriptor d, u64 at_input) {
    if (!matches) return;
    if (++compared > most_compared) matches = false;  // tables that lead to themselves
    if (!matches) return;
    matches = tables(d, below, t.shape.format)
                  ? table_matches(t, d, below, at_input, leaf, leaf_at, leaf_input)
                  : !cacheable(t, d, below) || same_in_size(t, d, below, at_input, leaf, leaf_at, leaf_input);
  });
  return matches;
}

// Leaves below `table` that lead where `leaf` did have its attributes and permissions.
bool checker::state::table_keeps_attributes(tree const& t, descriptor table, level at, u64 input, descriptor leaf,
                                            level leaf_at) {
  frame const* const f = find(next_table(table, t.shape.format).value);
  if (f == nullptr || at == level::l3) return true;
  level const below = next(at);
  bool keeps = true;
  u64 const base = leaf_output(leaf, leaf_at, t.shape.format).value - (input & ~(t.shape.size(leaf_at) - 1));
  place const p{0, below, true, false, 0, static_cast<u32>(granule_bytes() / 8), input};
  change_context const c = change_of(t, below, false);
  each_entry(*f, p, [&](u32, descriptor d, u64 at_input) {
    if (!keeps || tables(d, below, t.shape.format) || !cacheable(t, d, below)) return;
    if (leaf_output(d, below, t.shape.format).value - at_input != base) return;
    bool const permissions = t.declared.of == stage::two
                                 ? permission_bits(d, c) == permission_bits(leaf, c)
                                 : stage1_permission_bits(d, c) == stage1_permission_bits(leaf, c);
    keeps = permissions && same_in_size(t, d, below, at_input, leaf, leaf_at, input & ~(t.shape.size(leaf_at) - 1));
  });
  return keeps;
}

// A table entry above that is gone, but may still lead here.
bool checker::state::hidden_table(context const& c, level at, u64 input, u32& found) const noexcept {
  for (int l = number(at) - 1; l >= number(trees[c.tree].shape.start); --l)
    for (u32 n = c.index.first(l, input); n != no_element; n = elements[n].next_here)
      if (elements[n].table && !elements[n].harmless) {
        found = n;
        return true;
      }
  return false;
}

void checker::state::note_install(trace_event const& e, u64 input) noexcept {
  processor& writer = pes[e.pe];
  if (!writer.install_pending) {
    writer.install_event = event;
    writer.install_line = line;
    writer.install_input = input;
  }
  writer.install_pending = true;
}

void checker::state::changed(trace_event const& e, frame& f, u32 n, place const& p, descriptor before,
                             descriptor after) {
  tree const& t = trees[p.tree];
  u64 const input = p.input + (u64{n - p.first} << t.shape.shift(p.at));
  u64 const word = f.base + 8 * u64{n};
  descriptor_format const& format = t.shape.format;
  if (counts_outputs && p.linked) {
    count_output(t, before, p.at, -1);
    count_output(t, after, p.at, 1);
  }
  bool const old_table = tables(before, p.at, format);
  bool const new_table = tables(after, p.at, format);
  change_context const in = change_of(t, p.at, e.same);
  bool const was = !uncacheable(before, in);
  bool const is = !uncacheable(after, in);
  u64 const reports_before = reports;
  auto const reported = [&] { return reports != reports_before; };
  u64 dirty = 0;
  u32 hidden = none;
  for (u32 const c : t.contexts) {
    if (!p.linked && !hidden_table(contexts[c], p.at, input, hidden)) continue;
    dirty |= contexts[c].dirty;
  }
  if (dirty == 0) {
    if (!p.linked) return;
    if (old_table) unlink(next_table(before, format).value, p.tree, next(p.at), input, word);
    if (new_table) link(next_table(after, format).value, {p.tree, next(p.at), true, false, 0, 0, input}, e, true);
    return;
  }

  change c = classify(t, before, after, in);
  bool const other_size = was && is && old_table != new_table;
  bool size_only = false;
  if (other_size) {
    descriptor const leaf = old_table ? after : before;
    descriptor const table = old_table ? before : after;
    compared = 0;
    bool const same = table_matches(t, table, p.at, input, leaf, p.at, input);
    size_only = same && (machine.bbm >= 2 || (machine.bbm == 1 && has_nt(leaf, p.at)));
    c = size_only ? change{change_class::invalidate, break_reason::none}
                  : change{change_class::break_required, same ? break_reason::block_size : break_reason::memory_type};
  }
  // In place with FEAT_BBM level 1; until the invalidation both sizes may be held.
  bool const contiguity = was && is && !old_table && !new_table && contiguous_entries(format, p.at) > 1 &&
                          descriptor_bits::contiguous::get(before.raw) != descriptor_bits::contiguous::get(after.raw);
  if (contiguity && (c.what == change_class::none || c.what == change_class::relax)) {
    c.what = change_class::invalidate;
    size_only = true;
  }
  if (c.what == change_class::break_required) {
    violation v = about(contexts[t.contexts.front()], p.at, input);
    v.what = violation_class::no_break;
    bool const conflict = c.why == break_reason::block_size || c.why == break_reason::contiguous;
    v.severity = conflict ? violation_severity::conflict : violation_severity::corrupt;
    v.old_descriptor = before.raw;
    v.new_descriptor = after.raw;
    v.who = dirty;
    if (!p.linked) {
      explanation const why = explain(hidden);
      v.why = why.why;
      v.cause_event = why.event;
      v.cause_line = why.line;
      mark_reported(hidden);
    }
    report(v);
  }

  bool const goes =
      c.what == change_class::invalidate || c.what == change_class::tighten || c.what == change_class::break_required;
  bool const nt_set = was && is && !old_table && !new_table && !has_nt(before, p.at) && has_nt(after, p.at);
  for (u32 const k : t.contexts) {
    context& x = contexts[k];
    if (x.dirty == 0) continue;
    for (u32 m = x.index.first(number(p.at), input); m != no_element;) {
      tlb_element& old = elements[m];
      u32 const following = old.next_here;
      if (old.writer != e.pe) {
        old.again_event = event;
        old.again_writer = static_cast<u8>(e.pe);
      }
      if (is && old.old == after.raw) {
        remove_element(m);
      } else if (goes && old.harmless) {
        old.harmless = false;
        pes[e.pe].created.push_back({m, old.generation});
      }
      m = following;
    }
    if (was && (goes || c.what == change_class::relax || nt_set)) {
      u32 const m = add_element(k, p.at, input, before, word);
      tlb_element& old = elements[m];
      old.harmless = !goes;
      old.size_only = size_only || (nt_set && !goes);
      old.dirty_only = c.what == change_class::tighten && machine.hd && t.declared.of == stage::two &&
                       descriptor_bits::dbm::get(before.raw) && (before.raw ^ after.raw) == (u64{1} << 7);
      if (!p.linked && hidden != none) old.harmless = false;
      old.reported = reported();
    } else if (!was && is && !p.linked) {
      // A walk that starts from what a TLB holds of the unlinked table finds it.
      add_element(k, p.at, input, after, word);
    }
  }
  if (old_table && !(new_table && next_table(before, format) == next_table(after, format)) && p.linked)
    unlink(next_table(before, format).value, p.tree, next(p.at), input, word);
  if (!reported() && is)
    for (u32 const k : t.contexts)
      if (contexts[k].dirty != 0 && !reported()) made(e, contexts[k], t, p.at, input, before, after);

  processor& writer = pes[e.pe];
  writer.wrote |= c.what != change_class::none;
  if (is && c.what != change_class::none && c.what != change_class::tighten) note_install(e, input);
  if (t.declared.of == stage::one && c.what != change_class::none) {
    writer.own_pending = true;
    writer.own_event = event;
  }
  if (machine.ha && !reported()) check_update(e, t, p.at, input, before, after);
  if (!reported() && is && !new_table && f.contiguous) check_group(f, n, p, false);
  if (p.at != level::l3) {
    if (goes && was) broken[word] = before.raw;
    if (is && !reported()) resized(t, word, p.at, input, after);
  }
  if (new_table && p.linked && !(old_table && next_table(before, format) == next_table(after, format)))
    link(next_table(after, format).value, {p.tree, next(p.at), true, false, 0, 0, input}, e,
         e.store != trace_store::plain || reported());
}

// A new entry beside what TLBs may still hold of old ones.
void checker::state::made(trace_event const& e, context& c, tree const& t, level at, u64 input, descriptor,
                          descriptor after) {
  descriptor_format const& format = t.shape.format;
  bool const table = tables(after, at, format);
  u32 offender = none;
  auto severity = violation_severity::corrupt;
  auto const judge_one = [&](u32 n) {
    tlb_element const& x = elements[n];
    if (offender != none || x.event == event || x.reported) return;
    auto const x_at = static_cast<level>(x.at);
    descriptor const old{x.old};
    descriptor now = after;
    level now_at = at;
    u64 now_input = input;
    if (table && number(x_at) > number(at)) {
      // What the new tables have at the same address.
      while (tables(now, now_at, format) && number(now_at) < number(x_at)) {
        u64 const base = next_table(now, format).value;
        now_at = next(now_at);
        now = {load(base + 8 * t.shape.slot_index(now_at, x.begin))};
        now_input = x.begin & ~(t.shape.size(now_at) - 1);
      }
      if (!cacheable(t, now, now_at)) return;
    }
    if (x_at != now_at || x.table != tables(now, now_at, format)) {
      compared = 0;
      bool const same =
          x.table || tables(now, now_at, format)
              ? table_matches(t, x.table ? old : now, x.table ? x_at : now_at, x.table ? x.begin : now_input,
                              x.table ? now : old, x.table ? now_at : x_at, x.table ? now_input : x.begin)
              : same_in_size(t, old, x_at, x.begin, now, now_at, now_input);
      bool const nt = (!x.table && has_nt(old, x_at)) || (!tables(now, now_at, format) && has_nt(now, now_at));
      if (same && (machine.bbm >= 2 || (machine.bbm == 1 && nt))) return;
      severity = same ? violation_severity::conflict : violation_severity::corrupt;
      offender = n;
      return;
    }
    change const difference = classify(t, old, now, change_of(t, now_at, e.same));
    if (difference.what != change_class::break_required) return;
    bool const conflict = difference.why == break_reason::contiguous || difference.why == break_reason::global;
    severity = conflict ? violation_severity::conflict : violation_severity::corrupt;
    offender = n;
  };
  auto const chain = [&](u32 head) {
    for (u32 n = head; n != no_element; n = elements[n].next_here) judge_one(n);
  };
  for (int l = number(t.shape.start); l <= number(at); ++l) chain(c.index.first(l, input));
  for (int l = number(at) + 1; l <= 3; ++l) c.index.each(l, input, input + t.shape.size(at), chain);
  if (offender != none) report_element(violation_class::make_early, severity, offender, after);
}

// A store over what hardware may write: it loses the access flag or the dirty state [RRTBRL].
void checker::state::check_update(trace_event const& e, tree const& t, level at, u64 input, descriptor before,
                                  descriptor after) {
  bool const stores = e.store == trace_store::plain || e.store == trace_store::release;
  if (!stores || !is_leaf(kind_of(before, at, t.shape.format))) return;
  bool const clean = t.declared.of == stage::two ? (static_cast<u8>(stage2_bits::s2ap::get(before.raw)) & 0b10) == 0
                                                 : (stage1_bits::ap::get(before.raw) & 0b10) != 0;
  bool const may_update =
      !descriptor_bits::af::get(before.raw) || (machine.hd && descriptor_bits::dbm::get(before.raw) && clean);
  processor const& p = pes[e.pe];
  u64 const seen = e.has_was ? e.was : p.read_address == e.address ? p.read_value : before.raw;
  if (!may_update && seen == before.raw) return;
  violation v = about(contexts[t.contexts.front()], at, input);
  v.what = violation_class::lost_update;
  v.old_descriptor = before.raw;
  v.new_descriptor = after.raw;
  report(v);
}

// Valid members of a group all have the Contiguous bit and one run of outputs, or none has it [RQTRPM, RNGLXZ].
void checker::state::check_group(frame& f, u32 n, place const& p, bool at_done) {
  tree const& t = trees[p.tree];
  u32 const count = contiguous_entries(t.shape.format, p.at);
  if (count <= 1) return;
  u32 const start = p.first + ((n - p.first) & ~(count - 1));
  bool with = false;
  bool without = false;
  bool torn = false;
  u64 base = ~u64{0};
  for (u32 i = start; i < start + count && i < p.first + p.count; ++i) {
    descriptor const d{f.words[i]};
    if (!is_leaf(kind_of(d, p.at, t.shape.format))) continue;
    if (!descriptor_bits::contiguous::get(d.raw)) {
      without = true;
      continue;
    }
    with = true;
    u64 const first = leaf_output(d, p.at, t.shape.format).value - (u64{i - start} << t.shape.shift(p.at));
    torn |= base != ~u64{0} && base != first;
    base = first;
  }
  if (!torn && !(with && without)) return;
  if (machine.bbm >= 1 && !at_done) {
    pes[pe].groups.emplace_back(f.base + 8 * u64{start}, start);
    return;
  }
  violation v = about(contexts[t.contexts.front()], p.at, p.input + (u64{start - p.first} << t.shape.shift(p.at)));
  v.what = violation_class::contiguous_misprogrammed;
  v.severity = violation_severity::conflict;
  report(v);
}

// A block became a table, or a table a block, in one operation: the memory behind it is to stay what it was.
void checker::state::resized(tree const& t, u64 word, level at, u64 input, descriptor after) {
  auto const found = broken.find(word);
  if (found == broken.end()) return;
  descriptor const old{found->second};
  broken.erase(found);
  bool const was_table = tables(old, at, t.shape.format);
  if (was_table == tables(after, at, t.shape.format)) return;
  descriptor const table = was_table ? old : after;
  descriptor const leaf = was_table ? after : old;
  if (table_keeps_attributes(t, table, at, input, leaf, at)) return;
  violation v = about(contexts[t.contexts.front()], at, input);
  v.what = violation_class::attribute_lost;
  v.severity = violation_severity::policy;
  v.old_descriptor = old.raw;
  v.new_descriptor = after.raw;
  report(v);
}

}  // namespace vmsa::sim
