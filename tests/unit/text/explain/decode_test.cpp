// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"

namespace decode_test {
namespace {

using vmsa::text::decode;
using vmsa::text::decode_options;
using vmsa::text::input_error;

TEST(Decode, ReadsHexadecimalWithOrWithoutPrefix) {
  EXPECT_EQ(decode("hcr", "0x80000001", {}).value, 0x8000'0001u);
  EXPECT_EQ(decode("hcr", " 80000001\r", {}).value, 0x8000'0001u);
  EXPECT_EQ(decode("tcr", "0x0000000000000000000001", {}).value, 1u);
}

TEST(Decode, TakesRegistersNamesInAnyCase) {
  EXPECT_EQ(decode("ESR_EL1", "0x96000047", {}).kind, "esr");
  EXPECT_EQ(decode("vtcr_el2", "VTCR_EL2 : 0x80023558UL", {}).value, 0x8002'3558u);
  EXPECT_EQ(decode("mair", "MAIR_EL1 0xff440c0400 1096358298624", {}).value, 0xff'440c'0400u);
}

TEST(Decode, TwoDigitsOfMairAreOneByte) {
  EXPECT_EQ(decode("mair", "ff", {}).fields.size(), 1u);
  EXPECT_EQ(decode("mair", "0x4", {}).fields.size(), 1u);
  EXPECT_EQ(decode("mair", "0ff", {}).fields.size(), 8u);
  EXPECT_EQ(decode("mair", "0x00ff", {}).fields.size(), 8u);
}

TEST(Decode, TakesALogLine) {
  vmsa::text::explanation const e = decode("pte", "[   12.3] Raw PTE: 0x00400001000007d7 (Level 2, VALID)", {});
  EXPECT_EQ(e.value, 0x0040'0001'0000'07d7u);
  EXPECT_THAT(e.summary, testing::StartsWith("stage 2 level 2 table"));
  EXPECT_THAT(decode("pte", "Raw PTE: 0x7d7 (Level 2, VALID)", {.level = "3"}).summary,
              testing::StartsWith("stage 2 level 3 page"));
}

struct refusal {
  char const* kind;
  char const* value;
  decode_options options;
  char const* problem;
  char const* valid;
};

TEST(Decode, RefusesWithTheValueAndWhatIsValid) {
  refusal const rows[] = {
      {"pgd", "0x1", {}, "no kind \"pgd\"", "pte change mair esr far hpfar par vtcr"},
      {"esr", "0x9381000g", {}, "\"0x9381000g\": \"g\" is no hexadecimal digit", "hexadecimal digits"},
      {"esr", "", {}, "\"\" holds no digits", "hexadecimal digits"},
      {"esr", "0x", {}, "\"0x\" holds no digits", "hexadecimal digits"},
      {"esr", "-1", {}, "\"-\" is no hexadecimal digit", "hexadecimal digits"},
      {"esr", "HCR_EL2=0x1", {}, "\"HCR_EL2=0x1\" is not a value of esr", "ESR_EL2 ESR_EL1 ESR_EL3 HSR"},
      {"esr", "0x1", {.cpu = "cortex-a72"}, "--cpu means nothing for esr", "with vtcr tcr pte"},
      {"vtcr", "0x1", {.cpu = "z80"}, "--cpu \"z80\"", "cortex-a72"},
      {"vtcr", "0x1", {.pa_bits = "41"}, "--pa-bits \"41\"", "32 36 40 42 44 48 52"},
      {"tcr", "0x1", {.features = {"NONE"}}, "--features \"NONE\"", "LPA2"},
      {"pte", "0x1", {.wxn = "on"}, "controls of stage 1", "with --stage 1"},
      {"esr", "0x10000000000000000", {}, "is wider than 64 bits", "at most 64 bits"},
      {"esr", "0x1", {.level = "3"}, "--level means nothing for esr", "with pte"},
      {"pte", "0x1", {.level = "4"}, "--level \"4\"", "-1 0 1 2 3"},
      {"pte", "0x1", {.level = "3x"}, "--level \"3x\"", "-1 0 1 2 3"},
      {"pte", "0x1", {.level = "0", .granule = "64k"}, "no such level with the 64K granule", "1 2 3"},
      {"pte", "0x1", {.level = "-1", .granule = "16k"}, "no such level with the 16K granule", "0 1 2 3"},
      {"pte", "0x1", {.level = "-1", .ds = "off"}, "no such level with the 4K granule and DS=0", "0 1 2 3"},
      {"pte", "0x1", {.level = "0", .granule = "16k", .ds = "off"}, "no such level", "1 2 3"},
      {"pte", "0x1", {.stage = "3"}, "--stage \"3\"", "1 2"},
      {"pte", "0x1", {.granule = "8k"}, "--granule \"8k\"", "4k 16k 64k"},
      {"pte", "0x1", {.fwb = "maybe"}, "--fwb \"maybe\"", "on off"},
      {"pte", "Raw PTE:", {}, "holds no digits", "hexadecimal digits"},
      {"pte", "Raw PTE: 0x1 (Level 7, VALID)", {}, "--level \"7\"", "-1 0 1 2 3"},
  };
  for (refusal const& row : rows) {
    try {
      (void)decode(row.kind, row.value, row.options);
      ADD_FAILURE() << row.problem << ": accepted";
    } catch (input_error const& error) {
      EXPECT_THAT(error.problem(), testing::HasSubstr(row.problem));
      EXPECT_THAT(error.valid(), testing::HasSubstr(row.valid)) << row.problem;
    }
  }
}

// The field of this name in the reading `when`, or one without a value in any reading.
vmsa::text::explained_field field_of(vmsa::text::explanation const& e, std::string_view name,
                                     std::string_view when = {}) {
  for (vmsa::text::explained_field const& f : e.fields)
    if (f.name == name && f.when == when) return f;
  vmsa::text::explained_field none;
  none.name = "none";
  return none;
}

TEST(Decode, EveryKindExplainsItsExample) {
  for (vmsa::text::decode_kind const& kind : vmsa::text::decode_kinds()) {
    vmsa::text::explanation const e = decode(kind.name, kind.example, {});
    EXPECT_EQ(e.kind, kind.name);
    EXPECT_FALSE(e.summary.empty()) << kind.name;
  }
}

// TCR_EL2 with E2H = 0 has TBI at bit 20, HA at 21 and PS at 18:16, where TCR_EL1 has T1SZ [Arm ARM, TCR_EL2].
TEST(Decode, RegistersOfEl2AreNotReadAsEl1s) {
  vmsa::text::explanation const both = decode("TCR_EL2", "0x80b53519", {});
  EXPECT_EQ(field_of(both, "PS", "E2H=0").value, 0b101u);
  EXPECT_EQ(field_of(both, "HA", "E2H=0").value, 1u);
  EXPECT_EQ(field_of(both, "TBI", "E2H=0").value, 1u);
  EXPECT_EQ(field_of(both, "T1SZ", "E2H=1").value, 0b110101u);
  EXPECT_THAT(both.summary,
              testing::AllOf(testing::HasSubstr("E2H=0: TTBR0 39-bit VA"), testing::HasSubstr("E2H=1: ")));
  vmsa::text::explanation const off = decode("tcr", "TCR_EL2=0x80b53519", {.e2h = "off"});
  EXPECT_EQ(off.fields.front().name, "RES0");
  EXPECT_EQ(field_of(off, "T1SZ").name, "none");
  vmsa::text::explanation const host = decode("tcr_el2", "0x5b5103510", {.e2h = "on"});
  EXPECT_EQ(field_of(host, "T1SZ").value, 16u);
  EXPECT_EQ(field_of(decode("tcr_el3", "0x80803519", {}), "PS").value, 0u);
  EXPECT_EQ(field_of(decode("TCR_EL12", "0x5b5103510", {}), "IPS").value, 0b101u);
  EXPECT_THAT(decode("tcr", "0x5b5103510", {}).notes.back(), testing::HasSubstr("read as TCR_EL1"));
}

TEST(Decode, TableBasesHaveAnAsidWhereTheirRegimeHas) {
  EXPECT_THAT(decode("ttbr", "TTBR0_EL1=0x0042000081234001", {}).summary, "ASID 66, table at 0x81234000, CnP");
  EXPECT_EQ(field_of(decode("TTBR0_EL2", "0x81234000", {.e2h = "off"}), "ASID").name, "none");
  EXPECT_EQ(field_of(decode("TTBR0_EL2", "0x0042000081234000", {.e2h = "on"}), "ASID").value, 0x42u);
  EXPECT_EQ(field_of(decode("TTBR0_EL3", "0x81234000", {}), "ASID").name, "none");
}

TEST(Decode, RefusesARegisterWithoutALayoutByItsName) {
  refusal const rows[] = {
      {"HCR_EL3", "0x1", {}, "vmsa has no layout of HCR_EL3", "HCR_EL2"},
      {"VTCR_EL1", "0x1", {}, "vmsa has no layout of VTCR_EL1", "VTCR_EL2"},
      {"tcr", "TCR_EL0=0x1", {}, "vmsa has no layout of TCR_EL0", "TCR_EL1"},
      {"TTBR1_EL3", "0x1", {}, "vmsa has no layout of TTBR1_EL3", "TTBR0_EL3"},
      {"TCR_EL1", "TCR_EL2=0x1", {}, "is not a value of TCR_EL1", "TCR_EL1 TCR_EL2 TCR_EL3"},
      {"TCR_EL1", "0x1", {.e2h = "on"}, "--e2h means nothing for TCR_EL1", "of EL2"},
      {"mair", "0x1", {.e2h = "on"}, "--e2h means nothing for mair", "with tcr ttbr sctlr tcr2 cptr"},
      {"sctlr", "SCTLR_EL1=0x1", {.e2h = "on"}, "--e2h means nothing for SCTLR_EL1", "of EL2"},
      {"VSTCR_EL1", "0x1", {}, "vmsa has no layout of VSTCR_EL1", "VSTCR_EL2"},
      {"S2PIR_EL1", "0x1", {}, "vmsa has no layout of S2PIR_EL1", "S2PIR_EL2"},
      {"gpt", "0x1", {.level = "2"}, "--level \"2\"", "0 1"},
      {"gpt", "0x1", {.stage = "2"}, "--stage means nothing for gpt", "with pte change"},
      {"gpt", "0x1g", {}, "no hexadecimal digit", "hexadecimal"},
      {"TCR_EL4", "0x1", {}, "no kind \"TCR_EL4\"", "TCR_EL1 TCR_EL2 TCR_EL3"},
      {"tlbi", "0x42100000080001", {}, "every form of TLBI reads it differently", "VAE1IS"},
      {"tlbi", "VAE9IS 0x1", {}, "\"VAE9IS\" is no TLBI instruction", "VAE1IS"},
      {"tlbi", "VMALLE1IS 0x1", {}, "takes no operand", "VAE1IS"},
      {"tlbi", "VAE1IS", {}, "takes an operand", "VAE1IS"},
      {"change", "0x1", {}, "1 descriptors", "the old and the new descriptor"},
      {"change", "0x1 0x3", {.bbm = "3"}, "--bbm \"3\"", "0 1 2"},
      {"pte", "0x1", {.regime = "el4"}, "--regime \"el4\"", "el1&0 el2 el2&0 el3"},
      {"pte", "0x1", {.stage = "2", .regime = "el3"}, "--regime el3 has no stage 2", "realm"},
  };
  for (refusal const& row : rows) {
    try {
      (void)decode(row.kind, row.value, row.options);
      ADD_FAILURE() << row.problem << ": accepted";
    } catch (input_error const& error) {
      EXPECT_THAT(error.problem(), testing::HasSubstr(row.problem));
      EXPECT_THAT(error.valid(), testing::HasSubstr(row.valid)) << row.problem;
    }
  }
}

// DFSR 0x2805: FS 0b00101, WnR and CM, Short-descriptor format [Arm ARM, DFSR, When TTBCR.EAE == 0]. As an ESR_ELx it
// would have EC 0.
TEST(Decode, Aarch32FaultStatusIsNoEsr) {
  EXPECT_EQ(decode("DFSR", "0x2805", {}).summary,
            "write, by cache maintenance, translation fault, level 1, Short-descriptor format");
  EXPECT_EQ(decode("dfsr", "0x1406", {}).summary, "read, SError, Short-descriptor format");
  EXPECT_EQ(decode("dfsr", "0xa07", {}).summary, "write, translation fault, level 3, Long-descriptor format");
  EXPECT_EQ(decode("ifsr", "0xd", {}).summary, "instruction fetch, permission fault, level 1, Short-descriptor format");
  EXPECT_THAT(decode("esr", "0x2805", {}).notes, testing::Contains(testing::HasSubstr("AArch32 DFSR")));
}

// What DFSR has and IFSR has not; and a level 0, which no code of AArch32 names [Arm ARM, DFSR, IFSR].
TEST(Decode, Aarch32FaultStatusHasItsOwnCodes) {
  EXPECT_EQ(decode("ifsr", "0x1", {}).summary, "instruction fetch, PC alignment fault, Short-descriptor format");
  EXPECT_EQ(decode("ifsr", "0x406", {}).summary, "instruction fetch, reserved fault status, Short-descriptor format");
  EXPECT_EQ(decode("dfsr", "0x211", {}).summary, "read, SError, Long-descriptor format");
  EXPECT_EQ(decode("ifsr", "0x211", {}).summary, "instruction fetch, reserved fault status, Long-descriptor format");
  EXPECT_EQ(decode("dfsr", "0x204", {}).summary, "read, reserved fault status, Long-descriptor format");
  EXPECT_EQ(decode("dfsr", "0x200", {}).summary,
            "read, address size fault in the translation table base register, Long-descriptor format");
}

// SCTLR_EL2 with E2H = 0 has no controls of EL0, but bits that read as 1 where EL1's are [Arm ARM, SCTLR_EL2].
TEST(Decode, SystemControlOfEl2HasTwoLayouts) {
  vmsa::text::explanation const both = decode("SCTLR_EL2", "0x30c51835", {});
  EXPECT_EQ(field_of(both, "EPAN", "E2H=1").value, 0u);
  EXPECT_EQ(field_of(both, "EPAN", "E2H=0").name, "none");
  EXPECT_THAT(both.summary, testing::StartsWith("stage 1 on"));  // once: both readings say so
  vmsa::text::explanation const off = decode("SCTLR_EL2", "0x1", {.e2h = "off"});
  EXPECT_EQ(off.fields.front().name, "RES0");
  unsigned zeros = 0;
  for (vmsa::text::explained_field const& f : off.fields) zeros += f.meaning == "reserved: should be ones" ? 1u : 0u;
  EXPECT_EQ(zeros, 5u);  // 29:28, 23, 18, 16, 5:4
}

TEST(Decode, SecureStage2) {
  EXPECT_EQ(decode("VSTCR_EL2", "0x80000058", {}).summary,
            "Secure IPA: 4K granule, 40 bits, start level 1; walks go to Secure memory, output is Secure");
  EXPECT_EQ(decode("vstcr", "0xa0004058", {}).summary,
            "Secure IPA: 64K granule, 40 bits, start level 2; walks go to Non-secure memory, output is Non-secure");
  EXPECT_THAT(decode("vstcr", "0xc0000058", {}).summary,
              testing::EndsWith("walks go to Secure memory, output is Non-secure"));
  EXPECT_THAT(decode("vstcr", "0x58", {}).notes, testing::Contains(testing::HasSubstr("bit 31 is RES1")));
  EXPECT_EQ(decode("VSTTBR_EL2", "0x81234001", {}).summary, "Secure stage 2 table at 0x81234000, CnP");
  EXPECT_THAT(decode("vsttbr", "0x0007000081234000", {}).notes, testing::Contains(testing::HasSubstr("a VMID")));
}

// [Arm ARM, GPCCR_EL3, GPTBR_EL3]
TEST(Decode, GranuleProtectionRegisters) {
  // PPS 40 bits, IRGN and ORGN write-back, SH inner, PGS 4K, GPC.
  vmsa::text::explanation const e = decode("gpccr", "0x13502", {});
  EXPECT_EQ(e.summary, "checks on, 40 bits protected, 4K granules, 1G a level 0 entry");
  EXPECT_TRUE(e.notes.empty());
  EXPECT_EQ(decode("GPCCR_EL3", "0x907509", {}).summary,
            "checks off, 47 bits protected, 64K granules, 512G a level 0 entry");
  EXPECT_THAT(decode("gpccr", "0x1300d", {}).notes,
              testing::ElementsAre(testing::HasSubstr("PPS is reserved"), testing::HasSubstr("Outer Shareable")));
  EXPECT_EQ(decode("gptbr", "0x80000", {}).summary, "level 0 table of granule protection at 0x80000000");
}

// [Arm ARM, GPT formats, GPI field encoding in GPT descriptors]
TEST(Decode, GranuleProtectionEntries) {
  EXPECT_EQ(decode("gpt", "0x91", {}).summary, "Block, level 0: Non-secure, the whole region");
  EXPECT_EQ(decode("gpt", "0x2b1", {}).summary, "Contiguous, level 1: Realm, one of the entries of 32M");
  EXPECT_EQ(decode("gpt", "0x80020003", {}).summary, "Table, level 0: level 1 table at 0x80020000");
  EXPECT_EQ(decode("gpt", "0xffffffffffffffff", {}).summary, "Granules, level 1: sixteen granules, any");
  EXPECT_EQ(decode("gpt", "0xaaaaaaaaaaaaaa98", {}).summary,
            "Granules, level 1: granules 0 Secure, 1 Non-secure, 2 to 15 Root");
  // The same bits are what their level makes of them.
  EXPECT_THAT(decode("gpt", "0x191", {.level = "0"}).notes, testing::Contains("RES0 bits are set: 0x100"));
  EXPECT_THAT(decode("gpt", "0x91", {.level = "1"}).notes, testing::Contains("Contig is reserved"));
  EXPECT_THAT(decode("gpt", "0x99", {.level = "0"}).summary, testing::HasSubstr("invalid"));
  EXPECT_THAT(decode("gpt", "0x99c9999999999999", {}).notes, testing::Contains("GPI13 is reserved"));
  EXPECT_THAT(decode("gpt", "0x80010003", {}).notes, testing::Contains(testing::HasSubstr("not aligned to 128K")));
  EXPECT_THAT(decode("gpt", "0x80008003", {.granule = "16k"}).summary, testing::Not(testing::HasSubstr("invalid")));
  EXPECT_THAT(decode("gpt", "0x41", {}).summary, testing::HasSubstr("System Agent (reserved unless GPCCR_EL3.SA)"));
}

// [Arm ARM, PIR_EL1, POR_EL1, S2PIR_EL2, MAIR2_EL1]
TEST(Decode, PermissionAndAttributeIndices) {
  EXPECT_EQ(decode("PIR_EL1", "0x75c8", {}).summary,
            "base permissions by index: 0 read, overlays do not apply; 1 read, write, overlays do not apply; 2 read, "
            "write; 3 read, write, execute; no access by the others");
  EXPECT_EQ(decode("pire0_el2", "0x9", {}).kind, "pir");
  EXPECT_THAT(decode("pir", "0x6", {}).summary, testing::HasSubstr("execute only while not writable"));
  EXPECT_THAT(decode("pir", "0xb", {}).summary, testing::HasSubstr("0 reserved: no access"));
  EXPECT_EQ(decode("POR_EL0", "0x417", {}).summary,
            "overlay by index: 0 read, write, execute; 1 read; 2 write; no access by the others");
  EXPECT_EQ(field_of(decode("por", "0x8", {}), "Perm0").meaning, "reserved: no access");
  EXPECT_EQ(field_of(decode("S2PIR_EL2", "0xf", {}), "Perm0").meaning,
            "RW+puX: read, write, EL1 executes, EL0 executes");
  EXPECT_THAT(field_of(decode("s2por", "0x7", {}), "Perm0").meaning, testing::StartsWith("MRO-TL01: read; only the "));
  EXPECT_EQ(field_of(decode("s2pir", "0x5", {}), "Perm0").meaning, "reserved: no access");
  EXPECT_THAT(decode("MAIR2_EL1", "0x44ff", {}).summary,
              testing::StartsWith("AttrIndx 8 Normal-WB; AttrIndx 9 Normal-NC; AttrIndx 10 "));
}

TEST(Decode, SavedStateTagsAndSecurityStates) {
  EXPECT_EQ(decode("SPSR_EL2", "0x600003c5", {}).summary, "from AArch64 EL1h, flags -ZC-, masks DAIF");
  EXPECT_THAT(decode("spsr", "0x1d3", {}).summary, testing::StartsWith("from AArch32 Supervisor, A32"));
  EXPECT_EQ(decode("far", "0xb4ff800012345678", {}).summary,
            "VA 0xffff800012345678, upper half (TTBR1), with 0xb4 in the top byte");
  EXPECT_EQ(decode("far", "0x7f00dead", {}).summary, "VA 0x7f00dead, lower half (TTBR0)");
  EXPECT_THAT(decode("scr", "0x4000000000000431", {}).summary, testing::StartsWith("lower levels are Realm"));
  EXPECT_THAT(decode("scr", "0x431", {}).summary, testing::StartsWith("lower levels are Non-secure"));
  EXPECT_THAT(decode("ctr", "0x84448004", {}).summary, "data lines of 64 bytes, instruction lines of 64 bytes");
  EXPECT_THAT(decode("id_aa64mmfr0", "0x101125", {}).summary, testing::StartsWith("48-bit physical addresses, 16-bit"));
}

// TLBI VAE1IS: ASID 63:48, TTL 47:44, VA[55:12] 43:0; RVAE1IS: TG 47:46, SCALE 45:44, NUM 43:39, TTL 38:37, BaseADDR
// [Arm ARM, TLBI VAE1IS, TLBI RVAE1IS].
TEST(Decode, OperandsOfTlbi) {
  EXPECT_EQ(decode("tlbi", "VAE1IS 0x0042700000080001", {}).summary, "VAE1IS, VA 0x80001000 to 0x80001fff, ASID 66");
  EXPECT_EQ(decode("tlbi", "tlbi ipas2e1is, 0x80001", {}).summary, "IPAS2E1IS, IPA 0x80001000 to 0x80001fff");
  EXPECT_EQ(decode("tlbi", "ASIDE1IS=0x42000000000000", {}).summary, "ASIDE1IS, ASID 66");
  EXPECT_EQ(decode("tlbi", "RIPAS2E1IS 0x438000080000", {.ds = "off"}).summary,
            "RIPAS2E1IS, IPA 0x80000000 to 0x8000ffff");
  EXPECT_EQ(decode("tlbi", "VMALLS12E1IS", {}).summary, "VMALLS12E1IS, takes no operand");
}

// Which bits mean what in a regime with one privilege and in Realm state [Arm ARM, VMSAv8-64 descriptor formats].
TEST(Decode, DescriptorsOfOtherRegimes) {
  vmsa::text::explanation const el2 = decode("pte", "0x0040000040000783", {.ds = "off", .regime = "el2"});
  EXPECT_EQ(field_of(el2, "XN").value, 1u);
  EXPECT_EQ(field_of(el2, "AP[2]").value, 1u);
  EXPECT_EQ(field_of(el2, "UXN").name, "none");
  EXPECT_THAT(el2.summary, testing::AllOf(testing::HasSubstr("MAIR_EL2.Attr0"), testing::HasSubstr("RO"),
                                          testing::HasSubstr("execute-never")));
  EXPECT_THAT(decode("pte", "0x0008000040000783", {.ds = "on", .regime = "el2"}).summary,
              testing::HasSubstr("shareability of TCR_EL2"));
  EXPECT_THAT(decode("pte", "0x40000f23", {.ds = "off", .regime = "el3"}).summary, testing::HasSubstr("Realm PA"));
  EXPECT_THAT(decode("pte", "0x40000f03", {.ds = "off", .regime = "el3"}).summary, testing::HasSubstr("Root PA"));
  EXPECT_THAT(decode("pte", "0x40000703", {.stage = "1", .regime = "el2&0"}).summary, testing::HasSubstr("at EL2"));
  EXPECT_THAT(decode("pte", "0x00800000400007ff", {.regime = "realm"}).summary, testing::HasSubstr("Non-secure PA"));
  EXPECT_THAT(decode("pte", "0x00000000400007ff", {.regime = "realm"}).summary, testing::HasSubstr("Realm PA"));
  EXPECT_EQ(field_of(decode("pte", "0x400007ff", {.fwb = "off", .ds = "off"}), "NS").name, "none");
}

struct change_row {
  char const* descriptors;
  decode_options options;
  char const* summary;
  bool breaks;
  std::size_t steps;
};

// [Arm ARM, Using break-before-make when updating translation table entries].
TEST(Decode, AChangeOfALiveDescriptor) {
  change_row const rows[] = {
      {"0x400007ff 0x400007d7", {.fwb = "off"}, "the memory type or its cacheability changes", true, 10},
      {"0x400007ff 0x4000077f", {.fwb = "off"}, "less permission", false, 6},
      {"0x4000077f 0x400007ff", {.fwb = "off"}, "more permission only", false, 3},
      {"0x0 0x400007db", {.fwb = "on"}, "a first mapping", false, 3},
      {"0x400007db 0x0", {.fwb = "on"}, "the old translation goes away", false, 6},
      {"0x400007d9 0x80000003", {.level = "2", .fwb = "on"}, "without FEAT_BBM level 2", true, 8},
      {"0x400007d9 0x80000003", {.level = "2", .fwb = "on", .bbm = "2"}, "the old translation goes away", false, 6},
      {"0x40000743 0x400007c3", {.stage = "1"}, "less permission", false, 5},
      {"0x40000f43 0x40000743", {.stage = "1"}, "a global entry may overlap", true, 7},
  };
  for (change_row const& row : rows) {
    vmsa::text::explanation const e = decode("change", row.descriptors, row.options);
    EXPECT_THAT(e.summary, testing::HasSubstr(row.summary)) << row.descriptors;
    EXPECT_EQ(e.summary.starts_with("break-before-make"), row.breaks) << row.descriptors;
    EXPECT_EQ(e.steps.size(), row.steps) << row.descriptors << testing::PrintToString(e.steps);
  }
}

TEST(Decode, LinesOfALogHoldValues) {
  using vmsa::text::decode_line;
  EXPECT_EQ(decode_line("esr", "0x93810006", {}).size(), 1u);
  EXPECT_EQ(decode_line("esr", "[ 5.1] SError Interrupt on CPU4, code 0x00000000be000411 -- SError", {}).at(0).value,
            0xbe00'0411u);
  EXPECT_EQ(decode_line("mair", "TCR_EL1: 0x5b5103510, MAIR_EL1: 0x4404ff00ff", {}).at(0).value, 0x44'04ff'00ffu);
  EXPECT_EQ(decode_line("pte", "(XEN) 3RD[0x1ff] = 0x00400000400007ff", {.fwb = "off"}).at(0).value,
            0x0040'0000'4000'07ffu);
  EXPECT_THROW(decode_line("esr", "usb 1-1: new high-speed USB device", {}), input_error);
}

// A stage 1 page of 128 bits from the shared pseudocode's tables: PIIndex 0xc, POIndex 0x8.
TEST(Decode, A128BitDescriptorIsExplained) {
  vmsa::text::explanation const e =
      decode("pte", "0x10648000000000000000006fedda4e11", {.stage = "1", .d128 = "on", .pir = "0xa000000000000"});
  EXPECT_THAT(e.summary, testing::StartsWith("128 bits, stage 1 level 3 page of 4K at 0x6fedda4000: MAIR_EL1.Attr4, "
                                             "EL1 r-x; EL0 by code 12 of PIRE0_EL1, outer shareable, AF"));
  // A leaf, a table, a reserved and an invalid descriptor, in both halves of which software has put bits: each is told
  // once.
  struct both_halves {
    char const* hex;
    char const* level;
    vmsa::u64 high;
    vmsa::u64 low;
  };
  for (auto const& [hex, level, high, low] :
       {both_halves{"0x10648000000000010100006fedda4e11", "3", 0x1064'8000'0000'0001, 0x0100'006f'edda'4e11},
        both_halves{"0x9b8def12345a510100006fedda4e11", "1", 0x009b'8def'1234'5a51, 0x0100'006f'edda'4e11},
        both_halves{"0x9bcdef12345a510100006fedda4e11", "3", 0x009b'cdef'1234'5a51, 0x0100'006f'edda'4e11},
        both_halves{"0x123456789abcdef0fedcba9876543210", "3", 0x1234'5678'9abc'def0, 0xfedc'ba98'7654'3210}}) {
    vmsa::u64 told[2] = {0, 0};  // low, high
    unsigned next = 127;
    for (auto const& f : decode("pte", hex, {.stage = "1", .level = level, .d128 = "on"}).fields) {
      EXPECT_EQ(f.high, next) << f.name;
      next = f.low - 1u;
      told[f.low / 64] |= f.value << (f.low % 64);
    }
    EXPECT_EQ(next, ~0u) << hex;
    EXPECT_EQ(told[1], high) << hex;
    EXPECT_EQ(told[0], low) << hex;
  }
  EXPECT_THAT(decode("pte", "0x200000000000000000006fed0001", {.stage = "2", .level = "1", .d128 = "on"}).summary,
              testing::HasSubstr("table of level 3 at 0x6fed0000"));
  EXPECT_THAT(decode("pte", "0x600000000000000000006fed0001", {.stage = "2", .level = "3", .d128 = "on"}).summary,
              testing::HasSubstr("reserved"));
  EXPECT_THROW(decode("pte", "0x123456789012345678901234567890123", {.d128 = "on"}), input_error);
  EXPECT_THROW(decode("pte", "0x7d7", {.ds = "on", .d128 = "on"}), input_error);
  EXPECT_THROW(decode("pte", "0x7d7", {.level = "-1", .granule = "64k", .d128 = "on"}), input_error);
}

TEST(Decode, PermissionsByIndexAreReadFromTheirRegisters) {
  // XN 11, DBM 0, S2AP 11: code 13 of S2PIR_EL2.
  vmsa::text::explanation const rw = decode(
      "pte", "0x600001000007d7", {.stage = "2", .fwb = "on", .ds = "off", .pie = "on", .pir = "0x00e0000000000000"});
  EXPECT_THAT(rw.summary, testing::HasSubstr("RW, execute at EL1 only"));
  EXPECT_THAT(decode("pte", "0x600001000007d7", {.stage = "1", .pie = "on"}).summary,
              testing::HasSubstr("permissions of code 13 of PIR_EL1 and PIRE0"));
  // EL1 executes what EL0 writes: neither gets anything.
  EXPECT_THAT(decode("pte", "0x600001000007d7",
                     {.stage = "1", .pie = "on", .pir = "0x00a0000000000000", .pire0 = "0x00c0000000000000"})
                  .summary,
              testing::HasSubstr("nothing: EL1 could execute what EL0 may write"));
  EXPECT_THROW(decode("pte", "0x7d7", {.pir = "0x1"}), input_error);
  EXPECT_THROW(decode("pte", "0x7d7", {.pie = "on", .pire0 = "0x1"}), input_error);
}

}  // namespace
}  // namespace decode_test
