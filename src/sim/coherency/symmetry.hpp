// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <vector>

#include "vmsa/sim/coherency/scenario.hpp"

namespace vmsa::coherency {

// Agents that nothing tells apart: the same program through aliases alike, alone with a cache of
// their own. `cache_of` and `field_of` give agents' caches and aliases' state fields, -1 for none.
inline bool interchangeable(scenario const& s, unsigned a, unsigned b, std::vector<int> const& cache_of,
                            std::vector<int> const& field_of) {
  agent const& x = s.agents[a];
  agent const& y = s.agents[b];
  if (x.kind != y.kind || x.domain != y.domain || x.judged != y.judged || x.snoops != y.snoops ||
      x.canwbs != y.canwbs || x.program.size() != y.program.size() || (cache_of[a] < 0) != (cache_of[b] < 0))
    return false;
  if (cache_of[a] >= 0 && cache_of[a] == cache_of[b]) return false;
  auto const own = [&](unsigned agent) {
    std::vector<unsigned> found;
    for (unsigned i = 0; i < s.aliases.size(); ++i)
      if (s.aliases[i].agent == agent) found.push_back(i);
    return found;
  };
  std::vector<unsigned> const of_x = own(a), of_y = own(b);
  if (of_x.size() != of_y.size()) return false;
  for (std::size_t i = 0; i < of_x.size(); ++i) {
    agent_alias const& p = s.aliases[of_x[i]];
    agent_alias const& q = s.aliases[of_y[i]];
    if (p.attributes != q.attributes || p.mapped != q.mapped || p.lines != q.lines || field_of[of_x[i]] >= 0 ||
        field_of[of_y[i]] >= 0)
      return false;
  }
  for (std::size_t i = 0; i < x.program.size(); ++i) {
    step const& p = x.program[i];
    step const& q = y.program[i];
    if (p.what != q.what || p.target != q.target || p.no_snoop != q.no_snoop || is_write(p.what) ||
        p.what == step_kind::signal || is_alias_change(p.what) || (p.via == no_index) != (q.via == no_index))
      return false;
    if (p.via == no_index) continue;
    auto const at = [](std::vector<unsigned> const& v, unsigned e) {
      return std::find(v.begin(), v.end(), e) - v.begin();
    };
    if (at(of_x, p.via) != at(of_y, q.via)) return false;
  }
  return true;
}

}  // namespace vmsa::coherency
