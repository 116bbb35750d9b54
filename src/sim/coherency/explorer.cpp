// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/explorer.hpp"

#include <algorithm>
#include <utility>

#include "sim/coherency/explorer.hpp"

namespace vmsa::coherency {
namespace {

check_result explore(scenario const& s, std::vector<unsigned> const& lines, check_options const& options) {
  check_result r;
  r.explored = compile(s, options.model, lines);
  switch (r.explored.state_bytes) {
    case 8: explorer<1>(r.explored, options).run(r); break;
    case 16: explorer<2>(r.explored, options).run(r); break;
    case 32: explorer<4>(r.explored, options).run(r); break;
    default: r.stopped = stop_reason::too_wide; break;
  }
  return r;
}

// Takes what expansion yields, all of it.
template <std::size_t Words>
struct collector {
  static constexpr bool wants_actions = true;
  packed<Words> from{};
  std::vector<possible_step> all{};

  static std::array<u64, 4> widened(packed<Words> const& s) {
    std::array<u64, 4> out{};
    std::copy(s.begin(), s.end(), out.begin());
    return out;
  }
  void reached(packed<Words> const& s, action const& a) { all.push_back({{a, widened(s)}, {}}); }
  void violated(action const& a, violation const& what) { all.push_back({{a, widened(from)}, what}); }
};

template <std::size_t Words>
std::vector<possible_step> all_successors(model const& m, std::array<u64, 4> const& state) {
  collector<Words> out;
  std::copy_n(state.begin(), Words, out.from.begin());
  expansion<Words, collector<Words>>(m, out).expand(out.from);
  return std::move(out.all);
}

// Worse first, then the shorter trace.
bool replaces(check_result const& a, check_result const& b) {
  auto const rank = [](check_outcome v) {
    return v == check_outcome::violation ? 2 : v == check_outcome::not_finished ? 1 : 0;
  };
  if (rank(a.outcome) != rank(b.outcome)) return rank(a.outcome) > rank(b.outcome);
  return a.outcome == check_outcome::violation ? a.depth < b.depth : a.outcome == check_outcome::coherent;
}

}  // namespace

std::vector<possible_step> successors(model const& m, std::array<u64, 4> const& state) {
  switch (m.state_bytes) {
    case 8: return all_successors<1>(m, state);
    case 16: return all_successors<2>(m, state);
    case 32: return all_successors<4>(m, state);
    default: return {};
  }
}

check_result check(scenario const& s, check_options const& options) {
  if (!options.project || s.lines.size() == 1) return explore(s, {}, options);
  check_result all;
  u64 states = 0, transitions = 0, bytes = 0;
  double omission = 0;
  for (unsigned line = 0; line < s.lines.size(); ++line) {
    check_options left = options;
    left.max_states -= std::min(states, left.max_states);
    if (left.progress) left.progress = [&](u64 n, u64 m) { options.progress(states + n, transitions + m); };
    check_result r = explore(s, {line}, left);
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
