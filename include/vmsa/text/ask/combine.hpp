// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <vector>

#include "vmsa/arch/combine.hpp"

namespace vmsa::text {

/// One pair of stage 1 and stage 2 attributes, as raw encodings so that reserved ones can be asked about.
struct combine_question {
  u8 mair = 0xff;       ///< One byte of MAIR_EL1.
  u8 s1_sh = 0b11;      ///< SH of the stage 1 leaf, 0 to 3.
  u8 memattr = 0b1111;  ///< MemAttr of the stage 2 leaf, 0 to 15.
  u8 s2_sh = 0b11;
  bool fnxs = false;
  stage1_controls stage1{};
  controls stage2{};
};

struct combine_step {
  std::string name;
  memory_attributes attributes{};
  std::string says;  ///< `attributes` for a person: describe(), but without hints where stage 2 has none to give.
  std::string reason;
};

struct combine_answer {
  memory_attributes stage1{};  ///< What stage 1 hands on.
  memory_attributes effective{};
  u8 par_attr = 0;  ///< PAR_EL1.ATTR and PAR_EL1.SH after an AT instruction.
  u8 par_sh = 0;
  std::vector<combine_step> steps;
  std::vector<std::string> notes;  ///< What had to be chosen because an encoding is reserved.
};

combine_answer answer(combine_question const& question);

/// How every report names an IMPLEMENTATION DEFINED Shareability, see vmsa::open_shareability.
std::string say_open_shareability(shareability other);

/// One row of the grid of all pairs: a MemAttr against every stage 1 type.
struct combine_row {
  u8 memattr = 0;
  std::string says;
  std::array<memory_attributes, 7> results{};  ///< By summary, device_nGnRnE to normal_wb.
};

/// The grid under the controls of `question`, whose encodings are not read. FWB ignores bit 3 of MemAttr, so there are
/// 8 rows with it and 16 without.
std::vector<combine_row> combine_table(combine_question const& question);

}  // namespace vmsa::text
