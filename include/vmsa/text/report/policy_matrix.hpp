// SPDX-License-Identifier: MIT
// Many decisions beside each other: backings down, kernels and hosts across; and what differs between two of them.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "vmsa/text/read/policy_file.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

// A policy on a host, as `VERSION[:fwb,dic,lpa2]`, `HYPERVISOR[:...]` or `FILE.toml[:...]`.
struct policy_side {
  std::string label;  // as written
  named_policy policy{"linux-6.17", kernel_version{6, 17}};
  policy_host host{};
};
// Throws input_error.
policy_side parse_side(std::string const& text);

// The columns of the experiment that judges KVM's tables.
std::vector<policy_side> usual_sides();

struct matrix {
  std::vector<policy_side> sides;
  fault_access access{};
  struct line {
    backing kind{};
    std::vector<decision> cells;  // one for each side
  };
  std::vector<line> lines;  // one for each backing
};
// `slot` adds to each backing's own flags.
matrix policy_matrix(std::vector<policy_side> sides, memslot slot, fault_access const& access);

struct policy_difference {
  backing kind{};
  access_kind access{};
  decision before{};
  decision after{};
};
/// Two sides and what differs between them; the rows of the decisions are those of the sides' policies.
struct policy_differences {
  policy_side before;
  policy_side after;
  std::vector<policy_difference> list;
};
/// The backings and accesses whose answer, encoding or cache maintenance differs.
policy_differences policy_diff(policy_side before, policy_side after, memslot slot,
                               std::span<access_kind const> accesses);

document tell(matrix const& m);
std::string to_json(matrix const& m);
document tell(policy_differences const& found);
std::string to_json(policy_differences const& found);

}  // namespace vmsa::text
