// SPDX-License-Identifier: MIT
// Releases of Linux, and the spans of them in which KVM/arm64 decides alike.
#pragma once
#include <compare>

#include "vmsa/arch/bits.hpp"

namespace vmsa {

struct kernel_version {
  u16 major = 0;
  u16 minor = 0;

  friend constexpr auto operator<=>(kernel_version, kernel_version) = default;
};
inline constexpr kernel_version first_kvm_arm64{3, 11};
inline constexpr kernel_version no_release{0xffff, 0xffff};  // later than any

/// Releases that differ in policy. Stable releases and release candidates belong to their mainline release.
enum class kvm_era : u8 {
  to_6_8,     // page class alone
  from_6_9,   // VM_ALLOW_ANY_UNCACHED gives Normal-NC
  from_6_13,  // hugetlb VMAs can hold MTE tags
  from_6_17,  // the VMA's memory type counts; cacheable PFNMAP with FWB and DIC
  from_6_19,  // KVM_EXIT_ARM_SEA
  from_7_0,   // aborts of exclusive and atomic accesses go to the guest
  from_7_1,   // the same policy, refactored
};
inline constexpr unsigned kvm_era_count = 7;

constexpr kernel_version first_release(kvm_era e) noexcept {
  constexpr kernel_version first[kvm_era_count] = {first_kvm_arm64, {6, 9}, {6, 13}, {6, 17}, {6, 19}, {7, 0}, {7, 1}};
  return first[static_cast<unsigned>(e)];
}
constexpr kvm_era era_of(kernel_version v) noexcept {
  for (unsigned e = kvm_era_count - 1; e > 0; --e)
    if (v >= first_release(static_cast<kvm_era>(e))) return static_cast<kvm_era>(e);
  return kvm_era::to_6_8;
}

}  // namespace vmsa
