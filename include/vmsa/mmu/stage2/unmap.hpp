// SPDX-License-Identifier: MIT
// Taking mappings away, and giving table frames back when nobody can be walking through them any more.
#pragma once
#include "vmsa/mmu/stage2/cache.hpp"
#include "vmsa/mmu/stage2/descend.hpp"

namespace vmsa::engine {

// What an unmap has gathered: it becomes effective in finish_unmap.
struct unmapping {
  // Without FWB: entries hold on to what they mapped or led to, which is cleaned when the TLBs have forgotten it.
  bool keeps = false;
  bool any = false;  // something was unmapped
  stage2_outcome out{};
  stale_range stale{};
  unlinked_tables unlinked{};
};

// What an unmapped entry becomes until the TLBs have forgotten it.
template <class State>
inline constexpr descriptor gone = State::mode::concurrent ? range_going : descriptor{};

// Everything that the leaves of an unlinked table map leaves the caches.
template <class State>
struct clean_leaves_below {
  State& t;

  bool stopped() const noexcept { return false; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (t.is_table(s)) return below;
    if (is_valid(s.entry)) clean_unmapped(t, s.entry, s.at);
    return p.stop(input);
  }
};

// The TLBs have forgotten what was unmapped: it leaves the caches where it must, and is free for others.
template <class State>
struct release {
  State& t;
  unmapping& work;

  bool stopped() const noexcept { return false; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (t.is_table(s)) return below;
    if (!is_busy(s.entry) || s.entry == page_going) return p.stop(input);
    if (is_table_going(s.entry)) {
      clean_leaves_below<State> clean{t};
      descend(t, part_below(t, p, s, input), clean);
      chain(t, work.unlinked, t.next_table(s.entry), next(s.at));
    } else {
      clean_unmapped(t, s.entry, s.at);
    }
    t.put(s.where, {});
    if (s.at != t.shape.start_level()) (void)vacate(t, s.where);
    return p.stop(input);
  }
};

// TLBs forget what was unmapped; only then are table frames free for other uses.
template <class State>
void finish_unmap(State& t, unmapping& work) noexcept {
  if (work.stale.empty()) return;
  work.any = true;
  invalidate(t, work.stale, work.out);
  if (State::mode::concurrent || work.keeps) {
    release<State> op{t, work};
    descend(t, root_part(t, work.stale.begin, work.stale.end), op);
  }
  if constexpr (State::mode::concurrent)
    work.out.tables_freed += retire(t, work.unlinked);
  else
    work.out.tables_freed += give_all(t, work.unlinked);
  work.stale = {};
  work.unlinked = {};
}

// Clears every entry of a range. Whole tables are unlinked without being read, and so is a table that the range leaves
// empty, where nobody else may be filling it.
template <class State>
struct clear_entries {
  State& t;
  unmapping& work;

  bool stopped() const noexcept { return !work.out; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (is_busy(s.entry)) {
      set_error(work.out, table_error::busy, input, s.at);
    } else if (t.is_table(s)) {
      return p.whole(input) ? unlink(s, p, input) : below;
    } else if (is_valid(s.entry)) {
      if (cut(t, s, input, p.begin, p.end, work.out)) return input;
      if (!t.change(s.where, s.entry, work.keeps ? busy_form(s.entry) : gone<State>)) return input;
      if (!work.keeps && s.at != t.shape.start_level()) (void)vacate(t, s.where);
      work.out.entries_written += 1;
      work.stale.add(input, p.entry_size(), s.at, false);
    }
    return p.stop(input);
  }
  u64 left(slot const& s, part const& p, u64 input) noexcept {
    if (State::mode::concurrent || !vacant(t, t.next_table(s.entry))) return p.stop(input);
    return unlink(s, p, input);
  }

