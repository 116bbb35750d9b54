// SPDX-License-Identifier: MIT
// What the table says about an address, as software reads it: no access, no permission, no fault.
#pragma once
#include "vmsa/mmu/stage2_table_state.hpp"

namespace vmsa::engine {

// A leaf's output address for the input address it was found with.
template <class State>
[[gnu::always_inline]] inline pa output_of(State const& t, slot const& s, u64 input) noexcept {
  descriptor_format const f = t.format();
  u64 const offset = low_mask(s.shift);
  if (f.ds || f.lpa) return {leaf_output(s.entry, s.at, f).value | (input & offset)};
  return {(s.entry.raw & bit_mask(47, 0) & ~offset) | (input & offset)};
}

template <class State>
[[gnu::noinline]] stage2_mapping look_up_any(State const& t, u64 input) noexcept {
  stage2_mapping found;
  if (!t.shape.contains(input)) return found;
  slot const s = t.find(input, t.page_shift());
  found.entry = s.entry;
  found.at = s.at;
  found.size = u64{1} << s.shift;
  found.mapped = is_valid(s.entry);
  if (found.mapped) found.output = output_of(t, s, input);
  return found;
}

// The written-out walk to a page; everything else takes the other way.
template <class State>
[[gnu::always_inline]] inline stage2_mapping look_up(State const& t, ipa at) noexcept {
  constexpr walk_values const& c = State::written_out;
  u64 const input = at.value;
  if (input < t.w().look_up_end) [[likely]] {
    if (pa where; t.find_page_written_out(input, where)) [[likely]] {
      descriptor const entry = t.load(where);
      if (is_table_or_page(entry)) [[likely]]
        // The address from the entry, the rest from the input: bits 63:48 of an input are 0 here.
        return {entry, level::l3, {((entry.raw ^ input) & c.table_mask) ^ input}, c.page_mask + 1, true};
    }
  }
  // Field by field, so that the answer of the short way needs no memory.
  stage2_mapping const any = look_up_any(t, input);
  return {any.entry, any.at, {any.output.value}, any.size, any.mapped};
}

}  // namespace vmsa::engine
