// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency.hpp"

#include <utility>

#include "coherency_explorer.hpp"

namespace vmsa::coherency {
namespace {

check_result explore(scenario const& s, std::vector<unsigned> const& lines, check_options const& options) {
  check_result r;
  r.explored = compile(s, options.model, lines);
  switch (r.explored.state_bytes) {
    case 8:
      explorer<1>(r.explored, options).run(r);
      break;
    case 16:
      explorer<2>(r.explored, options).run(r);
      break;
    case 32:
      explorer<4>(r.explored, options).run(r);
      break;
    default:
      break;  // too wide to pack: not finished, with 0 states
  }
  return r;
}

// Worse first, then the shorter trace.
bool replaces(check_result const& a, check_result const& b) {
  auto const rank = [](verdict v) { return v == verdict::violation ? 2 : v == verdict::not_finished ? 1 : 0; };
  if (rank(a.outcome) != rank(b.outcome)) return rank(a.outcome) > rank(b.outcome);
  return a.outcome == verdict::violation ? a.depth < b.depth : a.outcome == verdict::coherent;
}

}  // namespace

check_result check(scenario const& s, check_options const& options) {
  if (!options.project || s.lines.size() == 1) return explore(s, {}, options);
  check_result all;
  std::size_t states = 0, transitions = 0, bytes = 0;
  double omission = 0;
  for (unsigned line = 0; line < s.lines.size(); ++line) {
    check_result r = explore(s, {line}, options);
    states += r.states;
    transitions += r.transitions;
    bytes = std::max(bytes, r.bytes);
    omission += r.omission_probability;
    if (line == 0 || replaces(r, all)) all = std::move(r);
  }
  all.states = states;
  all.transitions = transitions;
  all.bytes = bytes;
  all.omission_probability = omission;
  return all;
}

}  // namespace vmsa::coherency
