// SPDX-License-Identifier: MIT
// Scenarios of any kind: refused with an input_error, or explored, repaired and told in every form.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/coherency_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa;
  std::string_view const toml(reinterpret_cast<char const*>(data), size);
  text::coherency_report report;
  try {
    report.file = text::parse_coherency(toml, "fuzz");
  } catch (text::input_error const&) {
    return 0;
  }
  coherency::check_options options;
  options.threads = 1;
  options.max_states = 2000;
  report.result = check(report.file.scenario, options);
  if (report.result.outcome == coherency::check_outcome::violation) {
    coherency::repair_options repair{.check = options, .most_changes = 1, .state_budget = 5000};
    report.repair = find_repair(report.file.scenario, repair);
  }
  bool const told = !as_text(tell_coherency(report)).empty() && !as_markdown(tell_coherency(report)).empty() &&
                    !text::coherency_as_json(report).empty() && !text::coherency_as_svg(report).empty();
  coherency::model_options plain{.symmetry = false};
  bool const exported = !text::coherency_as_promela(report.file, compile(report.file.scenario, plain)).empty();
  if (!told || !exported) __builtin_trap();
  return 0;
}
