// SPDX-License-Identifier: MIT
// How two stages combine, step by step and as a grid: what `vmsa combine` prints.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/combine.hpp"

namespace vmsa::text {

// Raw encodings, so that reserved ones can be asked about.
struct combine_question {
  u8 mair = 0xff;
  u8 s1_sh = 0b11;
  u8 memattr = 0b1111;
  u8 s2_sh = 0b11;
  bool fnxs = false;
  stage1_controls stage1{};
  controls stage2{};
};

struct combine_step {
  std::string name;
  memory_attributes attributes{};
  std::string says;  // `attributes` for a person: describe(), but without hints where stage 2 has none to give
  std::string reason;
};

struct combine_answer {
  memory_attributes stage1{};  // what stage 1 hands on
  memory_attributes effective{};
  u8 par_attr = 0;
  u8 par_sh = 0;
  std::vector<combine_step> steps;
  std::vector<std::string> notes;  // what had to be chosen because an encoding is reserved
};

combine_answer answer(combine_question const& question);
std::string to_text(combine_question const& question, combine_answer const& answer);
std::string to_json(combine_question const& question, combine_answer const& answer);

// The grid: one row for each MemAttr (FWB ignores bit 3: eight rows), one column for each stage 1 type.
struct combine_row {
  u8 memattr = 0;
  std::string says;
  memory_attributes results[7] = {};  // by summary, device_nGnRnE to normal_wb
};
std::vector<combine_row> combine_table(combine_question const& controls);
enum class table_format : u8 { text, markdown };
std::string to_text(std::vector<combine_row> const& rows, bool fwb, table_format format);
std::string to_json(std::vector<combine_row> const& rows, bool fwb);

// A MAIR byte (one or two hexadecimal digits, 0x allowed) or the name of a type; a MemAttr (0x and one digit, four
// binary digits, 0b allowed) or the name of a type, `stage1` included; SH (`non inner outer`, `nsh ish osh` or 0 to 3).
// `option` names the argument in an error. They throw input_error.
u8 parse_mair_byte(std::string_view option, std::string_view text);
u8 parse_memattr(std::string_view option, std::string_view text, bool fwb);
u8 parse_sh(std::string_view option, std::string_view text);

}  // namespace vmsa::text
