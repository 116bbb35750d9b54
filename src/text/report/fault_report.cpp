// SPDX-License-Identifier: MIT
#include "vmsa/text/report/fault_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "text/report/attributes_json.hpp"
#include "text/report/decision_json.hpp"
#include "text/report/dma_report.hpp"
#include "text/report/json.hpp"
#include "vmsa/sim/coherency/assumptions.hpp"
#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/policy_file.hpp"
#include "vmsa/text/report/coherency_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

// The short answer: the type the access ends with, or what happens instead.
std::string verdict(fault_trace const& o) {
  switch (o.step) {
    case fault_step::resolved:
      return o.retried ? std::string(name(summarize(o.retried.attributes)))
                       : fmt::format("faults again: {}", name(o.retried.fault->kind));
    case fault_step::decided: return describe(o.decided);
    case fault_step::unknown_address: return "the address is unknown";
    case fault_step::table_refused: return fmt::format("not mapped: {}", name(o.mapping.error));
    case fault_step::try_again: return "another call is at work there";
  }
  return "?";
}

std::string fault_text(fault_story const& s) {
  guest_access const& a = s.access;
  return fmt::format("{} at IPA {}", explain(a.esr).summary, hex(s.outcome.fault.where));
}

std::string memory_text(fault_story const& s) {
  if (!s.memory) return "no memslot";
  region const& r = s.memory->where;
  return fmt::format("{}: {}, IPA {} to {}, PA {}", s.memory->name, vmsa::name(r.backing), hex(r.base),
                     hex(r.base.value + (r.size - 1)), hex(r.output));
}

explanation explain_leaf(fault_story const& s) {
  return explain(s.outcome.after, {.of = stage::two,
                                   .at = s.outcome.at,
                                   .tg = s.format.tg,
                                   .fwb = s.outcome.leaf.fwb,
                                   .ds = s.format.ds,
                                   .lpa = s.format.lpa});
}

// Fields that say something: RES0, ignored and zero software bits are left out.
std::string fields_text(explanation const& e) {
  std::string text;
  for (explained_field const& f : e.fields) {
    bool const silent = f.name == "RES0" || f.name == "IGNORED" || f.name == "OA" || f.name == "valid" ||
                        (f.value == 0 && (f.name == "PBHA" || f.name == "SW"));
    if (!silent) text += fmt::format("{}{}={}", text.empty() ? "" : " ", f.name, binary(f.value, f.high - f.low + 1u));
  }
  return text;
}

std::string mismatch_text(mismatch m) {
  return m == mismatch::none ? "agrees" : fmt::format("mismatched: {}", name(m));
}

std::string direction_text(coherency::handover_question const& q) {
  return q.direction == coherency::handover::from_guest ? fmt::format("guest to {}", name(q.other))
                                                        : fmt::format("{} to guest", name(q.other));
}

// Who did what, in order, on one of the shortest ways to the violation.
std::vector<std::string> counterexample(coherency::judgement const& j) {
  coherency_report report;
  report.file.scenario = j.question.asked;
  report.result = j.result;
  std::vector<std::string> steps;
  for (told_step const& s : text::tell(report)) steps.push_back(fmt::format("{} {}", s.who, s.what));
  return steps;
}

// What the proofs take for granted, by the words that `vmsa coherency` puts a sentence to, each once.
std::string assumed(std::vector<coherency::judgement> const& judgements) {
  std::vector<std::string_view> ids;
  for (coherency::judgement const& j : judgements)
    for (coherency::assumption const& a : assumptions(j.question.asked, j.result.explored.options))
      if (std::find(ids.begin(), ids.end(), a.id) == ids.end()) ids.push_back(a.id);
  return fmt::format("assumes {}", fmt::join(ids, " "));
}

// The handovers that can go wrong, and the first one's way there.
void add_coherency(key_values& rows, std::vector<coherency::judgement> const& judgements) {
  coherency::judgement const* first = nullptr;
  std::string wrong;
  for (coherency::judgement const& j : judgements) {
    if (j.result.outcome == coherency::check_outcome::coherent) continue;
    if (first == nullptr) first = &j;
    wrong += fmt::format("{}{}", wrong.empty() ? "" : ", ", direction_text(j.question));
  }
  if (first != nullptr) {
    rows.add("coherency", fmt::format("violation ({}): {}", name(first->result.broken.broken), wrong));
    std::size_t number = 0;
    for (std::string const& step : counterexample(*first))
      rows.rows.back().lines.push_back(fmt::format("{}. {}", ++number, step));
  } else if (!judgements.empty()) {
    rows.add("coherency", "coherent: every handover between the guest and an alias, in every interleaving");
    rows.rows.back().lines.push_back(assumed(judgements));
  }
}

