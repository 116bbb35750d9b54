// SPDX-License-Identifier: MIT
// Every row of every era by a decision written by hand, and by what decides when one of its conditions fails.
#include "vmsa/policy/kvm_rows.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kvm_entry_cases.hpp"
#include "kvm_page_cases.hpp"
#include "kvm_type_cases.hpp"

namespace vmsa::kvm_rows_test {
namespace {

using kvm_cases::answer;
using kvm_cases::beside;
using kvm_cases::question;
using kvm_cases::row_case;

std::vector<row_case> every_case() {
  std::vector<row_case> all;
  for (auto const& some :
       {kvm_cases::slot_cases(), kvm_cases::entry_cases(), kvm_cases::own_memory_cases(), kvm_cases::pin_cases(),
        kvm_cases::type_cases_to_6_16(), kvm_cases::type_cases_from_6_17(), kvm_cases::ram_cases()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

decision decide_in(kvm_era e, question const& q) { return decide(kvm_table(e), q.host, q.memory, q.kind, q.access); }

template <class See>
void for_each_era(row_case const& c, See&& see) {
  for (unsigned e = static_cast<unsigned>(c.first); e <= static_cast<unsigned>(c.last); ++e)
    see(static_cast<kvm_era>(e));
}

std::string rights_of(decision const& d) {
  return {d.readable ? 'r' : '-', d.writable ? 'w' : '-', d.executable ? 'x' : '-'};
}

void expect_answer(answer const& then, decision const& d) {
  EXPECT_EQ(then.outcome, d.outcome);
  EXPECT_EQ(then.error, d.error);
  EXPECT_EQ(then.cause, d.cause);
  EXPECT_EQ(then.exception, d.exception);
  EXPECT_EQ(then.esr_el1, d.esr_el1);
  if (!d.maps() || then.outcome != policy_outcome::map) return;
  EXPECT_EQ(then.memory, d.memory);
  EXPECT_EQ(shareability::inner, d.sh);
  EXPECT_EQ(then.rights, rights_of(d));
  EXPECT_EQ(then.largest, level_size(d.tg, d.largest_leaf));
  EXPECT_EQ(then.duties.clean_invalidate_poc, d.duties.clean_invalidate_poc);
  EXPECT_EQ(then.duties.invalidate_instruction_pou, d.duties.invalidate_instruction_pou);
}

TEST(KvmRows, EachDecidesExactly) {
  for (row_case const& c : every_case()) {
    for_each_era(c, [&](kvm_era e) {
      SCOPED_TRACE(std::string(c.row) + " in " + kvm_table(e).name());
      decision const d = decide_in(e, c.asked);
      ASSERT_NE(nullptr, d.row);
      EXPECT_STREQ(c.row, d.row->id);
      expect_answer(c.then, d);
    });
  }
}

TEST(KvmRows, EachConditionCounts) {
  for (row_case const& c : every_case()) {
    for (std::size_t i = 0; i < c.others.size(); ++i) {
      question q = c.asked;
      c.others[i].change(q);
      for_each_era(c, [&](kvm_era e) {
        decision const d = decide_in(e, q);
        ASSERT_NE(nullptr, d.row);
        EXPECT_STREQ(c.others[i].row, d.row->id)
            << c.row << " in " << kvm_table(e).name() << ", the " << i + 1 << "th thing different";
      });
    }
  }
}

// A row that begins too early or ends too late decides in a release where no case has it.
TEST(KvmRows, NoRowIsWithoutACase) {
  std::set<std::pair<unsigned, rule const*>> decided;
  for (row_case const& c : every_case())
    for_each_era(c, [&](kvm_era e) { decided.insert({static_cast<unsigned>(e), decide_in(e, c.asked).row}); });
  for (unsigned e = 0; e < kvm_era_count; ++e)
    for (rule const& row : kvm_table(static_cast<kvm_era>(e)).rows())
      EXPECT_TRUE(decided.contains({e, &row})) << row.id << " in " << kvm_table(static_cast<kvm_era>(e)).name();
}

}  // namespace
}  // namespace vmsa::kvm_rows_test
