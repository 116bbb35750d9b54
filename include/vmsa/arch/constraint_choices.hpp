// SPDX-License-Identifier: MIT
// What the architecture leaves open. Each CONSTRAINED UNPREDICTABLE or IMPLEMENTATION DEFINED behaviour is a named
// value that the caller sees and may change; nothing is picked in silence. The defaults are those of the golden tables.
#pragma once
#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/memory_attributes.hpp"

namespace vmsa {

struct constraint_choices {
  // CONSTRAINED UNPREDICTABLE
  u8 reserved_mair = 0x00;                                         // a reserved MAIR byte behaves as this one
  shareability reserved_sh = shareability::outer;                  // SH = 0b01
  cache_policy reserved_s2_half = cache_policy::non_cacheable;     // a reserved half of stage 2 MemAttr, FWB = 0
  bool keep_tagged_when_cache_off = false;                         // SCTLR_EL1.C = 0 leaves Tagged alone
  bool device_fetch_faults = false;                                // instruction fetch from Device: Permission fault, else as Normal-NC
  bool device_tag_store_faults = true;                             // tag store to Device: Alignment fault
  bool set_af_on_fault = false;                                    // AF written although the access then faults
  bool set_dirty_on_fault = false;                                 // dirty state written although the access then faults

  // IMPLEMENTATION DEFINED
  bool effective_sh_at_stage1 = true;                              // stage 1 hands on the effective Shareability, not SH
  bool txsz_above_max_faults = false;                              // else clamped to the maximum
  bool txsz_below_min_faults = false;                              // where not architected to fault; else clamped
  bool contiguous_misprogramming_faults = false;                   // Contiguous range larger than the input space
  bool nt_faults = false;                                          // an nT block is a Translation fault (FEAT_BBM 1, 2)
  granule reserved_tg = granule::k4;                               // TG0 or TG1 holds a reserved value

  friend constexpr bool operator==(constraint_choices const&, constraint_choices const&) = default;
};

// SH as a descriptor or TCR holds it, bits above 1 ignored [DecodeShareability].
constexpr shareability decode_shareability(u8 sh, constraint_choices const& choices = {}) noexcept {
  sh &= 0b11;
  return sh == 0b01 ? choices.reserved_sh : static_cast<shareability>(sh);
}
// True when SH holds the reserved encoding, so that decode_shareability made a choice.
constexpr bool shareability_is_reserved(u8 sh) noexcept { return (sh & 0b11) == 0b01; }

}  // namespace vmsa