key_values story_rows() { return {.rows = {}, .indent = 3, .key_columns = 12}; }

void add_leaf(key_values& rows, fault_scenario const& scenario, fault_story const& s) {
  fault_trace const& o = s.outcome;
  rows.add_whole("leaf",
                 fmt::format("level {} {} of {}: IPA {} to PA {}", number(o.at), o.at == level::l3 ? "page" : "block",
                             size_name(level_size(s.format.tg, o.at)), hex(o.base), hex(o.output)));
  rows.rows.push_back({"descriptor", {hex(o.after.raw), fields_text(explain_leaf(s))}, true});
  if (o.decided.duties != cache_duties{})
    rows.add_whole("caches", fmt::format("before the entry is written: {}", describe(o.decided.duties)));
  memory_attributes const stage1 = stage1_of(s.access, o.fault.access, scenario.host.cpu);
  if (o.retried) {
    rows.add_whole("guest", fmt::format("stage 1 {} (MAIR {}), effective {}", name(summarize(stage1)),
                                        hex(s.access.stage1.mair), describe(o.retried.attributes)));
    rows.add_whole("PAR_EL1", hex(o.retried.par.raw));
  }
  for (alias_report const& a : o.aliases)
    rows.add_whole("alias", fmt::format("{}: {}: {}", name(a.other.owner), describe(a.other.attributes),
                                        mismatch_text(a.disagreement)));
}

void add_story(document& d, std::size_t position, fault_scenario const& scenario, fault_story const& s) {
  fault_trace const& o = s.outcome;
  std::string const title = s.access.name.empty() ? fmt::format("IPA {}", hex(o.fault.where)) : s.access.name;
  d.add(heading{fmt::format("{}. {}: {}", position, title, scenario.memory_known ? verdict(o) : "undecided"), 2});
  key_values rows = story_rows();
  rows.add_whole("fault", fault_text(s));
  if (!scenario.memory_known) {
    for (std::string const& note : s.notes) rows.add_whole("note", note);
    rows.add_whole("memory", "not described: name what is behind the address with --backing, or a map with --map");
    d.add(std::move(rows));
    return;
  }
  rows.add_whole("memory", memory_text(s));
  rows.add_whole("decision", describe(o.decided));
  if (o.decided.row != nullptr) {
    rows.add_whole("rule", fmt::format("{}, row {}", scenario.policy, o.decided.row->id));
    rows.add_whole("why", o.decided.row->why);
  }
  if (o.step == fault_step::table_refused)
    rows.add_whole("table", fmt::format("{} at IPA {}", name(o.mapping.error), hex(o.mapping.at)));
  if (o.step == fault_step::resolved) add_leaf(rows, scenario, s);
  if (s.dma) {
    rows.add_whole("dma", fmt::format("{}: {}", name(s.dma->device.verdict), s.dma->device.why));
    if (!s.dma->mapping.maps)
      rows.rows.back().lines.push_back(
          fmt::format("{}: {}", number_and_name(s.dma->mapping.error), s.dma->mapping.why));
    d.add(std::move(rows)).add(chain_table(s.dma->device.chain, chain_reasons_of(scenario.dma, s.dma->device), 15));
    rows = story_rows();
  }
  add_coherency(rows, s.judgements);
  for (std::string const& note : s.notes) rows.add_whole("note", note);
  for (what_if const& w : s.otherwise)
    rows.add_whole("otherwise", fmt::format("{}: {}", describe(w), describe(w.then)));
  d.add(std::move(rows));
}

json_value fault_json(fault_story const& s) {
  stage2_fault const& f = s.outcome.fault;
  json_value out = {{"esr_el2", hex(s.access.esr.raw)},
                    {"far_el2", hex(s.access.far.raw)},
                    {"hpfar_el2", hex(s.access.hpfar.raw)},
                    {"summary", explain(s.access.esr).summary},
                    {"access", name(f.access)},
                    {"kind", name(f.status.kind)}};
  if (f.status.at_level) out["level"] = *f.status.at_level;
  out["ipa"] = hex(f.where);
  out["s1ptw"] = f.s1ptw;
  return out;
}

json_value leaf_json(fault_story const& s) {
  fault_trace const& o = s.outcome;
  json_value fields = json_value::object();
  for (explained_field const& f : explain_leaf(s).fields)
    if (f.name != "RES0") fields[f.name] = binary(f.value, f.high - f.low + 1u);
  return {{"level", number(o.at)},
          {"size", level_size(s.format.tg, o.at)},
          {"ipa", hex(o.base)},
          {"pa", hex(o.output)},
          {"descriptor", hex(o.after.raw)},
          {"fields", std::move(fields)},
          {"entries_written", o.mapping.entries_written},
          {"tables_allocated", o.mapping.tables_allocated},
          {"broke", o.mapping.broke},
          {"tlbi", o.mapping.tlbi_count}};
}

