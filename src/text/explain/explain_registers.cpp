// SPDX-License-Identifier: MIT
// Registers whose fields are flags and small codes: SCTLR, HCRX, SCR, SPSR, CPACR, CPTR, TCR2.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/el3_registers.hpp"
#include "vmsa/arch/saved_state.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// `NAME`, or `NAME 0x2` for a field of several bits: the architected fields that are not 0.
template <class Rows>
std::string say_set_fields(u64 raw, Rows const& rows) {
  std::vector<std::string> words;
  for (field_info const& row : rows)
    if (row.role == field_role::architected && row.get(raw) != 0)
      words.push_back(row.width() == 1 ? std::string(row.name) : fmt::format("{} {}", row.name, hex(row.get(raw))));
  return words.empty() ? "every field is 0" : join(words);
}

// ---- SCTLR ----

constexpr flag_meaning sctlr_flags[] = {
    {"M", "stage 1 translation is on", "stage 1 translation is off"},
    {"A", "every unaligned access faults", "unaligned access faults to Device memory only"},
    {"C", "data accesses are cached as the attributes say", "data accesses and table walks are Non-cacheable"},
    {"I", "instruction fetches are cached as the attributes say", "instruction fetches are Non-cacheable"},
    {"WXN", "what is writable is never executable"},
    {"EE", "data and tables are big-endian", "data and tables are little-endian"},
    {"E0E", "EL0's data is big-endian"},
    {"EPAN", "PAN counts for what EL0 may execute too"},
    {"SPAN", "PAN stays as it is on an exception", "PAN is set on an exception"},
    {"nTLSMD", "", "LDM and STM to Device memory trap (AArch32)"},
    {"UCI", "EL0 may clean and invalidate caches", "cache maintenance at EL0 traps"},
    {"DZE", "EL0 may use DC ZVA", "DC ZVA at EL0 traps"},
    {"UCT", "EL0 may read CTR_EL0", "CTR_EL0 at EL0 traps"},
    {"ATA", "allocation tags are accessible"},
    {"ATA0", "allocation tags are accessible at EL0"},
    {"nAA", "unaligned acquire and release accesses do not fault for that"},
    {"SA", "an unaligned stack pointer faults"},
    {"SA0", "an unaligned stack pointer faults at EL0"},
};

template <class Sctlr>
explanation tell_sctlr(u64 raw, processor const&) {
  Sctlr const r{{raw}};
  explanation e{.kind = "sctlr", .value = raw};
  e.fields =
      explain_rows(raw, Sctlr::layout, [](field_info const& row, u64 v) { return say_flag(sctlr_flags, row.name, v); });
  bool const on = r.template get<typename Sctlr::m>();
  e.summary = join(
      {on ? "stage 1 on" : "stage 1 off", r.template get<typename Sctlr::c>() ? "C" : "C clear: data Non-cacheable",
       r.template get<typename Sctlr::i>() ? "I" : "I clear", r.template get<typename Sctlr::wxn>() ? "WXN" : "",
       r.template get<typename Sctlr::a>() ? "A: unaligned accesses fault" : "",
       r.template get<typename Sctlr::ee>() ? "big-endian" : ""});
  e.facts = {{"stage1", on}};
  return e;
}

// ---- controls that are lists of flags ----

constexpr flag_meaning hcrx_flags[] = {
    {"TCR2En", "EL1 has TCR2_EL1", "TCR2_EL1 counts as 0 and traps"},
    {"SCTLR2En", "EL1 has SCTLR2_EL1", "SCTLR2_EL1 counts as 0 and traps"},
    {"D128En", "EL1 has 128-bit TTBR0, TTBR1 and PAR", "128-bit accesses to TTBR0_EL1, TTBR1_EL1 and PAR_EL1 trap"},
    {"PTTWI", "RCWS writes may have the Reduced Coherence property"},
    {"FnXS", "TLBI and DSB at EL1 behave as with nXS"},
    {"FGTnXS", "fine-grained traps of TLBI do not count for nXS"},
    {"CMOW", "cache maintenance of a page without write permission faults"},
    {"MSCEn", "EL1 and EL0 may use CPY and SET", "CPY and SET are UNDEFINED"},
    {"MCE2", "exceptions of CPY and SET go to EL2"},
    {"GCSEn", "guarded control stacks at EL1 and EL0"},
    {"EnFPM", "EL1 and EL0 have FPMR"},
    {"TMEA", "masked external aborts go to EL2"},
    {"SRMASKEn", "EL1 has the MASK registers"},
};

