// SPDX-License-Identifier: MIT
// The cache maintenance that a change of leaves asks for: data that is reached through the caches and around them, and
// instructions that were there before.
#pragma once
#include "vmsa/mmu/stage2_table_state.hpp"

namespace vmsa::engine {

// The cache duties of a leaf that a guest is about to see for the first time.
template <class State>
void clean_for_guest(State& t, pa output, u64 size, prepared_leaf const& leaf) noexcept {
  if (leaf.clean_data) t.port->maintain(cache_op::clean_invalidate_to_poc, output, size);
  if (leaf.clean_instructions) t.port->maintain(cache_op::invalidate_instruction, output, size);
}

// The cache duties of a live leaf that becomes executable for somebody: the instruction caches may hold what the page
// was.
template <class State>
void clean_for_execution(State& t, descriptor old, descriptor desired, level at, u64 size) noexcept {
  bool const gains = ((old.raw ^ desired.raw) & stage2_bits::xn::mask) != 0 &&
                     (desired.raw & stage2_bits::xn::mask) != stage2_bits::xn::put(0, stage2_execute::nobody);
  if (gains && !t.controls.dic && !t.is_device(desired))
    t.port->maintain(cache_op::invalidate_instruction, leaf_output(desired, at, t.format()), size);
}

// Without FWB what an unmapped leaf made cacheable leaves the caches.
template <class State>
void clean_unmapped(State& t, descriptor leaf, level at) noexcept {
  if (!t.controls.fwb && t.may_be_cached(leaf))
    t.port->maintain(cache_op::clean_invalidate_to_poc, leaf_output(leaf, at, t.format()), t.shape.size(at));
}

// What a replaced leaf mapped leaves the caches: without FWB always, with it when its memory is now reached around
// them.
template <class State>
void clean_replaced(State& t, slot const& s, descriptor desired) noexcept {
  pa const output = leaf_output(s.entry, s.at, t.format());
  bool const goes_around = output == leaf_output(desired, s.at, t.format()) && !t.may_be_cached(desired);
  if (t.may_be_cached(s.entry) && (!t.controls.fwb || goes_around))
    t.port->maintain(cache_op::clean_invalidate_to_poc, output, u64{1} << s.shift);
}

// A leaf whose memory type changes. What the caches hold is found no more by an access that goes around them, and what
// they held before must not be found by one through them: with FWB the latter is not the case.
template <class State>
void clean_retyped(State& t, descriptor old, descriptor desired, level at) noexcept {
  pa const output = leaf_output(desired, at, t.format());
  u64 const size = t.shape.size(at);
  bool const before = t.may_be_cached(old);
  bool const after = t.may_be_cached(desired);
  if (t.controls.fwb ? before && !after : before || after)
    t.port->maintain(cache_op::clean_invalidate_to_poc, output, size);
  if (!t.controls.dic && !t.is_device(desired) && stage2_bits::xn::get(desired.raw) != stage2_execute::nobody)
    t.port->maintain(cache_op::invalidate_instruction, output, size);
}

}  // namespace vmsa::engine
