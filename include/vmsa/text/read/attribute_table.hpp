// SPDX-License-Identifier: MIT
// A user's own table of attribute combinations: what each pair of stages is expected to end in.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "vmsa/text/ask/combine.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text {

// One row. What the table does not say is not judged.
struct attribute_case {
  std::string file;
  std::size_t line = 0;
  combine_question question{};
  std::optional<summary> type;
  std::optional<shareability> sh;
  std::optional<u8> par_attr;
  /// Why this row could not be read, with its place; empty for a row that says something. Such a row never holds.
  std::string unreadable;
};

// CSV with a header; empty lines and lines that begin with `#` are passed over. Columns, in any order:
//   stage1    MAIR byte (`ff`, `0xff`) or type (`normal-wb`); needed
//   stage2    MemAttr (`0x5`, `0b0101`) or type (`normal-nc`, `stage1`); needed
//   s1_sh, s2_sh               non inner outer, or 0 to 3; inner unless said
//   fwb, cd, id, fnxs, fetch   0 or 1; 0 unless said
//   type      expected: `normal-wb` ... `device-nGnRE`, `normal-mixed`
//   sh        expected: non inner outer
//   par_attr  expected: PAR_EL1.ATTR in hexadecimal
// At least one expected column; an empty cell is as if the column were not there. Cells may stand in double quotes and
// have blanks around them. A row that cannot be read is one that says why in `unreadable`; a header that cannot, or a
// table without rows, throws input_error.
std::vector<attribute_case> read_attribute_table(line_reader& lines);

// Every difference, `type: expected normal-wb, vmsa normal-nc`, and the steps that led there; empty when there is none.
std::string explain_differences(attribute_case const& row);

}  // namespace vmsa::text
