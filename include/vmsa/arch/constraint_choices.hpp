// SPDX-License-Identifier: MIT
// What the architecture leaves open. Each CONSTRAINED UNPREDICTABLE or IMPLEMENTATION DEFINED behaviour is a named
// value that the caller sees and may change; nothing is picked in silence. The defaults are those of the golden tables.
#pragma once
#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/memory_attributes.hpp"

namespace vmsa {

/// A behaviour that an answer hung on although the architecture leaves it open. Those with a member in
/// constraint_choices may be changed there; the others have one reading, and are named so that nobody takes it for
/// the only one.
enum class open_choice : u8 {
  reserved_mair,
  reserved_sh,
  reserved_s2_half,
  set_af_on_fault,
  set_dirty_on_fault,
  device_tag_store,
  device_fetch,
  keep_tagged,
  reserved_fwb_memattr,       // FWB=1, MemAttr 0bx100: read as 0bx101
  reserved_tg,                // the granule field holds no granule that is implemented
  txsz_below_minimum,         // the input space is larger than what is implemented
  txsz_above_maximum,         // the input space is smaller than the smallest
  misaligned_base,            // base address bits below the size of the start table: taken as 0
  contiguous_of_other_group,  // the address in a Contiguous entry is not that of its place: those bits are not looked
                              // at
  contiguous_too_large,       // a Contiguous range larger than the input space
  nt_block,                   // a block with nT set
  nv1_without_nv,             // HCR_EL2.NV1 without NV: taken as 0
  at_sets_af,                 // an address translation instruction finds the access flag clear, and hardware sets it
  unsupported_atomic,         // an atomic or exclusive where only shareable write-back memory is sure to take it
  check_of_64_bytes,          // a 64-byte access, for which another stage, or none, would refuse the memory's type
  cacheable_64_bytes,         // FEAT_LS64WB: one to cacheable memory other than shareable write-back
  stage1_shareability,        // FWB makes write-back of what stage 1 calls Device or Normal-NC, with SH or without
  high_output_bits,           // 64K, FEAT_LPA, PAMax below 52: a descriptor with bits 15:12
  unaligned_atomic,           // FEAT_LSE2: an atomic or exclusive that is not aligned to its size
};

/// A set of open_choice without an order: those that registers alone decide.
struct open_choices {
  u32 bits = 0;

  constexpr void add(open_choice c) noexcept { bits |= u32{1} << static_cast<unsigned>(c); }
  constexpr bool has(open_choice c) const noexcept { return ((bits >> static_cast<unsigned>(c)) & 1) != 0; }
  constexpr open_choices without(open_choice c) const noexcept {
    return {bits & ~(u32{1} << static_cast<unsigned>(c))};
  }
  constexpr bool empty() const noexcept { return bits == 0; }
  friend constexpr bool operator==(open_choices, open_choices) = default;
};
inline constexpr unsigned open_choice_count = static_cast<unsigned>(open_choice::unaligned_atomic) + 1;

/// How the memory type of a 64-byte access is checked [Arm ARM, Single-copy atomic 64-byte load/store].
enum class type_check : u8 {
  each_stage,       // each stage that is on checks the type that it gives
  result_at_last,   // the result is checked, and the last stage that is on reports
  result_at_first,  // the result is checked, and the first stage that gives a wrong type reports
};

struct constraint_choices {
  // CONSTRAINED UNPREDICTABLE
  u8 reserved_mair = 0x00;                                      // a reserved MAIR byte behaves as this one
  shareability reserved_sh = shareability::outer;               // SH = 0b01
  cache_policy reserved_s2_half = cache_policy::non_cacheable;  // a reserved half of stage 2 MemAttr, FWB = 0
  bool keep_tagged_when_cache_off = false;                      // SCTLR_EL1.C = 0 leaves Tagged alone
  bool device_fetch_faults = false;     // instruction fetch from Device: Permission fault, else as Normal-NC
  bool device_tag_store_faults = true;  // tag store to Device: Alignment fault
  bool set_af_on_fault = false;         // AF written although the access then faults
  bool set_dirty_on_fault = false;      // dirty state written although the access then faults
  // FEAT_LSE2: Alignment fault, else carried out. Shareable write-back memory takes it within 16 bytes, for sure.
  bool unaligned_atomic_faults = false;

  // IMPLEMENTATION DEFINED
  bool at_sets_af = true;                  // address translation instructions set the access flag
  bool unsupported_atomic_faults = false;  // DFSC 0x35; else carried out, atomic or not
  type_check check_of_64_bytes = type_check::each_stage;
  bool cacheable_64_bytes_fault = false;          // DFSC 0x35 at stage 1; else carried out
  bool effective_sh_at_stage1 = true;             // stage 1 hands on the effective Shareability, not SH
  bool txsz_above_max_faults = false;             // else clamped to the maximum
  bool txsz_below_min_faults = false;             // where not architected to fault; else clamped
  bool contiguous_misprogramming_faults = false;  // Contiguous range larger than the input space
  bool nt_faults = false;                         // an nT block is a Translation fault (FEAT_BBM 1, 2)
  bool high_output_bits = false;                  // 64K, FEAT_LPA, PAMax below 52: bits 15:12 are still address bits
  granule reserved_tg = granule::k4;              // TG0 or TG1 holds a reserved value

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
