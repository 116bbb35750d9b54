// SPDX-License-Identifier: MIT
// A register's layout against bits as the manual lists them.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "vmsa/arch/bits.hpp"

namespace vmsa::test {

struct bit_row {
  unsigned bit;
  std::string_view name;
};

template <class Rows>
std::string_view name_of(Rows const& rows, unsigned bit) {
  for (field_info const& row : rows)
    if (bit <= row.high && bit >= row.low) return row.name;
  return {};
}

template <class Register, std::size_t N>
void expect_bits(bit_row const (&rows)[N]) {
  for (bit_row const& r : rows) EXPECT_EQ(name_of(Register::layout, r.bit), r.name) << r.bit;
}

}  // namespace vmsa::test
