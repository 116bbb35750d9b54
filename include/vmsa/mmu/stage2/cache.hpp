// SPDX-License-Identifier: MIT
// The cache maintenance that a change of leaves asks for, told to the port.
#pragma once
#include "vmsa/mmu/stage2/state.hpp"

namespace vmsa::engine {

// Work on caches over what an entry maps. What it is, arch/cache_duties.hpp decides.
template <class State>
void carry_out(State& t, cache_duties work, pa output, u64 size) noexcept {
  if (work.clean_invalidate_poc) {
    if (t.controls.fwb && State::mode::load(t.cleaned) == 0) State::mode::add(t.cleaned, 1);
    t.port->maintain(cache_op::clean_invalidate_to_poc, output, size);
  }
  if (work.invalidate_instruction_pou) t.port->maintain(cache_op::invalidate_instruction, output, size);
}

// A live leaf that becomes executable for somebody: the instruction caches may hold what the page was.
template <class State>
void clean_for_execution(State& t, descriptor old, descriptor desired, level at, u64 size) noexcept {
  bool const gains = ((old.raw ^ desired.raw) & stage2_bits::xn::mask) != 0 && t.caching(desired).executable;
  carry_out(t, duties_of_relax(gains, t.controls.dic), leaf_output(desired, at, t.format()), size);
}

// A leaf that no TLB holds any more.
template <class State>
void clean_unmapped(State& t, descriptor leaf, level at) noexcept {
  carry_out(t, duties_of_unmap(t.caching(leaf)), leaf_output(leaf, at, t.format()), t.shape.size(at));
}

// A leaf whose memory type changes.
template <class State>
void clean_retyped(State& t, descriptor old, descriptor desired, level at) noexcept {
  carry_out(t, duties_of_retype(t.caching(old), t.caching(desired), t.controls.dic),
            leaf_output(desired, at, t.format()), t.shape.size(at));
}

// A leaf that makes room for another: of the same memory, or of other memory that is mapped afresh.
template <class State>
void clean_replaced(State& t, slot const& s, descriptor desired, prepared_leaf const& p) noexcept {
  pa const output = leaf_output(desired, s.at, t.format());
  if (leaf_output(s.entry, s.at, t.format()) == output) return clean_retyped(t, s.entry, desired, s.at);
  clean_unmapped(t, s.entry, s.at);
  carry_out(t, p.duties, output, u64{1} << s.shift);
}

}  // namespace vmsa::engine
