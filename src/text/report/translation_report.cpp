// SPDX-License-Identifier: MIT
#include "vmsa/text/report/translation_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/report/attributes_json.hpp"
#include "text/report/json.hpp"
#include "text/report/walk_lines.hpp"
#include "vmsa/mmu/dirty_structure.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {
namespace {

// An IPA is translated by the stage 2 of EL1&0, whoever asks.
regime regime_of(translation_scenario const& s, translation_question const& q) {
  regime_kind const kind = q.stage2_only ? regime_kind::el1_0 : vmsa::regime_of(s.registers.hcr, q.acc.el);
  return make_regime(s.registers, s.feat, s.choices, kind, s.manual);
}

// What the dirty state structure has to do with an answer, where VTCR_EL2.HDBSS is set: each entry that hardware
// appends, or why there is none.
std::vector<std::string> notes_of(regime const& r, translation const& t) {
  if (!r.feat.hdbss || !r.stage2_on || !r.registers.vtcr.get<vtcr_el2::hdbss>()) return {};
  if (!r.stage2.updates.dirty_state) return {"VTCR_EL2.HDBSS counts as 0: HA and HD are not both 1"};
  if (!records_dirty(r)) return {"VTCR_EL2.HDBSS counts as 0: SCR_EL3.HDBSSEn is 0"};
  std::vector<std::string> out;
  for (unsigned i = 0; i < t.updates.size(); ++i) {
    hardware_update const& u = t.updates[i];
    if (u.by != stage::two || r.stage2.wide.on) continue;
    if (std::optional<dirty_entry> const entry = dirty_entry_of(r, t, i))
      out.push_back(
          fmt::format("VTCR_EL2.HDBSS: with the write at {} hardware appends {} to the structure at HDBSSBR_EL2, taken "
                      "to have room; full, it is a stage 2 permission fault with HDBSSF",
                      hex(u.where), hex(entry->raw)));
  }
  if (r.stage2.wide.on && !t.updates.empty())
    out.emplace_back("VTCR_EL2.HDBSS: what hardware makes dirty it also records in the structure at HDBSSBR_EL2");
  return out;
}

std::string say_access(translation_question const& q) {
  std::string out = fmt::format("{} at EL{}", name(q.acc.op), static_cast<unsigned>(q.acc.el));
  if (q.acc.as_unprivileged()) out += ", unprivileged";
  if (q.acc.pan) out += ", PAN";
  if (!q.acc.aligned) out += ", unaligned";
  return fmt::format("{} of {} {}", out, q.stage2_only ? "ipa" : "va", hex(q.where));
}

// The line above a stage's reads: its tables, and the attributes with which they are read.
template <class Tables>
std::string say_tables(std::string const& which, Tables const& t) {
  if (t.error != geometry_error::none) return fmt::format("{}: {}", which, name(t.error));
  return fmt::format("{}: {} granule, {}-bit input, {}-bit output, root {} at level {}, walks {}", which,
                     name(t.shape.tg()), t.shape.input_bits, t.shape.output_bits, hex(t.root), number(t.shape.start),
                     describe(t.walks));
}

std::string say_fault(translation_fault const& f) {
  std::string const granule = f.granule ? ""
                                        : fmt::format(", {} at GPT level {}, of pa {} in the {} space, GPCSC {}",
                                                      name(f.granule.failure), f.granule.at_level, hex(f.granule.where),
                                                      name(f.granule.space), hex(u64{f.granule.gpcsc()}));
  if (f.kind == fault_kind::granule_protection) return std::string(name(f.kind)) + granule;
  std::string out = fmt::format("stage {} {}, level {}", static_cast<unsigned>(f.by), name(f.kind), number(f.at));
  if (f.on_stage1_walk) out += ", on a stage 1 table access";
  if (f.by == stage::two) out += fmt::format(", at ipa {}", hex(f.where));
  if (f.kind == fault_kind::permission) out += f.write ? ", WnR=1" : ", WnR=0";
  if (f.tag_access) out += ", tag access";
  if (f.control != permission_control::none) out += fmt::format(", taken by {}", name(f.control));
  return out + granule;
}

std::string_view say_choice(open_choice c) {
  constexpr std::string_view names[] = {
      "a reserved MAIR byte",
      "a reserved SH",
      "a reserved half of MemAttr",
      "the access flag of a leaf that faults",
      "the dirty state of a leaf that faults",
      "a tag store to Device memory",
      "a fetch from Device memory",
      "Tagged memory with SCTLR_EL1.C=0",
      "a reserved MemAttr under FWB",
      "a reserved granule, TG0 or TG1",
      "an input size above what is implemented, T0SZ or T1SZ",
      "an input size below the smallest, T0SZ or T1SZ",
      "a table base that is not aligned to its table",
      "a Contiguous entry with the address of another group",
      "a Contiguous range larger than the input space",
      "a block with nT set",
      "HCR_EL2.NV1 without NV",
      "the access flag under an address translation instruction",
      "an atomic or exclusive to memory that is not shareable write-back",
      "which stage checks the memory type of a 64-byte access",
      "a 64-byte access to cacheable memory that is not shareable write-back",
      "the Shareability that stage 1 hands on of Device or Normal-NC memory that FWB "
      "makes write-back: its SH or Outer Shareable (effective_sh_at_stage1)",
      "descriptor bits 15:12 with fewer than 52 bits of physical address: 0 or "
      "address bits 51:48 (high_output_bits)",
      "an unaligned atomic or exclusive: an Alignment fault, or carried out as within "
      "16 bytes of shareable write-back memory; RCW instructions always fault "
      "(unaligned_atomic_faults)"};
  static_assert(std::size(names) == open_choice_count);
  return names[static_cast<unsigned>(c)];
}

std::string say_leaf(leaf_extent const& e) {
  return fmt::format("level {}, {}{}", number(e.at), size_name(u64{1} << e.bits), e.contiguous ? ", Contiguous" : "");
}

walk_step const* absent_step(translation_story const& s) {
  for (walk_line const& line : s.lines)
    if (s.absent && line.step.where == *s.absent) return &line.step;
  return nullptr;
}

// A fault would be a guess: the descriptor that was read as 0 may be anything.
std::string say_absent(translation_story const& s) {
  walk_step const* const step = absent_step(s);
  return fmt::format("not in the dump: the stage {} level {} descriptor at pa {}, so what follows is not known",
                     step == nullptr ? 0 : static_cast<unsigned>(step->by), step == nullptr ? 0 : number(step->at),
                     hex(*s.absent));
}

// All digits of a descriptor: 16, or 32 where the stage's have 128 bits.
std::string say_raw(regime const& r, walk_line const& s) {
  bool const wide = s.step.by == stage::one ? r.lower.wide.on : r.stage2.wide.on;
  return wide ? fmt::format("0x{:016x}{:016x}", s.high, s.step.value.raw) : fmt::format("0x{:016x}", s.step.value.raw);
}

std::vector<std::string> say_protection(translation_story const& s) {
  std::vector<std::string> out;
  for (auto const& read : s.protection_reads)
    out.push_back(fmt::format("granule protection table: {} holds 0x{:016x}", hex(read.where), read.entry));
  return out;
}

std::string titled(translation_question const& q, std::string const& asked) {
  return q.name.empty() ? asked : fmt::format("{}: {}", q.name, asked);
}

void add_check(document& d, translation_story const& s) {
  d.add(heading{titled(s.question, fmt::format("granule protection check of pa {} in the {} space",
                                               hex(s.question.where), name(*s.question.checked))),
                2});
  d.add(listing{say_protection(s), 4});
  d.add(listing{{fmt::format("= {}", s.outcome.fault ? say_fault(*s.outcome.fault) : "permitted")}});
}

// What came of the walk, in the words of the line that begins with `=`.
std::string say_outcome(translation_story const& s) {
  translation const& t = s.outcome;
  if (s.absent) return say_absent(s);
  if (t.contended) return "a descriptor changed under the walk: translate again";
  if (t.fault) return say_fault(*t.fault);
  return fmt::format("pa {}{}: {}", hex(t.output),
                     t.space == physical_space::non_secure ? "" : fmt::format(", {} space", name(t.space)),
                     describe(t.attributes));
}

void add_story(document& d, regime const& r, translation_story const& s) {
  if (s.question.checked) return add_check(d, s);
  translation const& t = s.outcome;
  d.add(heading{titled(s.question, say_access(s.question)), 2});
  listing tables;
  if (r.stage1_on && !s.question.stage2_only)
    tables.items.push_back(say_tables(
        fmt::format("stage 1, TTBR{}_{}", r.half(va{s.question.where}) == va_half::lower ? 0 : 1, privileged_level(r)),
        r.tables_of(va{s.question.where})));
  else if (!s.question.stage2_only)
    tables.items.emplace_back("stage 1: off");
  tables.items.push_back(r.stage2_on ? say_tables("stage 2, VTTBR_EL2", r.stage2) : "stage 2: off");
  d.add(std::move(tables));

  table walk{.header = {}, .rows = {}, .indent = 2};
  for (walk_line const& line : s.lines) {
    char const* const which = line.step.by == stage::one ? "S1" : line.purpose.empty() ? "S2" : "  S2";
    walk.rows.push_back({which, fmt::format("L{}", number(line.step.at)), fmt::format("table {}", hex(line.table)),
                         fmt::format("slot {}", hex(line.slot)), say_raw(r, line),
                         line.purpose.empty() ? line.says : fmt::format("{}  <- {}", line.says, line.purpose)});
  }
  d.add(std::move(walk));
  d.add(listing{{"= " + say_outcome(s)}});

  listing more{.items = {}, .indent = 4};
  if (t.fault && !s.absent && !t.contended) more.items.push_back(fmt::format("FSC {}", hex(u64{t.fault->fsc()})));
  if (t.intermediate && t.stage1_leaf) more.items.push_back(fmt::format("ipa {}", hex(*t.intermediate)));
  if (t.stage1_leaf) more.items.push_back(fmt::format("stage 1 leaf: {}", say_leaf(*t.stage1_leaf)));
  if (t.stage2_leaf) more.items.push_back(fmt::format("stage 2 leaf: {}", say_leaf(*t.stage2_leaf)));
  if (!t.contended && !s.absent) more.items.push_back(fmt::format("PAR_EL1 {}", wide_hex({t.par.raw, t.par.high})));
  for (std::string& read : say_protection(s)) more.items.push_back(std::move(read));
  for (hardware_update const& u : t.updates)
    more.items.push_back(fmt::format("hardware wrote {} at {}", wide_hex({u.written.raw, u.high}), hex(u.where)));
  for (open_choice c : t.consulted) more.items.push_back(fmt::format("rests on a choice: {}", say_choice(c)));
  for (std::string const& note : s.notes) more.items.push_back("note: " + note);
  d.add(std::move(more));
}

json_value leaf_json(std::optional<leaf_extent> const& e) {
  if (!e) return nullptr;
  return {{"level", number(e->at)}, {"size", u64{1} << e->bits}, {"contiguous", e->contiguous}};
}

json_value fault_json(translation_fault const& f) {
  json_value out{{"kind", name(f.kind)},
                 {"stage", static_cast<int>(f.by)},
                 {"level", number(f.at)},
                 {"s2fs1walk", f.on_stage1_walk},
                 {"fsc", hex(u64{f.fsc()})}};
  if (f.by == stage::two) out["ipa"] = hex(f.where);
  if (!f.granule)
    out["granule"] = {{"failure", name(f.granule.failure)}, {"level", f.granule.at_level},
                      {"pa", hex(f.granule.where)},         {"space", name(f.granule.space)},
                      {"stage2_table", f.granule.stage2},   {"gpcsc", hex(u64{f.granule.gpcsc()})}};
  if (f.kind == fault_kind::permission) {
    out["write"] = f.write;
    out["tag_access"] = f.tag_access;
    out["control"] = name(f.control);
  }
  return out;
}

json_value protection_json(translation_story const& s) {
  json_value out = json_value::array();
  for (auto const& read : s.protection_reads) out.push_back({{"pa", hex(read.where)}, {"entry", hex(read.entry)}});
  return out;
}

json_value story_json(regime const& r, translation_story const& s) {
  translation const& t = s.outcome;
  if (s.question.checked) {
    json_value out = answer_json("translate-gpt");
    out["name"] = s.question.name;
    out["pa"] = hex(s.question.where);
    out["space"] = name(*s.question.checked);
    out["fault"] = t.fault ? fault_json(*t.fault) : json_value(nullptr);
    out["granule_protection_reads"] = protection_json(s);
    return out;
  }
  json_value out = answer_json("translate");
  out["name"] = s.question.name;
  out["access"] = {{"op", name(s.question.acc.op)},
                   {"el", static_cast<int>(s.question.acc.el)},
                   {"unprivileged", s.question.acc.as_unprivileged()},
                   {"pan", s.question.acc.pan},
                   {"aligned", s.question.acc.aligned}};
  json_value const where = hex(s.question.where);
  out["va"] = s.question.stage2_only ? json_value(nullptr) : where;
  out["ipa"] = s.question.stage2_only ? where : json_value(nullptr);
  out["stage1"] = r.stage1_on && !s.question.stage2_only;
  out["stage2"] = r.stage2_on;
  out["fault"] = t.fault && !s.absent ? fault_json(*t.fault) : json_value(nullptr);
  out["absent"] = nullptr;
  if (walk_step const* const step = absent_step(s))
    out["absent"] = {{"stage", static_cast<int>(step->by)}, {"level", number(step->at)}, {"pa", hex(step->where)}};
  out["contended"] = t.contended;
  json_value const none = nullptr;
  out["pa"] = t ? hex(t.output) : none;
  out["space"] = t ? name(t.space) : none;
  out["attributes"] = t ? to_json(t.attributes) : none;
  out["par_attr"] = t ? hex(u64{encode_par_attr(t.attributes, r.feat.mte_perm)}) : none;
  out["par_sh"] = t ? encode_par_sh(t.attributes) : none;
  out["par_el1"] = t.contended || s.absent ? none : wide_hex({t.par.raw, t.par.high});
  out["intermediate"] = t.intermediate ? hex(*t.intermediate) : none;
  out["stage1_leaf"] = leaf_json(t.stage1_leaf);
  out["stage2_leaf"] = leaf_json(t.stage2_leaf);
  out["walk"] = json_value::array();
  for (walk_line const& line : s.lines)
    out["walk"].push_back({{"stage", static_cast<int>(line.step.by)},
                           {"level", number(line.step.at)},
                           {"table", hex(line.table)},
                           {"slot", line.slot},
                           {"pa", hex(line.step.where)},
                           {"descriptor", wide_hex({line.step.value.raw, line.high})},
                           {"kind", name(line.kind)},
                           {"read_as", describe(line.read_as)},
                           {"says", line.says},
                           {"purpose", line.purpose}});
  out["hardware_updates"] = json_value::array();
  for (hardware_update const& u : t.updates)
    out["hardware_updates"].push_back({{"pa", hex(u.where)}, {"descriptor", wide_hex({u.written.raw, u.high})}});
  out["granule_protection_reads"] = protection_json(s);
  out["choices"] = json_value::array();
  for (open_choice c : t.consulted) out["choices"].push_back(say_choice(c));
  out["notes"] = s.notes;
  return out;
}

// Stage 2 alone, after what the question says of stage 1: what that leaves open is named as a walk names it.
translation translate_ipa(translation_scenario& s, regime const& r, translation_question const& q) {
  memory_attributes const one = mair(q.mair, decode_shareability(q.sh, s.choices), s.feat, s.choices);
  translation t = translate(s.memory, r, ipa{q.where}, one, q.acc);
  if (!t.stage2_leaf) return t;
  if (mair_is_reserved(q.mair, s.feat)) t.consulted.note(open_choice::reserved_mair);
  if (shareability_is_reserved(q.sh)) t.consulted.note(open_choice::reserved_sh);
  stage2_attributes const two =
      leaf_attributes(t.steps[t.steps.size() - 1].value, r.stage2.shape.format, r.stage2.sh, r.choices);
  controls c = r.both;
  c.fetch = q.acc.fetches();
  if (open_shareability(one, two, c)) t.consulted.note(open_choice::stage1_shareability);
  return t;
}

}  // namespace

