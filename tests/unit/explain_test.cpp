// SPDX-License-Identifier: MIT
#include "vmsa/text/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/arch/stage2_descriptor.hpp"

namespace {

using namespace vmsa;
using text::explain;
using text::explained_field;
using text::explanation;
using ::testing::HasSubstr;
using ::testing::StartsWith;

explained_field const* find(std::vector<explained_field> const& fields, std::string_view name,
                            std::string_view when = "") {
  for (explained_field const& f : fields)
    if (f.name == name && f.when == when) return &f;
  return nullptr;
}

std::string meaning(explanation const& e, std::string_view name, std::string_view when = "") {
  explained_field const* const f = find(e.fields, name, when);
  return f == nullptr ? "no such field" : f->meaning;
}

text::descriptor_reading const exact{.fwb = false, .ds = false};

TEST(ExplainDescriptor, KnownLeaf) {
  explanation const e = explain(descriptor{0x0040'0001'0000'07d7}, exact);
  EXPECT_EQ(e.summary,
            "stage 2 level 3 page of 4K at 0x100000000: Normal-NC, RW, execute-never, inner shareable, AF");
  EXPECT_EQ(meaning(e, "OA"), "0x100000000");
  EXPECT_EQ(meaning(e, "XN"), "execute-never");
  EXPECT_EQ(find(e.fields, "MemAttr")->parts.size(), 2u);
}

TEST(ExplainDescriptor, ShowsBothReadingsOnlyWhereTheyDiffer) {
  explanation const e = explain(descriptor{0x4000'07df}, {.ds = false});
  EXPECT_THAT(e.summary, HasSubstr("Normal (inner WB, outer NC) (FWB=0) or as stage 1 (FWB=1), RW"));
  EXPECT_THAT(meaning(e, "MemAttr", "FWB=0"), HasSubstr("at most"));
  EXPECT_THAT(meaning(e, "MemAttr", "FWB=1"), StartsWith("as stage 1 says"));
  EXPECT_EQ(meaning(e, "S2AP"), "RW");
  explanation const both = explain(descriptor{0x0002'0000'4000'07ff}, {.fwb = false});
  EXPECT_EQ(meaning(both, "SH", "DS=0"), "inner shareable");
  EXPECT_EQ(meaning(both, "OA", "DS=0"), "0x40000000");
  EXPECT_EQ(meaning(both, "OA", "DS=1"), "0xe000040000000");
  EXPECT_EQ(meaning(both, "RES0", "DS=0"), "reserved: should be zero");
}

struct memattr_row {
  u8 memattr;
  bool fwb;
  char const* says;
};
// shared/facts attributes.md, both MemAttr tables.
constexpr memattr_row memattr_rows[] = {
    {0b0000, false, "Device-nGnRnE"}, {0b0001, false, "Device-nGnRE"}, {0b0010, false, "Device-nGRE"},
    {0b0011, false, "Device-GRE"},    {0b0100, false, "NoTagAccess"},  {0b0101, false, "Normal-NC"},
    {0b0110, false, "inner WT"},      {0b0111, false, "inner WB"},     {0b1000, false, "reserved"},
    {0b1001, false, "outer WT"},      {0b1010, false, "Normal-WT"},    {0b1011, false, "outer WT"},
    {0b1100, false, "reserved"},      {0b1101, false, "outer WB"},     {0b1110, false, "outer WB"},
    {0b1111, false, "Normal-WB"},     {0b0000, true, "Device-nGnRnE"}, {0b0001, true, "Device-nGnRE"},
    {0b0010, true, "Device-nGRE"},    {0b0011, true, "Device-GRE"},    {0b0100, true, "reserved"},
    {0b0101, true, "Normal-NC"},      {0b0110, true, "Normal-WB"},     {0b0111, true, "as stage 1"},
    {0b1000, true, "Device-nGnRnE"},  {0b1001, true, "Device-nGnRE"},  {0b1010, true, "Device-nGRE"},
    {0b1011, true, "Device-GRE"},     {0b1100, true, "reserved"},      {0b1101, true, "Normal-NC"},
    {0b1110, true, "NoTagAccess"},    {0b1111, true, "NoTagAccess"},
};

TEST(ExplainDescriptor, EveryMemAttr) {
  for (memattr_row const& row : memattr_rows) {
    descriptor const d{0x4000'07c3u | u64{row.memattr} << 2};
    explanation const e = explain(d, {.fwb = row.fwb, .ds = false});
    EXPECT_THAT(meaning(e, "MemAttr"), HasSubstr(row.says)) << int{row.memattr} << " fwb " << row.fwb;
  }
}

TEST(ExplainDescriptor, TablesInvalidAndReserved) {
  EXPECT_EQ(explain(descriptor{0x4000'0003}, {.at = level::l1, .ds = false}).summary,
            "stage 2 level 1 table at 0x40000000");
  EXPECT_THAT(explain(descriptor{0x4000'07fe}, exact).summary, HasSubstr("invalid"));
  EXPECT_THAT(explain(descriptor{0x4000'07fd}, exact).summary, HasSubstr("reserved"));
  EXPECT_THAT(explain(descriptor{0x0000'0000'0000'07fd}, {.at = level::l0, .fwb = true}).summary,
              HasSubstr("DS=0: reserved (this level holds no block): translation fault; DS=1: block of 512G at 0x"));
  EXPECT_THAT(explain(descriptor{0x20'f001 | 0x400}, {.at = level::l2, .tg = granule::k64}).summary,
              HasSubstr("block of 512M at 0x0 (LPA=0) or 0xf000000000000 (LPA=1)"));
}

TEST(ExplainDescriptor, StageOne) {
  explanation const e = explain(descriptor{0x0060'0000'4000'0f47}, {.of = stage::one, .ds = false});
  EXPECT_EQ(e.summary, "stage 1 level 3 page of 4K at 0x40000000: MAIR_EL1.Attr1, RW, execute-never, inner shareable, "
                       "AF, not global");
}

// In each reading the rows name all 64 bits, none twice.
void expect_complete(explanation const& e, std::string_view when) {
  u64 seen = 0;
  for (explained_field const& f : e.fields) {
    if (!f.when.empty() && f.when.find(when) == std::string::npos) continue;
    EXPECT_EQ(seen & bit_mask(f.high, f.low), 0u) << f.name;
    EXPECT_EQ(f.value, (e.value & bit_mask(f.high, f.low)) >> f.low) << f.name;
    seen |= bit_mask(f.high, f.low);
    for (explained_field const& p : f.parts) EXPECT_TRUE(p.high <= f.high && p.low >= f.low) << f.name;
  }
  EXPECT_EQ(seen, ~u64{0});
}

TEST(ExplainDescriptor, NamesEveryBitInEveryReading) {
  for (stage const of : {stage::one, stage::two})
    for (granule const tg : {granule::k4, granule::k16, granule::k64})
      for (int l = -1; l <= 3; ++l)
        for (u64 const raw : {0x0ull, 0x1ull, 0x3ull, ~0ull, 0xaaaa'aaaa'aaaa'aaabull, 0x5555'5555'5555'5555ull}) {
          text::descriptor_reading reading{.of = of, .at = static_cast<level>(l), .tg = tg, .fwb = true};
          for (descriptor_format const& f : possible_formats(reading)) {
            bool const wide = f.ds || f.lpa;
            reading.ds = wide;
            reading.lpa = wide;
            expect_complete(explain(descriptor{raw}, reading), "");
          }
        }
  expect_complete(explain(descriptor{~u64{0}}, {.fwb = true}), "DS=0");
  expect_complete(explain(descriptor{~u64{0}}, {.fwb = true}), "DS=1");
}

TEST(ExplainMair, BytesThatOthersGetWrong) {
  EXPECT_EQ(text::explain_mair_byte(0x40).summary, "Normal-NC, XS=0 (needs FEAT_XS)");
  EXPECT_EQ(text::explain_mair_byte(0xa0).summary, "Normal-WT (WT-R), XS=0 (needs FEAT_XS)");
  EXPECT_EQ(text::explain_mair_byte(0xf0).summary, "Normal-WB, Tagged (needs FEAT_MTE2)");
  EXPECT_EQ(text::explain_mair_byte(0x11).summary, "Normal-WT (WT-W-T)");
  EXPECT_EQ(text::explain_mair_byte(0x02).summary, "reserved (CONSTRAINED UNPREDICTABLE)");
  EXPECT_THAT(text::explain_mair_byte(0x41).fields.front().parts.at(1).meaning,
              StartsWith("WT-W-T: Write-Through transient, write-allocate"));
}

TEST(ExplainMair, RegisterHoldsEightBytes) {
  explanation const e = explain(mair_el1{{0x0004'0844'bb40'00ff}});
  EXPECT_EQ(meaning(e, "Attr0"), "Normal-WB");
  EXPECT_EQ(meaning(e, "Attr2"), "Normal-NC, XS=0 (needs FEAT_XS)");
  EXPECT_EQ(meaning(e, "Attr5"), "Device-nGRE");
  expect_complete(e, "");
}

TEST(ExplainSyndrome, DataAbort) {
  EXPECT_EQ(explain(esr_el2{{0x9381'0006}}).summary,
            "data abort from a lower EL, 32-bit load to w1, translation fault, level 2");
  EXPECT_EQ(explain(esr_el2{{0x93e2'804f}}).summary,
            "data abort from a lower EL, 64-bit store from x2, sign-extended, permission fault, level 3");
  EXPECT_EQ(explain(esr_el2{{0x9200'002b}}).summary, "data abort from a lower EL, read, translation fault, level -1");
  EXPECT_EQ(explain(esr_el2{{0x8200'0087}}).summary,
            "instruction abort from a lower EL, instruction fetch, translation fault, level 3, on a stage 1 table access");
  EXPECT_THAT(explain(esr_el2{{0x5a00'0000}}).summary, StartsWith("HVC in AArch64 state"));
  expect_complete(explain(esr_el2{{0x9381'0006}}), "");
  expect_complete(explain(esr_el2{{0x8200'0087}}), "");
  expect_complete(explain(esr_el2{{~u64{0}}}), "");
}

TEST(ExplainRegisters, AddressesOfFaultsAndTables) {
  EXPECT_THAT(explain(hpfar_el2{{0x20'0000}}).summary, StartsWith("IPA 0x20000000,"));
  EXPECT_EQ(explain(vttbr_el2{{0x0007'0000'8000'0001}}).summary, "VMID 7, table at 0x80000000, CnP");
  EXPECT_THAT(explain(vttbr_el2{{0x0007'0000'8000'0004}}).summary, HasSubstr("0x1000080000000 where bases have 52 bits"));
  EXPECT_EQ(explain(par_el1{0xff00'0000'8000'0b80}).summary, "PA 0x80000000, Normal-WB, inner shareable");
  EXPECT_EQ(explain(par_el1{0xb0d}).summary, "failed: stage 2 translation fault, level 2, on a stage 1 table access");
  EXPECT_THAT(explain(par_el1{0xe000'0000'8000'0b80}).summary, HasSubstr("NoTagAccess"));
}

TEST(ExplainRegisters, VtcrIsAGeometryOrAReason) {
  explanation const e = explain(vtcr_el2{{0x8002'3558}});
  EXPECT_EQ(e.summary, "4K granule, 40-bit IPA, start level 1, 40-bit output; root: 2 tables concatenated, 8192 bytes, "
                       "aligned to 8192");
  EXPECT_THAT(explain(vtcr_el2{{0x8002'3518}}).summary, StartsWith("invalid: the start level cannot resolve"));
  expect_complete(e, "");
}

TEST(ExplainRegisters, ControlRegisters) {
  EXPECT_EQ(explain(hcr_el2{{0x0000'4000'8000'0001}}).summary, "stage 2 on, VM, FWB");
  EXPECT_EQ(explain(hcr_el2{{0}}).summary, "stage 2 off");
  EXPECT_EQ(explain(tcr_el1{{0x0000'0005'b510'3510}}).summary,
            "TTBR0 48-bit VA, 4K granule; TTBR1 48-bit VA, 4K granule; IPA 48 bits");
  expect_complete(explain(hcr_el2{{~u64{0}}}), "");
  expect_complete(explain(tcr_el1{{~u64{0}}}), "");
}

TEST(Explain, TextAlignsAndJsonNests) {
  explanation const e = text::explain_mair_byte(0x04);
  EXPECT_EQ(text::to_text(e), "mair 0x4: Device-nGnRE\n\n"
                              "  7:0    Attr    0b00000100  Device-nGnRE\n"
                              "    7:4  Device  0b0000\n"
                              "    3:2  kind    0b01        nGnRE\n"
                              "    1:0  XS      0b00        XS=1\n");
  EXPECT_THAT(text::to_json({e}), StartsWith("{\n  \"kind\": \"mair\",\n  \"value\": \"0x4\",\n"));
  EXPECT_THAT(text::to_json({e, e}), StartsWith("[\n"));
}

}  // namespace
