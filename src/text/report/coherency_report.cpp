// SPDX-License-Identifier: MIT
#include "vmsa/text/report/coherency_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/report/json.hpp"
#include "text/words/coherency_words.hpp"
#include "vmsa/sim/coherency/assumptions.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

table trace_table(coherency_report const& r) {
  table out{.header = {"step", "agent", "action"}, .rows = {}, .indent = 2};
  for (std::string const& c : cache_names(r)) out.header.push_back(c);
  out.header.push_back("memory");
  for (told_step const& t : tell(r)) {
    std::vector<std::string> row{fmt::format("{}", out.rows.size() + 1), t.who, t.what};
    for (std::string const& c : t.caches) row.push_back(c.empty() ? "-" : c);
    row.push_back(t.memory);
    out.rows.push_back(std::move(row));
  }
  return out;
}

std::string device_text(coherency::agent const& a) {
  std::string out = a.snoops ? "snoops" : "does not snoop";
  if (a.canwbs) out += ", CANWBS";
  return out;
}

// Everything that can reach the memory, with its attributes.
table alias_table(coherency_report const& r) {
  coherency::scenario const& s = r.file.scenario;
  std::vector<coherency::mismatched_pair> const bad = mismatches(s);
  table out{.header = {}, .rows = {}, .indent = 2};
  for (unsigned i = 0; i < s.aliases.size(); ++i) {
    std::string against;
    for (coherency::mismatched_pair const& m : bad)
      if (m.first == i || m.second == i) {
        std::string const& other = s.aliases[m.first == i ? m.second : m.first].name;
        if (against.find(other) == std::string::npos) against += (against.empty() ? "mismatched with " : ", ") + other;
      }
    out.rows.push_back(
        {s.agents[s.aliases[i].agent].name, s.aliases[i].name, describe(s.aliases[i].attributes), against});
  }
  for (coherency::agent const& a : s.agents)
    if (a.kind == coherency::agent_kind::device) out.rows.push_back({a.name, "DMA", device_text(a), ""});
  return out;
}

std::string stopped_text(coherency::stop_reason why, coherency_report const& r) {
  switch (why) {
    case coherency::stop_reason::max_states: return "the limit of states";
    case coherency::stop_reason::max_memory: return "the limit of memory";
    case coherency::stop_reason::time: return "the limit of time";
    case coherency::stop_reason::interrupt: return "interrupted";
    case coherency::stop_reason::out_of_memory: return "the machine had no more memory";
    case coherency::stop_reason::too_wide:
      return fmt::format("a state needs {} bits, and {} is the most", r.result.explored.state_bits,
                         coherency::max_state_bits);
    case coherency::stop_reason::none: break;
  }
  return "";
}

std::string verdict_text(coherency_report const& r) {
  switch (r.result.outcome) {
    case coherency::check_outcome::coherent:
      return r.result.omission_probability > 0
                 ? fmt::format(
                       "coherent in all {} states kept as fingerprints (one overlooked with probability below {:.1e})",
                       r.result.states, r.result.omission_probability)
                 : "coherent: no interleaving breaks it";
    case coherency::check_outcome::violation: return fmt::format("violation: {}", name(r.result.broken.broken));
    case coherency::check_outcome::not_finished: break;
  }
  return fmt::format("not finished: {} states, then {}", r.result.states, stopped_text(r.result.stopped, r));
}

std::string effort_text(coherency_report const& r) {
  return fmt::format("explored {} states and {} transitions, {} bytes a state, {} deep", r.result.states,
                     r.result.transitions, r.result.explored.state_bytes, r.result.depth);
}

bool unexpected(coherency_report const& r) {
  if (!r.file.expect || r.result.outcome == coherency::check_outcome::not_finished) return false;
  return r.file.expect != r.result.outcome ||
         (r.file.property != coherency::property::none && r.file.property != r.result.broken.broken);
}

bool latent_mismatch(coherency_report const& r) {
  return r.result.outcome == coherency::check_outcome::coherent && !mismatches(r.file.scenario).empty();
}
constexpr std::string_view latent_text = "latent mismatch: live aliases disagree, although nothing here comes of it";

