// SPDX-License-Identifier: MIT
#include "console.hpp"

#include "system.hpp"

namespace el2 {

u64 semihosting(semihosting_operation what, void const* parameters) noexcept {
  register u64 x0 asm("x0") = static_cast<u64>(what);
  register void const* x1 asm("x1") = parameters;
  asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
}

namespace {

char output[4096];
unsigned used = 0;

void flush() noexcept {
  struct {
    char const* name;
    u64 mode, length;
  } const terminal{":tt", 4, 3};  // mode 4 is "w": standard output
  static u64 handle = semihosting(semihosting_operation::open, &terminal);
  struct {
    u64 handle;
    char const* text;
    u64 length;
  } const block{handle, output, used};
  semihosting(semihosting_operation::write, &block);
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

void write_out() noexcept { flush(); }

extern "C" void exit_program(int status) noexcept {
  flush();
  u64 const block[2] = {0x20026, static_cast<u64>(status)};  // ADP_Stopped_ApplicationExit
  for (;;) semihosting(semihosting_operation::exit, block);
}

extern "C" [[noreturn]] void unexpected_exception() noexcept {
  print_line("FAILED: exception ", hex{read_esr_el2()}, " at ", hex{read_elr_el2()}, " address ", hex{read_far_el2()});
  exit_program(3);
}

}  // namespace el2
