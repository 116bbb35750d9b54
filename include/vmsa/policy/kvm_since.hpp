// SPDX-License-Identifier: MIT
// What a release of KVM/arm64 does not know yet, one row each, and between which releases this library saw KVM decide.
// The rows of kvm_rows.hpp date what changed since; here stands what they take for granted.
#pragma once
#include <array>

#include "vmsa/policy/host.hpp"
#include "vmsa/policy/kvm_era.hpp"
#include "vmsa/policy/memory.hpp"

namespace vmsa {

/// The oldest and the newest release whose decisions were observed or read (tests/tables/kvm_observed.csv). An answer
/// about another one is that of the nearest.
inline constexpr kernel_version first_observed_kvm{6, 1};
inline constexpr kernel_version last_observed_kvm{7, 3};

/// Something that a question takes for granted and that KVM has from `since` on.
struct kvm_since {
  kernel_version since{};
  bool (*asked)(policy_host const&, memory_inputs const&, fault_access const&) = nullptr;
  char const* says = "";  ///< After "before 4.19 ", so that it reads as a sentence.
  /// Makes the host the one that the release sees; leaves it where the release would answer the same. It is never null,
  /// because GCC takes no comparison of a function with null for a constant under -fsanitize=undefined.
  void (*forget)(policy_host&) = [](policy_host&) {};
};

/// The release is that of the merge window in which the change went in.
inline constexpr auto kvm_since_rows = [] {
  using host = policy_host const&;
  using memory = memory_inputs const&;
  using access = fault_access const&;
  return std::to_array<kvm_since>({
      // e48d53a91f6e, "Cope with hardware that has Stage-2 Forced Write-Back".
      {{4, 19},
       [](host h, memory, access) { return h.cpu.s2fwb; },
       "KVM does not use FEAT_S2FWB: answered without it",
       [](policy_host& h) { h.cpu.s2fwb = false; }},
      // c726200dd106, "Allow reporting non-ISV data aborts to userspace".
      {{5, 5},
       [](host h, memory, access) { return h.nisv_exits; },
       "there is no KVM_CAP_ARM_NISV_TO_USER: answered without it",
       [](policy_host& h) { h.nisv_exits = false; }},
      // ea7fc1bb1cd1, "Introduce MTE VM feature".
      {{5, 14}, [](host h, memory, access) { return h.mte_vm; }, "no VM has MTE: this question has no such host"},
      // 2aa53d68cee6, "Try stage2 block mapping for host device MMIO".
      {{5, 14}, [](host, memory m, access) { return m.vma.pfnmap; }, "KVM maps PFNMAP memory in pages only"},
      // 85ea6b1ec915, "Inject exception on out-of-IPA-range translation fault".
      {{5, 18},
       [](host, memory, access a) {
         return a.fault == fault_reason::beyond_host_limit || a.fault == fault_reason::beyond_vm_limit;
       },
       "KVM takes an access beyond the limits for one where no memslot is, and hands it to the monitor"},
      // The KVM/arm64 updates for 6.8: 52-bit addresses with 4K and 16K pages.
      {{6, 8},
       [](host h, memory, access) { return h.lpa2_tables; },
       "KVM makes no FEAT_LPA2 descriptors: answered with the others",
       [](policy_host& h) { h.lpa2_tables = false; }},
      // The KVM/arm64 updates for 6.16: kvm-arm.mode=nested.
      {{6, 16},
       [](host h, memory, access) { return h.mode == hypervisor_mode::nested; },
       "KVM has no nested VMs: the answer is a later release's for such memory"},
      {{6, 17},
       [](host h, memory, access) {
         return h.mode == hypervisor_mode::pkvm_guest || h.mode == hypervisor_mode::pkvm_protected;
       },
       "nothing is known here of pKVM's own decisions: the answer is that for a VM without pKVM"},
      {{6, 19},
       [](host h, memory, access) { return h.sea_exits; },
       "there is no KVM_CAP_ARM_SEA_TO_USER: answered without it"},
  });
}();

/// The host as this release uses it: what it does not know yet is off.
constexpr policy_host as_known_to(kernel_version v, policy_host host) noexcept {
  for (kvm_since const& row : kvm_since_rows)
    if (v < row.since) row.forget(host);
  return host;
}

}  // namespace vmsa
