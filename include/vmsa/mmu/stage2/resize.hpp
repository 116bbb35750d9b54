// SPDX-License-Identifier: MIT
// Changing the size of leaves and nothing else: every byte keeps its output address, memory type, Shareability and
// permissions. Device stays Device.
#pragma once
#include "vmsa/mmu/stage2/descend.hpp"

namespace vmsa::engine {

// Every Contiguous run that the `count` entries from `first` touch.
template <class State>
void unfold_runs(State& t, pa first, u64 count, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept {
  for (u64 n = 0; n < count; ++n) {
    descriptor const d = t.load(first + 8 * n);
    if (!is_valid(d) || is_table_or_page(d) || !descriptor_bits::contiguous::get(d.raw)) continue;
    u64 const here = input + (n << shift);
    u64 const bytes = u64{1} << leaf_region_bits(d, at, t.format());
    if (bytes >> shift == 1) continue;
    u64 const run = here & ~(bytes - 1);
    unfold(t, first + 8 * n - 8 * ((here - run) >> shift), shift, at, run, out);
  }
}

// Splits blocks until no leaf is above level `leaf`.
template <class State>
struct split_blocks {
  State& t;
  level leaf;
  stage2_outcome& out;

  bool stopped() const noexcept { return !out; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (number(s.at) >= number(leaf)) return p.end;
    if (t.is_table(s)) return next(s.at) == leaf ? p.stop(input) : below;
    if (!is_valid(s.entry)) {
      if (is_busy(s.entry)) set_error(out, table_error::busy, p.entry_begin(input), s.at);
      return p.stop(input);
    }
    u64 const count = batch(p, input);
    unfold_runs(t, s.where, count, s.shift, s.at, p.entry_begin(input), out);
    (void)split_entries(t, s.where, count, s.shift, s.at, p.entry_begin(input), out);
    return input;
  }

 private:
  // A batch of blocks costs one invalidation; one as large as this keeps the guest away for less than a fault does.
  // What is to be split once more is split by itself, so that everything before outcome.at is done.
  u64 batch(part const& p, u64 input) const noexcept {
    if (next(p.at) != leaf) return 1;
    u64 const in_table = t.entries() - (t.entry_offset(input, p.shift - 3) >> 3);
    u64 const left = (p.end - p.entry_begin(input) + p.entry_size() - 1) >> p.shift;
    u64 const most = left < in_table ? left : in_table;
    return most < most_single_invalidations ? most : most_single_invalidations;
  }
};

template <class State>
stage2_outcome split_range(State& t, ipa at, u64 size, level leaf) noexcept {
  if (number(leaf) > number(level::l3) || number(leaf) < number(level::m1))
    return failed(table_error::leaf_encoding, at.value, t.shape.start_level());
  stage2_outcome out = check_range(t, at, size);
  split_blocks<State> op{t, leaf, out};
  if (out) descend(t, root_part(t, at.value, at.value + size), op);
  stopped_within(out, at.value);
  return out;
}

// What a block over `table` would say, or an invalid descriptor when its entries, of level `at` and with bits 1:0 as in
// `type`, do not continue each other with one set of attributes. Age and dirty state are those of any of them.
template <class State>
descriptor collapsed(State& t, pa table, level at, u64 type) noexcept {
  descriptor_format const f = t.format();
  u64 const step = u64{1} << t.shape.shift(at);
  auto const plain = [](descriptor d) { return d.raw & ~descriptor_bits::contiguous::mask; };
  descriptor const first = t.load(table);
  if ((first.raw & 0b11) != type || !leaf_output(first, at, f).aligned_to(step << t.w().stride)) return {};
  // S2AP[1] is dirty state with DBM only, else it is a permission.
  bool const dirty = t.controls.ha && t.controls.hd && descriptor_bits::dbm::get(first.raw);
  u64 const hardware = descriptor_bits::af::mask | (dirty ? write_bit : 0);
  u64 any = 0;
  // Eight at a time: whether they continue each other is asked once for all of them.
  for (u64 n = 0; n < t.entries(); n += 8) {
    u64 differs = 0;
#pragma GCC unroll 8
    for (u64 k = 0; k < 8; ++k) {
      u64 const d = plain(t.load(table + 8 * (n + k)));
      differs |= d ^ (plain(first) + (n + k) * step);
      any |= d;
    }
    if ((differs & ~hardware) != 0) return {};
  }
  any &= hardware;
  return {(plain(first) & ~(hardware | descriptor_bits::nt::mask | 0b11)) | any | 0b01};
}

// Replaces the table in entry `s` by one block. The entries below are held too before they are read for good, so that
// no concurrent change to one of them is lost.
template <class State>
void collapse_entry(State& t, slot const& s, u64 input, stage2_outcome& out) noexcept {
  pa const table = t.next_table(s.entry);
  level const leaf = next(s.at);
  u64 const leaf_type = leaf == level::l3 ? 0b11 : 0b01;
  if (!block_allowed(t.format(), s.at) || !is_valid(collapsed(t, table, leaf, leaf_type))) return;
  if (!t.change(s.where, s.entry, busy_form(s.entry))) return set_error(out, table_error::busy, input, s.at);

  if constexpr (State::mode::concurrent) {
    u64 held = 0;
    while (held < t.entries()) {
      descriptor const d = t.load(table + 8 * held);
      if (!is_valid(d)) break;
      held += t.change(table + 8 * held, d, busy_form(d));
    }
    if (held != t.entries() || !is_valid(collapsed(t, table, leaf, 0b10))) {
      for (u64 n = 0; n < held; ++n) t.put(table + 8 * n, leaf_form(t.load(table + 8 * n), leaf));
      t.put(s.where, s.entry);
      t.port->issue(barrier::dsb_ishst);
      out.entries_written += 2;
      out.broke = true;
      return;
    }
  }
  stale_range stale;
  stale.add(input, u64{1} << s.shift, s.at, true);
  invalidate(t, stale, out);
  // Until now a walker that had cached the table may have recorded something below.
  descriptor const block = collapsed(t, table, leaf, State::mode::concurrent ? 0b10 : leaf_type);
  t.put(s.where, block);
  if (s.at == t.shape.start_level()) t.root_had_leaf = true;
  t.port->issue(barrier::dsb_ishst);
  t.cursors_walk_again();
  if constexpr (State::mode::concurrent) {
    t.port->store(table, {unlinked_tables::link(0, leaf)}, store_order::release);
    out.tables_freed += retire(t, {table.value});
  } else {
    give_table(t, table, false);
    out.tables_freed += 1;
  }
  out.entries_written += 2;
  out.broke = true;
}

// Collapses whatever can be, from the last level up; what cannot stays.
template <class State>
struct collapse_tables {
  State& t;
  stage2_outcome& out;

  bool stopped() const noexcept { return !out; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (!t.is_table(s)) return p.stop(input);
    return next(s.at) == level::l3 ? left(s, p, input) : below;
  }
  u64 left(slot const& s, part const& p, u64 input) noexcept {
    if (p.whole(input)) collapse_entry(t, s, input, out);
    return p.stop(input);
  }
};

template <class State>
stage2_outcome collapse_range(State& t, ipa at, u64 size) noexcept {
  stage2_outcome out = check_range(t, at, size);
  collapse_tables<State> op{t, out};
  if (out) descend(t, root_part(t, at.value, at.value + size), op);
  return out;
}

}  // namespace vmsa::engine
