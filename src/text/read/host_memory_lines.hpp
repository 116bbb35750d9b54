// SPDX-License-Identifier: MIT
// Lines of small texts that are in memory already, for the readers of host memory.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text {

// What is quoted of a line in an error: not all of a long one.
inline std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  return text.size() <= most ? std::string(text) : fmt::format("{}...", text.substr(0, most));
}

inline input_error line_error(line_position at, std::string problem, std::string valid) {
  return {std::string(at.file), at.number, std::move(problem), std::move(valid)};
}

// Calls see(line, position) for every line that is not blank, without its newline or carriage return.
template <class See>
void for_each_line(std::string_view text, std::string const& file, See&& see) {
  std::size_t number = 0;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    line_position const at{file, number};
    if (line.find('\0') != std::string_view::npos) throw line_error(at, "a NUL byte: this is no text", "a text file");
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    see(line, at);
  }
}

}  // namespace vmsa::text
