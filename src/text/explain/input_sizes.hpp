// SPDX-License-Identifier: MIT
// What a control register or an SMMU's structure says of input sizes, judged: the one place for TCR_ELx, VTCR_EL2,
// VSTCR_EL2, STE and CD.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/explain/explain.hpp"

namespace vmsa::text {

struct stage2_sizes {
  std::optional<geometry> shape{};   // absent: every IPA is a level 0 Translation fault
  std::string reason{};              // then: the first error
  std::string errors{};              // and all of them, the size and the start level each for itself
  std::vector<std::string> notes{};  // of a T0SZ that counts as another
  std::string granule_choice{};      // of a granule that is reserved, or not there
  u8 least_pa_bits = 0;              // what the shape needs of the machine, where that is more than the smallest
};
/// VTCR_EL2, or the same fields of VSTCR_EL2 and of an STE.
stage2_sizes judge_sizes(vtcr_el2 vtcr, features const& f);

struct stage1_sizes {
  std::string summary;
  std::vector<std::string> notes{};
  bool valid = true;
  std::optional<geometry> shape{};
};
/// One half of TCR_ELx, or the same fields of a CD.
stage1_sizes judge_sizes(tcr_half const& h, va_half which, features const& f);

/// `granule`, `ipa_bits`, `start_level`, and the size of the root table.
void put_facts(geometry const& g, std::vector<explanation::fact>& facts);

}  // namespace vmsa::text
