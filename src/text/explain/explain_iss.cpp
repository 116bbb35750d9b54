// SPDX-License-Identifier: MIT
#include "text/explain/explain_iss.hpp"

#include "text/explain/explain_fields.hpp"
#include "vmsa/arch/syndrome_layout.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr flag_meaning iss_flags[] = {
    {"IL", "the instruction is 32 bits long, or the class has no length", "the instruction is 16 bits long"},
    {"CV", "COND is valid", "COND is not valid"},
    {"SSE", "sign-extended"},
    {"SF", "64-bit register", "32-bit register"},
    {"AR", "acquire or release"},
    {"VNCR", "on an access through VNCR_EL2"},
    {"FnV", "FAR_ELx is not valid", "FAR_ELx is valid"},
    {"EA", "external abort type (IMPLEMENTATION DEFINED)"},
    {"CM", "cache maintenance or address translation instruction"},
    {"S1PTW", "on a stage 1 table access: HPFAR_EL2 is the table's", "not on a stage 1 table access"},
    {"S2PTW", "on a stage 2 table access"},
    {"InD", "instruction access", "data access"},
    {"WnR", "write", "read"},
    {"TopLevel", "the TopLevel permission refused it (FEAT_THE)"},
    {"PFV", "PFAR_ELx is valid (FEAT_PFAR)"},
    {"HDBSSF", "the dirty state structure (HDBSS) was full or in error"},
    {"TnD", "a tag access failed, not the data access"},
    {"TagAccess", "NoTagAccess memory refused a tag access (FEAT_MTE_PERM)"},
    {"GCS", "a guarded control stack access"},
    {"AssuredOnly", "the AssuredOnly check refused it (FEAT_THE)"},
    {"Overlay", "a permission overlay refused it (FEAT_S1POE, FEAT_S2POE)"},
    {"DirtyBit", "the page is clean, and hardware does not make it dirty (FEAT_S1PIE, FEAT_S2PIE)"},
    {"IDS", "bits 23:0 are IMPLEMENTATION DEFINED", "bits 23:0 have the architecture's layout"},
    {"IESB", "an implicit error synchronization took it"},
    {"CCKNOWNPASS", "the condition passed"},
    {"RV", "RN is valid", "RN is not valid"},
    {"DnI", "data key", "instruction key"},
    {"BnA", "B key", "A key"},
    {"EX", "the stepped instruction was a load-exclusive"},
    {"FnP", "FAR_ELx is not exact: the watchpoint lies in the same granule"},
    {"WPTV", "WPT is valid", "WPT is not valid"},
    {"WPF", "the access may not have hit the watchpoint"},
    {"TFV", "the flags below are valid", "the flags below are UNKNOWN"},
    {"IDF", "input denormal"},
    {"IXF", "inexact"},
    {"UFF", "underflow"},
    {"OFF", "overflow"},
    {"DZF", "divide by zero"},
    {"IOF", "invalid operation"},
    {"MemInst", "a SET instruction", "a CPY instruction"},
    {"isSETG", "it sets tags too"},
    {"FromEpilogue", "taken in the epilogue", "taken in the main part"},
    {"WrongOption", "registers are in the other option's form", "the parameters do not fit the state"},
    {"OptionA", "this processor implements option A", "this processor implements option B"},
    {"Offset", "offset added", "offset subtracted"},
};

