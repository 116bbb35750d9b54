// SPDX-License-Identifier: MIT
#include "vmsa/text/policy_names.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "vmsa/text/format.hpp"
#include "vmsa/text/names.hpp"

namespace vmsa::text {
namespace {

template <class E, std::size_t N>
std::string_view pick(std::array<std::string_view, N> const& names, E value) noexcept {
  auto const i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "?";
}

using words = std::string_view;

constexpr std::array<words, hypervisor_mode_count> mode_names{"vhe", "pkvm-guest", "pkvm-protected", "nested"};
constexpr std::array<words, access_kind_count> access_names{"read", "write", "exec"};
constexpr std::array<words, page_class_count> page_names{"map-memory", "no-map", "mmio", "zone-device", "p2pdma"};
constexpr std::array<words, vma_type_count> vma_names{"none", "wb", "nc", "nGnRE", "nGnRnE"};
constexpr std::array<words, 2> yes_no{"false", "true"};
constexpr std::array<words, 4> fwb_dic_names{"neither", "fwb", "dic", "fwb,dic"};
constexpr std::array<words, 4> mapping_names{"plain", "pfnmap", "mixedmap", "pfnmap,mixedmap"};
constexpr std::array<words, 3> linear_names{"none", "write-back", "nGnRnE"};
constexpr std::array<words, host_access_count> host_access_names{"none", "read-only", "read-write"};
constexpr std::array<words, slot_kind_count> slot_names{"none", "memory", "guest-memfd", "ioremap"};
constexpr std::array<words, 3> leaf_names{"level-1", "level-2", "level-3"};
constexpr std::array<words, fault_reason_count> fault_names{
    "translation",       "permission",      "access-flag", "external-abort",
    "beyond-host-limit", "beyond-vm-limit", "unsupported"};
constexpr auto every_backing = [] {
  std::array<words, backing_count> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = vmsa::name(static_cast<backing>(i));
  return names;
}();

// Sorted by name. DIC and IDC are CTR_EL0's; S2FWB, XNX and MTE are the ID registers'.
constexpr cpu_row cpu_table[] = {
    {.name = "a64fx", .xnx = true},
    {.name = "ampere1", .s2fwb = true, .dic = true, .idc = true, .xnx = true},
    {.name = "cortex-a35"},
    {.name = "cortex-a53"},
    {.name = "cortex-a55", .xnx = true},
    {.name = "cortex-a57"},
    {.name = "cortex-a710", .s2fwb = true, .idc = true, .xnx = true, .mte = true},
    {.name = "cortex-a72"},
    {.name = "cortex-a73"},
    {.name = "cortex-a75", .xnx = true},
    {.name = "cortex-a76", .xnx = true},
    {.name = "max", .s2fwb = true, .xnx = true, .note = "as QEMU 7.2 models it: FWB, no DIC"},
    {.name = "neoverse-n1", .xnx = true,
     .note = "DIC is a build option of this core: --dic on where CTR_EL0.DIC is 1"},
    {.name = "neoverse-n2", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true},
    {.name = "neoverse-v1", .s2fwb = true, .dic = true, .idc = true, .xnx = true},
    {.name = "neoverse-v2", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true},
};

template <class Names, class Keep>
std::string list(Names const& names, Keep keep) {
  std::string out;
  for (auto const& n : names)
    if (keep(n)) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  return out;
}

}  // namespace

std::string_view name(policy_outcome o) noexcept {
  constexpr std::array<words, 8> names{"map",       "memslot-error", "run-error",        "guest-exception",
                                       "mmio-exit", "make-young",    "skip-instruction", "not-applicable"};
  return pick(names, o);
}

std::string_view name(policy_errno e) noexcept {
  constexpr std::array<words, 6> names{"", "EFAULT", "EINVAL", "EPERM", "EIO", "ENOSYS"};
  return pick(names, e);
}

std::string_view name(policy_cause c) noexcept {
  constexpr std::array<words, 24> names{"",
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
                                        "nested-permission",
                                        "configuration"};
  return pick(names, c);
}

std::string_view name(injected_exception e) noexcept {
  constexpr std::array<words, 5> names{"none", "synchronous external abort", "address size fault", "SError",
                                       "stage 2 fault for the guest hypervisor"};
  return pick(names, e);
}

std::string_view name(hypervisor_mode m) noexcept { return pick(mode_names, m); }
std::string_view name(access_kind k) noexcept { return pick(access_names, k); }
std::string_view name(page_class p) noexcept { return pick(page_names, p); }
std::string_view name(vma_type t) noexcept { return pick(vma_names, t); }

std::string_view name(alias_owner o) noexcept {
  constexpr std::array<words, 3> names{"monitor", "linear map", "DMA"};
  return pick(names, o);
}

std::string_view name(mismatch m) noexcept {
  constexpr std::array<words, 4> names{"none", "ordering only", "loss of coherency", "previous contents"};
  return pick(names, m);
}

std::string_view name(kvm_era e) noexcept {
  constexpr std::array<words, kvm_era_count> names{"to 6.8", "6.9 to 6.16", "6.17 on", "7.1 on"};
  return pick(names, e);
}

std::string_view name(dma_verdict v) noexcept {
  constexpr std::array<words, 5> names{"snoops", "snoops by CANWBS", "refused by VFIO", "No_Snoop goes past the caches",
                                       "mapped uncached"};
  return pick(names, v);
}

std::string_view name(policy_input i) noexcept {
  constexpr std::array<words, policy_input_count> names{
      "fwb_dic",    "lpa2",               "xnx",       "idc",         "mte",         "mte_vm",
      "mode",       "page",               "linear",    "vma",         "mapping",     "allow_any_uncached",
      "shared",     "swap_backed",        "mte_allowed", "host_access", "late",      "slot",
      "read_only",  "log_dirty",          "dma",       "host_leaf",   "access",      "fault",
      "stage1_walk", "cache_maintenance", "syndrome_valid", "nisv_exits", "from_el0", "nested_grant",
      "backing"};
  return pick(names, i);
}

std::string_view name(hypervisor h) noexcept { return hypervisor_table(h).name(); }

std::string_view json_name(stage2_memory m) noexcept {
  constexpr std::array<summary, 7> types{summary::device_nGnRnE, summary::device_nGnRE, summary::device_nGRE,
                                         summary::device_GRE,    summary::normal_nc,    summary::normal_wt,
                                         summary::normal_wb};
  auto const i = static_cast<std::size_t>(m);
  return i < types.size() ? json_name(types[i]) : "stage1";
}

std::string_view describe(circumstance c) noexcept {
  constexpr std::array<words, circumstance_count> names{"with FWB and DIC",
                                                  "without FWB",
                                                  "without DIC",
                                                  "before 6.9",
                                                  "from 6.9 to 6.16",
                                                  "from 6.17 on",
                                                  "with VM_ALLOW_ANY_UNCACHED",
                                                  "with a write-back VMA",
                                                  "without PFNMAP and MIXEDMAP",
                                                  "without dirty logging",
                                                  "in a writable slot",
                                                  "on a fetch",
                                                  "not under pKVM"};
  return pick(names, c);
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
      return fmt::format("map {}, {}, {}", name(d.memory), name(leaf.access), name(leaf.execute));
    }
    case policy_outcome::memslot_error: return fmt::format("the memslot is refused with {}", name(d.error));
    case policy_outcome::run_error: return fmt::format("KVM_RUN returns -{} ({})", name(d.error), name(d.cause));
    case policy_outcome::guest_exception:
      return d.esr_el1 == 0 ? fmt::format("the guest takes {}", name(d.exception))
                            : fmt::format("the guest takes {}, ESR_EL1 {}", name(d.exception), hex(d.esr_el1));
    case policy_outcome::mmio_exit: return "exit to the monitor, which emulates the access";
    case policy_outcome::make_young: return "set the access flag";
    case policy_outcome::skip_instruction: return "skip the instruction: there is nothing to maintain";
    case policy_outcome::not_applicable: break;
  }
  return d.row == nullptr ? "no row of the policy speaks about it"
         : d.cause == policy_cause::configuration ? "the caller of the hypervisor chooses"
                                                  : "not applicable: no such memory can be behind a guest";
}

