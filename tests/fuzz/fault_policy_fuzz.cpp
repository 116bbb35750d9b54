// SPDX-License-Identifier: MIT
// Two files, a policy and a scenario, with a byte of zero between them: what is both is run and told, and the answer
// keeps what it points at when both are gone.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz_input.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/fault_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa::text;
  auto const [policy_text, scenario_text] = vmsa::fuzz::two_files({reinterpret_cast<char const*>(data), size});
  std::optional<fault_report> report;
  try {
    named_policy const policy("policy.toml", user_policy::parse(policy_text, "policy.toml"));
    fault_scenario const scenario = parse_fault_scenario(scenario_text, "scenario.toml");
    report.emplace(run(scenario, policy));
  } catch (input_error const&) {
    return 0;
  }
  (void)as_text(tell(*report));
  (void)to_json(*report);
  return 0;
}
