// SPDX-License-Identifier: MIT
// VTCR_EL2, VTTBR_EL2, TCR_ELx and TTBRn_ELx: the registers that shape a table walk.
#include "text/explain/explain_fields.hpp"
#include "text/explain/input_sizes.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/el3_registers.hpp"
#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr flag_meaning vtcr_flags[] = {
    {"HDBSS", "what hardware makes dirty is recorded at HDBSSBR_EL2 (counts with HA and HD)"},
    {"HAFT", "hardware sets AF in table descriptors"},
    {"GCSH", "guarded control stacks at stage 2"},
    {"D128", "descriptors have 128 bits"},
    {"S2POE", "overlays limit accesses: S2POR_EL1 (counts with S2PIE)"},
    {"S2PIE", "permissions are indices into S2PIR_EL2"},
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
    {"MTX", "bits 59:56 of an address are a tag, never translated"},
    {"TCMA", "logical tag 0b0000 is not checked"},
    {"TBID", "top byte ignored for data only"},
    {"HPD", "hierarchical permissions are off"},
    {"TBI", "top byte ignored"},
    {"PIE", "permissions are indices into PIR", "permissions stand in the descriptors"},
    {"POE", "overlays limit accesses"},
    {"AIE", "attribute indices have four bits: MAIR2 too"},
    {"D128", "descriptors have 128 bits", "descriptors have 64 bits"},
    {"HAFT", "hardware sets AF in table descriptors"},
    {"PnCH", "bit 52 of a descriptor is Protected, not Contiguous"},
    {"DisCH0", "no Contiguous bit in the start table"},
    {"PTTWI", "RCWS writes may have the Reduced Coherence property"},
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

std::string say_machine(processor const& m) {
  return fmt::format("read as a machine that has {} and {}-bit physical addresses", m.name, m.has.pa_bits);
}

}  // namespace

