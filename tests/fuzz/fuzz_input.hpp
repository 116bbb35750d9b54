// SPDX-License-Identifier: MIT
// What the fuzz targets share: values taken from the input, and a promise that stops the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "vmsa/arch/bits.hpp"

namespace vmsa::fuzz {

/// Stops with a message where a promise is broken: libFuzzer keeps the input.
inline void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// The input, then its bytes again and again; zeros where it is empty.
struct bytes {
  std::uint8_t const* data;
  std::size_t size;
  std::size_t at = 0;

  u8 byte() noexcept { return size == 0 ? u8{0} : data[at++ % size]; }
  bool flag() noexcept { return (byte() & 1) != 0; }
  u64 word() noexcept {
    u64 w = 0;
    for (int i = 0; i < 8; ++i) w = w << 8 | byte();
    return w;
  }
};

/// What stands before the first byte of zero, and what after it.
inline std::pair<std::string_view, std::string_view> two_files(std::string_view input) noexcept {
  std::size_t const end = input.find('\0');
  if (end == std::string_view::npos) return {input, {}};
  return {input.substr(0, end), input.substr(end + 1)};
}

}  // namespace vmsa::fuzz
