// SPDX-License-Identifier: MIT
#include "vmsa/text/words/wide_number.hpp"

#include <fmt/format.h>

#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

std::optional<wide_number> parse_wide_number(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::size_t const cut = text.size() > 16 ? text.size() - 16 : 0;
  std::optional<u64> const low = parse_number(text.substr(cut), 16);
  std::optional<u64> const high = cut == 0 ? 0 : parse_number(text.substr(0, cut), 16);
  if (!low || !high) return std::nullopt;
  return wide_number{*low, *high};
}

std::string wide_hex(wide_number n) { return n.high == 0 ? hex(n.low) : fmt::format("0x{:x}{:016x}", n.high, n.low); }

}  // namespace vmsa::text
