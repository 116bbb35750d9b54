// SPDX-License-Identifier: MIT
// ESR_ELx in one line: the exception class, what was accessed and why it failed.
#include "text/explain/explain_fields.hpp"
#include "text/explain/explain_iss.hpp"
#include "vmsa/arch/syndrome_layout.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string say_class(esr_el2 esr) { return describe_class(esr.get<esr_el2::ec>()).name; }

// `32-bit load to w1`, `8-bit load to x2, sign-extended`, `64-bit store from x0, store-release`.
std::string say_transfer(transfer const& t, bool write) {
  return fmt::format("{}-bit {} {}{}{}", 8 * t.size, write ? "store from" : "load to", register_name(t.reg, t.reg64),
                     t.sign_extend ? ", sign-extended" : "",
                     t.ordered ? (write ? ", store-release" : ", load-acquire") : "");
}

void summarize_abort(esr_el2 esr, explanation& e) {
  u8 const ec = esr.get<esr_el2::ec>();
  bool const fetch = describe_class(ec).form == iss_form::instruction_abort;
  bool const write = !fetch && esr.get<esr_el2::wnr>();
  bool const cm = !fetch && esr.get<esr_el2::cm>();
  bool const s1ptw = esr.get<esr_el2::s1ptw>();
  std::string access = fetch ? "instruction fetch" : write ? "write" : "read";
  if (cm) access = "cache maintenance or address translation";
  std::optional<transfer> const moved = transfer_of(esr);
  if (moved && !cm && (ec & 1) == 0) {
    access = say_transfer(*moved, write);
    e.facts.push_back({"size", std::int64_t{moved->size}});
    e.facts.push_back({"register", register_name(moved->reg, moved->reg64)});
  }
  if (moved && (ec & 1) != 0)
    e.notes.push_back(
        "ISV is set for aborts of a lower EL at stage 2 only: hardware makes no such value with EC 0x25, and bits "
        "23:14 "
        "are not to be believed");
  u8 const fsc = esr.get<esr_el2::fsc>();
  e.summary = join({say_class(esr), access, say_fault_status(fsc), s1ptw ? "on a stage 1 table access" : ""});
  e.facts.push_back({"access", std::string(fetch ? "exec" : write ? "write" : "read")});
  e.facts.push_back({"fault", std::string(name(decode_fsc(fsc).kind))});
  if (auto const at = decode_fsc(fsc).at_level) e.facts.push_back({"level", std::int64_t{*at}});
  e.facts.push_back({"s1ptw", s1ptw});
  bool const stage2_only = (esr.raw & (bit_mask(43, 43) | bit_mask(39, 39))) != 0;
  if (stage2_only && decode_fsc(fsc).kind != fault_kind::permission)
    e.notes.push_back("HDBSSF and AssuredOnly tell of permission faults only");
  if (decode_fsc(fsc).kind == fault_kind::reserved)
    e.notes.push_back(fmt::format("fault status code {} is reserved: hardware does not report it", hex(fsc)));
}

void summarize_serror(esr_el2 esr, explanation& e) {
  if (esr.get<esr_serror::ids>()) {
    e.summary =
        fmt::format("{}, IMPLEMENTATION DEFINED syndrome {} (IDS)", say_class(esr), hex(field<23, 0>::get(esr.raw)));
    e.facts.push_back({"fault", std::string("implementation defined")});
    e.notes.push_back("the processor's own manual says what bits 23:0 mean");
  } else {
    u8 const dfsc = esr.get<esr_el2::fsc>();
    e.summary = join({say_class(esr), say_serror_status(dfsc),
                      dfsc == serror_asynchronous ? say_error_type(esr.get<esr_serror::aet>()) : "",
                      esr.get<esr_el2::ea>() ? "external abort type 1 (EA)" : ""});
    e.facts.push_back({"fault", say_serror_status(dfsc)});
    if (dfsc == serror_asynchronous) e.facts.push_back({"state", say_error_type(esr.get<esr_serror::aet>())});
  }
  e.notes.push_back(
      "an access of some time before failed, of this processor or of another agent, most often to a device that did "
      "not "
      "answer: PC is where the error was taken, and FAR_ELx says nothing");
}

void summarize(esr_el2 esr, explanation& e) {
  iss_form const form = describe_class(esr.get<esr_el2::ec>()).form;
  switch (form) {
    case iss_form::data_abort:
    case iss_form::instruction_abort: return summarize_abort(esr, e);
    case iss_form::serror: return summarize_serror(esr, e);
    default: break;
  }
  e.summary = join({say_class(esr), say_iss(esr)});
  if (form == iss_form::unspecified && describe_class(esr.get<esr_el2::ec>()).ec == esr.get<esr_el2::ec>() &&
      std::string_view(describe_class(esr.get<esr_el2::ec>()).name).starts_with("reserved"))
    e.notes.push_back(
        "no exception class of the manual's issue M.a; an AArch32 fault status (DFSR, IFSR) has another layout");
}

}  // namespace

explanation explain(esr_el2 esr) {
  explanation e{.kind = "esr", .value = esr.raw};
  e.fields = explain_rows(esr.raw, esr_layout(esr),
                          [esr](field_info const& row, u64 value) { return say_iss_field(esr, row, value); });
  e.facts = {{"class", say_class(esr)}};
  summarize(esr, e);
  return e;
}

}  // namespace vmsa::text
