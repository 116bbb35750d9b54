// SPDX-License-Identifier: MIT
// Permissions, age and dirty state: changes that need no break, only a TLBI where something was taken away.
#pragma once
#include "vmsa/mmu/stage2_table_sweep.hpp"

namespace vmsa::engine {

// Rewrites every leaf as (raw & ~clear) | set, and counts those that had a bit of `clear`.
template <class State, partial Reach>
struct rewrite_leaves {
  static constexpr partial reach = Reach;

  State& t;
  u64 clear = 0;
  u64 set = 0;
  stage2_outcome out{};
  stale_range stale{};
  u64 lost = 0;  // bytes whose leaves had one of the bits in `clear`

  bool leaf(slot const& s, u64 input) noexcept {
    descriptor const desired{(s.entry.raw & ~clear) | set};
    if (desired == s.entry) return true;
    clean_for_execution(t, s.entry, desired, s.at, u64{1} << s.shift);
    if (!t.change(s.where, s.entry, desired)) return false;
    out.entries_written += 1;
    // XN grants by 0: only the change to 00 takes nothing away.
    u64 const gone = s.entry.raw & ~desired.raw & ~stage2_bits::xn::mask;
    bool const less =
        ((s.entry.raw ^ desired.raw) & stage2_bits::xn::mask) != 0 && (desired.raw & stage2_bits::xn::mask) != 0;
    lost += (gone & clear) != 0 ? u64{1} << s.shift : 0;
    if (gone != 0 || less) stale.add(input, u64{1} << s.shift, s.at, false);
    return true;
  }

  // All of a stretch at once, where nobody else writes entries. A free entry has no bit to lose. A run of pages that
  // one TLB entry may hold is taken whole, or one by one at its ends.
  bool takes_pages() const noexcept {
    return sweeping_port<std::remove_pointer_t<decltype(t.port)>> && !State::mode::concurrent && t.plain && set == 0 &&
           (clear & stage2_bits::xn::mask) == 0;
  }
  void pages(pa first, u64 input, u64 count) noexcept {
    if constexpr (sweeping_port<std::remove_pointer_t<decltype(t.port)>>) {
      u64 const size = t.granule_bytes();
      if constexpr (Reach == partial::split) {
        unfold_end(first, input, input, input + count * size);
        unfold_end(first + 8 * (count - 1), input + (count - 1) * size, input, input + count * size);
      }
      u64 const changed = t.port->clear_bits(first, count, clear);
      if (changed == 0) return;
      out.entries_written += changed;
      lost += changed * size;
      stale.add(input, count * size, level::l3, false);
    }
  }
  void unfold_end(pa where, u64 input, u64 begin, u64 end) noexcept {
    descriptor const d = t.load(where);
    if (!is_valid(d) || !descriptor_bits::contiguous::get(d.raw)) return;
    u64 const bytes = u64{1} << leaf_region_bits(d, level::l3, t.format());
    u64 const run = input & ~(bytes - 1);
    if (run < begin || end - run < bytes)
      (void)unfold(t, where - 8 * ((input - run) >> t.page_shift()), t.page_shift(), level::l3, run, out);
  }
};

template <partial Reach, class State>
stage2_outcome rewrite(State& t, ipa at, u64 size, u64 clear, u64 set, u64* lost = nullptr) noexcept {
  rewrite_leaves<State, Reach> op{t, clear, set};
  sweep_range(t, at, size, op);
  if (op.out.entries_written != 0)
    op.out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, op.stale);
  if (lost != nullptr) *lost = op.lost;
  return op.out;
}

inline constexpr u64 write_bit = u64{0b10} << stage2_bits::s2ap::low;

// S2AP and XN as a leaf holds them.
constexpr u64 permission_fields(stage2_access access, stage2_execute execute) noexcept {
  return stage2_bits::xn::put(stage2_bits::s2ap::put(0, access), execute);
}

// One page gets more permissions: (raw | set) & ~clear, where `clear` are XN bits.
template <class State>
[[gnu::always_inline]] inline bool relax_page(State& t, pa where, u64 set, u64 clear, stage2_outcome& out) noexcept {
  descriptor const old = t.load(where);
  if (!single_page(old)) [[unlikely]]
    return false;
  descriptor const desired{(old.raw | set) & ~clear};
  if (desired == old) return true;
  if (clear != 0) clean_for_execution(t, old, desired, level::l3, t.granule_bytes());
  if (!t.change(where, old, desired)) [[unlikely]]
    return false;
  t.port->issue(barrier::dsb_ishst);
  out.entries_written = 1;
  return true;
}

// Everything but one page at the last level: blocks and runs change as a whole.
template <class State>
[[gnu::noinline]] stage2_outcome relax_slow(State& t, u64 input, u64 set, u64 clear) noexcept {
  if (!t.shape.contains(input)) return failed(table_error::out_of_range, input, t.shape.start_level());
  rewrite_leaves<State, partial::whole> op{t, clear, set};
  ipa end;
  for (bool done = false; !done;) {
    slot s = t.find(input, t.page_shift());
    if (!is_valid(s.entry)) return failed(is_busy(s.entry) ? table_error::busy : table_error::not_mapped, input, s.at);
    unsigned const region = leaf_region_bits(s.entry, s.at, t.format());
    u64 const run = u64{1} << (region - s.shift);
    u64 const own = (input & low_mask(region)) >> s.shift;
    s.where = s.where - own * 8;
    // Only what is still of the leaf that was found: others may be making it smaller, or have, and protected a part.
    // The entry of `input` itself is then found again.
    u64 n = 0;
    for (; n < run; ++n, s.where = s.where + 8) {
      if (run != 1) s.entry = t.load(s.where);
      if (is_busy(s.entry)) return failed(table_error::busy, input, s.at);
      bool const whole = is_valid(s.entry) && (run == 1 || descriptor_bits::contiguous::get(s.entry.raw));
      if (whole ? !op.leaf(s, input) : n == own) break;
    }
    done = n == run;
    end = {(input | low_mask(region)) + 1};
    op.out.at_level = s.at;
  }
  t.port->issue(barrier::dsb_ishst);
  op.out.at = end;
  return op.out;
}

template <class State>
[[gnu::always_inline]] inline stage2_outcome relax(State& t, stage2_cursor& cursor, ipa at, stage2_access access,
                                                   bool execute) noexcept {
  u64 const set = stage2_bits::s2ap::put(0, access) | descriptor_bits::af::mask;
  u64 const clear = execute ? stage2_bits::xn::mask : 0;
  stage2_outcome out;
  out.at = {(at.value | t.w().page_mask) + 1};
  u64 const index = t.index_in(cursor, at.value);
  pa where = cursor.group + 8 * index;
  if ((index < group_entries && t.is_fresh(cursor)) || t.find_page(at.value, where)) [[likely]]
    if (relax_page(t, where, set, clear, out)) [[likely]]
      return out;
  return relax_slow(t, at.value, set, clear);
}

}  // namespace vmsa::engine
