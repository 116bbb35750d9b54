// SPDX-License-Identifier: MIT
// Any bytes are a scenario or an input_error, and any line a tracepoint, another line, or an input_error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmsa/text/fault_input.hpp"
#include "vmsa/text/input_error.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  try {
    (void)vmsa::text::parse_fault_scenario(text, "fuzz");
  } catch (vmsa::text::input_error const&) {
  }
  try {
    (void)vmsa::text::parse_tracepoint(text.substr(0, text.find('\n')), {"fuzz", 1});
  } catch (vmsa::text::input_error const&) {
  }
  return 0;
}
