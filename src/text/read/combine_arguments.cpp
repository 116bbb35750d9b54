// SPDX-License-Identifier: MIT
#include "vmsa/text/read/combine_arguments.hpp"

#include <fmt/format.h>

#include <optional>

#include "vmsa/arch/stage2_attributes.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string valid) {
  throw input_error("", 0, fmt::format("{} \"{}\"", option, text.substr(0, 40)), std::move(valid));
}

std::optional<u64> parse_binary(std::string_view text) {
  bool const prefixed = text.starts_with("0b");
  if (prefixed) text.remove_prefix(2);
  if (text.size() > 4 || (!prefixed && text.size() != 4)) return std::nullopt;
  return parse_number(text, 2);
}

}  // namespace

u8 parse_mair_byte(std::string_view option, std::string_view text) {
  if (std::optional<u8> const byte = usual_mair(text)) return *byte;
  std::optional<u64> const number = parse_number(text, 16);
  if (!number || *number > 0xff)
    refuse(
        option, text,
        "a MAIR byte 0x00 to 0xff, or normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE device-nGRE device-GRE");
  return static_cast<u8>(*number);
}

u8 parse_memattr(std::string_view option, std::string_view text, bool fwb) {
  std::optional<stage2_memory> type;
  if (std::optional<summary> const s = parse_summary(text))
    type = static_cast<stage2_memory>(*s);
  else if (text == "stage1")
    type = stage2_memory::stage1;
  if (type) {
    if (std::optional<u8> const memattr = encode_memattr(*type, fwb)) return *memattr;
    refuse(option, text, "with FWB there is no encoding of Normal-WT");
  }
  std::optional<u64> number = parse_binary(text);
  if (!number) number = parse_number(text, 16);
  if (!number || *number > 0xf)
    refuse(option, text,
           "a MemAttr 0x0 to 0xf or 0b0000 to 0b1111, or normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE "
           "device-nGRE device-GRE stage1");
  return static_cast<u8>(*number);
}

u8 parse_sh(std::string_view option, std::string_view text) {
  struct sh_name {
    std::string_view text;
    u8 sh;
  };
  constexpr sh_name names[] = {{"non", 0b00}, {"nsh", 0b00}, {"outer", 0b10}, {"osh", 0b10}, {"inner", 0b11},
                               {"ish", 0b11}, {"0b00", 0},   {"0b01", 1},     {"0b10", 2},   {"0b11", 3}};
  for (sh_name const& row : names)
    if (row.text == text) return row.sh;
  std::optional<u64> const number = parse_number(text);
  if (!number || *number > 3) refuse(option, text, "non inner outer, or SH as 0 to 3");
  return static_cast<u8>(*number);
}

}  // namespace vmsa::text
