// SPDX-License-Identifier: MIT
// With which memory attributes the walker itself reads and rewrites descriptors: what decides whether it sees what a
// kernel wrote through its own mapping of the tables. Worked out from a translation's trace, so that walks do not pay.
#pragma once
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

/// Of the read `t.steps[i]`. `one` is the half of stage 1 that was walked. A stage 2 table is read with the attributes
/// of VTCR_EL2; a stage 1 table with those of TCR, combined with the stage 2 leaf that maps it, which is the descriptor
/// read just before [AArch64_S1TTWMemAttr, AArch64_S2Translate].
template <class Regime>
constexpr memory_attributes read_attributes(Regime const& regime, stage1_tables const& one, translation const& t,
                                            unsigned i) noexcept {
  if (t.steps[i].by == stage::two) return regime.stage2.walks;
  if (!regime.stage2_on || i == 0) return with_effective_shareability(one.walks);
  descriptor const leaf = t.steps[i - 1].value;
  stage2_attributes const two = leaf_attributes(leaf, regime.stage2.shape.format, regime.stage2.sh, regime.choices);
  return combine_table_access(one.walks, two, regime.both);
}

/// Of the write `t.updates[i]`: those of the descriptor's last read.
template <class Regime>
constexpr memory_attributes update_attributes(Regime const& regime, stage1_tables const& one, translation const& t,
                                              unsigned i) noexcept {
  hardware_update const& u = t.updates[i];
  if (u.by == stage::two) return regime.stage2.walks;
  unsigned read = 0;
  for (unsigned s = 0; s < t.steps.size(); ++s)
    if (t.steps[s].by == stage::one && t.steps[s].where == u.where) read = s;
  return read_attributes(regime, one, t, read);
}

}  // namespace vmsa
