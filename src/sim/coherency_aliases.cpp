// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency_aliases.hpp"

#include <utility>

namespace vmsa::coherency {
namespace {

enum : unsigned { sent, received };    // words, in a line each
enum : unsigned { doorbell, answer };  // events

// Guest and one user exchange a word each; everyone else has a mapping.
scenario exchange(memory_attributes const& guest, std::vector<live_alias> const& others, std::size_t user) {
  scenario s{.lines = {{"sent", {"x"}}, {"received", {"y"}}},
             .agents = {{.name = "guest",
                         .program = {store(sent, 0), dsb(), signal(doorbell), wait(answer), load(received, 0)}}},
             .aliases = {{.name = "guest", .agent = 0, .attributes = guest}},
             .events = {"doorbell", "answer"}};
  for (std::size_t i = 0; i < others.size(); ++i) {
    live_alias const& other = others[i];
    unsigned const index = static_cast<unsigned>(s.agents.size());
    bool const asks = i == user;
    if (other.use == alias_use::dma) {
      if (!asks) continue;
      s.agents.push_back({.name = other.name,
                          .kind = agent_kind::device,
                          .snoops = is_write_back(other.attributes),
                          .program = {wait(doorbell), dma_read(sent), dma_write(received), signal(answer)}});
      continue;
    }
    unsigned const via = static_cast<unsigned>(s.aliases.size());
    s.agents.push_back({.name = other.name});
    s.aliases.push_back({.name = other.name, .agent = index, .attributes = other.attributes});
    if (asks) s.agents.back().program = {wait(doorbell), load(sent, via), store(received, via), dsb(), signal(answer)};
  }
  return s;
}

}  // namespace

std::optional<alias_verdict> judge_aliases(memory_attributes const& guest, std::vector<live_alias> const& others) {
  std::optional<alias_verdict> last;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others[i].use == alias_use::idle) continue;
    alias_verdict v{.asked = exchange(guest, others, i), .result = {}};
    if (find_problem(v.asked)) return std::nullopt;
    v.result = check(v.asked);
    bool const violated = v.result.outcome == verdict::violation;
    last = std::move(v);
    if (violated) break;
  }
  return last;
}

}  // namespace vmsa::coherency
