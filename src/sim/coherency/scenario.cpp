// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/scenario.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace vmsa::coherency {
namespace {

char const* const operation_names[] = {"load",    "store", "snapshot", "dc cvac",  "dc civac", "dc ivac",
                                       "dc cvau", "dmb",   "dsb",      "signal",   "wait",     "map",
                                       "unmap",   "tlbi",  "dma read", "dma write"};

std::string quoted(std::string const& name) { return '"' + name + '"'; }

template <class Range>
std::string listed(Range const& items) {
  std::string out;
  for (auto const& item : items) out += (out.empty() ? "" : " ") + item.name;
  return out;
}

// Iterates over (agent, step), agents first.
template <class F>
void each_step(scenario const& s, F&& f) {
  for (unsigned a = 0; a < s.agents.size(); ++a)
    for (unsigned i = 0; i < s.agents[a].program.size(); ++i) f(a, i, s.agents[a].program[i]);
}

// The signal of each event, as (agent, step).
using signal_places = std::vector<std::pair<unsigned, unsigned>>;

signal_places signals(scenario const& s) {
  signal_places where(s.events.size(), {no_index, no_index});
  each_step(s, [&](unsigned a, unsigned i, step const& st) {
    if (st.what == step_kind::signal) where[st.target] = {a, i};
  });
  return where;
}

// Fills in `before`; returns the first wait that no order of execution reaches, if any.
std::optional<std::pair<unsigned, unsigned>> run_clocks(scenario const& s, timeline& t) {
  signal_places const where = signals(s);
  std::size_t const n = s.agents.size();
  t.before.assign(n, {});
  std::vector<std::vector<unsigned>> clock(n, std::vector<unsigned>(n, 0));
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned a = 0; a < n; ++a) {
      auto const& program = s.agents[a].program;
      while (t.before[a].size() < program.size()) {
        unsigned const i = static_cast<unsigned>(t.before[a].size());
        if (program[i].what == step_kind::wait) {
          auto const [from, at] = where[program[i].target];
          if (t.before[from].size() <= at) break;
          for (unsigned b = 0; b < n; ++b) clock[a][b] = std::max(clock[a][b], t.before[from][at][b]);
          clock[a][from] = std::max(clock[a][from], at + 1);
        }
        t.before[a].push_back(clock[a]);
        clock[a][a] = i + 1;
        moved = true;
      }
    }
  }
  for (unsigned a = 0; a < n; ++a)
    if (t.before[a].size() < s.agents[a].program.size()) return std::pair{a, static_cast<unsigned>(t.before[a].size())};
  return std::nullopt;
}

// What one step names, and whether its agent may do it.
std::optional<problem> check_step(scenario const& s, unsigned a, unsigned i) {
  agent const& who = s.agents[a];
  step const& st = who.program[i];
  std::string const name = operation_names[static_cast<unsigned>(st.what)];
  auto const fail = [&](std::string what, std::string valid = {}) {
    return problem{std::move(what), std::move(valid), a, i, no_index};
  };
  bool const device = who.kind == agent_kind::device;
  bool const event = st.what == step_kind::signal || st.what == step_kind::wait;
  if (device && !is_dma(st.what) && !event)
    return fail(quoted(name) + " is not something a device does", "dma read, dma write, signal, wait");
  if (!device && is_dma(st.what)) return fail(quoted(name) + " is for devices", "load, store");
  if (event) {
    if (st.target >= s.events.size()) return fail("no such event");
    return std::nullopt;
  }
  if (is_alias_change(st.what)) {
    if (st.target >= s.aliases.size()) return fail("no such alias", listed(s.aliases));
    return std::nullopt;
  }
  if (st.what == step_kind::dmb || st.what == step_kind::dsb) return std::nullopt;
  if (is_maintenance(st.what) ? st.target >= s.lines.size() : st.target >= word_count(s))
    return fail(is_maintenance(st.what) ? "no such line" : "no such word");
  if (device) return std::nullopt;
  if (st.via >= s.aliases.size()) return fail(quoted(name) + " needs an alias to go through", listed(s.aliases));
  agent_alias const& through = s.aliases[st.via];
  if (through.agent != a)
    return fail("alias " + quoted(through.name) + " belongs to " + quoted(s.agents[through.agent].name) + ", not to " +
                quoted(who.name));
  unsigned const line = *line_of(s, st);
  if (!covers(through, line))
    return fail("alias " + quoted(through.name) + " does not map line " + quoted(s.lines[line].name));
  return std::nullopt;
}

std::optional<problem> check_events(scenario const& s) {
  std::vector<bool> signalled(s.events.size(), false);
  std::optional<problem> found;
  each_step(s, [&](unsigned a, unsigned i, step const& st) {
    if (found || st.what != step_kind::signal) return;
    if (signalled[st.target])
      found =
          problem{"event " + quoted(s.events[st.target]) + " is signalled twice", "one signal for each event", a, i};
    signalled[st.target] = true;
  });
  each_step(s, [&](unsigned a, unsigned i, step const& st) {
    if (found || st.what != step_kind::wait || signalled[st.target]) return;
    found = problem{"waits for " + quoted(s.events[st.target]) + ", which nobody signals",
                    "an event that some agent signals", a, i};
  });
  return found;
}

