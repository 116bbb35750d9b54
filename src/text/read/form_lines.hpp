// SPDX-License-Identifier: MIT
// What one line of a form says: the only reader of each, for files of one form and for lines in any text alike. A
// reader judges the line alone; what it should have been is said by who expected it.
#pragma once
#include <optional>
#include <string_view>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

// ---- words and numbers ----

bool is_hex_digit(char c) noexcept;
bool is_word(char c) noexcept;  // letters, digits, underscore
// Where `what` stands in `line`, not inside a longer word; npos when nowhere.
std::size_t find_word(std::string_view line, std::string_view what, std::size_t from = 0) noexcept;
// The hexadecimal number that `text` begins with, after blanks, `=`, `:`, `(` and an optional 0x; it must end where the
// word ends. `rest` is what stands behind it.
std::optional<u64> leading_hex(std::string_view text, std::string_view* rest = nullptr) noexcept;
std::optional<u64> leading_decimal(std::string_view text, std::string_view* rest = nullptr) noexcept;
// The number after `label`, which stands in `line` as a word of its own.
std::optional<u64> hex_after(std::string_view line, std::string_view label) noexcept;
// The text after `label` up to a blank or comma; empty when it is not there.
std::string_view word_after(std::string_view line, std::string_view label) noexcept;
bool contains(std::string_view line, std::string_view what) noexcept;

// ---- lines ----

/// The first thing that keeps a line from being one of its form.
enum class line_flaw : u8 {
  none,
  shape,  // what must stand between the parts is not there
  range,  // its addresses are no hexadecimal numbers of 64 bits
  order,  // the last address is below the first
  name,   // nothing behind the range
};

/// A line of /proc/iomem: `  40210000-4182ffff : Kernel code`.
struct iomem_line {
  line_flaw flaw = line_flaw::none;
  std::size_t indent = 0;  // blanks before the range, two for each level
  std::string_view range;  // as it stands, also where it is none
  u64 first = 0;
  u64 last = 0;
  std::string_view name;
};
iomem_line read_iomem_line(std::string_view line) noexcept;

/// A line of QEMU's info mtree and info mtree -f: `  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram
/// KVM`.
struct mtree_line {
  line_flaw flaw = line_flaw::none;
  std::size_t indent = 0;
  std::string_view range;
  u64 first = 0;
  u64 last = 0;
  int priority = 0;
  std::string_view kind;
  std::string_view name;
  bool memslot = false;  // `KVM` behind the name
};
mtree_line read_mtree_line(std::string_view line) noexcept;

/// The fields of kvm_guest_fault and of kvm_mmio_nisv, as ftrace, perf script and trace-cmd print them.
struct fault_event {
  std::optional<u64> ipa, esr, far, pc;
};
fault_event read_fault_event(std::string_view fields) noexcept;

}  // namespace vmsa::text
