// SPDX-License-Identifier: MIT
// Any bytes are a scenario, which runs and can be told, or an input_error; any line is a tracepoint, another line, or
// an input_error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/fault_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  try {
    vmsa::text::fault_scenario const scenario = vmsa::text::parse_fault_scenario(text, "fuzz");
    vmsa::text::fault_report const report = vmsa::text::run(scenario);
    (void)as_text(tell(report));
    (void)vmsa::text::to_json(report);
  } catch (vmsa::text::input_error const&) {
  }
  try {
    (void)vmsa::text::parse_tracepoint(text.substr(0, text.find('\n')), {"fuzz", 1});
  } catch (vmsa::text::input_error const&) {
  }
  return 0;
}
