// SPDX-License-Identifier: MIT
#include "vmsa/text/coherency_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "vmsa/text/format.hpp"

namespace vmsa::text {
namespace {

using nlohmann::ordered_json;
using table = std::vector<std::vector<std::string>>;

// What both tabular forms show: a heading, then one row for each step.
table trace_table(coherency_report const& r) {
  table rows(1, {"step", "agent", "action"});
  for (std::string const& c : cache_names(r)) rows[0].push_back(c);
  rows[0].push_back("memory");
  std::size_t n = 0;
  for (told_step const& t : tell(r)) {
    std::vector<std::string> row{fmt::format("{}", ++n), t.who, t.what};
    for (std::string const& c : t.caches) row.push_back(c.empty() ? "-" : c);
    row.push_back(t.memory);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string aligned(table const& rows, std::string_view indent) {
  std::vector<std::size_t> width;
  for (auto const& row : rows) {
    width.resize(std::max(width.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  std::string out;
  for (auto const& row : rows) {
    std::string line{indent};
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], width[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

// Prose in lines of at most 96 columns, each after `indent`.
std::string wrapped(std::string_view text, std::string_view indent) {
  constexpr std::size_t columns = 96;
  std::string out, line{indent};
  while (!text.empty()) {
    std::string_view const word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (line.size() > indent.size() && line.size() + 1 + word.size() > columns) {
      out += line + "\n";
      line = indent;
    }
    line += fmt::format("{}{}", line.size() > indent.size() ? " " : "", word);
  }
  return out + line + "\n";
}

std::string device_text(coherency::agent const& a) {
  std::string out = a.snoops ? "snoops" : "does not snoop";
  if (a.canwbs) out += ", CANWBS";
  return out;
}

// Everything that can reach the memory, with its attributes.
table alias_table(coherency_report const& r) {
  coherency::scenario const& s = r.file.scenario;
  std::vector<coherency::mismatch> const bad = mismatches(s);
  table rows;
  for (unsigned i = 0; i < s.aliases.size(); ++i) {
    std::string against;
    for (coherency::mismatch const& m : bad)
      if (m.first == i || m.second == i) {
        std::string const& other = s.aliases[m.first == i ? m.second : m.first].name;
        if (against.find(other) == std::string::npos) against += (against.empty() ? "mismatched with " : ", ") + other;
      }
    rows.push_back({s.agents[s.aliases[i].agent].name, s.aliases[i].name, describe(s.aliases[i].attributes), against});
  }
  for (coherency::agent const& a : s.agents)
    if (a.kind == coherency::agent_kind::device) rows.push_back({a.name, "DMA", device_text(a), ""});
  return rows;
}

std::string verdict_text(coherency_report const& r) {
  switch (r.result.outcome) {
    case coherency::verdict::coherent:
      return r.result.omission_probability > 0
                 ? fmt::format(
                       "coherent in all {} states kept as fingerprints (one overlooked with probability below {:.1e})",
                       r.result.states, r.result.omission_probability)
                 : "coherent: no interleaving breaks it";
    case coherency::verdict::violation:
      return fmt::format("violation: {}", name(r.result.broken.broken));
    case coherency::verdict::not_finished:
      break;
  }
  if (r.result.states == 0)
    return fmt::format("not finished: 0 states (a state needs {} bits, and {} is the most)",
                       r.result.explored.state_bits, coherency::max_state_bits);
  return fmt::format("not finished: {} states", r.result.states);
}

std::string effort_text(coherency_report const& r) {
  return fmt::format("explored {} states and {} transitions, {} bytes a state, {} deep", r.result.states,
                     r.result.transitions, r.result.explored.state_bytes, r.result.depth);
}

bool unexpected(coherency_report const& r) {
  if (!r.file.expect || r.result.outcome == coherency::verdict::not_finished) return false;
  return r.file.expect != r.result.outcome ||
         (r.file.property != coherency::property::none && r.file.property != r.result.broken.broken);
}

bool latent_mismatch(coherency_report const& r) {
  return r.result.outcome == coherency::verdict::coherent && !mismatches(r.file.scenario).empty();
}
constexpr std::string_view latent_text = "latent mismatch: live aliases disagree, although nothing here comes of it";

std::vector<std::string> repair_lines(coherency_report const& r) {
  std::vector<std::string> out;
  if (!r.repair) return out;
  for (auto const& set : r.repair->sets) {
    std::string line;
    for (coherency::change const& c : set) line += (line.empty() ? "" : "; ") + change_text(r.file.scenario, c);
    out.push_back(line);
  }
  return out;
}

std::string repair_heading(coherency_report const& r) {
  if (r.repair->sets.empty())
    return r.repair->finished ? "no repair of three changes or fewer" : "no repair within the budget";
  return r.repair->sets.size() == 1 ? "repair" : "repair, any one of";
}

ordered_json trace_json(coherency_report const& r) {
  auto out = ordered_json::array();
  std::vector<told_step> const told = tell(r);
  std::vector<std::string> const names = cache_names(r);
  for (std::size_t i = 0; i < told.size(); ++i) {
    coherency::picture const p = unpack(r.result.explored, r.result.trace[i].after);
    auto const words = [&](unsigned line, std::vector<u8> const& values) {
      ordered_json o = ordered_json::object();
      coherency::model_line const& l = r.result.explored.lines[line];
      for (unsigned w = 0; w < l.words; ++w) o[word_name(r.file.scenario, l.first_word + w)] = values[w];
      return o;
    };
    ordered_json memory = ordered_json::object(), caches = ordered_json::object();
    for (unsigned l = 0; l < p.memory.size(); ++l) memory.update(words(l, p.memory[l]));
    for (unsigned c = 0; c < p.copies.size(); ++c) {
      auto lines = ordered_json::array();
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

ordered_json change_json(coherency::scenario const& s, coherency::change const& c) {
  constexpr std::string_view kinds[] = {"add-dsb",    "add-cvac",   "add-civac", "map-write-back",
                                        "make-snoop", "set-canwbs", "drop-alias"};
  ordered_json o{{"change", kinds[static_cast<unsigned>(c.kind)]}, {"agent", s.agents[c.agent].name}};
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

std::string coherency_as_text(coherency_report const& r) {
  std::string out = fmt::format("{}: {}\n", r.file.name, verdict_text(r));
  if (!r.file.title.empty()) out += wrapped(r.file.title, "  ");
  if (r.result.outcome == coherency::verdict::violation)
    out += wrapped(violation_text(r) + ".", "  ") + wrapped("Rule: " + violation_rule(r) + ".", "  ");
  out += "\n" + aligned(alias_table(r), "  ");
  if (latent_mismatch(r)) out += fmt::format("  {}\n", latent_text);
  if (!r.result.trace.empty()) {
    out += "\none of the shortest ways there (x=1 is the first value written to x, x=0 what it held before)\n";
    out += aligned(trace_table(r), "  ");
  }
  if (r.repair) {
    out += fmt::format("\n{}\n", repair_heading(r));
    for (std::string const& line : repair_lines(r)) out += fmt::format("  {}\n", line);
  }
  if (unexpected(r)) out += fmt::format("\nthe scenario expects {} {}\n", name(*r.file.expect), name(r.file.property));
  out += fmt::format("\n{}\nreproduce: {}\n", effort_text(r), r.command);
  return out;
}

std::string coherency_as_markdown(coherency_report const& r) {
  std::string out = fmt::format("### {}: {}\n\n", r.file.name, verdict_text(r));
  if (!r.file.title.empty()) out += fmt::format("{}\n\n", r.file.title);
  if (r.result.outcome == coherency::verdict::violation)
    out += fmt::format("**{}.** Rule: {}\n\n", violation_text(r), violation_rule(r));
  auto const put = [&](table const& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out += fmt::format("| {} |\n", fmt::join(rows[i], " | "));
      if (i == 0) {
        for (std::size_t c = 0; c < rows[0].size(); ++c) out += "|---";
        out += "|\n";
      }
    }
    out += "\n";
  };
  table aliases = alias_table(r);
  aliases.insert(aliases.begin(), {"agent", "alias", "attributes", "mismatch"});
  put(aliases);
  if (latent_mismatch(r)) out += fmt::format("{}\n\n", latent_text);
  if (!r.result.trace.empty()) put(trace_table(r));
  if (r.repair) {
    out += fmt::format("{}:\n\n", repair_heading(r));
    for (std::string const& line : repair_lines(r)) out += fmt::format("- {}\n", line);
    out += "\n";
  }
  return out + fmt::format("{}; reproduce with `{}`\n", effort_text(r), r.command);
}

std::string coherency_as_json(coherency_report const& r) {
  coherency::scenario const& s = r.file.scenario;
  bool const violated = r.result.outcome == coherency::verdict::violation;
  ordered_json o{{"scenario", r.file.name}, {"title", r.file.title}, {"verdict", name(r.result.outcome)}};
  o["property"] = violated ? ordered_json(name(r.result.broken.broken)) : ordered_json(nullptr);
  if (violated) {
    o["word"] = word_name(s, r.result.broken.word);
    o["got"] = r.result.broken.got;
    o["needed"] = r.result.broken.needed;
    o["what"] = violation_text(r);
    o["rule"] = violation_rule(r);
  }
  o["states"] = r.result.states;
  o["transitions"] = r.result.transitions;
  o["depth"] = r.result.depth;
  o["state_bytes"] = r.result.explored.state_bytes;
  o["memory_bytes"] = r.result.bytes;
  o["omission_probability"] = r.result.omission_probability;
  o["latent_mismatch"] = latent_mismatch(r);
  o["mismatches"] = ordered_json::array();
  for (coherency::mismatch const& m : mismatches(s))
    o["mismatches"].push_back(
        {{"line", s.lines[m.line].name}, {"aliases", {s.aliases[m.first].name, s.aliases[m.second].name}}});
  o["aliases"] = ordered_json::array();
  for (coherency::alias const& a : s.aliases)
    o["aliases"].push_back({{"name", a.name},
                            {"agent", s.agents[a.agent].name},
                            {"memory_type", json_name(summarize(a.attributes))},
                            {"sh", name(with_effective_shareability(a.attributes).sh)}});
  o["trace"] = trace_json(r);
  o["repair"] = ordered_json::array();
  o["repairs"] = ordered_json::array();
  if (r.repair) {
    for (auto const& set : r.repair->sets) {
      auto changes = ordered_json::array();
      for (coherency::change const& c : set) changes.push_back(change_json(s, c));
      o["repairs"].push_back(std::move(changes));
    }
    if (!o["repairs"].empty()) o["repair"] = o["repairs"].front();
  }
  if (r.file.expect) {
    o["expect"] = name(*r.file.expect);
    o["as_expected"] = !unexpected(r) && r.result.outcome != coherency::verdict::not_finished;
  }
  o["reason"] = r.file.reason;
  o["command"] = r.command;
  return o.dump(2) + "\n";
}

}  // namespace vmsa::text
