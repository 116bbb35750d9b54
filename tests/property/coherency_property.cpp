// SPDX-License-Identifier: MIT
// Arm ARM, Mismatched memory attributes, as properties of random programs: inside the restricted cases, and with one
// definition for all, nothing may ever go wrong; outside, the reductions must not hide anything.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::coherency {
namespace {

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes wb_outer = normal_memory(write_back_rw, write_back_rw, shareability::outer, false);
constexpr memory_attributes wt = normal_memory(write_through_ra, write_through_ra, shareability::inner);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);
constexpr memory_attributes device = device_memory(device_kind::nGnRE);

unsigned pick(unsigned n) { return *rc::gen::inRange(0u, n); }
bool chance(unsigned percent) { return pick(100) < percent; }

// What a random program may consist of.
struct recipe {
  std::vector<memory_attributes> writers{};  // one of them for each alias of each writing agent
  std::vector<memory_attributes> readers{};  // of agents that only read, and are judged
  std::vector<memory_attributes> others{};   // of agents that only read, and are not
  bool maintenance = false;                  // DC operations anywhere
  bool barriers_between = true;              // DMB before an access through another alias than the last
  bool snooping_device = false, other_device = false;
  bool dma_writes = false;
};

// Agents hand a token round: whoever holds it may write, so that no word has two writers at once. Before it passes the
// token on, an agent completes what it did.
scenario random_scenario(recipe const& r) {
  scenario s;
  unsigned const words = 1 + pick(2);
  s.lines = {{"line", {"x"}}};
  if (words == 2) s.lines[0].words.push_back("y");
  unsigned const writers = 1 + pick(2);
  auto const add_agent = [&](std::string name, agent_kind kind) -> unsigned {
    s.agents.push_back({.name = std::move(name), .kind = kind});
    return static_cast<unsigned>(s.agents.size() - 1);
  };
  auto const add_alias = [&](unsigned agent, memory_attributes const& a) -> unsigned {
    s.aliases.push_back({.name = "alias", .agent = agent, .attributes = a});
    return static_cast<unsigned>(s.aliases.size() - 1);
  };
  for (unsigned a = 0; a < writers; ++a) {
    add_agent("writer", agent_kind::pe);
    unsigned const aliases = 1 + pick(static_cast<unsigned>(r.writers.size()));
    for (unsigned i = 0; i < aliases; ++i) add_alias(a, r.writers[pick(static_cast<unsigned>(r.writers.size()))]);
  }
  unsigned const writer_aliases = static_cast<unsigned>(s.aliases.size());

  std::vector<unsigned> last_alias(writers, no_index);
  auto const access = [&](unsigned a, unsigned alias, unsigned word, bool write) {
    auto& program = s.agents[a].program;
    if (r.barriers_between && last_alias[a] != no_index && last_alias[a] != alias) program.push_back(dmb());
    last_alias[a] = alias;
    program.push_back(write ? store(word, alias) : load(word, alias));
  };
  unsigned const turns = 1 + pick(3);
  unsigned holder = pick(writers);
  for (unsigned t = 0; t < turns; ++t) {
    unsigned const steps = 1 + pick(2);
    for (unsigned i = 0; i < steps; ++i) {
      std::vector<unsigned> own;
      for (unsigned x = 0; x < writer_aliases; ++x)
        if (s.aliases[x].agent == holder) own.push_back(x);
      unsigned const alias = own[pick(static_cast<unsigned>(own.size()))];
      access(holder, alias, pick(words), chance(70));
      if (r.maintenance && chance(30)) {
        constexpr step_kind all[] = {step_kind::dc_cvac, step_kind::dc_civac, step_kind::dc_cvau};
        s.agents[holder].program.push_back(dc(all[pick(3)], 0, alias));
      }
    }
    unsigned const next = pick(writers);
    s.agents[holder].program.push_back(dsb());
    unsigned const event = static_cast<unsigned>(s.events.size());
    s.events.push_back("token");
    s.agents[holder].program.push_back(signal(event));
    if (next != holder) s.agents[next].program.push_back(wait(event));
    holder = next;
  }

  auto const add_reader = [&](memory_attributes const& a, bool judged) {
    unsigned const reader = add_agent("reader", agent_kind::pe);
    s.agents[reader].judged = judged;
    unsigned const alias = add_alias(reader, a);
    if (chance(60)) s.agents[reader].program.push_back(wait(pick(static_cast<unsigned>(s.events.size()))));
    for (unsigned i = 0, n = 1 + pick(2); i < n; ++i) s.agents[reader].program.push_back(load(pick(words), alias));
  };
  if (!r.readers.empty()) add_reader(r.readers[pick(static_cast<unsigned>(r.readers.size()))], true);
  if (!r.others.empty()) add_reader(r.others[pick(static_cast<unsigned>(r.others.size()))], false);
  auto const add_device = [&](bool snoops) {
    unsigned const d = add_agent("device", agent_kind::device);
    s.agents[d].snoops = snoops;
    unsigned const event = static_cast<unsigned>(s.events.size() - 1);
    s.agents[d].program = {wait(event), dma_read(pick(words))};
    if (r.dma_writes && chance(70)) {
      // The last token goes to the device, so it may write too; then the first writer looks at the answer.
      unsigned const word = pick(words);
      s.agents[d].program.push_back(dma_write(word));
      s.events.push_back("answer");
      s.agents[d].program.push_back(signal(event + 1));
      s.agents[0].program.push_back(wait(event + 1));
      unsigned alias = 0;
      while (s.aliases[alias].agent != 0) ++alias;
      s.agents[0].program.push_back(load(word, alias));
    }
  };
  if (r.snooping_device) add_device(true);
  if (r.other_device) add_device(false);
  return s;
}

