// SPDX-License-Identifier: MIT
// Changing the memory type of what is mapped: always break-before-make, once for the whole range.
#pragma once
#include "vmsa/mmu/stage2_table_sweep.hpp"

namespace vmsa::engine {

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
void make_leaves(State& t, pa table, unsigned shift, level at, u64 begin, u64 end, u64 mask, u64 value,
                 stage2_outcome& out) noexcept {
  u64 const size = u64{1} << shift;
  for (u64 input = begin; input < end;) {
    u64 const entry_begin = input & ~(size - 1);
    u64 const stop = end - entry_begin < size ? end : entry_begin + size;
    pa const where = table + t.entry_offset(input, shift, at);
    descriptor const entry = t.load(where);
    if (at != level::l3 && is_table_or_page(entry)) {
      make_leaves(t, t.next_table(entry), shift - t.w().stride, next(at), input, stop, mask, value, out);
    } else if (is_busy(entry) && entry != page_going) {
      u64 const type = at == level::l3 ? 0b11 : 0b01;
      descriptor const leaf{(entry.raw & ~(mask | 0b11)) | value | type};
      clean_retyped(t, entry, leaf, at);
      t.port->store(where, leaf, store_order::release);
      t.publish(where);
      out.entries_written += 1;
    }
    input = stop;
  }
}

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
  sweep_range(t, at, size, op);
  if (op.stale.empty()) return op.out;
  op.out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), f.ds, op.stale);
  level const start = t.shape.start_level();
  make_leaves(t, t.root, t.shape.shift(start), start, op.stale.begin, op.stale.end, mask, value, op.out);
  t.port->issue(barrier::dsb_ishst);
  return op.out;
}

}  // namespace vmsa::engine
