// SPDX-License-Identifier: MIT
#include "vmsa/sim/bbm_checker.hpp"

#include <algorithm>
#include <cstdio>

namespace vmsa::sim {

bbm_checker::bbm_checker(pa root, geometry const& shape, stage2_controls const& controls)
    : root_(root), shape_(shape), controls_(controls) {
  tables_[root.value] = {shape.start, 0};
}

void bbm_checker::violation(char const* what, u64 input) {
  char text[160];
  std::snprintf(text, sizeof text, "%s at IPA 0x%llx", what, static_cast<unsigned long long>(input));
  violations_.emplace_back(text);
}

u64 bbm_checker::table_bytes(u64 base) const {
  return base == root_.value ? shape_.root_size() : granule_size(shape_.tg());
}

descriptor bbm_checker::read(pa where) const {
  auto const found = image_.find(where.value);
  return {found == image_.end() ? 0 : found->second};
}

change_context bbm_checker::context(level at) const {
  return {shape_.format, at, controls_.fwb, controls_.ha, controls_.hd, controls_.bbm, false};
}

void bbm_checker::on(port_event const& e) {
  pe_ = e.pe;
  switch (e.kind) {
    case event_kind::write: return write(e.where, e.before, e.after);
    case event_kind::barrier: return fence(e.fence);
    case event_kind::tlbi: return invalidate(e.invalidation);
    case event_kind::give: return give(e.where, e.size);
    case event_kind::update: image_[e.where.value] = e.after.raw; return;
    case event_kind::maintain:
      if (e.cache == cache_op::clean_to_poc)
        for (u64 word = 0; word < e.size; word += 8) uncleaned_.erase(e.where.value + word);
      return;
  }
}

// `before` is what the port saw. Where an event is missing it differs from the image, and the image is what walkers saw.
void bbm_checker::write(pa where, descriptor, descriptor after) {
  descriptor const before = read(where);
  image_[where.value] = after.raw;
  if (!controls_.coherent_walks) uncleaned_[where.value] = true;
  if (before == after) return;
  auto table = tables_.find(where.value & ~(granule_size(shape_.tg()) - 1));
  if (where - root_ < shape_.root_size()) table = tables_.find(root_.value);
  if (table == tables_.end()) return;
  place const p = table->second;
  u64 const input = p.input + (((where.value - table->first) >> 3) << shape_.shift(p.at));
  // An unlinked table is walked for as long as a TLB may hold the way to it.
  if (p.linked || std::any_of(stale_.begin(), stale_.end(), [&](stale_entry const& s) {
        return s.table && number(s.at) < number(p.at) && s.begin <= input && input - s.begin < s.size;
      }))
    changed(input, p, before, after);
}

void bbm_checker::changed(u64 input, place const& in, descriptor before, descriptor after) {
  level const at = in.at;
  u64 const size = shape_.size(at);
  descriptor_kind const old_kind = kind_of(before, at, shape_.format);
  descriptor_kind const new_kind = kind_of(after, at, shape_.format);
  bool const was_valid = old_kind != descriptor_kind::invalid && old_kind != descriptor_kind::reserved;
  bool const is_valid = new_kind != descriptor_kind::invalid && new_kind != descriptor_kind::reserved;

  change const c = classify_change(before, after, context(at));
  if (c.what == change_class::break_required) violation("a live entry changed without a break", input);
  bool const gone = c.what == change_class::invalidate || c.what == change_class::tighten ||
                    c.what == change_class::break_required;
  if (gone && was_valid) {
    bool const table = old_kind == descriptor_kind::table;
    stale_entry s{input, size, at, before, table};
    for (invalidation& by : s.by) by.covered = input;
    stale_.push_back(s);
    if (table) unlink(before, at, input, input, size);
  }
  for (stale_entry& s : stale_)
    if (s.begin == input && s.at == at) s.writers = static_cast<u8>(s.writers | 1u << pe_);
  if (!is_valid) return;
  // The same again: what a TLB holds of it is true again.
  bool const restored = std::erase_if(stale_, [&](stale_entry const& s) {
    return s.begin == input && s.at == at && s.old == after;
  }) != 0;
  if (in.linked) installed(input, at, before, after, gone, restored);
}

void bbm_checker::installed(u64 input, level at, descriptor before, descriptor after, bool gone, bool restored) {
  u64 const size = shape_.size(at);
  bool const table = kind_of(after, at, shape_.format) == descriptor_kind::table;
  install_pending_[pe_] = true;
  if (table && restored) return link(after, at, input);
  for (stale_entry const& s : stale_) {
    bool const overlaps = s.begin < input + size && input < s.begin + s.size;
    if (!overlaps || (gone && s.begin == input && s.size == size && s.old == before)) continue;
    bool const other_size = s.table || s.at != at || table;
    if (other_size ? controls_.bbm < 2
                   : classify_change(s.old, after, context(at)).what == change_class::break_required)
      violation("a new entry was made before the old one was invalidated", input);
  }
  if (table) link(after, at, input);
}

void bbm_checker::link(descriptor table, level at, u64 input) {
  u64 const base = next_table(table, shape_.format).value;
  level const below = next(at);
  tables_[base] = {below, input};
  std::erase_if(unlinked_, [&](unlinked const& u) { return u.table == base; });
  if (!controls_.coherent_walks) {
    for (u64 word = 0; word < table_bytes(base); word += 8)
      if (uncleaned_.contains(base + word)) return violation("a table was linked before it was cleaned", input);
  }
  if (below == level::l3) return;
  for (u64 n = 0; n < table_bytes(base) / 8; ++n) {
    descriptor const d = read({base + 8 * n});
    if (kind_of(d, below, shape_.format) == descriptor_kind::table) link(d, below, input + (n << shape_.shift(below)));
  }
}

void bbm_checker::unlink(descriptor table, level at, u64 input, u64 root_input, u64 root_size) {
  u64 const base = next_table(table, shape_.format).value;
  level const below = next(at);
  tables_[base].linked = false;
  unlinked_.push_back({base, root_input, root_size});
  if (below == level::l3) return;
  for (u64 n = 0; n < table_bytes(base) / 8; ++n) {
    descriptor const d = read({base + 8 * n});
    if (kind_of(d, below, shape_.format) == descriptor_kind::table)
      unlink(d, below, input + (n << shape_.shift(below)), root_input, root_size);
  }
}

void bbm_checker::fence(barrier b) {
  if (b == barrier::isb) return;
  install_pending_[pe_] = false;
  std::vector<stale_entry> tables;
  for (stale_entry& s : stale_) {
    if ((s.writers >> pe_ & 1) != 0) s.visible = true;
    if (s.table && s.visible) tables.push_back(s);
  }
  for (stale_entry& s : stale_) {
    // Nothing below a table that is gone is fetched again, whoever took it away.
    for (stale_entry const& above : tables)
      if (number(above.at) < number(s.at) && above.begin <= s.begin && s.begin - above.begin < above.size) s.visible = true;
    if (b == barrier::dsb_ish && s.by[pe_].state == progress::stage2_issued) s.by[pe_].state = progress::stage2_done;
  }
  if (b == barrier::dsb_ish)
    std::erase_if(stale_, [&](stale_entry const& s) { return s.by[pe_].state == progress::combined_issued; });
}

// A hint that names another level than the leaf's invalidates nothing, and tables have no leaf.
bool bbm_checker::matches(stale_entry const& s, invalidation& by, tlbi const& op) const {
  if (op.has_level && (s.table || op.leaf != s.at)) return false;
  u64 const begin = op.base.value;
  u64 const end = begin + (op.kind == tlbi_kind::ripas2e1is ? op.size : granule_size(shape_.tg()));
  if (begin >= s.begin + s.size || end <= s.begin) return false;
  if (!s.table) return true;
  if (begin <= by.covered) by.covered = std::max(by.covered, end);
  return by.covered >= s.begin + s.size;
}

void bbm_checker::invalidate(tlbi const& op) {
  for (stale_entry& s : stale_) {
    if (!s.visible) continue;  // a walker may fetch the old entry again
    invalidation& by = s.by[pe_];
    switch (op.kind) {
      case tlbi_kind::vmalls12e1is: by.state = progress::combined_issued; break;
      case tlbi_kind::vmalle1is:
        if (by.state == progress::stage2_done) by.state = progress::combined_issued;
        break;
      case tlbi_kind::ipas2e1is:
      case tlbi_kind::ripas2e1is:
        if (by.state == progress::none && matches(s, by, op)) by.state = progress::stage2_issued;
        break;
    }
  }
}

bool bbm_checker::stale_within(u64 begin, u64 size) const {
  return std::any_of(stale_.begin(), stale_.end(),
                     [&](stale_entry const& s) { return s.begin < begin + size && begin < s.begin + s.size; });
}

void bbm_checker::give(pa where, u64 size) {
  for (u64 base = where.value; base < where.value + size; base += granule_size(shape_.tg())) {
    if (auto const t = tables_.find(base); t != tables_.end()) {
      if (t->second.linked) violation("a reachable table was given back", t->second.input);
      tables_.erase(t);
    }
    for (unlinked const& u : unlinked_)
      if (u.table == base && stale_within(u.begin, u.size))
        violation("a table was given back before its invalidation was complete", u.begin);
    std::erase_if(unlinked_, [&](unlinked const& u) { return u.table == base; });
  }
}

void bbm_checker::finish() {
  for (stale_entry const& s : stale_) violation("a translation that is gone may still be cached", s.begin);
  for (bool const pending : install_pending_)
    if (pending) violation("no DSB after an entry was made", 0);
  if (!uncleaned_.empty())
    for (auto const& [base, p] : tables_)
      for (u64 word = 0; p.linked && word < table_bytes(base); word += 8)
        if (uncleaned_.contains(base + word)) violation("a walker may not see an entry", p.input);
  stale_.clear();
  install_pending_.fill(false);
}

}  // namespace vmsa::sim