struct system_register {
  u8 op0, op1, crn, crm, op2;
  std::string_view name;
};
// What hypervisors trap in practice; the rest has the generic name [System register and instruction encodings].
constexpr system_register system_registers[] = {
    {1, 0, 7, 1, 0, "IC IALLUIS"},       {1, 0, 7, 5, 0, "IC IALLU"},         {1, 0, 7, 6, 1, "DC IVAC"},
    {1, 0, 7, 6, 2, "DC ISW"},           {1, 0, 7, 10, 2, "DC CSW"},          {1, 0, 7, 14, 2, "DC CISW"},
    {1, 3, 7, 4, 1, "DC ZVA"},           {1, 3, 7, 5, 1, "IC IVAU"},          {1, 3, 7, 10, 1, "DC CVAC"},
    {1, 3, 7, 11, 1, "DC CVAU"},         {1, 3, 7, 14, 1, "DC CIVAC"},        {1, 0, 8, 3, 0, "TLBI VMALLE1IS"},
    {1, 0, 8, 3, 1, "TLBI VAE1IS"},      {1, 0, 8, 3, 2, "TLBI ASIDE1IS"},    {1, 0, 8, 7, 0, "TLBI VMALLE1"},
    {1, 0, 8, 7, 1, "TLBI VAE1"},        {1, 0, 7, 8, 0, "AT S1E1R"},         {1, 0, 7, 8, 1, "AT S1E1W"},
    {3, 0, 0, 0, 0, "MIDR_EL1"},         {3, 0, 0, 0, 5, "MPIDR_EL1"},        {3, 0, 0, 4, 0, "ID_AA64PFR0_EL1"},
    {3, 0, 0, 4, 1, "ID_AA64PFR1_EL1"},  {3, 0, 0, 6, 0, "ID_AA64ISAR0_EL1"}, {3, 0, 0, 6, 1, "ID_AA64ISAR1_EL1"},
    {3, 0, 0, 7, 0, "ID_AA64MMFR0_EL1"}, {3, 0, 0, 7, 1, "ID_AA64MMFR1_EL1"}, {3, 0, 0, 7, 2, "ID_AA64MMFR2_EL1"},
    {3, 0, 1, 0, 0, "SCTLR_EL1"},        {3, 0, 1, 0, 1, "ACTLR_EL1"},        {3, 0, 1, 0, 2, "CPACR_EL1"},
    {3, 0, 2, 0, 0, "TTBR0_EL1"},        {3, 0, 2, 0, 1, "TTBR1_EL1"},        {3, 0, 2, 0, 2, "TCR_EL1"},
    {3, 0, 5, 1, 0, "AFSR0_EL1"},        {3, 0, 5, 2, 0, "ESR_EL1"},          {3, 0, 6, 0, 0, "FAR_EL1"},
    {3, 0, 7, 4, 0, "PAR_EL1"},          {3, 0, 10, 2, 0, "MAIR_EL1"},        {3, 0, 12, 11, 5, "ICC_SGI1R_EL1"},
    {3, 0, 13, 0, 1, "CONTEXTIDR_EL1"},  {3, 3, 0, 0, 1, "CTR_EL0"},          {3, 3, 14, 0, 2, "CNTVCT_EL0"},
    {3, 3, 14, 0, 1, "CNTPCT_EL0"},      {3, 3, 14, 2, 0, "CNTP_TVAL_EL0"},   {3, 3, 14, 2, 1, "CNTP_CTL_EL0"},
    {3, 3, 9, 12, 0, "PMCR_EL0"},
};

std::string system_name(u8 op0, u8 op1, u8 crn, u8 crm, u8 op2) {
  for (system_register const& r : system_registers)
    if (r.op0 == op0 && r.op1 == op1 && r.crn == crn && r.crm == crm && r.op2 == op2) return std::string(r.name);
  return fmt::format("S{}_{}_C{}_C{}_{}", op0, op1, crn, crm, op2);
}

std::string say_system(u64 iss) {
  auto const op0 = field<21, 20, u8>::get(iss);
  std::string const what = system_name(op0, field<16, 14, u8>::get(iss), field<13, 10, u8>::get(iss),
                                       field<4, 1, u8>::get(iss), field<19, 17, u8>::get(iss));
  std::string const reg = register_name(field<9, 5, u8>::get(iss), true);
  bool const read = field<0, 0, bool>::get(iss);
  if (op0 == 1) return fmt::format("{}, {}", what, reg);
  return read ? fmt::format("MRS {}, {}", reg, what) : fmt::format("MSR {}, {}", what, reg);
}

