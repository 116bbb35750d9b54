// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "vmsa/policy/kvm.hpp"
#include "vmsa/text/ask/owners.hpp"
#include "vmsa/text/read/host_memory.hpp"

namespace vmsa::text {

/// Memory that one VM maps one way, and what a policy says about it.
struct audit_row {
  std::string vm{};
  u64 ipa = 0;
  pa first{};
  u64 size = 0;
  descriptor leaf{};
  leaf_type type{};
  access_rights rights{};
  std::string page{};   ///< The class of the page: `map-memory`, or several where nothing tells them apart.
  bool linear = false;  ///< The kernel's linear map has it.
  std::string vma{};    ///< The monitor's mapping: `wb`, `nGnRE`, `none`
  std::vector<std::string> rules{};     ///< Rows of the policy that give this leaf; empty: nothing explains it.
  std::vector<std::string> backings{};  ///< Kinds of memory for which they do.
  std::vector<std::string> expected{};  ///< Where nothing explains it: what the policy maps for such memory.
};

struct audit_answer {
  std::string policy{};
  std::string host{};
  std::vector<audit_row> rows{};  ///< By VM and address; what follows each other and is explained alike is one.
  u64 pages = 0;                  ///< Of 4K.
  u64 unexplained = 0;            ///< Pages that no row of the policy explains.
};

/// Each stage 2 leaf against what KVM of that release maps for such memory. The class of a page comes from the kernel's
/// linear map, or from `iomem` where there is one; the type of the monitor's mapping from its own stage 1.
audit_answer audit(machine const& m, machine_map const& map, kernel_version kernel, host_memory const* iomem);

}  // namespace vmsa::text
