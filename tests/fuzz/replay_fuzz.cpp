// SPDX-License-Identifier: MIT
// Any bytes are a table, whose rows all count, or an input_error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/replay/replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    vmsa::text::line_reader reader("fuzz", std::string(reinterpret_cast<char const*>(data), size));
    vmsa::text::replay_report const r = vmsa::text::replay(reader, 3);
    if (r.matched + r.differed + r.skipped != r.rows) std::abort();
  } catch (vmsa::text::input_error const&) {
  }
  return 0;
}
