// SPDX-License-Identifier: MIT
// What a line says of when it was printed, and of what the lines after it belong to.
#include "text/explain/forms.hpp"

namespace vmsa::text {

// Seconds of `[   12.345678]` or of ftrace's ` 1234.567890: `; negative when the line has none.
double time_of(std::string_view line) {
  auto const number = [](std::string_view text) {
    double value = 0;
    double scale = 0;
    for (char const c : text) {
      if (c == '.' && scale == 0) {
        scale = 1;
      } else if (c >= '0' && c <= '9') {
        value = value * 10 + (c - '0');
        scale *= 10;
      } else {
        return -1.0;
      }
    }
    return scale == 0 ? -1.0 : value / scale;
  };
  if (std::size_t const open = line.find('['); open < 40) {
    std::size_t const close = line.find(']', open);
    if (close != std::string_view::npos && close - open < 24) {
      std::string_view const inside = line.substr(open + 1, close - open - 1);
      std::size_t const first = inside.find_first_not_of(' ');
      if (first != std::string_view::npos) {
        double const seconds = number(inside.substr(first));
        if (seconds >= 0) return seconds;
      }
    }
  }
  if (std::size_t const end = line.find(": kvm_"); end != std::string_view::npos) {
    std::size_t const begin = line.rfind(' ', end);
    return number(line.substr(begin == std::string_view::npos ? 0 : begin + 1,
                              end - (begin == std::string_view::npos ? 0 : begin + 1)));
  }
  return -1;
}

// `0000:01:00.0 VGA ...` or `01:00.0 VGA ...`, the line of lspci that later lines belong to; empty for any other.
std::string_view pci_function(std::string_view line) {
  while (!line.empty() && (line.front() == '>' || line.front() == ' ')) line.remove_prefix(1);
  auto const digits = [line](std::size_t at, std::size_t n) {
    for (std::size_t i = at; i < at + n; ++i)
      if (!is_hex_digit(line[i])) return false;
    return true;
  };
  if (line.size() > 13 && line[4] == ':' && line[7] == ':' && line[10] == '.' && line[12] == ' ' && digits(0, 4) &&
      digits(5, 2) && digits(8, 2))
    return line.substr(0, 12);
  if (line.size() > 8 && line[2] == ':' && line[5] == '.' && line[7] == ' ' && digits(0, 2) && digits(3, 2))
    return line.substr(0, 7);
  return {};
}

// The name of a device tree's node that begins in this line.
std::string_view tree_node(std::string_view line) {
  if (line.empty() || line.back() != '{') return {};
  line.remove_suffix(1);
  std::size_t const last = line.find_last_not_of(" \t");
  if (last == std::string_view::npos) return {};
  line = line.substr(0, last + 1);
  return line.substr(line.find_last_of(" \t:>") + 1).substr(0, 64);
}

}  // namespace vmsa::text
