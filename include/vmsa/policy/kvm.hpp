// SPDX-License-Identifier: MIT
// What Linux KVM/arm64 decides, by release: the rows of each era in the order in which the kernel asks.
#pragma once

#include "vmsa/policy/decide.hpp"
#include "vmsa/policy/kvm_rows.hpp"
#include "vmsa/policy/kvm_since.hpp"

namespace vmsa {

namespace kvm_detail {
inline constexpr char const* table_names[kvm_era_count] = {"linux-6.1",  "linux-6.9", "linux-6.13", "linux-6.17",
                                                           "linux-6.19", "linux-7.0", "linux-7.1"};
// One constant each: an index takes many steps, and compilers limit those of one constant.
template <kvm_era Era>
inline constexpr policy_table table_of{
    table_names[static_cast<unsigned>(Era)],
    rows_of<Era>,
    {.has_capability_243 = first_release(Era) >= kernel_version{6, 17}, .of_kvm = true}};
template <std::size_t... I>
constexpr auto every_table(std::index_sequence<I...>) noexcept {
  return std::array{&table_of<static_cast<kvm_era>(I)>...};
}
}  // namespace kvm_detail

// By pointers: an era that is chosen at compile time brings its own rows and no others into a program.
inline constexpr auto kvm_tables = kvm_detail::every_table(std::make_index_sequence<kvm_era_count>{});
constexpr policy_table const& kvm_table(kvm_era e) noexcept { return *kvm_tables[static_cast<unsigned>(e)]; }

// The policy of one release.
constexpr table_policy kvm_policy(kvm_era e) noexcept { return {&kvm_table(e)}; }
constexpr table_policy kvm_policy(kernel_version v) noexcept { return kvm_policy(era_of(v)); }

constexpr decision decide(kernel_version v, policy_host const& host, memory_inputs const& inputs, backing kind,
                          fault_access const& access) noexcept {
  decision d = decide(kvm_table(era_of(v)), as_known_to(v, host), inputs, kind, access);
  if (v < kernel_version{5, 14} && inputs.vma.pfnmap) d.largest_leaf = level::l3;  // see kvm_since_rows
  return d;
}
// A backing as it usually comes.
constexpr decision decide(kernel_version v, policy_host const& host, backing kind,
                          fault_access const& access) noexcept {
  return decide(v, host, inputs_of(kind), kind, access);
}

// The turning points: a BAR before and after 6.9, and coherent GPU memory before and after 6.17.
static_assert(decide({6, 8}, {}, backing::vfio_pci_bar, {}).memory == stage2_memory::device_nGnRE);
static_assert(decide({6, 9}, {}, backing::vfio_pci_bar, {}).memory == stage2_memory::normal_nc);
static_assert(decide({6, 16}, {.cpu = all_features}, backing::nvgrace_usemem, {}).memory ==
              stage2_memory::device_nGnRE);
static_assert(decide({6, 17}, {.cpu = all_features}, backing::nvgrace_usemem, {}).memory == stage2_memory::normal_wb);
static_assert(decide({6, 17}, {}, backing::nvgrace_usemem, {}).outcome == policy_outcome::memslot_error);

}  // namespace vmsa
