// SPDX-License-Identifier: MIT
#include "vmsa/text/combine_report.hpp"

#include <algorithm>
#include <array>

#include "attributes_json.hpp"
#include "explain_fields.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"

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
  return is_device(own) ? "a fetch from Device that does not fault is Normal-NC" : "HCR_EL2.ID=1: fetches are not cached";
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

std::string cell(memory_attributes const& a) {
  if (summarize(a) == summary::mixed) return fmt::format("in {}, out {}", name(a.inner.policy), name(a.outer.policy));
  return std::string(name(summarize(a)));
}

std::string memattr_digits(u8 memattr, bool fwb) {
  return fwb ? "0bx" + binary(memattr & 0b111, 3).substr(2) : binary(memattr, 4);
}

}  // namespace

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
  if (!fwb)
    out.steps.back().says = join({say_stage2_memory(q.memattr, false), std::string(long_name(s2.sh))});
  if (steps.controlled != steps.stage2)
    add_step(out, "its controls", steps.controlled, stage2_control_reason(steps.stage2, q.stage2));
  if (!fwb) add_step(out, "combined", steps.combined, combine_reason(out.stage1, steps.controlled));
  add_step(out, "effective", steps.effective, shareability_reason(q, out, steps.combined));

  if (memattr_is_reserved(q.memattr, fwb, q.stage2.feat))
    out.notes.push_back(fmt::format("MemAttr {} is reserved: read as Arm's pseudocode does{}", binary(q.memattr, 4),
                                    fwb ? "" : ", its reserved half as Non-cacheable"));
  if (shareability_is_reserved(q.s2_sh)) out.notes.push_back("stage 2 SH 0b01 is reserved: read as outer shareable");
  return out;
}

std::string to_text(combine_question const& q, combine_answer const& a) {
  std::string out = fmt::format("{} under stage 2 MemAttr {}{}: {}\n\n", describe_type(a.stage1), binary(q.memattr, 4),
                                q.stage2.fwb ? " with FWB" : "", describe(a.effective));
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (combine_step const& s : a.steps) {
    name_width = std::max(name_width, s.name.size());
    value_width = std::max(value_width, s.says.size());
  }
  for (combine_step const& s : a.steps)
    out += fmt::format("  {:<{}}  {:<{}}  {}\n", s.name, name_width, s.says, value_width, s.reason);
  out += fmt::format("\n  PAR_EL1.ATTR {:#04x}, PAR_EL1.SH {} ({})\n", a.par_attr, binary(a.par_sh, 2),
                     long_name(static_cast<shareability>(a.par_sh)));
  for (std::string const& note : a.notes) out += fmt::format("\nnote: {}\n", note);
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

std::string to_text(std::vector<combine_row> const& rows, bool fwb, table_format format) {
  std::vector<std::vector<std::string>> cells{{"MemAttr", "stage 2 says"}};
  for (unsigned type = 0; type < type_count; ++type) cells.front().emplace_back(name(static_cast<summary>(type)));
  for (combine_row const& row : rows) {
    std::vector<std::string> line{memattr_digits(row.memattr, fwb), row.says};
    for (memory_attributes const& result : row.results) line.push_back(cell(result));
    cells.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(cells.front().size());
  for (auto const& line : cells)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());

  bool const markdown = format == table_format::markdown;
  std::string out = fmt::format("Stage 1 type (columns) under stage 2 MemAttr (rows), HCR_EL2.FWB={:d}{}\n\n", fwb,
                                markdown ? "" : ":");
  bool first = true;
  for (auto const& line : cells) {
    std::string text = markdown ? "|" : "";
    for (std::size_t i = 0; i < line.size(); ++i)
      text += markdown ? fmt::format(" {:<{}} |", line[i], widths[i]) : fmt::format("{:<{}}  ", line[i], widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
    if (first && markdown) {
      out += '|';
      for (std::size_t const w : widths) out += std::string(w + 2, '-') + '|';
      out += '\n';
    }
    first = false;
  }
  out += fwb ? "\nFWB ignores MemAttr bit 3, except that 0b111x adds NoTagAccess where memory is still Tagged.\n"
             : "\nHalves that differ are written `in INNER, out OUTER`. A reserved half is read as Non-cacheable.\n";
  return out;
}

std::string to_json(combine_question const& q, combine_answer const& answer) {
  auto steps = nlohmann::ordered_json::array();
  for (combine_step const& s : answer.steps)
    steps.push_back({{"step", s.name}, {"attributes", to_json(s.attributes)}, {"reason", s.reason}});
  nlohmann::ordered_json out{{"mair", hex(u64{q.mair})},
                             {"memattr", hex(u64{q.memattr})},
                             {"fwb", q.stage2.fwb},
                             {"stage1", to_json(answer.stage1)},
                             {"effective", to_json(answer.effective)},
                             {"par_attr", hex(u64{answer.par_attr})},
                             {"par_sh", answer.par_sh},
                             {"steps", std::move(steps)}};
  if (!answer.notes.empty()) out["notes"] = answer.notes;
  return out.dump(2) + "\n";
}

std::string to_json(std::vector<combine_row> const& rows, bool fwb) {
  auto list = nlohmann::ordered_json::array();
  for (combine_row const& row : rows) {
    auto results = nlohmann::ordered_json::object();
    unsigned type = 0;
    for (memory_attributes const& result : row.results)
      results[std::string(json_name(static_cast<summary>(type++)))] = to_json(result);
    list.push_back({{"memattr", hex(u64{row.memattr})}, {"says", row.says}, {"results", std::move(results)}});
  }
  return nlohmann::ordered_json{{"fwb", fwb}, {"rows", std::move(list)}}.dump(2) + "\n";
}

}  // namespace vmsa::text
