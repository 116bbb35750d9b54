// SPDX-License-Identifier: MIT
// What `vmsa decide` is given, as it was written.
#pragma once
#include <string>
#include <vector>

#include "decide_platform.hpp"
#include "options.hpp"

namespace vmsa::cli {

struct decide_arguments {
  std::string kvm, hypervisor, policy, type;
  std::string cpu, fwb, dic, page_size, lpa2, mode;
  std::string backing, vma, vma_flags, page, bar_size;
  std::string access, slot, fault, nested, stage1;
  std::string dma, s2fwb, canwbs, no_snoop, dma_user, smmu_stage1, iort;
  bool mte = false;
  bool nisv = false;
  bool sea = false;
  bool stage1_walk = false;
  bool cache_maintenance = false;
  bool no_isv = false;
  bool el0 = false;
  bool matrix = false;
  std::vector<std::string> columns;
  std::vector<std::string> diff;
  std::string outcome;
  format_option format{{"text", "markdown", "json"}};
  platform_arguments elsewhere;
};

// Prints the answer. Throws input_error for what cannot be asked.
void run_decide(decide_arguments const& a);

}  // namespace vmsa::cli