constexpr flag_meaning scr_flags[] = {
    {"RW", "the next lower level is AArch64", "lower levels are AArch32"},
    {"SIF", "Secure state does not execute what stage 1 calls Non-secure"},
    {"EEL2", "Secure EL2 is on", "Secure EL2 is off"},
    {"HXEn", "EL2 has HCRX_EL2", "HCRX_EL2 counts as 0 and traps"},
    {"TCR2En", "EL1 and EL2 have TCR2", "TCR2_ELx counts as 0 and traps"},
    {"SCTLR2En", "EL1 and EL2 have SCTLR2", "SCTLR2_ELx counts as 0 and traps"},
    {"PIEn", "the registers of permission indirection and overlays do not trap", "PIR, POR and their kind trap"},
    {"AIEn", "MAIR2 and AMAIR2 do not trap", "MAIR2 and AMAIR2 trap"},
    {"D128En", "128-bit system registers do not trap", "128-bit system registers trap"},
    {"GPF", "granule protection faults of lower levels go to EL3"},
    {"MECEn", "EL2 has the MECID registers"},
    {"EA", "external aborts and SErrors go to EL3"},
    {"ATA", "allocation tags are accessible below EL3"},
    {"HCE", "HVC is enabled", "HVC is UNDEFINED"},
    {"SMD", "SMC is UNDEFINED"},
};

// NSE and NS together [Arm ARM, SCR_EL3.NSE].
std::string_view say_security_state(scr_el3 r) {
  bool const ns = r.get<scr_el3::ns>();
  if (r.get<scr_el3::nse>()) return ns ? "Realm" : "reserved";
  return ns ? "Non-secure" : "Secure";
}

explanation tell_hcrx(u64 raw, processor const&) {
  explanation e{.kind = "hcrx", .value = raw, .summary = say_set_fields(raw, hcrx_el2::layout)};
  e.fields = explain_rows(raw, hcrx_el2::layout,
                          [](field_info const& row, u64 v) { return say_flag(hcrx_flags, row.name, v); });
  e.notes = {"counts only while SCR_EL3.HXEn is 1, where EL3 is implemented; else every field is as 0"};
  return e;
}

explanation tell_scr(u64 raw, processor const&) {
  scr_el3 const r{{raw}};
  explanation e{.kind = "scr", .value = raw};
  e.summary = fmt::format("lower levels are {}; {}", say_security_state(r), say_set_fields(raw, scr_el3::layout));
  e.fields = explain_rows(raw, scr_el3::layout, [&](field_info const& row, u64 v) -> std::string {
    if (std::string_view(row.name) == "NS" || std::string_view(row.name) == "NSE")
      return fmt::format("NSE and NS: {}", say_security_state(r));
    return say_flag(scr_flags, row.name, v);
  });
  e.facts = {{"security_state", std::string(say_security_state(r))}};
  return e;
}

constexpr flag_meaning tcr2_flags[] = {
    {"PIE", "permissions are indices into PIR and PIRE0", "permissions stand in the descriptors"},
    {"POE", "overlays limit privileged accesses"},
    {"E0POE", "overlays limit accesses at EL0"},
    {"AIE", "attribute indices have four bits: MAIR2 too"},
    {"D128", "descriptors have 128 bits", "descriptors have 64 bits"},
    {"HAFT", "hardware sets AF in table descriptors"},
    {"PnCH", "bit 52 of a descriptor is Protected, not Contiguous"},
    {"DisCH0", "no Contiguous bit in the start table of the lower half"},
    {"DisCH1", "no Contiguous bit in the start table of the upper half"},
    {"A2", "both halves have an ASID of their own"},
    {"PTTWI", "RCWS writes may have the Reduced Coherence property"},
    {"AMEC0", "alternate MECID in the lower half"},
    {"AMEC1", "alternate MECID in the upper half"},
};

