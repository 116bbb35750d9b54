// SPDX-License-Identifier: MIT
#include "vmsa/text/words/policy_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/words/word_table.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

using words = std::string_view;

// The spelling of a value of one input is its row's in policy_inputs.
constexpr policy_input const* input_of(words key) noexcept {
  for (policy_input const& i : policy_inputs)
    if (key == i.key) return &i;
  return nullptr;
}
template <class E>
words value_name(words key, E value) noexcept {
  policy_input const* const i = input_of(key);
  auto const place = static_cast<std::size_t>(value);
  return i != nullptr && place < i->values.size() ? i->values[place] : "?";
}

template <class Names, class Keep>
std::string list(Names const& names, Keep keep) {
  std::string out;
  for (auto const& n : names)
    if (keep(n)) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  return out;
}

}  // namespace

std::string_view name(policy_outcome o) noexcept {
  constexpr std::array<words, 9> names{"map",        "memslot-error",    "run-error", "guest-exception", "mmio-exit",
                                       "make-young", "skip-instruction", "sea-exit",  "not-applicable"};
  return word_of(names, o);
}

std::string_view name(policy_errno e) noexcept {
  constexpr std::array<words, 6> names{"", "EFAULT", "EINVAL", "EPERM", "EIO", "ENOSYS"};
  return word_of(names, e);
}

std::string_view name(policy_cause c) noexcept {
  constexpr std::array<words, 28> names{"",
                                        "no-vma",
                                        "cannot-pin",
                                        "pfnmap-read-only",
                                        "cacheable-pfnmap-unsupported",
                                        "mte-not-allowed",
                                        "unsupported-fsc",
                                        "read-permission-fault",
                                        "pfnmap-dirty-logging",
                                        "guest-memfd-unsupported",
                                        "guest-memfd-flags",
                                        "guest-memfd-no-mmap",
                                        "partial-host-page",
                                        "protected-slot-flags",
                                        "protected-backing",
                                        "pkvm-not-cacheable",
                                        "pkvm-outside-memblock",
                                        "no-syndrome",
                                        "no-memslot",
                                        "read-only-memslot",
                                        "not-executable",
                                        "beyond-host-limit",
                                        "beyond-vm-limit",
                                        "external-abort",
                                        "unsupported-access",
                                        "not-a-mapping-fault",
                                        "nested-permission",
                                        "configuration"};
  return word_of(names, c);
}

std::string_view name(injected_exception e) noexcept {
  constexpr std::array<words, 7> names{"none",
                                       "synchronous external abort",
                                       "address size fault",
                                       "SError",
                                       "stage 2 fault for the guest hypervisor",
                                       "an abort of an unsupported exclusive or atomic access",
                                       "the abort that EL2 took, with its fault status"};
  return word_of(names, e);
}

std::string_view name(hypervisor_mode m) noexcept { return value_name("mode", m); }
std::string_view name(access_kind k) noexcept { return value_name("access", k); }
std::string_view name(page_class p) noexcept { return value_name("page", p); }
std::string_view name(linear_alias a) noexcept { return value_name("linear", a); }
std::string_view name(vma_type t) noexcept { return value_name("vma", t); }

std::string_view name(alias_owner o) noexcept {
  constexpr std::array<words, 3> names{"monitor", "linear map", "DMA"};
  return word_of(names, o);
}

std::string_view name(mismatch m) noexcept {
  constexpr std::array<words, 4> names{"none", "ordering only", "loss of coherency", "previous contents"};
  return word_of(names, m);
}

std::string_view name(kvm_era e) noexcept {
  constexpr std::array<words, kvm_era_count> names{"to 6.8", "6.9 to 6.12", "6.13 to 6.16", "6.17 to 6.18",
                                                   "6.19",   "7.0",         "7.1 on"};
  return word_of(names, e);
}

std::string_view name(dma_verdict v) noexcept {
  constexpr std::array<words, 7> names{"snoops",
                                       "snoops by CANWBS",
                                       "refused by VFIO",
                                       "not coherent, and taken",
                                       "No_Snoop goes past the caches",
                                       "mapped uncached",
                                       "no nested SMMU"};
  return word_of(names, v);
}

namespace {
constexpr std::array<words, 3> dma_user_names{"type1", "iommufd", "nested"};
}
std::string_view name(dma_user u) noexcept { return word_of(dma_user_names, u); }
std::optional<dma_user> parse_dma_user(std::string_view word) noexcept {
  for (std::size_t i = 0; i < dma_user_names.size(); ++i)
    if (word == dma_user_names[i]) return static_cast<dma_user>(i);
  return std::nullopt;
}

std::string_view name(smmu_config c) noexcept {
  constexpr std::array<words, 8> names{"abort",  "abort",   "abort",   "abort",
                                       "bypass", "stage 1", "stage 2", "stage 1 over stage 2"};
  return word_of(names, c);
}

std::string_view name(hypervisor h) noexcept { return hypervisor_table(h).name(); }

std::string_view json_name(stage2_memory m) noexcept {
  constexpr std::array<summary, 7> types{summary::device_nGnRnE, summary::device_nGnRE, summary::device_nGRE,
                                         summary::device_GRE,    summary::normal_nc,    summary::normal_wt,
                                         summary::normal_wb};
  auto const i = static_cast<std::size_t>(m);
  return i < types.size() ? json_name(types[i]) : "stage1";
}

