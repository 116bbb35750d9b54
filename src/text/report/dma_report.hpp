// SPDX-License-Identifier: MIT
// What becomes of a device's accesses, told: in `vmsa decide --dma` and wherever a chain of attributes is shown.
#pragma once
#include <string>

#include "text/report/json.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// By which rule each step of a chain took place; empty where it did not.
struct chain_reasons {
  std::string incoming;
  std::string overridden;
  std::string stage1;
  std::string stage2;
};
chain_reasons chain_reasons_of(dma_path const& path, dma_answer const& answer);

/// The steps of a chain, one row each: what it was after the step, and by which rule.
table chain_table(smmu_chain const& chain, chain_reasons const& reasons, unsigned indent);
json_value chain_json(smmu_chain const& chain, chain_reasons const& reasons);

/// As kernels print it: `-14, EFAULT`; `not mapped` where there is no interface that could.
std::string number_and_name(dma_errno e);
/// Adds `DMA` and what follows it in the answer of `vmsa decide`.
void add_dma(document& d, dma_path const& path, dma_answer const& answer, dma_mapping const& mapping);
json_value dma_json(dma_path const& path, dma_answer const& answer, dma_mapping const& mapping);

/// Adds what changed on the DMA side between two releases, whichever is the earlier; nothing where nothing did.
void add_dma_changes(document& d, kernel_version before, kernel_version after);
json_value dma_changes_json(kernel_version before, kernel_version after);

}  // namespace vmsa::text
