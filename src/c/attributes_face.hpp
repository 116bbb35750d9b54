// SPDX-License-Identifier: MIT
// Memory attributes as C callers see them.
#pragma once

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/c/types.h"

namespace vmsa::c {

// The numbers of C: 0 says nothing, which is inner shareable, and 1 stands for SH 0b00.
constexpr bool is_shareability(int s) noexcept { return s >= VMSA_SHAREABILITY_USUAL && s <= VMSA_INNER_SHAREABLE; }
constexpr shareability shareability_from(int s) noexcept {
  if (s == VMSA_SHAREABILITY_USUAL) return shareability::inner;
  return s == VMSA_NON_SHAREABLE ? shareability::non : static_cast<shareability>(s);
}
constexpr u8 shareability_told(shareability s) noexcept {
  return s == shareability::non ? u8{VMSA_NON_SHAREABLE} : static_cast<u8>(s);
}

constexpr vmsa_attributes told(memory_attributes const& a) noexcept {
  vmsa_attributes out{};
  out.memory = static_cast<u8>(summarize(a));
  out.shareability = shareability_told(with_effective_shareability(a).sh);
  out.par_attr = encode_par_attr(a, true);
  out.xs = a.xs;
  out.tagged = a.tagged;
  return out;
}

}  // namespace vmsa::c