std::string say_mcr(u64 iss, bool pair) {
  bool const read = field<0, 0, bool>::get(iss);
  u64 const rt = field<9, 5>::get(iss);
  if (pair)
    return fmt::format("{} opc1={}, r{}, r{}, c{}", read ? "MRRC" : "MCRR", field<19, 16>::get(iss), rt,
                       field<14, 10>::get(iss), field<4, 1>::get(iss));
  return fmt::format("{} opc1={}, r{}, c{}, c{}, opc2={}", read ? "MRC" : "MCR", field<16, 14>::get(iss), rt,
                     field<13, 10>::get(iss), field<4, 1>::get(iss), field<19, 17>::get(iss));
}

// [ISS encoding for a Granule Protection Check exception, GPCSC]
std::string say_gpcsc(u64 gpcsc) {
  u64 const at = gpcsc & 0b11;
  std::string_view what = "reserved";
  switch (gpcsc >> 2) {
    case 0b000: what = "GPT address size fault"; break;
    case 0b001: what = "GPT walk fault"; break;
    case 0b011: what = "granule protection fault"; break;
    case 0b101: what = "external abort on a GPT access"; break;
    default: return std::string(what);
  }
  return at > 1 ? std::string("reserved") : fmt::format("{}, GPT level {}", what, at);
}

// [ISS encoding for a GCS exception, ExType and IT]
std::string say_gcs_type(u64 type) {
  constexpr std::string_view names[] = {"a return did not find its address on the guarded control stack",
                                        "a lock of the exception return state (EXLOCK) was violated",
                                        "GCSSTR or GCSSTTR trapped"};
  return std::string(type < 3 ? names[type] : "reserved");
}
std::string say_gcs_instruction(u64 it) {
  switch (it) {
    case 0: return "RET, without pointer authentication";
    case 1: return "GCSPOPM";
    case 2: return "RET with the A key";
    case 3: return "RET with the B key";
    case 4: return "GCSSS1";
    case 5: return "GCSSS2";
    case 8: return "GCSPOPCX";
    case 9: return "GCSPOPX";
    default: return "reserved";
  }
}

std::string say_brk(u64 comment) {
  // arch/arm64/include/asm/brk-imm.h of Linux.
  if (comment == 0x800) return "Linux: BUG or WARN";
  if (comment == 0x004 || comment == 0x005 || comment == 0x006) return "Linux: a kprobe or uprobe";
  if (comment == 0x400 || comment == 0x401) return "Linux: kgdb";
  if ((comment & ~u64{0xff}) == 0x900) return "Linux: KASAN";
  if ((comment & ~u64{0xff}) == 0x5500) return "Linux: UBSAN trap";
  if ((comment & ~u64{0x3ff}) == 0x8000) return "Linux: kernel control-flow integrity";
  return {};
}

std::string say_fp(u64 iss) {
  if (!field<23, 23, bool>::get(iss)) return "which one is not said";
  std::vector<std::string> words;
  for (std::string_view const flag : {"IOF", "DZF", "OFF", "UFF", "IXF", "IDF"})
    for (field_info const& row : iss_layouts::fp_exception)
      if (row.name == flag && row.get(iss) != 0) words.push_back(say_flag(iss_flags, flag, 1));
  return join(words);
}

constexpr std::string_view wfx_names[] = {"WFI", "WFE", "WFIT", "WFET"};
constexpr std::string_view sme_names[] = {"trapped by CPACR_EL1 or CPTR_ELx", "illegal in Streaming SVE mode",
                                          "illegal outside Streaming SVE mode", "illegal while ZA is off",
                                          "ZT0 trapped by SMCR_ELx"};

