// SPDX-License-Identifier: MIT
// Leaves made smaller, nothing else changed: a block becomes a table, a Contiguous run becomes single entries. Every
// byte keeps its output address, memory type, Shareability and permissions.
#pragma once
#include "vmsa/mmu/maintenance.hpp"
#include "vmsa/mmu/stage2/tables.hpp"

namespace vmsa::engine {

// What hardware may have recorded in `old` since it said the same as `desired`: age and, with DBM, dirty state.
template <class State>
u64 hardware_state(State const& t, descriptor old, descriptor desired) noexcept {
  if (!t.controls.ha) return 0;
  bool const dbm = t.controls.hd && (old.raw & desired.raw & descriptor_bits::dbm::mask) != 0;
  return old.raw & (descriptor_bits::af::mask | (dbm ? write_bit : 0));
}

// The TLBs forget `stale`; what was written before is visible to the walkers in any case.
template <class State>
void invalidate(State& t, stale_range const& stale, stage2_outcome& out) noexcept {
  out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, stale);
}

// The TLBs forget one leaf of level `at`, in two TLBI: everything that is needed before its memory is anybody else's.
template <class State>
[[gnu::__always_inline__]] inline void invalidate_leaf(State& t, u64 input, level at) noexcept {
  bool const hint = t.controls.ttl && (at == level::l3 || tlbi_level_hint(t.shape.tg(), at) != 0);
  t.port->issue(barrier::dsb_ishst);
  t.port->issue(tlbi{tlbi_kind::ipas2e1is, {input}, 0, t.shape.tg(), hint, at});
  t.port->issue(barrier::dsb_ish);
  t.port->issue(tlbi{.kind = tlbi_kind::vmalle1is, .tg = t.shape.tg()});
  t.port->issue(barrier::dsb_ish);
}

// The same for the pages of [begin, end), one by one where that is how they go.
template <class State>
[[gnu::__always_inline__]] inline void invalidate_pages(State& t, u64 begin, u64 end, stage2_outcome& out) noexcept {
  u64 const count = (end - begin) >> t.page_shift();
  if (t.controls.tlbi_range || count > most_single_invalidations)
    return invalidate(t, {begin, end, level::l3, true}, out);
  granule const tg = t.shape.tg();
  t.port->issue(barrier::dsb_ishst);
  for (u64 at = begin; at != end; at += t.granule_bytes())
    t.port->issue(tlbi{tlbi_kind::ipas2e1is, {at}, 0, tg, t.controls.ttl, level::l3});
  t.port->issue(barrier::dsb_ish);
  t.port->issue(tlbi{.kind = tlbi_kind::vmalle1is, .tg = tg});
  t.port->issue(barrier::dsb_ish);
  out.tlbi_count = static_cast<u32>(count) + 1;
}

// The first leaf one level below that maps what `block` maps. nT and Contiguous say how a block is cached, not what it
// maps, so they end here.
constexpr descriptor smaller_leaf(descriptor block, level at) noexcept {
  u64 const raw = block.raw & ~(descriptor_bits::contiguous::mask | descriptor_bits::nt::mask);
  return {at == level::l3 ? raw | 0b10 : raw};
}

// A table of leaves that map what the block in `s` maps, linked to nothing yet.
template <class State>
std::optional<pa> make_split(State& t, slot const& s) noexcept {
  frame_run const table = take_tables(t, 1);
  if (table.count == 0) return std::nullopt;
  t.fill(table.first, smaller_leaf(s.entry, next(s.at)), u64{1} << (s.shift - t.w().stride), t.entries());
  clean_table(t, table.first);
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
        give_table(t, *table, false);
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
    invalidate(t, stale, out);
    for (u64 n = 0; !seamless && n < done; ++n) {
      pa const where = first + 8 * n;
      descriptor const d = t.load(where);
      if (!is_busy(d)) continue;
      t.put(where, {d.raw | 0b01});
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
void unfold(State& t, pa first, unsigned shift, level at, u64 input, stage2_outcome& out) noexcept {
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
  invalidate(t, stale, out);
  out.entries_written += seamless ? run : 2 * run;
  for (u64 n = 0; n < run;) {
    pa const where = first + 8 * n;
    descriptor const d = t.load(where);
    descriptor desired{without(d).raw | recorded};
    if (!seamless) {
      t.put(where, leaf_form(desired, at));
    } else if (desired != d) {
      if (!t.change(where, d, desired)) continue;
      out.entries_written += 1;
    }
    ++n;
  }
  t.port->issue(barrier::dsb_ishst);
  out.broke |= !seamless;
}

// A leaf that the range ends inside is made smaller; true when that is done.
template <class State>
bool cut(State& t, slot const& s, u64 input, u64 begin, u64 end, stage2_outcome& out) noexcept {
  u64 const size = u64{1} << s.shift;
  u64 const region = u64{1} << leaf_region_bits(s.entry, s.at, t.format());
  u64 const first = input & ~(region - 1);
  if (first >= begin && end - first >= region) return false;
  if (region != size)
    unfold(t, s.where - 8 * (((input & ~(size - 1)) - first) >> s.shift), s.shift, s.at, first, out);
  else
    (void)split_entries(t, s.where, 1, s.shift, s.at, first, out);
  stopped_within(out, input);
  return true;
}

}  // namespace vmsa::engine
