// SPDX-License-Identifier: MIT
// The model rule by rule: what can happen next in a state, and what is told apart.
#include "vmsa/sim/coherency/model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::coherency::model_test {
namespace {

constexpr memory_attributes wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
constexpr memory_attributes wb_outer = normal_memory(write_back_rw, write_back_rw, shareability::outer, false);
constexpr memory_attributes wb_alone = normal_memory(write_back_rw, write_back_rw, shareability::non, false);
constexpr memory_attributes wt = normal_memory(write_through_ra, write_through_ra, shareability::inner);
constexpr memory_attributes nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

// Two PEs with an alias each of one line with one word.
scenario two(memory_attributes const& first, memory_attributes const& second) {
  return {
      .lines = {{"line", {"x"}}},
      .agents = {{.name = "a"}, {.name = "b"}},
      .aliases = {{.name = "one", .agent = 0, .attributes = first}, {.name = "two", .agent = 1, .attributes = second}},
      .events = {"go", "done"}};
}

// A walk through the model by choosing what happens next.
class walk {
 public:
  explicit walk(scenario const& s, model_options const& options = {}) : m_(compile(s, options)), at_(m_.initial) {}

  // Takes the only possible step with these properties.
  template <class Choice>
  walk& take(Choice const& chosen) {
    std::vector<possible_step> const all = matching(chosen);
    EXPECT_EQ(1u, all.size());
    if (!all.empty()) at_ = all.front().taken.after;
    return *this;
  }
  walk& step(unsigned agent) {
    return take([=](action const& a) { return a.kind == action_kind::step && a.who == agent; });
  }
  // A buffered operation of the agent takes effect: in memory, or in cache `to`.
  walk& drain(unsigned agent, u8 to = nowhere) {
    return take([=](action const& a) { return a.kind == action_kind::drain && a.who == agent && a.to == to; });
  }
  walk& fill(unsigned cache) {
    return take([=](action const& a) { return a.kind == action_kind::fill && a.who == cache; });
  }

  template <class Choice>
  std::vector<possible_step> matching(Choice const& chosen) const {
    std::vector<possible_step> all = successors(m_, at_);
    std::erase_if(all, [&](possible_step const& p) { return !chosen(p.taken.what); });
    return all;
  }
  // The versions that the agent's next step may read, and where it may find each.
  std::vector<std::pair<unsigned, unsigned>> reads(unsigned agent) const {
    std::vector<std::pair<unsigned, unsigned>> out;
    for (possible_step const& p :
         matching([=](action const& a) { return a.kind == action_kind::step && a.who == agent; }))
      out.emplace_back(p.taken.what.version, p.taken.what.from);
    return out;
  }
  bool can(action_kind kind, unsigned who) const {
    return !matching([=](action const& a) { return a.kind == kind && a.who == who; }).empty();
  }
  picture now() const { return unpack(m_, at_); }