std::span<std::string_view const> values_of(policy_input i) noexcept {
  switch (i) {
    case policy_input::fwb_dic: return fwb_dic_names;
    case policy_input::mode: return mode_names;
    case policy_input::page: return page_names;
    case policy_input::linear: return linear_names;
    case policy_input::vma: return vma_names;
    case policy_input::mapping: return mapping_names;
    case policy_input::host_access: return host_access_names;
    case policy_input::slot: return slot_names;
    case policy_input::host_leaf: return leaf_names;
    case policy_input::access: return access_names;
    case policy_input::fault: return fault_names;
    case policy_input::backing: return every_backing;
    default: return yes_no;
  }
}

std::optional<kernel_version> parse_kernel(std::string_view text) noexcept {
  auto const number = [&text](u16& out) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  auto const take = [&text](char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  };
  kernel_version v;
  if (text.empty() || text.front() == '-' || !number(v.major) || !take('.')) return std::nullopt;
  if (text.empty() || text.front() == '-' || !number(v.minor)) return std::nullopt;
  if (take('.')) {
    u16 patch = 0;
    if (text.empty() || text.front() == '-' || !number(patch)) return std::nullopt;
  }
  // What distributions append: `-rc1`, `-18-arm64`, `+deb12`.
  if (!text.empty()) {
    if (text.size() < 2 || (text.front() != '-' && text.front() != '+')) return std::nullopt;
    for (char c : text) {
      bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      bool const digit = c >= '0' && c <= '9';
      if (!letter && !digit && c != '-' && c != '+' && c != '.' && c != '_' && c != '~') return std::nullopt;
    }
  }
  if (v < first_kvm_arm64) return std::nullopt;
  return v;
}

std::optional<backing> parse_backing(std::string_view text) noexcept {
  for (unsigned i = 0; i + 1 < backing_count; ++i)
    if (text == vmsa::name(static_cast<backing>(i))) return static_cast<backing>(i);
  return std::nullopt;
}

std::string backing_names() {
  return list(every_backing, [](words n) { return n != "custom"; });
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

std::span<cpu_row const> cpus() noexcept { return cpu_table; }

cpu_row const* find_cpu(std::string_view text) noexcept {
  for (cpu_row const& row : cpu_table)
    if (row.name == text) return &row;
  return nullptr;
}

std::string cpu_names() {
  std::string out;
  for (cpu_row const& row : cpu_table) out += fmt::format("{}{}", out.empty() ? "" : " ", row.name);
  return out;
}

}  // namespace vmsa::text
