// SPDX-License-Identifier: MIT
// Dirty logging: which pages were written since the last time.
#pragma once
#include "vmsa/mmu/stage2/attributes.hpp"
#include "vmsa/mmu/stage2/resize.hpp"

namespace vmsa::engine {

// Leaves of pages only, or Contiguous runs of them, all write-protected.
template <class State>
stage2_outcome start_dirty_log(State& t, ipa at, u64 size) noexcept {
  stage2_outcome out = split_range(t, at, size, level::l3);
  if (out) add_outcome(out, rewrite<partial::split>(t, at, size, write_bit, 0));
  return out;
}

// One more reading of every writable leaf: whoever set S2AP[1], the hypervisor on a fault or hardware through DBM,
// recorded a write. The leaf is write-protected again; a Contiguous run is reported whole.
template <class State, class Sink>
struct collect_writable {
  static constexpr partial reach = partial::whole;

  State& t;
  Sink& sink;
  stage2_outcome out{};
  stale_range stale{};

  bool idle(u64 any) const noexcept { return (any & write_bit) == 0; }
  u64 single_pages(pa first, u64 input, u64 count) noexcept {
    u64 n = 0;
    for (; n < count; ++n) {
      pa const where = first + 8 * n;
      descriptor const d = t.load(where);
      if (d.raw == 0) continue;
      if (!single_page(d)) break;
      if ((d.raw & write_bit) == 0) continue;
      if (!t.change(where, d, {d.raw & ~write_bit})) break;
      report(input + (n << t.page_shift()), t.granule_bytes(), level::l3, 1);
    }
    return n;
  }
  bool leaf(slot const& s, u64 input) noexcept {
    u64 const region = u64{1} << leaf_region_bits(s.entry, s.at, t.format());
    if (region >> s.shift > 1) return run(s, input, region);
    if ((s.entry.raw & write_bit) == 0) return true;
    if (!t.change(s.where, s.entry, {s.entry.raw & ~write_bit})) return false;
    report(input, region, s.at, 1);
    return true;
  }
  // One TLB entry may hold the run, so a write anywhere in it may be recorded in any of its entries. Others may have
  // made a part of it smaller meanwhile, which is read by itself.
  bool run(slot const& s, u64 input, u64 region) noexcept {
    u64 const begin = input & ~(region - 1);
    pa const first = s.where - 8 * ((input - begin) >> s.shift);
    u64 changed = 0;
    for (u64 n = 0; n < region >> s.shift;) {
      descriptor const d = t.load(first + 8 * n);
      bool const written = is_valid(d) && descriptor_bits::contiguous::get(d.raw) && (d.raw & write_bit) != 0;
      if (written && !t.change(first + 8 * n, d, {d.raw & ~write_bit})) continue;
      changed += written;
      ++n;
    }
    if (changed != 0) report(begin, region, s.at, changed);
    return true;
  }
  void report(u64 input, u64 size, level at, u64 changed) noexcept {
    out.entries_written += changed;
    stale.add(input, size, at, false);
    sink(ipa{input}, size);
  }
};

template <class State, class Sink>
stage2_outcome collect_dirty(State& t, ipa at, u64 size, Sink& sink) noexcept {
  collect_writable<State, Sink> op{t, sink};
  sweep(t, at, size, op);
  if (!op.stale.empty()) invalidate(t, op.stale, op.out);
  return op.out;
}

}  // namespace vmsa::engine
