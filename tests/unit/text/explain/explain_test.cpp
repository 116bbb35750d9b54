// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/arch/stage2_descriptor.hpp"

namespace explain_test {
namespace {

using namespace vmsa;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using text::explain;
using text::explained_field;
using text::explanation;

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
  EXPECT_EQ(e.summary, "stage 2 level 3 page of 4K at 0x100000000: Normal-NC, RW, execute-never, inner shareable, AF");
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
// The manual's two MemAttr tables [Stage 2 memory attributes, without and with FEAT_S2FWB].
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
  EXPECT_EQ(e.summary,
            "stage 1 level 3 page of 4K at 0x40000000: MAIR_EL1.Attr1, RW, execute-never, inner shareable, "
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

struct stage1_row {
  u64 raw;
  text::descriptor_reading reading;
  char const* rights;  // of EL1 and EL0
  char const* summary;
};

TEST(ExplainDescriptor, StageOneSaysWhatIsEffective) {
  auto const s1 = [](std::optional<bool> wxn = {}, std::optional<bool> pan = {}, u64 tables = 0) {
    text::descriptor_reading r{.of = stage::one, .ds = false};
    r.wxn = wxn;
    r.pan = pan;
    r.tables_above = tables;
    return r;
  };
  // [S1DirectBasePermissions and the manual's table of Data access permissions and execute-never]
  stage1_row const rows[] = {
      {0x4000'0743, s1(), "rw- rwx", "RW, execute at EL0 only"},  // AP=01: EL0 writes, so EL1 never executes
      {0x4000'0703, s1(), "rwx --x", "RW at EL1, no access at EL0, execute"},
      {0x4000'07c3, s1(), "r-x r-x", "RO, execute"},
      {0x4000'0783, s1(), "r-x --x", "RO at EL1, no access at EL0, execute"},
      {0x4000'0703, s1(true), "rw- --x", "execute at EL0 only"},  // WXN: EL1 writes
      {0x4000'0743, s1(true), "rw- rw-", "RW, execute-never"},    // WXN at EL0 too
      {0x4000'0743, s1({}, true), "--- rwx", "no access at EL1, RW at EL0"},
      {0x4000'0743, s1({}, {}, u64{0b01} << 61), "rwx --x", "RW at EL1, no access at EL0"},  // APTable[0]
      {0x4000'0743, s1({}, {}, u64{0b10} << 61), "r-x r-x", "RO, execute"},                  // APTable[1]
      {0x4000'07c3, s1({}, {}, u64{1} << 60), "r-x r--", "execute at EL1 only"},             // UXNTable
      {0x4000'07c3, s1({}, {}, u64{1} << 59), "r-- r-x", "execute at EL0 only"},             // PXNTable
  };
  for (stage1_row const& row : rows) {
    explanation const e = explain(descriptor{row.raw}, row.reading);
    std::string rights;
    for (auto const& [key, value] : e.facts)
      if (key == "el1" || key == "el0") rights += (rights.empty() ? "" : " ") + std::get<std::string>(value);
    EXPECT_EQ(rights, row.rights) << std::hex << row.raw;
    EXPECT_THAT(e.summary, HasSubstr(row.summary)) << std::hex << row.raw;
  }
  EXPECT_THAT(explain(descriptor{0x4000'0743}, s1()).notes,
              testing::Contains(HasSubstr("EL0 may write it, so EL1 may not execute it")));
}

TEST(ExplainDescriptor, WhatIsReservedIsSaidInTheSummary) {
  text::processor plain;
  plain.has = features{};
  plain.said = true;
  EXPECT_THAT(explain(descriptor{0x4000'07d3}, exact).summary, HasSubstr("(reserved without FEAT_MTE_PERM)"));
  EXPECT_THAT(explain(descriptor{0x4000'07d3}, {.fwb = false, .ds = false, .on = plain}).summary,
              HasSubstr("reserved memory type"));
  EXPECT_THAT(explain(descriptor{0x4000'07d3}, {.fwb = true, .ds = false}).summary, HasSubstr("reserved memory type"));
  EXPECT_THAT(explain(descriptor{0x0020'0000'4000'07ff}, {.fwb = false, .ds = false, .on = plain}).summary,
              HasSubstr("RW, execute, "));
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
  EXPECT_EQ(
      explain(esr_el2{{0x8200'0087}}).summary,
      "instruction abort from a lower EL, instruction fetch, translation fault, level 3, on a stage 1 table access");
  EXPECT_THAT(explain(esr_el2{{0x5a00'0000}}).summary, StartsWith("HVC in AArch64 state"));
  expect_complete(explain(esr_el2{{0x9381'0006}}), "");
  expect_complete(explain(esr_el2{{0x8200'0087}}), "");
  expect_complete(explain(esr_el2{{~u64{0}}}), "");
}

struct esr_row {
  u64 raw;
  char const* summary;
};

// One row for each layout of ISS: values built by hand from the manual's tables.
constexpr esr_row esr_rows[] = {
    {0xbe00'0411, "SError interrupt, asynchronous error, unrecoverable state (UEU)"},
    {0xbe00'0011, "SError interrupt, asynchronous error, uncontainable (UC)"},
    {0xbe00'0a11, "SError interrupt, asynchronous error, restartable state (UEO), external abort type 1 (EA)"},
    {0xbe00'1811, "SError interrupt, asynchronous error, corrected (CE)"},
    {0xbe00'0000, "SError interrupt, uncategorized error"},
    {0xbf00'0002, "SError interrupt, IMPLEMENTATION DEFINED syndrome 0x2 (IDS)"},
    {0x9752'3050, "data abort from the same EL, write, synchronous external abort"},
    {0x0600'0000 | u64{1} << 20 | 2, "WFI, WFE, WFIT or WFET trapped, WFIT"},
    {0x5600'0001, "SVC in AArch64 state, immediate 0x1"},
    {0x5a00'4a48, "HVC in AArch64 state, immediate 0x4a48"},
    {0x5e00'0000, "SMC in AArch64 state, immediate 0x0"},
    {0x6200'0000 | u64{3} << 20 | u64{1} << 10 | u64{2} << 5, "MSR SCTLR_EL1, x2"},
    {0x6200'0000 | u64{3} << 20 | u64{7} << 17 | u64{3} << 14 | u64{9} << 10 | u64{5} << 5 | 1, "MRS x5, S3_3_C9_C0_7"},
    {0x6200'0000 | u64{1} << 20 | u64{2} << 17 | u64{7} << 10 | u64{6} << 1, "DC ISW, x0"},
    {0xf200'0800, "BRK in AArch64 state, comment 0x800, Linux: BUG or WARN"},
    {0xd200'0062, "watchpoint from a lower EL, write"},
    {0xd60a'0022, "watchpoint from the same EL, read, watchpoint 2"},
    {0x9e00'0000 | u64{1} << 24 | u64{1} << 18, "memory copy or set exception, SET, taken in the epilogue"},
    {0xb600'0002, "guarded control stack exception, RET with the A key: a return did not find"},
    {0xb610'0000, "guarded control stack exception, a lock of the exception return state"},
    {0x7a00'0000 | u64{0b001101} << 14 | 0x28,
     "granule protection check exception, read, granule protection fault, GPT level 1"},
    {0x7200'0003, "pointer authentication failure, data B key"},
    {0x3600'0001, "branch target exception, BTYPE 0b01"},
    {0xb280'0002, "floating-point exception in AArch64 state, divide by zero"},
    {0x2a00'0002, "LD64B or ST64B"},
};

TEST(ExplainSyndrome, EveryLayoutOfIss) {
  for (esr_row const& row : esr_rows) {
    explanation const e = explain(esr_el2{{row.raw}});
    EXPECT_THAT(e.summary, HasSubstr(row.summary)) << std::hex << row.raw;
    EXPECT_THAT(e.summary, testing::Not(HasSubstr("no memory was hit"))) << std::hex << row.raw;
  }
}

TEST(ExplainSyndrome, EveryClassNamesEveryBit) {
  for (u64 ec = 0; ec < 64; ++ec)
    for (u64 const rest : {u64{0}, ~u64{0}, u64{0x0155'5555}, u64{0xaaaa'aa00'02aa'aaaa}})
      expect_complete(explain(esr_el2{{(rest & ~(u64{0x3f} << 26)) | ec << 26}}), "");
}

TEST(ExplainSyndrome, SecondSyndrome) {
  explanation const e = explain(esr_el2{{0x9200'004f | u64{0b1'1011'1110'0101} << 32}});
  EXPECT_EQ(meaning(e, "HDBSSF"), "the dirty state structure (HDBSS) was full or in error");
  EXPECT_EQ(find(e.fields, "TnD")->value, 0u);
  EXPECT_THAT(meaning(e, "TagAccess"), HasSubstr("NoTagAccess"));
  EXPECT_THAT(meaning(e, "Overlay"), HasSubstr("overlay"));
  EXPECT_THAT(meaning(e, "DirtyBit"), HasSubstr("clean"));
  EXPECT_THAT(meaning(explain(esr_el2{{0x9200'0035 | u64{3} << 32}}), "Xs"), HasSubstr("x3"));
}

TEST(ExplainRegisters, AddressesOfFaultsAndTables) {
  EXPECT_THAT(explain(hpfar_el2{{0x20'0000}}).summary, StartsWith("IPA 0x20000000,"));
  EXPECT_EQ(explain(vttbr_el2{{0x0007'0000'8000'0001}}).summary, "VMID 7, table at 0x80000000, CnP");
  EXPECT_THAT(explain(vttbr_el2{{0x0007'0000'8000'0004}}).summary,
              HasSubstr("0x1000080000000 where bases have 52 bits"));
  EXPECT_EQ(explain(par_el1{0xff00'0000'8000'0b80}).summary, "PA 0x80000000, Normal-WB, inner shareable");
  EXPECT_EQ(explain(par_el1{0xb0d}).summary, "failed: stage 2 translation fault, level 2, on a stage 1 table access");
  EXPECT_THAT(explain(par_el1{0xe000'0000'8000'0b80}).summary, HasSubstr("NoTagAccess"));
}

TEST(ExplainRegisters, VtcrIsAGeometryOrAReason) {
  explanation const e = explain(vtcr_el2{{0x8002'3558}});
  EXPECT_EQ(e.summary,
            "4K granule, 40-bit IPA, start level 1, 40-bit output; root: 2 tables concatenated, 8192 bytes, "
            "aligned to 8192");
  EXPECT_THAT(explain(vtcr_el2{{0x8002'3518}}).summary, StartsWith("invalid: the start level cannot resolve"));
  expect_complete(e, "");
}

struct judged_row {
  u64 raw;
  u8 pa_bits;
  char const* summary;
  char const* note;
};

text::processor with_pa(u8 bits) {
  text::processor m;
  m.has.pa_bits = bits;
  return m;
}

TEST(ExplainRegisters, VtcrIsJudgedForAMachine) {
  judged_row const rows[] = {
      {0x8005'3590, 40, "invalid: the input address space is larger than the machine's; the start level needs a larger",
       ""},
      {0x8005'3590, 48, "4K granule, 48-bit IPA, start level 0", "needs physical addresses of 48 bits at least"},
      {0x8005'3590, 52, "4K granule, 48-bit IPA, start level 0", "needs physical addresses of 48 bits at least"},
      {0x8002'3558, 40, "40-bit IPA, start level 1", "needs physical addresses of 40 bits at least"},
      {0x8002'f558, 40, "TG0 is reserved", "TG0 0b11 is reserved"},
  };
  for (judged_row const& row : rows) {
    explanation const e = explain(vtcr_el2{{row.raw}}, with_pa(row.pa_bits));
    EXPECT_THAT(e.summary, HasSubstr(row.summary)) << int{row.pa_bits};
    EXPECT_THAT(e.notes, testing::Contains(HasSubstr(row.note))) << int{row.pa_bits};
  }
}

TEST(ExplainRegisters, TcrIsJudgedLikeVtcr) {
  judged_row const rows[] = {
      {0x0, 52, "TTBR0 invalid: the input address space is larger", "T0SZ 0: a 64-bit VA is out of reach"},
      {0x0, 52, "TTBR1 invalid: the input address space is larger", "TG1 0b00 is reserved"},
      {0x6'5b51'350c, 52, "TTBR0 invalid: the input address space is larger", "52 bits need DS=1"},
      {0x5'b510'f510, 48, "TTBR0 48-bit VA, 4K granule (TG reserved)", "TG0 0b11 is reserved"},
      {0x5'b510'3510, 40, "TTBR0 48-bit VA, 4K granule, start level 0", "IPS asks for 48 bits"},
      {0x0800'0005'b50c'350c, 52, "TTBR0 52-bit VA, 4K granule, start level -1", "every feature"},
  };
  for (judged_row const& row : rows) {
    explanation const e = explain(tcr_el1{{row.raw}}, with_pa(row.pa_bits));
    EXPECT_THAT(e.summary, HasSubstr(row.summary)) << std::hex << row.raw;
    EXPECT_THAT(e.notes, testing::Contains(HasSubstr(row.note))) << std::hex << row.raw;
  }
}

TEST(ExplainRegisters, ResetPatternsOfKvmAreNoTranslation) {
  for (u64 const raw : {u64{0x1d00'0c7e'dbad'c0de}, u64{0x1de7'ec7e'dbad'c0de}}) {
    explanation const e = explain(par_el1{raw});
    EXPECT_THAT(e.summary, StartsWith("nothing was translated: KVM's pattern"));
    EXPECT_EQ(e.facts.front(), (explanation::fact{"ok", false}));
  }
  EXPECT_THAT(explain(par_el1{0xff00'0000'8000'0380}).summary, StartsWith("no AT instruction wrote this"));
}

TEST(ExplainRegisters, HostModeHasNoStage2) {
  explanation const host = explain(hcr_el2{{0x4'8800'0001}});
  EXPECT_THAT(host.summary, StartsWith("host mode (E2H and TGE): stage 2 is not used"));
  EXPECT_EQ(host.facts.front(), (explanation::fact{"stage2", false}));
  EXPECT_THAT(explain(hcr_el2{{0x1}}).summary, HasSubstr("EL1 is AArch32"));
  EXPECT_THAT(explain(hcr_el2{{0x8800'0001}}).summary, StartsWith("stage 2 on"));
}

TEST(ExplainRegisters, ControlRegisters) {
  EXPECT_EQ(explain(hcr_el2{{0x0000'4000'8000'0001}}).summary, "stage 2 on, VM, FWB");
  EXPECT_EQ(explain(hcr_el2{{0x8000'0000}}).summary, "stage 2 off");
  EXPECT_EQ(explain(tcr_el1{{0x0000'0005'b510'3510}}).summary,
            "TTBR0 48-bit VA, 4K granule, start level 0; TTBR1 48-bit VA, 4K granule, start level 0; IPA 48 bits");
  expect_complete(explain(hcr_el2{{~u64{0}}}), "");
  expect_complete(explain(tcr_el1{{~u64{0}}}), "");
}

}  // namespace
}  // namespace explain_test
