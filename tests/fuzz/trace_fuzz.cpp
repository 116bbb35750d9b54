// SPDX-License-Identifier: MIT
// Traces of any form: refused with an input_error, or judged and told, and the text form judges alike.
#include <cstddef>
#include <cstdint>
#include <string>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/check_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa;
  std::string const content(reinterpret_cast<char const*>(data), size);
  text::trace_answer answer;
  try {
    answer = text::check_trace("fuzz", content, {.final = true});
  } catch (text::input_error const&) {
    return 0;
  }
  if (text::as_text(text::tell(answer)).empty() || text::to_json(answer).empty()) __builtin_trap();
  if (content.starts_with("VMSATRB1")) {
    text::trace_answer const again = text::check_trace("fuzz", text::trace_as_text("fuzz", content), {.final = true});
    if (again.events != answer.events || again.violations.size() != answer.violations.size()) __builtin_trap();
  }
  return 0;
}
