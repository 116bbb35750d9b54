// SPDX-License-Identifier: MIT
#include "vmsa/text/read/coherency_file.hpp"
#include "tests_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "vmsa/sim/coherency/assumptions.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::coherency_file_test {
namespace {

using coherency::check_outcome;
using testing::HasSubstr;

// The scenarios of Arm ARM, Mismatched memory attributes, and the KVM list's questions: verdicts as they were settled
// there, not as the files or the explorer have them.
std::map<std::string_view, check_outcome> const& settled() {
  constexpr check_outcome C = check_outcome::coherent, X = check_outcome::violation;
  static std::map<std::string_view, check_outcome> const all = {
      {"seed", X},
      {"seed-untouched", X},
      {"seed-no-alias", C},
      {"seed-not-snooping", C},
      {"doorbell-no-dsb", X},
      {"fwb-dma", C},
      {"wb-dma-read", X},
      {"wb-dma-read-cvac", C},
      {"wb-dma-read-no-dsb", X},
      {"wb-dma-read-cvau", X},
      {"dma-write-ivac-before", X},
      {"dma-write-civac-ivac", C},
      {"dma-write-dirty", X},
      {"dma-write-allocates", X},
      {"migration", X},
      {"migration-civac", C},
      {"migration-fwb", C},
      {"restore", X},
      {"restore-cvac", C},
      {"shared-line", X},
      {"shared-line-civac", C},
      {"read-only-alias", C},
      {"read-only-alias-host", X},
      {"device-guest", X},
      {"nc-device-dsb", C},
      {"nc-device-no-dmb", X},
      {"nc-device-dmb", C},
      {"wb-then-nc", X},
      {"wb-then-nc-civac", C},
      {"vring", X},
      {"vring-wb", C},
      {"no-snoop-write", X},
      {"page-recycled", X},
      // Their pairs.
      {"seed-civac", C},
      {"seed-unmapped", C},
      {"seed-tlb-stale", X},
      {"doorbell-dsb", C},
      {"fwb-dma-off", X},
      {"wb-dma-read-dmb", X},
      {"dma-write-dirty-neighbour", X},
      {"dma-write-own-line", C},
      {"dma-write-canwbs", C},
      {"dma-write-civac", C},
      {"migration-civac-no-dsb", X},
      {"migration-early-civac", X},
      {"migration-not-stopped", X},
      {"migration-two-lines", C},
      {"read-only-alias-host-civac", C},
      {"written-alias", X},
      {"device-guest-not-snooping", C},
      {"store-wb-load-nc", X},
      {"store-wb-load-nc-cvac", C},
      {"no-snoop-write-canwbs", C},
      {"page-recycled-civac", C},
      {"two-clean-copies", X},
      {"two-clean-copies-fwb", C},
      {"non-shareable", X},
      {"non-shareable-civac", C},
      {"write-through", C},
      {"write-through-no-dsb", X},
      // Between unmap and TLBI, whose TLBI, and whose DSB [Arm ARM RSPVBD, RDDMVT, RYNJCP, RFZTHY].
      {"seed-unmapped-no-dsb", X},
      {"seed-unmapped-dmb", X},
      {"seed-unmapped-tlbi-pending", X},
      {"unmap-handed-over", C},
      {"unmap-handed-over-no-dsb", X},
      {"tlbi-handed-over", C},
      {"tlbi-handed-over-no-dsb", X},
      {"unmap-other-pe", C},
      {"unmap-other-pe-tlbi-local", X},
      {"unmap-other-domain", C},
      {"unmap-other-domain-tlbi-inner", X},
      // Whom a Shareability leaves out, whoever looks.
      {"dma-read-inner-shareable", C},
      {"dma-read-non-shareable", X},
      {"dma-write-inner-shareable", C},
      {"dma-write-non-shareable", X},
      {"dc-inner-shareable", C},
      {"dc-non-shareable", X},
      {"inner-and-outer-shareable", C},
      {"inner-shareable-two-domains", X},
  };
  return all;
}

TEST(coherency_file, every_shipped_scenario_has_its_verdict) {
  EXPECT_EQ(builtin_scenarios().size(), settled().size());
  for (builtin_scenario const& b : builtin_scenarios()) {
    SCOPED_TRACE(b.name);
    coherency_file const f = parse_coherency(b.toml, std::string(b.name));
    auto const expected = settled().find(b.name);
    ASSERT_NE(expected, settled().end());
    EXPECT_EQ(f.expect, expected->second);
    EXPECT_FALSE(f.title.empty());
    EXPECT_FALSE(f.reason.empty());
    coherency::check_result const r = check(f.scenario);
    EXPECT_EQ(r.outcome, expected->second);
    EXPECT_EQ(r.broken.broken, f.property);
  }
}

TEST(coherency_file, projection_and_symmetry_do_not_change_a_verdict) {
  for (builtin_scenario const& b : builtin_scenarios()) {
    if (b.name == "migration-two-lines") continue;  // large; coherency_bench explores it
    SCOPED_TRACE(b.name);
    coherency_file const f = parse_coherency(b.toml, std::string(b.name));
    coherency::check_options plain;
    plain.project = false;
    plain.model.symmetry = false;
    EXPECT_EQ(check(f.scenario, plain).outcome, *f.expect);
  }
}

// src/README.md lists every limit of the model, in the words of the answers and in no others.
TEST(coherency_file, the_limits_stand_in_one_place) {
  std::ifstream readme(tests_folder() + "/../src/README.md");
  std::vector<std::string> listed;
  bool here = false;
  for (std::string line; std::getline(readme, line);) {
    here = here || line.starts_with("**Limits.**");
    if (here && line.starts_with("- `")) listed.push_back(line);
    if (here && line.starts_with("`--format")) break;
  }
  std::vector<std::string> expected;
  for (coherency::assumption const& a : coherency::all_assumptions())
    expected.push_back("- `" + std::string(a.id) + "`: " + std::string(a.text));
  EXPECT_EQ(listed, expected);
}

// A word written twice, read by one PE and then, after it told them, by two more that must not fall behind it.
constexpr std::string_view two_readers = R"(title = "one read, two readers that must not fall behind it"
expect = "coherent"
[[agent]]
name = "w"
program = ["store x", "dsb", "store x", "dsb"]
[[agent]]
name = "a"
program = ["load x", "signal seen"]
[[agent]]
name = "b"
program = ["wait seen", "load x"]
[[agent]]
name = "c"
program = ["wait seen", "load x"]
[[alias]]
name = "w"
agent = "w"
attributes = "Normal-WB"
[[alias]]
name = "a"
agent = "a"
attributes = "Normal-WB"
[[alias]]
name = "b"
agent = "b"
attributes = "Normal-WB"
[[alias]]
name = "c"
agent = "c"
attributes = "Normal-WB"
)";
constexpr std::string_view one_reader = R"(title = "one read, one reader that must not fall behind it"
expect = "coherent"
[[agent]]
name = "w"
program = ["store x", "dsb"]
[[agent]]
name = "a"
program = ["load x", "load x", "dsb", "dsb"]
[[alias]]
name = "w"
agent = "w"
attributes = "Normal-WB"
[[alias]]
name = "a"
agent = "a"
attributes = "Normal-WB"
)";

