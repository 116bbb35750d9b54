// SPDX-License-Identifier: MIT
// The way of a fault: registers to region to decision to leaf to what the guest's access ends with. One call, and every
// value on the way in its outcome, so that explaining a fault is formatting and never a second implementation.
#pragma once
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/policy/alias.hpp"
#include "vmsa/policy/decision.hpp"

namespace vmsa {

// What the guest and its devices bring to the access.
struct guest_context {
  memory_attributes stage1 = linux_write_back;  // stage 1's output: see stage1_attributes
  memory_attributes dma = linux_write_back;     // accesses of devices assigned to the guest
  bool from_el0 = false;                        // SPSR_EL2.M: the guest was at EL0
};

enum class fault_step : u8 {
  resolved,         // a leaf is in the table: the guest retries
  decided,          // the decision is something else than a mapping; the table is untouched
  unknown_address,  // HPFAR_EL2 is not to be believed: translate FAR_EL2 with AT S1E1x, set `where` and `where_valid`
  table_refused,    // see `mapping.error`
};

struct alias_report {
  alias other{};
  mismatch disagreement = mismatch::none;
};

struct [[nodiscard]] fault_outcome {
  fault_step step = fault_step::decided;
  stage2_fault fault{};
  fault_access access{};
  region const* where = nullptr;  // null: no memslot
  decision decided{};

  // The leaf, when the decision maps.
  level at = level::l3;
  ipa base{};
  pa output{};
  stage2_leaf leaf{};
  descriptor before{};  // what the walk found there: a leaf, or the invalid entry, at any level
  descriptor after{};
  change edit{};
  stage2_outcome mapping{};

  // The guest's access, tried again through the new leaf, and whoever else maps the memory.
  translation retried{};
  bounded_list<alias_report, alias_list::capacity> aliases{};

  constexpr explicit operator bool() const noexcept { return step == fault_step::resolved; }
  constexpr mismatch worst_mismatch() const noexcept {
    mismatch worst = mismatch::none;
    for (alias_report const& a : aliases)
      if (a.disagreement > worst) worst = a.disagreement;
    return worst;
  }
};

// What handle_fault needs of a table: stage2_table in either mode, or anything that answers like it.
template <class Table>
concept fault_table = requires(Table& table, ipa where, pa output, level l, stage2_leaf const& leaf) {
  { table.look_up(where) } -> std::same_as<stage2_mapping>;
  { table.map(where, output, l, leaf, existing::replace) } -> std::same_as<stage2_outcome>;
  { table.shape() } -> translation_geometry;
  { table.controls() } -> std::convertible_to<stage2_controls>;
};

// Resolves one stage 2 fault: finds the region, asks the policy, maps what it decided, tries the access again and lists
// the other aliases. `regions` is valid (check_regions); `regime` holds the registers under which `table` is walked,
// and `port` reaches its memory. The table does the cache and TLB maintenance that its change needs.
template <mmu_port Port, fault_table Table, fault_policy Policy, translation_geometry Geometry>
constexpr fault_outcome handle_fault(Port& port, Table& table, std::span<region const> regions, Policy const& policy,
                                     policy_host const& host, el1_regime<Geometry> const& regime,
                                     stage2_fault const& fault, guest_context const& guest) {
  fault_outcome out;
  out.fault = fault;
  out.access = access_of(fault, guest.from_el0, {.vm = table.shape().input_bits});
  if (!fault.where_valid) {
    out.step = fault_step::unknown_address;
    return out;
  }
  descriptor_format const format = table.shape().format;
  out.where = find(regions, fault.where);
  // Where there is no memslot, a policy is asked about a page that nobody backs.
  ipa const page = fault.where.align_down(granule_size(format.tg));
  region const nothing = make_region(page, granule_size(format.tg), {}, backing::emulated_mmio);
  out.decided = policy(host, out.where != nullptr ? *out.where : nothing, out.access);
  if (!out.decided.maps() || out.where == nullptr) return out;

  stage2_mapping const found = table.look_up(fault.where);
  out.at = leaf_at(*out.where, fault.where, out.decided.largest_leaf, format.tg);
  // Where the table is finer already, as after a split, the fault fills in what is missing; to collapse is the owner's.
  if (out.at < found.at) out.at = found.at;
  out.base = fault.where.align_down(level_size(format.tg, out.at));
  out.output = out.where->output_of(out.base);
  out.leaf = leaf_of(out.decided);
  out.before = found.entry;
  out.mapping = table.map(out.base, out.output, out.at, out.leaf, existing::replace);
  if (!out.mapping) {
    out.step = fault_step::table_refused;
    return out;
  }
  out.step = fault_step::resolved;
  out.after = table.look_up(out.base).entry;
  stage2_controls const& machine = table.controls();
  out.edit = classify_change(found.at == out.at ? out.before : descriptor{}, out.after,
                             {.format = format, .at = out.at, .fwb = machine.fwb, .ha = machine.ha, .hd = machine.hd,
                              .bbm = machine.bbm});

  constexpr operation operations[] = {operation::read, operation::write, operation::exec};
  memory_access const access{.op = operations[static_cast<unsigned>(fault.access)],
                             .el = guest.from_el0 ? exception_level::el0 : exception_level::el1};
  out.retried = translate(port, regime, fault.where, guest.stage1, access);
  if (!out.retried) return out;
  for (alias const& other : aliases_of(out.where->inputs, guest.dma))
    out.aliases.push({other, classify_mismatch(out.retried.attributes, other.attributes, out.decided.duties)});
  return out;
}

}  // namespace vmsa
