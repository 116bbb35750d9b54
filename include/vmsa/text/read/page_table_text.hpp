// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

/// Which of the kernel's page-table texts it is, told by its spelling and never by a release.
enum class page_table_dialect : u8 {
  stage2_6_12,  ///< KVM's stage2_page_tables of 6.12, where `X` means execute-never
  stage2_7,     ///< and of 7.x, with `px ux`, `PXNux`, `PXNUXN`, `px UXN`
  kernel,       ///< kernel_page_tables
};

/// One line: addresses that the kernel merged because their attributes are alike. Output addresses and, at stage 2,
/// memory types are in no line.
struct page_table_line {
  u64 first = 0;
  u64 size = 0;
  bool mapped = false;
  bool read = false;
  bool write = false;
  u8 xn = 0;  ///< Stage 2: XN[1:0]; of 6.12, 0b10 where it is not 0b00. Kernel: bit 0 PXN, bit 1 UXN.
  bool af = false;
  bool block = false;
  bool user = false;  ///< Kernel only, as are the rest.
  bool shareable = false;
  bool not_global = false;
  bool contiguous = false;
  bool guarded = false;
  std::string type{};  ///< `MEM/NORMAL-TAGGED`: the usual name of the AttrIndx, whatever MAIR says.
  std::size_t line = 0;
};

struct page_table_text {
  std::string file{};
  page_table_dialect dialect = page_table_dialect::stage2_6_12;
  std::vector<page_table_line> lines{};  ///< In ascending order; markers are left out.
};

/// Throws input_error with file and line for what is none of the dialects.
page_table_text parse_page_table_text(std::string_view text, std::string file);

}  // namespace vmsa::text