json_value story_json(fault_scenario const& scenario, fault_story const& s) {
  fault_trace const& o = s.outcome;
  json_value out = {{"name", s.access.name},
                    {"fault", fault_json(s)},
                    {"region", nullptr},
                    {"decision", nullptr},
                    {"verdict", nullptr},
                    {"leaf", nullptr},
                    {"guest", nullptr},
                    {"aliases", json_value::array()},
                    {"dma", nullptr},
                    {"coherency", json_value::array()},
                    {"otherwise", json_value::array()},
                    {"notes", s.notes}};
  if (!scenario.memory_known) return out;
  if (s.memory) {
    region const& r = s.memory->where;
    out["region"] = {{"name", s.memory->name},
                     {"backing", vmsa::name(r.backing)},
                     {"ipa", hex(r.base)},
                     {"size", hex(r.size)},
                     {"pa", hex(r.output)}};
  }
  out["decision"] = decision_json(o.decided, o.at, s.format);
  out["verdict"] = verdict(o);
  if (o.step == fault_step::table_refused) out["table_error"] = name(o.mapping.error);
  if (o.step == fault_step::resolved) {
    out["leaf"] = leaf_json(s);
    json_value guest = {{"stage1", to_json(stage1_of(s.access, o.fault.access, scenario.host.cpu))}};
    if (o.retried) {
      guest["effective"] = to_json(o.retried.attributes);
      guest["par_el1"] = hex(o.retried.par.raw);
    }
    out["guest"] = std::move(guest);
    for (alias_report const& a : o.aliases)
      out["aliases"].push_back({{"owner", name(a.other.owner)},
                                {"attributes", to_json(a.other.attributes)},
                                {"mismatch", name(a.disagreement)}});
  }
  if (s.dma) out["dma"] = dma_json(scenario.dma, s.dma->device, s.dma->mapping);
  for (coherency::judgement const& j : s.judgements) {
    json_value entry = {{"handover", direction_text(j.question)},
                        {"verdict", name(j.result.outcome)},
                        {"property", nullptr},
                        {"counterexample", nullptr},
                        {"assumes", json_value::array()}};
    for (coherency::assumption const& a : assumptions(j.question.asked, j.result.explored.options))
      entry["assumes"].push_back(a.id);
    if (j.result.outcome == coherency::check_outcome::violation) {
      entry["property"] = name(j.result.broken.broken);
      entry["counterexample"] = counterexample(j);
    }
    out["coherency"].push_back(std::move(entry));
  }
  for (what_if const& w : s.otherwise) {
    json_value entry = {{"condition", describe(w)}, {"outcome", name(w.then.outcome)}};
    if (w.then.maps()) entry["memory_type"] = json_name(w.then.memory);
    out["otherwise"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace

document tell(fault_report const& report) {
  fault_scenario const& scenario = report.scenario;
  document d;
  if (!scenario.title.empty()) d.add(heading{scenario.title});
  bool const fwb = report.policy.runs_with_fwb(scenario.host);
  d.add(paragraph{fmt::format(
      "{}, FWB {}, DIC {}{}{}{}", scenario.policy,
      fwb == scenario.host.cpu.s2fwb ? (fwb ? "on" : "off")
      : fwb                          ? "on, which this policy needs"
                                     : "not used",
      scenario.host.cpu.dic ? "on" : "off",
      scenario.host.page == granule::k4 ? "" : fmt::format(", {} pages", size_name(granule_size(scenario.host.page))),
      scenario.cpu.empty() ? "" : ", ", scenario.cpu)});
  for (std::string const& note : report.notes) d.add(paragraph{"note: " + note});
  for (std::size_t i = 0; i < report.stories.size(); ++i) {
    d.add(blank{});
    add_story(d, i + 1, scenario, report.stories[i]);
  }
  return d;
}

std::string to_json(fault_report const& report) {
  fault_scenario const& scenario = report.scenario;
  json_value out = answer_json("fault");
  out.update(json_value{{"title", scenario.title},
                        {"policy", scenario.policy},
                        {"machine",
                         {{"cpu", scenario.cpu},
                          {"fwb", scenario.host.cpu.s2fwb},
                          {"dic", scenario.host.cpu.dic},
                          {"page_size", size_name(granule_size(scenario.host.page))}}},
                        {"notes", report.notes},
                        {"accesses", json_value::array()}});
  for (fault_story const& s : report.stories) out["accesses"].push_back(story_json(scenario, s));
  return json_text(out);
}

}  // namespace vmsa::text
