// SPDX-License-Identifier: MIT
// Any bytes are a scenario, which is translated and told, or an input_error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/translation_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    vmsa::text::translation_scenario scenario = vmsa::text::parse_translation_scenario(text, "fuzz");
    auto const stories = vmsa::text::translate_all(scenario);
    (void)as_text(tell(scenario, stories));
    (void)vmsa::text::to_json(scenario, stories);
  } catch (vmsa::text::input_error const&) {
  }
  return 0;
}
