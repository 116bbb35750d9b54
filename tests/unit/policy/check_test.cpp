// SPDX-License-Identifier: MIT
#include "vmsa/policy/check.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "vmsa/policy/hypervisors.hpp"
#include "vmsa/policy/kvm.hpp"

namespace vmsa::check_test {
namespace {

using enum policy_problem;

constexpr verdict wb{};
constexpr rule all = row("all", {}, wb, "");
constexpr rule device = row("device", {.page = page_class::mmio}, wb, "");
constexpr rule writes = row("writes", {.access = access_kind::write}, wb, "");
constexpr rule fetches = row("fetches", {.access = access_kind::exec}, wb, "");
constexpr rule reads = row("reads", {.access = access_kind::read}, wb, "");

TEST(Check, CompleteTables) {
  EXPECT_TRUE(check_policy(std::array{all}));
  EXPECT_TRUE(check_policy(std::array{device, all}));
  EXPECT_TRUE(check_policy(std::array{writes, fetches, reads}));
  EXPECT_TRUE(check_policy(std::array{writes, device, all}));
}

TEST(Check, ARowThatAnotherTakes) {
  policy_check const c = check_policy(std::array{all, device});
  EXPECT_EQ(c.what, unreachable);
  EXPECT_EQ(c.row, 1u);
  EXPECT_EQ(c.taker, 0u);
}

TEST(Check, ARowThatSeveralTakeTogether) {
  rule const device_read = row("device-read", {.page = page_class::mmio}, wb, "");
  policy_check const c = check_policy(std::array{writes, fetches, reads, device_read});
  EXPECT_EQ(c.what, unreachable);
  EXPECT_EQ(c.row, 3u);
  EXPECT_FALSE(c.taker);
}

TEST(Check, AHole) {
  policy_check const c = check_policy(std::array{device, writes, reads});
  EXPECT_EQ(c.what, missing);
  // The witness is a fetch from something that is not mmio.
  EXPECT_EQ(c.witness.get(field_of("access")), u64{1} << static_cast<unsigned>(access_kind::exec));
  EXPECT_EQ(c.witness.get(field_of("page")) & u64{1} << static_cast<unsigned>(page_class::mmio), 0u);
  EXPECT_EQ(first_match(std::array{device, writes, reads}, c.witness), nullptr);
  // It is one situation, and not a set of them.
  for (unsigned field = 0; field < input_fields.size(); ++field)
    EXPECT_EQ(1, std::popcount(c.witness.get(field))) << field;
}

TEST(Check, NothingAndTooMuchAndContradiction) {
  EXPECT_EQ(check_policy({}).what, empty);
  std::array<rule, max_policy_rows + 1> many{};
  many.fill(device);
  EXPECT_EQ(check_policy(many).what, too_many);
  // FWB off and "FWB and DIC" at once.
  policy_check const c = check_policy(std::array{row("never", {.fwb = false, .maintenance_free = true}, wb, ""), all});
  EXPECT_EQ(c.what, impossible);
  EXPECT_EQ(c.field, field_of("maintenance_free"));
}

static_assert(check_policy(std::array{device, all}).what == none);

// Each of these rows leaves two boxes of every box before it, so 2048 are to be covered by the last row; each row alone
// is reached in as many steps as there are rows above it.
TEST(Check, WhatCannotBeProvedInTimeIsNotCalledComplete) {
  std::vector<rule> rows;
  for (match const& when :
       {match{.lpa2 = true, .xnx = true}, match{.idc = true, .mte = true}, match{.mte_vm = true, .shared = true},
        match{.allow_any_uncached = true, .swap_backed = true}, match{.mte_allowed = true, .hugetlb = true},
        match{.late = true, .read_only = true}, match{.log_dirty = true, .mappable = true},
        match{.whole_pages = true, .dma = true}, match{.stage1_walk = true, .cache_maintenance = true},
        match{.syndrome_valid = true, .nisv_exits = true}, match{.sea_exits = true, .from_el0 = true}})
    rows.push_back(row("pair", when, wb, ""));
  rows.push_back(all);
  EXPECT_EQ(none, check_policy(rows).what);
  policy_check const whole = check_policy(rows, 2000);
  EXPECT_EQ(too_complex, whole.what);
  EXPECT_EQ(0u, whole.row);  // and so none of them
  policy_check const one = check_policy(rows, 30);
  EXPECT_EQ(too_complex, one.what);
  EXPECT_LT(0u, one.row);
}

// The last of as many rows as a policy may have decides like any other; one more is not looked at.
TEST(Check, TheLastRowOfAFullPolicyDecides) {
  std::array<rule, max_policy_rows> rows{};
  rows.fill(device);
  rows.back() = all;
  policy_table const table("full", rows);
  policy_host const host{};
  memory_inputs const ram{};
  fault_access const access{};
  EXPECT_EQ(max_policy_rows - 1, table.find({host, ram, backing::custom, access}));
  EXPECT_EQ(policy_outcome::map, decide(table, host, ram, backing::custom, access).outcome);
}

// A situation that no row matches has no answer, and says what the host is all the same.
TEST(Check, WhereNoRowMatchesNothingIsDecided) {
  std::array const rows{device};
  policy_table const table("half", rows, {.fwb = fwb_use::always, .of_kvm = true});
  decision const d = decide(table, {}, {}, backing::custom, {});
  EXPECT_EQ(policy_outcome::not_applicable, d.outcome);
  EXPECT_EQ(nullptr, d.row);
  EXPECT_TRUE(d.fwb && d.of_kvm);
}

TEST(Check, OurOwnTables) {
  for (policy_table const* const table : kvm_tables) {
    policy_table const& t = *table;
    policy_check const c = check_policy(t.rows());
    EXPECT_EQ(c.what, none) << t.name() << ": row " << t.rows()[c.row].id;
  }
  for (policy_table const& t : hypervisor_detail::tables) {
    policy_check const c = check_policy(t.rows());
    EXPECT_EQ(c.what, none) << t.name() << ": row " << t.rows()[c.row].id;
  }
}

// The index gives what a search from the first row on gives, in random situations.
TEST(Check, TheIndexAgreesWithSearching) {
  u64 state = 1;
  auto const next = [&](unsigned n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>((state >> 33) % n);
  };
  for (int i = 0; i < 20'000; ++i) {
    policy_host h{.cpu = {.s2fwb = next(2) == 0, .dic = next(2) == 0},
                  .mode = static_cast<hypervisor_mode>(next(4)),
                  .mte_vm = next(2) == 0,
                  .nisv_exits = next(2) == 0,
                  .nested = {next(2) == 0, next(2) == 0, next(2) == 0}};
    memory_inputs m = inputs_of(static_cast<backing>(next(backing_count)));
    m.slot = {static_cast<slot_kind>(next(slot_kind_count)), next(2) == 0, next(2) == 0};
    m.vma.type = static_cast<vma_type>(next(vma_type_count));
    m.vma.pfnmap = next(2) == 0;
    m.vma.late = next(2) == 0;
    fault_access const a{static_cast<access_kind>(next(3)),
                         static_cast<fault_reason>(next(fault_reason_count)),
                         next(2) == 0,
                         next(2) == 0,
                         next(2) == 0,
                         next(2) == 0};
    auto const b = static_cast<backing>(next(backing_count));
    for (policy_table const* const table : kvm_tables) {
      policy_table const& t = *table;
      rule const* const first = first_match(t.rows(), situation({h, m, b, a}));
      std::size_t const row = t.find({h, m, b, a});
      ASSERT_EQ(row < t.rows().size() ? &t.rows()[row] : nullptr, first) << t.name();
    }
  }
}

}  // namespace
}  // namespace vmsa::check_test