// SPIN, which knows nothing of registers, buffers and fields, stores as many states of the exported model: numbers that
// pan 6.5.2 printed.
TEST(coherency_file, there_are_as_many_states_as_spin_stores) {
  struct row {
    u64 states;
    std::string_view name;
    std::string_view toml;
  };
  constexpr row rows[] = {
      {84, "page-recycled-civac", ""},       {26, "seed-unmapped", ""},
      {30, "tlbi-handed-over", ""},          {30, "unmap-handed-over", ""},
      {26, "unmap-other-domain", ""},        {26, "unmap-other-pe", ""},
      {50, "dc-inner-shareable", ""},        {19, "dma-read-inner-shareable", ""},
      {20, "dma-write-inner-shareable", ""}, {84, "inner-and-outer-shareable", ""},
      {118, "non-shareable-civac", ""},      {52, "write-through", ""},
      {3848, "two readers", two_readers},    {112, "one reader", one_reader},
  };
  coherency::check_options plain;
  plain.project = false;
  plain.model.symmetry = false;
  for (row const& r : rows) {
    std::string_view toml = r.toml;
    for (builtin_scenario const& b : builtin_scenarios())
      if (b.name == r.name) toml = b.toml;
    EXPECT_EQ(r.states, check(parse_coherency(toml, "t").scenario, plain).states) << r.name;
  }
}

