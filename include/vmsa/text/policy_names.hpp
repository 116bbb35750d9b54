// SPDX-License-Identifier: MIT
// The spelling of what a policy asks and answers, in text, JSON, TOML and arguments, and back.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vmsa/policy/alias.hpp"
#include "vmsa/policy/hypervisors.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/policy/what_if.hpp"

namespace vmsa::text {

// `map`, `memslot-error`, `run-error`, `guest-exception`, `mmio-exit`, `make-young`, `skip-instruction`,
// `not-applicable`.
std::string_view name(policy_outcome o) noexcept;
std::string_view name(policy_errno e) noexcept;   // `EFAULT`; empty for none
std::string_view name(policy_cause c) noexcept;   // `cannot-pin`; empty for none
std::string_view name(injected_exception e) noexcept;
std::string_view name(hypervisor_mode m) noexcept;
std::string_view name(access_kind k) noexcept;    // `read`, `write`, `exec`
std::string_view name(page_class p) noexcept;     // `map-memory`, `no-map` ...
std::string_view name(vma_type t) noexcept;       // `none`, `wb`, `nc`, `nGnRE`, `nGnRnE`
std::string_view name(alias_owner o) noexcept;
std::string_view name(mismatch m) noexcept;       // `none`, `ordering only`, `loss of coherency`, `previous contents`
std::string_view name(kvm_era e) noexcept;        // `6.9 to 6.16`
std::string_view name(dma_verdict v) noexcept;
std::string_view name(policy_input i) noexcept;   // the key of a policy file, where it is one key
std::string_view name(hypervisor h) noexcept;

// JSON form of what a leaf says: a summary's, or `stage1` where stage 1 decides.
std::string_view json_name(stage2_memory m) noexcept;

// What would be different: `without FWB`, `before 6.9`.
std::string_view describe(circumstance c) noexcept;
// `none`, or the work joined by commas: `clean+invalidate to PoC, invalidate I-cache to PoU`.
std::string describe(cache_duties d);

// A decision in a phrase: `map Normal-NC, RW, execute-never`; `KVM_RUN returns -EFAULT (cannot-pin)`.
std::string describe(decision const& d);

// The values of one input as a policy file spells them: `false` and `true` for yes or no.
std::span<std::string_view const> values_of(policy_input i) noexcept;

// `6.12`, `6.17-rc1`, `6.12.3`, `6.1.0-18-arm64`, as `uname -r` prints it; none for anything else and for releases
// before KVM/arm64.
std::optional<kernel_version> parse_kernel(std::string_view text) noexcept;
inline constexpr std::string_view valid_kernel = "a release of Linux from 3.11 on: 6.12, 6.17-rc1, 6.12.3-arm64";

std::optional<backing> parse_backing(std::string_view text) noexcept;  // never custom
std::string backing_names();                                           // all but custom, for messages
std::optional<hypervisor> parse_hypervisor(std::string_view text) noexcept;
std::string hypervisor_names();
std::optional<stage2_memory> parse_stage2_memory(std::string_view text) noexcept;
inline constexpr std::string_view valid_stage2_memory =
    "normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE device-nGRE device-GRE stage1";

// What a processor has, as far as policies look: the rest of `features` is left alone.
struct cpu_row {
  std::string_view name;
  bool s2fwb = false;
  bool dic = false;
  bool idc = false;
  bool xnx = false;
  bool mte = false;
  std::string_view note = {};
};
std::span<cpu_row const> cpus() noexcept;
cpu_row const* find_cpu(std::string_view text) noexcept;
std::string cpu_names();
constexpr void apply(cpu_row const& row, features& f) noexcept {
  f.s2fwb = row.s2fwb;
  f.dic = row.dic;
  f.idc = row.idc;
  f.xnx = row.xnx;
  f.mte = f.mte2 = row.mte;
}

}  // namespace vmsa::text
