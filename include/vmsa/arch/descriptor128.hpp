// SPDX-License-Identifier: MIT
// VMSAv8-64 descriptors of 128 bits (FEAT_D128), and the places of fields that both sizes have
// [Arm ARM, VMSAv9-128 translation table descriptor formats].
#pragma once
#include "vmsa/arch/descriptor.hpp"

namespace vmsa {

/// A descriptor of either size: `raw` is the lower half, and all of it where it has 64 bits.
struct wide_descriptor : descriptor {
  u64 high = 0;
  friend constexpr bool operator==(wide_descriptor, wide_descriptor) = default;
};

namespace descriptor128_bits {
// of the lower half
using nt = field<6, 6, bool>;
using dirty = field<7, 7, bool>;  // stage 1 nDirty, stage 2 Dirty
using address = field<55, 12>;
// of the upper half: its bit n is the descriptor's bit 64 + n
using skl = field<46, 45, u8>;
using contiguous = field<47, 47, bool>;
using disch = field<48, 48, bool>;  // of a stage 1 table: what it names holds no Contiguous leaf
using guard = field<50, 50, bool>;  // Protected at stage 1, AssuredOnly at stage 2
using pi_index = field<54, 51, u8>;
using po_index = field<60, 57, u8>;
using ns = field<63, 63, bool>;  // of a stage 1 table: NSTable
}  // namespace descriptor128_bits

/// Input-address bits one table resolves: 8, 10 or 12. A table that skips levels resolves as many for each.
constexpr unsigned wide_stride(granule g) noexcept { return granule_bits(g) - 4; }
/// log2 of the bytes that one entry at this level maps, were it a leaf.
constexpr unsigned wide_level_shift(granule g, level l) noexcept {
  return granule_bits(g) + wide_stride(g) * static_cast<unsigned>(3 - number(l));
}

/// SKL says how many levels are skipped: a descriptor at level l is a leaf where l + SKL is 3, and bit 1 says nothing.
constexpr descriptor_kind wide_kind_of(wide_descriptor d, level l, granule tg) noexcept {
  if (!descriptor_bits::valid::get(d.raw)) return descriptor_kind::invalid;
  int const skl = descriptor128_bits::skl::get(d.high);
  int const end = number(l) + skl;
  if (end > 3 || (skl == 3 && tg != granule::k4)) return descriptor_kind::reserved;
  if (end < 3) return descriptor_kind::table;
  return l == level::l3 ? descriptor_kind::page : descriptor_kind::block;
}

/// log2 of the entries that a Contiguous bit joins; 0 where it is ignored.
constexpr unsigned wide_contiguous_bits(granule tg, level l) noexcept {
  switch (tg) {
    case granule::k4: return l == level::l1 ? 2 : l == level::l2 || l == level::l3 ? 4 : 0;
    case granule::k16: return l == level::l1 ? 2 : l == level::l2 ? 4 : l == level::l3 ? 6 : 0;
    case granule::k64: return l == level::l2 ? 6 : l == level::l3 ? 4 : 0;
  }
  return 0;
}

static_assert(wide_level_shift(granule::k4, level::l1) == 28 && wide_level_shift(granule::k64, level::l1) == 40);
static_assert(wide_kind_of({{1}, u64{3} << 45}, level::l0, granule::k4) == descriptor_kind::block);
static_assert(wide_kind_of({{1}, u64{3} << 45}, level::l0, granule::k16) == descriptor_kind::reserved);

}  // namespace vmsa
