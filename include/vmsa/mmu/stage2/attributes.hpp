// SPDX-License-Identifier: MIT
// Permissions and age, which need no break, only a TLBI where something was taken away; and the memory type, which
// always needs one.
#pragma once
#include "vmsa/mmu/stage2/cache.hpp"
#include "vmsa/mmu/stage2/descend.hpp"

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
    // XN grants by 0: only the change to 00 takes nothing away.
    bool const less =
        ((s.entry.raw ^ desired.raw) & stage2_bits::xn::mask) != 0 && (desired.raw & stage2_bits::xn::mask) != 0;
    u64 const gone = s.entry.raw & ~desired.raw & ~stage2_bits::xn::mask;
    u64 const size = u64{1} << s.shift;
    out.entries_written += 1;
    lost += (gone & clear) != 0 ? size : 0;
    if (gone != 0 || less) stale.add(input, size, s.at, false);
    return true;
  }
  bool idle(u64 any) const noexcept { return set == 0 ? (any & clear) == 0 : any == 0; }
  // Counted in registers, and the port found once: what is in memory is read again after every exchange of an entry.
  u64 single_pages(pa first, u64 input, u64 count) noexcept {
    State& table = t;
    auto& port = *table.port;
    u64 const kept = ~clear;
    u64 const added = set;
    u64 more = 0;  // pages that only gained something
    u64 less = 0;  // pages that lost something, the first and the last of them
    u64 begin = 0;
    u64 last = 0;
    u64 n = 0;
    for (; n < count; ++n) {
      pa const where = first + 8 * n;
      descriptor const d = port.load(where, State::mode::order);
      if (d.raw == 0) continue;
      descriptor const desired{(d.raw & kept) | added};
      if (!single_page(d) || ((d.raw ^ desired.raw) & stage2_bits::xn::mask) != 0) break;
      if (desired == d) continue;
      if (!table.change(where, d, desired)) break;
      if ((d.raw & ~desired.raw) == 0) {
        ++more;
        continue;
      }
      if (less++ == 0) begin = n;
      last = n;
    }
    u64 const size = table.granule_bytes();
    out.entries_written += more + less;
    lost += less * size;
    if (less != 0) stale.add(input + begin * size, (last + 1 - begin) * size, level::l3, false);
    return n;
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
      unfold(t, where - 8 * ((input - run) >> t.page_shift()), t.page_shift(), level::l3, run, out);
  }
};

template <partial Reach, class State>
stage2_outcome rewrite(State& t, ipa at, u64 size, u64 clear, u64 set, u64* lost = nullptr) noexcept {
  rewrite_leaves<State, Reach> op{t, clear, set};
  sweep(t, at, size, op);
  if (op.out.entries_written != 0) invalidate(t, op.stale, op.out);
  if (lost != nullptr) *lost = op.lost;
  return op.out;
}

template <partial Reach, class State>
[[gnu::__noinline__]] stage2_outcome rewrite_slow(State& t, ipa at, u64 size, u64 clear, u64 set, u64* lost) noexcept {
  auto const f = [&] { return rewrite<Reach>(t, at, size, clear, set, lost); };
  if constexpr (Reach == partial::split)
    return restructure(t, at, f);
  else
    return f();
}

// S2AP and XN as a leaf holds them.
constexpr u64 permission_fields(stage2_access access, stage2_execute execute) noexcept {
  return stage2_bits::xn::put(stage2_bits::s2ap::put(0, access), execute);
}

// Everything but one page at the last level: blocks and runs change as a whole.
template <class State>
[[gnu::__noinline__]] stage2_outcome relax_slow(State& t, u64 input, u64 set, u64 clear) noexcept {
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

// First pass: every leaf whose MemAttr or Shareability differs becomes busy.
template <class State>
struct break_leaves {
  static constexpr partial reach = partial::split;

  State& t;
  u64 mask = 0;
  u64 value = 0;
  stage2_outcome out{};
  stale_range stale{};

  bool leaf(slot const& s, u64 input) noexcept {
    if ((s.entry.raw & mask) == value) return true;
    if (!t.change(s.where, s.entry, busy_form(s.entry))) return false;
    out.entries_written += 1;
    out.broke = true;
    stale.add(input, u64{1} << s.shift, s.at, false);
    return true;
  }
};

// Second pass over what the first one broke.
template <class State>
struct make_leaves {
  State& t;
  u64 mask = 0;
  u64 value = 0;
  stage2_outcome& out;

  bool stopped() const noexcept { return false; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (t.is_table(s)) return below;
    if (is_busy(s.entry) && s.entry != page_going) {
      descriptor const leaf = leaf_form({(s.entry.raw & ~mask) | value}, s.at);
      clean_retyped(t, s.entry, leaf, s.at);
      t.put(s.where, leaf);
      out.entries_written += 1;
    }
    return p.stop(input);
  }
};

// Leaves that reach beyond the range are split first. `busy` means that the change ends there; what came before it has
// the new type.
template <class State>
stage2_outcome change_memory(State& t, ipa at, u64 size, stage2_memory memory, shareability sh) noexcept {
  descriptor_format const f = t.format();
  encoded_descriptor const encoded = encode_leaf_bits({.memory = memory, .fwb = t.controls.fwb, .sh = sh}, true, f);
  if (!encoded) return failed(table_error::leaf_encoding, at.value, level::l3);
  u64 const mask = stage2_bits::memattr::mask | (f.ds ? 0 : stage2_bits::sh::mask);
  u64 const value = encoded.value.raw & mask;

  break_leaves<State> op{t, mask, value};
  sweep(t, at, size, op);
  if (op.stale.empty()) return op.out;
  invalidate(t, op.stale, op.out);
  make_leaves<State> make{t, mask, value, op.out};
  descend(t, root_part(t, op.stale.begin, op.stale.end), make);
  t.port->issue(barrier::dsb_ishst);
  return op.out;
}

}  // namespace vmsa::engine
