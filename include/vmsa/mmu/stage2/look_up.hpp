// SPDX-License-Identifier: MIT
// What the table says about one address, inlined: the walk to a page, written out.
#pragma once
#include "vmsa/mmu/stage2/read.hpp"

namespace vmsa::engine {

// The written-out walk to a page, whose descriptors `loaded` reads; false: look_up_any finds what is there.
template <class State, class Load>
[[gnu::__always_inline__]] inline bool look_up_page(State const& t, u64 input, Load const& loaded,
                                                    stage2_mapping& found) noexcept {
  constexpr walk_values const& c = State::written_out;
  if (pa where; t.find_page_to_read(input, where, loaded)) [[likely]] {
    descriptor const entry = loaded(where);
    if (is_table_or_page(entry)) [[likely]] {
      // The address from the entry, the rest from the input, whose bits 63:48 are 0 here.
      found = {entry, level::l3, {((entry.raw ^ input) & c.table_mask) ^ input}, c.page_mask + 1, true};
      return true;
    }
  }
  return false;
}

template <class State>
[[gnu::__always_inline__]] inline stage2_mapping look_up(State const& t, ipa at) noexcept {
  if constexpr (State::mode::short_ways)
    if (stage2_mapping page; look_up_page(t, at.value, t.through_port(), page)) [[likely]]
      return page;
  // Field by field, so that the answer of the short way needs no memory.
  stage2_mapping const any = look_up_any(t, at.value);
  return {any.entry, any.at, {any.output.value}, any.size, any.mapped};
}

}  // namespace vmsa::engine
