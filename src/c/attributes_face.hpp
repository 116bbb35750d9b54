// SPDX-License-Identifier: MIT
// Memory attributes as C callers see them.
#pragma once

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/c/types.h"

namespace vmsa::c {

constexpr vmsa_attributes told(memory_attributes const& a) noexcept {
  vmsa_attributes out{};
  out.memory = static_cast<u8>(summarize(a));
  out.shareability = static_cast<u8>(with_effective_shareability(a).sh);
  out.par_attr = encode_par_attr(a, true);
  out.xs = a.xs;
  out.tagged = a.tagged;
  return out;
}

}  // namespace vmsa::c