std::vector<std::string> repair_lines(coherency_report const& r) {
  std::vector<std::string> out;
  if (!r.repair) return out;
  for (auto const& set : r.repair->sets) {
    std::string line;
    for (coherency::scenario_change const& c : set)
      line += (line.empty() ? "" : "; ") + change_text(r.file.scenario, c);
    out.push_back(line);
  }
  return out;
}

std::string repair_heading(coherency_report const& r) {
  coherency::repair_result const& found = *r.repair;
  std::string const unfinished = found.finished ? ""
                                                : fmt::format("; the search ended early after {} explorations: {}",
                                                              found.explorations, stopped_text(found.stopped, r));
  if (found.sets.empty())
    return found.finished ? "no repair of three changes or fewer" : "no repair found" + unfinished;
  return (found.sets.size() == 1 ? "repair" : "repair, any one of") + unfinished;
}

json_value trace_json(coherency_report const& r) {
  auto out = json_value::array();
  std::vector<told_step> const told = tell(r);
  std::vector<std::string> const names = cache_names(r);
  for (std::size_t i = 0; i < told.size(); ++i) {
    coherency::picture const p = unpack(r.result.explored, r.result.trace[i].after);
    auto const words = [&](unsigned line, std::vector<u8> const& values) {
      json_value o = json_value::object();
      coherency::model_line const& l = r.result.explored.lines[line];
      for (unsigned w = 0; w < l.words; ++w) o[word_name(r.file.scenario, l.first_word + w)] = values[w];
      return o;
    };
    json_value memory = json_value::object(), caches = json_value::object();
    for (unsigned l = 0; l < p.memory.size(); ++l) memory.update(words(l, p.memory[l]));
    for (unsigned c = 0; c < p.copies.size(); ++c) {
      auto lines = json_value::array();
      for (unsigned l = 0; l < p.copies[c].size(); ++l) {
        if (p.copies[c][l].state == coherency::invalid) continue;
        lines.push_back({{"line", r.file.scenario.lines[r.result.explored.lines[l].line].name},
                         {"state", p.copies[c][l].state == coherency::dirty ? "dirty" : "clean"},
                         {"words", words(l, p.copies[c][l].versions)}});
      }
      caches[names[c]] = lines;
    }
    out.push_back(
        {{"step", i + 1}, {"agent", told[i].who}, {"action", told[i].what}, {"caches", caches}, {"memory", memory}});
  }
  return out;
}

json_value stopped_json(coherency::stop_reason why) {
  return why == coherency::stop_reason::none ? json_value(nullptr) : json_value(name(why));
}

json_value change_json(coherency::scenario const& s, coherency::scenario_change const& c) {
  json_value o{{"change", coherency_words::change_kinds[static_cast<unsigned>(c.kind)]},
               {"agent", s.agents[c.agent].name}};
  if (c.kind <= coherency::change_kind::add_civac) {
    o["before_step"] = c.before + 1;
    if (c.kind != coherency::change_kind::add_dsb) {
      o["line"] = s.lines[c.line].name;
      o["dsb"] = c.dsb;
    }
  }
  if (c.kind == coherency::change_kind::drop_alias) o["alias"] = s.aliases[c.alias].name;
  o["text"] = change_text(s, c);
  return o;
}

}  // namespace

