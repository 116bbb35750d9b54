// SPDX-License-Identifier: MIT
#include "vmsa/text/report/machine_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "text/report/sequence_svg.hpp"
#include "vmsa/text/report/check_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

using sim::finding;
using sim::finding_kind;
using sim::machine_event;
using sim::machine_event_kind;

std::string agent(unsigned n, unsigned pes) {
  return n < pes ? fmt::format("PE {}", n) : fmt::format("device {}", n - pes);
}

std::string written_at(u32 event) {
  return event == 0 ? std::string("what was there at the start") : fmt::format("the write of event {}", event);
}

std::string holder(finding const& f) {
  switch (f.held) {
    case sim::holder_kind::memory: return "memory has it so";
    case sim::holder_kind::cache: return fmt::format("a copy in the cache of PE {}", f.holder);
    case sim::holder_kind::buffer: return fmt::format("the write was still in the store buffer of PE {}", f.holder);
  }
  return "";
}

bool is_access(machine_event_kind k) { return k <= machine_event_kind::host_store; }

}  // namespace

std::string describe(finding const& f, unsigned pes) {
  std::string const who = agent(f.agent, pes);
  switch (f.what) {
    case finding_kind::stale_translation:
      return fmt::format(
          "event {}: stale-translation: {} uses {} for {} and reaches {}; the operation of event {} that took it away "
          "was over",
          f.event, who, hex(f.old_descriptor), hex(f.address), hex(f.where), f.since);
    case finding_kind::other_table:
      return fmt::format(
          "event {}: other-table: {} uses an entry of another table under its VMID for {} and reaches {}", f.event, who,
          hex(f.address), hex(f.where));
    case finding_kind::conflict:
      return fmt::format(
          "event {}: conflict: {} holds {} for {} beside what the tables have since event {}: a TLB conflict abort, or "
          "a mixture of both, is possible",
          f.event, who, hex(f.old_descriptor), hex(f.address), f.since);
    case finding_kind::stale_data:
      return fmt::format("event {}: stale-data: {} reads {} at {} ({}) and not the write of event {}: {}", f.event, who,
                         written_at(f.got), hex(f.address), hex(f.where), f.since, holder(f));
    case finding_kind::lost_write:
      return fmt::format("event {}: lost-write: {} at {} ends over the write of event {}: {}", f.event,
                         written_at(f.got), hex(f.where), f.since, holder(f));
    case finding_kind::mismatch: {
      std::string out = fmt::format("event {}: mismatch: {} maps page {} {}, where a live mapping has {}", f.event, who,
                                    hex(f.where), describe(f.second), describe(f.first));
      if (f.places > 1) out += fmt::format("; {} pages in all", f.places);
      return out;
    }
    case finding_kind::judged: {
      sim::violation v = f.verdict;
      v.event = v.line;
      v.cause_event = v.cause_line;
      return describe(v);
    }
  }
  return "";
}

std::string describe(machine_event const& e, unsigned pes) {
  std::string const who = agent(e.agent, pes);
  std::string const from = is_access(e.what) ? hex(e.address) : "";
  auto const access = [&](std::string_view verb, bool value) {
    if (e.faulted) return fmt::format("{} {} {}: fault", who, verb, from);
    std::string out = fmt::format("{} {} {}", who, verb, from);
    if (e.where != e.address) out += fmt::format(" ({})", hex(e.where));
    if (value) out += fmt::format(" = {}", hex(e.value));
    return out + fmt::format(", {}", name(summarize(e.attributes)));
  };
  switch (e.what) {
    case machine_event_kind::load: return access("loads", true);
    case machine_event_kind::store: return access("stores", true);
    case machine_event_kind::fetch: return access("fetches", true);
    case machine_event_kind::exclusive: return access("exchanges", true);
    case machine_event_kind::dma_read: return access("reads", true);
    case machine_event_kind::dma_write: return access("writes", true);
    case machine_event_kind::host_load: return access("(host) loads", true);
    case machine_event_kind::host_store: return access("(host) stores", true);
    default: return fmt::format("{} {}", who, trace_line(e.told, "").substr(e.told.pe < 10 ? 2 : 3));
  }
}

