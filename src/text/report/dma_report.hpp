// SPDX-License-Identifier: MIT
// What becomes of a device's accesses, told: in `vmsa decide --dma` and wherever a chain of attributes is shown.
#pragma once
#include <string>

#include "text/report/json.hpp"
#include "vmsa/policy/smmu.hpp"

namespace vmsa::text {

/// The steps of a chain, one line each: what it was after the step, and by which rule. `reason` may be empty where the
/// step did not take place.
struct chain_reasons {
  std::string incoming;
  std::string overridden;
  std::string stage1;
  std::string stage2;
};
chain_reasons chain_reasons_of(dma_path const& path, dma_answer const& answer);
std::string chain_text(smmu_chain const& chain, chain_reasons const& reasons, unsigned indent);
json_value chain_json(smmu_chain const& chain, chain_reasons const& reasons);

/// As kernels print it: `-14, EFAULT`; `not mapped` where there is no interface that could.
std::string number_and_name(dma_errno e);
/// `DMA` and what follows it in the answer of `vmsa decide`.
std::string dma_text(dma_path const& path, dma_answer const& answer, dma_mapping const& mapping);
json_value dma_json(dma_path const& path, dma_answer const& answer, dma_mapping const& mapping);

/// What changed on the DMA side between two releases, whichever is the earlier: one indented line each, after a
/// heading; empty when nothing did.
std::string dma_changes_text(kernel_version before, kernel_version after);
json_value dma_changes_json(kernel_version before, kernel_version after);

}  // namespace vmsa::text
