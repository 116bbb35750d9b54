// SPDX-License-Identifier: MIT
// PIR, PIRE0, POR, S2PIR and S2POR: what the codes grant that a leaf's index selects.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/permission_indirection.hpp"

namespace vmsa::text {
namespace {

std::string say_rights(bool read, bool write, bool execute) {
  std::string const words = join({read ? "read" : "", write ? "write" : "", execute ? "execute" : ""});
  return words.empty() ? "no access" : words;
}

std::string say_base(u8 code) {
  stage1_code const c = decode_stage1_code(code);
  std::string const rights = c.gcs ? "guarded control stack: read" : say_rights(c.read, c.write, c.execute);
  bool const reserved = code != 0 && code < 16 && !c.read && !c.write && !c.execute;
  return join({reserved ? "reserved: no access" : rights, c.wxn ? "execute only while not writable" : "",
               c.overlaid ? "" : "overlays do not apply"});
}

// The codes of an overlay are a set of three bits; those from 8 on are reserved [Arm ARM, POR_EL1].
std::string say_overlay(u8 code) {
  if (code >= 8) return "reserved: no access";
  return say_rights((code & 1) != 0, (code & 4) != 0, (code & 2) != 0);
}

// With the manual's names [Arm ARM, S2PIR_EL2, S2POR_EL1].
std::string say_stage2_code(u8 code) {
  constexpr std::string_view names[] = {"no access", "reserved: no access",
                                        "MRO",       "MRO-TL1",
                                        "WO",        "reserved: no access",
                                        "MRO-TL0",   "MRO-TL01",
                                        "RO",        "RO+uX",
                                        "RO+pX",     "RO+puX",
                                        "RW",        "RW+uX",
                                        "RW+pX",     "RW+puX"};
  return std::string(names[code & 0xf]);
}

std::string say_stage2(u8 code) {
  stage2_code const c = decode_stage2_code(code);
  std::string words = say_stage2_code(code);
  if (c.mostly_read_only()) words += ": read; only the table walker and read-check-write instructions write";
  if (c.top_level0 || c.top_level1)
    words += fmt::format("; tables of {} may lie there", c.top_level0 && c.top_level1 ? "TopLevel0 and TopLevel1"
                                                         : c.top_level0               ? "TopLevel0"
                                                                                      : "TopLevel1");
  if (!c.mostly_read_only() && (c.read || c.write))
    words += ": " + join({say_rights(c.read, c.write, false), c.execute_el1 ? "EL1 executes" : "",
                          c.execute_el0 ? "EL0 executes" : ""});
  return words;
}

// `1 to 3 RW, 8 RO; every other index: no access`.
template <class Say>
std::string say_indices(u64 raw, Say const& say) {
  std::string out;
  bool others = false;
  for (u8 first = 0; first < 16;) {
    u8 last = first;
    while (last < 15 && permission_code(raw, last + 1) == permission_code(raw, first)) ++last;
    if (permission_code(raw, first) == 0)
      others = true;
    else
      out += fmt::format("{}{} {}", out.empty() ? "" : "; ",
                         first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last),
                         say(permission_code(raw, first)));
    first = static_cast<u8>(last + 1);
  }
  if (out.empty()) return "no access by any index";
  return others ? out + "; no access by the others" : out;
}

template <class Say>
explanation tell_codes(std::string kind, u64 raw, std::string_view what, Say const& say) {
  explanation e{.kind = std::move(kind), .value = raw, .summary = fmt::format("{}: {}", what, say_indices(raw, say))};
  e.fields =
      explain_rows(raw, permission_register::layout, [&](field_info const&, u64 v) { return say(static_cast<u8>(v)); });
  return e;
}

explanation tell_pir(u64 raw, processor const&) {
  return tell_codes("pir", raw, "base permissions by index", say_base);
}
explanation tell_por(u64 raw, processor const&) {
  explanation e = tell_codes("por", raw, "overlay by index", say_overlay);
  e.notes = {"an overlay takes permissions away, and grants none; indices 8 to 15 count with 128-bit descriptors"};
  return e;
}
explanation tell_s2pir(u64 raw, processor const&) {
  return tell_codes("s2pir", raw, "stage 2 base permissions by index", [](u8 code) { return say_stage2(code); });
}
explanation tell_s2por(u64 raw, processor const&) {
  return tell_codes("s2por", raw, "stage 2 overlay by index", [](u8 code) { return say_stage2(code); });
}

constexpr register_row permission_register_rows[] = {
    {"pir", "PIR_EL1", any_e2h, tell_pir},       {"pir", "PIR_EL2", any_e2h, tell_pir},
    {"pir", "PIR_EL3", any_e2h, tell_pir},       {"pir", "PIRE0_EL1", any_e2h, tell_pir},
    {"pir", "PIRE0_EL2", any_e2h, tell_pir},     {"por", "POR_EL1", any_e2h, tell_por},
    {"por", "POR_EL0", any_e2h, tell_por},       {"por", "POR_EL2", any_e2h, tell_por},
    {"por", "POR_EL3", any_e2h, tell_por},       {"s2pir", "S2PIR_EL2", any_e2h, tell_s2pir},
    {"s2por", "S2POR_EL1", any_e2h, tell_s2por},
};

}  // namespace

std::span<register_row const> permission_registers() { return permission_register_rows; }

}  // namespace vmsa::text