std::string say_other_instruction(u64 iss) {
  constexpr std::string_view names[] = {"ST64BV", "ST64BV0", "LD64B or ST64B"};
  return iss < 3 ? std::string(names[iss]) : fmt::format("ISS {}", hex(iss));
}

std::string say_lst(u64 value) {
  constexpr std::string_view names[] = {"no 64-byte load or store is named", "ST64BV", "LD64B or ST64B", "ST64BV0"};
  return std::string(names[value & 0b11]);
}

std::string say_set(u64 value, u8 fsc) {
  if (decode_fsc(fsc).kind != fault_kind::external_abort) return {};
  constexpr std::string_view names[] = {"recoverable state", "reserved", "uncontainable", "restartable state"};
  return std::string(names[value & 0b11]);
}

std::string say_condition(u64 cond) {
  constexpr std::string_view names[] = {"EQ", "NE", "CS", "CC", "MI", "PL", "VS", "VC",
                                        "HI", "LS", "GE", "LT", "GT", "LE", "AL", "AL"};
  return std::string(names[cond & 0xf]);
}

// FSC of a debug exception.
std::string say_debug_status(u64 fsc) { return fsc == 0x22 ? "debug exception" : "reserved"; }

}  // namespace

std::string register_name(u8 reg, bool reg64) {
  return reg == 31 ? (reg64 ? "xzr" : "wzr") : fmt::format("{}{}", reg64 ? 'x' : 'w', reg);
}

std::string say_serror_status(u8 dfsc) {
  if (dfsc == 0) return "uncategorized error";
  if (dfsc == serror_asynchronous) return "asynchronous error";
  return "reserved fault status code";
}

// [ISS encoding for an SError exception, AET]
std::string say_error_type(u8 aet) {
  switch (aet) {
    case 0b000: return "uncontainable (UC)";
    case 0b001: return "unrecoverable state (UEU)";
    case 0b010: return "restartable state (UEO)";
    case 0b011: return "recoverable state (UER)";
    case 0b110: return "corrected (CE)";
    default: return "reserved error type";
  }
}

std::string say_iss(esr_el2 esr) {
  u64 const iss = field<24, 0>::get(esr.raw);
  switch (describe_class(esr.get<esr_el2::ec>()).form) {
    case iss_form::wfx: return std::string(wfx_names[iss & 0b11]);
    case iss_form::mcr: return say_mcr(iss, false);
    case iss_form::mcrr: return say_mcr(iss, true);
    case iss_form::immediate: return fmt::format("immediate {}", hex(field<15, 0>::get(iss)));
    case iss_form::system: return say_system(iss);
    case iss_form::eret: return (iss & 0b10) == 0 ? "ERET" : (iss & 1) != 0 ? "ERETAB" : "ERETAA";
    case iss_form::other_instruction: return say_other_instruction(iss);
    case iss_form::branch_target: return fmt::format("BTYPE {}", binary(iss & 0b11, 2));
    case iss_form::pac_fail:
      return fmt::format("{} {}", (iss & 0b10) != 0 ? "data" : "instruction", (iss & 1) != 0 ? "B key" : "A key");
    case iss_form::sme: return std::string((iss & 0b111) < 5 ? sme_names[iss & 0b111] : "reserved");
    case iss_form::granule_protection_check:
      return join({field<20>::get(iss) != 0  ? "instruction fetch"
                   : field<6>::get(iss) != 0 ? "write"
                                             : "read",
                   say_gpcsc(field<19, 14>::get(iss)), field<21>::get(iss) != 0 ? "on a stage 2 table access" : "",
                   field<7>::get(iss) != 0 ? "on a stage 1 table access" : "",
                   say_fault_status(field<5, 0, u8>::get(iss))});
    case iss_form::memory_operation:
      return join({field<24>::get(iss) == 0   ? "CPY"
                   : field<23>::get(iss) != 0 ? "SETG"
                                              : "SET",
                   say_flag(iss_flags, "FromEpilogue", field<18>::get(iss)),
                   say_flag(iss_flags, "WrongOption", field<17>::get(iss))});
    case iss_form::fp_exception: return say_fp(iss);
    case iss_form::guarded_control_stack:
      return field<23, 20>::get(iss) == 0
                 ? fmt::format("{}: {}", say_gcs_instruction(field<4, 0>::get(iss)), say_gcs_type(0))
                 : say_gcs_type(field<23, 20>::get(iss));
    case iss_form::watchpoint:
      return join({say_flag(iss_flags, "CM", field<8>::get(iss)), field<6>::get(iss) != 0 ? "write" : "read",
                   field<17>::get(iss) != 0 ? fmt::format("watchpoint {}", field<23, 18>::get(iss)) : ""});
    case iss_form::breakpoint_instruction:
      return join({fmt::format("comment {}", hex(field<15, 0>::get(iss))), say_brk(field<15, 0>::get(iss))});
    default: return {};
  }
}

