// SPDX-License-Identifier: MIT
// Text out, exit status and command line, through semihosting.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace el2 {

struct hex {
  vmsa::u64 value;
};

// Collects text and writes it when a line is long enough or the program ends: each write stops the machine.
void print(char const* text) noexcept;
void print(vmsa::u64 value) noexcept;
void print(hex value) noexcept;
template <class... Parts>
void print_line(Parts... parts) noexcept {
  (print(parts), ...);
  print("\n");
}

// Argument `index` of the command line that QEMU was given with -semihosting-config arg=..., or "".
char const* argument(unsigned index) noexcept;
bool same_text(char const* a, char const* b) noexcept;

extern "C" [[noreturn]] void exit_program(int status) noexcept;

}  // namespace el2
