// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/repair.hpp"

#include <algorithm>

namespace vmsa::coherency {
namespace {

constexpr memory_attributes forced = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);

bool is_insertion(scenario_change const& c) noexcept { return c.kind <= change_kind::add_civac; }

// The place does not count: of changes that differ only there, the first that works is enough.
bool same_but_for_place(scenario_change const& a, scenario_change const& b) noexcept {
  return a.kind == b.kind && a.agent == b.agent && a.line == b.line && (is_insertion(a) || a.alias == b.alias);
}

// An alias of the agent for the line, for maintenance by VA.
unsigned alias_for(scenario const& s, unsigned agent, unsigned line) {
  for (unsigned i = 0; i < s.aliases.size(); ++i)
    if (s.aliases[i].agent == agent && covers(s.aliases[i], line)) return i;
  return no_index;
}

// Whether the agent may still have an NC or Device store to the line on its way at step `i`. The model keeps it in
// order with maintenance of the line, the architecture does not without a barrier: advice must not rely on that.
bool uncached_store_pending(scenario const& s, unsigned agent, unsigned line, unsigned i) {
  bool pending = false;
  for (unsigned k = 0; k < i; ++k) {
    step const& st = s.agents[agent].program[k];
    if (st.what == step_kind::dmb || st.what == step_kind::dsb) pending = false;
    if (st.what != step_kind::store || line_of(s, st) != line) continue;
    memory_attributes const& a = s.aliases[st.via].attributes;
    pending = pending || is_device(a) || is_non_cacheable(a);
  }
  return pending;
}

bool is_used(scenario const& s, unsigned alias) {
  for (agent const& a : s.agents)
    for (step const& st : a.program)
      if (st.via == alias || (st.what == step_kind::map && st.target == alias)) return true;
  return false;
}

bool always_snoops(agent const& device) {
  return device.snoops &&
         std::none_of(device.program.begin(), device.program.end(), [](step const& st) { return st.no_snoop; });
}

std::vector<scenario_change> candidates(scenario const& s) {
  std::vector<scenario_change> out;
  for (change_kind kind : {change_kind::add_dsb, change_kind::add_cvac, change_kind::add_civac})
    for (unsigned a = 0; a < s.agents.size(); ++a) {
      if (s.agents[a].kind != agent_kind::pe) continue;
      unsigned const lines = kind == change_kind::add_dsb ? 1u : static_cast<unsigned>(s.lines.size());
      for (unsigned line = 0; line < lines; ++line) {
        unsigned const via = alias_for(s, a, line);
        if (kind != change_kind::add_dsb && via == no_index) continue;
        for (unsigned i = 0; i <= s.agents[a].program.size(); ++i)
          if (kind == change_kind::add_dsb || !uncached_store_pending(s, a, line, i))
            out.push_back({kind, a, i, line, via, kind != change_kind::add_dsb});
      }
    }
  for (change_kind kind : {change_kind::map_write_back, change_kind::force_write_back})
    for (unsigned a = 0; a < s.agents.size(); ++a) {
      bool other = false;
      bool possible = true;
      for (agent_alias const& x : s.aliases) {
        if (x.agent != a || agree(x.attributes, forced, one_domain(s))) continue;
        other = true;
        possible = possible && (kind == change_kind::map_write_back ? x.caches_by_stage1 : x.caches_by_fwb);
      }
      if (other && possible) out.push_back({.kind = kind, .agent = a});
    }
  for (change_kind kind : {change_kind::make_snoop, change_kind::set_canwbs})
    for (unsigned a = 0; a < s.agents.size(); ++a) {
      agent const& who = s.agents[a];
      if (who.kind != agent_kind::device || (kind == change_kind::make_snoop ? always_snoops(who) : who.canwbs))
        continue;
      out.push_back({.kind = kind, .agent = a});
    }
  for (unsigned i = 0; i < s.aliases.size(); ++i)
    if (s.aliases[i].mapped && !is_used(s, i))
      out.push_back({.kind = change_kind::drop_alias, .agent = s.aliases[i].agent, .alias = i});
  return out;
}

class search {
 public:
  search(scenario const& s, repair_options const& options) : s_(s), options_(options) {
    options_.check.want_trace = false;
    options_.check.threads = 1;
    options_.check.progress = nullptr;
  }

