// SPDX-License-Identifier: MIT
// A fault handled as fault_path.hpp handles it, and every value on the way kept: so that explaining a fault is
// formatting and never a second implementation.
#pragma once
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/policy/fault_path.hpp"

namespace vmsa {

struct alias_report {
  alias other{};
  mismatch disagreement = mismatch::none;
};

/// Everything on the way of one fault: what fault_outcome says, the entry before and after, the guest's access tried
/// again through the new leaf, and whoever else maps the memory. Beside other callers the entries are as they were
/// seen.
struct [[nodiscard]] fault_trace : fault_outcome {
  stage2_fault fault{};
  descriptor before{};  // what the walk found there: a leaf, or the invalid entry, at any level
  descriptor after{};
  change edit{};
  translation retried{};
  bounded_list<alias_report, alias_list::capacity> aliases{};

  /// None where nothing was judged: the fault was not resolved, or the guest's access faults again.
  constexpr std::optional<mismatch> worst_mismatch() const noexcept {
    if (!*this || !retried) return std::nullopt;
    mismatch worst = mismatch::none;
    for (alias_report const& a : aliases)
      if (a.disagreement > worst) worst = a.disagreement;
    return worst;
  }
};

/// The regime in which `table` is walked: stage 2 on, stage 1 off, on a processor with `cpu`'s features as far as the
/// table uses them, and with VTCR_EL2's attributes of walks and leaves as geometry::for_ipa_size chooses them.
template <class Table>
constexpr auto regime_of(Table const& table, features cpu) noexcept {
  using shape_type = std::remove_cvref_t<decltype(table.shape())>;
  stage2_controls const& c = table.controls();
  cpu.s2fwb = c.fwb;
  cpu.hw_access_flag = c.ha;
  cpu.hw_dirty_state = c.ha && c.hd;
  regime_registers r;
  r.hcr = r.hcr.template with<hcr_el2::vm>(true).template with<hcr_el2::fwb>(c.fwb);
  translation_regime<shape_type> regime = make_regime<shape_type>(r, cpu);
  regime.stage2 = {.shape = table.shape(),
                   .root = table.root(),
                   .updates = {.access_flag = cpu.hw_access_flag, .dirty_state = cpu.hw_dirty_state},
                   .sh = static_cast<u8>(shareability::inner),
                   .walks = linux_write_back};
  return regime;
}

/// handle_fault, and all that can be said about what it did.
template <fault_table Table, fault_policy Policy>
fault_trace trace_fault(Table& table, region_map const& regions, Policy const& policy, policy_host const& host,
                        stage2_fault const& fault, guest_context const& guest) noexcept {
  stage2_mapping const found = table.look_up(fault.where);
  fault_trace out;
  static_cast<fault_outcome&>(out) = handle_fault(table, regions, policy, host, fault, guest);
  out.fault = fault;
  if (!out.decided.maps() || out.where == nullptr) return out;
  out.before = found.entry;
  if (!out) return out;
  out.after = table.look_up(out.base).entry;
  stage2_controls const& machine = table.controls();
  out.edit = classify_change(found.at == out.at ? out.before : descriptor{}, out.after,
                             {.format = table.shape().format,
                              .at = out.at,
                              .fwb = machine.fwb,
                              .ha = machine.ha,
                              .hd = machine.hd,
                              .bbm = machine.bbm});

  constexpr operation operations[] = {operation::read, operation::write, operation::exec};
  memory_access const access{.op = operations[static_cast<unsigned>(fault.access)],
                             .el = guest.from_el0 ? exception_level::el0 : exception_level::el1};
  out.retried = translate(table.port(), regime_of(table, host.cpu), fault.where, guest.stage1, access);
  if (!out.retried) return out;
  for (alias const& other : aliases_of(out.where->inputs, guest.dma))
    out.aliases.push({other, classify_mismatch(out.retried.attributes, other.attributes, out.decided.duties)});
  return out;
}

}  // namespace vmsa
