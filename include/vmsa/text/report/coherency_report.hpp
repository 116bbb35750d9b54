// SPDX-License-Identifier: MIT
// The answer of `vmsa coherency` in each of its forms. src/README.md describes them.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/sim/coherency/repair.hpp"
#include "vmsa/text/read/coherency_file.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

struct coherency_report {
  coherency_file file;
  coherency::check_result result;
  std::optional<coherency::repair_result> repair;  // of a violation, where it was asked for
  std::string command;                             // that reproduces the report
};

// One row of the trace: who did what, and what every place holds afterwards.
struct told_step {
  std::string who;  // an agent, or `cache of host`
  std::string what;
  std::vector<std::string> caches;  // [cache]: `x=0`, `x=1 dirty`; empty for nothing
  std::string memory;               // `x=1 y=0`
};
std::vector<told_step> tell(coherency_report const& r);
std::vector<std::string> cache_names(coherency_report const& r);

// `nic reads x=0, but must see x=1 or later`; empty unless violation.
std::string violation_text(coherency_report const& r);
// The rule of the architecture behind the violation, with the section it comes from; empty unless violation.
std::string violation_rule(coherency_report const& r);
std::string change_text(coherency::scenario const& s, coherency::scenario_change const& c);

/// The answer for people; as_text and as_markdown give it their look.
document tell_coherency(coherency_report const& r);
std::string coherency_as_json(coherency_report const& r);
std::string coherency_as_svg(coherency_report const& r);
// The model for SPIN: the same states and transitions, so that `pan` counts the same states.
std::string coherency_as_promela(coherency_file const& file, coherency::model const& m);

}  // namespace vmsa::text
