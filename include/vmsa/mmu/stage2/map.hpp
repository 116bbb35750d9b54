// SPDX-License-Identifier: MIT
// Mapping one leaf, or one Contiguous run of them: what a fault does.
#pragma once
#include "vmsa/mmu/stage2/unmap.hpp"

namespace vmsa::engine {

template <class State>
constexpr prepared_leaf prepare(State const& t, stage2_leaf const& leaf, level at) noexcept {
  prepared_leaf p;
  p.at = at;
  p.kind = t.leaf_kind;
  descriptor_format const f = t.format();
  bool const page = at == level::l3;
  encoded_descriptor const d = encode_leaf_bits(leaf, page, f);
  u32 const run = leaf.contiguous ? contiguous_entries(f, at) : 1;
  if (!d || !leaf_allowed(f, at) || number(at) < number(t.shape.start_level()) || leaf.fwb != t.controls.fwb ||
      (leaf.contiguous && run == 1)) {
    p.error = table_error::leaf_encoding;
    p.kind |= 1;
    return p;
  }
  p.bits = d.value.raw;
  p.run = run;
  p.input_mask = (u64{run} << t.shape.shift(at)) - 1;
  p.unusual_output = p.input_mask | t.beyond_output | bit_mask(63, 48);
  p.duties = duties_of_map(t.caching(d.value), t.controls.dic);
  p.upkeep = run != 1 || p.duties != cache_duties{};
  p.kind |= !page || p.upkeep != 0 || !t.controls.coherent_walks;
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
    std::optional<pa> const table = take_table(t);
    if (!table) {
      while (n-- > 0) give_table(t, fresh[n], true);
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
    all_free(t, fresh[n]);
    occupy(t, where, n + 1 < depth ? 1 : p.run);
    clean_table(t, fresh[n]);
  }
  if (!t.change(above.where, above.entry, {fresh[0].value | 0b11})) {
    for (unsigned n = 0; n < depth; ++n) give_table(t, fresh[n], false);
    return false;
  }
  came_into_use(t, above.at, above.where, 1, use::table);
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
      t.put(s.where + 8 * n, run_entry(leaf, n, s.shift));
    }
  }
  came_into_use(t, s.at, s.where, p.run, use::leaf);
  return true;
}

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
    unfold(t, s.where - 8 * ((input - first) >> s.shift), s.shift, s.at, first, out);
    return false;
  }
  stale_range stale;
  u64 const size = u64{1} << s.shift;
  if (breaks) {
    if (!t.change(s.where, s.entry, busy_form(s.entry))) return false;
    stale.add(input, size, s.at, false);
    invalidate(t, stale, out);
    stale = {};
    clean_replaced(t, s, desired, p);
    t.put(s.where, desired);
    out.broke = true;
    out.entries_written += 2;
  } else {
    clean_for_execution(t, s.entry, desired, s.at, size);
    if (!t.change(s.where, s.entry, desired)) return false;
    if (c.what == change_class::tighten || c.what == change_class::invalidate) stale.add(input, size, s.at, false);
    out.entries_written += 1;
  }
  invalidate(t, stale, out);
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

// Unmaps whatever is where the leaf should be; false with an error when that cannot be done.
template <class State>
bool make_room(State& t, u64 input, prepared_leaf const& p, stage2_outcome& out) noexcept {
  add_outcome(out, unmap_range(t, {input}, p.input_mask + 1));
  out.broke = true;
  return static_cast<bool>(out);
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
  return !make_room(t, input, p, out);
}

// The long way: everything that is not one free page in a table that is there.
template <class State>
stage2_outcome map_any(State& t, ipa at, pa to, prepared_leaf const& p, existing what) noexcept {
  u64 const input = at.value;
  if (!p) return failed(p.error, input, p.at);
  if ((p.kind | 1) != (t.leaf_kind | 1)) return failed(table_error::leaf_encoding, input, p.at);
  if (!t.shape.contains(input) || (to.value & t.beyond_output) != 0)
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
    if (!cleaned) carry_out(t, p.duties, to, p.input_mask + 1);
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
      if (!make_room(t, input, p, out)) return out;
    }
    if (done) t.port->issue(barrier::dsb_ishst);
  }
  if (out) out.at = at + (p.input_mask + 1);
  return out;
}

// One leaf into a free entry of a table that is there, without any cache maintenance. False when it is anything else,
// and then nothing was done.
template <class State>
[[gnu::__always_inline__]] inline bool map_free(State& t, ipa at, pa to, prepared_leaf const& p,
                                                stage2_outcome& out) noexcept {
  if constexpr (!State::mode::short_ways) return false;
  pa where;
  unsigned shift3;
  if (((to.value & p.unusual_output) | (at.value & p.input_mask) | p.upkeep | ((p.kind ^ t.leaf_kind) >> 1)) != 0)
    return false;
  (void)t.find_page(at.value, where, shift3);
  if (u64{8} << shift3 != p.input_mask + 1 || t.load(where).raw != 0) return false;
  if (!t.change(where, {}, {to.value | p.bits})) return false;
  if (p.at != t.shape.start_level())
    occupy_one(t, where);
  else
    came_into_use(t, p.at, where, 1, use::leaf);
  t.port->issue(barrier::dsb_ishst);
  out.at = at + (p.input_mask + 1);
  out.at_level = p.at;
  out.entries_written = 1;
  return true;
}

template <class State>
stage2_outcome map_any_way(State& t, ipa at, pa to, prepared_leaf const& p, existing what) noexcept {
  if (!State::mode::concurrent || (what != existing::replace && p.run == 1)) return map_any(t, at, to, p, what);
  return restructure(t, at, [&] { return map_any(t, at, to, p, what); });
}

// The long way of the fault path: one leaf that is not a page into a free entry is not so long.
template <class State>
[[gnu::__noinline__]] stage2_outcome map_slow(State& t, ipa at, pa to, prepared_leaf const& p, existing what) noexcept {
  if (stage2_outcome out; map_free(t, at, to, p, out)) return out;
  return map_any_way(t, at, to, p, what);
}

// The same for a caller who prepared nothing: the leaf is encoded here, so that where one is mapped inline none has to
// stand in memory.
template <class State>
[[gnu::__noinline__]] stage2_outcome map_unprepared(State& t, ipa at, pa to, stage2_leaf const& leaf, level l,
                                                    existing what) noexcept {
  return map_any_way(t, at, to, prepare(t, leaf, l), what);
}

}  // namespace vmsa::engine
