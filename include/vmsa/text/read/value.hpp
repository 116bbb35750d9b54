// SPDX-License-Identifier: MIT
// A register's value as people write it down, and the name that may stand before it.
#pragma once
#include <string>
#include <string_view>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

/// A value and the register's name that stood before it, upper case; empty when none did.
struct named_value {
  std::string name;
  u64 value = 0;
  unsigned digits = 0;  // hexadecimal digits that were typed, leading zeros too; 0 for binary
};

/// Takes `0x9381_0006`, `93810006`, `0b1010`, `ESR_EL2=0x93810006`, `esr_el1: 0x93810006UL`, `ESR    : 93810006`, and
/// gdb's `MAIR_EL1 0xff44 65348`, whose second number is the first in decimal. A number without a prefix is
/// hexadecimal. Refuses what two readings would take differently: nine or more decimal digits without 0x, unless they
/// are 16. Throws input_error with the value and what is valid.
named_value parse_named_value(std::string_view text);

/// What `parse_named_value` takes, for messages.
inline constexpr std::string_view valid_value =
    "hexadecimal digits, with or without 0x, at most 64 bits; 0b and binary digits; NAME=VALUE";

}  // namespace vmsa::text
