// SPDX-License-Identifier: MIT
// Every exception class of ESR_ELx, and how its syndrome is laid out.
#pragma once
#include <span>

#include "vmsa/arch/syndrome.hpp"

namespace vmsa {

/// How ISS, bits 24:0, is laid out. Several exception classes share a form.
enum class iss_form : u8 {
  none,  // RES0
  unspecified,
  wfx,
  mcr,
  mcrr,
  ldc,
  fp_access,
  other_instruction,
  branch_target,
  immediate,
  smc32,
  system,
  eret,
  tstart,
  pac_fail,
  sme,
  granule_protection_check,
  instruction_abort,
  data_abort,
  memory_operation,
  fp_exception,
  guarded_control_stack,
  serror,
  breakpoint,
  software_step,
  watchpoint,
  breakpoint_instruction,
};

/// One exception class as ESR_ELx.EC encodes it.
struct exception_class_row {
  u8 ec = 0;
  char const* name = "";
  iss_form form = iss_form::none;
};

/// Every class that is defined, by EC [ESR_ELx, EC; AArch64.ExceptionClass]. What is not here is reserved.
inline constexpr exception_class_row exception_classes[] = {
    {0x00, "unknown reason", iss_form::none},
    {0x01, "WFI, WFE, WFIT or WFET trapped", iss_form::wfx},
    {0x03, "MCR or MRC trapped, coproc 0b1111", iss_form::mcr},
    {0x04, "MCRR or MRRC trapped, coproc 0b1111", iss_form::mcrr},
    {0x05, "MCR or MRC trapped, coproc 0b1110", iss_form::mcr},
    {0x06, "LDC or STC trapped", iss_form::ldc},
    {0x07, "SVE, Advanced SIMD or floating-point access trapped", iss_form::fp_access},
    {0x08, "VMRS of an ID register trapped", iss_form::mcr},
    {0x09, "pointer authentication trapped", iss_form::none},
    {0x0a, "64-byte load or store, or another instruction without a class of its own, trapped",
     iss_form::other_instruction},
    {0x0c, "MRRC trapped, coproc 0b1110", iss_form::mcrr},
    {0x0d, "branch target exception", iss_form::branch_target},
    {0x0e, "illegal execution state", iss_form::none},
    {0x11, "SVC in AArch32 state", iss_form::immediate},
    {0x12, "HVC in AArch32 state", iss_form::immediate},
    {0x13, "SMC in AArch32 state", iss_form::smc32},
    {0x14, "MSRR, MRRS or 128-bit system instruction trapped", iss_form::system},
    {0x15, "SVC in AArch64 state", iss_form::immediate},
    {0x16, "HVC in AArch64 state", iss_form::immediate},
    {0x17, "SMC in AArch64 state", iss_form::immediate},
    {0x18, "MSR, MRS or system instruction trapped", iss_form::system},
    {0x19, "SVE access trapped", iss_form::none},
    {0x1a, "ERET trapped", iss_form::eret},
    {0x1b, "TSTART trapped", iss_form::tstart},
    {0x1c, "pointer authentication failure", iss_form::pac_fail},
    {0x1d, "SME access trapped", iss_form::sme},
    {0x1e, "granule protection check exception", iss_form::granule_protection_check},
    {0x1f, "IMPLEMENTATION DEFINED exception to EL3", iss_form::unspecified},
    {0x20, "instruction abort from a lower EL", iss_form::instruction_abort},
    {0x21, "instruction abort from the same EL", iss_form::instruction_abort},
    {0x22, "PC alignment fault", iss_form::none},
    {0x24, "data abort from a lower EL", iss_form::data_abort},
    {0x25, "data abort from the same EL", iss_form::data_abort},
    {0x26, "SP alignment fault", iss_form::none},
    {0x27, "memory copy or set exception", iss_form::memory_operation},
    {0x28, "floating-point exception in AArch32 state", iss_form::fp_exception},
    {0x2c, "floating-point exception in AArch64 state", iss_form::fp_exception},
    {0x2d, "guarded control stack exception", iss_form::guarded_control_stack},
    {0x2f, "SError interrupt", iss_form::serror},
    {0x30, "breakpoint from a lower EL", iss_form::breakpoint},
    {0x31, "breakpoint from the same EL", iss_form::breakpoint},
    {0x32, "software step from a lower EL", iss_form::software_step},
    {0x33, "software step from the same EL", iss_form::software_step},
    {0x34, "watchpoint from a lower EL", iss_form::watchpoint},
    {0x35, "watchpoint from the same EL", iss_form::watchpoint},
    {0x38, "BKPT in AArch32 state", iss_form::breakpoint_instruction},
    {0x3a, "vector catch in AArch32 state", iss_form::breakpoint},
    {0x3c, "BRK in AArch64 state", iss_form::breakpoint_instruction},
    {0x3d, "profiling exception", iss_form::unspecified},
};

/// The row of `ec`; a reserved class has the name "reserved exception class" and no layout.
constexpr exception_class_row describe_class(u8 ec) noexcept {
  for (exception_class_row const& row : exception_classes)
    if (row.ec == ec) return row;
  return {ec, "reserved exception class", iss_form::unspecified};
}

namespace iss_layouts {

// Each covers bits 24:0, highest first.
inline constexpr field_info none[] = {field<24, 0>::info("RES0", field_role::res0)};
inline constexpr field_info unspecified[] = {field<24, 0>::info("ISS")};
inline constexpr field_info wfx[] = {field<24>::info("CV"),
                                     field<23, 20>::info("COND"),
                                     field<19, 10>::info("RES0", field_role::res0),
                                     field<9, 5>::info("RN"),
                                     field<4, 3>::info("RES0", field_role::res0),
                                     field<2>::info("RV"),
                                     field<1, 0>::info("TI")};
inline constexpr field_info mcr[] = {
    field<24>::info("CV"),      field<23, 20>::info("COND"), field<19, 17>::info("Opc2"), field<16, 14>::info("Opc1"),
    field<13, 10>::info("CRn"), field<9, 5>::info("Rt"),     field<4, 1>::info("CRm"),    field<0>::info("Direction")};
inline constexpr field_info mcrr[] = {field<24>::info("CV"),       field<23, 20>::info("COND"),
                                      field<19, 16>::info("Opc1"), field<15>::info("RES0", field_role::res0),
                                      field<14, 10>::info("Rt2"),  field<9, 5>::info("Rt"),
                                      field<4, 1>::info("CRm"),    field<0>::info("Direction")};
inline constexpr field_info ldc[] = {field<24>::info("CV"),       field<23, 20>::info("COND"),
                                     field<19, 12>::info("imm8"), field<11, 10>::info("RES0", field_role::res0),
                                     field<9, 5>::info("Rn"),     field<4>::info("Offset"),
                                     field<3, 1>::info("AM"),     field<0>::info("Direction")};
inline constexpr field_info fp_access[] = {field<24>::info("CV"), field<23, 20>::info("COND"),
                                           field<19, 0>::info("RES0", field_role::res0)};
inline constexpr field_info branch_target[] = {field<24, 2>::info("RES0", field_role::res0),
                                               field<1, 0>::info("BTYPE")};
inline constexpr field_info immediate[] = {field<24, 16>::info("RES0", field_role::res0), field<15, 0>::info("imm16")};
inline constexpr field_info smc32[] = {field<24>::info("CV"), field<23, 20>::info("COND"),
                                       field<19>::info("CCKNOWNPASS"), field<18, 0>::info("RES0", field_role::res0)};
inline constexpr field_info system[] = {field<24, 22>::info("RES0", field_role::res0),
                                        field<21, 20>::info("Op0"),
                                        field<19, 17>::info("Op2"),
                                        field<16, 14>::info("Op1"),
                                        field<13, 10>::info("CRn"),
                                        field<9, 5>::info("Rt"),
                                        field<4, 1>::info("CRm"),
                                        field<0>::info("Direction")};
inline constexpr field_info eret[] = {field<24, 2>::info("RES0", field_role::res0), field<1>::info("ERET"),
                                      field<0>::info("ERETA")};
inline constexpr field_info tstart[] = {field<24, 10>::info("RES0", field_role::res0), field<9, 5>::info("Rd"),
                                        field<4, 0>::info("RES0", field_role::res0)};
inline constexpr field_info pac_fail[] = {field<24, 2>::info("RES0", field_role::res0), field<1>::info("DnI"),
                                          field<0>::info("BnA")};
inline constexpr field_info sme[] = {field<24, 3>::info("RES0", field_role::res0), field<2, 0>::info("SMTC")};
inline constexpr field_info granule_protection_check[] = {field<24, 22>::info("RES0", field_role::res0),
                                                          field<21>::info("S2PTW"),
                                                          field<20>::info("InD"),
                                                          field<19, 14>::info("GPCSC"),
                                                          field<13>::info("VNCR"),
                                                          field<12, 9>::info("RES0", field_role::res0),
                                                          field<8>::info("CM"),
                                                          field<7>::info("S1PTW"),
                                                          field<6>::info("WnR"),
                                                          field<5, 0>::info("xFSC")};
// SET is there for external aborts; TopLevel for permission faults (FEAT_THE); PFV for external aborts (FEAT_PFAR).
inline constexpr field_info instruction_abort[] = {field<24, 22>::info("RES0", field_role::res0),
                                                   field<21>::info("TopLevel"),
                                                   field<20, 15>::info("RES0", field_role::res0),
                                                   field<14>::info("PFV"),
                                                   field<13>::info("RES0", field_role::res0),
                                                   esr_el2::set::info("SET"),
                                                   esr_el2::fnv::info("FnV"),
                                                   esr_el2::ea::info("EA"),
                                                   field<8>::info("RES0", field_role::res0),
                                                   esr_el2::s1ptw::info("S1PTW"),
                                                   field<6>::info("RES0", field_role::res0),
                                                   esr_el2::fsc::info("IFSC")};
inline constexpr field_info data_abort_with_transfer[] = {
    esr_el2::isv::info("ISV"), esr_el2::sas::info("SAS"), esr_el2::sse::info("SSE"),   esr_el2::srt::info("SRT"),
    esr_el2::sf::info("SF"),   esr_el2::ar::info("AR"),   esr_el2::vncr::info("VNCR"), esr_el2::set::info("SET"),
    esr_el2::fnv::info("FnV"), esr_el2::ea::info("EA"),   esr_el2::cm::info("CM"),     esr_el2::s1ptw::info("S1PTW"),
    esr_el2::wnr::info("WnR"), esr_el2::fsc::info("DFSC")};
inline constexpr field_info data_abort[] = {
    esr_el2::isv::info("ISV"),     field<23, 22>::info("RES0", field_role::res0),
    field<21>::info("TopLevel"),   field<20, 15>::info("RES0", field_role::res0),
    field<14>::info("PFV"),        esr_el2::vncr::info("VNCR"),
    esr_el2::set::info("SET"),     esr_el2::fnv::info("FnV"),
    esr_el2::ea::info("EA"),       esr_el2::cm::info("CM"),
    esr_el2::s1ptw::info("S1PTW"), esr_el2::wnr::info("WnR"),
    esr_el2::fsc::info("DFSC")};
inline constexpr field_info memory_operation[] = {field<24>::info("MemInst"),
                                                  field<23>::info("isSETG"),
                                                  field<22, 19>::info("Options"),
                                                  field<18>::info("FromEpilogue"),
                                                  field<17>::info("WrongOption"),
                                                  field<16>::info("OptionA"),
                                                  field<15>::info("RES0", field_role::res0),
                                                  field<14, 10>::info("destreg"),
                                                  field<9, 5>::info("srcreg"),
                                                  field<4, 0>::info("sizereg")};
inline constexpr field_info fp_exception[] = {field<24>::info("RES0", field_role::res0),
                                              field<23>::info("TFV"),
                                              field<22, 11>::info("RES0", field_role::res0),
                                              field<10, 8>::info("VECITR"),
                                              field<7>::info("IDF"),
                                              field<6, 5>::info("RES0", field_role::res0),
                                              field<4>::info("IXF"),
                                              field<3>::info("UFF"),
                                              field<2>::info("OFF"),
                                              field<1>::info("DZF"),
                                              field<0>::info("IOF")};
inline constexpr field_info guarded_control_stack[] = {field<24>::info("RES0", field_role::res0),
                                                       field<23, 20>::info("ExType"),
                                                       field<19, 15>::info("RES0", field_role::res0),
                                                       field<14, 10>::info("Raddr"),
                                                       field<9, 5>::info("Rn"),
                                                       field<4, 0>::info("IT")};
inline constexpr field_info serror[] = {esr_serror::ids::info("IDS"),
                                        field<23, 15>::info("RES0", field_role::res0),
                                        field<14>::info("PFV"),
                                        esr_serror::iesb::info("IESB"),
                                        esr_serror::aet::info("AET"),
                                        esr_el2::ea::info("EA"),
                                        field<8, 6>::info("RES0", field_role::res0),
                                        esr_el2::fsc::info("DFSC")};
inline constexpr field_info serror_of_implementation[] = {esr_serror::ids::info("IDS"),
                                                          field<23, 0>::info("IMPLEMENTATION DEFINED")};
inline constexpr field_info breakpoint[] = {field<24, 6>::info("RES0", field_role::res0), field<5, 0>::info("IFSC")};
inline constexpr field_info software_step[] = {field<24>::info("ISV"), field<23, 7>::info("RES0", field_role::res0),
                                               field<6>::info("EX"), field<5, 0>::info("IFSC")};
inline constexpr field_info watchpoint[] = {field<24>::info("RES0", field_role::res0),
                                            field<23, 18>::info("WPT"),
                                            field<17>::info("WPTV"),
                                            field<16>::info("WPF"),
                                            field<15>::info("FnP"),
                                            field<14>::info("RES0", field_role::res0),
                                            field<13>::info("VNCR"),
                                            field<12, 11>::info("RES0", field_role::res0),
                                            field<10>::info("FnV"),
                                            field<9>::info("RES0", field_role::res0),
                                            field<8>::info("CM"),
                                            field<7>::info("RES0", field_role::res0),
                                            field<6>::info("WnR"),
                                            field<5, 0>::info("DFSC")};
inline constexpr field_info breakpoint_instruction[] = {field<24, 16>::info("RES0", field_role::res0),
                                                        field<15, 0>::info("Comment")};

// ISS2, bits 55:32, of the classes that have it.
inline constexpr field_info no_iss2[] = {field<55, 32>::info("RES0", field_role::res0)};
inline constexpr field_info data_abort_iss2[] = {field<55, 44>::info("RES0", field_role::res0),
                                                 field<43>::info("HDBSSF"),
                                                 field<42>::info("TnD"),
                                                 field<41>::info("TagAccess"),
                                                 field<40>::info("GCS"),
                                                 field<39>::info("AssuredOnly"),
                                                 field<38>::info("Overlay"),
                                                 field<37>::info("DirtyBit"),
                                                 field<36, 32>::info("Xs")};
inline constexpr field_info instruction_abort_iss2[] = {field<55, 44>::info("RES0", field_role::res0),
                                                        field<43>::info("HDBSSF"),
                                                        field<42, 40>::info("RES0", field_role::res0),
                                                        field<39>::info("AssuredOnly"),
                                                        field<38>::info("Overlay"),
                                                        field<37>::info("DirtyBit"),
                                                        field<36, 32>::info("RES0", field_role::res0)};
inline constexpr field_info watchpoint_iss2[] = {field<55, 41>::info("RES0", field_role::res0), field<40>::info("GCS"),
                                                 field<39, 32>::info("RES0", field_role::res0)};

}  // namespace iss_layouts

/// The rows of ISS, bits 24:0 of this syndrome [ESR_ELx, the ISS encodings].
constexpr std::span<field_info const> iss_layout(esr_el2 esr) noexcept {
  namespace l = iss_layouts;
  switch (describe_class(esr.get<esr_el2::ec>()).form) {
    case iss_form::none: return l::none;
    case iss_form::unspecified:
    case iss_form::other_instruction: return l::unspecified;
    case iss_form::wfx: return l::wfx;
    case iss_form::mcr: return l::mcr;
    case iss_form::mcrr: return l::mcrr;
    case iss_form::ldc: return l::ldc;
    case iss_form::fp_access: return l::fp_access;
    case iss_form::branch_target: return l::branch_target;
    case iss_form::immediate: return l::immediate;
    case iss_form::smc32: return l::smc32;
    case iss_form::system: return l::system;
    case iss_form::eret: return l::eret;
    case iss_form::tstart: return l::tstart;
    case iss_form::pac_fail: return l::pac_fail;
    case iss_form::sme: return l::sme;
    case iss_form::granule_protection_check: return l::granule_protection_check;
    case iss_form::instruction_abort: return l::instruction_abort;
    case iss_form::data_abort:
      if (esr.get<esr_el2::isv>()) return l::data_abort_with_transfer;
      return l::data_abort;
    case iss_form::memory_operation: return l::memory_operation;
    case iss_form::fp_exception: return l::fp_exception;
    case iss_form::guarded_control_stack: return l::guarded_control_stack;
    case iss_form::serror:
      if (esr.get<esr_serror::ids>()) return l::serror_of_implementation;
      return l::serror;
    case iss_form::breakpoint: return l::breakpoint;
    case iss_form::software_step: return l::software_step;
    case iss_form::watchpoint: return l::watchpoint;
    case iss_form::breakpoint_instruction: return l::breakpoint_instruction;
  }
  return l::unspecified;
}

/// True when bits 12:11 of a data abort are LST, which names a 64-byte load or store (FEAT_LS64), and not SET.
constexpr bool has_lst(esr_el2 esr) noexcept {
  if (describe_class(esr.get<esr_el2::ec>()).form != iss_form::data_abort) return false;
  switch (decode_fsc(esr.get<esr_el2::fsc>()).kind) {
    case fault_kind::translation:
    case fault_kind::access_flag:
    case fault_kind::permission:
    case fault_kind::unsupported_access: return true;
    default: return false;
  }
}

/// The rows of all 64 bits of this syndrome, highest first.
constexpr field_list esr_layout(esr_el2 esr) noexcept {
  namespace l = iss_layouts;
  field_list rows;
  rows.add(63, 56, "RES0", field_role::res0);
  std::span<field_info const> iss2 = l::no_iss2;
  switch (describe_class(esr.get<esr_el2::ec>()).form) {
    case iss_form::data_abort: iss2 = l::data_abort_iss2; break;
    case iss_form::instruction_abort: iss2 = l::instruction_abort_iss2; break;
    case iss_form::watchpoint: iss2 = l::watchpoint_iss2; break;
    default: break;
  }
  for (field_info const& row : iss2) rows.add(row.high, row.low, row.name, row.role);
  rows.add(31, 26, "EC");
  rows.add(25, 25, "IL");
  for (field_info const& row : iss_layout(esr))
    rows.add(row.high, row.low, row.high == 12 && has_lst(esr) ? "LST" : row.name, row.role);
  return rows;
}

namespace iss_layouts {
constexpr bool every_class_covers_all_bits() noexcept {
  for (u64 ec = 0; ec < 64; ++ec)
    for (u64 const iss : {u64{0}, u64{1} << 24})
      if (!covers_all_bits(esr_layout({{ec << 26 | iss}}))) return false;
  return true;
}
static_assert(every_class_covers_all_bits());
}  // namespace iss_layouts

}  // namespace vmsa
