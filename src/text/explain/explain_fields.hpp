// SPDX-License-Identifier: MIT
// From layout rows to explained fields.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmsa/text/explain/explain.hpp"

namespace vmsa::text {

// What there is to say of a row that has no meaning of its own.
std::string say_role(field_info const& row, u64 value);

// `say(row, value)` gives the meaning of an architected row.
template <class Rows, class Say>
std::vector<explained_field> explain_rows(u64 raw, Rows const& rows, Say const& say) {
  std::vector<explained_field> fields;
  for (field_info const& row : rows) {
    u64 const value = row.get(raw);
    fields.push_back({row.high,
                      row.low,
                      row.name,
                      value,
                      row.role == field_role::architected ? std::string(say(row, value)) : say_role(row, value),
                      {},
                      {}});
  }
  return fields;
}

inline explained_field part(unsigned high, unsigned low, std::string name, u64 raw, std::string meaning) {
  return {static_cast<u8>(high),
          static_cast<u8>(low),
          std::move(name),
          (raw & bit_mask(high, low)) >> low,
          std::move(meaning),
          {},
          {}};
}

// `words` joined by `separator`, the empty ones left out.
std::string join(std::vector<std::string> const& words, std::string_view separator = ", ");

// The meaning of a one-bit field, when set and when clear.
struct flag_meaning {
  std::string_view name;
  std::string_view set;
  std::string_view clear = "";
};
template <std::size_t N>
std::string say_flag(flag_meaning const (&table)[N], std::string_view name, u64 value) {
  for (flag_meaning const& row : table)
    if (row.name == name) return std::string(value != 0 ? row.set : row.clear);
  return {};
}

// KVM fills a guest's registers with 0x1de7ec7edbadc0de at reset, and PAR_EL1 of a failed emulation with another word
// that ends so [arch/arm64/kvm/sys_regs.c, reset_unknown].
constexpr bool is_reset_pattern(u64 value) noexcept { return (value & low_mask(32)) == 0xdbad'c0de; }

// Fields with the same encoding in several registers.
std::string say_shareability(u64 sh);
std::string say_walk_cacheability(u64 rgn);
std::string say_address_size(u64 ps);
std::string say_fault_status(u8 fsc);  // `translation fault, level 2`

// What a permission index grants, as far as `reading` holds the registers; and the dirty state that a leaf then has.
std::string say_indirect(u8 index, descriptor_reading const& reading);
std::string say_dirty(bool dirty);

// Stage 2 MemAttr: the type alone, `Normal-NC`; and what it does to stage 1's, in a sentence.
std::string say_stage2_memory(u8 memattr, bool fwb, processor const& m = {});
std::string say_memattr(u8 memattr, bool fwb, processor const& m = {});
// The fields within a MemAttr whose lowest bit is `low`.
std::vector<explained_field> memattr_parts(u8 memattr, unsigned low, bool fwb);

}  // namespace vmsa::text
