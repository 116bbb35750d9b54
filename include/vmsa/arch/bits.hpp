// SPDX-License-Identifier: MIT
// Bit ranges as the manual writes them: the high bit first, both ends included.
#pragma once
#if __cplusplus < 202002L
#error "vmsa needs C++20: compile with -std=c++20 or later"
#define VMSA_NEEDS <C++20>
#include VMSA_NEEDS  // a file that there is not: compilers go no further, and the reason is all that is said
#endif
#ifdef VMSA_AMALGAMATED
#error "the amalgamated header holds this one already: include one or the other"
#endif
#define VMSA_SEPARATE_HEADERS
#include <cstdint>

namespace vmsa {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// All ones from bit `low` to bit `high`, 63 >= high >= low.
constexpr u64 bit_mask(unsigned high, unsigned low) noexcept { return (~u64{0} >> (63 - high + low)) << low; }

// All ones below bit `width`, 0 <= width <= 64: the offset mask of a 2^width region.
constexpr u64 low_mask(unsigned width) noexcept { return width == 0 ? 0 : ~u64{0} >> (64 - width); }

// What a bit range is for. Every bit of a layout is named, so that a printer never drops one silently.
enum class field_role : u8 { architected, res0, res1, ignored, software };

// One row of a register or descriptor layout. Encoders, decoders, printers and JSON all read the same rows.
struct field_info {
  u8 high = 0;
  u8 low = 0;
  char const* name = "";
  field_role role = field_role::architected;

  constexpr u64 mask() const noexcept { return bit_mask(high, low); }
  constexpr unsigned width() const noexcept { return high - low + 1u; }
  constexpr u64 get(u64 raw) const noexcept { return (raw & mask()) >> low; }
};

// A typed bit range. Stateless: it reads from and writes to a raw value, and never owns one.
template <unsigned High, unsigned Low = High, class T = u64>
struct field {
  static_assert(High < 64 && Low <= High, "write the high bit first: field<9, 8>");
  using type = T;
  static constexpr unsigned high = High;
  static constexpr unsigned low = Low;
  static constexpr u64 mask = bit_mask(High, Low);

  static constexpr T get(u64 raw) noexcept { return static_cast<T>((raw & mask) >> Low); }
  // `raw` with this range replaced; bits of `value` that do not fit are dropped.
  static constexpr u64 put(u64 raw, T value) noexcept {
    return (raw & ~mask) | ((static_cast<u64>(value) << Low) & mask);
  }
  static constexpr field_info info(char const* name, field_role role = field_role::architected) noexcept {
    return {High, Low, name, role};
  }
};

// A layout whose rows depend on values (granule, level, LPA2): a fixed-capacity list, highest bits first.
struct field_list {
  static constexpr unsigned capacity = 32;
  field_info rows[capacity] = {};
  unsigned count = 0;

  constexpr void add(unsigned high, unsigned low, char const* name,
                     field_role role = field_role::architected) noexcept {
    rows[count++] = {static_cast<u8>(high), static_cast<u8>(low), name, role};
  }
  constexpr field_info const* begin() const noexcept { return rows; }
  constexpr field_info const* end() const noexcept { return rows + count; }
};

// True when the rows are disjoint and together name every one of the low `width` bits: all 64, unless the register is
// narrower.
template <class Rows>
constexpr bool covers_all_bits(Rows const& rows, unsigned width = 64) noexcept {
  u64 seen = 0;
  for (field_info const& row : rows) {
    if (seen & row.mask()) return false;
    seen |= row.mask();
  }
  return seen == low_mask(width);
}

// Bits set in `raw` that its rows reserve as zero: what a program left there, or hardware of a later architecture.
template <class Rows>
constexpr u64 reserved_bits_set(Rows const& rows, u64 raw) noexcept {
  u64 found = 0;
  for (field_info const& row : rows)
    if (row.role == field_role::res0) found |= raw & row.mask();
  return found;
}

static_assert(bit_mask(9, 8) == 0x300 && bit_mask(63, 0) == ~u64{0} && low_mask(12) == 0xfff && low_mask(0) == 0);
static_assert(field<9, 8>::put(0xffff, 0b01) == 0xfdff && field<63, 59>::get(u64{0b10010} << 59) == 0b10010);

}  // namespace vmsa