// Without speculative fills what no program reads is never cached.
TEST(coherency_file, the_untouched_alias_needs_speculation) {
  for (builtin_scenario const& b : builtin_scenarios()) {
    if (b.name != "seed-untouched" && b.name != "device-guest" && b.name != "seed-tlb-stale") continue;
    coherency::check_options off;
    off.model.speculation = false;
    EXPECT_EQ(check(parse_coherency(b.toml, "").scenario, off).outcome, check_outcome::coherent) << b.name;
  }
}

constexpr std::string_view base = R"([[agent]]
name = "guest"
program = ["store x"]

[[alias]]
name = "nc"
agent = "guest"
attributes = "Normal-NC"
)";

TEST(coherency_file, a_line_and_a_word_are_there_without_being_declared) {
  coherency::scenario const s = parse_coherency(base, "t").scenario;
  ASSERT_EQ(s.lines.size(), 1u);
  EXPECT_EQ(s.lines[0].words, (std::vector<std::string>{"x"}));
  EXPECT_EQ(step_text(s, s.agents[0].program[0]), "store x via nc");
}

TEST(coherency_file, attributes_come_from_both_stages_or_a_policy) {
  auto const type = [](std::string const& how) {
    std::string const toml = "[[agent]]\nname = \"g\"\n[[alias]]\nname = \"a\"\nagent = \"g\"\n" + how;
    return summarize(parse_coherency(toml, "t").scenario.aliases[0].attributes);
  };
  EXPECT_EQ(type("attributes = \"device-nGnRE\"\n"), summary::device_nGnRE);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\nstage2 = \"Normal-WB\"\n"), summary::normal_nc);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\nstage2 = \"Normal-WB\"\nfwb = true\n"), summary::normal_wb);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"linux-6.9\"\nbacking = \"vfio-pci-bar\"\n"), summary::normal_nc);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"linux-6.1\"\nbacking = \"vfio-pci-bar\"\n"),
            summary::device_nGnRE);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"linux-6.17\"\nbacking = \"devm-generic\"\nfwb = true\n"),
            summary::normal_wb);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"xen\"\nbacking = \"vfio-pci-bar\"\n"), summary::device_nGnRE);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"xen-dom0\"\nbacking = \"vfio-pci-bar\"\n"), summary::normal_nc);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"bao\"\nbacking = \"vfio-pci-bar\"\n"), summary::device_GRE);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"" + tests_folder() +
                 "/decide/trust-the-vma.toml\"\nbacking = \"pci-sysfs-resource\"\n"),
            summary::device_nGnRE);
  // Xen never uses FWB, tf-rmm always does, whatever the host has.
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"xen\"\nbacking = \"anonymous\"\nfwb = true\n"),
            summary::normal_nc);
  EXPECT_EQ(type("stage1 = \"Normal-NC\"\npolicy = \"tf-rmm\"\nbacking = \"anonymous\"\n"), summary::normal_wb);
  EXPECT_EQ(type("stage1 = \"Normal-WB\"\npolicy = \"tf-rmm\"\nbacking = \"vfio-pci-bar\"\n"), summary::normal_nc);
}