document tell_coherency(coherency_report const& r) {
  bool const violated = r.result.outcome == coherency::check_outcome::violation;
  document d;
  d.add(heading{fmt::format("{}: {}", r.file.name, verdict_text(r))});
  if (!r.file.title.empty()) d.add(paragraph{r.file.title, 2});
  if (violated) d.add(paragraph{violation_text(r) + ".", 2}).add(paragraph{"Rule: " + violation_rule(r) + ".", 2});
  d.add(blank{}).add(alias_table(r));
  if (latent_mismatch(r)) d.add(paragraph{std::string(latent_text), 2});
  for (std::string const& note : r.file.notes) d.add(paragraph{"note: " + note, 2});
  if (!r.result.trace.empty())
    d.add(blank{})
        .add(paragraph{"one of the shortest ways there (x=1 is the first value written to x, x=0 what it held before)"})
        .add(trace_table(r));
  if (r.repair) d.add(blank{}).add(paragraph{repair_heading(r)}).add(listing{repair_lines(r)});
  if (r.result.outcome == coherency::check_outcome::coherent) {
    listing taken;
    for (coherency::assumption const& a : assumptions(r.file.scenario, r.result.explored.options))
      taken.items.emplace_back(a.text);
    d.add(blank{}).add(paragraph{"assumes that"}).add(std::move(taken));
  }
  if (unexpected(r))
    d.add(blank{}).add(
        paragraph{fmt::format("the scenario expects {} {}", name(*r.file.expect), name(r.file.property))});
  d.add(blank{}).add(paragraph{effort_text(r)}).add(commands{"reproduce", {r.command}});
  return d;
}

std::string coherency_as_json(coherency_report const& r) {
  coherency::scenario const& s = r.file.scenario;
  bool const violated = r.result.outcome == coherency::check_outcome::violation;
  json_value o = answer_json("coherency");
  o["scenario"] = r.file.name;
  o["title"] = r.file.title;
  o["verdict"] = name(r.result.outcome);
  auto const if_violated = [&](json_value value) { return violated ? std::move(value) : json_value(nullptr); };
  o["property"] = if_violated(name(r.result.broken.broken));
  o["word"] = if_violated(violated ? word_name(s, r.result.broken.word) : "");
  o["got"] = if_violated(r.result.broken.got);
  o["needed"] = if_violated(r.result.broken.needed);
  o["what"] = if_violated(violation_text(r));
  o["rule"] = if_violated(violation_rule(r));
  o["stopped"] = stopped_json(r.result.stopped);
  o["states"] = r.result.states;
  o["transitions"] = r.result.transitions;
  o["depth"] = r.result.depth;
  o["state_bytes"] = r.result.explored.state_bytes;
  o["memory_bytes"] = r.result.bytes;
  o["omission_probability"] = r.result.omission_probability;
  o["latent_mismatch"] = latent_mismatch(r);
  o["mismatches"] = json_value::array();
  for (coherency::mismatched_pair const& m : mismatches(s))
    o["mismatches"].push_back(
        {{"line", s.lines[m.line].name}, {"aliases", {s.aliases[m.first].name, s.aliases[m.second].name}}});
  o["aliases"] = json_value::array();
  for (coherency::agent_alias const& a : s.aliases)
    o["aliases"].push_back({{"name", a.name},
                            {"agent", s.agents[a.agent].name},
                            {"memory_type", json_name(summarize(a.attributes))},
                            {"sh", name(with_effective_shareability(a.attributes).sh)}});
  o["trace"] = trace_json(r);
  o["repair"] = json_value::array();
  o["repairs"] = json_value::array();
  if (r.repair) {
    for (auto const& set : r.repair->sets) {
      auto changes = json_value::array();
      for (coherency::scenario_change const& c : set) changes.push_back(change_json(s, c));
      o["repairs"].push_back(std::move(changes));
    }
    if (!o["repairs"].empty()) o["repair"] = o["repairs"].front();
  }
  o["repair_stopped"] = r.repair ? stopped_json(r.repair->stopped) : json_value(nullptr);
  o["expect"] = r.file.expect ? json_value(name(*r.file.expect)) : json_value(nullptr);
  o["as_expected"] = r.file.expect
                         ? json_value(!unexpected(r) && r.result.outcome != coherency::check_outcome::not_finished)
                         : json_value(nullptr);
  o["reason"] = r.file.reason;
  o["assumes"] = json_value::array();
  for (coherency::assumption const& a : assumptions(s, r.result.explored.options))
    o["assumes"].push_back({{"id", a.id}, {"text", a.text}});
  o["notes"] = r.file.notes;
  o["command"] = r.command;
  return json_text(o);
}

}  // namespace vmsa::text
