// SPDX-License-Identifier: MIT
#include "vmsa/text/report/fault_report.hpp"

#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::fault_report_test {
namespace {

fault_scenario example() { return parse_fault_scenario(example_fault_scenario(), "example"); }

std::vector<summary> effective_types(fault_scenario const& s) {
  std::vector<summary> types;
  fault_report const report = run(s);
  for (fault_story const& story : report.stories)
    if (story.outcome.retried.output != pa{}) types.push_back(summarize(story.outcome.retried.attributes));
  return types;
}

// RAM twice, devdax, the BAR twice, the GPU; the branch into the BAR is an exception.
TEST(FaultReport, TheExampleByRelease) {
  using enum summary;
  fault_scenario s = example();
  EXPECT_EQ(effective_types(s), (std::vector{normal_wb, normal_wb, normal_wb, normal_nc, device_nGnRE, normal_wb}));
  s.policy = "linux-6.9";
  EXPECT_EQ(effective_types(s),
            (std::vector{normal_wb, normal_wb, device_nGnRE, normal_nc, device_nGnRE, device_nGnRE}));
  s.policy = "linux-6.1";
  EXPECT_EQ(effective_types(s),
            (std::vector{normal_wb, normal_wb, device_nGnRE, device_nGnRE, device_nGnRE, device_nGnRE}));
}

TEST(FaultReport, WithoutFwbTheGuestsTypeCountsAndAnAliasDisagrees) {
  fault_scenario s = example();
  s.host.cpu.s2fwb = s.host.cpu.dic = false;
  fault_report const r = run(s);
  EXPECT_EQ(summarize(r.stories[1].outcome.retried.attributes), summary::normal_nc);
  EXPECT_EQ(r.stories[1].outcome.worst_mismatch(), mismatch::loss_of_coherency);
  EXPECT_TRUE(r.any_mismatch());
  EXPECT_EQ(r.stories[5].outcome.decided.outcome, policy_outcome::memslot_error);
}

// What the device makes of the page comes from the chain of [dma]: whom VFIO refuses, or for whom nothing is mapped, is
// no alias (e8ae0e140c05: from 5.19 on VFIO refuses a device that is not coherent).
TEST(FaultReport, DmaIsJudgedByItsChain) {
  struct row {
    char const* policy;
    dma_path dma;
    std::size_t memory;  // of the example: 0 RAM, 3 a GPU's coherent memory
    bool alias;
    mismatch disagrees;
  };
  row const rows[] = {
      {"linux-6.17", {}, 0, true, mismatch::none},
      {"linux-6.17", {.no_snoop = true}, 0, true, mismatch::loss_of_coherency},
      {"linux-6.17", {.canwbs = true, .no_snoop = true}, 0, true, mismatch::none},
      {"linux-6.17", {.coherent = false}, 0, false, mismatch::none},
      {"linux-5.15", {.coherent = false}, 0, true, mismatch::loss_of_coherency},
      {"linux-6.17",
       {.s2fwb = true, .user = dma_user::nested, .guest_stage1 = linux_non_cacheable},
       0,
       true,
       mismatch::none},
      {"linux-6.12", {.s2fwb = true, .user = dma_user::nested}, 0, false, mismatch::none},
      {"linux-6.17", {.user = dma_user::iommufd}, 3, false, mismatch::none},
      {"linux-6.17", {.user = dma_user::type1}, 3, true, mismatch::none},
  };
  for (row const& r : rows) {
    fault_scenario s = example();
    s.policy = r.policy;
    s.dma = r.dma;
    for (named_region& m : s.memory) m.where.inputs.dma = false;
    s.memory[r.memory].where.inputs.dma = true;
    fault_report const report = run(s);
    SCOPED_TRACE(testing::Message() << r.policy << " row " << &r - rows);
    fault_story const* story = nullptr;
    for (fault_story const& one : report.stories)
      if (one.memory && one.memory->name == s.memory[r.memory].name && one.outcome.retried)
        story = story ? story : &one;
    ASSERT_NE(nullptr, story);
    ASSERT_TRUE(story->dma);
    bool found = false;
    for (alias_report const& a : story->outcome.aliases)
      if (a.other.owner == alias_owner::dma) {
        found = true;
        EXPECT_EQ(r.disagrees, a.disagreement);
      }
    EXPECT_EQ(r.alias, found);
    bool violated = false;
    for (coherency::judgement const& j : story->judgements)
      if (j.question.other == alias_owner::dma)
        violated = violated || j.result.outcome == coherency::check_outcome::violation;
    EXPECT_EQ(r.disagrees == mismatch::loss_of_coherency, violated);
  }
}

TEST(FaultReport, TheVerdictComesWithItsCounterexample) {
  fault_scenario s = example();
  std::string const safe = as_text(tell(run(s)));
  EXPECT_EQ(safe.find("violation"), std::string::npos);
  EXPECT_NE(safe.find("coherency   coherent"), std::string::npos);
  s.host.cpu.s2fwb = s.host.cpu.dic = false;
  std::string const unsafe = as_text(tell(run(s)));
  EXPECT_NE(unsafe.find("violation (stale-read): guest to monitor, monitor to guest"), std::string::npos);
  EXPECT_NE(unsafe.find("host load x via monitor: x=0 from its cache"), std::string::npos);
}

TEST(FaultReport, TextAndJsonTellTheSame) {
  fault_scenario const s = example();
  fault_report const r = run(s);
  std::string const text = as_text(tell(r));
  std::string const json = to_json(r);
  for (char const* value : {"0x400004000007d5", "0x4400000400000900", "any-uncached", "0x86000010", "NIC BAR2"}) {
    EXPECT_NE(text.find(value), std::string::npos) << value;
    EXPECT_NE(json.find(value), std::string::npos) << value;
  }
}

TEST(FaultReport, AThousandAccessesHaveTablesEnough) {
  fault_scenario s = example();
  s.memory = {{"all", make_region({0}, u64{1} << 40, {0}, backing::anonymous)}};
  s.accesses.clear();
  for (u64 i = 0; i < 1000; ++i)
    s.accesses.push_back(make_access(access_kind::write, {i << 30}, fault_kind::translation, {}));
  fault_report const report = run(s);
  for (fault_story const& story : report.stories) EXPECT_EQ(story.outcome.step, fault_step::resolved);
}

// As kvm-policy's observed rows have it; only a reported ESR_EL2 with ISV=0 is one that KVM cannot emulate.
TEST(FaultReport, ADescribedAccessWithoutWritableMemoryGoesToTheMonitor) {
  fault_scenario s = example();
  region rom = make_region({0x1000}, 0x1000, {0x1000}, backing::anonymous, {.read_only = true});
  s.memory = {{"read-only slot", rom}};
  s.accesses = {make_access(access_kind::write, {0x1000}, fault_kind::translation, {}),
                make_access(access_kind::read, {0x5000}, fault_kind::translation, {}),
                make_access(access_kind::exec, {0x5000}, fault_kind::translation, {})};
  s.accesses.push_back(s.accesses[0]);
  s.accesses.back().emulable = false;
  std::vector<policy_outcome> outcomes;
  fault_report const report = run(s);
  for (fault_story const& story : report.stories) outcomes.push_back(story.outcome.decided.outcome);
  using enum policy_outcome;
  EXPECT_EQ(outcomes, (std::vector{mmio_exit, mmio_exit, guest_exception, run_error}));
}

TEST(FaultReport, APolicyNobodyKnowsIsRefused) {
  fault_scenario s = example();
  for (char const* name : {"linux-", "linux-2.6", "linux-6.17x", "windows", ""}) {
    s.policy = name;
    EXPECT_THROW((void)run(s), input_error) << name;
  }
}

}  // namespace
}  // namespace vmsa::text::fault_report_test
