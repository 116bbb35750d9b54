// SPDX-License-Identifier: MIT
// What the host says on QEMU's command line with -semihosting-config arg=...
#pragma once
#include "../hypervisor/console.hpp"

namespace sweep {

using vmsa::u64;

inline bool same_text(char const* a, char const* b) noexcept {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

// Argument `index`, or "".
inline char const* argument(unsigned index) noexcept {
  static char line[256] = {};
  static u64 length = 0;
  if (length == 0) {
    struct {
      char* text;
      u64 size;
    } block{line, sizeof line};
    el2::semihosting(el2::semihosting_operation::get_command_line, &block);
    length = block.size;
    for (char& c : line)
      if (c == ' ') c = 0;
  }
  char const* word = line;
  for (; index > 0 && word < line + length; --index) {
    while (*word != 0) ++word;
    ++word;
  }
  return word < line + length ? word : "";
}

}  // namespace sweep
