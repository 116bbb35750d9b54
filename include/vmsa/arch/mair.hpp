// SPDX-License-Identifier: MIT
// MAIR_ELx attribute bytes, all 256 of them.
#pragma once
#include <optional>

#include "vmsa/arch/constraint_choices.hpp"
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/memory_attributes.hpp"

namespace vmsa {

enum class mair_class : u8 {
  defined,
  needs_xs,    // defined with FEAT_XS, else reserved
  needs_mte2,  // defined with FEAT_MTE2, else reserved
  reserved,    // CONSTRAINED UNPREDICTABLE
};

constexpr mair_class classify_mair(u8 byte) noexcept {
  u8 const high = byte >> 4;
  u8 const low = byte & 0xf;
  if (high == 0) {
    if (low & 0b10) return mair_class::reserved;
    return low & 0b01 ? mair_class::needs_xs : mair_class::defined;
  }
  if (low != 0) return mair_class::defined;
  if (byte == 0x40 || byte == 0xa0) return mair_class::needs_xs;
  return byte == 0xf0 ? mair_class::needs_mte2 : mair_class::reserved;
}

constexpr bool mair_is_reserved(u8 byte, features const& f) noexcept {
  switch (classify_mair(byte)) {
    case mair_class::defined: return false;
    case mair_class::needs_xs: return !f.xs;
    case mair_class::needs_mte2: return !f.mte2;
    case mair_class::reserved: return true;
  }
  return true;
}

// One half of a Normal attribute byte, 1 <= nibble <= 15.
constexpr cacheability decode_mair_half(u8 nibble) noexcept {
  if (nibble == 0b0100) return non_cacheable;
  bool const transient = (nibble & 0b1000) == 0;
  bool const write_back = (nibble & 0b0100) != 0;
  return {write_back ? cache_policy::write_back : cache_policy::write_through, (nibble & 0b10) != 0,
          (nibble & 0b01) != 0, transient};
}

constexpr u8 encode_mair_half(cacheability c) noexcept {
  if (c.policy == cache_policy::non_cacheable) return 0b0100;
  return static_cast<u8>((c.transient ? 0 : 0b1000) | (c.policy == cache_policy::write_back ? 0b0100 : 0) |
                         (c.read_allocate ? 0b10 : 0) | (c.write_allocate ? 0b01 : 0));
}

// The attributes a MAIR byte names, with `sh` from the descriptor as it stands: see with_effective_shareability.
// A reserved byte is read as choices.reserved_mair, which must not be reserved itself (else Device-nGnRnE).
constexpr memory_attributes mair(u8 byte, shareability sh = shareability::inner, features const& f = all_features,
                                 constraint_choices const& choices = {}) noexcept {
  if (mair_is_reserved(byte, f)) byte = mair_is_reserved(choices.reserved_mair, f) ? u8{0} : choices.reserved_mair;
  if ((byte & 0xf0) == 0) {
    memory_attributes a = device_memory(static_cast<device_kind>((byte >> 2) & 0b11), (byte & 1) == 0);
    a.sh = sh;
    return a;
  }
  if (byte == 0x40) return normal_memory(non_cacheable, non_cacheable, sh, false);
  if (byte == 0xa0) return normal_memory(write_through_ra, write_through_ra, sh, false);
  if (byte == 0xf0) return normal_memory(write_back_rw, write_back_rw, sh, false, true);
  memory_attributes a = normal_memory(decode_mair_half(byte & 0xf), decode_mair_half(byte >> 4), sh);
  a.xs = !is_write_back(a);
  return a;
}

// The byte whose meaning is `a` (Shareability aside), or none: some combined attributes exist only in PAR_EL1.
constexpr std::optional<u8> encode_mair(memory_attributes const& a, features const& f = all_features) noexcept {
  for (unsigned byte = 0; byte < 256; ++byte) {
    u8 const candidate = static_cast<u8>(byte);
    if (!mair_is_reserved(candidate, f) && mair(candidate, a.sh, f) == a) return candidate;
  }
  return std::nullopt;
}

static_assert(summarize(mair(0x04)) == summary::device_nGnRE && summarize(mair(0x44)) == summary::normal_nc);
static_assert(mair(0xff) == normal_memory(write_back_rw, write_back_rw, shareability::inner, false));
static_assert(!mair(0x40).xs && mair(0x44).xs && mair(0xf0).tagged);
static_assert(mair(0x11).inner == cacheability{cache_policy::write_through, false, true, true});

}  // namespace vmsa
