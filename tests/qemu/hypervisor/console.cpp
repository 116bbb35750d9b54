// SPDX-License-Identifier: MIT
#include "console.hpp"

#include "system.hpp"

namespace el2 {
namespace {

// Operations of the semihosting interface.
enum class operation : u64 { open = 0x01, write = 0x05, get_command_line = 0x15, exit = 0x18 };

u64 semihosting(operation what, void const* parameters) noexcept {
  register u64 x0 asm("x0") = static_cast<u64>(what);
  register void const* x1 asm("x1") = parameters;
  asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
}

char output[4096];
unsigned used = 0;

void flush() noexcept {
  struct {
    char const* name;
    u64 mode, length;
  } const terminal{":tt", 4, 3};  // mode 4 is "w": standard output
  static u64 handle = semihosting(operation::open, &terminal);
  struct {
    u64 handle;
    char const* text;
    u64 length;
  } const block{handle, output, used};
  semihosting(operation::write, &block);
  used = 0;
}

void put(char c) noexcept {
  output[used++] = c;
  if (used == sizeof output) flush();
}

void put_number(u64 value, unsigned base) noexcept {
  char digits[20];
  unsigned count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) put(digits[--count]);
}

}  // namespace

void print(char const* text) noexcept {
  while (*text != 0) put(*text++);
}
void print(u64 value) noexcept { put_number(value, 10); }
void print(hex value) noexcept {
  print("0x");
  put_number(value.value, 16);
}

bool same_text(char const* a, char const* b) noexcept {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

char const* argument(unsigned index) noexcept {
  static char line[256] = {};
  static u64 length = 0;
  if (length == 0) {
    struct {
      char* text;
      u64 size;
    } block{line, sizeof line};
    semihosting(operation::get_command_line, &block);
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

extern "C" void exit_program(int status) noexcept {
  flush();
  u64 const block[2] = {0x20026, static_cast<u64>(status)};  // ADP_Stopped_ApplicationExit
  for (;;) semihosting(operation::exit, block);
}

extern "C" [[noreturn]] void unexpected_exception() noexcept {
  print_line("FAILED: exception ", hex{read_esr_el2()}, " at ", hex{read_elr_el2()}, " address ", hex{read_far_el2()});
  exit_program(3);
}

}  // namespace el2
