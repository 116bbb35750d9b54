// SPDX-License-Identifier: MIT
// A counterexample in words.
#include <fmt/format.h>

#include "vmsa/text/report/coherency_report.hpp"

namespace vmsa::text {
namespace {

using coherency::action_kind;
using coherency::property;
using coherency::step_kind;

std::string versions(coherency_report const& r, unsigned line, std::vector<u8> const& values) {
  coherency::model_line const& l = r.result.explored.lines[line];
  std::string out;
  for (unsigned w = 0; w < l.words; ++w)
    out += fmt::format("{}{}={}", w == 0 ? "" : " ", word_name(r.file.scenario, l.first_word + w), values[w]);
  return out;
}

std::string const& agent_name(coherency_report const& r, unsigned model_agent) {
  return r.file.scenario.agents[r.result.explored.agents[model_agent].agent].name;
}

coherency::instruction const& instruction_of(coherency_report const& r, coherency::action const& a) {
  return r.result.explored.agents[a.who].program[a.at];
}

std::string place_text(coherency_report const& r, u8 where, int own_cache) {
  if (where == coherency::from_memory) return "memory";
  if (where == coherency::from_buffer) return "its own buffer";
  if (static_cast<int>(where) == own_cache) return "its cache";
  return "the " + cache_names(r)[where];
}

std::string step_action(coherency_report const& r, coherency::action const& a) {
  coherency::instruction const& in = instruction_of(r, a);
  coherency::model_agent const& who = r.result.explored.agents[a.who];
  coherency::step const& st = r.file.scenario.agents[in.agent].program[in.step];
  std::string const text = step_text(r.file.scenario, st);
  if (is_read(in.what)) {
    std::string const from = place_text(r, a.from, who.cache);
    return fmt::format("{}: {}={} from {}{}", text, word_name(r.file.scenario, st.target), a.version, from,
                       a.fills ? ", filling its cache" : "");
  }
  if (in.what == step_kind::store)
    return fmt::format("{}: {}={} waits in its buffer", text, word_name(r.file.scenario, st.target), in.version);
  if (is_buffered(in.what)) return text + ": begins";
  if (in.what == step_kind::dma_write)
    return fmt::format("{}: {}={} {}", text, word_name(r.file.scenario, st.target), a.version,
                       a.to == coherency::nowhere ? "in memory" : "stays dirty in " + place_text(r, a.to, who.cache));
  return text;
}

std::string drain_action(coherency_report const& r, coherency::action const& a) {
  coherency::instruction const& in = instruction_of(r, a);
  coherency::step const& st = r.file.scenario.agents[in.agent].program[in.step];
  if (in.what != step_kind::store)
    return step_text(r.file.scenario, st) + (a.drops ? ": completes, dirty data dropped" : ": completes");
  std::string const data = fmt::format("{}={}", word_name(r.file.scenario, st.target), in.version);
  if (a.to == coherency::nowhere) return fmt::format("its store {} reaches memory", data);
  int const own = r.result.explored.agents[a.who].cache;
  return fmt::format("its store {} {} {}", data,
                     in.kind == coherency::cache_use::write_back ? "makes the line dirty in" : "hits the dirty line in",
                     place_text(r, a.to, own));
}

// The state that the last action of the trace was taken in.
coherency::picture last_picture(coherency_report const& r) {
  return unpack(r.result.explored, r.result.trace.back().after);
}

}  // namespace

std::vector<std::string> cache_names(coherency_report const& r) {
  std::vector<std::string> out;
  for (coherency::model_cache const& c : r.result.explored.caches) {
    std::string owners;
    for (unsigned a : c.agents) owners += (owners.empty() ? "" : "+") + agent_name(r, a);
    out.push_back(owners.empty() ? "system cache" : "cache of " + owners);
  }
  return out;
}

std::vector<told_step> tell(coherency_report const& r) {
  std::vector<told_step> out;
  std::vector<std::string> const caches = cache_names(r);
  for (coherency::trace_step const& t : r.result.trace) {
    coherency::action const& a = t.what;
    told_step told;
    std::string const line =
        a.kind >= action_kind::fill && a.kind <= action_kind::write_back && r.result.explored.lines.size() > 1
            ? r.file.scenario.lines[r.result.explored.lines[a.at].line].name
            : "line";
    switch (a.kind) {
      case action_kind::step:
        told.who = agent_name(r, a.who);
        told.what = step_action(r, a);
        break;
      case action_kind::drain:
        told.who = agent_name(r, a.who);
        told.what = drain_action(r, a);
        break;
      case action_kind::fill:
        told.who = caches[a.who];
        told.what = fmt::format("fills the {} by speculation, from {}", line, place_text(r, a.from, -1));
        break;
      case action_kind::evict:
        told.who = caches[a.who];
        told.what = fmt::format("evicts its clean {}", line);
        break;
      case action_kind::write_back:
        told.who = caches[a.who];
        told.what = fmt::format("writes its dirty {} back", line);
        break;
      case action_kind::quiescence:
        told.who = "(end)";
        told.what = "all is done, nothing is dirty";
        break;
    }
    coherency::picture const p = unpack(r.result.explored, t.after);
    for (auto const& cache : p.copies) {
      std::string cell;
      for (unsigned l = 0; l < cache.size(); ++l)
        if (cache[l].state != coherency::invalid)
          cell += fmt::format("{}{}{}", cell.empty() ? "" : " ", versions(r, l, cache[l].versions),
                              cache[l].state == coherency::dirty ? " dirty" : "");
      told.caches.push_back(cell);
    }
    for (unsigned l = 0; l < p.memory.size(); ++l) told.memory += (l == 0 ? "" : " ") + versions(r, l, p.memory[l]);
    out.push_back(std::move(told));
  }
  return out;
}

std::string violation_text(coherency_report const& r) {
  if (r.result.outcome != coherency::check_outcome::violation) return "";
  coherency::violation const& v = r.result.broken;
  std::string const& word = word_name(r.file.scenario, v.word);
  std::string who = "a cache";
  if (!r.result.trace.empty()) {
    coherency::action const& a = r.result.trace.back().what;
    if (a.kind == action_kind::step || a.kind == action_kind::drain) who = agent_name(r, a.who);
    if (a.kind == action_kind::quiescence)
      return fmt::format("memory ends with {0}={1}, and {0}={2} is lost", word, v.got, v.needed);
    if (a.kind == action_kind::write_back) who = cache_names(r)[a.who];
  }
  switch (v.broken) {
    case property::stale_read:
      return fmt::format("{0} reads {1}={2}, but must see {1}={3} or later", who, word, v.got, v.needed);
    case property::snapshot:
      return fmt::format("{0} copies {1}={2}, but the guest left {1}={3}", who, word, v.got, v.needed);
    case property::lost_write:
      return fmt::format("{0} puts {1}={2} over the newer {1}={3}", who, word, v.got, v.needed);
    case property::none: break;
  }
  return "";
}

std::string violation_rule(coherency_report const& r) {
  if (r.result.outcome != coherency::check_outcome::violation || r.result.trace.empty()) return "";
  coherency::violation const& v = r.result.broken;
  coherency::action const& a = r.result.trace.back().what;
  constexpr std::string_view section = " [Arm ARM, Mismatched memory attributes]";
  if (v.broken == property::lost_write) {
    if (a.kind == action_kind::write_back)
      return fmt::format(
          "bytes written without write-back may be reverted when the rest of their line is written back{}", section);
    if (a.kind == action_kind::drain && instruction_of(r, a).what == step_kind::store)
      return fmt::format("an agent's writes with different attributes may be reordered without a DMB{}", section);
    if (a.kind == action_kind::quiescence)
      return "an invalidation without a clean discards dirty data, and the write with them";
    return fmt::format("maintenance and snoops write dirty lines back, over whatever was written past the cache{}",
                       section);
  }
  // Where the version that should have been read is.
  coherency::picture const p = last_picture(r);
  unsigned line = 0;
  while (r.result.explored.lines[line].first_word + r.result.explored.lines[line].words <= v.word) ++line;
  unsigned const offset = v.word - r.result.explored.lines[line].first_word;
  if (p.memory[line][offset] >= v.needed)
    return fmt::format(
        "a write with other attributes need not update clean copies, and cacheable or snooping reads may "
        "return them{}",
        section);
  for (auto const& cache : p.copies)
    if (cache[line].state == coherency::dirty && cache[line].versions[offset] >= v.needed)
      return fmt::format("the data are dirty in a cache, where a read that does not look there cannot see them{}",
                         section);
  for (unsigned who = 0; who < p.buffer.size(); ++who)
    for (unsigned i : p.buffer[who]) {
      coherency::instruction const& in = r.result.explored.agents[who].program[i];
      if (in.what != step_kind::store || in.line != line || in.offset != offset || in.version < v.needed) continue;
      if (a.kind == action_kind::step && a.who == who)
        return fmt::format("a read may miss the agent's own last write when their attributes differ{}", section);
      return "a signal does not wait for buffered stores: only a barrier before it does";
    }
  if (v.broken == property::snapshot) return "the copy is taken before the writer has stopped";
  return fmt::format("agents with different attributes may lose coherency{}", section);
}

std::string change_text(coherency::scenario const& s, coherency::scenario_change const& c) {
  coherency::agent const& who = s.agents[c.agent];
  auto const place = [&] {
    return c.before < who.program.size() ? fmt::format("before \"{}\"", step_text(s, who.program[c.before]))
                                         : std::string("at the end");
  };
  switch (c.kind) {
    case coherency::change_kind::add_dsb: return fmt::format("{}: add DSB {}", who.name, place());
    case coherency::change_kind::add_cvac:
    case coherency::change_kind::add_civac:
      return fmt::format("{}: add DC {} of {}{} {}", who.name,
                         c.kind == coherency::change_kind::add_cvac ? "CVAC" : "CIVAC", s.lines[c.line].name,
                         c.dsb ? " and DSB" : "", place());
    case coherency::change_kind::map_write_back: {
      std::string devices;
      for (coherency::agent const& a : s.agents)
        if (a.snoops && a.kind == coherency::agent_kind::device) devices += (devices.empty() ? "" : ", ") + a.name;
      return fmt::format("{}: map the memory Normal-WB, Inner Shareable{}", who.name,
                         devices.empty() ? "" : fmt::format(" (dma-coherent: {} snoops)", devices));
    }
    case coherency::change_kind::force_write_back: return fmt::format("map {}'s memory Normal-WB by FWB", who.name);
    case coherency::change_kind::make_snoop: return fmt::format("make {} snoop (IOMMU_CACHE, no No_Snoop)", who.name);
    case coherency::change_kind::set_canwbs: return fmt::format("put {} behind a root complex with CANWBS", who.name);
    case coherency::change_kind::drop_alias:
      return fmt::format("drop the alias {} of {}", s.aliases[c.alias].name, who.name);
  }
  return "";
}

}  // namespace vmsa::text