explanation explain(vtcr_el2 vtcr, processor const& m) {
  features const& f = m.has;
  explanation e{.kind = "vtcr", .value = vtcr.raw};
  e.fields = explain_rows(vtcr.raw, vtcr_el2::layout, [&](field_info const& row, u64 value) {
    std::string_view const field = row.name;
    if (field == "SL0") return say_start(vtcr, f);
    if (field == "SL2")
      return std::string(vtcr.get<vtcr_el2::ds>() ? "bit 2 of the start level" : "counts with DS only");
    std::string const shared = say_walk_field(field, value);
    return shared.empty() ? say_flag(vtcr_flags, field, value) : shared;
  });

  stage2_sizes const sizes = judge_sizes(vtcr, f);
  e.facts = {{"valid", sizes.shape.has_value()}};
  e.notes = sizes.notes;
  if (sizes.shape) {
    geometry const& g = *sizes.shape;
    e.summary =
        fmt::format("{} granule, {}-bit IPA, start level {}, {}-bit output; root: {} table{}, {} bytes, aligned to {}",
                    name(g.tg()), g.input_bits, number(g.start), g.output_bits, g.concatenated_tables(),
                    g.concatenated_tables() == 1 ? "" : "s concatenated", g.root_size(), g.root_alignment());
    put_facts(g, e.facts);
    e.facts.insert(e.facts.begin() + 3, {"output_bits", std::int64_t{g.output_bits}});
    // The size first: the shape itself may need as much of the machine.
    if (sizes.least_pa_bits != 0) {
      e.facts.push_back({"least_pa_bits", std::int64_t{sizes.least_pa_bits}});
      e.notes.push_back(fmt::format("needs physical addresses of {} bits at least", sizes.least_pa_bits));
    }
    u8 const asked = physical_address_bits(vtcr.get<vtcr_el2::ps>());
    if (asked > f.pa_bits)
      e.notes.push_back(fmt::format("PS asks for {} bits, of which this machine has {}", asked, f.pa_bits));
  } else {
    e.summary = fmt::format("invalid: {}: every IPA is a level 0 translation fault", sizes.errors);
    e.facts.push_back({"reason", sizes.reason});
  }
  if (!sizes.granule_choice.empty()) {
    e.summary += vtcr.get<vtcr_el2::tg0>() == 0b11 ? "; TG0 is reserved" : "; the granule is not implemented";
    e.notes.push_back(sizes.granule_choice);
  }
  bool const dirties = vtcr.get<vtcr_el2::ha>() && vtcr.get<vtcr_el2::hd>();
  if (vtcr.get<vtcr_el2::hdbss>())
    e.notes.push_back(!f.hdbss  ? std::string("HDBSS is RES0 where FEAT_HDBSS is not")
                      : dirties ? "HDBSS: each stage 2 leaf that hardware makes dirty is appended to the structure at "
                                  "HDBSSBR_EL2, while SCR_EL3.HDBSSEn is 1; once it is full such a write is a stage 2 "
                                  "permission fault with HDBSSF in ESR_EL2"
                                : "HDBSS counts as 0: HA and HD are not both 1");
  if ((vtcr.raw & bit_mask(31, 31)) == 0) e.notes.push_back("bit 31 is RES1 and is clear: no hypervisor's value");
  e.notes.push_back(say_machine(m));
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

explanation explain(tcr_el1 tcr, processor const& m) {
  explanation e{.kind = "tcr", .value = tcr.raw};
  e.fields = explain_rows(tcr.raw, tcr_el1::layout, [](field_info const& row, u64 value) {
    std::string const shared = say_walk_field(row.name, value);
    return shared.empty() ? say_flag(tcr_flags, row.name, value) : shared;
  });
  stage1_sizes const lower = judge_sizes(half_of(tcr, va_half::lower), va_half::lower, m.has);
  stage1_sizes const upper = judge_sizes(half_of(tcr, va_half::upper), va_half::upper, m.has);
  e.summary =
      join({lower.summary, upper.summary, "IPA " + say_address_size(tcr.get<tcr_el1::ips>()),
            tcr.get<tcr_el1::ds>() ? "DS" : "", tcr.get<tcr_el1::ha>() ? "HA" : "", tcr.get<tcr_el1::hd>() ? "HD" : ""},
           "; ");
  e.facts = {{"valid", lower.valid && upper.valid}};
  for (auto const& [answer, prefix] : {std::pair{&lower, "ttbr0_"}, std::pair{&upper, "ttbr1_"}}) {
    e.facts.push_back({std::string(prefix) + "valid", answer->valid});
    if (answer->shape) {
      e.facts.push_back({std::string(prefix) + "va_bits", std::int64_t{answer->shape->input_bits}});
      e.facts.push_back({std::string(prefix) + "granule", std::string(name(answer->shape->tg()))});
      e.facts.push_back({std::string(prefix) + "start_level", std::int64_t{number(answer->shape->start)}});
    }
    for (std::string const& note : answer->notes) e.notes.push_back(note);
  }
  u8 const asked = physical_address_bits(tcr.get<tcr_el1::ips>());
  if (asked > m.has.pa_bits)
    e.notes.push_back(fmt::format("IPS asks for {} bits, of which this machine has {}", asked, m.has.pa_bits));
  if (tcr.get<tcr_el1::hd>() && !tcr.get<tcr_el1::ha>()) e.notes.push_back("HD counts with HA only, which is clear");
  e.notes.push_back(say_machine(m));
  return e;
}

namespace {

// A register with one range of addresses: TCR_EL2 with E2H = 0, TCR_EL3. Both have TCR_EL2's fields where it has any.
template <class Tcr>
explanation explain_one_range(Tcr tcr, processor const& m) {
  explanation e{.kind = "tcr", .value = tcr.raw};
  e.fields = explain_rows(tcr.raw, Tcr::layout, [](field_info const& row, u64 value) {
    std::string const shared = say_walk_field(row.name, value);
    return shared.empty() ? say_flag(tcr_flags, row.name, value) : shared;
  });
  stage1_sizes const range = judge_sizes(range_of(tcr_el2{{tcr.raw}}), va_half::lower, m.has);
  e.summary = join({range.summary, "PA " + say_address_size(tcr.template get<typename Tcr::ps>()),
                    tcr.template get<typename Tcr::ds>() ? "DS" : "", tcr.template get<typename Tcr::ha>() ? "HA" : "",
                    tcr.template get<typename Tcr::hd>() ? "HD" : ""},
                   "; ");
  e.facts = {{"valid", range.valid}};
  if (range.shape) {
    e.facts.push_back({"va_bits", std::int64_t{range.shape->input_bits}});
    e.facts.push_back({"granule", std::string(name(range.shape->tg()))});
    e.facts.push_back({"start_level", std::int64_t{number(range.shape->start)}});
  }
  e.notes = range.notes;
  u8 const asked = physical_address_bits(tcr.template get<typename Tcr::ps>());
  if (asked > m.has.pa_bits)
    e.notes.push_back(fmt::format("PS asks for {} bits, of which this machine has {}", asked, m.has.pa_bits));
  if (u64 const odd = reserved_bits_set(Tcr::layout, tcr.raw); odd != 0)
    e.notes.push_back(fmt::format("RES0 bits are set: {}: is this the layout of another regime?", hex(odd)));
  e.notes.push_back(say_machine(m));
  return e;
}

// What TTBRn_ELx of both shapes share: where the table lies.
std::string say_table_base(u64 raw) {
  u64 const high = field<5, 2>::get(raw);
  std::string where = hex(raw & ttbr_el1::baddr::mask);
  if (high != 0) where += fmt::format(" ({} where bases have 52 bits)", hex((raw & bit_mask(47, 6)) | (high << 48)));
  return where;
}

template <class Ttbr>
explanation explain_table_base(u64 raw, std::string asid) {
  explanation e{.kind = "ttbr", .value = raw};
  bool const cnp = (raw & 1) != 0;
  e.summary = join({asid, "table at " + say_table_base(raw), cnp ? "CnP" : ""});
  e.fields = explain_rows(raw, Ttbr::layout, [&](field_info const& row, u64) -> std::string {
    std::string_view const field = row.name;
    if (field == "ASID") return asid;
    if (field == "BADDR") return say_table_base(raw);
    return cnp ? "the PEs that share a TLB use the same table" : "";
  });
  e.facts = {{"base", hex(raw & ttbr_el1::baddr::mask)}};
  e.notes = {"the walk ignores base bits below the size of the start table, which TCR_ELx gives"};
  return e;
}

}  // namespace

explanation explain_tcr_el2(u64 raw, processor const& m) { return explain_one_range(tcr_el2{{raw}}, m); }

explanation explain_tcr_el3(u64 raw, processor const& m) {
  explanation e = explain_one_range(tcr_el3{{raw}}, m);
  if (tcr_el3{{raw}}.get<tcr_el3::d128>())
    e.notes.push_back("D128 is set: the start level and the shape of descriptors are not those of 64-bit tables");
  return e;
}

explanation explain_ttbr_el1(u64 raw, processor const&) {
  explanation e = explain_table_base<ttbr_el1>(raw, fmt::format("ASID {}", ttbr_el1::asid::get(raw)));
  e.facts.push_back({"asid", std::int64_t{ttbr_el1::asid::get(raw)}});
  return e;
}

explanation explain_ttbr_el2(u64 raw, processor const&) {
  explanation e = explain_table_base<ttbr0_el2>(raw, {});
  if (u64 const odd = reserved_bits_set(ttbr0_el2::layout, raw); odd != 0)
    e.notes.push_back(
        fmt::format("RES0 bits are set: {}: an ASID, which only the EL1&0 and EL2&0 regimes have?", hex(odd)));
  return e;
}

}  // namespace vmsa::text
