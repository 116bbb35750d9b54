// SPDX-License-Identifier: MIT
// VTCR_EL2, VTTBR_EL2 and TCR_EL1: the registers that shape a table walk.
#include "explain_fields.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/format.hpp"

namespace vmsa::text {
namespace {

constexpr flag_meaning vtcr_flags[] = {
    {"HDBSS", "dirty pages are recorded in a structure"},
    {"HAFT", "hardware sets AF in table descriptors"},
    {"GCSH", "guarded control stacks at stage 2"},
    {"D128", "128-bit descriptors, which vmsa does not model"},
    {"S2POE", "permission overlays, which vmsa does not model"},
    {"S2PIE", "indirect permissions, which vmsa does not model"},
    {"TL1", "the TopLevel1 permission is checked"},
    {"TL0", "the TopLevel0 permission is checked"},
    {"AssuredOnly", "the AssuredOnly attribute is in use"},
    {"DS", "52-bit addresses; shareability from SH0", "48-bit addresses; shareability from the descriptor"},
    {"NSA", "see NSW: Secure state only"},
    {"NSW", "see NSA: Secure state only"},
    {"HD", "hardware makes DBM pages writable (counts with HA)", "hardware does not manage dirty state"},
    {"HA", "hardware sets AF", "AF=0 faults"},
    {"VS", "16-bit VMID", "8-bit VMID"},
};

std::string say_tg0(u64 value) {
  constexpr std::string_view names[] = {"4K", "64K", "16K", "reserved"};
  return std::string(names[value & 0b11]);
}
std::string say_tg1(u64 value) {
  constexpr std::string_view names[] = {"reserved", "16K", "4K", "64K"};
  return std::string(names[value & 0b11]);
}

std::string say_start(vtcr_el2 vtcr, features const& f) {
  granule const tg = stage2_granule(vtcr, f);
  start_level_result const start = decode_start_level(vtcr, tg, stage2_ds(vtcr, tg, f), f);
  if (start.error == geometry_error::start_level_reserved) return "reserved for this granule";
  return fmt::format("start level {}", number(start.value));
}

std::string say_input_size(u64 txsz) { return fmt::format("{} bits", 64 - txsz); }

constexpr flag_meaning tcr_flags[] = {
    {"MTX1", "upper half: bits 59:56 of an address are a tag, never translated"},
    {"MTX0", "lower half: bits 59:56 of an address are a tag, never translated"},
    {"DS", "52-bit addresses with 4K and 16K; shareability from SH0 and SH1", "48-bit addresses with 4K and 16K"},
    {"TCMA1", "upper half: logical tag 0b1111 is not checked"},
    {"TCMA0", "lower half: logical tag 0b0000 is not checked"},
    {"E0PD1", "EL0 access to the upper half faults"},
    {"E0PD0", "EL0 access to the lower half faults"},
    {"NFD1", "upper half: non-fault translation walks for SVE are off"},
    {"NFD0", "lower half: non-fault translation walks for SVE are off"},
    {"TBID1", "upper half: top byte ignored for data only"},
    {"TBID0", "lower half: top byte ignored for data only"},
    {"HPD1", "upper half: hierarchical permissions are off"},
    {"HPD0", "lower half: hierarchical permissions are off"},
    {"HD", "hardware makes DBM pages writable (counts with HA)", "hardware does not manage dirty state"},
    {"HA", "hardware sets AF", "AF=0 faults"},
    {"TBI1", "upper half: top byte ignored"},
    {"TBI0", "lower half: top byte ignored"},
    {"AS", "16-bit ASID", "8-bit ASID"},
    {"EPD1", "upper half: a walk faults", "upper half: walks go through TTBR1_EL1"},
    {"A1", "the ASID is TTBR1_EL1's", "the ASID is TTBR0_EL1's"},
    {"EPD0", "lower half: a walk faults", "lower half: walks go through TTBR0_EL1"},
};

// Fields that the two control registers share, empty for any other.
std::string say_walk_field(std::string_view field, u64 value) {
  if (field == "SH0" || field == "SH1") return "table walks: " + say_shareability(value);
  if (field.starts_with("ORGN")) return "outer " + say_walk_cacheability(value);
  if (field.starts_with("IRGN")) return "inner " + say_walk_cacheability(value);
  if (field == "TG0") return say_tg0(value);
  if (field == "TG1") return say_tg1(value);
  if (field == "PS" || field == "IPS") return "output addresses: " + say_address_size(value);
  if (field == "T0SZ" || field == "T1SZ") return "input addresses: " + say_input_size(value);
  return {};
}

}  // namespace

explanation explain(vtcr_el2 vtcr, features const& f) {
  explanation e{.kind = "vtcr", .value = vtcr.raw};
  e.fields = explain_rows(vtcr.raw, vtcr_el2::layout, [&](field_info const& row, u64 value) {
    std::string_view const field = row.name;
    if (field == "SL0") return say_start(vtcr, f);
    if (field == "SL2") return std::string(vtcr.get<vtcr_el2::ds>() ? "bit 2 of the start level" : "counts with DS only");
    std::string const shared = say_walk_field(field, value);
    return shared.empty() ? say_flag(vtcr_flags, field, value) : shared;
  });

  geometry_result const result = decode_vtcr(vtcr, f);
  e.facts = {{"valid", static_cast<bool>(result)}};
  if (result) {
    geometry const& g = result.value;
    e.summary = fmt::format(
        "{} granule, {}-bit IPA, start level {}, {}-bit output; root: {} table{}, {} bytes, aligned to {}", name(g.tg()),
        g.input_bits, number(g.start), g.output_bits, g.concatenated_tables(),
        g.concatenated_tables() == 1 ? "" : "s concatenated", g.root_size(), g.root_alignment());
    e.facts.push_back({"granule", std::string(name(g.tg()))});
    e.facts.push_back({"ipa_bits", std::int64_t{g.input_bits}});
    e.facts.push_back({"output_bits", std::int64_t{g.output_bits}});
    e.facts.push_back({"start_level", std::int64_t{number(g.start)}});
    e.facts.push_back({"concatenated_tables", std::int64_t{g.concatenated_tables()}});
    e.facts.push_back({"root_bytes", static_cast<std::int64_t>(g.root_size())});
    e.facts.push_back({"root_alignment", static_cast<std::int64_t>(g.root_alignment())});
    if (g.input_bits != 64 - vtcr.get<vtcr_el2::t0sz>())
      e.notes.push_back(fmt::format("T0SZ is outside its range and was clamped to {} (IMPLEMENTATION DEFINED)",
                                    64 - g.input_bits));
  } else {
    e.summary = fmt::format("invalid: {}: every IPA is a level 0 translation fault", name(result.error));
    e.facts.push_back({"reason", std::string(name(result.error))});
  }
  e.notes.push_back(fmt::format("read as a machine that has every feature and {}-bit physical addresses", f.pa_bits));
  return e;
}

explanation explain(vttbr_el2 vttbr) {
  explanation e{.kind = "vttbr", .value = vttbr.raw};
  u16 const vmid = vttbr.get<vttbr_el2::vmid>();
  pa const base{vttbr.raw & vttbr_el2::baddr::mask};
  // 52-bit bases keep address bits 51:48 in register bits 5:2.
  u64 const high = field<5, 2>::get(vttbr.raw);
  pa const wide{(vttbr.raw & bit_mask(47, 6)) | (high << 48)};
  std::string where = hex(base);
  if (high != 0) where += fmt::format(" ({} where bases have 52 bits)", hex(wide));
  bool const cnp = vttbr.get<vttbr_el2::cnp>();
  e.summary = fmt::format("VMID {}, table at {}{}", vmid, where, cnp ? ", CnP" : "");
  e.fields = explain_rows(vttbr.raw, vttbr_el2::layout, [&](field_info const& row, u64) -> std::string {
    std::string_view const field = row.name;
    if (field == "VMID") return fmt::format("VMID {}", vmid);
    if (field == "BADDR") return where;
    return cnp ? "the PEs that share a TLB use the same table" : "";
  });
  e.facts = {{"vmid", std::int64_t{vmid}}, {"base", hex(base)}};
  e.notes = {"the walk ignores base bits below the size of the start table, which VTCR_EL2 gives"};
  return e;
}

explanation explain(tcr_el1 tcr) {
  explanation e{.kind = "tcr", .value = tcr.raw};
  e.fields = explain_rows(tcr.raw, tcr_el1::layout, [](field_info const& row, u64 value) {
    std::string const shared = say_walk_field(row.name, value);
    return shared.empty() ? say_flag(tcr_flags, row.name, value) : shared;
  });
  auto const half = [](std::string_view ttbr, bool off, u8 txsz, std::string const& tg) {
    return off ? fmt::format("{} off", ttbr) : fmt::format("{} {}-bit VA, {} granule", ttbr, 64 - txsz, tg);
  };
  e.summary = join({half("TTBR0", tcr.get<tcr_el1::epd0>(), tcr.get<tcr_el1::t0sz>(), say_tg0(tcr.get<tcr_el1::tg0>())),
                    half("TTBR1", tcr.get<tcr_el1::epd1>(), tcr.get<tcr_el1::t1sz>(), say_tg1(tcr.get<tcr_el1::tg1>())),
                    "IPA " + say_address_size(tcr.get<tcr_el1::ips>()), tcr.get<tcr_el1::ds>() ? "DS" : "",
                    tcr.get<tcr_el1::ha>() ? "HA" : "", tcr.get<tcr_el1::hd>() ? "HD" : ""},
                   "; ");
  return e;
}

}  // namespace vmsa::text
