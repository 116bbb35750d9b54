// SPDX-License-Identifier: MIT
// The attributes stage 1 hands to stage 2: from MAIR and the descriptor, or from a stage 1 that is off.
#pragma once
#include "vmsa/arch/mair.hpp"

namespace vmsa {

// The registers and the access, as they bear on stage 1 attributes.
struct stage1_controls {
  bool enabled = true;                // SCTLR_EL1.M; HCR_EL2.DC wins over it
  bool dc = false;                    // HCR_EL2.DC: default cacheable
  bool dct = false;                   // HCR_EL2.DCT: and Tagged
  bool vm = true;                     // HCR_EL2.VM: stage 2 follows, so the Shareability choice applies
  bool data_cacheable = true;         // SCTLR_EL1.C
  bool instruction_cacheable = true;  // SCTLR_EL1.I
  bool fetch = false;                 // the access is an instruction fetch
  features feat = all_features;
  constraint_choices choices{};
};

// Normal-NC with the XS of what it replaces: what a cache that is switched off makes of an access.
constexpr memory_attributes forced_non_cacheable(memory_attributes const& a) noexcept {
  return normal_memory(non_cacheable, non_cacheable, shareability::outer, a.xs);
}

constexpr memory_attributes apply_stage1_shareability(memory_attributes const& a, stage1_controls const& c) noexcept {
  return c.vm && !c.choices.effective_sh_at_stage1 ? a : with_effective_shareability(a);
}

// Attributes while no stage 1 translation is in force: SCTLR_EL1.M = 0, or HCR_EL2.DC = 1.
constexpr memory_attributes stage1_off_attributes(stage1_controls const& c) noexcept {
  if (c.dc) return normal_memory(write_back_rw, write_back_rw, shareability::non, false, c.dct && c.feat.mte2);
  if (!c.fetch) return device_memory(device_kind::nGnRnE);
  cacheability const half = c.instruction_cacheable ? write_through_ra : non_cacheable;
  return normal_memory(half, half, shareability::outer);
}

// A fetch from Device that does not fault is Normal-NC; SCTLR_EL1.C and .I switch caches off. `a` is what MAIR and SH
// say.
constexpr memory_attributes apply_stage1_controls(memory_attributes a, stage1_controls const& c) noexcept {
  if (!c.fetch && c.data_cacheable) return apply_stage1_shareability(a, c);
  shareability const sh = a.sh;
  if (c.fetch) {
    if (is_device(a) || !c.instruction_cacheable) a = forced_non_cacheable(a);
  } else if (is_normal(a) && !c.data_cacheable) {
    bool const keep_tagged = a.tagged && c.choices.keep_tagged_when_cache_off;
    a = forced_non_cacheable(a);
    a.tagged = keep_tagged;
  }
  a.sh = sh;
  return apply_stage1_shareability(a, c);
}

// `attr` is the MAIR byte that AttrIndx selects and `sh` the descriptor's (or TCR's) raw SH; neither counts when off.
constexpr memory_attributes stage1_attributes(u8 attr, u8 sh, stage1_controls const& c) noexcept {
  if (c.dc || !c.enabled) return stage1_off_attributes(c);
  return apply_stage1_controls(mair(attr, decode_shareability(sh, c.choices), c.feat, c.choices), c);
}

static_assert(summarize(stage1_attributes(0xff, 3, {.enabled = false})) == summary::device_nGnRnE);
static_assert(summarize(stage1_attributes(0x00, 3, {.dc = true})) == summary::normal_wb);

}  // namespace vmsa
