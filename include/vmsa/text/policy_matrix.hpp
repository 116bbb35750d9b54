// SPDX-License-Identifier: MIT
// Many decisions beside each other: backings down, kernels and hosts across; and what differs between two of them.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "vmsa/text/combine_report.hpp"
#include "vmsa/text/policy_file.hpp"

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
  std::vector<line> lines;        // one for each backing
};
// `slot` adds to each backing's own flags.
matrix policy_matrix(std::vector<policy_side> sides, memslot slot, fault_access const& access);

struct policy_difference {
  backing kind{};
  access_kind access{};
  decision before{};
  decision after{};
};
// The backings and accesses whose answer, encoding or cache maintenance differs.
std::vector<policy_difference> policy_diff(policy_side const& a, policy_side const& b, memslot slot,
                                           std::span<access_kind const> accesses);

std::string to_text(matrix const& m, table_format format);
std::string to_json(matrix const& m);
std::string to_text(policy_side const& a, policy_side const& b, std::span<policy_difference const> list,
                    table_format format);
std::string to_json(policy_side const& a, policy_side const& b, std::span<policy_difference const> list);

}  // namespace vmsa::text