std::string describe(sim::choice const& c) {
  std::string const at = hex(c.address);
  switch (c.what) {
    case sim::choice_kind::keep_translation:
      return fmt::format("the TLB of PE {} keeps the translation of {} that event {} took away", c.pe, at, c.event);
    case sim::choice_kind::keep_store:
      return fmt::format("event {}: what PE {} does at {} stays in its buffer", c.event, c.pe, at);
    case sim::choice_kind::keep_line:
      return fmt::format("event {}: the cache of PE {} keeps line {}", c.event, c.pe, at);
    case sim::choice_kind::fill_line:
      return fmt::format("event {}: the cache of PE {} had fetched line {} speculatively before", c.event, c.pe, at);
    case sim::choice_kind::write_back:
      return fmt::format("event {}: the cache of PE {} writes line {} back", c.event, c.pe, at);
    case sim::choice_kind::allocate:
      return fmt::format("event {}: the write ends in the cache of PE {}, line {}", c.event, c.pe, at);
    case sim::choice_kind::drop:
      return fmt::format("event {}: DC IVAC discards the dirty line {} of PE {}", c.event, at, c.pe);
  }
  return "";
}

document tell_machine(sim::machine const& m, sim::shortest_failure const* shortest) {
  document d;
  unsigned const pes = m.options().pes;
  auto const& findings = m.findings();
  auto const failures = std::count_if(findings.begin(), findings.end(), [](finding const& f) { return f.failure(); });
  d.add(heading{failures == 0   ? "nothing went wrong"
                : failures == 1 ? "1 failure"
                                : fmt::format("{} failures", failures)});
  d.add(paragraph{fmt::format("{} events, {} PEs", m.event(), pes)});
  std::set<u32> named;
  constexpr std::size_t most = 50;
  listing found{{}, 0};
  for (std::size_t n = 0; n < findings.size() && n < most; ++n) {
    finding const& f = findings[n];
    found.items.push_back(describe(f, pes));
    for (u32 const e : {f.event, f.since, f.got, f.what == finding_kind::judged ? f.verdict.cause_line : 0u})
      if (e != 0) named.insert(e);
  }
  if (findings.size() > most) found.items.push_back(fmt::format("and {} more", findings.size() - most));
  if (!found.items.empty()) d.add(blank{}).add(heading{"What was wrong", 2}).add(std::move(found));
  listing events{{}, 0};
  for (machine_event const& e : m.events())
    if (named.contains(e.number)) events.items.push_back(fmt::format("{}: {}", e.number, describe(e, pes)));
  if (!events.items.empty()) d.add(blank{}).add(heading{"The events it names", 2}).add(std::move(events));
  if (shortest != nullptr) {
    listing choices{{}, 0};
    for (sim::choice const& c : shortest->choices) choices.items.push_back(describe(c));
    if (choices.items.empty()) choices.items.emplace_back("none: it shows on a machine that keeps nothing");
    d.add(blank{}).add(heading{"What the hardware has to choose", 2}).add(std::move(choices));
  }
  return d;
}

std::string machine_as_svg(sim::machine const& m, std::string const& title) {
  unsigned const pes = m.options().pes;
  auto const& findings = m.findings();
  // What an access shows says more than what the judge says.
  auto const fails = [](bool judged) {
    return [judged](finding const& f) { return f.failure() && (f.what == finding_kind::judged) == judged; };
  };
  auto first = std::find_if(findings.begin(), findings.end(), fails(false));
  if (first == findings.end()) first = std::find_if(findings.begin(), findings.end(), fails(true));
  u32 const end = first == findings.end() ? m.event() : first->event;
  constexpr u32 most = 60;
  std::vector<machine_event const*> shown;
  std::set<unsigned> agents;
  for (machine_event const& e : m.events()) {
    bool const system = e.what == machine_event_kind::msr;
    if (e.number > end || system || e.number + most <= end) continue;
    shown.push_back(&e);
    agents.insert(e.agent);
  }
  std::vector<std::string> names;
  std::vector<unsigned> column(256);
  for (unsigned const a : agents) {
    column[a] = static_cast<unsigned>(names.size());
    names.push_back(agent(a, pes));
  }
  auto const memory = static_cast<unsigned>(names.size());
  names.emplace_back("memory and caches");
  std::string const verdict = first == findings.end() ? "" : describe(*first, pes);
  sequence_picture picture(names, memory, static_cast<unsigned>(shown.size()),
                           verdict.empty() ? "nothing went wrong" : "a failure", title);
  for (unsigned i = 0; i < shown.size(); ++i) {
    machine_event const& e = *shown[i];
    bool const named = first != findings.end() && (e.number == first->event || e.number == first->since);
    unsigned const who = column[e.agent];
    bool const data = is_access(e.what) || e.what == machine_event_kind::table_store;
    bool const reads = e.what == machine_event_kind::load || e.what == machine_event_kind::fetch ||
                       e.what == machine_event_kind::dma_read || e.what == machine_event_kind::host_load;
    picture.step(i, who, data && reads ? memory : who, data && !reads ? memory : who,
                 fmt::format("{}: {}", e.number, describe(e, pes)), named ? sequence_picture::red : "black");
  }
  return picture.finish(verdict);
}

}  // namespace vmsa::text
