// SPDX-License-Identifier: MIT
// Addresses that do not convert into each other: handing an IPA to something that wants a PA is the bug class these
// types remove.
#pragma once
#include <compare>

#include "vmsa/arch/bits.hpp"

namespace vmsa {

// A byte address in one address space. Arithmetic wraps modulo 2^64, as the hardware's does.
template <class Space>
struct address {
  u64 value = 0;

  friend constexpr auto operator<=>(address, address) = default;
  friend constexpr address operator+(address a, u64 bytes) noexcept { return {a.value + bytes}; }
  friend constexpr address operator-(address a, u64 bytes) noexcept { return {a.value - bytes}; }
  friend constexpr u64 operator-(address a, address b) noexcept { return a.value - b.value; }

  // `size` is a power of two, in bytes.
  constexpr bool aligned_to(u64 size) const noexcept { return (value & (size - 1)) == 0; }
  constexpr address floor_to(u64 size) const noexcept { return {value & ~(size - 1)}; }
};

struct va_space;
struct ipa_space;
struct pa_space;

using va = address<va_space>;    // what the guest's instruction names: input of stage 1
using ipa = address<ipa_space>;  // output of stage 1, input of stage 2
using pa = address<pa_space>;    // output of stage 2

}  // namespace vmsa