 private:
  u64 unlink(slot const& s, part const& p, u64 input) noexcept {
    pa const child = t.next_table(s.entry);
    if (!t.change(s.where, s.entry, work.keeps ? table_going(child) : gone<State>)) return input;
    // Not before: a cursor that took the new generation first would outlive the table.
    t.cursors_walk_again();
    if (!work.keeps && s.at != t.shape.start_level()) (void)vacate(t, s.where);
    work.out.entries_written += 1;
    work.stale.add(p.entry_begin(input), p.entry_size(), s.at, true);
    if (!work.keeps) chain(t, work.unlinked, child, next(s.at));
    return p.stop(input);
  }
};

template <class State>
unmapping unmap_whatever(State& t, ipa at, u64 size) noexcept {
  unmapping work;
  work.out = check_range(t, at, size);
  if (!work.out) return work;
  auto const pass = [&] {
    clear_entries<State> op{t, work};
    descend(t, root_part(t, at.value, at.value + size), op);
    finish_unmap(t, work);
  };
  work.keeps = t.unmapping_cleans();
  pass();
  // Only now are the tables empty of which the range is a part.
  if (work.keeps && work.out && !State::mode::concurrent) {
    work.keeps = false;
    pass();
  }
  return work;
}

template <class State>
stage2_outcome unmap_range(State& t, ipa at, u64 size) noexcept {
  return unmap_whatever(t, at, size).out;
}

// `table`, which is not the root and whose entries map 2^shift bytes, leads nowhere any more: gives it back, and every
// one above that leads nowhere then. The TLBI of the entry that led to it is that of its own entries too.
template <class State>
[[gnu::__noinline__]] void give_back(State& t, pa table, unsigned shift, u64 input, stage2_outcome& out) noexcept {
  slot const above = t.find(input, shift + t.w().stride);
  if (above.at != t.shape.start_level() && !neighbour_in_use(t, above.where)) {
    // The table above may lead nowhere else.
    add_counts(out, unmap_range(t, {input & ~low_mask(shift)}, u64{1} << shift));
    return;
  }
  if (!t.change(above.where, above.entry, {})) return;
  t.cursors_walk_again();
  if (above.at != t.shape.start_level()) (void)vacate(t, above.where);
  stale_range stale;
  stale.add(input & ~low_mask(above.shift), u64{1} << above.shift, above.at, true);
  invalidate(t, stale, out);
  give_table(t, table, true);
  out.entries_written += 1;
  out.tables_freed += 1;
}

// The same where the table may still be in use: its entry at `where` was freed.
template <class State>
[[gnu::__noinline__]] void give_back_empty(State& t, slot const& s, u64 input, stage2_outcome& out) noexcept {
  pa const table = s.where - (s.where.value & t.w().page_mask);
  if (vacant(t, table)) give_back(t, table, s.shift, input, out);
}

// The entries from `first` on that were cleared, up to `stop`: `pages` single pages. Another leaf lies at `stop`, or it
// is `end`.
struct cleared_pages {
  pa first{};
  pa stop{};
  pa end{};
  u64 pages = 0;
};
// Clears what is left of [begin, end), of which the entries before `where` were single pages and are cleared. Free
// entries at its ends are left out.
template <class State>
[[gnu::__noinline__]] cleared_pages clear_pages_and_holes(State& t, pa begin, pa where, pa end) noexcept {
  while (where < end && t.load(end - 8).raw == 0) end = end - 8;
  while (begin == where && where < end && t.load(where).raw == 0) begin = where = where + 8;
  cleared_pages done{begin, where, end, (where - begin) / 8};
  for (; done.stop < end; done.stop = done.stop + 8) {
    descriptor const d = t.load(done.stop);
    if (single_page(d)) {
      t.port->store(done.stop, {}, store_order::release);
      ++done.pages;
    } else if (d.raw != 0) {
      break;
    }
  }
  return done;
}

// Single pages of one last-level table, where the caller is alone and nothing is to leave the caches. False when the
// range begins with anything else, and then nothing was done.
template <class State>
[[gnu::__always_inline__]] inline bool unmap_in_one_table(State& t, ipa at, u64 size, stage2_outcome& out) noexcept {
  if constexpr (!State::mode::short_ways || State::mode::concurrent) return false;
  if (!t.plain || t.unmapping_cleans()) return false;
  auto const [begin, bytes] = t.find_pages_of_one_table(at.value, size);
  if (bytes == 0) return false;
  pa const end = begin + bytes;
  cleared_pages done{begin, begin, end, bytes / 8};
  while (done.stop < end && single_page(t.load(done.stop))) {
    t.port->store(done.stop, {}, store_order::release);
    done.stop = done.stop + 8;
  }
  out.at = at + size;
  if (done.stop != end) [[unlikely]] {
    done = clear_pages_and_holes(t, begin, done.stop, end);
    if (done.pages == 0) return done.stop == done.end;
  }
  out.entries_written = done.pages;
  pa const table = done.first - (done.first.value & t.w().page_mask);
  if (vacate_all(t, done.first, done.stop - 8) && (done.first == table || t.load(done.first - 8).raw == 0) &&
      !next_in_use(t, done.stop - 8) && vacant(t, table)) {
    give_back(t, table, t.page_shift(), at.value, out);
    return true;
  }
  auto const input_of = [&t, at, from = begin](pa of) { return at.value + ((of - from) << t.w().page_shift3); };
  u64 const stop = input_of(done.stop);
  invalidate_pages(t, input_of(done.first), stop, out);
  // A Contiguous run, from where on the usual way goes on.
  if (done.stop != done.end) add_outcome(out, unmap_range(t, {stop}, at.value + size - stop));
  return true;
}

// The long way of unmapping one page or block: runs, errors, what leaves the caches.
template <class State>
stage2_outcome unmap_any(State& t, ipa at) noexcept {
  if (!t.shape.contains(at.value)) return failed(table_error::out_of_range, at.value, t.shape.start_level());
  slot const s = t.find(at.value, t.page_shift());
  if (!is_valid(s.entry)) return failed(is_busy(s.entry) ? table_error::busy : table_error::not_mapped, at.value, s.at);
  u64 const size = u64{1} << s.shift;
  if ((at.value & (size - 1)) != 0) return failed(table_error::misaligned, at.value, s.at);
  unmapping work = unmap_whatever(t, at, size);
  // Another call may have unmapped the page since it was found: it goes to one of them.
  if (State::mode::concurrent && work.out && !work.any) set_error(work.out, table_error::not_mapped, at.value, s.at);
  return work.out;
}

template <class State>
[[gnu::__noinline__]] stage2_outcome unmap_slow(State& t, ipa at) noexcept {
  return restructure(t, at, [&] { return unmap_any(t, at); });
}

// A range, whatever is in it.
template <class State>
[[gnu::__noinline__]] stage2_outcome unmap_pages(State& t, ipa at, u64 size) noexcept {
  stage2_outcome out;
  if (!unmap_in_one_table(t, at, size, out)) out = restructure(t, at, [&] { return unmap_range(t, at, size); });
  return out;
}

}  // namespace vmsa::engine
