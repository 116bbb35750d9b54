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
std::string_view name(policy_errno e) noexcept;  // `EFAULT`; empty for none
std::string_view name(policy_cause c) noexcept;  // `cannot-pin`; empty for none
std::string_view name(injected_exception e) noexcept;
std::string_view name(hypervisor_mode m) noexcept;
std::string_view name(access_kind k) noexcept;   // `read`, `write`, `exec`
std::string_view name(page_class p) noexcept;    // `map-memory`, `no-map` ...
std::string_view name(linear_alias a) noexcept;  // `none`, `write-back`, `nGnRnE`
std::string_view name(vma_type t) noexcept;      // `none`, `wb`, `nc`, `nGnRE`, `nGnRnE`
std::string_view name(alias_owner o) noexcept;
std::string_view name(mismatch m) noexcept;  // `none`, `ordering only`, `loss of coherency`, `previous contents`
std::string_view name(kvm_era e) noexcept;   // `6.9 to 6.16`
std::string_view name(dma_verdict v) noexcept;
std::string_view name(dma_user u) noexcept;
std::optional<dma_user> parse_dma_user(std::string_view word) noexcept;
std::string_view name(smmu_config c) noexcept;
std::string_view name(hypervisor h) noexcept;

// JSON form of what a leaf says: a summary's, or `stage1` where stage 1 decides.
std::string_view json_name(stage2_memory m) noexcept;

// What would be different: `without FWB`, `before 6.9`, `from 6.9 to 6.16`.
std::string describe(what_if const& w);
// `none`, or the work joined by commas: `clean+invalidate to PoC, invalidate I-cache to PoU`.
std::string describe(cache_duties d);

// A decision in a phrase: `map Normal-NC, RW, execute-never`; `KVM_RUN returns -EFAULT (cannot-pin)`.
std::string describe(decision const& d);

// The values of a key of a policy file, with spaces between; empty for what is no key.
std::string values_of(std::string_view key);
// The place of a value among those of a key.
std::optional<unsigned> parse_value(std::string_view key, std::string_view value) noexcept;

// Why a mapping is no answer to this access: empty where it is.
std::string unfit_mapping(decision const& d, fault_access const& access);

std::optional<backing> parse_backing(std::string_view text) noexcept;  // never custom
std::string backing_names();                                           // all but custom, for messages
std::optional<hypervisor> parse_hypervisor(std::string_view text) noexcept;
std::string hypervisor_names();
std::optional<stage2_memory> parse_stage2_memory(std::string_view text) noexcept;
inline constexpr std::string_view valid_stage2_memory =
    "normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE device-nGRE device-GRE stage1";

}  // namespace vmsa::text