// A holder may be handed its own token by an event that nobody else waits for; two agents may not write at once all the
// same, because turns are in program order or behind a wait.
void expect_never_violated(recipe const& r) {
  scenario const s = random_scenario(r);
  auto const p = find_problem(s);
  if (p) RC_FAIL(p->what);
  check_options options;
  options.threads = 1;
  check_result const result = check(s, options);
  RC_ASSERT(result.outcome == check_outcome::coherent);
}

RC_GTEST_PROP(coherency_property, one_write_back_definition_is_never_violated, ()) {
  expect_never_violated(
      {.writers = {wb}, .readers = {wb}, .maintenance = chance(40), .snooping_device = true, .dma_writes = true});
}

RC_GTEST_PROP(coherency_property, one_write_through_definition_is_never_violated, ()) {
  expect_never_violated({.writers = {wt}, .readers = {wt}, .maintenance = chance(40), .other_device = true});
}

// Restricted case 1, all writes Normal-NC: readers of Normal-NC stay coherent beside cacheable readers.
RC_GTEST_PROP(coherency_property, restricted_case_1_uncached_writers, ()) {
  expect_never_violated({.writers = {nc},
                         .readers = {nc},
                         .others = {wb, wt, wb_outer},
                         .maintenance = chance(40),
                         .other_device = true});
}

// Restricted case 1, all writes write-back and every Shareability covering all: readers with that definition stay
// coherent beside readers with another.
RC_GTEST_PROP(coherency_property, restricted_case_1_write_back_writers, ()) {
  expect_never_violated({.writers = {wb},
                         .readers = {wb},
                         .others = {nc, device, wt, wb_outer},
                         .maintenance = chance(40),
                         .snooping_device = true});
}

// Restricted case 2: Device and Normal-NC only, a DMB between accesses with different attributes.
RC_GTEST_PROP(coherency_property, restricted_case_2, ()) {
  expect_never_violated({.writers = {nc, device},
                         .readers = {nc, device},
                         .maintenance = chance(40),
                         .other_device = true,
                         .dma_writes = chance(50)});
}

// The other side: programs with any attributes do get violated, so the properties above can fail.
TEST(coherency_property, mixed_definitions_are_violated_now_and_then) {
  unsigned violated = 0, coherent = 0;
  rc::check("count verdicts", [&] {
    scenario const s = random_scenario({.writers = {wb, nc}, .readers = {wb, nc}, .snooping_device = true});
    if (find_problem(s)) RC_DISCARD("problem");
    check_options options;
    options.threads = 1;
    ++(check(s, options).outcome == check_outcome::violation ? violated : coherent);
  });
  EXPECT_GT(violated, 20u);
  EXPECT_GT(coherent, 5u);
}

// Projection and symmetry change counts, never verdicts.
RC_GTEST_PROP(coherency_property, reductions_keep_the_verdict, ()) {
  scenario s = random_scenario(
      {.writers = {wb, nc}, .readers = {wb, nc}, .others = {wb}, .maintenance = true, .snooping_device = true});
  if (s.lines[0].words.size() == 2) s.lines = {{"a", {"x"}}, {"b", {"y"}}};
  s.agents.push_back({.name = "idle"});
  s.agents.push_back({.name = "idle"});
  for (unsigned i = 1; i <= 2; ++i)
    s.aliases.push_back({.name = "idle", .agent = static_cast<unsigned>(s.agents.size() - i), .attributes = wb});
  RC_PRE(!find_problem(s));
  check_options plain;
  plain.threads = 1;
  plain.project = false;
  plain.model.symmetry = false;
  plain.max_states = 5000;
  check_options reduced;
  reduced.threads = 2;
  check_result const a = check(s, plain);
  RC_PRE(a.outcome != check_outcome::not_finished);
  check_result const b = check(s, reduced);
  RC_ASSERT(a.outcome == b.outcome);
  RC_ASSERT(a.states >= b.states || a.outcome == check_outcome::violation);
}

}  // namespace
}  // namespace vmsa::coherency
