// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/combine.hpp"

#include "text/explain/explain_fields.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr unsigned type_count = 7;  // summaries but `mixed`

std::string stage1_off_reason(stage1_controls const& c) {
  if (c.dc) return "HCR_EL2.DC=1: no stage 1, memory is cacheable by default";
  if (!c.fetch) return "SCTLR_EL1.M=0: no stage 1, data is Device-nGnRnE";
  return fmt::format("SCTLR_EL1.M=0: no stage 1, fetches are {} (SCTLR_EL1.I={:d})",
                     c.instruction_cacheable ? "Normal-WT" : "Normal-NC", c.instruction_cacheable);
}

std::string stage1_control_reason(memory_attributes const& own, stage1_controls const& c) {
  if (c.fetch && is_device(own)) return "a fetch from Device that does not fault is Normal-NC";
  if (c.fetch && !c.instruction_cacheable) return "SCTLR_EL1.I=0: fetches are not cached";
  if (!c.fetch && is_normal(own) && !c.data_cacheable) return "SCTLR_EL1.C=0: data is not cached";
  return "Device and Normal-NC are Outer Shareable whatever SH says";
}

void add_step(combine_answer& out, std::string name, memory_attributes const& a, std::string reason) {
  out.steps.push_back({std::move(name), a, describe(a), std::move(reason)});
}

void add_stage1_steps(combine_question const& q, combine_answer& out) {
  stage1_controls const& c = q.stage1;
  if (c.dc || !c.enabled) {
    add_step(out, "stage 1", out.stage1, stage1_off_reason(c));
    return;
  }
  memory_attributes const own = mair(q.mair, decode_shareability(q.s1_sh, c.choices), c.feat, c.choices);
  add_step(out, "stage 1", own, fmt::format("MAIR byte {:#04x}, SH {}", q.mair, binary(q.s1_sh, 2)));
  if (mair_is_reserved(q.mair, c.feat))
    out.notes.push_back(fmt::format("MAIR byte {:#04x} is reserved: read as {:#04x}, one permitted choice", q.mair,
                                    c.choices.reserved_mair));
  if (shareability_is_reserved(q.s1_sh)) out.notes.push_back("stage 1 SH 0b01 is reserved: read as outer shareable");
  if (out.stage1 != own) add_step(out, "its controls", out.stage1, stage1_control_reason(own, c));
}

std::string stage2_control_reason(memory_attributes const& own, controls const& c) {
  if (!c.fetch) return "HCR_EL2.CD=1: data accesses are not cached";
  return is_device(own) ? "a fetch from Device that does not fault is Normal-NC"
                        : "HCR_EL2.ID=1: fetches are not cached";
}

std::string combine_reason(memory_attributes const& one, memory_attributes const& two) {
  if (is_device(one) && is_device(two)) return "both say Device: the stricter";
  if (is_device(one) || is_device(two))
    return fmt::format("stage {} says Device: any Device gives Device", is_device(one) ? 1 : 2);
  return "in each half NC beats WT beats WB; allocation hints are stage 1's";
}

std::string shareability_reason(combine_question const& q, combine_answer const& a, memory_attributes const& combined) {
  if (combined.sh != a.effective.sh || is_device(a.effective) || is_non_cacheable(a.effective))
    return "Device and Normal-NC are Outer Shareable whatever SH says";
  return fmt::format("the wider of stage 1's {} and stage 2's {}", name(a.stage1.sh),
                     name(decode_shareability(q.s2_sh, q.stage2.choices)));
}

}  // namespace

std::string say_open_shareability(shareability other) {
  return fmt::format("IMPLEMENTATION DEFINED: {} where stage 1 hands on SH as it stands", long_name(other));
}

combine_answer answer(combine_question const& q) {
  combine_answer out;
  out.stage1 = stage1_attributes(q.mair, q.s1_sh, q.stage1);
  stage2_attributes const s2{q.memattr, decode_shareability(q.s2_sh, q.stage2.choices), q.fnxs};
  combination const steps = combine_stepwise(out.stage1, s2, q.stage2);
  out.effective = steps.effective;
  out.par_attr = encode_par_attr(out.effective, q.stage2.feat.mte_perm);
  out.par_sh = encode_par_sh(out.effective);

  bool const fwb = q.stage2.fwb;
  add_stage1_steps(q, out);
  add_step(out, fwb ? "stage 2, FWB" : "stage 2", steps.stage2,
           fmt::format("MemAttr {}, SH {}{}: {}", binary(q.memattr, 4), binary(q.s2_sh, 2), q.fnxs ? ", FnXS" : "",
                       say_memattr(q.memattr, fwb)));
  if (!fwb) out.steps.back().says = join({say_stage2_memory(q.memattr, false), std::string(long_name(s2.sh))});
  if (steps.controlled != steps.stage2)
    add_step(out, "its controls", steps.controlled, stage2_control_reason(steps.stage2, q.stage2));
  if (!fwb) add_step(out, "combined", steps.combined, combine_reason(out.stage1, steps.controlled));
  add_step(out, "effective", steps.effective, shareability_reason(q, out, steps.combined));

  if (memattr_is_reserved(q.memattr, fwb, q.stage2.feat))
    out.notes.push_back(fmt::format("MemAttr {} is reserved: read as Arm's pseudocode does{}", binary(q.memattr, 4),
                                    fwb ? "" : ", its reserved half as Non-cacheable"));
  if (shareability_is_reserved(q.s2_sh)) out.notes.push_back("stage 2 SH 0b01 is reserved: read as outer shareable");
  if (q.stage1.enabled && !q.stage1.dc) {
    memory_attributes raw = out.stage1;
    raw.sh = decode_shareability(q.s1_sh, q.stage1.choices);
    if (auto const other = open_shareability(raw, s2, q.stage2)) out.notes.push_back(say_open_shareability(*other));
  }
  return out;
}

std::vector<combine_row> combine_table(combine_question const& controls) {
  std::vector<combine_row> rows;
  bool const fwb = controls.stage2.fwb;
  for (u8 memattr = 0; memattr < (fwb ? 8 : 16); ++memattr) {
    bool const reserved = memattr_is_reserved(memattr, fwb, controls.stage2.feat);
    combine_row row{memattr, reserved ? "reserved" : say_stage2_memory(memattr, fwb), {}};
    for (unsigned type = 0; type < type_count; ++type) {
      combine_question q = controls;
      q.mair = *usual_mair(json_name(static_cast<summary>(type)));
      q.memattr = memattr;
      row.results[type] = answer(q).effective;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vmsa::text
