// SPDX-License-Identifier: MIT
// The order in which a change of live descriptors reaches every TLB [Arm ARM, Using break-before-make].
#pragma once
#include "vmsa/arch/tlbi.hpp"
#include "vmsa/mmu/port.hpp"
#include "vmsa/mmu/stage2/outcome.hpp"

namespace vmsa {

// The input addresses whose translations must leave the TLBs, gathered over an operation.
struct stale_range {
  u64 begin = ~u64{0};
  u64 end = 0;
  // A level hint needs one level for all leaves, and no table among the removed entries: a wrong hint invalidates
  // nothing.
  level leaf = level::l3;
  bool one_level = true;

  constexpr bool empty() const noexcept { return begin >= end; }
  constexpr void add(u64 input, u64 size, level at, bool table) noexcept {
    if (table || (!empty() && at != leaf)) one_level = false;
    leaf = at;
    if (input < begin) begin = input;
    if (input + size > end) end = input + size;
  }
};

namespace engine {

// Beyond this many instructions, refilling the VMID's translations costs less than searching for them.
inline constexpr u64 most_single_invalidations = 64;
inline constexpr u64 most_range_granules = u64{8} << 21;  // eight of the largest ranges

// Issues the invalidations by address that cover `stale`; returns how many.
template <mmu_port Port>
u32 invalidate_by_address(Port& port, bool range, bool hint, granule tg, bool ds, stale_range const& stale) noexcept {
  u32 count = 0;
  u64 const step = stale.one_level ? level_size(tg, stale.leaf) : granule_size(tg);
  if (!range) {
    for (u64 at = stale.begin; at < stale.end; at += step, ++count)
      port.issue(tlbi{tlbi_kind::ipas2e1is, {at}, 0, tg, hint, stale.leaf});
    return count;
  }
  u64 const alignment = tlbi_range_alignment(tg, ds);
  for (u64 at = stale.begin; at < stale.end; ++count) {
    u64 const granules = (stale.end - at) >> granule_bits(tg);
    bool const by_range = stale.end - at > step && granules > 1 && at % alignment == 0;
    u64 const size = by_range ? largest_tlbi_range(granules).granules() << granule_bits(tg) : step;
    port.issue(
        tlbi{by_range ? tlbi_kind::ripas2e1is : tlbi_kind::ipas2e1is, {at}, by_range ? size : 0, tg, hint, stale.leaf});
    at += size;
  }
  return count;
}

// Makes what was written before visible to the walkers, then the TLBs forget `stale`; complete on return. Stage 2
// entries go first, then the combined ones, which could be made again from stale stage 2 entries. Returns the number of
// TLBI instructions.
template <mmu_port Port>
u32 invalidate(Port& port, stage2_controls const& controls, granule tg, bool ds, stale_range const& stale) noexcept {
  port.issue(barrier::dsb_ishst);
  if (stale.empty()) return 0;
  u64 const size = stale.end - stale.begin;
  u64 const step = stale.one_level ? level_size(tg, stale.leaf) : granule_size(tg);
  bool const singles = size / step <= most_single_invalidations;
  if (!singles && !(controls.tlbi_range && size >> granule_bits(tg) <= most_range_granules)) {
    port.issue(tlbi{.kind = tlbi_kind::vmalls12e1is, .tg = tg});
    port.issue(barrier::dsb_ish);
    return 1;
  }
  bool const hint = controls.ttl && stale.one_level && tlbi_level_hint(tg, stale.leaf) != 0;
  u32 const count = invalidate_by_address(port, controls.tlbi_range, hint, tg, ds, stale);
  port.issue(barrier::dsb_ish);
  port.issue(tlbi{.kind = tlbi_kind::vmalle1is, .tg = tg});
  port.issue(barrier::dsb_ish);
  return count + 1;
}

}  // namespace engine
}  // namespace vmsa
