// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/outcomes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

bool leads_to(verdict const& v, std::string_view outcome) {
  return outcome == name(v.outcome) || (v.error != policy_errno::none && outcome == name(v.error)) ||
         (v.outcome == policy_outcome::map && outcome == json_name(v.memory));
}

std::vector<std::string> every_outcome() {
  std::vector<std::string> out;
  for (unsigned i = 0; i <= static_cast<unsigned>(policy_outcome::not_applicable); ++i)
    out.emplace_back(name(static_cast<policy_outcome>(i)));
  for (unsigned i = 1; i <= static_cast<unsigned>(policy_errno::enosys); ++i)
    out.emplace_back(name(static_cast<policy_errno>(i)));
  for (unsigned i = 0; i <= static_cast<unsigned>(stage2_memory::stage1); ++i)
    out.emplace_back(json_name(static_cast<stage2_memory>(i)));
  return out;
}

// A question that a command line can ask, and its options beside --backing and --access.
struct example {
  policy_host host{};
  memslot slot{};
  bool whole_pages = true;
  fault_access access{};
  bool fwb = false;
  bool dic = false;
  std::string options;
};

// One thing that differs from the plainest question: a read that misses, on a host without FWB and DIC.
struct deviation {
  char const* option;
  void (*apply)(example&);
};
constexpr deviation deviations[] = {
    {"--access write", [](example& e) { e.access.kind = access_kind::write; }},
    {"--access exec", [](example& e) { e.access.kind = access_kind::exec; }},
    {"--fwb on", [](example& e) { e.host.cpu.s2fwb = true; }},
    {"--dic on", [](example& e) { e.host.cpu.dic = true; }},
    {"--slot read-only", [](example& e) { e.slot.read_only = true; }},
    {"--slot log-dirty", [](example& e) { e.slot.log_dirty = true; }},
    {"--bar-size 2K", [](example& e) { e.whole_pages = false; }},
    {"--fault permission", [](example& e) { e.access.fault = fault_reason::permission; }},
    {"--fault access-flag", [](example& e) { e.access.fault = fault_reason::access_flag; }},
    {"--fault external-abort", [](example& e) { e.access.fault = fault_reason::external_abort; }},
    {"--fault beyond-host-limit", [](example& e) { e.access.fault = fault_reason::beyond_host_limit; }},
    {"--fault beyond-vm-limit", [](example& e) { e.access.fault = fault_reason::beyond_vm_limit; }},
    {"--fault alignment", [](example& e) { e.access.fault = fault_reason::alignment; }},
    {"--fault unsupported-access", [](example& e) { e.access.fault = fault_reason::unsupported_access; }},
    {"--fault unsupported", [](example& e) { e.access.fault = fault_reason::unsupported; }},
    {"--mode pkvm-guest", [](example& e) { e.host.mode = hypervisor_mode::pkvm_guest; }},
    {"--mode pkvm-protected", [](example& e) { e.host.mode = hypervisor_mode::pkvm_protected; }},
    {"--mode nested --guest-stage2 x",
     [](example& e) {
       e.host.mode = hypervisor_mode::nested;
       e.host.nested = {false, false, true};
     }},
    {"--mte", [](example& e) { e.host.mte_vm = true; }},
    {"--no-isv", [](example& e) { e.access.syndrome_valid = false; }},
    {"--nisv-exits", [](example& e) { e.host.nisv_exits = true; }},
    {"--sea-exits", [](example& e) { e.host.sea_exits = true; }},
    {"--stage1-walk", [](example& e) { e.access.stage1_walk = true; }},
    {"--cache-maintenance", [](example& e) { e.access.cache_maintenance = true; }},
};
constexpr std::size_t most_deviations = 3;

struct found_example {
  backing kind{};
  example asked{};
  memory_inputs memory{};
  decision decided{};
};

memory_inputs memory_of(backing kind, example const& e) {
  memory_inputs m = inputs_of(kind);
  m.slot.read_only = m.slot.read_only || e.slot.read_only;
  m.slot.log_dirty = m.slot.log_dirty || e.slot.log_dirty;
  m.slot.whole_pages = e.whole_pages;
  return m;
}

