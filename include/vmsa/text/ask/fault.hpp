// SPDX-License-Identifier: MIT
// The question of `vmsa fault` run through handle_fault on a simulated machine: an answer with every value on the way.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/policy/fault_trace.hpp"
#include "vmsa/policy/what_if.hpp"
#include "vmsa/sim/coherency/judge.hpp"
#include "vmsa/text/read/fault_input.hpp"
#include "vmsa/text/read/policy_file.hpp"

namespace vmsa::text {

/// A device that reaches the memory: what this release makes of it, and of mapping this memory for it.
struct fault_dma {
  dma_answer device{};
  dma_mapping mapping{};
};

/// One access with every value on its way. Of a scenario whose memory is not known the outcome holds the decoded fault,
/// and nothing more. `outcome.where` points into the report's regions, and its decision's row into the report's policy.
struct fault_story {
  guest_access access{};
  std::optional<named_region> memory{};  // none: no memslot
  fault_trace outcome{};
  descriptor_format format{};
  std::optional<fault_dma> dma{};  // of memory that a device reaches, under a release of Linux
  what_if_list otherwise{};        // empty for a policy that is not KVM's
  std::vector<coherency::judgement> judgements{};
  std::vector<std::string> notes{};  // what the answer takes on trust, and what the decision does not show
};

/// The answer of `vmsa fault`. It owns all that its stories point at, and so is moved and never copied.
struct fault_report {
  fault_report(fault_scenario asked, named_policy by);
  fault_report(fault_report&&) = default;
  fault_report& operator=(fault_report&&) = default;
  fault_report(fault_report const&) = delete;
  fault_report& operator=(fault_report const&) = delete;

  fault_scenario scenario;  // as it was asked
  named_policy policy;
  std::vector<region> regions;  // of the scenario's memory, in its order
  std::vector<fault_story> stories;
  std::vector<std::string> notes;  // about the policy and the host

  bool any_mismatch() const noexcept;
};

/// Runs the accesses in order over one table, as one guest would, under the policy that the scenario names. Throws
/// input_error for a policy nobody knows.
fault_report run(fault_scenario scenario);
/// The same under a policy in hand: what the scenario says of its policy does not count.
fault_report run(fault_scenario scenario, named_policy policy);

/// The host's page: as the scenario, the kernel's name or the processor says it, or 4K.
granule host_page(fault_scenario const& scenario);

/// Stage 1's output as the guest meant it: a MAIR byte that needs a feature says that the guest has the feature.
memory_attributes stage1_of(guest_access const& access, access_kind kind, features f);

}  // namespace vmsa::text
