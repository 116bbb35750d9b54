// SPDX-License-Identifier: MIT
// The cache maintenance that a change of a stage 2 leaf asks for, decided here and nowhere else.
#pragma once
#include "vmsa/arch/stage2_attributes.hpp"

namespace vmsa {

/// Work on caches that goes with a change of a leaf, over everything that the leaf maps.
struct cache_duties {
  bool clean_invalidate_poc = false;        // data, to the Point of Coherency
  bool invalidate_instruction_pou = false;  // instructions, to the Point of Unification

  friend constexpr bool operator==(cache_duties, cache_duties) = default;
};

/// How a guest's accesses through a leaf may meet the caches. One leaf may do both: without FWB a guest's stage 1 can
/// lower Normal Write-Back to Normal Non-cacheable or Device, and with FWB MemAttr 0b0111 leaves the type to stage 1.
struct leaf_caching {
  bool through = false;     // some access may hit the data caches and allocate in them
  bool around = false;      // some access may go past them, to memory
  bool executable = false;  // somebody may fetch instructions

  friend constexpr bool operator==(leaf_caching, leaf_caching) = default;
};

/// The caching of a leaf with this MemAttr; `fwb` is HCR_EL2.FWB. Nobody fetches from a Device leaf. Without FWB a leaf
/// is cached as soon as one half of it is, and stage 1 may always lower it; 0b0100 is Normal-WB with FEAT_MTE_PERM.
constexpr leaf_caching caching_of(u8 memattr, bool executable, bool fwb) noexcept {
  if (fwb) {
    unsigned const type = memattr & 0b0111;
    if (type < 0b0100) return {.around = true};
    return {.through = type >= 0b0110, .around = type != 0b0110, .executable = executable};
  }
  if (memattr < 0b0100) return {.around = true};
  return {.through = memattr != 0b0101, .around = true, .executable = executable};
}
/// The same of a leaf that says `memory`. Normal-WT, which has no encoding with FWB, is cached and gone around.
constexpr leaf_caching caching_of(stage2_memory memory, bool executable, bool fwb) noexcept {
  std::optional<u8> const memattr = encode_memattr(memory, fwb);
  return memattr ? caching_of(*memattr, executable, fwb) : leaf_caching{true, true, executable};
}

/// Before a leaf is written where none was. What the host left in the caches must be in memory before an access can go
/// around them, and a fetch must not hit instructions that were there before, which CTR_EL0.DIC (`dic`) excludes. To
/// make its own code visible to its fetches (CTR_EL0.IDC) is the guest's work. A leaf that only goes around the caches
/// asks for nothing: KVM gives such leaves to memory that is not RAM, which the host does not cache.
constexpr cache_duties duties_of_map(leaf_caching after, bool dic) noexcept {
  return {.clean_invalidate_poc = after.through && after.around,
          .invalidate_instruction_pou = after.executable && !dic};
}

/// When a live leaf gains permissions and nothing else changes: its data was cleaned when it was mapped.
constexpr cache_duties duties_of_relax(bool gains_execution, bool dic) noexcept {
  return {.invalidate_instruction_pou = gains_execution && !dic};
}

/// When a live leaf changes its memory type: what went through the caches must be found by what goes around them, and
/// what the caches held before must not be found again.
constexpr cache_duties duties_of_retype(leaf_caching before, leaf_caching after, bool dic) noexcept {
  return {.clean_invalidate_poc = (before.through || after.through) && (before.around || after.around),
          .invalidate_instruction_pou = after.executable && !dic};
}

/// After the TLBI of a leaf that is gone: the guest may have written around the caches while they held an older value.
constexpr cache_duties duties_of_unmap(leaf_caching before) noexcept {
  return {.clean_invalidate_poc = before.through && before.around};
}

/// When a guest turns its MMU or caches on or off, or maintains them by set and way: over the whole VM.
constexpr cache_duties duties_of_cache_toggle(bool fwb) noexcept { return {.clean_invalidate_poc = !fwb}; }

static_assert(duties_of_map(caching_of(stage2_memory::normal_wb, true, false), false) == cache_duties{true, true});
static_assert(duties_of_map(caching_of(stage2_memory::normal_wb, true, true), true) == cache_duties{});

}  // namespace vmsa
