// SPDX-License-Identifier: MIT
// Translation granules and lookup levels.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace vmsa {

enum class granule : u8 { k4, k16, k64 };

// log2 of the granule in bytes: 12, 14 or 16.
constexpr unsigned granule_bits(granule g) noexcept { return 12 + 2 * static_cast<unsigned>(g); }
constexpr u64 granule_size(granule g) noexcept { return u64{1} << granule_bits(g); }
// Input-address bits one full table resolves: 9, 11 or 13.
constexpr unsigned stride(granule g) noexcept { return granule_bits(g) - 3; }

// Arm's numbers: level 3 holds pages, smaller numbers are nearer the root, level -1 exists with FEAT_LPA2, level -2
// only in tables of 128-bit descriptors (FEAT_D128), which are not in arrays by index().
enum class level : signed char { m2 = -2, m1 = -1, l0 = 0, l1 = 1, l2 = 2, l3 = 3 };

constexpr int number(level l) noexcept { return static_cast<int>(l); }
constexpr level next(level l) noexcept { return static_cast<level>(number(l) + 1); }
constexpr level previous(level l) noexcept { return static_cast<level>(number(l) - 1); }
// Position of a level in an array that holds one entry for each of -1..3.
constexpr unsigned index(level l) noexcept { return static_cast<unsigned>(number(l) + 1); }

// log2 of the bytes that one entry at this level maps: 12 for a 4K page, 21 for a 2 MiB block, 30, 39, 48.
constexpr unsigned level_shift(granule g, level l) noexcept {
  return granule_bits(g) + stride(g) * static_cast<unsigned>(3 - number(l));
}
constexpr u64 level_size(granule g, level l) noexcept { return u64{1} << level_shift(g, l); }

static_assert(level_shift(granule::k4, level::l2) == 21 && level_shift(granule::k4, level::m1) == 48);
static_assert(level_shift(granule::k16, level::l2) == 25 && level_shift(granule::k64, level::l2) == 29);

}  // namespace vmsa
