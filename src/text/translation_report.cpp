// SPDX-License-Identifier: MIT
#include "vmsa/text/translation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attributes_json.hpp"
#include "vmsa/text/explain.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/names.hpp"

namespace vmsa::text {
namespace {

using regime = el1_regime<>;
using nlohmann::ordered_json;

regime regime_of(translation_scenario const& s) { return make_regime(s.registers, s.feat, s.choices); }

// What a descriptor says, without the stage and level that stand before it.
std::string say(descriptor d, stage by, level at, geometry const& g, regime const& r) {
  descriptor_kind const kind = kind_of(d, at, g.format);
  if (kind == descriptor_kind::reserved) return "reserved, this level holds no block: translation fault";
  descriptor_reading const reading{
      .of = by, .at = at, .tg = g.tg(), .fwb = r.both.fwb, .ds = g.format.ds, .lpa = g.format.lpa};
  std::string const prefix = fmt::format("stage {} level {} ", static_cast<unsigned>(by), number(at));
  std::string text = explain(d, reading).summary.substr(prefix.size());
  if (by == stage::one && is_leaf(kind)) {
    std::string const attr = fmt::format("MAIR_EL1.Attr{}", stage1_bits::attr_index::get(d.raw));
    std::size_t const at_attr = text.find(attr);
    if (at_attr != std::string::npos)
      text.insert(at_attr + attr.size(),
                  fmt::format(" = {}", name(summarize(r.mair[stage1_bits::attr_index::get(d.raw)]))));
  }
  return text;
}

// Lays the steps of a walk out as look-ups: what was read says where the next table is, and so what stage 2 was asked.
std::vector<walk_line> lay_out(regime const& r, translation_question const& q, translation const& t) {
  std::vector<walk_line> lines;
  stage1_tables const& first = r.tables_of(va{q.where});
  bool const two_stages = r.stage1_on && !q.stage2_only;
  unsigned stage1_reads = 0;
  for (walk_step const& s : t.steps) stage1_reads += s.by == stage::one;

  ipa table = first.root;  // of stage 1
  level at = first.shape.start;
  bool walking_stage1 = two_stages;
  ipa asked{};  // what stage 2 translates at the moment
  std::string purpose;
  unsigned later_walks = 0;  // stage 2 walks after stage 1's leaf
  for (unsigned i = 0, seen = 0; i < t.steps.size(); ++i) {
    seen += t.steps[i].by == stage::one;
    later_walks += seen == stage1_reads && t.steps[i].by == stage::two && t.steps[i].at == r.stage2.shape.start;
  }

  for (walk_step const& s : t.steps) {
    bool const one = s.by == stage::one;
    geometry const& g = one ? first.shape : r.stage2.shape;
    walk_line line{.step = s, .kind = kind_of(s.value, s.at, g.format), .says = say(s.value, s.by, s.at, g, r)};
    if (one) {
      line.slot = g.slot_index(s.at, q.where);
      line.table = table.value;
      if (line.kind == descriptor_kind::table) {
        table = {g.address_in(s.value).value};
        at = next(s.at);
      } else {
        walking_stage1 = false;
      }
    } else {
      if (s.at == g.start) {
        ipa const slot = table + 8 * first.shape.slot_index(at, q.where);
        if (walking_stage1) {
          asked = slot;
          purpose = fmt::format("stage 1 level {}", number(at));
        } else if (two_stages && (later_walks-- > 1 || !t.intermediate)) {
          asked = slot;
          purpose = fmt::format("update of stage 1 level {}", number(at));
        } else {
          asked = t.intermediate.value_or(ipa{q.where});
          purpose.clear();
        }
      }
      line.slot = g.slot_index(s.at, asked.value);
      line.table = s.where.value - 8 * line.slot;
      line.purpose = purpose;
    }
    lines.push_back(std::move(line));
  }
  return lines;
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
std::string say_tables(char const* which, Tables const& t) {
  if (t.error != geometry_error::none) return fmt::format("  {}: {}\n", which, name(t.error));
  return fmt::format("  {}: {} granule, {}-bit input, {}-bit output, root {} at level {}, walks {}\n", which,
                     name(t.shape.tg()), t.shape.input_bits, t.shape.output_bits, hex(t.root), number(t.shape.start),
                     describe(t.walks));
}

std::string say_fault(translation_fault const& f) {
  std::string out = fmt::format("stage {} {}, level {}", static_cast<unsigned>(f.by), name(f.kind), number(f.at));
  if (f.on_stage1_walk) out += ", on a stage 1 table access";
  if (f.by == stage::two) out += fmt::format(", at ipa {}", hex(f.where));
  if (f.kind == fault_kind::permission) out += f.write ? ", WnR=1" : ", WnR=0";
  if (f.tag_access) out += ", tag access";
  return out;
}

std::string_view say_choice(open_choice c) {
  constexpr std::string_view names[] = {"a reserved MAIR byte",
                                        "a reserved SH",
                                        "a reserved half of MemAttr",
                                        "the access flag of a leaf that faults",
                                        "the dirty state of a leaf that faults",
                                        "a tag store to Device memory",
                                        "a fetch from Device memory",
                                        "Tagged memory with SCTLR_EL1.C=0"};
  return names[static_cast<unsigned>(c)];
}

std::string say_leaf(leaf_extent const& e) {
  return fmt::format("level {}, {}{}", number(e.at), size_name(u64{1} << e.bits), e.contiguous ? ", Contiguous" : "");
}

void tell(std::string& out, regime const& r, translation_story const& s) {
  translation const& t = s.outcome;
  fmt::format_to(std::back_inserter(out), "{}{}{}\n", s.question.name, s.question.name.empty() ? "" : ": ",
                 say_access(s.question));
  if (r.stage1_on && !s.question.stage2_only)
    out += say_tables(half_of(va{s.question.where}) == va_half::lower ? "stage 1, TTBR0_EL1" : "stage 1, TTBR1_EL1",
                      r.tables_of(va{s.question.where}));
  else if (!s.question.stage2_only)
    out += "  stage 1: off\n";
  out += r.stage2_on ? say_tables("stage 2, VTTBR_EL2", r.stage2) : "  stage 2: off\n";

  std::size_t width = 0;
  for (walk_line const& line : s.lines) width = std::max(width, hex(line.table).size());
  for (walk_line const& line : s.lines) {
    char const* const which = line.step.by == stage::one ? "S1" : line.purpose.empty() ? "S2" : "  S2";
    fmt::format_to(std::back_inserter(out), "  {:<4} L{:<2} table {:<{}}  slot 0x{:<4x}  0x{:016x}  {}{}{}\n", which,
                   number(line.step.at), hex(line.table), width, line.slot, line.step.value.raw, line.says,
                   line.purpose.empty() ? "" : "  <- ", line.purpose);
  }
  if (t.contended)
    out += "  = a descriptor changed under the walk: translate again\n";
  else if (t.fault)
    out += fmt::format("  = {}\n    FSC {}\n", say_fault(*t.fault), hex(u64{t.fault->fsc()}));
  else
    out += fmt::format("  = pa {}: {}\n", hex(t.output), describe(t.attributes));
  if (t.intermediate && t.stage1_leaf) out += fmt::format("    ipa {}\n", hex(*t.intermediate));
  if (t.stage1_leaf) out += fmt::format("    stage 1 leaf: {}\n", say_leaf(*t.stage1_leaf));
  if (t.stage2_leaf) out += fmt::format("    stage 2 leaf: {}\n", say_leaf(*t.stage2_leaf));
  if (!t.contended) out += fmt::format("    PAR_EL1 {}\n", hex(t.par.raw));
  for (hardware_update const& u : t.updates)
    out += fmt::format("    hardware wrote {} at {}\n", hex(u.written.raw), hex(u.where));
  for (open_choice c : t.consulted) out += fmt::format("    rests on a choice: {}\n", say_choice(c));
}

ordered_json leaf_json(std::optional<leaf_extent> const& e) {
  if (!e) return nullptr;
  return {{"level", number(e->at)}, {"size", u64{1} << e->bits}, {"contiguous", e->contiguous}};
}

ordered_json fault_json(translation_fault const& f) {
  ordered_json out{{"kind", name(f.kind)},
                   {"stage", static_cast<int>(f.by)},
                   {"level", number(f.at)},
                   {"s2fs1walk", f.on_stage1_walk},
                   {"fsc", hex(u64{f.fsc()})}};
  if (f.by == stage::two) out["ipa"] = hex(f.where);
  if (f.kind == fault_kind::permission) {
    out["write"] = f.write;
    out["tag_access"] = f.tag_access;
  }
  return out;
}

ordered_json story_json(regime const& r, translation_story const& s) {
  translation const& t = s.outcome;
  ordered_json out{{"name", s.question.name},
                   {"access",
                    {{"op", name(s.question.acc.op)},
                     {"el", static_cast<int>(s.question.acc.el)},
                     {"unprivileged", s.question.acc.as_unprivileged()},
                     {"pan", s.question.acc.pan},
                     {"aligned", s.question.acc.aligned}}},
                   {s.question.stage2_only ? "ipa" : "va", hex(s.question.where)},
                   {"stage1", r.stage1_on && !s.question.stage2_only},
                   {"stage2", r.stage2_on}};
  out["fault"] = t.fault ? fault_json(*t.fault) : ordered_json(nullptr);
  out["contended"] = t.contended;
  if (t) {
    out["pa"] = hex(t.output);
    out["attributes"] = to_json(t.attributes);
    out["par_attr"] = hex(u64{encode_par_attr(t.attributes, r.feat.mte_perm)});
    out["par_sh"] = encode_par_sh(t.attributes);
  }
  if (!t.contended) out["par_el1"] = hex(t.par.raw);
  if (t.intermediate) out["intermediate"] = hex(*t.intermediate);
  out["stage1_leaf"] = leaf_json(t.stage1_leaf);
  out["stage2_leaf"] = leaf_json(t.stage2_leaf);
  out["walk"] = ordered_json::array();
  for (walk_line const& line : s.lines)
    out["walk"].push_back({{"stage", static_cast<int>(line.step.by)},
                           {"level", number(line.step.at)},
                           {"table", hex(line.table)},
                           {"slot", line.slot},
                           {"pa", hex(line.step.where)},
                           {"descriptor", hex(line.step.value.raw)},
                           {"kind", name(line.kind)},
                           {"says", line.says},
                           {"purpose", line.purpose}});
  out["hardware_updates"] = ordered_json::array();
  for (hardware_update const& u : t.updates)
    out["hardware_updates"].push_back({{"pa", hex(u.where)}, {"descriptor", hex(u.written.raw)}});
  out["choices"] = ordered_json::array();
  for (open_choice c : t.consulted) out["choices"].push_back(say_choice(c));
  return out;
}

}  // namespace

std::vector<translation_story> translate_all(translation_scenario& scenario) {
  regime const r = regime_of(scenario);
  std::vector<translation_story> stories;
  for (translation_question const& q : scenario.questions) {
    translation t =
        q.stage2_only
            ? translate(scenario.memory, r, ipa{q.where},
                        mair(q.mair, decode_shareability(q.sh, scenario.choices), scenario.feat, scenario.choices),
                        q.acc)
            : translate(scenario.memory, r, va{q.where}, q.acc);
    std::vector<walk_line> lines = lay_out(r, q, t);
    stories.push_back({q, t, std::move(lines)});
  }
  return stories;
}

std::string to_text(translation_scenario const& scenario, std::vector<translation_story> const& stories) {
  regime const r = regime_of(scenario);
  std::string out = scenario.title.empty() ? "" : scenario.title + "\n\n";
  for (translation_story const& s : stories) {
    if (&s != stories.data()) out += "\n";
    tell(out, r, s);
  }
  return out;
}

std::string to_json(translation_scenario const& scenario, std::vector<translation_story> const& stories) {
  regime const r = regime_of(scenario);
  ordered_json list = ordered_json::array();
  for (translation_story const& s : stories) list.push_back(story_json(r, s));
  return (list.size() == 1 ? list[0] : list).dump(2) + "\n";
}

}  // namespace vmsa::text
