// SPDX-License-Identifier: MIT
// Printers for the values of arch.
#include "testing/print_fields.hpp"
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/el3_registers.hpp"
#include "vmsa/arch/granule_protection.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/permission_indirection.hpp"
#include "vmsa/arch/smmu.hpp"
#include "vmsa/arch/smmu_attributes.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/arch/syndrome_layout.hpp"
#include "vmsa/arch/tlbi.hpp"

namespace vmsa {

void print_hex(u64 value, std::ostream* out) { *out << text::hex(value); }

void testing_detail::print_enumerator(std::string_view found, long long value, std::ostream* out) {
  if (found.empty())
    *out << value;
  else
    *out << found;
}

void PrintTo(descriptor const& d, std::ostream* out) { *out << text::hex(d.raw); }
void PrintTo(wide_descriptor const& d, std::ostream* out) { print_fields(out, "low", d.raw, "high", d.high); }
void PrintTo(space_controls const& v, std::ostream* out) {
  auto const& [state, sw, sa, nsw, nsa] = v;
  print_fields(out, "state", state, "sw", sw, "sa", sa, "nsw", nsw, "nsa", nsa);
}

namespace {

// `0x80000001 {RW 0x1, VM 0x1}`: the fields that are not 0.
template <class Rows>
void print_register(u64 raw, Rows const& rows, std::ostream* out) {
  *out << text::hex(raw);
  char const* separator = " {";
  for (field_info const& row : rows)
    if (row.get(raw) != 0) *out << std::exchange(separator, ", ") << row.name << ' ' << text::hex(row.get(raw));
  if (separator[0] == ',') *out << '}';
}

}  // namespace

void PrintTo(hcr_el2 const& r, std::ostream* out) { print_register(r.raw, hcr_el2::layout, out); }
void PrintTo(vtcr_el2 const& r, std::ostream* out) { print_register(r.raw, vtcr_el2::layout, out); }
void PrintTo(vttbr_el2 const& r, std::ostream* out) { print_register(r.raw, vttbr_el2::layout, out); }
void PrintTo(vstcr_el2 const& r, std::ostream* out) { print_register(r.raw, vstcr_el2::layout, out); }
void PrintTo(gpccr_el3 const& r, std::ostream* out) { print_register(r.raw, gpccr_el3::layout, out); }
void PrintTo(gptbr_el3 const& r, std::ostream* out) { print_register(r.raw, gptbr_el3::layout, out); }
void PrintTo(ttbr_el1 const& r, std::ostream* out) { print_register(r.raw, ttbr_el1::layout, out); }
void PrintTo(tcr_el1 const& r, std::ostream* out) { print_register(r.raw, tcr_el1::layout, out); }
void PrintTo(hcrx_el2 const& r, std::ostream* out) { print_register(r.raw, hcrx_el2::layout, out); }
void PrintTo(scr_el3 const& r, std::ostream* out) { print_register(r.raw, scr_el3::layout, out); }
void PrintTo(tcr_el2 const& r, std::ostream* out) { print_register(r.raw, tcr_el2::layout, out); }
void PrintTo(tcr2_el1 const& r, std::ostream* out) { print_register(r.raw, tcr2_el1::layout, out); }
void PrintTo(sctlr_el1 const& r, std::ostream* out) { print_register(r.raw, sctlr_el1::layout, out); }
void PrintTo(mair_el1 const& r, std::ostream* out) { print_register(r.raw, mair_el1::layout, out); }
void PrintTo(hpfar_el2 const& r, std::ostream* out) { print_register(r.raw, hpfar_el2::layout, out); }
void PrintTo(far_el2 const& r, std::ostream* out) { *out << text::hex(r.raw); }
void PrintTo(esr_el2 const& r, std::ostream* out) { print_register(r.raw, esr_layout(r), out); }
void PrintTo(par_el1 const& par, std::ostream* out) {
  if (par.get<par_el1::f>())
    print_register(par.raw, par_el1::fault_layout, out);
  else
    print_register(par.raw, par_el1::success_layout, out);
}

void PrintTo(cacheability const& v, std::ostream* out) { *out << text::name(v); }
void PrintTo(memory_attributes const& v, std::ostream* out) {
  auto const& [type, device, inner, outer, sh, xs, tagged, no_tag_access] = v;
  print_fields(out, "type", type, "device", device, "inner", inner, "outer", outer, "sh", sh, "xs", xs, "tagged",
               tagged, "no_tag_access", no_tag_access);
}
void PrintTo(granule_set const& v, std::ostream* out) {
  auto const& [k4, k16, k64] = v;
  print_fields(out, "k4", k4, "k16", k16, "k64", k64);
}
void PrintTo(features const& v, std::ostream* out) {
  auto const& [pa_bits, stage1_granules, stage2_granules, lpa, lpa2, lva, lva3, ttst, s2fwb, xnx, xs, hw_access_flag,
               hw_dirty_state, haft, hdbss, bbm, e0pd, hpds, pan, mte, mte2, mte_perm, lse2, ls64, ttl, tlbi_range,
               vmid16, tcr2, s1pie, s2pie, s1poe, s2poe, aie, the, nv, d128, sel2, rme, idc, dic] = v;
  print_fields(out, "pa_bits", pa_bits, "stage1_granules", stage1_granules, "stage2_granules", stage2_granules, "lpa",
               lpa, "lpa2", lpa2, "lva", lva, "lva3", lva3, "ttst", ttst, "s2fwb", s2fwb, "xnx", xnx, "xs", xs,
               "hw_access_flag", hw_access_flag, "hw_dirty_state", hw_dirty_state, "haft", haft, "hdbss", hdbss, "bbm",
               bbm, "e0pd", e0pd, "hpds", hpds, "pan", pan, "mte", mte, "mte2", mte2, "mte_perm", mte_perm, "lse2",
               lse2, "ls64", ls64, "ttl", ttl, "tlbi_range", tlbi_range, "vmid16", vmid16, "tcr2", tcr2, "s1pie", s1pie,
               "s2pie", s2pie, "s1poe", s1poe, "s2poe", s2poe, "aie", aie, "the", the, "nv", nv, "d128", d128, "sel2",
               sel2, "rme", rme, "idc", idc, "dic", dic);
}
void PrintTo(stage1_code const& v, std::ostream* out) {
  auto const& [read, write, execute, gcs, overlaid, wxn] = v;
  print_fields(out, "read", read, "write", write, "execute", execute, "gcs", gcs, "overlaid", overlaid, "wxn", wxn);
}
void PrintTo(stage2_code const& v, std::ostream* out) {
  auto const& [read, write, rcw_write, walker_write, execute_el0, execute_el1, top_level0, top_level1] = v;
  print_fields(out, "read", read, "write", write, "rcw_write", rcw_write, "walker_write", walker_write, "execute_el0",
               execute_el0, "execute_el1", execute_el1, "top_level0", top_level0, "top_level1", top_level1);
}
void PrintTo(open_choices const& v, std::ostream* out) { print_fields(out, "bits", v.bits); }
void PrintTo(constraint_choices const& v, std::ostream* out) {
  auto const& [reserved_mair, reserved_sh, reserved_s2_half, keep_tagged_when_cache_off, device_fetch_faults,
               device_tag_store_faults, set_af_on_fault, set_dirty_on_fault, unaligned_atomic_faults, at_sets_af,
               unsupported_atomic_faults, check_of_64_bytes, cacheable_64_bytes_fault, effective_sh_at_stage1,
               txsz_above_max_faults, txsz_below_min_faults, contiguous_misprogramming_faults, nt_faults,
               high_output_bits, reserved_tg] = v;
  print_fields(out, "reserved_mair", reserved_mair, "reserved_sh", reserved_sh, "reserved_s2_half", reserved_s2_half,
               "keep_tagged_when_cache_off", keep_tagged_when_cache_off, "device_fetch_faults", device_fetch_faults,
               "device_tag_store_faults", device_tag_store_faults, "set_af_on_fault", set_af_on_fault,
               "set_dirty_on_fault", set_dirty_on_fault, "at_sets_af", at_sets_af, "unsupported_atomic_faults",
               unsupported_atomic_faults, "check_of_64_bytes", check_of_64_bytes, "cacheable_64_bytes_fault",
               cacheable_64_bytes_fault, "effective_sh_at_stage1", effective_sh_at_stage1, "txsz_above_max_faults",
               txsz_above_max_faults, "txsz_below_min_faults", txsz_below_min_faults,
               "contiguous_misprogramming_faults", contiguous_misprogramming_faults, "nt_faults", nt_faults,
               "high_output_bits", high_output_bits, "reserved_tg", reserved_tg);
}
void PrintTo(stage1_controls const& v, std::ostream* out) {
  auto const& [enabled, dc, dct, vm, data_cacheable, instruction_cacheable, fetch, feat, choices] = v;
  print_fields(out, "enabled", enabled, "dc", dc, "dct", dct, "vm", vm, "data_cacheable", data_cacheable,
               "instruction_cacheable", instruction_cacheable, "fetch", fetch, "feat", feat, "choices", choices);
}
void PrintTo(stage2_attributes const& v, std::ostream* out) {
  auto const& [memattr, sh, fnxs] = v;
  print_fields(out, "memattr", memattr, "sh", sh, "fnxs", fnxs);
}
void PrintTo(controls const& v, std::ostream* out) {
  auto const& [fwb, cd, id, fetch, feat, choices] = v;
  print_fields(out, "fwb", fwb, "cd", cd, "id", id, "fetch", fetch, "feat", feat, "choices", choices);
}
void PrintTo(combination const& v, std::ostream* out) {
  auto const& [stage2, controlled, combined, effective] = v;
  print_fields(out, "stage2", stage2, "controlled", controlled, "combined", combined, "effective", effective);
}
void PrintTo(par_success const& v, std::ostream* out) {
  auto const& [output, attributes, attr_reserved] = v;
  print_fields(out, "output", output, "attributes", attributes, "attr_reserved", attr_reserved);
}

void PrintTo(descriptor_format const& v, std::ostream* out) {
  auto const& [tg, ds, lpa, pa52] = v;
  print_fields(out, "tg", tg, "ds", ds, "lpa", lpa, "pa52", pa52);
}
void PrintTo(stage1_leaf const& v, std::ostream* out) {
  auto const& [attr_index, ap, sh, uxn, pxn, af, ng, dbm, contiguous, nt] = v;
  print_fields(out, "attr_index", attr_index, "ap", ap, "sh", sh, "uxn", uxn, "pxn", pxn, "af", af, "ng", ng, "dbm",
               dbm, "contiguous", contiguous, "nt", nt);
}
void PrintTo(stage2_leaf const& v, std::ostream* out) {
  auto const& [memory, fwb, access, execute, sh, af, dbm, contiguous, fnxs, nt, software] = v;
  print_fields(out, "memory", memory, "fwb", fwb, "access", access, "execute", execute, "sh", sh, "af", af, "dbm", dbm,
               "contiguous", contiguous, "fnxs", fnxs, "nt", nt, "software", software);
}
void PrintTo(encoded_descriptor const& v, std::ostream* out) {
  auto const& [value, error] = v;
  print_fields(out, "value", value, "error", error);
}
void PrintTo(change_context const& v, std::ostream* out) {
  auto const& [format, at, fwb, ha, hd, bbm, same_contents] = v;
  print_fields(out, "format", format, "at", at, "fwb", fwb, "ha", ha, "hd", hd, "bbm", bbm, "same_contents",
               same_contents);
}
void PrintTo(change const& v, std::ostream* out) {
  auto const& [what, why] = v;
  print_fields(out, "what", what, "why", why);
}

void PrintTo(fault_status const& v, std::ostream* out) {
  auto const& [kind, at_level] = v;
  print_fields(out, "kind", kind, "at_level", at_level);
}
void PrintTo(transfer const& v, std::ostream* out) {
  auto const& [reg, size, sign_extend, reg64, ordered] = v;
  print_fields(out, "reg", reg, "size", size, "sign_extend", sign_extend, "reg64", reg64, "ordered", ordered);
}
void PrintTo(stage2_fault const& v, std::ostream* out) {
  auto const& [access, status, fsc, s1ptw, cache_maintenance, external_abort, isv, virtual_address,
               virtual_address_valid, where, where_valid] = v;
  print_fields(out, "access", access, "status", status, "fsc", fsc, "s1ptw", s1ptw, "cache_maintenance",
               cache_maintenance, "external_abort", external_abort, "isv", isv, "virtual_address", virtual_address,
               "virtual_address_valid", virtual_address_valid, "where", where, "where_valid", where_valid);
}
void PrintTo(decoded_fault const& v, std::ostream* out) {
  auto const& [fault, error] = v;
  print_fields(out, "fault", fault, "error", error);
}
void PrintTo(tlbi_range_size const& v, std::ostream* out) {
  auto const& [scale, num] = v;
  print_fields(out, "scale", scale, "num", num);
}

namespace {

template <class Words>
void print_words(Words const& v, std::ostream* out) {
  char const* separator = "{";
  for (unsigned i = 0; i < Words::words; ++i) *out << std::exchange(separator, " ") << text::hex(v.word[i]);
  *out << '}';
}

}  // namespace

void PrintTo(smmu_ste const& v, std::ostream* out) { print_words(v, out); }
void PrintTo(smmu_cd const& v, std::ostream* out) { print_words(v, out); }
void PrintTo(smmu_event_record const& v, std::ostream* out) { print_words(v, out); }
void PrintTo(smmu_event const& v, std::ostream* out) {
  auto const& [id, stream, has_substream, substream, stag, gpcf, stall, read, instruction, privileged, stage2,
               event_class, table_read, input, intermediate, fetch] = v;
  print_fields(out, "id", smmu_event_kind_of(static_cast<u8>(id)).name, "stream", u64{stream}, "has_substream",
               has_substream, "substream", u64{substream}, "stag", u64{stag}, "gpcf", gpcf, "stall", stall, "read",
               read, "instruction", instruction, "privileged", privileged, "stage2", stage2, "event_class", event_class,
               "table_read", table_read, "input", input, "intermediate", intermediate, "fetch", fetch);
}

void PrintTo(smmu_choices const& v, std::ostream* out) {
  auto const& [overrides_reach_pcie, alloccfg_without_mtcfg, ats_truncates_address, ats_grants_unasked_write, pcie,
               walks] = v;
  print_fields(out, "overrides_reach_pcie", overrides_reach_pcie, "alloccfg_without_mtcfg", alloccfg_without_mtcfg,
               "ats_truncates_address", ats_truncates_address, "ats_grants_unasked_write", ats_grants_unasked_write,
               "pcie", pcie, "walks", walks);
}
void PrintTo(smmu_overrides const& v, std::ostream* out) {
  auto const& [mtcfg, memattr, alloccfg, shcfg, privcfg, instcfg] = v;
  print_fields(out, "mtcfg", mtcfg, "memattr", memattr, "alloccfg", alloccfg, "shcfg", shcfg, "privcfg", privcfg,
               "instcfg", instcfg);
}
void PrintTo(smmu_chain const& v, std::ostream* out) {
  auto const& [incoming, overridden, stage1, stage2, output, stage1_translated, stage2_translated, no_snoop] = v;
  print_fields(out, "incoming", incoming, "overridden", overridden, "stage1", stage1, "stage2", stage2, "output",
               output, "stage1_translated", stage1_translated, "stage2_translated", stage2_translated, "no_snoop",
               no_snoop);
}

}  // namespace vmsa
