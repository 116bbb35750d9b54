// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/judge.hpp"

#include "vmsa/arch/smmu_attributes.hpp"

namespace vmsa::coherency {
namespace {

constexpr unsigned guest = 0;
constexpr unsigned host = 1;
constexpr unsigned device = 2;
constexpr unsigned word = 0;
constexpr unsigned ready = 0;

char const* name_of(alias_owner owner) noexcept {
  switch (owner) {
    case alias_owner::monitor: return "monitor";
    case alias_owner::linear_map: return "linear-map";
    case alias_owner::dma: return "dma";
  }
  return "?";
}

// The page with everybody who maps it, and nobody doing anything yet. Alias 0 is the guest's.
scenario everybody(fault_trace const& o) {
  scenario s;
  s.lines = {{"page", {"x"}}};
  s.events = {"ready"};
  s.agents = {{.name = "guest"}, {.name = "host"}};
  s.aliases = {{.name = "guest", .agent = guest, .attributes = o.retried.attributes}};
  for (alias_report const& a : o.aliases) {
    if (a.other.owner == alias_owner::dma)
      s.agents.push_back(
          {.name = "device", .kind = agent_kind::device, .snoops = meets_the_caches(a.other.attributes)});
    else
      s.aliases.push_back({.name = name_of(a.other.owner), .agent = host, .attributes = a.other.attributes});
  }
  return s;
}

std::vector<step> writer(unsigned agent, unsigned via) {
  if (agent == device) return {dma_write(word), signal(ready)};
  return {store(word, via), dsb(), signal(ready)};
}

std::vector<step> reader(unsigned agent, unsigned via) {
  return {wait(ready), agent == device ? dma_read(word) : load(word, via)};
}

bool may_write(fault_trace const& o, alias_owner owner) noexcept {
  return owner != alias_owner::monitor || (o.where != nullptr && o.where->inputs.vma.access == host_access::read_write);
}

}  // namespace

std::vector<handover_question> handovers(fault_trace const& o) {
  std::vector<handover_question> questions;
  if (!o || !o.retried) return questions;
  scenario const base = everybody(o);
  if (find_problem(base)) return questions;
  unsigned next_alias = 1;
  for (alias_report const& a : o.aliases) {
    bool const dma = a.other.owner == alias_owner::dma;
    unsigned const agent = dma ? device : host;
    unsigned const via = dma ? no_index : next_alias++;
    if (o.decided.writable) {
      handover_question q{a.other.owner, handover::from_guest, base};
      q.asked.agents[guest].program = writer(guest, 0);
      q.asked.agents[agent].program = reader(agent, via);
      questions.push_back(std::move(q));
    }
    if (o.decided.readable && may_write(o, a.other.owner)) {
      handover_question q{a.other.owner, handover::to_guest, base};
      q.asked.agents[agent].program = writer(agent, via);
      q.asked.agents[guest].program = reader(guest, 0);
      questions.push_back(std::move(q));
    }
  }
  return questions;
}

std::vector<judgement> judge(fault_trace const& outcome) {
  std::vector<judgement> all;
  check_options options;
  options.threads = 1;  // a few thousand states at most
  for (handover_question& q : handovers(outcome)) {
    check_result result = check(q.asked, options);
    all.push_back({std::move(q), std::move(result)});
  }
  return all;
}

}  // namespace vmsa::coherency
