// SPDX-License-Identifier: MIT
// What the table says about an address, as software reads it: no access, no permission, no fault.
#pragma once
#include "vmsa/mmu/stage2_table_state.hpp"

namespace vmsa::engine {

// A leaf's output address for the input address it was found with.
template <class State>
[[gnu::always_inline]] inline pa output_of(State const& t, slot const& s, u64 input) noexcept {
  u64 const offset = low_mask(s.shift);
  descriptor_format const f = t.format();
  u64 address = s.entry.raw & bit_mask(47, 0);
  if (f.ds || f.lpa) address = leaf_output(s.entry, s.at, f).value;
  return {(address & ~offset) | (input & offset)};
}

template <class State>
[[gnu::always_inline]] inline stage2_mapping look_up(State const& t, ipa at) noexcept {
  stage2_mapping found;
  if (!t.shape.contains(at.value)) return found;
  slot const s = t.find(at.value);
  found.entry = s.entry;
  found.at = s.at;
  found.size = u64{1} << s.shift;
  found.mapped = is_valid(s.entry);
  if (found.mapped) found.output = output_of(t, s, at.value);
  return found;
}

}  // namespace vmsa::engine
