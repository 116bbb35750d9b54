// SPDX-License-Identifier: MIT
// One pass over the leaves of a range: the frame of every operation that changes or reads many.
#pragma once
#include "vmsa/mmu/stage2_table_resize.hpp"

namespace vmsa::engine {

// What to do about a leaf that reaches beyond the range.
enum class partial : u8 {
  whole,  // the operation takes it as it is
  split,  // into the leaves one level below, until none reaches beyond
};

// Calls op.leaf(slot, input) for every valid leaf that [begin, end) touches, in order, and, where the operation has it,
// op.pages(first, input, count) for a stretch of last-level entries instead. An op has `stage2_outcome out` and a
// static `reach` of type partial; it stops the pass by an error in `out`. It may be called again for an entry that
// changed.
template <class State, class Op>
void sweep(State& t, pa table, unsigned shift, level at, u64 begin, u64 end, Op& op) noexcept {
  u64 const size = u64{1} << shift;
  if constexpr (requires { op.pages(table, begin, u64{}); }) {
    if (at == level::l3 && op.takes_pages()) {
      op.pages(table + t.entry_offset(begin, shift, at), begin, (end - begin) >> shift);
      return;
    }
  }
  for (u64 input = begin; input < end && op.out;) {
    u64 const entry_begin = input & ~(size - 1);
    u64 const stop = end - entry_begin < size ? end : entry_begin + size;
    pa const where = table + t.entry_offset(input, shift, at);
    descriptor const entry = t.load(where);
    slot const s{where, entry, shift, at};
    if (is_busy(entry)) {
      set_error(op.out, table_error::busy, input, at);
    } else if (t.is_table(s)) {
      sweep(t, t.next_table(entry), shift - t.w().stride, next(at), input, stop, op);
    } else if (is_valid(entry)) {
      if constexpr (Op::reach == partial::split)
        if (cut(t, s, input, begin, end, op.out)) continue;
      if (!op.leaf(s, entry_begin)) continue;
    }
    input = stop;
  }
}

template <class State, class Op>
void sweep_range(State& t, ipa at, u64 size, Op& op) noexcept {
  op.out = check_range(t, at, size);
  level const start = t.shape.start_level();
  if (op.out) sweep(t, t.root, t.shape.shift(start), start, at.value, at.value + size, op);
}

}  // namespace vmsa::engine
