// SPDX-License-Identifier: MIT
// Other hypervisors' stage 2 attributes, as tables of the same shape. Read in their sources, 2024 to 2026. They know
// RAM and device memory where Linux knows backings; what they leave to a caller is asked for, never guessed.
#pragma once
#include <array>
#include <optional>
#include <utility>

#include "vmsa/policy/decide.hpp"

namespace vmsa {

enum class hypervisor : u8 { xen, xen_dom0, hafnium, bao, nova, jailhouse, sel4, sel4_smp, tf_rmm, gunyah };
inline constexpr unsigned hypervisor_count = 10;

namespace hypervisor_detail {

inline constexpr any_of<page_class> not_ram{page_class::no_map, page_class::mmio, page_class::zone_device,
                                            page_class::p2pdma};
constexpr verdict leaf(stage2_memory memory, shareability sh, execute_grant execute) noexcept {
  return {.memory = memory, .sh = sh, .write = write_grant::slot, .execute = execute, .leaf = leaf_limit::host};
}
inline constexpr auto x = execute_grant::always;
inline constexpr auto xn = execute_grant::never;
using enum stage2_memory;
using enum shareability;

inline constexpr rule other_fault =
    row("other-fault",
        {.fault = {fault_reason::external_abort, fault_reason::beyond_host_limit, fault_reason::beyond_vm_limit,
                   fault_reason::alignment, fault_reason::unsupported_access, fault_reason::tlb_conflict,
                   fault_reason::granule_protection, fault_reason::unsupported}},
        {.outcome = policy_outcome::not_applicable, .cause = policy_cause::not_a_mapping_fault},
        "no mapping cures this fault, and the policy of memory types does not say what the hypervisor does with it");
inline constexpr rule unmapped = row("unmapped", {.slot = slot_kind::none}, {.outcome = policy_outcome::mmio_exit},
                                     "nothing is mapped there: the access is emulated or refused");
constexpr rule stopped(char const* why) noexcept {
  return row("unmapped", {.slot = slot_kind::none},
             {.outcome = policy_outcome::run_error, .cause = policy_cause::no_memslot}, why);
}
inline constexpr rule caller_chooses_ram =
    row("caller-ram", {}, {.outcome = policy_outcome::not_applicable, .cause = policy_cause::configuration},
        "the caller chooses the memory type of every mapping: say which");
inline constexpr rule caller_chooses_device =
    row("caller-device", {.page = not_ram},
        {.outcome = policy_outcome::not_applicable, .cause = policy_cause::configuration},
        "the caller chooses the memory type of a device: say which");

inline constexpr std::array xen{
    other_fault,
    unmapped,
    row("direct-dev", {.page = not_ram}, leaf(device_nGnRE, outer, xn),
        "p2m_mmio_direct_dev: passed-through MMIO of a domU, and GICV"),
    row("ram", {}, leaf(normal_wb, inner, x), "p2m_ram: write-back, and stage 1 may lower it"),
};
inline constexpr std::array xen_dom0{
    other_fault,
    row("unmapped", {.slot = slot_kind::none},
        {.outcome = policy_outcome::guest_exception,
         .cause = policy_cause::no_memslot,
         .exception = injected_exception::external_abort},
        "dom0 has no emulator behind it: an access to where nothing is mapped is an abort"),
    row("gicv", {.slot = slot_kind::ioremap}, leaf(device_nGnRE, outer, xn), "p2m_mmio_direct_dev: GICV"),
    row("direct-c", {.page = not_ram}, leaf(stage1, outer, xn),
        "p2m_mmio_direct_c: dom0's device-tree MMIO, where the guest's stage 1 decides"),
    row("ram", {}, leaf(normal_wb, inner, x), "p2m_ram: write-back, and stage 1 may lower it"),
};
// sync_lower_exception: what vcpu_handle_page_fault does not resolve is injected with its own ISS and fault status.
inline constexpr std::array hafnium{
    other_fault,
    row("unmapped", {.slot = slot_kind::none},
        {.outcome = policy_outcome::guest_exception,
         .cause = policy_cause::no_memslot,
         .exception = injected_exception::as_taken},
        "nothing is emulated: the VM gets the abort with stage 2's own fault status, and an EL0 partition is aborted"),
    row("device", {.page = not_ram}, leaf(device_nGnRnE, inner, xn), "the mode of the mapping says device"),
    row("ram", {}, leaf(normal_wb, inner, x), "the mode of the mapping says memory"),
};
// aborts_data_lower: without a handler ERROR() prints, and the physical CPU stays there.
inline constexpr std::array bao{
    other_fault,
    stopped(
        "where no emulation handler is registered, the vGIC's for one, Bao prints \"no emulation handler for abort\" "
        "and stops the CPU"),
    row("device", {.page = not_ram}, leaf(device_GRE, non, x), "Device-GRE, non-shareable and executable, always"),
    row("ram", {}, leaf(normal_wb, non, x), "write-back, non-shareable, always"),
};
inline constexpr std::array nova{
    other_fault,
    unmapped,
    caller_chooses_device,
    row("ram", {}, leaf(normal_wb, inner, x), "write-back unless the delegation says otherwise"),
};
// arch_handle_dabt: MMIO_UNHANDLED ends in panic_park().
inline constexpr std::array jailhouse{
    other_fault,
    stopped("where no MMIO handler of the cell is, Jailhouse prints \"Unhandled data read\" or \"write\" and parks the "
            "CPU; with its last CPU the cell has failed"),
    row("io", {.page = not_ram}, leaf(device_nGnRE, inner, x), "the cell's region has the I/O flag; XN is never set"),
    row("ram", {}, leaf(normal_wb, inner, x), "the cell's region has no I/O flag"),
};
// One core needs no shareability; seL4 says Inner Shareable in its SMP builds only.
constexpr auto sel4_rows(shareability sh) noexcept {
  return std::array{
      other_fault,
      unmapped,
      row("device", {.page = not_ram}, leaf(device_nGnRnE, sh, xn),
          "the mapping is not cacheable, which is Device-nGnRnE: there is no Normal-NC at all"),
      row("ram", {}, leaf(normal_wb, sh, x), "the mapping is cacheable"),
  };
}
inline constexpr auto sel4 = sel4_rows(non);
inline constexpr auto sel4_smp = sel4_rows(inner);
inline constexpr std::array tf_rmm{
    other_fault,
    unmapped,
    row("coherent-device", {.page = not_ram, .vma = vma_type::wb}, leaf(stage1, inner, x),
        "a coherent device: MemAttr 0b111 lets the Realm's stage 1 decide"),
    row("device", {.page = not_ram}, leaf(normal_nc, inner, x), "a device that is not coherent: MemAttr 0b101"),
    row("protected", {}, leaf(normal_wb, inner, x), "protected memory is forced write-back; FWB is mandatory"),
};
inline constexpr std::array gunyah{other_fault, unmapped, caller_chooses_ram};

inline constexpr policy_traits without_fwb{.fwb = fwb_use::never, .linux_cache_duties = false};
inline constexpr policy_traits with_fwb{.fwb = fwb_use::always, .linux_cache_duties = false};

inline constexpr policy_table tables[hypervisor_count] = {
    {"xen", xen, without_fwb},       {"xen-dom0", xen_dom0, without_fwb}, {"hafnium", hafnium, without_fwb},
    {"bao", bao, without_fwb},       {"nova", nova, without_fwb},         {"jailhouse", jailhouse, without_fwb},
    {"sel4", sel4, without_fwb},     {"sel4-smp", sel4_smp, without_fwb}, {"tf-rmm", tf_rmm, with_fwb},
    {"gunyah", gunyah, without_fwb},
};

// What a mapping of the caller's choice says, three rows for each stage2_memory.
inline constexpr auto chosen = [] {
  std::array<rule, 24> rows{};
  for (unsigned i = 0; i < 8; ++i) {
    rows[3 * i] = other_fault;
    rows[3 * i + 1] = unmapped;
    rows[3 * i + 2] = row("caller", {}, leaf(static_cast<stage2_memory>(i), inner, i < 4 ? xn : x),
                          "the caller chose this memory type");
  }
  return rows;
}();
template <std::size_t... I>
constexpr auto chosen_tables(policy_traits traits, std::index_sequence<I...>) noexcept {
  return std::array{policy_table("caller", std::span(chosen).template subspan<3 * I, 3>(), traits)...};
}
inline constexpr auto chosen_without_fwb = chosen_tables(without_fwb, std::make_index_sequence<8>{});
inline constexpr auto chosen_with_fwb = chosen_tables(with_fwb, std::make_index_sequence<8>{});

}  // namespace hypervisor_detail

constexpr policy_table const& hypervisor_table(hypervisor h) noexcept {
  return hypervisor_detail::tables[static_cast<unsigned>(h)];
}

// True when the hypervisor lets a caller choose `memory` for a mapping.
constexpr bool may_choose(hypervisor h, stage2_memory memory) noexcept {
  switch (h) {
    case hypervisor::nova:
    case hypervisor::gunyah: return memory != stage2_memory::stage1;
    case hypervisor::jailhouse: return memory == stage2_memory::normal_wb || memory == stage2_memory::device_nGnRE;
    case hypervisor::hafnium:
    case hypervisor::sel4:
    case hypervisor::sel4_smp: return memory == stage2_memory::normal_wb || memory == stage2_memory::device_nGnRnE;
    case hypervisor::tf_rmm: return memory != stage2_memory::normal_wt;  // MemAttr[2:0] of an unprotected IPA
    case hypervisor::xen:                                                // by internal type only
    case hypervisor::xen_dom0: return memory == stage2_memory::normal_nc;
    case hypervisor::bao: return false;
  }
  return false;
}

// A hypervisor as a policy; `choice` is the caller's, where it has one and may_choose allows it.
struct hypervisor_policy {
  hypervisor which = hypervisor::xen;
  std::optional<stage2_memory> choice{};

