// SPDX-License-Identifier: MIT
// From what a person typed to an explanation.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "vmsa/text/explain.hpp"

namespace vmsa::text {

// Options of a `pte` as typed; empty: not said.
struct decode_options {
  std::string stage{};    // 1 2; not said: 2
  std::string level{};    // -1..3; not said: what a `Raw PTE:` line says, else 3
  std::string granule{};  // 4k 16k 64k; not said: 4k
  std::string fwb{};      // on off
  std::string ds{};
  std::string lpa{};
};

// What can be decoded, in the order of --help.
std::span<std::string_view const> decode_kinds() noexcept;

// `value` is hexadecimal, with or without 0x, at most 64 bits; for `mair` up to two digits are one attribute byte, for
// `pte` a whole `Raw PTE: 0x... (Level 3, VALID)` line will do. Throws input_error.
explanation decode(std::string_view kind, std::string_view value, decode_options const& options);

}  // namespace vmsa::text
