// SPDX-License-Identifier: MIT
// Fault status codes: what went wrong and at which level, shared by ESR_ELx and PAR_EL1.
#pragma once
#include <optional>

#include "vmsa/arch/granule.hpp"

namespace vmsa {

enum class fault_kind : u8 {
  address_size,
  translation,
  access_flag,
  permission,
  external_abort,          // on the access itself
  external_abort_on_walk,  // on a translation table access
  tag_check,
  parity,
  parity_on_walk,
  granule_protection_on_walk,
  granule_protection,
  alignment,
  tlb_conflict,
  unsupported_atomic_update,  // hardware could not update a descriptor
  lockdown,                   // IMPLEMENTATION DEFINED
  unsupported_access,         // exclusive or atomic access to memory that cannot take one
  reserved,
};

struct fault_status {
  fault_kind kind = fault_kind::reserved;
  // Present where the code carries one; -2 exists with FEAT_D128.
  std::optional<signed char> at_level{};

  friend constexpr bool operator==(fault_status const&, fault_status const&) = default;
};

// Every value of FSC, 6 bits.
constexpr fault_status decode_fsc(u8 fsc) noexcept {
  fsc &= 0x3f;
  auto const low = static_cast<signed char>(fsc & 0b11);
  switch (fsc >> 2) {
    case 0b0000: return {fault_kind::address_size, low};
    case 0b0001: return {fault_kind::translation, low};
    case 0b0010: return {fault_kind::access_flag, low};
    case 0b0011: return {fault_kind::permission, low};
    case 0b0101: return {fault_kind::external_abort_on_walk, low};
    case 0b0111: return {fault_kind::parity_on_walk, low};
    case 0b1001: return {fault_kind::granule_protection_on_walk, low};
    default: break;
  }
  switch (fsc) {
    case 0x10: return {fault_kind::external_abort, {}};
    case 0x11: return {fault_kind::tag_check, {}};
    case 0x12: return {fault_kind::external_abort_on_walk, static_cast<signed char>(-2)};
    case 0x13: return {fault_kind::external_abort_on_walk, static_cast<signed char>(-1)};
    case 0x18: return {fault_kind::parity, {}};
    case 0x1b: return {fault_kind::parity_on_walk, static_cast<signed char>(-1)};
    case 0x21: return {fault_kind::alignment, {}};
    case 0x22: return {fault_kind::granule_protection_on_walk, static_cast<signed char>(-2)};
    case 0x23: return {fault_kind::granule_protection_on_walk, static_cast<signed char>(-1)};
    case 0x28: return {fault_kind::granule_protection, {}};
    case 0x29: return {fault_kind::address_size, static_cast<signed char>(-1)};
    case 0x2a: return {fault_kind::translation, static_cast<signed char>(-2)};
    case 0x2b: return {fault_kind::translation, static_cast<signed char>(-1)};
    case 0x2c: return {fault_kind::address_size, static_cast<signed char>(-2)};
    case 0x30: return {fault_kind::tlb_conflict, {}};
    case 0x31: return {fault_kind::unsupported_atomic_update, {}};
    case 0x34: return {fault_kind::lockdown, {}};
    case 0x35: return {fault_kind::unsupported_access, {}};
    default: return {};
  }
}

// The code of a fault found by translation. `l` is ignored for alignment, unsupported access and granule protection of
// the output; above level 0, where no leaf is, there is no access flag or permission fault.
constexpr u8 encode_fsc(fault_kind kind, level l) noexcept {
  u8 const below = static_cast<u8>(l == level::m2);  // the codes of level -2 and level -1 lie side by side
  u8 const low = static_cast<u8>(number(l));
  switch (kind) {
    case fault_kind::alignment: return 0x21;
    case fault_kind::unsupported_access: return 0x35;
    case fault_kind::granule_protection: return 0x28;
    case fault_kind::external_abort_on_walk:
      return number(l) < 0 ? static_cast<u8>(0x13 - below) : static_cast<u8>(0b010100 | low);
    case fault_kind::granule_protection_on_walk:
      return number(l) < 0 ? static_cast<u8>(0x23 - below) : static_cast<u8>(0b100100 | low);
    case fault_kind::address_size: return l == level::m1 ? u8{0x29} : l == level::m2 ? u8{0x2c} : low;
    case fault_kind::access_flag: return static_cast<u8>(0b001000 | low);
    case fault_kind::permission: return static_cast<u8>(0b001100 | low);
    default: return number(l) < 0 ? static_cast<u8>(0x2b - below) : static_cast<u8>(0b000100 | low);
  }
}

static_assert(decode_fsc(0x06) == fault_status{fault_kind::translation, 2});
static_assert(decode_fsc(encode_fsc(fault_kind::translation, level::m1)).at_level == -1);
static_assert(decode_fsc(encode_fsc(fault_kind::address_size, level::m2)).at_level == -2);
static_assert(decode_fsc(encode_fsc(fault_kind::granule_protection_on_walk, level::m2)).at_level == -2);

}  // namespace vmsa