  repair_result run() {
    candidates_ = candidates(s_);
    for (unsigned size = 1; size <= options_.most_changes && found_.sets.empty() && found_.finished; ++size) {
      chosen_.clear();
      choose(0, size);
    }
    return std::move(found_);
  }

 private:
  void choose(std::size_t from, unsigned missing) {
    if (missing == 0) {
      if (!known() && coherent(chosen_)) keep();
      return;
    }
    for (std::size_t i = from; i < candidates_.size() && found_.finished; ++i) {
      chosen_.push_back(candidates_[i]);
      choose(i + 1, missing - 1);
      chosen_.pop_back();
    }
  }

  bool known() const {
    return std::any_of(found_.sets.begin(), found_.sets.end(), [&](std::vector<scenario_change> const& set) {
      return std::equal(set.begin(), set.end(), chosen_.begin(), chosen_.end(), same_but_for_place);
    });
  }

  bool coherent(std::vector<scenario_change> const& changes) {
    scenario const changed = apply(s_, changes);
    if (find_problem(changed)) return false;
    check_options allowed = options_.check;
    allowed.max_states = std::min(allowed.max_states, options_.state_budget - spent_);
    check_result const r = check(changed, allowed);
    ++found_.explorations;
    spent_ += r.states;
    if (r.stopped != stop_reason::none && r.stopped != stop_reason::too_wide) unfinished(r.stopped);
    if (spent_ >= options_.state_budget) unfinished(stop_reason::max_states);
    if (options_.progress) options_.progress(found_);
    return r.outcome == check_outcome::coherent;
  }

  void unfinished(stop_reason why) {
    if (found_.finished) found_.stopped = why;
    found_.finished = false;
  }

  // Without the DSBs that the program does not need.
  void keep() {
    std::vector<scenario_change> set = chosen_;
    for (scenario_change& c : set) {
      if (!c.dsb) continue;
      c.dsb = false;
      if (!coherent(set)) c.dsb = true;
    }
    found_.sets.push_back(std::move(set));
  }

  scenario const& s_;
  repair_options options_;
  std::vector<scenario_change> candidates_;
  std::vector<scenario_change> chosen_;
  repair_result found_;
  u64 spent_ = 0;
};

}  // namespace

scenario apply(scenario s, std::vector<scenario_change> const& changes) {
  // From the back, so that places stay what they were; at one place in the order given.
  std::vector<scenario_change> insertions;
  for (scenario_change const& c : changes)
    if (is_insertion(c)) insertions.push_back(c);
  std::stable_sort(insertions.begin(), insertions.end(),
                   [](scenario_change const& a, scenario_change const& b) { return a.before < b.before; });
  std::reverse(insertions.begin(), insertions.end());
  for (scenario_change const& c : insertions) {
    auto& program = s.agents[c.agent].program;
    auto const at = program.begin() + static_cast<std::ptrdiff_t>(c.before);
    if (c.kind == change_kind::add_dsb) {
      program.insert(at, dsb());
      continue;
    }
    step const maintenance =
        dc(c.kind == change_kind::add_cvac ? step_kind::dc_cvac : step_kind::dc_civac, c.line, c.alias);
    if (c.dsb) {
      program.insert(at, {maintenance, dsb()});
    } else {
      program.insert(at, maintenance);
    }
  }
  for (scenario_change const& c : changes) switch (c.kind) {
      case change_kind::map_write_back:
      case change_kind::force_write_back:
        for (agent_alias& a : s.aliases)
          if (a.agent == c.agent) a.attributes = forced;
        break;
      case change_kind::make_snoop:
        s.agents[c.agent].snoops = true;
        for (step& st : s.agents[c.agent].program) st.no_snoop = false;
        break;
      case change_kind::set_canwbs: s.agents[c.agent].canwbs = true; break;
      case change_kind::drop_alias: s.aliases[c.alias].mapped = false; break;
      default: break;
    }
  return s;
}

repair_result find_repair(scenario const& s, repair_options const& options) { return search(s, options).run(); }

}  // namespace vmsa::coherency
