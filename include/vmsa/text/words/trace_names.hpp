// SPDX-License-Identifier: MIT
// The spelling of events and of what the judge says about them, and the rules that it goes by.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "vmsa/sim/discipline.hpp"

namespace vmsa::text {

std::string_view name(sim::violation_class c) noexcept;
std::string_view name(sim::violation_cause c) noexcept;  // "-" for none
std::string_view name(sim::violation_severity s) noexcept;
std::string_view name(sim::trace_register r) noexcept;
std::string_view name(sim::trace_verb v) noexcept;
std::string_view name(sim::trace_regime r) noexcept;
std::string_view name(sim::trace_hint h) noexcept;  // as Casemate spells them
std::string_view name(sim::discipline_rule r) noexcept;

std::optional<sim::violation_class> parse_violation_class(std::string_view word) noexcept;
std::optional<sim::violation_cause> parse_violation_cause(std::string_view word) noexcept;
std::optional<sim::trace_hint> parse_trace_hint(std::string_view word) noexcept;
std::optional<sim::violation_severity> parse_violation_severity(std::string_view word) noexcept;

/// `vae1is`, `ripas2le1osnxs` ...: the instruction's name in lower case without `tlbi`.
std::string name(tlbi_operation const& op);
std::optional<tlbi_operation> parse_tlbi(std::string_view word) noexcept;

/// `ish`, `oshst`, `ishnxs` ...
std::string name(sim::trace_barrier const& b);
std::optional<sim::trace_barrier> parse_barrier(std::string_view word) noexcept;

/// Turns on the erratum of this name or number; false where none has it.
bool set_erratum(sim::tlb_errata& errata, std::string_view name) noexcept;
inline constexpr char const* erratum_words =
    "repeat-tlbi (CVE-2025-10263 4118414 1286807 2441007 2441009 1009) speculative-at (1165522 1319367 1319537 "
    "1530923) "
    "carmel-cnp";

/// The rules that a violation goes by, most specific first: numbers of the list that `vmsa check --rules` prints.
std::string_view rules_of(sim::violation const& v) noexcept;

struct trace_rule {
  std::string_view number;  // R20 ...
  std::string_view says;
  std::string_view source;  // section title or rule identifier of the Arm Architecture Reference Manual
};
struct trace_rule_list {
  trace_rule const* first;
  trace_rule const* last;
  trace_rule const* begin() const noexcept { return first; }
  trace_rule const* end() const noexcept { return last; }
};
trace_rule_list trace_rules() noexcept;

/// What a rule of the discipline asks for; its number is D1 and on, in the order of the enumeration.
trace_rule rule_of(sim::discipline_rule r) noexcept;

}  // namespace vmsa::text
