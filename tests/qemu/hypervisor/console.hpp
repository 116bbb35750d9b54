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

// Writes what was collected, for a program that does not end.
void write_out() noexcept;

enum class semihosting_operation : vmsa::u64 { open = 0x01, write = 0x05, get_command_line = 0x15, exit = 0x18 };
vmsa::u64 semihosting(semihosting_operation what, void const* parameters) noexcept;

extern "C" [[noreturn]] void exit_program(int status) noexcept;

}  // namespace el2
