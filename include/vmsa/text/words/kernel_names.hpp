// SPDX-License-Identifier: MIT
// What a kernel's name says, as `uname -r` prints it, and what is known of its release.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/policy/backing.hpp"
#include "vmsa/policy/kvm_since.hpp"

namespace vmsa::text {

// `6.12`, `6.17-rc1`, `6.12.3`, `6.1.0-18-arm64`, as `uname -r` prints it; none for anything else and for releases
// before KVM/arm64.
std::optional<kernel_version> parse_kernel(std::string_view text) noexcept;
// What else such a name says.
struct kernel_flavour {
  std::optional<granule> page{};  // `+16k`, `-64k`
  // A part of the name that upstream's, Debian's, Fedora's and Arch's kernels do not have, such as `nvidia`, `el9`,
  // `rpi`: somebody's own tree.
  std::string_view vendor{};
  bool known = false;  // of a distribution or vendor of which it is public that it takes changes of later releases
};
kernel_flavour flavour_of(std::string_view kernel) noexcept;
/// Why the answer for a kernel of somebody's own tree is upstream's, and how to tell what it does; none where the name,
/// `linux-` before it or not, is upstream's.
std::optional<std::string> vendor_note(std::string_view kernel);
/// The same of a kernel on another architecture, where nothing tells.
std::optional<std::string> vendor_note_elsewhere(std::string_view kernel);
/// The host's page: as `said`, else as the kernel's name has it, else as the kernels that run on this processor have
/// it, else 4K. `policy` is a kernel's name, `linux-` before it or not, a hypervisor's or a file's; hypervisors other
/// than Linux have pages of 4K whatever the host or the guest uses, and input_error where another size is `said`.
granule host_page_of(std::optional<granule> said, std::string_view policy, std::string_view cpu);
/// Why a host with pages of this size has no such memory; empty where it has.
std::string_view missing_backing(backing kind, granule page) noexcept;
// What a release does not know of what is asked, and whether it was ever looked at.
std::vector<std::string> release_notes(kernel_version v, policy_host const& host, memory_inputs const& memory,
                                       fault_access const& access);
inline constexpr std::string_view valid_kernel = "a release of Linux from 3.11 on: 6.12, 6.17-rc1, 6.12.3-arm64";

}  // namespace vmsa::text