// What a repair may count on: the type that stage 1 leaves Normal-WB, and the leaf of the same memory under FWB.
TEST(coherency_file, what_may_make_an_alias_write_back) {
  struct row {
    char const* how;
    bool by_stage1;
    bool by_fwb;
  };
  for (row const& r :
       {row{"attributes = \"Normal-NC\"\n", true, true},
        row{"stage1 = \"Normal-NC\"\nstage2 = \"Normal-WB\"\n", true, true},
        row{"stage1 = \"Normal-WB\"\nstage2 = \"Normal-NC\"\n", false, false},
        row{"stage1 = \"Normal-NC\"\nstage2 = \"Normal-NC\"\nfwb = true\n", false, false},
        row{"stage1 = \"Normal-WB\"\npolicy = \"linux-6.12\"\nbacking = \"vfio-pci-bar\"\n", false, false},
        row{"stage1 = \"Normal-NC\"\npolicy = \"linux-6.17\"\nbacking = \"anonymous\"\n", true, true},
        row{"stage1 = \"Normal-NC\"\npolicy = \"linux-6.1\"\nbacking = \"devm-generic\"\n", false, false},
        row{"stage1 = \"Normal-NC\"\npolicy = \"xen\"\nbacking = \"anonymous\"\n", true, false}}) {
    std::string const toml = std::string("[[agent]]\nname = \"g\"\n[[alias]]\nname = \"a\"\nagent = \"g\"\n") + r.how;
    coherency::agent_alias const a = parse_coherency(toml, "t").scenario.aliases[0];
    EXPECT_EQ(a.caches_by_stage1, r.by_stage1) << r.how;
    EXPECT_EQ(a.caches_by_fwb, r.by_fwb) << r.how;
  }
}

// An alias that a policy decides takes DIC with FWB unless it says otherwise: memory that is PFNMAP needs both.
TEST(coherency_file, dic_follows_fwb) {
  std::string const base_toml =
      "[[agent]]\nname = \"g\"\n[[alias]]\nname = \"a\"\nagent = \"g\"\nstage1 = \"Normal-NC\"\npolicy = "
      "\"linux-6.17\"\n"
      "backing = \"nvgrace-usemem\"\nfwb = true\n";
  EXPECT_EQ(summary::normal_wb, summarize(parse_coherency(base_toml, "t").scenario.aliases[0].attributes));
  EXPECT_THROW(static_cast<void>(parse_coherency(base_toml + "dic = false\n", "t")), input_error);
}

TEST(coherency_file, judged_and_the_ways_to_snoop) {
  auto const agent = [](std::string const& kind, std::string const& keys) {
    return parse_coherency("[[agent]]\nname = \"g\"\n[[" + kind + "]]\nname = \"d\"\n" + keys, "t").scenario.agents[1];
  };
  EXPECT_TRUE(agent("agent", "").judged);
  EXPECT_FALSE(agent("agent", "judged = false\n").judged);
  EXPECT_FALSE(agent("device", "judged = false\n").judged);
  EXPECT_TRUE(agent("device", "").snoops);
  EXPECT_FALSE(agent("device", "snoops = false\n").snoops);
  EXPECT_FALSE(agent("device", "no_snoop = true\n").snoops);
  EXPECT_FALSE(agent("device", "snoops = true\nno_snoop = true\n").snoops);
  EXPECT_TRUE(agent("device", "canwbs = true\n").canwbs);
}

struct bad_input {
  std::string_view toml;
  std::size_t line;
  std::string_view problem;
};