template <class Tcr2>
explanation tell_tcr2(u64 raw, processor const&) {
  explanation e{.kind = "tcr2", .value = raw, .summary = say_set_fields(raw, Tcr2::layout)};
  e.fields =
      explain_rows(raw, Tcr2::layout, [](field_info const& row, u64 v) { return say_flag(tcr2_flags, row.name, v); });
  return e;
}

// ---- SPSR ----

std::string say_aarch64_mode(u64 m) {
  constexpr std::string_view names[] = {"EL0t", "",     "",     "", "EL1t", "EL1h", "",
                                        "",     "EL2t", "EL2h", "", "",     "EL3t", "EL3h"};
  return m < std::size(names) && !names[m].empty() ? std::string(names[m]) : "reserved mode";
}

std::string say_aarch32_mode(u64 m) {
  constexpr std::string_view names[] = {"User", "FIQ", "IRQ", "Supervisor", "", "", "Monitor", "Abort",
                                        "",     "",    "Hyp", "Undefined",  "", "", "",        "System"};
  return names[m].empty() ? "reserved mode" : std::string(names[m]);
}

constexpr flag_meaning spsr_flags[] = {
    {"D", "debug exceptions masked"},
    {"A", "SError masked"},
    {"I", "IRQ masked"},
    {"F", "FIQ masked"},
    {"IL", "illegal execution state"},
    {"SS", "a software step is due"},
    {"PAN", "privileged access to what EL0 may access faults"},
    {"UAO", "LDTR and STTR act as privileged accesses"},
    {"TCO", "tag checks are off"},
    {"ALLINT", "all interrupts masked, those with superpriority too"},
    {"SSBS", "speculative store bypass is allowed"},
    {"DIT", "data-independent timing"},
    {"nRW", "from AArch32", "from AArch64"},
    {"T", "T32", "A32"},
    {"E", "big-endian"},
};

std::string set_letters(u64 raw, std::initializer_list<std::pair<char, unsigned>> bits) {
  std::string out;
  for (auto const& [letter, bit] : bits) out += (raw >> bit & 1) != 0 ? letter : '-';
  return out;
}

explanation tell_spsr(u64 raw, processor const&) {
  bool const aarch32 = spsr_el1{{raw}}.get<spsr_el1::nrw>();
  u64 const m = spsr_el1::m::get(raw);
  explanation e{.kind = "spsr", .value = raw};
  auto const say = [&](field_info const& row, u64 v) -> std::string {
    if (std::string_view(row.name) == "M") return aarch32 ? say_aarch32_mode(v) : say_aarch64_mode(v);
    return say_flag(spsr_flags, row.name, v);
  };
  e.fields = aarch32 ? explain_rows(raw, spsr_aarch32::layout, say) : explain_rows(raw, spsr_el1::layout, say);
  std::string const nzcv = set_letters(raw, {{'N', 31}, {'Z', 30}, {'C', 29}, {'V', 28}});
  e.summary = aarch32 ? fmt::format("from AArch32 {}, {}, flags {}, masks {}", say_aarch32_mode(m),
                                    (raw & bit_mask(5, 5)) != 0 ? "T32" : "A32", nzcv,
                                    set_letters(raw, {{'A', 8}, {'I', 7}, {'F', 6}}))
                      : fmt::format("from AArch64 {}, flags {}, masks {}{}", say_aarch64_mode(m), nzcv,
                                    set_letters(raw, {{'D', 9}, {'A', 8}, {'I', 7}, {'F', 6}}),
                                    spsr_el1{{raw}}.get<spsr_el1::pan>() ? ", PAN" : "");
  e.facts = {{"aarch32", aarch32}, {"mode", aarch32 ? say_aarch32_mode(m) : say_aarch64_mode(m)}};
  return e;
}