std::string say_iss_field(esr_el2 esr, field_info const& row, u64 value) {
  std::string_view const field = row.name;
  iss_form const form = describe_class(esr.get<esr_el2::ec>()).form;
  u8 const fsc = esr.get<esr_el2::fsc>();
  if (field == "EC") return describe_class(static_cast<u8>(value)).name;
  if (field == "ISV" && form == iss_form::data_abort)
    return value != 0 ? "bits 23:14 describe the access"
                      : "bits 23:14 say nothing of the access: decode the instruction";
  if (field == "ISV") return value != 0 ? "EX is valid" : "EX is not valid";
  if (field == "SAS") return fmt::format("{}-bit", 8u << value);
  if (field == "SRT") return register_name(static_cast<u8>(value), esr.get<esr_el2::sf>());
  if (field == "SET") return say_set(value, fsc);
  if (field == "LST") return say_lst(value);
  if (field == "Xs")
    return (fsc & 0x3f) == 0x35 || value != 0 ? "of ST64BV and ST64BV0: " + register_name(static_cast<u8>(value), true)
                                              : "";
  if (field == "DFSC" && form == iss_form::serror) return say_serror_status(static_cast<u8>(value));
  if (field == "DFSC" || field == "IFSC")
    return form == iss_form::data_abort || form == iss_form::instruction_abort
               ? say_fault_status(static_cast<u8>(value))
               : say_debug_status(value);
  if (field == "xFSC") return say_fault_status(static_cast<u8>(value));
  if (field == "AET")
    return fsc == serror_asynchronous ? say_error_type(static_cast<u8>(value)) : "counts with DFSC 0x11 only";
  if (field == "COND") return say_condition(value);
  if (field == "TI") return std::string(wfx_names[value & 0b11]);
  if (field == "GPCSC") return say_gpcsc(value);
  if (field == "ExType") return say_gcs_type(value);
  if (field == "IT") return say_gcs_instruction(value);
  if (field == "SMTC") return std::string(value < 5 ? sme_names[value] : "reserved");
  if (field == "Comment") return say_brk(value);
  if (field == "ISS" && form == iss_form::other_instruction) return say_other_instruction(value);
  if (field == "ERET") return value != 0 ? "ERETAA or ERETAB" : "ERET";
  if (field == "ERETA") return value != 0 ? "B key" : "A key";
  if (field == "WPT") return fmt::format("watchpoint {}", value);
  if (field == "Direction") return value != 0 ? "read" : "write";
  if (field == "Op0" && form == iss_form::system) return say_system(vmsa::field<24, 0>::get(esr.raw));
  for (std::string_view const reg : {"Rt", "Rt2", "RN", "Rn", "Rd", "Raddr", "destreg", "srcreg", "sizereg"})
    if (field == reg) return register_name(static_cast<u8>(value), true);
  return say_flag(iss_flags, field, value);
}

}  // namespace vmsa::text
