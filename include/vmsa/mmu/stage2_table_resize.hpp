// SPDX-License-Identifier: MIT
// Changing the size of leaves and nothing else: every byte keeps its output address, memory type, Shareability and
// permissions. Device stays Device.
#pragma once
#include "vmsa/mmu/stage2_table_unmap.hpp"

namespace vmsa::engine {

// The first leaf one level below that maps what `block` maps. nT and Contiguous say how a block is cached, not what it
// maps, so they end here.
constexpr descriptor smaller_leaf(descriptor block, level at) noexcept {
  u64 const raw = block.raw & ~(descriptor_bits::contiguous::mask | descriptor_bits::nt::mask);
  return {at == level::l3 ? raw | 0b10 : raw};
}

// A table of leaves that map what the block in `s` maps, linked to nothing yet.
template <class State>
std::optional<pa> make_split(State& t, slot const& s) noexcept {
  frame_run const table = t.take_tables(1);
  if (table.count == 0) return std::nullopt;
  t.fill(table.first, smaller_leaf(s.entry, next(s.at)), u64{1} << (s.shift - t.w().stride), t.entries());
  t.clean_table(table.first);
  return table.first;
}

// Replaces the blocks of `count` entries from `first`, all of one table, by tables; the caller has made sure that
// leaves are allowed below. Break-before-make once for all of them: a busy entry already points to its table meanwhile.
// With FEAT_BBM level 2 both sizes may be cached at once and nothing is broken. Returns the entries handled before one
// that is busy, or for which no frame was left.
template <class State>
u64 split_entries(State& t, pa first, u64 count, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept {
  bool const seamless = t.controls.bbm >= 2;
  stale_range stale;
  u64 done = 0;
  while (done < count && out) {
    pa const where = first + 8 * done;
    slot const s{where, t.load(where), shift, at};
    if (is_busy(s.entry)) {
      out.error = table_error::busy;
      break;
    }
    if (is_valid(s.entry) && !is_table_or_page(s.entry)) {
      std::optional<pa> const table = make_split(t, s);
      if (!table) {
        out.error = table_error::out_of_frames;
        break;
      }
      if (!t.change(where, s.entry, {table->value | (seamless ? 0b11u : 0b10u)})) {
        t.give_table(*table, false);
        continue;
      }
      out.tables_allocated += 1;
      out.entries_written += t.entries() + (seamless ? 1 : 2);
      out.broke |= !seamless;
      stale.add(input + (done << shift), u64{1} << shift, at, false);
    }
    ++done;
  }
  if (!stale.empty()) {
    out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
    for (u64 n = 0; !seamless && n < done; ++n) {
      pa const where = first + 8 * n;
      descriptor const d = t.load(where);
      if (!is_busy(d)) continue;
      t.port->store(where, {d.raw | 0b01}, store_order::release);
      t.publish(where);
    }
    t.port->issue(barrier::dsb_ishst);
  }
  if (!out) {
    out.at = {input + (done << shift)};
    out.at_level = at;
  }
  return done;
}

// The single entries of a Contiguous run, whose first lies at `first`. Without FEAT_BBM level 1 the bit may not change
// while the run is cached. Beside others it may not either: an entry that still has the bit speaks for the page of one
// that has not, which another call may unmap. What hardware recorded in any entry is true of all.
template <class State>
bool unfold(State& t, pa first, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept {
  unsigned const run = contiguous_entries(t.format(), at);
  auto const without = [](descriptor d) { return descriptor{d.raw & ~descriptor_bits::contiguous::mask}; };
  bool const seamless = !State::mode::concurrent && t.controls.bbm >= 1;
  stale_range stale;
  stale.add(input, u64{run} << shift, at, false);
  u64 recorded = 0;
  for (u64 n = 0; n < run;) {
    descriptor const d = t.load(first + 8 * n);
    if (!t.change(first + 8 * n, d, seamless ? without(d) : busy_form(d))) continue;
    recorded |= hardware_state(t, d, d);
    ++n;
  }
  out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
  out.entries_written += seamless ? run : 2 * run;
  for (u64 n = 0; n < run;) {
    pa const where = first + 8 * n;
    descriptor const d = t.load(where);
    descriptor desired{without(d).raw | recorded};
    if (!seamless) {
      t.port->store(where, {(desired.raw & ~u64{0b11}) | (at == level::l3 ? 0b11u : 0b01u)}, store_order::release);
      t.publish(where);
    } else if (desired != d) {
      if (!t.change(where, d, desired)) continue;
      out.entries_written += 1;
    }
    ++n;
  }
  t.port->issue(barrier::dsb_ishst);
  out.broke |= !seamless;
  return true;
}

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
    if (!unfold(t, first + 8 * n - 8 * ((here - run) >> shift), shift, at, run, out))
      return set_error(out, table_error::busy, here, at);
  }
}

// Splits every block in [begin, end) until leaves are of level `leaf` or below.
template <class State>
void split_in_table(State& t, pa table, unsigned shift, level at, u64 begin, u64 end, level leaf,
                    stage2_outcome& out) noexcept {
  if (number(at) >= number(leaf)) return;
  u64 const size = u64{1} << shift;
  for (u64 input = begin & ~(size - 1); input < end && out;) {
    // A batch of blocks costs one invalidation; one as large as this keeps the guest away for less than a fault does.
    u64 const in_table = t.entries() - (t.entry_offset(input, shift - 3) >> 3);
    u64 const left = (end - input + size - 1) >> shift;
    u64 const most = left < in_table ? left : in_table;
    u64 const count = most < most_single_invalidations ? most : most_single_invalidations;
    pa const first = table + t.entry_offset(input, shift, at);
    unfold_runs(t, first, count, shift, at, input, out);
    u64 const done = out ? split_entries(t, first, count, shift, at, input, out) : 0;
    for (u64 n = 0; n < done && number(next(at)) < number(leaf); ++n) {
      descriptor const d = t.load(first + 8 * n);
      u64 const here = input + (n << shift);
      stage2_outcome below;
      if (is_table_or_page(d))
        split_in_table(t, t.next_table(d), shift - t.w().stride, next(at), begin > here ? begin : here,
                       end - here < size ? end : here + size, leaf, below);
      add_counts(out, below);
      if (!below && out) set_error(out, below.error, below.at.value, below.at_level);
    }
    input += count << shift;
  }
}

template <class State>
stage2_outcome split_range(State& t, ipa at, u64 size, level leaf) noexcept {
  stage2_outcome out = check_range(t, at, size);
  level const start = t.shape.start_level();
  if (out) split_in_table(t, t.root, t.shape.shift(start), start, at.value, at.value + size, leaf, out);
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
  u64 const hardware = descriptor_bits::af::mask | (dirty ? u64{0b10} << stage2_bits::s2ap::low : 0);
  u64 any = 0;
  for (u64 n = 0; n < t.entries(); ++n) {
    u64 const d = plain(t.load(table + 8 * n));
    if (((d ^ (plain(first) + n * step)) & ~hardware) != 0) return {};
    any |= d & hardware;
  }
  return {(plain(first) & ~(hardware | descriptor_bits::nt::mask | 0b11)) | any | 0b01};
}

// Replaces the table in entry `s` by one block. The entries below are held too before they are read for good, so that
// no concurrent change to one of them is lost.
template <class State>
void collapse_entry(State& t, slot const& s, u64 input, stage2_outcome& out) noexcept {
  pa const table = t.next_table(s.entry);
  level const below = next(s.at);
  u64 const leaf_type = below == level::l3 ? 0b11 : 0b01;
  if (!block_allowed(t.format(), s.at) || !is_valid(collapsed(t, table, below, leaf_type))) return;
  if (!t.change(s.where, s.entry, busy_form(s.entry))) return set_error(out, table_error::busy, input, s.at);

  if constexpr (State::mode::concurrent) {
    u64 held = 0;
    while (held < t.entries()) {
      descriptor const d = t.load(table + 8 * held);
      if (!is_valid(d)) break;
      held += t.change(table + 8 * held, d, busy_form(d));
    }
    if (held != t.entries() || !is_valid(collapsed(t, table, below, 0b10))) {
      for (u64 n = 0; n < held; ++n) {
        descriptor const d = t.load(table + 8 * n);
        t.port->store(table + 8 * n, {(d.raw & ~u64{0b11}) | leaf_type}, store_order::release);
        t.publish(table + 8 * n);
      }
      t.port->store(s.where, s.entry, store_order::release);
      t.publish(s.where);
      t.port->issue(barrier::dsb_ishst);
      out.entries_written += 2;
      out.broke = true;
      return;
    }
  }
  unmapping work;
  work.stale.add(input, u64{1} << s.shift, s.at, true);
  out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, work.stale);
  // Until now a walker that had cached the table may have recorded something below.
  descriptor const block = collapsed(t, table, below, State::mode::concurrent ? 0b10 : leaf_type);
  t.port->store(s.where, block, store_order::release);
  t.publish(s.where);
  t.port->issue(barrier::dsb_ishst);
  t.cursors_walk_again();
  if constexpr (State::mode::concurrent) {
    t.port->store(table, {unlinked_tables::link(0, below)}, store_order::release);
    out.tables_freed += retire(t, {table.value});
  } else {
    t.give_table(table, false);
    out.tables_freed += 1;
  }
  out.entries_written += 2;
  out.broke = true;
}