// The plainest question for each row, by the number of deviations.
std::vector<std::optional<found_example>> plainest(named_policy const& policy, std::span<rule const> rows) {
  std::vector<std::optional<found_example>> out(rows.size());
  std::size_t missing = rows.size();
  auto const ask = [&](example const& e) {
    for (unsigned i = 0; i + 1 < backing_count && missing != 0; ++i) {
      auto const kind = static_cast<backing>(i);
      memory_inputs const m = memory_of(kind, e);
      decision const d = policy.decide_for(e.host, m, kind, e.access);
      if (d.row == nullptr) continue;
      auto const at = static_cast<std::size_t>(d.row - rows.data());
      if (out[at]) continue;
      out[at] = found_example{kind, e, m, d};
      --missing;
    }
  };
  auto const deviate = [&](auto const& self, example const& e, std::size_t from, std::size_t left) -> void {
    if (left == 0) return ask(e);
    for (std::size_t i = from; i < std::size(deviations); ++i) {
      // Two values of one option are no question.
      std::string_view const option = deviations[i].option;
      if (e.options.find(option.substr(0, option.find(' '))) != std::string::npos && option.find(' ') != option.npos)
        continue;
      example next = e;
      deviations[i].apply(next);
      next.options += fmt::format(" {}", option);
      self(self, next, i + 1, left - 1);
    }
  };
  for (std::size_t n = 0; n <= most_deviations && missing != 0; ++n) deviate(deviate, {}, 0, n);
  return out;
}

// As wide as it can be, with every situation in it the row's: no row above takes any.
situation_set widened(situation_set box, rule const& row, std::span<rule const> above) {
  auto const allowed = [&](situation_set const& wider) {
    return wider.within(row.when) &&
           std::none_of(above.begin(), above.end(), [&](rule const& r) { return overlap(wider, r.when); });
  };
  for (unsigned field = static_cast<unsigned>(input_fields.size()); field-- > 0;) {
    situation_set wider = box;
    wider.put(field, row.when.get(field));
    if (allowed(wider)) {
      box = wider;
      continue;
    }
    for (unsigned v = 0; v < input_fields[field].values; ++v) {
      wider = box;
      wider.put(field, box.get(field) | u64{1} << v);
      if (allowed(wider)) box = wider;
    }
  }
  return box;
}

std::string command_of(named_policy const& policy, found_example const& f) {
  std::string options = f.asked.options;
  auto const with = [&options](std::string_view option, std::string_view value) {
    if (options.find(option) == std::string::npos) options = fmt::format(" {} {}{}", option, value, options);
  };
  with("--access", "read");
  with("--backing", name(f.kind));
  if (!policy.other()) {
    with("--dic", "off");
    with("--fwb", "off");
  }
  return fmt::format("vmsa decide --policy {}{}", shell_word(policy.name()), options);
}

}  // namespace

std::string outcome_names() { return fmt::format("{}", fmt::join(every_outcome(), " ")); }

outcome_answer situations_of(named_policy asked, std::string outcome) {
  std::vector<std::string> const valid = every_outcome();
  if (std::find(valid.begin(), valid.end(), outcome) == valid.end())
    throw input_error("", 0, fmt::format("--outcome \"{}\"", outcome), outcome_names());
  outcome_answer out{std::move(asked), std::move(outcome), {}};
  std::span<rule const> const rows = out.policy.rows();
  auto const examples = plainest(out.policy, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!leads_to(rows[i].then, out.outcome)) continue;
    outcome_situation s;
    s.row = &rows[i];
    std::span<rule const> const above = rows.first(i);
    situation_set seed;
    if (examples[i]) {
      found_example const& f = *examples[i];
      s.decided = f.decided;
      s.command = command_of(out.policy, f);
      seed = situation({f.asked.host, f.memory, f.kind, f.asked.access});
    } else {
      unsigned budget = check_budget;
      std::optional<situation_set> const rest = check_detail::uncovered(rows[i].when, above, budget);
      if (!rest) continue;  // a row that the rows above leave nothing of
      seed = *rest;
      verdict const& v = rows[i].then;
      s.decided = {.outcome = v.outcome, .memory = v.memory, .error = v.error, .cause = v.cause, .row = &rows[i]};
      s.decided.of_kvm = out.policy.kernel().has_value();
    }
    s.box = widened(seed, rows[i], above);
    for (unsigned field = 0; field < input_fields.size(); ++field)
      s.conditions += s.box.get(field) != low_mask(input_fields[field].values);
    out.situations.push_back(std::move(s));
  }
  std::stable_sort(out.situations.begin(), out.situations.end(),
                   [](auto const& a, auto const& b) { return a.conditions < b.conditions; });
  return out;
}

}  // namespace vmsa::text
