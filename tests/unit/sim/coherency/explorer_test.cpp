// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/explorer.hpp"

#include <gtest/gtest.h>

namespace vmsa::coherency::explorer_test {
namespace {

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

enum : unsigned { host, guest, nic };
enum : unsigned { linear, guest_alias };
enum : unsigned { doorbell };

// The April 2023 question.
scenario seed() {
  return {.lines = {{"buffer", {"x"}}},
          .agents = {{.name = "host", .program = {load(0, linear)}},
                     {.name = "guest", .program = {store(0, guest_alias), dsb(), signal(doorbell)}},
                     {.name = "nic", .kind = agent_kind::device, .program = {wait(doorbell), dma_read(0)}}},
          .aliases = {{.name = "linear", .agent = host, .attributes = wb},
                      {.name = "guest", .agent = guest, .attributes = nc}},
          .events = {"doorbell"}};
}

TEST(coherency, a_snoop_hits_the_line_the_host_left) {
  check_result const r = check(seed());
  EXPECT_EQ(r.outcome, check_outcome::violation);
  EXPECT_EQ(r.broken.broken, property::stale_read);
  EXPECT_EQ(r.broken.got, 0u);
  EXPECT_EQ(r.broken.needed, 1u);
  EXPECT_EQ(r.depth, r.trace.size());
  EXPECT_EQ(r.trace.size(), 7u);  // fill, store, its arrival, DSB, doorbell, wait, read
}

TEST(coherency, a_mapping_is_enough_for_speculation) {
  scenario s = seed();
  s.agents[host].program.clear();
  EXPECT_EQ(check(s).outcome, check_outcome::violation);
  check_options without;
  without.model.speculation = false;
  EXPECT_EQ(check(s, without).outcome, check_outcome::coherent);
  s.aliases[linear].mapped = false;
  EXPECT_EQ(check(s).outcome, check_outcome::coherent);
}

TEST(coherency, the_device_that_does_not_snoop_meets_the_guest_in_memory) {
  scenario s = seed();
  s.agents[nic].snoops = false;
  EXPECT_EQ(check(s).outcome, check_outcome::coherent);
  s.agents[guest].program = {store(0, guest_alias), signal(doorbell)};
  EXPECT_EQ(check(s).broken.broken, property::stale_read);
}

TEST(coherency, canwbs_does_not_help_a_cpu_write_that_is_not_cacheable) {
  scenario s = seed();
  s.agents[nic].canwbs = true;
  EXPECT_EQ(check(s).outcome, check_outcome::violation);
}

// Two PEs that never meet: a state for each pair of places in their programs, and a transition for each step of either
// from each place of the other.
TEST(coherency, states_and_transitions_of_a_grid) {
  scenario const s = {
      .lines = {{"one", {"x"}}, {"two", {"y"}}},
      .agents = {{.name = "a", .program = {load(0, 0), load(0, 0), load(0, 0)}},
                 {.name = "b", .program = {load(1, 1), load(1, 1)}}},
      .aliases = {{.name = "x", .agent = 0, .attributes = nc}, {.name = "y", .agent = 1, .attributes = nc}}};
  check_options all;
  all.project = false;
  all.model.symmetry = false;
  check_result const r = check(s, all);
  EXPECT_EQ(r.outcome, check_outcome::coherent);
  EXPECT_EQ(r.states, 4u * 3u);
  EXPECT_EQ(r.transitions, 3u * 3u + 2u * 4u);
}

TEST(coherency, a_state_that_is_reached_is_kept_in_the_trace) {
  check_result const r = check(seed());
  ASSERT_FALSE(r.trace.empty());
  picture const last = unpack(r.explored, r.trace.back().after);
  EXPECT_EQ(last.memory, (std::vector<std::vector<u8>>{{1}}));
  ASSERT_EQ(last.copies.size(), 1u);
  EXPECT_EQ(last.copies[0][0].state, clean);
  EXPECT_EQ(last.copies[0][0].versions, (std::vector<u8>{0}));
}

// Two host PEs and an uncached guest: after its write one cache may hold the new value and the other the old.
scenario two_readers() {
  return {.lines = {{"line", {"x"}}},
          .agents = {{.name = "a", .program = {load(0, 0), signal(0)}},
                     {.name = "b", .program = {wait(0), load(0, 1)}},
                     {.name = "guest", .program = {store(0, 2), dsb()}}},
          .aliases = {{.name = "a", .agent = 0, .attributes = wb},
                      {.name = "b", .agent = 1, .attributes = wb},
                      {.name = "guest", .agent = 2, .attributes = nc}},
          .events = {"seen"}};
}

TEST(coherency, one_cache_for_a_domain_misses_two_clean_copies) {
  EXPECT_EQ(check(two_readers()).broken.broken, property::stale_read);
  check_options unsound;
  unsound.model.cache_per_pe = false;
  EXPECT_EQ(check(two_readers(), unsound).outcome, check_outcome::coherent);
}

TEST(coherency, reads_of_one_word_do_not_go_backwards) {
  scenario s = two_readers();
  s.agents[0].program = {load(0, 0), load(0, 0)};
  s.agents[1].program.clear();
  s.events.clear();
  EXPECT_EQ(check(s).broken.broken, property::stale_read);
  s.aliases[2].attributes = wb;
  EXPECT_EQ(check(s).outcome, check_outcome::coherent);
}

// Large enough to be split into partitions and spread over threads.
scenario large() {
  scenario s{.lines = {{"a", {"a0", "a1"}}, {"b", {"b0", "b1"}}},
             .agents = {{.name = "p"}, {.name = "q"}, {.name = "r"}, {.name = "w"}},
             .aliases = {{.name = "p", .agent = 0, .attributes = wb},
                         {.name = "q", .agent = 1, .attributes = wb},
                         {.name = "r", .agent = 2, .attributes = wb},
                         {.name = "w", .agent = 3, .attributes = nc}},
             .events = {}};
  s.agents[3].program = {store(0, 3), store(2, 3), dsb(), store(1, 3), store(3, 3), dsb(),
                         store(0, 3), store(2, 3), dsb(), store(1, 3), store(3, 3)};
  return s;
}

TEST(coherency, the_result_does_not_depend_on_threads) {
  check_options one, three;
  one.project = three.project = false;
  one.model.symmetry = three.model.symmetry = false;
  one.threads = 1;
  three.threads = 3;
  check_result const a = check(large(), one);
  check_result const b = check(large(), three);
  EXPECT_EQ(a.outcome, check_outcome::coherent);
  EXPECT_GT(a.states, std::size_t{1} << 17);
  EXPECT_EQ(a.states, b.states);
  EXPECT_EQ(a.transitions, b.transitions);
  EXPECT_EQ(a.depth, b.depth);
}

TEST(coherency, fingerprints_count_the_same_states) {
  scenario s = large();
  s.lines = {{"a", {"a0", "a1", "a2", "a3", "a4", "a5"}}, {"b", {"b0", "b1", "b2", "b3", "b4", "b5"}}};  // wider states
  s.agents[3].program = {store(0, 3), store(6, 3), dsb(), store(1, 3), store(7, 3), dsb(), store(0, 3), store(6, 3)};
  check_options exact, compact;
  exact.project = compact.project = false;
  compact.exact_states = 1000;
  check_result const a = check(s, exact);
  check_result const b = check(s, compact);
  EXPECT_GT(a.explored.state_bytes, 8u);
  EXPECT_EQ(a.omission_probability, 0);
  EXPECT_GT(b.omission_probability, 0);
  EXPECT_LT(b.omission_probability, 1e-6);
  EXPECT_EQ(a.states, b.states);
  EXPECT_EQ(a.transitions, b.transitions);
}

TEST(coherency, symmetry_and_projection_keep_the_verdict_and_save_states) {
  check_options plain;
  plain.project = false;
  plain.model.symmetry = false;
  check_options symmetric = plain;
  symmetric.model.symmetry = true;
  check_options projected = plain;
  projected.project = true;
  std::size_t const all = check(large(), plain).states;
  std::size_t const folded = check(large(), symmetric).states;
  EXPECT_LT(folded, all / 4);  // three interchangeable readers: towards 3!
  EXPECT_GE(folded, all / 6);
  EXPECT_LT(check(large(), projected).states, all / 100);
  scenario s = two_readers();
  s.agents.push_back({.name = "idle"});
  s.agents.push_back({.name = "idle too"});
  s.aliases.push_back({.name = "c", .agent = 3, .attributes = wb});
  s.aliases.push_back({.name = "d", .agent = 4, .attributes = wb});
  check_result const a = check(s, plain);
  check_result const b = check(s, symmetric);
  EXPECT_EQ(b.explored.symmetry.size(), 1u);
  EXPECT_EQ(a.outcome, check_outcome::violation);
  EXPECT_EQ(b.outcome, check_outcome::violation);
  EXPECT_EQ(a.trace.size(), b.trace.size());
}

// Limits hold on machines whose size_t has 32 bits: 2^40 states must not become none.
TEST(coherency, limits_are_64_bits_wide) {
  EXPECT_EQ(8u, sizeof(check_options::max_states));
  EXPECT_EQ(8u, sizeof(check_options::max_bytes));
  EXPECT_EQ(8u, sizeof(check_options::exact_states));
  EXPECT_EQ(8u, sizeof(check_result::states));
  EXPECT_EQ(8u, sizeof(check_result::bytes));
  EXPECT_EQ(u64{1} << 40, check_options{}.max_states);
  EXPECT_EQ(u64{1} << 32, check_options{}.max_bytes);
}

TEST(coherency, says_when_it_has_not_finished) {
  check_options few;
  few.project = false;
  few.model.symmetry = false;
  few.max_states = 1000;
  EXPECT_EQ(check(large(), few).outcome, check_outcome::not_finished);
  EXPECT_EQ(check(large(), few).stopped, stop_reason::max_states);
  check_options small;
  small.project = false;
  small.model.symmetry = false;
  small.max_bytes = std::size_t{6} << 20;
  small.exact_states = ~std::size_t{0};
  check_result const r = check(large(), small);
  EXPECT_EQ(r.outcome, check_outcome::not_finished);
  EXPECT_EQ(r.stopped, stop_reason::max_memory);
  EXPECT_LE(r.bytes, small.max_bytes);
  EXPECT_GT(r.states, 0u);
}

check_options unreduced() {
  check_options o;
  o.project = false;
  o.model.symmetry = false;
  return o;
}

TEST(coherency, a_stop_is_heard_and_told) {
  check_options o = unreduced();
  u64 asked = 0;
  o.stop = [&] { return ++asked < 5 ? stop_reason::none : stop_reason::interrupt; };
  check_result const r = check(large(), o);
  EXPECT_EQ(r.outcome, check_outcome::not_finished);
  EXPECT_EQ(r.stopped, stop_reason::interrupt);
  EXPECT_EQ(asked, 5u);
  EXPECT_GT(r.states, 0u);
  EXPECT_EQ(check(large()).stopped, stop_reason::none);
}

// All lines together stay within the limit of states.
TEST(coherency, the_limit_of_states_is_over_all_lines) {
  check_options o;
  u64 const all = check(large(), o).states;
  o.max_states = all - 1;
  EXPECT_EQ(check(large(), o).stopped, stop_reason::max_states);
}

// What is thrown while threads run reaches the caller, and the machine that has no more memory is no abort.
TEST(coherency, exceptions_reach_the_caller) {
  struct unlucky {};
  check_options o = unreduced();
  o.threads = 3;
  o.progress = [](u64 states, u64) {
    if (states > 1000) throw unlucky{};
  };
  EXPECT_THROW(check(large(), o), unlucky);
}

}  // namespace
}  // namespace vmsa::coherency::explorer_test