// An access needs its alias mapped whatever the interleaving: a map that happens before it, or none needed, and no
// unmap that may come between.
std::optional<problem> check_mapped(scenario const& s, timeline const& t) {
  std::optional<problem> found;
  each_step(s, [&](unsigned a, unsigned i, step const& st) {
    if (found || st.via == no_index || is_alias_change(st.what)) return;
    bool mapped = s.aliases[st.via].mapped;
    each_step(s, [&](unsigned b, unsigned j, step const& m) {
      if (m.what == step_kind::map && m.target == st.via && t.happens_before(b, j, a, i)) mapped = true;
    });
    each_step(s, [&](unsigned b, unsigned j, step const& u) {
      if (u.what != step_kind::unmap || u.target != st.via || t.happens_before(a, i, b, j)) return;
      bool again = false;
      each_step(s, [&](unsigned c, unsigned k, step const& m) {
        again = again || (m.what == step_kind::map && m.target == st.via && t.happens_before(b, j, c, k) &&
                          t.happens_before(c, k, a, i));
      });
      if (!again) mapped = false;
    });
    if (!mapped)
      found = problem{"access through alias " + quoted(s.aliases[st.via].name) + ", which is or may be unmapped here",
                      "a map of it that happens before, and no unmap in between", a, i};
  });
  return found;
}

std::optional<problem> check_changes(scenario const& s, timeline const& t) {
  std::optional<problem> found;
  each_step(s, [&](unsigned a, unsigned i, step const& x) {
    each_step(s, [&](unsigned b, unsigned j, step const& y) {
      if (found || (a == b && i == j) || t.happens_before(a, i, b, j) || t.happens_before(b, j, a, i)) return;
      if (is_write(x.what) && is_write(y.what) && x.target == y.target)
        found = problem{"two writers of word " + quoted(word_name(s, y.target)) +
                            " at once: " + quoted(s.agents[a].name) + " and " + quoted(s.agents[b].name),
                        "an event that orders the two writes", b, j};
      if (is_alias_change(x.what) && is_alias_change(y.what) && x.target == y.target)
        found = problem{"alias " + quoted(s.aliases[y.target].name) + " is changed by two agents at once",
                        "an event that orders the two changes", b, j};
    });
  });
  return found;
}

// A map by another agent than the one that unmapped: their two stores to the descriptor must not change places.
std::optional<problem> check_remapped(scenario const& s, timeline const& t) {
  std::optional<problem> found;
  each_step(s, [&](unsigned a, unsigned i, step const& u) {
    if (u.what != step_kind::unmap) return;
    each_step(s, [&](unsigned b, unsigned j, step const& m) {
      if (found || a == b || m.what != step_kind::map || m.target != u.target || !t.happens_before(a, i, b, j)) return;
      auto const& program = s.agents[a].program;
      for (unsigned k = i + 1; k < program.size(); ++k)
        if (program[k].what == step_kind::dsb && t.happens_before(a, k, b, j)) return;
      found = problem{"alias " + quoted(s.aliases[m.target].name) + " is mapped again while the unmap of " +
                          quoted(s.agents[a].name) + " may still be on its way",
                      "a dsb after the unmap, before the event that the map waits for", b, j};
    });
  });
  return found;
}

std::optional<problem> check_limits(scenario const& s) {
  auto const limit = [](std::size_t n, unsigned most, char const* what) -> std::optional<problem> {
    if (n <= most) return std::nullopt;
    return problem{std::to_string(n) + " " + what, "at most " + std::to_string(most)};
  };
  if (s.agents.empty()) return problem{"no agent", "at least one"};
  if (s.lines.empty()) return problem{"no line", "at least one"};
  if (auto p = limit(s.agents.size(), max_agents, "agents")) return p;
  if (auto p = limit(s.lines.size(), max_lines, "lines")) return p;
  if (auto p = limit(s.aliases.size(), max_aliases, "aliases")) return p;
  if (auto p = limit(word_count(s), max_words, "words")) return p;
  for (cache_line const& l : s.lines)
    if (l.words.empty()) return problem{"line " + quoted(l.name) + " has no word", "at least one"};
  for (unsigned a = 0; a < s.agents.size(); ++a) {
    agent const& who = s.agents[a];
    if (who.domain >= max_agents)
      return problem{"domain " + std::to_string(who.domain), "0 to " + std::to_string(max_agents - 1), a};
    if (auto p = limit(who.program.size(), max_steps, "steps of one agent")) {
      p->agent = a;
      return p;
    }
    unsigned buffered = 0;
    for (unsigned i = 0; i < who.program.size(); ++i) {
      step_kind const o = who.program[i].what;
      if (o == step_kind::dsb) buffered = 0;
      if (is_buffered(o)) ++buffered;
      if (buffered > max_buffer)
        return problem{
            "more than " + std::to_string(max_buffer) + " stores, unmaps and maintenance operations without a DSB",
            "a dsb between them", a, i};
    }
  }
  return std::nullopt;
}

