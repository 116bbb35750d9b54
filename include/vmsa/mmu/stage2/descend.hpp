// SPDX-License-Identifier: MIT
// The one way through the entries of a range: every operation that looks at more than one entry is an `op` here.
//
//   range:            |------------------------------------|
//   entries of the root:   |  a   |  b   |  c   |  d   |       a and d are touched in part, b and c as a whole
//   parts of a and d:        [..) of a's table        [..) of d's table: the same again one level below
#pragma once
#include "vmsa/mmu/stage2/cut.hpp"

namespace vmsa::engine {

// The share [begin, end) that a range has in one table, which maps it by entries of 2^shift bytes. Never empty.
struct part {
  pa table{};
  unsigned shift = 0;
  level at = level::l3;  // of the entries
  u64 begin = 0;
  u64 end = 0;

  constexpr u64 entry_size() const noexcept { return u64{1} << shift; }
  constexpr u64 entry_begin(u64 input) const noexcept { return input & ~low_mask(shift); }
  // Where the range leaves the entry that maps `input`.
  constexpr u64 stop(u64 input) const noexcept {
    u64 const first = entry_begin(input);
    return end - first < entry_size() ? end : first + entry_size();
  }
  // The range covers the entry that maps `input` as a whole.
  constexpr bool whole(u64 input) const noexcept { return stop(input) - input == entry_size(); }
};

template <class State>
part root_part(State const& t, u64 begin, u64 end) noexcept {
  level const start = t.shape.start_level();
  return {t.root, t.shape.shift(start), start, begin, end};
}
// The share of the table that entry `s` of `p` leads to.
template <class State>
part part_below(State const& t, part const& p, slot const& s, u64 input) noexcept {
  return {t.next_table(s.entry), p.shift - t.w().stride, next(p.at), input, p.stop(input)};
}

// What op.entry and op.left answer instead of the next address: go on in the table that the entry leads to.
inline constexpr u64 below = ~u64{0};

// Calls op.entry(slot, part, input) for every entry that the part touches, in order; `input` is where the range enters
// the entry. It answers where to go on: `input` looks again, part.stop(input) is the next entry, more skips entries,
// `below` goes through the table first. After that op.left(slot, part, input), where there is one, answers likewise.
// op.stopped() ends the pass. An op that has last_level(part) may take a whole part of a last-level table by itself.
template <class State, class Op>
void descend(State& t, part const& p, Op& op) noexcept {
  if constexpr (State::mode::short_ways && requires { op.last_level(p); }) {
    if (p.at == level::l3 && op.last_level(p)) return;
  }
  for (u64 input = p.begin; input < p.end && !op.stopped();) {
    pa const where = p.table + t.entry_offset(input, p.shift, p.at);
    slot const s{where, t.load(where), p.shift, p.at};
    u64 go_on = op.entry(s, p, input);
    if (go_on == below) {
      descend(t, part_below(t, p, s, input), op);
      if constexpr (requires { op.left(s, p, input); }) {
        if (op.stopped()) return;
        go_on = op.left(s, p, input);
      } else {
        go_on = p.stop(input);
      }
    }
    input = go_on;
  }
}

// The checks that every range shares; an outcome without error ends at the range's end.
template <class State>
stage2_outcome check_range(State const& t, ipa at, u64 size) noexcept {
  if (((at.value | size) & t.w().page_mask) != 0) return failed(table_error::misaligned, at.value, level::l3);
  if (size == 0 || at.value + size < at.value || !t.shape.contains(at.value + size - 1))
    return failed(table_error::out_of_range, at.value, t.shape.start_level());
  stage2_outcome out;
  out.at = at + size;
  return out;
}

// What to do about a leaf that reaches beyond the range.
enum class partial : u8 {
  whole,  // the operation takes it as it is
  split,  // into the leaves one level below, until none reaches beyond
};

// The leaves of a range: op.leaf(slot, address of its first byte) for each of them, until op.out has an error; false
// looks at the entry again. The op says as `reach` what happens to a leaf at the range's ends. What makes last-level
// tables fast, each where the op has it:
//   op.pages(first entry, input, count)   takes a stretch of entries by itself, where op.takes_pages()
//   op.idle(bits)                         true when leaves of which none has a bit beside these need nothing
//   op.single_pages(first, input, count)  leaf() for single pages and free entries, as many of `count` as it answers;
//                                         the next one is for leaf()
template <class State, class Op>
struct each_leaf {
  State& t;
  Op& op;

  bool stopped() const noexcept { return !op.out; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (t.is_table(s)) return below;
    if (is_busy(s.entry)) {
      set_error(op.out, table_error::busy, input, s.at);
    } else if (is_valid(s.entry)) {
      if constexpr (Op::reach == partial::split)
        if (cut(t, s, input, p.begin, p.end, op.out)) return input;
      if (!op.leaf(s, p.entry_begin(input))) return input;
    }
    return p.stop(input);
  }
  bool last_level(part const& p) noexcept {
    pa const first = p.table + t.entry_offset(p.begin, p.shift, p.at);
    u64 const count = (p.end - p.begin) >> p.shift;
    if constexpr (requires { op.pages(first, p.begin, count); }) {
      if (op.takes_pages()) {
        op.pages(first, p.begin, count);
        return true;
      }
    }
    if constexpr (requires { op.idle(u64{}); }) {
      for (u64 n = 0; n < count && op.out;) {
        pa const where = first + 8 * n;
        u64 const idle = idle_entries(where, count - n);
        if (idle != 0) {
          n += idle;
          continue;
        }
        // The eight at which the look-ahead stopped.
        u64 const stop = count - n < 8 ? count : n + 8;
        n += op.single_pages(where, p.begin + (n << p.shift), stop - n);
        while (n < stop && op.out) {
          slot const s{first + 8 * n, t.load(first + 8 * n), p.shift, p.at};
          n = (entry(s, p, p.begin + (n << p.shift)) - p.begin) >> p.shift;
        }
      }
      return true;
    }
    return false;
  }

 private:
  // How many entries from `where` on, of at most `count`, need nothing, in eights.
  u64 idle_entries(pa where, u64 count) const noexcept {
    pa const begin = where;
    pa const end = where + 8 * (count & ~u64{7});
    while (where < end && op.idle(t.any_of_eight(where))) where = where + 64;
    return (where - begin) / 8;
  }
};

template <class State, class Op>
void sweep(State& t, ipa at, u64 size, Op& op) noexcept {
  op.out = check_range(t, at, size);
  each_leaf<State, Op> each{t, op};
  if (op.out) descend(t, root_part(t, at.value, at.value + size), each);
}

}  // namespace vmsa::engine
