// SPDX-License-Identifier: MIT
// Any bytes are a policy in which every situation has a row, or an input_error; any line is a kernel's release or not,
// and a side of a comparison or an input_error.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/policy_matrix.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa;
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  try {
    text::named_policy const policy("fuzz", text::user_policy::parse(input, "fuzz"));
    for (unsigned i = 0; i < backing_count; ++i) {
      for (unsigned k = 0; k < access_kind_count; ++k) {
        auto const kind = static_cast<backing>(i);
        decision const d = policy.decide_for({}, inputs_of(kind), kind, {.kind = static_cast<access_kind>(k)});
        if (d.row != nullptr) continue;
        std::fprintf(stderr, "a checked policy has no row for %s\n", vmsa::name(kind));
        std::abort();
      }
    }
  } catch (text::input_error const&) {
  }
  std::string const line(input.substr(0, input.find('\n')));
  (void)text::parse_kernel(line);
  if (line.find(".toml") == std::string::npos) {
    try {
      (void)text::parse_side(line);
    } catch (text::input_error const&) {
    }
  }
  return 0;
}
