// SPDX-License-Identifier: MIT
// Any bytes are registers, a kernel's page-table text and a filter, or an input_error, for each of the readers.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/machine_registers.hpp"
#include "vmsa/text/read/page_table_text.hpp"
#include "vmsa/text/read/range_filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa::text;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  try {
    static_cast<void>(parse_machine_registers(text, "fuzz"));
  } catch (input_error const&) {
  }
  try {
    static_cast<void>(parse_page_table_text(text, "fuzz"));
  } catch (input_error const&) {
  }
  try {
    range_filter const f(text, "--where");
    static_cast<void>(f({.type = "normal-wb", .rights = {true, false, true}, .size = 4096}));
  } catch (input_error const&) {
  }
  return 0;
}
