// SPDX-License-Identifier: MIT
#include "vmsa/text/report/coherency_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace vmsa::text::coherency_report_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

coherency_report report_of(std::string const& toml, bool repaired = false) {
  coherency_report r;
  r.file = parse_coherency(toml, "name");
  r.result = check(r.file.scenario);
  if (repaired && r.result.outcome == coherency::check_outcome::violation) r.repair = find_repair(r.file.scenario);
  r.command = "vmsa coherency name";
  return r;
}
std::string builtin(std::string_view name) {
  for (builtin_scenario const& b : builtin_scenarios())
    if (b.name == name) return std::string(b.toml);
  ADD_FAILURE() << name;
  return "";
}

// A write-back guest, then uncached: the old dirty line is written back over the newer data.
constexpr std::string_view lost = R"(title = "lost"
expect = "violation"
property = "stale-read"
[[agent]]
name = "guest"
program = ["store x via wb", "dsb", "store x via nc", "dsb"]
[[alias]]
name = "wb"
agent = "guest"
attributes = "Normal-WB"
[[alias]]
name = "nc"
agent = "guest"
attributes = "Normal-NC"
)";

TEST(CoherencyReport, JsonOfAViolation) {
  json const o = json::parse(coherency_as_json(report_of(builtin("seed"), true)));
  EXPECT_EQ("vmsa.coherency/1", o["schema"]);
  EXPECT_EQ("name", o["scenario"]);
  EXPECT_EQ("violation", o["verdict"]);
  EXPECT_EQ("stale-read", o["property"]);
  EXPECT_EQ("x", o["word"]);
  EXPECT_EQ(0, o["got"]);
  EXPECT_EQ(1, o["needed"]);
  EXPECT_EQ(7, o["depth"]);
  EXPECT_EQ(7u, o["trace"].size());
  EXPECT_EQ(8, o["state_bytes"]);
  EXPECT_EQ(false, o["latent_mismatch"]);
  EXPECT_EQ(nullptr, o["stopped"]);
  EXPECT_EQ("violation", o["expect"]);
  EXPECT_EQ(true, o["as_expected"]);
  json const& last = o["trace"][6];
  EXPECT_EQ(7, last["step"]);
  EXPECT_EQ("nic", last["agent"]);
  EXPECT_EQ("dma read x: x=0 from the cache of host", last["action"]);
  EXPECT_EQ(1, last["memory"]["x"]);
  EXPECT_EQ("clean", last["caches"]["cache of host"][0]["state"]);
  EXPECT_EQ(0, last["caches"]["cache of host"][0]["words"]["x"]);
  EXPECT_EQ("add-civac", o["repairs"][0][0]["change"]);
  EXPECT_EQ("guest", o["repairs"][0][0]["agent"]);
  EXPECT_EQ(3, o["repairs"][0][0]["before_step"]);
  EXPECT_EQ("map-write-back", o["repairs"][1][0]["change"]);
  EXPECT_EQ("force-write-back", o["repairs"][2][0]["change"]);
  EXPECT_EQ(nullptr, o["repair_stopped"]);
  EXPECT_EQ("data-side", o["assumes"][0]["id"]);
}

TEST(CoherencyReport, JsonOfAProofHasTheSameKeys) {
  json const proof = json::parse(coherency_as_json(report_of(builtin("seed-not-snooping"))));
  json const violation = json::parse(coherency_as_json(report_of(builtin("seed"))));
  for (auto const& [key, value] : violation.items()) EXPECT_TRUE(proof.contains(key)) << key;
  for (auto const& [key, value] : proof.items()) EXPECT_TRUE(violation.contains(key)) << key;
  EXPECT_EQ("coherent", proof["verdict"]);
  EXPECT_EQ(nullptr, proof["property"]);
  EXPECT_EQ(nullptr, proof["word"]);
  EXPECT_EQ(true, proof["latent_mismatch"]);
  EXPECT_EQ("linear", proof["mismatches"][0]["aliases"][0]);
}

TEST(CoherencyReport, AProofNamesWhatItAssumes) {
  std::string const text = as_text(tell_coherency(report_of(builtin("seed-not-snooping"))));
  EXPECT_THAT(text, HasSubstr("latent mismatch"));
  EXPECT_THAT(text, HasSubstr("\nassumes that\n"));
  EXPECT_THAT(text, HasSubstr("\n  a PE's loads are performed in program order\n"));
  EXPECT_THAT(as_text(tell_coherency(report_of(builtin("seed")))), Not(HasSubstr("assumes that")));
}

TEST(CoherencyReport, ADirtyLineWrittenBackOverNewerDataIsTold) {
  coherency_report const r = report_of(std::string(lost));
  ASSERT_EQ(coherency::property::lost_write, r.result.broken.broken);
  EXPECT_EQ("cache of guest puts x=1 over the newer x=2", violation_text(r));
  EXPECT_THAT(violation_rule(r), HasSubstr("may be reverted when the rest of their line is written back"));
  EXPECT_EQ("writes its dirty line back", tell(r).back().what);
  json const o = json::parse(coherency_as_json(r));
  EXPECT_EQ("dirty", o["trace"].back()["caches"]["cache of guest"][0]["state"]);
  // The file expects another property.
  EXPECT_EQ(false, o["as_expected"]);
  EXPECT_THAT(as_text(tell_coherency(r)), HasSubstr("\nthe scenario expects violation stale-read\n"));
}

