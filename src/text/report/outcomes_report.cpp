// SPDX-License-Identifier: MIT
#include "vmsa/text/report/outcomes_report.hpp"

#include <fmt/format.h>

#include "text/report/json.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

// The two have the word in common: who sees "Bad address" may have met the other.
constexpr std::string_view dma_note =
    "a map ioctl of VFIO or iommufd fails with -14 too, which is no KVM_RUN's: ask with --dma";

std::vector<std::string> notes_of(outcome_answer const& a) {
  std::optional<std::string> note = a.policy.kernel() ? vendor_note(a.policy.name()) : std::nullopt;
  return note ? std::vector<std::string>{std::move(*note)} : std::vector<std::string>{};
}

}  // namespace

document tell(outcome_answer const& a) {
  document out;
  out.add(heading{fmt::format("{} under {}: {} situations, those of the fewest conditions first", a.outcome,
                              a.policy.name(), a.situations.size())});
  std::size_t number = 0;
  for (outcome_situation const& s : a.situations) {
    out.add(blank{});
    out.add(paragraph{fmt::format("{}. {}: {}", ++number, s.row->id, describe(s.decided))});
    key_values rows;
    rows.indent = 3;
    rows.add("why", s.row->why);
    rows.add("when", describe(s.box));
    if (s.command.empty()) rows.add("example", "no named backing; by its parts: --vma --vma-flags --page");
    out.add(std::move(rows));
    // Not among the rows, which are wrapped: a command is pasted as it stands.
    if (!s.command.empty()) out.add(commands{"example", {s.command}});
  }
  if (a.outcome == name(policy_errno::efault) && a.policy.kernel()) {
    out.add(blank{});
    out.add(paragraph{std::string(dma_note)});
  }
  for (std::string const& note : notes_of(a)) {
    out.add(blank{});
    out.add(paragraph{note});
  }
  return out;
}

std::string to_json(outcome_answer const& a) {
  json_value j = answer_json("decide.outcome");
  j["policy"] = a.policy.name();
  j["outcome"] = a.outcome;
  j["situations"] = json_value::array();
  for (outcome_situation const& s : a.situations) {
    json_value one = {{"rule", s.row->id},          {"outcome", name(s.decided.outcome)},
                      {"errno", nullptr},           {"cause", nullptr},
                      {"why", s.row->why},          {"when", describe(s.box)},
                      {"conditions", s.conditions}, {"command", nullptr}};
    if (s.decided.error != policy_errno::none) one["errno"] = name(s.decided.error);
    if (s.decided.cause != policy_cause::none) one["cause"] = name(s.decided.cause);
    if (!s.command.empty()) one["command"] = s.command;
    j["situations"].push_back(std::move(one));
  }
  j["notes"] = notes_of(a);
  return json_text(j);
}

}  // namespace vmsa::text
