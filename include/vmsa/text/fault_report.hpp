// SPDX-License-Identifier: MIT
// `vmsa fault`: a scenario run through handle_fault on a simulated machine, told to a person or a program.
#pragma once
#include <string>
#include <vector>

#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/what_if.hpp"
#include "vmsa/sim/judge.hpp"
#include "vmsa/text/fault_input.hpp"

namespace vmsa::text {

// One access with every value on its way. Pointers lead into the scenario it came from. Of a scenario whose memory is not
// known the outcome holds the decoded fault, and nothing more.
struct fault_story {
  guest_access const* access = nullptr;
  named_region const* memory = nullptr;  // null: no memslot
  fault_outcome outcome{};
  descriptor_format format{};
  what_if_list otherwise{};              // empty for a policy that is not KVM's
  std::vector<coherency::judgement> judgements{};
};

struct fault_report {
  std::vector<fault_story> stories;
  bool any_mismatch() const noexcept;
};

// Runs the accesses in order over one table, as one guest would. The scenario outlives the report. Throws input_error
// for a policy nobody knows.
fault_report run(fault_scenario const& scenario);

std::string to_text(fault_scenario const& scenario, fault_report const& report);
std::string to_json(fault_scenario const& scenario, fault_report const& report);

}  // namespace vmsa::text
