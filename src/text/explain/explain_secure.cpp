// SPDX-License-Identifier: MIT
// Secure stage 2 and granule protection: VSTCR_EL2, VSTTBR_EL2, GPCCR_EL3, GPTBR_EL3.
#include "text/explain/explain_fields.hpp"
#include "text/explain/input_sizes.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/granule_protection.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// Granule fields of stage 2, and of PGS: 0b11 is reserved.
std::string say_granule_field(u64 value) {
  constexpr std::string_view names[] = {"4K", "64K", "16K", "reserved"};
  return std::string(names[value & 0b11]);
}

explanation tell_vstcr(u64 raw, processor const& on) {
  vstcr_el2 const r{{raw}};
  explanation e{.kind = "vstcr", .value = raw};
  bool const walks_ns = r.get<vstcr_el2::sw>();
  bool const output_ns = walks_ns || r.get<vstcr_el2::sa>();
  // What VTCR_EL2 adds to the shape, DS and PS, is not said here: DS is 0, and so SL2 does not count, PS the machine's.
  vtcr_el2 const shape = r.over(vtcr_el2{}.with<vtcr_el2::ps>(physical_address_encoding(on.has.pa_bits)));
  stage2_sizes const sizes = judge_sizes(shape, on.has);
  granule const tg = stage2_granule(shape, on.has);
  start_level_result const start = decode_start_level(shape, tg, false, on.has);
  std::string const level = start.error == geometry_error::start_level_reserved
                                ? std::string("start level reserved for this granule")
                                : fmt::format("start level {}", number(start.value));
  u64 const bits = sizes.shape ? sizes.shape->input_bits : 64 - vtcr_el2::t0sz::get(raw);
  std::string const shape_words =
      sizes.shape ? fmt::format("{} granule, {} bits, {}", name(tg), bits, level)
                  : fmt::format("invalid: {}: every Secure IPA is a level 0 translation fault", sizes.errors);
  e.summary = fmt::format("Secure IPA: {}; walks go to {}, output is {}", shape_words,
                          walks_ns ? "Non-secure memory" : "Secure memory", output_ns ? "Non-secure" : "Secure");
  e.fields = explain_rows(raw, vstcr_el2::layout, [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field == "TG0") return say_granule_field(v);
    if (field == "T0SZ") return fmt::format("input addresses: {} bits", bits);
    if (field == "SL0") return level;
    if (field == "SL2") return "counts with VTCR_EL2.DS only";
    if (field == "SW") return v != 0 ? "table walks go to Non-secure memory" : "table walks go to Secure memory";
    if (field == "SA" && walks_ns) return "counts as 1, for SW is 1";
    return v != 0 ? "output is Non-secure" : "output is Secure";
  });
  e.facts = {{"valid", sizes.shape.has_value()}};
  if (sizes.shape)
    put_facts(*sizes.shape, e.facts);
  else
    e.facts.push_back({"reason", sizes.reason});
  e.facts.push_back({"walks_secure", !walks_ns});
  e.facts.push_back({"output_secure", !output_ns});
  e.notes = {
      "of Secure IPAs; output size, hardware updates, attributes of walks and DS are VTCR_EL2's, and DS=0 is "
      "assumed"};
  e.notes.insert(e.notes.end(), sizes.notes.begin(), sizes.notes.end());
  vtcr_el2 const wide = shape.with<vtcr_el2::ds>(true);
  if (!sizes.shape && judge_sizes(wide, on.has).shape) e.notes.push_back("with VTCR_EL2.DS=1 it is valid");
  if (sizes.least_pa_bits != 0)
    e.notes.push_back(fmt::format("needs physical addresses of {} bits at least", sizes.least_pa_bits));
  if (!sizes.granule_choice.empty()) e.notes.push_back(sizes.granule_choice);
  if ((raw & bit_mask(31, 31)) == 0) e.notes.push_back("bit 31 is RES1 and is clear: no hypervisor's value");
  return e;
}

explanation tell_vsttbr(u64 raw, processor const&) {
  explanation e{.kind = "vsttbr", .value = raw};
  u64 const high = field<5, 2>::get(raw);
  std::string where = hex(raw & vsttbr_el2::baddr::mask);
  if (high != 0) where += fmt::format(" ({} where bases have 52 bits)", hex((raw & bit_mask(47, 6)) | (high << 48)));
  bool const cnp = vsttbr_el2{{raw}}.get<vsttbr_el2::cnp>();
  e.summary = join({"Secure stage 2 table at " + where, cnp ? "CnP" : ""});
  e.fields = explain_rows(raw, vsttbr_el2::layout, [&](field_info const& row, u64) -> std::string {
    if (std::string_view(row.name) == "BADDR") return where;
    return cnp ? "the PEs that share a TLB use the same table" : "";
  });
  e.facts = {{"base", hex(raw & vsttbr_el2::baddr::mask)}};
  e.notes = {"the walk ignores base bits below the size of the start table, which VSTCR_EL2 gives"};
  if (reserved_bits_set(vsttbr_el2::layout, raw) != 0)
    e.notes.push_back("RES0 bits are set: a VMID, which is VTTBR_EL2's for Secure IPAs too?");
  return e;
}

