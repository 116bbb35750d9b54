// SPDX-License-Identifier: MIT
// What the table says about one address, inlined: the walk to a page, written out.
#pragma once
#include "vmsa/mmu/stage2/read.hpp"

namespace vmsa::engine {

// A page's answer: the address from the entry, the rest from the input, whose bits 63:48 are 0 here.
template <class State>
[[gnu::__always_inline__]] inline stage2_mapping page_found(descriptor entry, u64 input) noexcept {
  constexpr walk_values const& c = State::written_out;
  return {entry, level::l3, {((entry.raw ^ input) & c.table_mask) ^ input}, c.page_mask + 1, true};
}

// The written-out walk to a page; everything else takes the other way.
template <class State>
[[gnu::__always_inline__]] inline stage2_mapping look_up(State const& t, ipa at) noexcept {
  u64 const input = at.value;
  if constexpr (!State::mode::short_ways) return look_up_any(t, input);
  if (pa where; t.find_page_to_read(input, where, t.through_port())) [[likely]] {
    descriptor const entry = t.load(where);
    if (is_table_or_page(entry)) [[likely]]
      return page_found<State>(entry, input);
  }
  // Field by field, so that the answer of the short way needs no memory.
  stage2_mapping const any = look_up_any(t, input);
  return {any.entry, any.at, {any.output.value}, any.size, any.mapped};
}
// The same walk whose descriptors `loaded` reads; false: look_up finds what is there.
template <class State, class Load>
[[gnu::__always_inline__]] inline bool look_up_page(State const& t, u64 input, Load const& loaded,
                                                    stage2_mapping& found) noexcept {
  if (pa where; t.find_page_to_read(input, where, loaded)) [[likely]] {
    descriptor const entry = loaded(where);
    if (is_table_or_page(entry)) [[likely]] {
      found = page_found<State>(entry, input);
      return true;
    }
  }
  return false;
}

}  // namespace vmsa::engine