std::string describe(what_if const& w) {
  constexpr std::array<words, circumstance_count> names{"with FWB and DIC",
                                                        "without FWB",
                                                        "without DIC",
                                                        "",
                                                        "with VM_ALLOW_ANY_UNCACHED",
                                                        "with a write-back VMA",
                                                        "without PFNMAP and MIXEDMAP",
                                                        "while the host's entry is read-only",
                                                        "once the host's entry is writable",
                                                        "without dirty logging",
                                                        "in a writable slot",
                                                        "in whole pages of the host",
                                                        "with GUEST_MEMFD_FLAG_MMAP",
                                                        "with KVM_CAP_ARM_NISV_TO_USER",
                                                        "with KVM_CAP_ARM_SEA_TO_USER",
                                                        "on a fetch",
                                                        "not under pKVM"};
  if (w.changed != circumstance::release) return std::string(word_of(names, w.changed));
  // The last release of an era is the one before the next era's first; in the name of an era it stands last.
  auto const last = [](kvm_era e) { return name(e).substr(name(e).rfind(' ') + 1); };
  kernel_version const since = first_release(w.first);
  std::string const first = fmt::format("{}.{}", since.major, since.minor);
  if (w.first == kvm_era::to_6_8) {
    auto const next = static_cast<kvm_era>(static_cast<unsigned>(w.last) + 1);
    return fmt::format("before {}.{}", first_release(next).major, first_release(next).minor);
  }
  if (last(w.last) == "on") return fmt::format("from {} on", first);
  return last(w.last) == first ? fmt::format("in {}", first) : fmt::format("from {} to {}", first, last(w.last));
}

std::string describe(cache_duties d) {
  std::string out;
  if (d.clean_invalidate_poc) out += "clean+invalidate to PoC";
  if (d.invalidate_instruction_pou) out += fmt::format("{}invalidate I-cache to PoU", out.empty() ? "" : ", ");
  return out.empty() ? "none" : out;
}

std::string describe(decision const& d) {
  switch (d.outcome) {
    case policy_outcome::map: {
      stage2_leaf const leaf = leaf_of(d);
      return fmt::format("map {}, {}, {}", name(d.memory), name(leaf.access), name(execution_of(leaf)));
    }
    case policy_outcome::memslot_error:
      return fmt::format("the {} is refused with {}", d.of_kvm ? "memslot" : "region", name(d.error));
    case policy_outcome::run_error:
      if (d.of_kvm) return fmt::format("KVM_RUN returns -{} ({})", name(d.error), name(d.cause));
      return d.error == policy_errno::none ? "the hypervisor stops the CPU that made the access"
                                           : fmt::format("the VM cannot go on: {}", name(d.error));
    case policy_outcome::guest_exception:
      return d.esr_el1 == 0 ? fmt::format("the guest takes {}", name(d.exception))
                            : fmt::format("the guest takes {}, ESR_EL1 {}", name(d.exception), hex(d.esr_el1));
    case policy_outcome::mmio_exit:
      return d.of_kvm ? "exit to the monitor, which emulates the access" : "nothing is mapped: emulated or refused";
    case policy_outcome::sea_exit: return "exit to the monitor with KVM_EXIT_ARM_SEA, which decides";
    case policy_outcome::make_young: return "set the access flag";
    case policy_outcome::skip_instruction: return "skip the instruction: there is nothing to maintain";
    case policy_outcome::not_applicable: break;
  }
  return d.row == nullptr                               ? "no row of the policy speaks about it"
         : d.cause == policy_cause::configuration       ? "the caller of the hypervisor chooses"
         : d.cause == policy_cause::not_a_mapping_fault ? "nothing to map: no mapping cures this fault"
                                                        : "not applicable: no such memory can be behind a guest";
}

std::string values_of(std::string_view key) {
  policy_input const* const i = input_of(key);
  return i == nullptr ? std::string() : fmt::format("{}", fmt::join(i->values, " "));
}

std::optional<unsigned> parse_value(std::string_view key, std::string_view value) noexcept {
  policy_input const* const i = input_of(key);
  for (unsigned v = 0; i != nullptr && v < i->values.size(); ++v)
    if (value == i->values[v]) return v;
  return std::nullopt;
}

std::string unfit_mapping(decision const& d, fault_access const& access) {
  if (!d.maps() || d.of_kvm) return {};
  if (!cured_by_mapping(access.fault))
    return "no mapping cures this fault: the policy's rows do not ask which fault it is (key \"fault\")";
  bool const granted = access.kind == access_kind::read    ? d.readable
                       : access.kind == access_kind::write ? d.writable
                                                           : d.executable;
  if (access.fault == fault_reason::translation || !granted) return {};
  return "the leaf that this policy maps permits the access: the leaf in use is another, and the policy does not say "
         "why";
}

std::optional<backing> parse_backing(std::string_view text) noexcept {
  for (unsigned i = 0; i + 1 < backing_count; ++i)
    if (text == vmsa::name(static_cast<backing>(i))) return static_cast<backing>(i);
  return std::nullopt;
}

std::string backing_names() {
  return list(input_of("backing")->values, [](words n) { return n != "custom"; });
}

std::optional<hypervisor> parse_hypervisor(std::string_view text) noexcept {
  for (unsigned i = 0; i < hypervisor_count; ++i)
    if (text == name(static_cast<hypervisor>(i))) return static_cast<hypervisor>(i);
  return std::nullopt;
}

std::string hypervisor_names() {
  std::array<words, hypervisor_count> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = name(static_cast<hypervisor>(i));
  return list(names, [](words) { return true; });
}

std::optional<stage2_memory> parse_stage2_memory(std::string_view text) noexcept {
  for (unsigned i = 0; i <= static_cast<unsigned>(stage2_memory::stage1); ++i)
    if (text == json_name(static_cast<stage2_memory>(i))) return static_cast<stage2_memory>(i);
  return std::nullopt;
}

}  // namespace vmsa::text