std::optional<problem> check_aliases(scenario const& s) {
  for (unsigned i = 0; i < s.aliases.size(); ++i) {
    agent_alias const& a = s.aliases[i];
    auto const fail = [&](std::string what, std::string valid) {
      return problem{std::move(what), std::move(valid), no_index, no_index, i};
    };
    if (a.agent >= s.agents.size()) return fail("alias " + quoted(a.name) + " has no agent", listed(s.agents));
    if (s.agents[a.agent].kind == agent_kind::device)
      return fail("alias " + quoted(a.name) + " belongs to a device", "a PE; a device has snoops and canwbs instead");
    if (summarize(a.attributes) == summary::mixed)
      return fail(
          "alias " + quoted(a.name) + ": inner and outer cacheability differ, but the model has one cache level",
          "the same cacheability in both halves");
    for (unsigned l : a.lines)
      if (l >= s.lines.size()) return fail("alias " + quoted(a.name) + " maps no such line", listed(s.lines));
  }
  return std::nullopt;
}

}  // namespace

unsigned word_count(scenario const& s) noexcept {
  return std::accumulate(s.lines.begin(), s.lines.end(), 0u,
                         [](unsigned n, cache_line const& l) { return n + static_cast<unsigned>(l.words.size()); });
}

word_place place(scenario const& s, unsigned word) noexcept {
  word_place p{0, word};
  while (p.line < s.lines.size() && p.offset >= s.lines[p.line].words.size()) {
    p.offset -= static_cast<unsigned>(s.lines[p.line].words.size());
    ++p.line;
  }
  return p;
}

bool one_domain(scenario const& s) noexcept {
  return std::all_of(s.agents.begin(), s.agents.end(),
                     [&](agent const& a) { return a.domain == s.agents.front().domain; });
}

std::string const& word_name(scenario const& s, unsigned word) noexcept {
  word_place const p = place(s, word);
  return s.lines[p.line].words[p.offset];
}

bool covers(agent_alias const& a, unsigned line) noexcept {
  return a.lines.empty() || std::find(a.lines.begin(), a.lines.end(), line) != a.lines.end();
}

std::optional<unsigned> line_of(scenario const& s, step const& st) noexcept {
  if (is_maintenance(st.what)) return st.target;
  if (is_read(st.what) || is_write(st.what)) return place(s, st.target).line;
  return std::nullopt;
}

std::optional<problem> find_problem(scenario const& s) {
  if (auto p = check_limits(s)) return p;
  if (auto p = check_aliases(s)) return p;
  for (unsigned a = 0; a < s.agents.size(); ++a)
    for (unsigned i = 0; i < s.agents[a].program.size(); ++i)
      if (auto p = check_step(s, a, i)) return p;
  if (auto p = check_events(s)) return p;
  timeline t;
  if (auto const stuck = run_clocks(s, t))
    return problem{"waits for " + quoted(s.events[s.agents[stuck->first].program[stuck->second].target]) +
                       ", whose signal waits in turn for this agent",
                   "signals and waits without a circle", stuck->first, stuck->second};
  if (auto p = check_mapped(s, t)) return p;
  if (auto p = check_changes(s, t)) return p;
  return check_remapped(s, t);
}

timeline order(scenario const& s) {
  timeline t;
  run_clocks(s, t);
  t.latest.assign(word_count(s), 0);
  t.version.resize(s.agents.size());
  for (unsigned a = 0; a < s.agents.size(); ++a) t.version[a].assign(s.agents[a].program.size(), 0);
  each_step(s, [&](unsigned a, unsigned i, step const& w) {
    if (!is_write(w.what)) return;
    unsigned rank = 1;  // writes of one word are totally ordered
    each_step(s, [&](unsigned b, unsigned j, step const& v) {
      if (is_write(v.what) && v.target == w.target && t.happens_before(b, j, a, i)) ++rank;
    });
    t.version[a][i] = rank;
    t.latest[w.target] = std::max(t.latest[w.target], rank);
  });
  return t;
}

std::vector<mismatched_pair> mismatches(scenario const& s) {
  auto const ever_mapped = [&](unsigned i) {
    bool mapped = s.aliases[i].mapped;
    each_step(s, [&](unsigned, unsigned, step const& st) {
      mapped = mapped || (st.what == step_kind::map && st.target == i);
    });
    return mapped;
  };
  std::vector<mismatched_pair> found;
  for (unsigned line = 0; line < s.lines.size(); ++line)
    for (unsigned i = 0; i < s.aliases.size(); ++i)
      for (unsigned j = i + 1; j < s.aliases.size(); ++j) {
        agent_alias const& a = s.aliases[i];
        agent_alias const& b = s.aliases[j];
        if (!covers(a, line) || !covers(b, line) || !ever_mapped(i) || !ever_mapped(j)) continue;
        if (!agree(a.attributes, b.attributes, one_domain(s))) found.push_back({i, j, line});
      }
  return found;
}

}  // namespace vmsa::coherency
