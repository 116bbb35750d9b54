// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/explain.hpp"

#include <algorithm>

#include "text/explain/explain_fields.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
std::string say_role(field_info const& row, u64 value) {
  switch (row.role) {
    case field_role::res0: return value == 0 ? "" : "reserved: should be zero";
    case field_role::res1: return ~value & low_mask(row.width()) ? "reserved: should be ones" : "";
    case field_role::ignored: return "not looked at";
    case field_role::software: return "software's own";
    case field_role::architected: break;
  }
  return {};
}

std::string join(std::vector<std::string> const& words, std::string_view separator) {
  std::string out;
  for (std::string const& word : words) {
    if (word.empty()) continue;
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

std::string say_shareability(u64 sh) {
  u8 const bits = static_cast<u8>(sh & 0b11);
  if (shareability_is_reserved(bits)) return "reserved (CONSTRAINED UNPREDICTABLE)";
  return std::string(long_name(decode_shareability(bits)));
}

std::string say_walk_cacheability(u64 rgn) {
  constexpr std::string_view names[] = {"table walks: Normal-NC", "table walks: WB, read- and write-allocate",
                                        "table walks: WT, read-allocate", "table walks: WB, read-allocate"};
  return std::string(names[rgn & 0b11]);
}

std::string say_address_size(u64 ps) {
  u8 const bits = static_cast<u8>(ps & 0b111);
  if (bits == 0b111) return "reserved: acts as 52 bits";
  return fmt::format("{} bits", physical_address_bits(bits));
}

std::string say_fault_status(u8 fsc) {
  fault_status const status = decode_fsc(fsc);
  std::string text{name(status.kind)};
  if (status.at_level) text += fmt::format(", level {}", static_cast<int>(*status.at_level));
  return text;
}

}  // namespace vmsa::text
