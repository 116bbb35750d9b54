// SPDX-License-Identifier: MIT
// Shared values as text for a person, and numbers as they stand in every input and output.
#pragma once
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "vmsa/arch/address.hpp"
#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {

// `0x` and lower-case digits without leading zeros: the form of every address, register and descriptor. In the header,
// so that the printers of vmsa/testing need no library of text.
inline std::string hex(u64 value) {
  char digits[18] = {'0', 'x'};
  return {digits, std::to_chars(digits + 2, digits + sizeof digits, value, 16).ptr};
}
template <class Space>
std::string hex(address<Space> a) {
  return hex(a.value);
}
// `0b` and exactly `width` binary digits, 1 <= width <= 64: a field as the manual prints it.
std::string binary(u64 value, unsigned width);
// `4K`, `2M`, `1G`: the largest unit that divides; bytes when none does.
std::string size_name(u64 bytes);

// One line for a person: `Normal-WB, inner shareable`, with halves, hints, XS and tags where they say more.
std::string describe(memory_attributes const& a);
// The part of it that Shareability and XS are not: `Normal-WB`, `Normal-mixed (inner WB-RW, outer NC)`.
std::string describe_type(memory_attributes const& a);
// The part after it: `, XS=0, Tagged`, where they differ from what the type has anyway; often empty.
std::string describe_extras(memory_attributes const& a);

// A number in decimal, or hexadecimal with 0x (or without, when `base` is 16). Nothing but digits is accepted: no sign,
// no space, no overflow; none otherwise.
std::optional<u64> parse_number(std::string_view text, int base = 0) noexcept;

/// A size in bytes: `4096`, `0x1000`, or with K, M, G, T, P or E for powers of 1024 as `512M`; none where it is not
/// that, is negative, or has more than 64 bits.
std::optional<u64> parse_size(std::string_view text) noexcept;

// Text or JSON form of a summary, upper or lower case; none for anything else.
std::optional<summary> parse_summary(std::string_view text) noexcept;
// The MAIR byte that guests use for a type so named; none for anything else.
std::optional<u8> usual_mair(std::string_view type) noexcept;

}  // namespace vmsa::text