// PPS, with PPS3 above it [Arm ARM, GPCCR_EL3.PPS].
std::optional<unsigned> protected_bits(u64 raw) {
  constexpr u8 sizes[] = {32, 36, 40, 42, 44, 48, 52, 56, 46, 47};
  u64 const code = gpccr_el3::pps::get(raw) | field<3>::get(raw) << 3;
  return code < std::size(sizes) ? std::optional<unsigned>(sizes[code]) : std::nullopt;
}

// What a level 0 entry covers [Arm ARM, GPCCR_EL3.L0GPTSZ].
std::string say_region(u64 code) {
  switch (code) {
    case 0: return "1G";
    case 4: return "16G";
    case 6: return "64G";
    case 9: return "512G";
    default: return "reserved";
  }
}

constexpr flag_meaning gpccr_flags[] = {
    {"GPCBW", "bypass windows are on (FEAT_RME_GPC3)"},
    {"NA7", "GPI 0b0111 is no access"},
    {"NA6", "GPI 0b0110 is no access"},
    {"NSP", "GPI 0b0101 is Non-secure Protected"},
    {"SA", "GPI 0b0100 is System Agent"},
    {"APPSAA", "addresses above PPS may be of any space"},
    {"NSO", "GPI 0b1101 is Non-secure only"},
    {"TBGPCD", "the trace buffer accepts trace while checks are off"},
    {"GPCP", "a fault on a stage 2 table descriptor need not be reported"},
    {"GPC", "granule protection checks are on", "granule protection checks are off"},
    {"SPAD", "every Secure access faults"},
    {"NSPAD", "every Non-secure access faults"},
    {"RLPAD", "every Realm access faults"},
};

explanation tell_gpccr(u64 raw, processor const&) {
  gpccr_el3 const r{{raw}};
  explanation e{.kind = "gpccr", .value = raw};
  std::optional<unsigned> const bits = protected_bits(raw);
  std::string const size = bits ? fmt::format("{} bits protected", *bits) : "size reserved";
  bool const on = r.get<gpccr_el3::gpc>();
  u64 const sh = gpccr_el3::sh::get(raw);
  bool const cached = gpccr_el3::irgn::get(raw) != 0 || gpccr_el3::orgn::get(raw) != 0;
  e.summary = fmt::format("checks {}, {}, {} granules, {} a level 0 entry", on ? "on" : "off", size,
                          say_granule_field(gpccr_el3::pgs::get(raw)), say_region(gpccr_el3::l0gptsz::get(raw)));
  e.fields = explain_rows(raw, gpccr_el3::layout, [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field == "PPS") return size;
    if (field == "PPS3") return v != 0 ? "bit 3 of PPS (FEAT_RME_GPC3)" : "";
    if (field == "L0GPTSZ") return say_region(v) + " a level 0 entry";
    if (field == "PGS") return say_granule_field(v) + " granules";
    if (field == "SH") return "fetches of entries: " + say_shareability(v);
    if (field == "ORGN") return "outer " + say_walk_cacheability(v);
    if (field == "IRGN") return "inner " + say_walk_cacheability(v);
    return say_flag(gpccr_flags, field, v);
  });
  e.facts = {{"on", on}};
  if (bits) e.facts.push_back({"protected_bits", std::int64_t{*bits}});
  std::vector<std::string> wrong;
  if (!bits) wrong.emplace_back("PPS is reserved");
  if (gpccr_el3::pgs::get(raw) == 0b11) wrong.emplace_back("PGS is reserved");
  if (say_region(gpccr_el3::l0gptsz::get(raw)) == "reserved") wrong.emplace_back("L0GPTSZ is reserved");
  if (sh == 0b01) wrong.emplace_back("SH is reserved");
  if (!cached && sh != 0b10 && sh != 0b01) wrong.emplace_back("Non-cacheable fetches must be Outer Shareable");
  e.facts.push_back({"valid", wrong.empty()});
  for (std::string const& w : wrong) e.notes.push_back(w + ": every check ends in a GPT walk fault at level 0");
  return e;
}

explanation tell_gptbr(u64 raw, processor const&) {
  explanation e{.kind = "gptbr", .value = raw};
  u64 const base = gptbr_el3::baddr::get(raw) << 12;
  e.summary = "level 0 table of granule protection at " + hex(base);
  e.fields = explain_rows(raw, gptbr_el3::layout,
                          [&](field_info const&, u64) { return fmt::format("address bits 51:12: {}", hex(base)); });
  e.facts = {{"base", hex(base)}};
  e.notes = {"the table is aligned to its size, and to 4K at least; lower bits of the base do not count"};
  return e;
}

constexpr register_row secure_register_rows[] = {
    {"vstcr", "VSTCR_EL2", any_e2h, tell_vstcr},
    {"vsttbr", "VSTTBR_EL2", any_e2h, tell_vsttbr},
    {"gpccr", "GPCCR_EL3", any_e2h, tell_gpccr},
    {"gptbr", "GPTBR_EL3", any_e2h, tell_gptbr},
};

}  // namespace

std::span<register_row const> secure_registers() { return secure_register_rows; }

}  // namespace vmsa::text
