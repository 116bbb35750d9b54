// SPDX-License-Identifier: MIT
#include "vmsa/testing/attribute_table.hpp"

#include <utility>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa {

std::vector<text::attribute_case> load_attribute_table(std::string path) {
  try {
    text::line_reader lines(path);
    return text::read_attribute_table(lines);
  } catch (text::input_error const& error) {
    text::attribute_case row;
    row.file = std::move(path);
    row.line = error.line();
    row.unreadable = error.what();
    return {row};
  }
}

}  // namespace vmsa
