// SPDX-License-Identifier: MIT
// Operands of the stage 2 TLB invalidations by address: Xt of TLBI IPAS2E1IS and TLBI RIPAS2E1IS.
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/granule.hpp"

namespace vmsa {

namespace tlbi_single_bits {
using ns = field<63, 63, bool>;
using ttl = field<47, 44, u8>;
using base = field<39, 0>;  // IPA[51:12]
}  // namespace tlbi_single_bits

namespace tlbi_range_bits {
using ns = field<63, 63, bool>;
using tg = field<47, 46, u8>;
using scale = field<45, 44, u8>;
using num = field<43, 39, u8>;
using ttl = field<38, 37, u8>;
using base = field<36, 0>;
}  // namespace tlbi_range_bits

// TG of a range, and TTL[3:2] of a single invalidation: 01 4K, 10 16K, 11 64K.
constexpr u8 tlbi_granule(granule tg) noexcept { return static_cast<u8>(static_cast<unsigned>(tg) + 1); }

// TTL: the level that holds the leaf, 0 for no hint. A leaf at level 0 or -1 has no hint that every machine reads.
constexpr u8 tlbi_level_hint(granule tg, level l) noexcept {
  return number(l) < 1 ? u8{0} : static_cast<u8>(tlbi_granule(tg) << 2 | number(l));
}

// `ttl` from tlbi_level_hint, or 0. Xt for Secure state's Non-secure IPA space has `ns` set.
constexpr u64 encode_tlbi(ipa base, u8 ttl = 0, bool ns = false) noexcept {
  u64 const raw = tlbi_single_bits::base::put(0, base.value >> 12);
  return tlbi_single_bits::ns::put(tlbi_single_bits::ttl::put(raw, ttl), ns);
}

// One range invalidation covers (num + 1) * 2^(5 * scale + 1) granules.
struct tlbi_range_size {
  u8 scale = 0;  // 0..3
  u8 num = 0;    // 0..31

  constexpr u64 granules() const noexcept { return (u64{num} + 1) << (5 * scale + 1); }
  friend constexpr bool operator==(tlbi_range_size, tlbi_range_size) = default;
};

// The largest range of at most `granules`, which is at least 2: a range that reaches further would forget too much, and
// what is left over takes another instruction.
constexpr tlbi_range_size largest_tlbi_range(u64 granules) noexcept {
  unsigned scale = 3;
  while (scale > 0 && (granules >> (5 * scale + 1)) == 0) --scale;
  u64 const units = granules >> (5 * scale + 1);
  return {static_cast<u8>(scale), static_cast<u8>((units > 32 ? 32 : units) - 1)};
}

// The base of a range is in granules, but in units of 64 KiB with 52-bit addresses (`ds`): it is aligned to that unit.
constexpr u64 tlbi_range_alignment(granule tg, bool ds) noexcept { return ds ? u64{1} << 16 : granule_size(tg); }

// `ttl` is TTL[1:0], the leaves' level, 0 for no hint.
constexpr u64 encode_tlbi_range(ipa base, tlbi_range_size size, granule tg, bool ds = false, u8 ttl = 0,
                                bool ns = false) noexcept {
  u64 raw = tlbi_range_bits::base::put(0, base.value / tlbi_range_alignment(tg, ds));
  raw = tlbi_range_bits::tg::put(raw, tlbi_granule(tg));
  raw = tlbi_range_bits::scale::put(raw, size.scale);
  raw = tlbi_range_bits::num::put(raw, size.num);
  raw = tlbi_range_bits::ttl::put(raw, ttl);
  return tlbi_range_bits::ns::put(raw, ns);
}

static_assert(encode_tlbi({0x8000'1000}, tlbi_level_hint(granule::k4, level::l3)) == 0x0000'7000'0008'0001);
static_assert(encode_tlbi_range({0x8000'0000}, {.scale = 0, .num = 7}, granule::k4) == 0x0000'4380'0008'0000);
static_assert(largest_tlbi_range(512) == tlbi_range_size{.scale = 1, .num = 7});

}  // namespace vmsa