std::vector<translation_story> translate_all(translation_scenario& scenario) {
  std::vector<translation_story> stories;
  for (translation_question const& q : scenario.questions) {
    regime const r = regime_of(scenario, q);
    if (q.checked) {
      gpc_result const result = check_granule(scenario.memory, r.protection, pa{q.where}, *q.checked);
      translation t;
      if (!result) t.fault = translation_fault{.kind = fault_kind::granule_protection, .granule = result};
      stories.push_back({q, t, {}, scenario.memory.take_missing(), scenario.memory.take_protection_reads(), {}});
      continue;
    }
    translation t = q.stage2_only ? translate_ipa(scenario, r, q) : translate(scenario.memory, r, va{q.where}, q.acc);
    std::vector<walk_line> lines = lay_out(r, q, t);
    stories.push_back({q, t, std::move(lines), scenario.memory.take_missing(), scenario.memory.take_protection_reads(),
                       notes_of(r, t)});
  }
  return stories;
}

document tell(translation_scenario const& scenario, std::vector<translation_story> const& stories) {
  document d;
  if (!scenario.title.empty()) d.add(heading{scenario.title});
  for (translation_story const& s : stories) {
    if (!d.blocks.empty()) d.add(blank{});
    add_story(d, regime_of(scenario, s.question), s);
  }
  return d;
}

std::string to_json(translation_scenario const& scenario, std::vector<translation_story> const& stories) {
  json_value list = json_value::array();
  for (translation_story const& s : stories) list.push_back(story_json(regime_of(scenario, s.question), s));
  return json_text(list.size() == 1 ? list.front() : list);
}

}  // namespace vmsa::text