 private:
  model m_;
  std::array<u64, 4> at_;
};

using found = std::vector<std::pair<unsigned, unsigned>>;

TEST(coherency_model, an_uncached_store_ends_in_memory_or_in_a_dirty_line) {
  scenario s = two(wb, nc);
  s.agents[0].program = {store(0, 0), signal(0)};
  s.agents[1].program = {wait(0), store(0, 1)};
  walk w(s);
  w.step(0).drain(0, 0).step(0).step(1).step(1);
  EXPECT_EQ(2u, w.matching([](action const& a) { return a.kind == action_kind::drain && a.who == 1; }).size());
  walk merged = w;
  merged.drain(1, 0);
  EXPECT_EQ(dirty, merged.now().copies[0][0].state);
  EXPECT_EQ(2u, merged.now().copies[0][0].versions[0]);
  EXPECT_EQ(0u, merged.now().memory[0][0]);
  w.drain(1);
  EXPECT_EQ(1u, w.now().copies[0][0].versions[0]);
  EXPECT_EQ(2u, w.now().memory[0][0]);
}

TEST(coherency_model, an_uncached_store_leaves_a_clean_copy_alone_and_an_uncached_read_never_sees_it) {
  scenario s = two(wb, nc);
  s.agents[1].program = {store(0, 1), dsb(), load(0, 1)};
  walk w(s);
  w.fill(0).step(1).drain(1).step(1);
  EXPECT_EQ(clean, w.now().copies[0][0].state);
  EXPECT_EQ(0u, w.now().copies[0][0].versions[0]);
  EXPECT_EQ((found{{1, from_memory}}), w.reads(1));
}

TEST(coherency_model, a_write_through_store_updates_its_own_copy_and_takes_its_peers_away) {
  scenario s = two(wt, wt);
  s.agents[0].program = {store(0, 0)};
  walk w(s);
  w.fill(0).fill(1).step(0).drain(0);
  EXPECT_EQ(clean, w.now().copies[0][0].state);
  EXPECT_EQ(1u, w.now().copies[0][0].versions[0]);
  EXPECT_EQ(invalid, w.now().copies[1][0].state);
  EXPECT_EQ(1u, w.now().memory[0][0]);
}

TEST(coherency_model, a_write_back_store_takes_the_line_from_those_whom_its_shareability_covers) {
  for (auto const& [first, second, copy] : {std::tuple{wb, wb, invalid}, std::tuple{wb_alone, wb, clean},
                                            std::tuple{wb, wb_alone, clean}, std::tuple{wb_outer, wb, invalid}}) {
    scenario s = two(first, second);
    s.agents[0].program = {store(0, 0)};
    walk w(s);
    w.fill(1).step(0);
    for (possible_step const& p :
         w.matching([](action const& a) { return a.kind == action_kind::drain && a.who == 0; })) {
      picture const after = unpack(compile(s), p.taken.after);
      EXPECT_EQ(dirty, after.copies[0][0].state);
      EXPECT_EQ(copy, after.copies[1][0].state);
    }
  }
}

// Who finds a dirty line: the reader's and the writer's Shareability both count, for a PE and for a device.
TEST(coherency_model, a_dirty_line_is_found_where_both_shareabilities_reach) {
  struct row {
    memory_attributes writer, reader;
    unsigned domain;
    unsigned version;
    unsigned from;
  };
  row const rows[] = {
      {wb, wb, 0, 1, 0},
      {wb, wb, 1, 0, from_memory},
      {wb_outer, wb_outer, 1, 1, 0},
      {wb_outer, wb, 1, 0, from_memory},
      {wb, wb_outer, 1, 0, from_memory},
      {wb_alone, wb, 0, 0, from_memory},
      {wb, wb_alone, 0, 0, from_memory},
  };
  for (row const& r : rows) {
    scenario s = two(r.writer, r.reader);
    s.agents[1].domain = r.domain;
    s.agents[1].judged = false;
    s.agents[0].program = {store(0, 0)};
    s.agents[1].program = {load(0, 1)};
    walk w(s);
    w.step(0).drain(0, 0);
    EXPECT_EQ((found{{r.version, r.from}}), w.reads(1));
  }
  for (bool const alone : {false, true}) {
    scenario s = two(alone ? wb_alone : wb, nc);
    s.agents[0].program = {store(0, 0)};
    s.agents.push_back({.name = "nic", .kind = agent_kind::device, .judged = false, .program = {dma_read(0)}});
    walk w(s);
    w.step(0).drain(0, 0);
    EXPECT_EQ(alone ? (found{{0, from_memory}}) : (found{{1, 0}}), w.reads(2));
  }
}

TEST(coherency_model, a_device_that_need_not_find_a_clean_copy_may_find_it) {
  scenario s = two(wb_alone, nc);
  s.agents[1].program = {store(0, 1), dsb()};
  s.agents.push_back({.name = "nic", .kind = agent_kind::device, .judged = false, .program = {dma_read(0)}});
  walk w(s);
  w.fill(0).step(1).drain(1);
  EXPECT_EQ((found{{1, from_memory}, {0, 0}}), w.reads(2));
}

TEST(coherency_model, maintenance_reaches_the_domain_that_its_alias_names) {
  for (bool const alone : {false, true}) {
    scenario s = two(wb, alone ? wb_alone : wb);
    s.agents[0].program = {store(0, 0), dsb(), signal(0)};
    s.agents[1].program = {wait(0), dc(step_kind::dc_civac, 0, 1)};
    walk w(s);
    w.step(0).drain(0, 0).step(0).step(0).step(1).step(1).drain(1);
    EXPECT_EQ(alone ? dirty : invalid, w.now().copies[0][0].state);
    EXPECT_EQ(alone ? 0u : 1u, w.now().memory[0][0]);
  }
}

TEST(coherency_model, an_unmap_is_a_store_and_a_tlbi_works_on_what_is_complete) {
  scenario s = two(wb, nc);
  s.agents[1].program = {unmap(0), invalidate_tlb(0), dsb()};
  walk w(s);
  w.step(1).step(1);
  EXPECT_EQ(mapped, w.now().aliases[0]);
  auto const done = [](unsigned instruction) {
    return [=](action const& a) { return a.kind == action_kind::drain && a.who == 1 && a.at == instruction; };
  };
  walk early = w;  // the TLBI first: for nothing
  early.take(done(1)).take(done(0));
  EXPECT_EQ(tlb_stale, early.now().aliases[0]);
  EXPECT_TRUE(early.can(action_kind::fill, 0));
  w.take(done(0)).take(done(1));
  EXPECT_EQ(unmapped, w.now().aliases[0]);
  EXPECT_FALSE(w.can(action_kind::fill, 0));
}

TEST(coherency_model, a_tlbi_reaches_the_tlbs_of_its_scope) {
  struct row {
    unsigned domain;  // of the PE whose alias it is
    unsigned issuer;
    tlbi_scope scope;
    alias_state left;
  };
  constexpr row rows[] = {
      {0, 1, tlbi_scope::inner, unmapped},  {0, 1, tlbi_scope::outer, unmapped}, {0, 1, tlbi_scope::local, tlb_stale},
      {1, 1, tlbi_scope::inner, tlb_stale}, {1, 1, tlbi_scope::outer, unmapped}, {1, 1, tlbi_scope::local, tlb_stale},
      {0, 0, tlbi_scope::local, unmapped},  {1, 0, tlbi_scope::inner, unmapped},
  };
  for (row const& r : rows) {
    scenario s = two(wb, wb);
    s.agents[0].domain = r.domain;
    s.agents[r.issuer].program = {unmap(0), dsb(), invalidate_tlb(0, r.scope), dsb()};
    walk w(s);
    w.step(r.issuer).drain(r.issuer).step(r.issuer).step(r.issuer).drain(r.issuer).step(r.issuer);
    EXPECT_EQ(r.left, w.now().aliases[0]);
  }
}

// A DSB waits for all that is buffered, a DMB for stores alone.
TEST(coherency_model, barriers_wait_for_what_they_complete) {
  struct row {
    step before;
    bool dmb_waits;
  };
  row const rows[] = {
      {store(0, 0), true}, {dc(step_kind::dc_cvac, 0, 0), false}, {unmap(1), false}, {invalidate_tlb(1), false}};
  for (row const& r : rows)
    for (bool const full : {false, true}) {
      scenario s = two(wb, nc);
      s.agents[0].program = {r.before, full ? dsb() : dmb()};
      walk w(s);
      w.step(0);
      EXPECT_EQ(full || r.dmb_waits, !w.can(action_kind::step, 0));
    }
}

// Otherwise the DC IVAC could discard what the store wrote after it.
TEST(coherency_model, a_store_completes_after_maintenance_of_its_line_that_comes_before) {
  scenario s = two(wb, wb);
  s.agents[0].program = {dc(step_kind::dc_ivac, 0, 0), store(0, 0), dsb(), signal(0)};
  s.agents[1].program = {wait(0), load(0, 1)};
  EXPECT_EQ(check_outcome::coherent, check(s).outcome);
  std::swap(s.agents[0].program[0], s.agents[0].program[1]);
  EXPECT_EQ(check_outcome::violation, check(s).outcome);
}

TEST(coherency_model, what_is_lost_only_at_the_end_is_lost) {
  scenario s = two(wb, nc);
  s.agents[0].program = {store(0, 0), dc(step_kind::dc_ivac, 0, 0), dsb()};
  check_result const r = check(s);
  EXPECT_EQ(property::lost_write, r.broken.broken);
  ASSERT_FALSE(r.trace.empty());
  EXPECT_EQ(action_kind::quiescence, r.trace.back().what.kind);
  EXPECT_TRUE(r.trace[r.trace.size() - 3].what.drops || r.trace[r.trace.size() - 2].what.drops);
}

TEST(coherency_model, an_outer_shareable_alias_covers_the_caches_of_other_domains) {
  scenario s = two(wb_outer, wb_outer);
  s.agents[0].program = {store(0, 0), dsb(), signal(0)};
  s.agents[1].program = {load(0, 1), wait(0), load(0, 1)};
  s.agents[1].domain = 1;
  EXPECT_EQ(check_outcome::coherent, check(s).outcome);
  s.aliases[0].attributes = wb;
  EXPECT_EQ(check_outcome::violation, check(s).outcome);
}

TEST(coherency_model, agents_alike_but_for_their_domain_are_told_apart) {
  scenario s = two(wb, wb);
  EXPECT_EQ(1u, compile(s).symmetry.size());
  s.agents[1].domain = 1;
  EXPECT_TRUE(compile(s).symmetry.empty());
  s.agents[1].domain = 0;
  s.agents[1].judged = false;
  EXPECT_TRUE(compile(s).symmetry.empty());
}

// An access of a device that stays in a cache needs a cache that other agents are sure to find.
TEST(coherency_model, a_device_beside_a_non_shareable_pe_has_a_system_cache) {
  scenario s = two(wb_alone, nc);
  s.agents.push_back({.name = "nic", .kind = agent_kind::device, .program = {dma_write(0)}});
  EXPECT_EQ(2u, compile(s).caches.size());
  s.aliases[0].attributes = wb;
  EXPECT_EQ(1u, compile(s).caches.size());
}

}  // namespace
}  // namespace vmsa::coherency::model_test
