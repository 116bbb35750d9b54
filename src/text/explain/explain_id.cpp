// SPDX-License-Identifier: MIT
// ID_AA64MMFR0 to 4, ID_AA64PFR0 to 2, ID_AA64ISAR0 and 1, CTR_EL0: what a processor announces.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/id_registers.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// What a code of an ID register announces, where it is more than present or absent.
struct id_meaning {
  std::string_view field;
  u8 value;
  std::string_view says;
};
constexpr id_meaning id_meanings[] = {
    {"ASIDBits", 0, "8-bit ASID"},
    {"ASIDBits", 2, "16-bit ASID"},
    {"VMIDBits", 0, "8-bit VMID"},
    {"VMIDBits", 2, "16-bit VMID"},
    {"TGran4", 0, "4K granule"},
    {"TGran4", 1, "4K granule with 52-bit addresses (FEAT_LPA2)"},
    {"TGran4", 15, "no 4K granule"},
    {"TGran16", 0, "no 16K granule"},
    {"TGran16", 1, "16K granule"},
    {"TGran16", 2, "16K granule with 52-bit addresses (FEAT_LPA2)"},
    {"TGran64", 0, "64K granule"},
    {"TGran64", 15, "no 64K granule"},
    {"TGran4_2", 0, "at stage 2 as TGran4"},
    {"TGran4_2", 1, "no 4K granule at stage 2"},
    {"TGran4_2", 2, "4K granule at stage 2"},
    {"TGran4_2", 3, "4K granule at stage 2 with 52-bit addresses"},
    {"TGran16_2", 0, "at stage 2 as TGran16"},
    {"TGran16_2", 1, "no 16K granule at stage 2"},
    {"TGran16_2", 2, "16K granule at stage 2"},
    {"TGran16_2", 3, "16K granule at stage 2 with 52-bit addresses"},
    {"TGran64_2", 0, "at stage 2 as TGran64"},
    {"TGran64_2", 1, "no 64K granule at stage 2"},
    {"TGran64_2", 2, "64K granule at stage 2"},
    {"HAFDBS", 0, "hardware updates nothing"},
    {"HAFDBS", 1, "hardware sets the access flag"},
    {"HAFDBS", 2, "hardware sets the access flag and dirty state"},
    {"HAFDBS", 3, "hardware sets the access flag, of tables too, and dirty state"},
    {"HAFDBS", 4, "hardware sets them and records dirty pages (FEAT_HDBSS)"},
    {"HPDS", 1, "hierarchical permissions can be switched off"},
    {"HPDS", 2, "and bits 62:59 are hardware's (FEAT_HPDS2)"},
    {"PAN", 1, "PAN"},
    {"PAN", 2, "PAN, and AT with PAN"},
    {"PAN", 3, "PAN, AT with PAN, and EPAN"},
    {"VARange", 0, "48-bit VA; 52 bits with 4K and 16K where FEAT_LPA2 is"},
    {"VARange", 1, "52-bit VA with 64K (FEAT_LVA)"},
    {"VARange", 2, "56-bit VA (FEAT_LVA3)"},
    {"BBM", 0, "FEAT_BBM level 0: a change of block size needs break-before-make"},
    {"BBM", 1, "FEAT_BBM level 1: nT"},
    {"BBM", 2, "FEAT_BBM level 2: a change of block size needs no break"},
    {"NV", 0, "no nested virtualization"},
    {"NV", 1, "FEAT_NV"},
    {"NV", 2, "FEAT_NV2"},
    {"MTE", 1, "tags, instructions only"},
    {"MTE", 2, "memory tagging (FEAT_MTE2)"},
    {"MTE", 3, "memory tagging with asymmetric faults (FEAT_MTE3)"},
    {"EL0", 1, "AArch64 only"},
    {"EL0", 2, "AArch64 and AArch32"},
    {"EL1", 1, "AArch64 only"},
    {"EL1", 2, "AArch64 and AArch32"},
    {"EL2", 1, "AArch64 only"},
    {"EL2", 2, "AArch64 and AArch32"},
    {"EL3", 1, "AArch64 only"},
    {"EL3", 2, "AArch64 and AArch32"},
    {"FP", 15, "no floating point"},
    {"FP", 0, "floating point"},
    {"AdvSIMD", 15, "no Advanced SIMD"},
    {"AdvSIMD", 0, "Advanced SIMD"},
    {"NV_frac", 0, "as ID_AA64MMFR2_EL1.NV says"},
    {"NV_frac", 1, "a subset of FEAT_NV and FEAT_NV2"},
    {"NV_frac", 2, "a subset of FEAT_NV and FEAT_NV2, with FEAT_NV2p1"},
    {"RME", 0, "no Realm state"},
    {"RME", 1, "Realm state and granule protection checks (FEAT_RME)"},
    {"RME", 2, "FEAT_RME, with what FEAT_RME_GPC2 adds to granule protection"},
    {"RME", 3, "FEAT_RME, with what FEAT_RME_GPC2 and FEAT_RME_GPC3 add to granule protection"},
    {"SEL2", 0, "no EL2 in Secure state"},
    {"SEL2", 1, "EL2 in Secure state (FEAT_SEL2)"},
    {"MTEPERM", 1, "stage 2 can deny Allocation Tags: NoTagAccess (FEAT_MTE_PERM)"},
    {"MTESTOREONLY", 1, "tag checks of stores alone (FEAT_MTE_STORE_ONLY)"},
    {"MTEFAR", 0, "FAR_ELx[63:60] are UNKNOWN after a Tag Check Fault"},
    {"MTEFAR", 1, "FAR_ELx[63:60] are known after a Tag Check Fault (FEAT_MTE_TAGGED_FAR)"},
    {"LS64", 0, "no 64-byte accesses"},
    {"LS64", 1, "LD64B and ST64B (FEAT_LS64)"},
    {"LS64", 2, "LD64B, ST64B and ST64BV (FEAT_LS64_V)"},
    {"LS64", 3, "LD64B, ST64B, ST64BV and ST64BV0 (FEAT_LS64_ACCDATA)"},
    {"LS64", 4, "64-byte accesses, also to write-back memory (FEAT_LS64WB)"},
    {"XS", 1, "the XS attribute (FEAT_XS)"},
    {"TLB", 0, "no Outer Shareable and no range TLBI"},
    {"TLB", 1, "Outer Shareable TLBI (FEAT_TLBIOS)"},
    {"TLB", 2, "Outer Shareable and range TLBI (FEAT_TLBIRANGE)"},
    {"Atomic", 2, "atomic instructions (FEAT_LSE)"},
    {"Atomic", 3, "atomic instructions, also of 128 bits (FEAT_LSE128)"},
    {"THE", 1, "translation hardening: Protected, AssuredOnly, TopLevel (FEAT_THE)"},
    {"FWB", 1, "FEAT_S2FWB"},
    {"TTL", 1, "FEAT_TTL"},
    {"E2H0", 0, "HCR_EL2.E2H may be 0"},
    {"E2H0", 14, "HCR_EL2.E2H is 1 always, and NV1 is RES0"},
    {"E2H0", 15, "HCR_EL2.E2H is 1 always"},
};