TEST(coherency_file, what_is_wrong_is_named_with_its_line) {
  bad_input const table[] = {
      {"[[agent]\n", 1, ""},
      {"expect = \"maybe\"\n", 1, "maybe"},
      {"colour = 1\n[[agent]]\nname = \"a\"\n", 1, "colour"},
      {"title = \"nothing\"\n", 0, "no agent"},
      {"[[agent]]\nname = \"a b\"\n", 2, "a b"},
      {"[[agent]]\nname = \"a\"\n[[agent]]\nname = \"a\"\n", 4, "there already"},
      {"[[agent]]\nname = \"a\"\n[[alias]]\nname = \"n\"\nagent = \"b\"\nattributes = \"Normal-NC\"\n", 5,
       "no agent \"b\""},
      {"[[agent]]\nname = \"a\"\n[[alias]]\nname = \"n\"\nagent = \"a\"\nattributes = \"Normal\"\n", 6, "Normal"},
      {"[[agent]]\nname = \"a\"\n[[alias]]\nname = \"n\"\nagent = \"a\"\nstage1 = \"Normal-NC\"\npolicy = \"zen\"\n", 7,
       "no policy \"zen\""},
      {"[[agent]]\nname = \"a\"\n[[alias]]\nname = \"n\"\nagent = \"a\"\nstage1 = \"Normal-NC\"\npolicy = \"nova\"\n"
       "backing = \"vfio-pci-bar\"\n",
       8, "nova maps no vfio-pci-bar here: the caller chooses"},
      {"[[agent]]\nname = \"a\"\nprogram = [\n  \"dsb\",\n  \"jump\",\n]\n", 5, "jump"},
      {"[[agent]]\nname = \"a\"\nprogram = [\n  \"dsb\",\n  \"wait forever\",\n]\n", 5, "nobody signals"},
      {"[[agent]]\nname = \"a\"\nprogram = [\"load x\"]\n", 3, "no alias of line"},
      {"[[agent]]\nname = \"a\"\nprogram = [\"load y via n\"]\n[[alias]]\nname = \"n\"\nagent = \"a\"\n"
       "attributes = \"Normal-NC\"\n",
       3, "\"y\""},
      {"[[agent]]\nname = \"a\"\nprogram = [\n\"unmap n\",\n\"load x\"]\n[[alias]]\nname = \"n\"\nagent = \"a\"\n"
       "attributes = \"Normal-NC\"\n",
       5, "unmapped"},
      {"[[agent]]\nname = \"a\"\nprogram = [\"store x\"]\n[[device]]\nname = \"d\"\nprogram = [\n\"dma write x\"]\n"
       "[[alias]]\nname = \"n\"\nagent = \"a\"\nattributes = \"Normal-NC\"\n",
       7, "two writers"},
      {"[[device]]\nname = \"d\"\nprogram = [\"dsb\"]\n", 3, "not something a device does"},
      {"[[agent]]\nname = \"a\"\nprogram = [\"load x,\"]\n[[alias]]\nname = \"n\"\nagent = \"a\"\n"
       "attributes = \"Normal-NC\"\n",
       3, "no such step"},
      {"[[line]]\nname = \"l\"\nwords = [\"l\"]\n[[agent]]\nname = \"a\"\n", 3, "there already"},
      {"[[agent]]\nname = \"a\"\ndomain = 99\n", 3, "99"},
      {"[[line]]\n[[line]]\n[[line]]\n[[line]]\n[[line]]\n", 5, "5 of [[line]]"},
      {"[[line]]\nname = \"l\"\nwords = "
       "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]\n",
       3, "17 words"},
  };
  for (bad_input const& bad : table) {
    SCOPED_TRACE(bad.toml);
    try {
      static_cast<void>(parse_coherency(bad.toml, "bad.toml"));
      ADD_FAILURE() << "accepted";
    } catch (input_error const& error) {
      EXPECT_EQ(error.line(), bad.line);
      EXPECT_EQ(error.file(), "bad.toml");
      EXPECT_THAT(error.what(), HasSubstr(bad.problem));
    }
  }
}

}  // namespace
}  // namespace vmsa::text::coherency_file_test