  // The rows that decide: the hypervisor's own, or those of the type that its caller chose.
  constexpr policy_table const& table() const noexcept {
    policy_table const& own = hypervisor_table(which);
    if (!choice || !may_choose(which, *choice)) return own;
    auto const& chosen = own.traits().fwb == fwb_use::always ? hypervisor_detail::chosen_with_fwb
                                                             : hypervisor_detail::chosen_without_fwb;
    return chosen[static_cast<unsigned>(*choice)];
  }
  constexpr decision decide_for(policy_host const& host, memory_inputs const& m, backing kind,
                                fault_access const& access) const noexcept {
    // Where nothing is mapped there is no type to choose.
    decision d = decide(m.slot.kind == slot_kind::none ? hypervisor_table(which) : table(), host, m, kind, access);
    if (!choice || !may_choose(which, *choice)) return d;
    if (which == hypervisor::sel4) d.sh = shareability::non;
    // p2m_mmio_direct_nc is Outer Shareable.
    if (which == hypervisor::xen || which == hypervisor::xen_dom0) d.sh = shareability::outer;
    return d;
  }
  constexpr decision operator()(policy_host const& host, region const& r, fault_access const& access) const noexcept {
    return decide_for(host, r.inputs, r.backing, access);
  }
};
static_assert(fault_policy<hypervisor_policy>);

}  // namespace vmsa