std::string say_id(field_info const& row, u64 v) {
  std::string_view const field = row.name;
  if (field == "PARange")
    return v < 7    ? fmt::format("{}-bit physical addresses", physical_address_bits(static_cast<u8>(v)))
           : v == 7 ? "56-bit physical addresses (FEAT_D128)"
                    : "reserved";
  bool coded = false;
  for (id_meaning const& m : id_meanings) {
    if (m.field != field) continue;
    coded = coded || v != 0;
    if (m.value == v) return std::string(m.says);
  }
  if (v == 0) return "not implemented";
  return coded ? "a code that vmsa does not know" : v == 1 ? "implemented" : fmt::format("implemented, version {}", v);
}

template <class Register>
explanation tell_id(std::string kind, u64 raw, std::initializer_list<std::string_view> first) {
  explanation e{.kind = std::move(kind), .value = raw};
  e.fields = explain_rows(raw, Register::layout, say_id);
  std::vector<std::string> words;
  for (std::string_view const name : first)
    for (explained_field const& f : e.fields)
      if (f.name == name)
        words.push_back(f.meaning == "implemented" || f.meaning == "not implemented"
                            ? fmt::format("{} {}", f.name, f.meaning)
                            : f.meaning);
  e.summary = join(words);
  return e;
}
explanation tell_mmfr0(u64 raw, processor const&) {
  return tell_id<id_aa64mmfr0_el1>("id_aa64mmfr0", raw, {"PARange", "ASIDBits", "TGran4", "TGran16", "TGran64"});
}
explanation tell_mmfr1(u64 raw, processor const&) {
  return tell_id<id_aa64mmfr1_el1>("id_aa64mmfr1", raw, {"VMIDBits", "HAFDBS", "VH", "XNX", "PAN"});
}
explanation tell_mmfr2(u64 raw, processor const&) {
  return tell_id<id_aa64mmfr2_el1>("id_aa64mmfr2", raw, {"VARange", "FWB", "BBM", "TTL", "NV"});
}
explanation tell_mmfr3(u64 raw, processor const&) {
  return tell_id<id_aa64mmfr3_el1>("id_aa64mmfr3", raw, {"S1PIE", "S2PIE", "S1POE", "S2POE", "D128"});
}
explanation tell_mmfr4(u64 raw, processor const&) {
  return tell_id<id_aa64mmfr4_el1>("id_aa64mmfr4", raw, {"E2H0", "ASID2", "NV_frac"});
}
explanation tell_pfr0(u64 raw, processor const&) {
  return tell_id<id_aa64pfr0_el1>("id_aa64pfr0", raw, {"EL0", "EL1", "EL2", "EL3", "RME", "SEL2"});
}
explanation tell_pfr1(u64 raw, processor const&) {
  return tell_id<id_aa64pfr1_el1>("id_aa64pfr1", raw, {"MTE", "THE", "GCS"});
}
explanation tell_pfr2(u64 raw, processor const&) {
  return tell_id<id_aa64pfr2_el1>("id_aa64pfr2", raw, {"MTEPERM", "MTESTOREONLY"});
}
explanation tell_isar0(u64 raw, processor const&) {
  return tell_id<id_aa64isar0_el1>("id_aa64isar0", raw, {"TLB", "Atomic"});
}
explanation tell_isar1(u64 raw, processor const&) {
  return tell_id<id_aa64isar1_el1>("id_aa64isar1", raw, {"LS64", "XS"});
}