// Collapses whatever can be in [begin, end), from the last level up; what cannot stays.
template <class State>
void collapse_in_table(State& t, pa table, unsigned shift, level at, u64 begin, u64 end, stage2_outcome& out) noexcept {
  u64 const size = u64{1} << shift;
  for (u64 input = begin & ~(size - 1); input < end && out; input += size) {
    pa const where = table + t.entry_offset(input, shift, at);
    descriptor const entry = t.load(where);
    if (at == level::l3 || !is_table_or_page(entry)) continue;
    if (next(at) != level::l3)
      collapse_in_table(t, t.next_table(entry), shift - t.w().stride, next(at), begin > input ? begin : input,
                        end - input < size ? end : input + size, out);
    if (!out || input < begin || end - input < size) continue;
    stage2_outcome one;
    collapse_entry(t, {where, entry, shift, at}, input, one);
    add_counts(out, one);
    if (!one) set_error(out, one.error, one.at.value, one.at_level);
  }
}

template <class State>
stage2_outcome collapse_range(State& t, ipa at, u64 size) noexcept {
  stage2_outcome out = check_range(t, at, size);
  level const start = t.shape.start_level();
  if (out) collapse_in_table(t, t.root, t.shape.shift(start), start, at.value, at.value + size, out);
  return out;
}

}  // namespace vmsa::engine
