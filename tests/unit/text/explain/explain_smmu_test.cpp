// SPDX-License-Identifier: MIT
// Every row of tables/smmu.tsv: events as they are told, configurations and updates as Linux makes them, attributes
// through a real stream table, tables and all.
#include "vmsa/text/explain/explain_smmu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <sstream>

#include "golden_rows.hpp"
#include "unit/mmu/stream_rig.hpp"
#include "vmsa/policy/smmu_entry.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::explain_smmu_test {
namespace {

using e = smmu_ste;
using d = smmu_cd;

struct smmu_row {
  std::string id, kind, input, expected;
};

std::vector<smmu_row> const& golden() {
  static std::vector<smmu_row> const rows = [] {
    std::vector<smmu_row> found;
    for (golden_row const& row : golden_rows("tables/smmu.tsv", 5)) found.push_back({row[0], row[2], row[3], row[4]});
    return found;
  }();
  return rows;
}

template <class Structure>
Structure words_of(std::string const& text, unsigned& count) {
  Structure s;
  std::istringstream in(text);
  count = 0;
  for (std::string word; in >> word;)
    if (word.starts_with("0x")) s.word[count++] = std::stoull(word, nullptr, 16);
  return s;
}

TEST(SmmuTable, Events) {
  unsigned seen = 0;
  for (smmu_row const& row : golden()) {
    if (row.kind != "event") continue;
    unsigned count = 0;
    auto const record = words_of<smmu_event_record>(row.input, count);
    EXPECT_EQ(row.expected.substr(0, row.expected.find(" [")), text::tell(record)) << row.id;
    text::explanation const told = text::explain(record, count);
    EXPECT_EQ(count, told.fields.size()) << row.id;
    // What the row says of reserved bits is a note.
    if (row.expected.find("RES0") != std::string::npos) {
      EXPECT_THAT(told.notes, testing::Contains(testing::HasSubstr("reserved bits"))) << row.id;
    }
    if (row.expected.find("UNKNOWN") != std::string::npos) {
      EXPECT_THAT(told.notes, testing::Contains(testing::HasSubstr("UNKNOWN"))) << row.id;
    }
    if (row.expected.find("doorbell") != std::string::npos) {
      EXPECT_THAT(told.notes, testing::Contains(testing::HasSubstr("doorbell"))) << row.id;
    }
    ++seen;
  }
  EXPECT_EQ(12u, seen);
}

std::string word(summary type) { return std::string(text::name(type)); }
std::string say(memory_attributes const& a) { return word(summarize(a)) + " " + std::string(text::name(a.sh)); }
std::string say(stream_answer const& a) {
  if (a.result.event) {
    u8 const id = static_cast<u8>(a.result.event->id);
    std::string const number = text::hex(id);
    return std::string(smmu_event_kind_of(id).name) + " 0x" + (number.size() < 4 ? "0" : "") + number.substr(2);
  }
  if (a.result.outcome == stream_outcome::aborted) return "abort, no event";
  return say(a.result.chain.output);
}

memory_attributes const wb_ish = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
memory_attributes const nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

smmu_ste cdtable(u8 s1dss) {
  return smmu_ste{{{0xf800'0000'0000'002b, 0x1800'00d4}}}
      .with<e::s1contextptr>(0xf0f0'f0f0'f0c0 >> 6)
      .with<e::s1dss>(s1dss);
}
std::string say(entry_update const& u) {
  return (u.hitless ? "hitless, " : "not hitless, ") + std::to_string(u.syncs) + (u.syncs == 1 ? " sync" : " syncs");
}

// What each configuration and attribute row asks, put to the library. A row begins with what it answers.
std::map<std::string, std::function<std::string()>> const answers{
    {"T1",
     [] {
       return text::tell(smmu_ste{{{0x9, 0x1000'0000'0000}}}) == "valid, Config 100 bypass, SHCFG incoming"
                  ? "valid, Config 100 bypass; SHCFG incoming"
                  : "";
     }},
    {"T2", [] { return text::tell(smmu_ste{{{0x1}}}); }},
    {"T3",
     [] {
       std::string const told = text::tell(smmu_ste{{{0xf800'f0f0'f0f0'f0eb, 0x1800'00d6}}});
       EXPECT_EQ(
           "valid, Config 101 stage 1, S1Fmt 10, S1CDMax 31, CDs at 0xf0f0f0f0f0c0 WB RA ISH, S1DSS 10, S1STALLD, "
           "EATS 01, STRW EL1",
           told);
       return "S1" + told.substr(told.find(", S1Fmt"));
     }},
    {"T5",
     [] {
       return say(plan_update(smmu_ste{{{0x9, 0x1000'0000'0000}}}, smmu_ste{{{0x1}}}));
     }},
    {"T7", [] { return say(plan_update(cdtable(2), cdtable(1))); }},
    {"T9",
     [] {
       smmu_cd const cd = stream_rig(smmu_config::stage1).cd;
       return say(plan_update(cd.with<d::asid>(778), cd.with<d::asid>(1997)));
     }},
    {"T10", [] { return say(plan_update(smmu_cd{}, stream_rig(smmu_config::stage1).cd)); }},
    {"T12", [] { return accept_virtual_entry(smmu_ste{{{0xf}}}, {}).error == policy_errno::eio ? "-EIO" : "taken"; }},
    {"T14",
     [] {
       virtual_entry const v = accept_virtual_entry(smmu_ste{}, {});
       return v && v.physical == smmu_config::abort && text::tell(v.ste) == "valid, Config 000: abort, no event"
                  ? "accepted; physical STE aborts"
                  : "";
     }},
    {"A1",
     [] {
       stream_rig rig(smmu_config::bypass);
       rig.unit.cr0 = {};
       rig.unit.gbpa = smmu_gbpa{}.with<smmu_gbpa::shcfg>(0b01);
       std::string const inner = say(rig.run({.pcie = true}));
       rig.unit.choices.pcie = shareability::outer;
       EXPECT_EQ("Normal-WB OSH", say(rig.run({.pcie = true})));
       return inner + " or OSH (system fixed)";
     }},
    {"A2", [] { return say(stream_rig(smmu_config::bypass).run()); }},
    {"A3",
     [] {
       stream_rig rig(smmu_config::bypass);
       rig.ste = rig.ste.with<e::mtcfg>(true).with<e::memattr>(0b0101).with<e::shcfg>(0b11);
       return say(rig.run());
     }},
    {"A5",
     [] {
       stream_rig rig(smmu_config::stage1);
       rig.ste = rig.ste.with<e::mtcfg>(true).with<e::memattr>(0b0001);
       return say(rig.run());
     }},
    {"A6", [] { return say(stream_rig(smmu_config::stage2).run({.incoming = wb_ish})); }},
    {"A8", [] { return say(stream_rig(smmu_config::stage2).run({.incoming = nc})); }},
    {"A9",
     [] {
       stream_rig rig(smmu_config::stage2);
       rig.ste = rig.ste.with<e::s2fwb>(true);
       rig.map2(0x6, 0b11);
       stream_answer const a = rig.run({.incoming = nc});
       EXPECT_EQ(stream_choice::fwb_shareability, a.result.consulted[0]);
       return word(summarize(a.result.chain.output));
     }},
    {"A11",
     [] {
       stream_rig rig(smmu_config::nested);
       rig.ste = rig.ste.with<e::s2fwb>(true);
       rig.map1(2, 0b11);
       rig.map2(0x6, 0b11);
       return word(summarize(rig.run().result.chain.output));
     }},
    {"A13",
     [] {
       stream_rig rig(smmu_config::stage2);
       rig.ste = rig.ste.with<e::s2fwb>(true);
       rig.map2(0x6, 0b11);
       return say(rig.run({.no_snoop = true, .incoming = nc}));
     }},
    {"A15",
     [] {
       stream_rig rig(smmu_config::stage2);
       rig.map2(0x1, 0b11);
       return say(rig.run({.incoming = normal_memory(write_back_rw, non_cacheable, shareability::inner)}));
     }},
    {"A17",
     [] {
       stream_rig rig(smmu_config::stage2);
       rig.map2(0x0, 0b11);
       return word(summarize(rig.run({.incoming = device_memory(device_kind::nGnRE)}).result.chain.output));
     }},
    {"A18",
     [] {
       stream_rig rig(smmu_config::nested);
       rig.ste = rig.ste.with<e::s1cdmax>(2).with<e::s1dss>(0b01);
       stream_answer const a = rig.run({.incoming = wb_ish});
       EXPECT_FALSE(a.configuration.cd);
       return "as Config 110: " + say(a) + ", no CD fetch";
     }},
    {"A20", [] { return say(stream_rig(smmu_config::stage2).run({}, 1)); }},
    {"A21", [] { return say(stream_rig(smmu_config::abort).run()); }},
    {"A23",
     [] {
       stream_rig rig(smmu_config::stage1);
       rig.ste = rig.ste.with<e::eats>(1).with<e::mtcfg>(true).with<e::memattr>(0b0001);
       stream_answer const a = rig.run({.pcie = true, .translated = true});
       EXPECT_EQ("Normal-WB ISH", say(a));
       EXPECT_EQ(stream_choice::ats_attributes, a.result.consulted[1]);
       return "MTCFG ignored";
     }},
    {"A25",
     [] {
       stream_rig rig(smmu_config::stage2);
       rig.ste = rig.ste.with<e::eats>(2);
       stream_answer const a = rig.run();
       return "STE ILLEGAL: " + std::string(smmu_event_kind_of(static_cast<u8>(a.result.event->id)).name);
     }},
    {"A26", [] { return word(summarize(decode_cd_mair(0x05, shareability::inner))); }},
    {"A28",
     [] {
       stream_rig rig(smmu_config::bypass);
       rig.ste = rig.ste.with<e::shcfg>(0b11);
       rig.unit.choices.pcie = shareability::outer;
       stream_answer const applied = rig.run({.pcie = true});
       EXPECT_EQ("Normal-WB ISH", say(applied));
       EXPECT_EQ(stream_choice::overrides_reach_pcie, applied.result.consulted[1]);
       rig.unit.choices.overrides_reach_pcie = false;
       EXPECT_EQ("Normal-WB OSH", say(rig.run({.pcie = true})));
       return "IMPDEF whether applied";
     }},
    {"A29",
     [] {
       stream_rig rig(smmu_config::bypass);
       rig.ste = rig.ste.with<e::instcfg>(0b11);
       return rig.run({.op = stream_operation::write, .instruction = true}).result.instruction ? "Instruction" : "Data";
     }},
};

TEST(SmmuTable, ConfigurationsAndAttributes) {
  unsigned seen = 0;
  for (smmu_row const& row : golden()) {
    if (row.kind == "event") continue;
    SCOPED_TRACE(row.id + " " + row.input);
    auto const found = answers.find(row.id);
    ASSERT_NE(answers.end(), found) << "a row that nobody asks";
    std::string const said = found->second();
    EXPECT_FALSE(said.empty());
    EXPECT_THAT(row.expected, testing::HasSubstr(said));
    ++seen;
  }
  EXPECT_EQ(28u, seen);
}

TEST(DecodeSmmu, TakesOneToAllWords) {
  text::explanation const one = text::decode("event", "0x0000310200000010", {});
  EXPECT_EQ(1u, one.fields.size());
  EXPECT_THAT(one.notes, testing::Contains(testing::HasSubstr("1 of 4 words")));
  EXPECT_EQ(2u, text::decode("ste", "0x9 0x100000000000", {}).fields.size());
  EXPECT_EQ(8u, text::decode("cd", "1 2 3 4 5 6 7 8", {}).fields.size());
  EXPECT_THROW(text::decode("event", "1 2 3 4 5", {}), std::exception);
  EXPECT_THROW(text::decode("event", "", {}), std::exception);
  EXPECT_THROW(text::decode("ste", "zebra", {}), std::exception);
}

}  // namespace
}  // namespace vmsa::explain_smmu_test