explanation tell_ctr(u64 raw, processor const&) {
  explanation e{.kind = "ctr", .value = raw};
  e.fields = explain_rows(raw, ctr_el0::layout, [](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field.ends_with("Line")) return fmt::format("{} bytes", u64{4} << v);
    if (field == "CWG" || field == "ERG")
      return v == 0  ? "not said: 2048 bytes must be assumed"
             : v > 9 ? "reserved"
                     : fmt::format("{} bytes", u64{4} << v);
    constexpr std::string_view policies[] = {"reserved", "reserved", "VIPT", "PIPT"};
    if (field == "L1Ip") return std::string(policies[v & 3]);
    constexpr flag_meaning flags[] = {
        {"DIC", "new code needs no instruction cache invalidation",
         "new code needs instruction cache invalidation to PoU"},
        {"IDC", "new code needs no data cache clean to PoU", "new code needs a data cache clean to PoU"}};
    return say_flag(flags, field, v);
  });
  auto const bytes = [raw](unsigned low) { return u64{4} << (raw >> low & 0xf); };
  e.summary =
      join({fmt::format("data lines of {} bytes", bytes(16)), fmt::format("instruction lines of {} bytes", bytes(0)),
            (raw & bit_mask(28, 28)) != 0 ? "IDC" : "", (raw & bit_mask(29, 29)) != 0 ? "DIC" : ""});
  e.facts = {{"data_line_bytes", static_cast<std::int64_t>(bytes(16))},
             {"instruction_line_bytes", static_cast<std::int64_t>(bytes(0))}};
  return e;
}

constexpr register_row id_register_rows[] = {
    {"id_aa64mmfr0", "ID_AA64MMFR0_EL1", any_e2h, tell_mmfr0},
    {"id_aa64mmfr1", "ID_AA64MMFR1_EL1", any_e2h, tell_mmfr1},
    {"id_aa64mmfr2", "ID_AA64MMFR2_EL1", any_e2h, tell_mmfr2},
    {"id_aa64mmfr3", "ID_AA64MMFR3_EL1", any_e2h, tell_mmfr3},
    {"id_aa64mmfr4", "ID_AA64MMFR4_EL1", any_e2h, tell_mmfr4},
    {"id_aa64pfr0", "ID_AA64PFR0_EL1", any_e2h, tell_pfr0},
    {"id_aa64pfr1", "ID_AA64PFR1_EL1", any_e2h, tell_pfr1},
    {"id_aa64pfr2", "ID_AA64PFR2_EL1", any_e2h, tell_pfr2},
    {"id_aa64isar0", "ID_AA64ISAR0_EL1", any_e2h, tell_isar0},
    {"id_aa64isar1", "ID_AA64ISAR1_EL1", any_e2h, tell_isar1},
    {"ctr", "CTR_EL0", any_e2h, tell_ctr},
};

}  // namespace

std::span<register_row const> identification_registers() { return id_register_rows; }

}  // namespace vmsa::text
