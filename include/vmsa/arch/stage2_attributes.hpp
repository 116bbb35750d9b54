// SPDX-License-Identifier: MIT
// Stage 2 MemAttr[3:0]: what each encoding says with and without HCR_EL2.FWB, and how to spell a memory type.
#pragma once
#include <optional>

#include "vmsa/arch/constraint_choices.hpp"
#include "vmsa/arch/features.hpp"

namespace vmsa {

// The attribute fields of a stage 2 leaf. `sh` comes from VTCR_EL2 instead when FEAT_LPA2 addresses are in use.
struct stage2_attributes {
  u8 memattr = 0b1111;
  shareability sh = shareability::inner;
  bool fnxs = false;  // descriptor bit 11

  friend constexpr bool operator==(stage2_attributes const&, stage2_attributes const&) = default;
};

// What a hypervisor may ask of a stage 2 leaf.
enum class stage2_memory : u8 {
  device_nGnRnE,
  device_nGnRE,
  device_nGRE,
  device_GRE,
  normal_nc,
  normal_wt,  // no encoding with FWB
  normal_wb,
  stage1,  // let stage 1 decide; without FWB that is Normal-WB's encoding
};

constexpr bool is_device(stage2_memory m) noexcept { return m <= stage2_memory::device_GRE; }

// The MemAttr that says `memory`, or none: encodings of the two schemes cannot be mixed up without saying FWB.
constexpr std::optional<u8> encode_memattr(stage2_memory memory, bool fwb) noexcept {
  switch (memory) {
    case stage2_memory::device_nGnRnE:
    case stage2_memory::device_nGnRE:
    case stage2_memory::device_nGRE:
    case stage2_memory::device_GRE: return static_cast<u8>(memory);
    case stage2_memory::normal_nc: return u8{0b0101};
    case stage2_memory::normal_wt: return fwb ? std::nullopt : std::optional<u8>{u8{0b1010}};
    case stage2_memory::normal_wb: return fwb ? u8{0b0110} : u8{0b1111};
    case stage2_memory::stage1: return fwb ? u8{0b0111} : u8{0b1111};
  }
  return std::nullopt;
}

// Without FWB the encoding reads 0100 as NoTagAccess; with FWB 111x adds it.
constexpr bool memattr_blocks_tags(u8 memattr, bool fwb) noexcept {
  return fwb ? (memattr & 0b1110) == 0b1110 : memattr == 0b0100;
}

// True when the encoding is CONSTRAINED UNPREDICTABLE. FWB's 0b100 is reserved in the manual although the pseudocode
// reads it as 0b101: software must not write it.
constexpr bool memattr_is_reserved(u8 memattr, bool fwb, features const& f) noexcept {
  memattr &= 0xf;
  if (fwb) return (memattr & 0b0111) == 0b0100;
  if (memattr == 0b0100) return !f.mte_perm;
  return memattr == 0b1000 || memattr == 0b1100;
}

// Stage 2's own attributes without FWB, before combining. Hints are stage 1's to give, so none are set here.
constexpr memory_attributes decode_memattr(stage2_attributes const& s2, features const& f,
                                           constraint_choices const& choices = {}) noexcept {
  u8 const memattr = s2.memattr & 0xf;
  bool const xs = !s2.fnxs;
  if ((memattr & 0b1100) == 0) {
    memory_attributes a = device_memory(static_cast<device_kind>(memattr), xs);
    a.sh = s2.sh;
    return a;
  }
  if (memattr == 0b0100 && f.mte_perm) {
    cacheability const wb{cache_policy::write_back};
    memory_attributes a = normal_memory(wb, wb, s2.sh, xs);
    a.no_tag_access = true;
    return a;
  }
  auto const half = [&](u8 bits) -> cacheability {
    return {bits == 0 ? choices.reserved_s2_half : static_cast<cache_policy>(bits)};
  };
  return normal_memory(half(memattr & 0b11), half(memattr >> 2), s2.sh, xs);
}

static_assert(encode_memattr(stage2_memory::normal_wb, true) == 0b0110 &&
              !encode_memattr(stage2_memory::normal_wt, true));
static_assert(summarize(decode_memattr({.memattr = 0b0101}, {})) == summary::normal_nc);

}  // namespace vmsa
