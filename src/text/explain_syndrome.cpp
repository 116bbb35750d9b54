// SPDX-License-Identifier: MIT
// ESR_EL2 and HPFAR_EL2: what a fault left behind.
#include "explain_fields.hpp"
#include "vmsa/text/format.hpp"

namespace vmsa::text {
namespace {

struct class_name {
  u8 ec;
  std::string_view name;
};
// [ESR_EL2, EC]
constexpr class_name class_names[] = {
    {0x00, "unknown reason"},
    {0x01, "WFI, WFE, WFIT or WFET trapped"},
    {0x03, "MCR or MRC trapped, coproc 0b1111"},
    {0x04, "MCRR or MRRC trapped, coproc 0b1111"},
    {0x05, "MCR or MRC trapped, coproc 0b1110"},
    {0x06, "LDC or STC trapped"},
    {0x07, "SVE, Advanced SIMD or floating-point access trapped"},
    {0x08, "VMRS of an ID register trapped"},
    {0x09, "pointer authentication trapped"},
    {0x0a, "64-byte load or store trapped"},
    {0x0c, "MRRC trapped, coproc 0b1110"},
    {0x0d, "branch target exception"},
    {0x0e, "illegal execution state"},
    {0x11, "SVC in AArch32 state"},
    {0x12, "HVC in AArch32 state"},
    {0x13, "SMC in AArch32 state"},
    {0x15, "SVC in AArch64 state"},
    {0x16, "HVC in AArch64 state"},
    {0x17, "SMC in AArch64 state"},
    {0x18, "MSR, MRS or system instruction trapped"},
    {0x19, "SVE access trapped"},
    {0x1a, "ERET trapped"},
    {0x1c, "pointer authentication failure"},
    {0x1d, "SME access trapped"},
    {0x20, "instruction abort from a lower EL"},
    {0x21, "instruction abort from the same EL"},
    {0x22, "PC alignment fault"},
    {0x24, "data abort from a lower EL"},
    {0x25, "data abort from the same EL"},
    {0x26, "SP alignment fault"},
    {0x27, "memory copy or set exception"},
    {0x28, "floating-point exception in AArch32 state"},
    {0x2c, "floating-point exception in AArch64 state"},
    {0x2f, "SError interrupt"},
    {0x30, "breakpoint from a lower EL"},
    {0x31, "breakpoint from the same EL"},
    {0x32, "software step from a lower EL"},
    {0x33, "software step from the same EL"},
    {0x34, "watchpoint from a lower EL"},
    {0x35, "watchpoint from the same EL"},
    {0x38, "BKPT in AArch32 state"},
    {0x3a, "vector catch in AArch32 state"},
    {0x3c, "BRK in AArch64 state"},
};

std::string say_class(u8 ec) {
  for (class_name const& row : class_names)
    if (row.ec == ec) return std::string(row.name);
  return "reserved exception class";
}

bool is_data_abort(u8 ec) {
  return ec == static_cast<u8>(exception_class::data_abort_lower_el) ||
         ec == static_cast<u8>(exception_class::data_abort_same_el);
}
bool is_instruction_abort(u8 ec) {
  return ec == static_cast<u8>(exception_class::instruction_abort_lower_el) ||
         ec == static_cast<u8>(exception_class::instruction_abort_same_el);
}

std::string register_name(u8 reg, bool reg64) {
  return reg == 31 ? (reg64 ? "xzr" : "wzr") : fmt::format("{}{}", reg64 ? 'x' : 'w', reg);
}

// `32-bit load to w1`, `8-bit load to x2, sign-extended`, `64-bit store from x0, store-release`.
std::string say_transfer(transfer const& t, bool write) {
  return fmt::format("{}-bit {} {}{}{}", 8 * t.size, write ? "store from" : "load to", register_name(t.reg, t.reg64),
                     t.sign_extend ? ", sign-extended" : "",
                     t.ordered ? (write ? ", store-release" : ", load-acquire") : "");
}

constexpr flag_meaning abort_flags[] = {
    {"IL", "the instruction is 32 bits long", "the instruction is 16 bits long"},
    {"ISV", "bits 23:14 describe the access", "bits 23:14 say nothing: decode the instruction"},
    {"SSE", "sign-extended"},
    {"SF", "64-bit register", "32-bit register"},
    {"AR", "acquire or release"},
    {"VNCR", "on an access through VNCR_EL2"},
    {"FnV", "FAR_EL2 is not valid", "FAR_EL2 is valid"},
    {"EA", "external abort type (IMPLEMENTATION DEFINED)"},
    {"CM", "cache maintenance or address translation instruction"},
    {"S1PTW", "on a stage 1 table access: HPFAR_EL2 is the table's", "not on a stage 1 table access"},
    {"WnR", "write", "read"},
};

std::string say_set(u64 value, u8 fsc) {
  if (decode_fsc(fsc).kind != fault_kind::external_abort) return {};
  constexpr std::string_view names[] = {"recoverable state", "reserved", "uncontainable", "restartable state"};
  return std::string(names[value & 0b11]);
}

std::string say_abort_field(esr_el2 esr, field_info const& row, u64 value) {
  std::string_view const field = row.name;
  bool const described = esr.get<esr_el2::isv>();
  bool const about_transfer = field == "SAS" || field == "SSE" || field == "SRT" || field == "SF" || field == "AR";
  if (about_transfer && !described) return {};
  if (field == "EC") return say_class(static_cast<u8>(value));
  if (field == "SAS") return fmt::format("{}-bit", 8u << value);
  if (field == "SRT") return register_name(static_cast<u8>(value), esr.get<esr_el2::sf>());
  if (field == "SET") return say_set(value, esr.get<esr_el2::fsc>());
  if (field == "DFSC" || field == "IFSC") return say_fault_status(static_cast<u8>(value));
  return say_flag(abort_flags, field, value);
}

void summarize_abort(esr_el2 esr, explanation& e) {
  bool const fetch = is_instruction_abort(esr.get<esr_el2::ec>());
  bool const write = esr.get<esr_el2::wnr>();
  bool const cm = !fetch && esr.get<esr_el2::cm>();
  bool const s1ptw = esr.get<esr_el2::s1ptw>();
  std::string access = "instruction fetch";
  if (cm) {
    access = "cache maintenance or address translation";
  } else if (!fetch && esr.get<esr_el2::isv>()) {
    // decode_fault answers for aborts from a lower EL only; ISV is never set for the others.
    if (decoded_fault const d = decode_fault(esr, {}, {}); d && d.fault.isv) {
      access = say_transfer(*d.fault.isv, write);
      e.facts.push_back({"size", std::int64_t{d.fault.isv->size}});
      e.facts.push_back({"register", register_name(d.fault.isv->reg, d.fault.isv->reg64)});
    }
  } else if (!fetch) {
    access = write ? "write" : "read";
  }
  u8 const fsc = esr.get<esr_el2::fsc>();
  e.summary = join({say_class(esr.get<esr_el2::ec>()), access, say_fault_status(fsc),
                    s1ptw ? "on a stage 1 table access" : ""});
  e.facts.push_back({"access", std::string(fetch ? "exec" : write ? "write" : "read")});
  e.facts.push_back({"fault", std::string(name(decode_fsc(fsc).kind))});
  if (auto const at = decode_fsc(fsc).at_level) e.facts.push_back({"level", std::int64_t{*at}});
  e.facts.push_back({"s1ptw", s1ptw});
}

}  // namespace

explanation explain(esr_el2 esr) {
  explanation e{.kind = "esr", .value = esr.raw};
  u8 const ec = esr.get<esr_el2::ec>();
  auto const say = [esr](field_info const& row, u64 value) { return say_abort_field(esr, row, value); };
  e.facts = {{"class", say_class(ec)}};
  if (is_data_abort(ec)) {
    e.fields = explain_rows(esr.raw, esr_el2::data_abort_layout, say);
    summarize_abort(esr, e);
  } else if (is_instruction_abort(ec)) {
    e.fields = explain_rows(esr.raw, esr_el2::instruction_abort_layout, say);
    summarize_abort(esr, e);
  } else {
    e.fields = explain_rows(esr.raw, esr_el2::other_layout, [&](field_info const& row, u64 value) {
      std::string_view const field = row.name;
      if (field == "EC") return say_class(ec);
      return field == "IL" ? say_flag(abort_flags, field, value) : std::string();
    });
    e.summary = fmt::format("{}: no abort, so no memory was hit", say_class(ec));
  }
  return e;
}

explanation explain(hpfar_el2 hpfar) {
  explanation e{.kind = "hpfar", .value = hpfar.raw};
  e.summary = fmt::format("IPA {}, bits 11:0 are FAR_EL2's{}", hex(hpfar.page()),
                          hpfar.get<hpfar_el2::ns>() ? ", Non-secure IPA space" : "");
  e.fields = explain_rows(hpfar.raw, hpfar_el2::layout, [&](field_info const& row, u64 value) -> std::string {
    if (std::string_view(row.name) == "FIPA") return fmt::format("IPA {}", hex(hpfar.page()));
    return value != 0 ? "Non-secure IPA space" : "meaningful for faults in Secure state only";
  });
  e.facts = {{"ipa", hex(hpfar.page())}};
  e.notes = {"UNKNOWN after a permission fault that was not on a stage 1 table access: translate FAR_EL2 again with AT"};
  return e;
}

}  // namespace vmsa::text
