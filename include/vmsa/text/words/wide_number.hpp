// SPDX-License-Identifier: MIT
// Numbers of up to 128 bits, as registers and descriptors of FEAT_D128 have.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

struct wide_number {
  u64 low = 0;
  u64 high = 0;
};

/// Hexadecimal with or without `0x`, up to 32 digits.
std::optional<wide_number> parse_wide_number(std::string_view text);

/// `0x` and as few digits as hold it.
std::string wide_hex(wide_number n);

}  // namespace vmsa::text