TEST(CoherencyReport, AnInvalidationThatDropsDataIsTold) {
  std::string toml(lost);
  toml.replace(toml.find("\"store x via nc\""), 16, "\"dc ivac x via wb\"");
  coherency_report const r = report_of(toml);
  ASSERT_EQ(coherency::property::lost_write, r.result.broken.broken);
  EXPECT_EQ("memory ends with x=0, and x=1 is lost", violation_text(r));
  EXPECT_THAT(violation_rule(r), HasSubstr("an invalidation without a clean discards dirty data"));
  EXPECT_THAT(as_text(tell_coherency(r)), HasSubstr("dc ivac line via wb: completes, dirty data dropped"));
  EXPECT_EQ("(end)", tell(r).back().who);
}

TEST(CoherencyReport, AnExplorationThatEndedEarlySaysWhy) {
  coherency_report r = report_of(builtin("seed-not-snooping"));
  coherency::check_options few;
  few.max_states = 3;
  r.result = check(r.file.scenario, few);
  json const o = json::parse(coherency_as_json(r));
  EXPECT_EQ("not-finished", o["verdict"]);
  EXPECT_EQ("max-states", o["stopped"]);
  EXPECT_EQ(false, o["as_expected"]);
  EXPECT_THAT(as_text(tell_coherency(r)), HasSubstr("not finished: "));
  EXPECT_THAT(as_text(tell_coherency(r)), HasSubstr("the limit of states"));
}

TEST(CoherencyReport, APictureShowsWhereDataCameFrom) {
  std::string const svg = coherency_as_svg(report_of(builtin("seed")));
  // Lanes: host, guest, nic, cache of host, memory, 190 apart from 110 on. The first step loads from memory, the last
  // reads the cache.
  EXPECT_THAT(svg, HasSubstr("x1=\"870\" y1=\"112\" x2=\"110\" y2=\"112\""));
  EXPECT_THAT(svg, HasSubstr("x1=\"680\" y1=\"376\" x2=\"490\" y2=\"376\""));
  EXPECT_THAT(svg, HasSubstr("nic reads x=0, but must see x=1 or later"));
}

// Titles and paths come out of mails.
TEST(CoherencyReport, ForeignTextCannotAct) {
  std::string const evil = "x*\\\n/ c_code { evil(); } <svg onload=evil()> | # `id` \x1b[2J \xe2\x80\xae \x07";
  coherency_report r = report_of(
      "[[agent]]\nname = \"a-b.c\"\nprogram = [\"store x\"]\n[[alias]]\nname = \"n\"\n"
      "agent = \"a-b.c\"\nattributes = \"Normal-WB\"\n");
  r.file.name = r.file.title = evil + "\xff";
  std::string const promela =
      coherency_as_promela(r.file, compile(r.file.scenario, {.speculation = true, .cache_per_pe = true}));
  std::string const comment = promela.substr(0, promela.find('\n'));
  EXPECT_THAT(comment, HasSubstr("c_code"));
  EXPECT_EQ(std::string::npos, comment.find_first_of("*\\", 2));
  EXPECT_EQ(std::string::npos, comment.find('/', 1));
  EXPECT_EQ(promela.find("c_code", comment.size()), std::string::npos);
  EXPECT_THAT(promela, HasSubstr("active proctype agent_a_b_c_0()"));
  std::string const svg = coherency_as_svg(r);
  EXPECT_THAT(svg, Not(HasSubstr("<svg onload")));
  std::string const markdown = as_markdown(tell_coherency(r));
  EXPECT_THAT(markdown, Not(HasSubstr("<svg")));
  for (std::string const& out : {promela, svg, markdown, as_text(tell_coherency(r)), coherency_as_json(r)}) {
    EXPECT_EQ(std::string::npos, out.find_first_of("\x1b\x07\xff"));
    EXPECT_THAT(out, Not(HasSubstr("\xe2\x80\xae")));
  }
  EXPECT_THAT(json::parse(coherency_as_json(r))["title"], HasSubstr("c_code"));
}

// The exporter's guards, of which each makes SPIN find something else when it is gone.
TEST(CoherencyReport, PromelaWaitsForSignalsAndCompletion) {
  coherency_file const f = parse_coherency(builtin("seed-unmapped"), "seed-unmapped");
  std::string const promela = coherency_as_promela(f, compile(f.scenario));
  EXPECT_THAT(promela, HasSubstr("  /* wait go */\n  d_step { signalled_0_6 -> skip;  };\n"));
  EXPECT_THAT(promela, HasSubstr("  /* dsb */\n  d_step { !buffered_0[0] -> skip;  };\n"));
  EXPECT_THAT(promela, HasSubstr("if :: alias_0 == 2 -> alias_0 = 1; :: else fi;"));
  EXPECT_THAT(promela, HasSubstr("if :: alias_0 == 1 -> alias_0 = 0; :: else fi;"));
}

}  // namespace
}  // namespace vmsa::text::coherency_report_test
