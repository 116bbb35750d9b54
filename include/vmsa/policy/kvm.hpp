// SPDX-License-Identifier: MIT
// What Linux KVM/arm64 decides, by release: the rows of each era in the order in which the kernel asks.
#pragma once
#include <array>

#include "vmsa/policy/decide.hpp"
#include "vmsa/policy/kvm_rows.hpp"

namespace vmsa {

// Releases that differ in policy. Stable releases and release candidates belong to their mainline release.
enum class kvm_era : u8 {
  to_6_8,     // page class alone
  from_6_9,   // VM_ALLOW_ANY_UNCACHED gives Normal-NC
  from_6_17,  // the VMA's memory type counts; cacheable PFNMAP with FWB and DIC
  from_7_1,   // the same policy, refactored
};
inline constexpr unsigned kvm_era_count = 4;

struct kernel_version {
  u16 major = 0;
  u16 minor = 0;

  friend constexpr auto operator<=>(kernel_version, kernel_version) = default;
};

inline constexpr kernel_version first_kvm_arm64{3, 11};
constexpr kernel_version first_release(kvm_era e) noexcept {
  constexpr kernel_version first[kvm_era_count] = {first_kvm_arm64, {6, 9}, {6, 17}, {7, 1}};
  return first[static_cast<unsigned>(e)];
}
constexpr kvm_era era_of(kernel_version v) noexcept {
  for (unsigned e = kvm_era_count - 1; e > 0; --e)
    if (v >= first_release(static_cast<kvm_era>(e))) return static_cast<kvm_era>(e);
  return kvm_era::to_6_8;
}

namespace kvm_detail {

template <std::size_t... Sizes>
constexpr auto join(std::array<rule, Sizes> const&... parts) noexcept {
  std::array<rule, (Sizes + ...)> all{};
  std::size_t n = 0;
  auto const append = [&](auto const& part) {
    for (rule const& r : part) all[n++] = r;
  };
  (append(parts), ...);
  return all;
}

inline constexpr auto to_6_8 = join(slot_rows_to_6_16, entry_rows, pin_rows, device_fetch_rows, device_rows, ram_rows);
inline constexpr auto from_6_9 =
    join(slot_rows_to_6_16, entry_rows, pin_rows, device_fetch_rows, uncached_rows, device_rows, ram_rows);
inline constexpr auto from_6_17 =
    join(protected_slot_rows, slot_rows_from_6_17, pkvm_entry_rows, entry_rows, guest_memfd_rows, protected_rows,
         pin_rows, special_rows, pkvm_rows, special_cacheable_rows, ram_rows);

}  // namespace kvm_detail

inline constexpr policy_table kvm_tables[kvm_era_count] = {
    {"linux-6.1", kvm_detail::to_6_8},
    {"linux-6.9", kvm_detail::from_6_9},
    {"linux-6.17", kvm_detail::from_6_17, {.has_capability_243 = true}},
    {"linux-7.1", kvm_detail::from_6_17, {.has_capability_243 = true}},
};
constexpr policy_table const& kvm_table(kvm_era e) noexcept { return kvm_tables[static_cast<unsigned>(e)]; }

// The policy of one release.
constexpr table_policy kvm_policy(kvm_era e) noexcept { return {&kvm_table(e)}; }
constexpr table_policy kvm_policy(kernel_version v) noexcept { return kvm_policy(era_of(v)); }

constexpr decision decide(kernel_version v, policy_host const& host, memory_inputs const& inputs, backing kind,
                          fault_access const& access) noexcept {
  return decide(kvm_table(era_of(v)), host, inputs, kind, access);
}
// A backing as it usually comes.
constexpr decision decide(kernel_version v, policy_host const& host, backing kind, fault_access const& access) noexcept {
  return decide(v, host, inputs_of(kind), kind, access);
}

// The turning points: a BAR before and after 6.9, and coherent GPU memory before and after 6.17.
static_assert(decide({6, 8}, {}, backing::vfio_pci_bar, {}).memory == stage2_memory::device_nGnRE);
static_assert(decide({6, 9}, {}, backing::vfio_pci_bar, {}).memory == stage2_memory::normal_nc);
static_assert(decide({6, 16}, {.cpu = all_features}, backing::nvgrace_usemem, {}).memory == stage2_memory::device_nGnRE);
static_assert(decide({6, 17}, {.cpu = all_features}, backing::nvgrace_usemem, {}).memory == stage2_memory::normal_wb);
static_assert(decide({6, 17}, {}, backing::nvgrace_usemem, {}).outcome == policy_outcome::memslot_error);

}  // namespace vmsa
