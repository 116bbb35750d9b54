// SPDX-License-Identifier: MIT
// Coherency scenarios as TOML. src/README.md holds the grammar.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::text {

struct coherency_file {
  std::string name;  // of the file or the built-in, as errors and reports show it
  std::string title;
  std::string reason;                                        // why the verdict is what it is
  std::optional<coherency::check_outcome> expect;            // coherent or violation
  coherency::property property = coherency::property::none;  // what breaks, where the file says so
  coherency::scenario scenario;
  std::vector<std::string> notes;  // what to know of the policies that it names
};

// Throws input_error with `name` and the line: for what is not TOML, not this grammar, or has a problem
// (coherency::find_problem).
coherency_file parse_coherency(std::string_view toml, std::string const& name);

// The scenarios that come with vmsa, by name, in alphabetical order; `toml` is what the file in tests/scenarios holds.
struct builtin_scenario {
  std::string_view name;
  std::string_view toml;
};
std::vector<builtin_scenario> const& builtin_scenarios();

std::string_view name(coherency::check_outcome v) noexcept;  // coherent, violation, not-finished
std::string_view name(coherency::property p) noexcept;       // stale-read, lost-write, snapshot; empty for none
std::string_view name(coherency::stop_reason r) noexcept;    // max-states, max-memory, time ...; empty for none

// A step as a program writes it: `store x via nc`.
std::string step_text(coherency::scenario const& s, coherency::step const& st);

}  // namespace vmsa::text
