// SPDX-License-Identifier: MIT
// Mapping one leaf: what a fault does.
#pragma once
#include "vmsa/mmu/maintenance.hpp"
#include "vmsa/mmu/stage2_table_cache.hpp"

namespace vmsa::engine {

template <class State>
constexpr prepared_leaf prepare(State const& t, stage2_leaf const& leaf, level at) noexcept {
  prepared_leaf p;
  p.at = at;
  descriptor_format const f = t.format();
  bool const page = at == level::l3;
  encoded_descriptor const d = encode_leaf_bits(leaf, page, f);
  u32 const run = leaf.contiguous ? contiguous_entries(f, at) : 1;
  if (!d || !leaf_allowed(f, at) || number(at) < number(t.shape.start_level()) || leaf.fwb != t.controls.fwb ||
      (leaf.contiguous && run == 1)) {
    p.error = table_error::leaf_encoding;
    return p;
  }
  p.bits = d.value.raw;
  p.run = run;
  p.input_mask = (u64{run} << t.shape.shift(at)) - 1;
  p.unusual_output = p.input_mask | t.output_limit_mask() | bit_mask(63, 48);
  bool const device = leaf.memory <= stage2_memory::device_GRE;
  p.clean_data = !leaf.fwb && !device && leaf.memory != stage2_memory::normal_nc;
  p.clean_instructions = !t.controls.dic && leaf.execute != stage2_execute::nobody && !device;
  p.unusual = !page || run != 1 || p.clean_data || p.clean_instructions || !t.controls.coherent_walks;
  return p;
}

// Reserves `count` free entries, which become busy. All or none.
template <class State>
bool hold_free(State& t, pa first, u64 count) noexcept {
  for (u64 n = 0; n < count; ++n) {
    if (t.change(first + 8 * n, {}, busy_form({}))) continue;
    while (n-- > 0) (void)t.change(first + 8 * n, busy_form({}), {});
    return false;
  }
  return true;
}

// What hardware may have recorded in `old` since it said the same as `desired`: age and, with DBM, dirty state.
template <class State>
u64 hardware_state(State const& t, descriptor old, descriptor desired) noexcept {
  if (!t.controls.ha) return 0;
  bool const dbm = t.controls.hd && (old.raw & desired.raw & descriptor_bits::dbm::mask) != 0;
  return old.raw & (descriptor_bits::af::mask | (dbm ? u64{0b10} << stage2_bits::s2ap::low : 0));
}

// What hardware recorded in the old entry goes on in one that maps the same page.
template <class State>
descriptor keep_hardware_state(State const& t, descriptor old, descriptor desired, level at) noexcept {
  if (!t.controls.ha || leaf_output(old, at, t.format()) != leaf_output(desired, at, t.format())) return desired;
  return {desired.raw | hardware_state(t, old, desired)};
}

// True when a block above already gives the page at `input` this output and these attributes.
template <class State>
bool block_says_the_same(State const& t, slot const& block, u64 input, descriptor desired, level at) noexcept {
  descriptor_format const f = t.format();
  u64 const ignored = 0b10 | descriptor_bits::contiguous::mask | descriptor_bits::nt::mask;
  descriptor const base = {desired.raw & ~encode_output(leaf_output(desired, at, f), f)};
  descriptor const above = {block.entry.raw & ~encode_output(leaf_output(block.entry, block.at, f), f)};
  return (((base.raw | hardware_state(t, block.entry, desired)) ^ above.raw) & ~ignored) == 0 &&
         leaf_output(block.entry, block.at, f) + (input & low_mask(block.shift)) == leaf_output(desired, at, f);
}

// Entry n of the run that `leaf` writes for `first`.
constexpr descriptor run_entry(descriptor first, u64 n, unsigned shift) noexcept { return {first.raw + (n << shift)}; }

// Fresh tables from the invalid entry `above` down to the leaf's level, with the leaf in the last; linked by one store,
// so that nobody ever sees half of them.
template <class State>
bool install_below(State& t, slot const& above, u64 input, descriptor leaf, prepared_leaf const& p, unsigned target,
                   stage2_outcome& out) noexcept {
  pa fresh[4] = {};
  unsigned const depth = (above.shift - target) / t.w().stride;
  for (unsigned n = 0; n < depth; ++n) {
    std::optional<pa> const table = t.take_table();
    if (!table) {
      while (n-- > 0) t.give_table(fresh[n], true);
      set_error(out, table_error::out_of_frames, input, above.at);
      return true;
    }
    fresh[n] = *table;
  }
  unsigned shift = above.shift;
  for (unsigned n = 0; n < depth; ++n) {
    shift -= t.w().stride;
    pa const where = fresh[n] + t.entry_offset(input, shift - 3);
    if (n + 1 < depth)
      t.fill(where, {fresh[n + 1].value | 0b11}, 0, 1);
    else
      t.fill(where, leaf, u64{1} << shift, p.run);
    if (shift == t.page_shift()) {
      t.all_free(fresh[n]);
      t.occupy(where, p.run);
    }
    t.clean_table(fresh[n]);
  }
  if (!t.change(above.where, above.entry, {fresh[0].value | 0b11})) {
    for (unsigned n = 0; n < depth; ++n) t.give_table(fresh[n], false);
    return false;
  }
  out.tables_allocated += depth;
  out.entries_written += depth + p.run;
  return true;
}

// A run of leaves into entries that are all free; false when one is not.
template <class State>
bool install_run(State& t, slot const& s, descriptor leaf, prepared_leaf const& p) noexcept {
  if (p.run == 1) {
    if (!t.change(s.where, s.entry, leaf)) return false;
  } else {
    for (u64 n = 0; n < p.run; ++n)
      if (t.load(s.where + 8 * n).raw != 0) return false;
    if (State::mode::concurrent && !hold_free(t, s.where, p.run)) return false;
    for (u64 n = 0; n < p.run; ++n) {
      t.port->store(s.where + 8 * n, run_entry(leaf, n, s.shift), store_order::release);
      t.publish(s.where + 8 * n);
    }
  }
  if (s.shift == t.page_shift()) t.occupy(s.where, p.run);
  return true;
}

// What is in the way of a leaf may have to be split or unmapped first: see stage2_table_resize.hpp and
// stage2_table_unmap.hpp.
template <class State>
u64 split_entries(State& t, pa first, u64 count, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept;
template <class State>
bool unfold(State& t, pa first, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept;
template <class State>
stage2_outcome unmap_range(State& t, ipa at, u64 size) noexcept;

// One entry from live leaf to live leaf in the way its change needs. False when the entry changed meanwhile, or is not
// of a Contiguous run any more.
template <class State>
bool change_leaf(State& t, slot const& s, u64 input, descriptor desired, prepared_leaf const& p, existing what,
                 stage2_outcome& out) noexcept {
  u64 const region = u64{1} << leaf_region_bits(s.entry, s.at, t.format());
  bool const in_run = region >> s.shift > 1;
  u64 const ignored = in_run ? descriptor_bits::contiguous::mask : 0;
  if (((s.entry.raw ^ desired.raw) & ~ignored) == 0) return true;
  change const c = classify_change(s.entry, desired, t.context(s.at));
  bool const breaks = in_run || c.what == change_class::break_required;
  // A page that only aged is mapped as it was.
  u64 const difference = (s.entry.raw ^ desired.raw) & ~ignored;
  bool const aged = difference == descriptor_bits::af::mask && descriptor_bits::af::get(desired.raw);
  if ((what == existing::keep && !aged) || (breaks && what != existing::replace)) {
    set_error(out, refusal(what), input, s.at);
    return true;
  }
  if (in_run) {
    u64 const first = input & ~(region - 1);
    (void)unfold(t, s.where - 8 * ((input - first) >> s.shift), s.shift, s.at, first, out);
    return false;
  }
  stale_range stale;
  u64 const size = u64{1} << s.shift;
  if (breaks) {
    if (!t.change(s.where, s.entry, busy_form(s.entry))) return false;
    stale.add(input, size, s.at, false);
    out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
    stale = {};
    clean_replaced(t, s, desired);
    clean_for_guest(t, leaf_output(desired, s.at, t.format()), size, p);
    t.port->store(s.where, desired, store_order::release);
    t.publish(s.where);
    out.broke = true;
    out.entries_written += 2;
  } else {
    clean_for_execution(t, s.entry, desired, s.at, size);
    if (!t.change(s.where, s.entry, desired)) return false;
    if (c.what == change_class::tighten || c.what == change_class::invalidate) stale.add(input, size, s.at, false);
    out.entries_written += 1;
  }
  out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
  return true;
}

// True when the entries from `s` on hold exactly the run of `leaf`.
template <class State>
bool holds_run(State const& t, slot const& s, descriptor leaf, prepared_leaf const& p) noexcept {
  for (u64 n = 0; n < p.run; ++n) {
    descriptor const d = t.load(s.where + 8 * n);
    if ((run_entry(leaf, n, s.shift).raw | hardware_state(t, d, leaf)) != d.raw) return false;
  }
  return true;
}

// A valid entry is where the leaf should be, or above it. False when it changed, or was moved out of the way.
template <class State>
bool map_over(State& t, slot const& s, u64 input, descriptor leaf, prepared_leaf const& p, existing what,
              stage2_outcome& out) noexcept {
  u64 const size = u64{1} << s.shift;
  if (s.at != p.at) {
    if (block_says_the_same(t, s, input, leaf, p.at)) return true;
    if (what == existing::replace) {
      (void)split_entries(t, s.where, 1, s.shift, s.at, input & ~(size - 1), out);
      stopped_within(out, input);
      return !out;
    }
    set_error(out, refusal(what), input, s.at);
    return true;
  }
  if (!t.is_table(s) && p.run == 1)
    return change_leaf(t, s, input, keep_hardware_state(t, s.entry, leaf, s.at), p, what, out);
  if (!t.is_table(s) && holds_run(t, s, leaf, p)) return true;
  if (what != existing::replace) {
    set_error(out, refusal(what), input, s.at);
    return true;
  }
  stage2_outcome const gone = unmap_range(t, {input}, p.input_mask + 1);
  add_counts(out, gone);
  out.broke = true;
  if (!gone) set_error(out, gone.error, gone.at.value, gone.at_level);
  return !gone;
}

// The long way: everything that is not one free page in a table that is there.
template <class State>
stage2_outcome map_any(State& t, ipa at, pa to, prepared_leaf const& p, existing what) noexcept {
  u64 const input = at.value;
  if (!p) return failed(p.error, input, p.at);
  if (!t.shape.contains(input) || (to.value & t.output_limit_mask()) != 0)
    return failed(table_error::out_of_range, input, p.at);
  if (((input | to.value) & p.input_mask) != 0) return failed(table_error::misaligned, input, p.at);

  unsigned const target = t.shape.shift(p.at);
  descriptor const leaf{p.bits | encode_output(to, t.format())};
  stage2_outcome out;
  out.at_level = p.at;
  bool cleaned = false;
  for (bool done = false; !done;) {
    slot const s = t.find(input, target);
    if (is_busy(s.entry)) {
      set_error(out, table_error::busy, input, s.at);
      return out;
    }
    if (is_valid(s.entry)) {
      done = map_over(t, s, input, leaf, p, what, out);
      continue;
    }
    if (!cleaned) clean_for_guest(t, to, p.input_mask + 1, p);
    cleaned = true;
    if (s.shift != target) {
      done = install_below(t, s, input, leaf, p, target, out);
    } else if (install_run(t, s, leaf, p)) {
      out.entries_written += p.run;
      done = true;
    } else if (p.run != 1) {
      // A page in the middle of the run's place.
      if (what != existing::replace) {
        set_error(out, refusal(what), input, s.at);
        return out;
      }
      stage2_outcome const gone = unmap_range(t, at, p.input_mask + 1);
      add_counts(out, gone);
      out.broke = true;
      if (!gone) {
        set_error(out, gone.error, gone.at.value, gone.at_level);
        return out;
      }
    }
    if (done) t.port->issue(barrier::dsb_ishst);
  }
  if (out) out.at = at + (p.input_mask + 1);
  return out;
}

template <class State>
[[gnu::noinline]] stage2_outcome map_slow(State& t, ipa at, pa to, prepared_leaf const& p, existing what) noexcept {
  if (!State::mode::concurrent || (what != existing::replace && p.run == 1)) return map_any(t, at, to, p, what);
  return restructure(t, at, [&] { return map_any(t, at, to, p, what); });
}

enum class short_way : u8 { installed, there, no };

// One page into a last-level entry, if it is free.
template <class State>
[[gnu::always_inline]] inline short_way install_page(State& t, pa where, descriptor leaf) noexcept {
  descriptor const old = State::mode::concurrent ? t.port->compare_exchange(where, {}, leaf) : t.load(where);
  if (old.raw == 0) [[likely]] {
    if constexpr (!State::mode::concurrent) t.port->store(where, leaf, store_order::release);
    return short_way::installed;
  }
  return old == leaf ? short_way::there : short_way::no;
}

// Where a cursor is sent that does not hold the group of `input`. The generation is loaded before the walk to the
// group: what is unlinked later makes the cursor stale.
template <class State>
struct cursor_move {
  u64 first = 0;
  u64 generation = 0;

  cursor_move(State& t, u64 input) noexcept
      : first(t.page_number(input) & ~(group_entries - 1)), generation(State::mode::load(t.generation)) {}
  // To the next group of the same table.
  cursor_move next() const noexcept {
    cursor_move m = *this;
    m.first += group_entries;
    return m;
  }

  // Whether the cursor takes the group: the one after its own at once, another when it comes a second time. Faults all
  // over the place leave exact bits behind.
  bool taken(stage2_cursor& cursor) const noexcept {
    bool const again = cursor.seen == first;
    cursor.seen = first;
    return again || cursor.first + group_entries == first;
  }
  // Takes the group of the entry at `where`: its bits say nothing while the cursor holds it. A root of fewer entries is
  // no group.
  void take(State& t, stage2_cursor& cursor, pa where) const noexcept {
    if (t.w().root_bytes < group_bytes && t.shape.start_level() == level::l3) return;
    if constexpr (State::has_occupancy) t.set_free_bits(t.free_bits_of(where), 0);
    cursor = {first, generation, where - (where.value & (group_bytes - 8)), first};
  }
};

// One page into a last-level entry that no cursor vouches for.
template <class State>
[[gnu::always_inline]] inline short_way install_anywhere(State& t, pa where, descriptor leaf) noexcept {
  if constexpr (State::has_occupancy) {
    auto const f = t.free_bits_of(where);
    if (f.free()) [[likely]] {
      t.set_free_bits(f, f.without());
      t.port->store(where, leaf, store_order::release);
      return short_way::installed;
    }
  }
  return install_page(t, where, leaf);
}

// A page in a group that the cursor does not hold.
template <class State>
[[gnu::always_inline]] inline short_way map_page(State& t, stage2_cursor& cursor, u64 input, descriptor leaf) noexcept {
  cursor_move<State> const move(t, input);
  pa where;
  if ((input & t.w().page_mask) != 0 || !t.find_page(input, where)) [[unlikely]]
    return short_way::no;
  if (!move.taken(cursor)) [[likely]]
    return install_anywhere(t, where, leaf);
  move.take(t, cursor, where);
  return install_page(t, where, leaf);
}

// The short way: a compare with the cursor, a load, a store.
template <class State>
[[gnu::always_inline]] inline stage2_outcome map(State& t, stage2_cursor& cursor, ipa at, pa to, prepared_leaf const& p,
                                                 existing what) noexcept {
  u64 const odd = (to.value & p.unusual_output) | p.unusual;
  descriptor const leaf{to.value | p.bits};
  short_way done = short_way::no;
  if (odd == 0) [[likely]] {
    u64 const index = t.index_in(cursor, at.value);
    if (index < group_entries && t.is_fresh(cursor)) [[likely]]
      done = install_page(t, cursor.group + 8 * index, leaf);
    else
      done = map_page(t, cursor, at.value, leaf);
  }
  if (done == short_way::no) [[unlikely]]
    return map_slow(t, at, to, p, what);
  stage2_outcome out;
  out.at = at + t.granule_bytes();
  if (done == short_way::installed) [[likely]] {
    t.port->issue(barrier::dsb_ishst);
    out.entries_written = 1;
  }
  return out;
}

}  // namespace vmsa::engine
