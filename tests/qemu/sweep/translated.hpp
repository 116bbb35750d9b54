// SPDX-License-Identifier: MIT
// One row against `translate`: the model walks the same tables in the same memory under the same registers.
#pragma once
#include "judge.hpp"
#include "vmsa/mmu/translate.hpp"

namespace sweep {

// The model reads memory and writes none of it, so that the processor finds the tables as the model did. A table that
// is not in RAM would be an external abort, which is no matter of translation: such a row is dropped.
struct memory {
  static constexpr u64 ram = 0x4000'0000, ram_size = 0x800'0000;
  bool left_ram = false;

  vmsa::descriptor load(vmsa::pa where, vmsa::load_order) noexcept {
    if (where.value - ram >= ram_size) {
      left_ram = true;
      return {};
    }
    return {*reinterpret_cast<u64 const volatile*>(where.value)};
  }
};

inline u64 physical(void const* object) noexcept { return reinterpret_cast<u64>(object); }

inline void load_registers(vmsa::regime_registers const& r) noexcept {
  el2::write_hcr_el2(r.hcr.raw);
  el2::write_vtcr_el2(r.vtcr.raw);
  el2::write_vttbr_el2(r.vttbr.raw);
  el2::write_tcr_el1(r.tcr.raw);
  el2::write_ttbr0_el1(r.ttbr0.raw);
  el2::write_mair_el1(r.mair.raw);
  el2::write_sctlr_el1(r.sctlr.raw);
  el2::forget_all_translations();
}

// AT S12E1R and its kin, as an access.
struct instruction {
  el2::translation* what;
  vmsa::memory_access acc;
  char const* name;
};
inline constexpr instruction both_stages[] = {
    {el2::at_s12e1r, {.op = vmsa::operation::at_read}, "S12E1R"},
    {el2::at_s12e1w, {.op = vmsa::operation::at_write}, "S12E1W"},
    {el2::at_s12e0r, {.op = vmsa::operation::at_read, .el = vmsa::exception_level::el0}, "S12E0R"},
    {el2::at_s12e0w, {.op = vmsa::operation::at_write, .el = vmsa::exception_level::el0}, "S12E0W"},
};

// PAR_EL1 of a model's answer on a machine with these features: without FEAT_XS nothing has XS = 0 to report.
inline par_el1 par_of(vmsa::translation const& t, vmsa::features const& f) noexcept {
  if (!t || f.xs) return t.par;
  vmsa::memory_attributes a = t.attributes;
  a.xs = true;
  return vmsa::encode_par(t.output, a, f.mte_perm);
}

// D15: a stage 2 fault on a stage 1 table access, reported with the level of that stage 1 table.
inline bool reports_stage1_level(vmsa::translation const& model, par_el1 machine, vmsa::level stage1_start) noexcept {
  if (!model.fault || !model.fault->on_stage1_walk) return false;
  int l = number(stage1_start);
  for (vmsa::walk_step const& step : model.steps) l += step.by == vmsa::stage::one;
  return machine ==
         vmsa::encode_par_fault(vmsa::encode_fsc(model.fault->kind, static_cast<vmsa::level>(l)), true, true);
}

}  // namespace sweep
