// SPDX-License-Identifier: MIT
#include "vmsa/c/translate.h"

#include "c/attributes_face.hpp"
#include "c/machine_face.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/mair.hpp"
#include "vmsa/mmu/translate.hpp"

namespace vmsa::c {
namespace {

// Of a descriptor, which says something always.
constexpr bool is_sh(vmsa_shareability s) noexcept { return is_shareability(s) && s != VMSA_SHAREABILITY_USUAL; }

regime_registers registers_from(vmsa_registers const& r) noexcept {
  regime_registers out;
  out.hcr.raw = r.hcr_el2;
  out.vtcr.raw = r.vtcr_el2;
  out.vttbr.raw = r.vttbr_el2;
  out.sctlr.raw = r.sctlr_el1;
  out.tcr.raw = r.tcr_el1;
  out.ttbr0.raw = r.ttbr0_el1;
  out.ttbr1.raw = r.ttbr1_el1;
  out.mair.raw = r.mair_el1;
  return out;
}

}  // namespace
}  // namespace vmsa::c

using namespace vmsa;
using namespace vmsa::c;

extern "C" {

vmsa_error vmsa_combine(uint8_t mair_byte, vmsa_shareability stage1_sh, uint8_t memattr, vmsa_shareability stage2_sh,
                        bool fwb, vmsa_attributes* attributes) {
  if (!is_sh(stage1_sh) || !is_sh(stage2_sh) || memattr > 0xf || attributes == nullptr) return VMSA_INVALID_ARGUMENT;
  memory_attributes const one = stage1_attributes(mair_byte, static_cast<u8>(shareability_from(stage1_sh)), {});
  *attributes = told(combine(one, {.memattr = memattr, .sh = shareability_from(stage2_sh)}, {.fwb = fwb}));
  return VMSA_OK;
}

vmsa_error vmsa_translate(vmsa_port const* port, vmsa_registers const* registers, uint8_t pa_bits, uint64_t va,
                          vmsa_operation operation, bool at_el0, vmsa_translation* translation) {
  if (port == nullptr || registers == nullptr || translation == nullptr) return VMSA_INVALID_ARGUMENT;
  port_face face;
  face.is = *port;
  if (!face.reaches()) return VMSA_INVALID_ARGUMENT;
  constexpr vmsa::operation operations[] = {vmsa::operation::read, vmsa::operation::write, vmsa::operation::exec,
                                            vmsa::operation::read_modify_write};
  auto const op = static_cast<unsigned>(operation);
  regime_registers const r = registers_from(*registers);
  if (op > 3 || !is_pa_size(pa_bits) || unmodelled_control(r)) return VMSA_INVALID_ARGUMENT;
  features feat = all_features;
  feat.pa_bits = pa_bits;
  memory_access const access{.op = operations[op], .el = at_el0 ? exception_level::el0 : exception_level::el1};
  vmsa::translation const t = vmsa::translate(face, make_regime(r, feat), vmsa::va{va}, access);
  *translation = {};
  translation->pa = t.output.value;
  translation->ipa = t.intermediate ? t.intermediate->value : 0;
  translation->par_el1 = t.par.raw;
  translation->contended = t.contended;
  if (t) translation->attributes = told(t.attributes);
  if (t.fault) {
    translation->fault = true;
    translation->pa = 0;
    translation->status = t.fault->fsc();
    translation->stage = t.fault->by == stage::one ? 1 : 2;
    translation->level = static_cast<int8_t>(number(t.fault->at));
    translation->stage1_walk = t.fault->on_stage1_walk;
    if (t.fault->by == stage::two) translation->ipa = t.fault->where.value;
  }
  return VMSA_OK;
}

}  // extern "C"