// ---- CPACR, CPTR ----

std::string say_trap_code(std::string_view what, u64 v) {
  if (v == 0b11) return fmt::format("{} does not trap", what);
  return v == 0b01 ? fmt::format("{} traps at EL0", what)
                   : fmt::format("{} traps at every level that this controls", what);
}

std::string say_cpacr(field_info const& row, u64 v) {
  std::string_view const field = row.name;
  if (field == "FPEN") return say_trap_code("floating point", v);
  if (field == "ZEN") return say_trap_code("SVE", v);
  if (field == "SMEN") return say_trap_code("SME", v);
  constexpr flag_meaning flags[] = {{"TFP", "floating point traps", "floating point does not trap"},
                                    {"TZ", "SVE traps", "SVE does not trap"},
                                    {"EZ", "SVE does not trap", "SVE traps"},
                                    {"ESM", "SME does not trap", "SME traps"},
                                    {"TSM", "SME traps", "SME does not trap"},
                                    {"TTA", "trace registers trap"},
                                    {"TAM", "activity monitors trap"},
                                    {"TCPAC", "CPACR_EL1 traps"},
                                    {"E0POE", "EL0 has POR_EL0", "POR_EL0 at EL0 traps"}};
  return say_flag(flags, field, v);
}

template <class Register>
explanation tell_traps(std::string kind, u64 raw) {
  explanation e{.kind = std::move(kind), .value = raw};
  e.fields = explain_rows(raw, Register::layout, say_cpacr);
  std::vector<std::string> words;
  for (explained_field const& f : e.fields)
    if (f.name == "FPEN" || f.name == "ZEN" || f.name == "TFP" || f.name == "TZ" || f.name == "EZ")
      words.push_back(f.meaning);
  e.summary = join(words);
  return e;
}
explanation tell_cpacr(u64 raw, processor const&) { return tell_traps<cpacr_el1>("cpacr", raw); }
explanation tell_cptr_vhe(u64 raw, processor const&) { return tell_traps<cpacr_el1>("cptr", raw); }
explanation tell_cptr(u64 raw, processor const&) { return tell_traps<cptr_el2>("cptr", raw); }
explanation tell_cptr_el3(u64 raw, processor const&) { return tell_traps<cptr_el3>("cptr", raw); }

constexpr register_row plain_register_rows[] = {
    {"sctlr", "SCTLR_EL1", any_e2h, tell_sctlr<sctlr_el1>},
    {"sctlr", "SCTLR_EL2", false, tell_sctlr<sctlr_el2>},
    {"sctlr", "SCTLR_EL2", true, tell_sctlr<sctlr_el2_vhe>},
    {"sctlr", "SCTLR_EL3", any_e2h, tell_sctlr<sctlr_el3>},
    {"tcr2", "TCR2_EL1", any_e2h, tell_tcr2<tcr2_el1>},
    {"tcr2", "TCR2_EL2", false, tell_tcr2<tcr2_el2>},
    {"tcr2", "TCR2_EL2", true, tell_tcr2<tcr2_el2_vhe>},
    {"hcrx", "HCRX_EL2", any_e2h, tell_hcrx},
    {"scr", "SCR_EL3", any_e2h, tell_scr},
    {"spsr", "SPSR_EL1", any_e2h, tell_spsr},
    {"spsr", "SPSR_EL2", any_e2h, tell_spsr},
    {"spsr", "SPSR_EL3", any_e2h, tell_spsr},
    {"spsr", "CPSR", any_e2h, tell_spsr},
    {"cpacr", "CPACR_EL1", any_e2h, tell_cpacr},
    {"cptr", "CPTR_EL2", false, tell_cptr},
    {"cptr", "CPTR_EL2", true, tell_cptr_vhe},
    {"cptr", "CPTR_EL3", any_e2h, tell_cptr_el3},
};

}  // namespace

std::span<register_row const> plain_registers() { return plain_register_rows; }

}  // namespace vmsa::text
