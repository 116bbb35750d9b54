// SPDX-License-Identifier: MIT
// Printers for the values of mmu.
#include "testing/print_fields.hpp"
#include "vmsa/mmu/permissions.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/shadow_entry.hpp"
#include "vmsa/mmu/stage2/outcome.hpp"
#include "vmsa/mmu/stage2/read.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

void PrintTo(geometry const& v, std::ostream* out) {
  print_fields(out, "format", v.format, "start", v.start, "input_bits", v.input_bits, "output_bits", v.output_bits,
               "wide_base", v.wide_base, "root_entries", v.root_entries, "shifts", v.shifts, "masks", v.masks);
}
void PrintTo(geometry_result const& v, std::ostream* out) {
  auto const& [value, error, open] = v;
  print_fields(out, "value", value, "error", error, "open", open);
}
void PrintTo(stage2_configuration const& v, std::ostream* out) {
  auto const& [vtcr, shape, error] = v;
  print_fields(out, "vtcr", vtcr, "shape", shape, "error", error);
}

void PrintTo(tlbi const& v, std::ostream* out) {
  auto const& [kind, base, size, tg, has_level, leaf] = v;
  print_fields(out, "kind", kind, "base", base, "size", size, "tg", tg, "has_level", has_level, "leaf", leaf);
}
void PrintTo(frame const& v, std::ostream* out) {
  auto const& [address, zeroed] = v;
  print_fields(out, "address", address, "zeroed", zeroed);
}

void PrintTo(memory_access const& v, std::ostream* out) {
  auto const& [op, el, unprivileged, pan, aligned] = v;
  print_fields(out, "op", op, "el", el, "unprivileged", unprivileged, "pan", pan, "aligned", aligned);
}
void PrintTo(access_rights const& v, std::ostream* out) {
  auto const& [read, write, execute] = v;
  print_fields(out, "read", read, "write", write, "execute", execute);
}
void PrintTo(stage1_registers const& v, std::ostream* out) {
  auto const& [tcr, ttbr0, ttbr1, mair, sctlr, tcr2, mair2, pir, pire0, por, ttbr0_high, ttbr1_high] = v;
  print_fields(out, "tcr", tcr, "ttbr0", ttbr0, "ttbr1", ttbr1, "mair", mair, "sctlr", sctlr, "tcr2", tcr2, "mair2",
               mair2, "pir", pir, "pire0", pire0, "por", por, "ttbr0_high", ttbr0_high, "ttbr1_high", ttbr1_high);
}
void PrintTo(regime_registers const& v, std::ostream* out) {
  auto const& [hcr, vtcr, vttbr, tcr, ttbr0, ttbr1, mair, sctlr, tcr2, mair2, pir, pire0, por_el1, por_el0, s2pir,
               s2por, hcrx, scr, el2, ttbr0_high, ttbr1_high, vttbr_high, vstcr, vsttbr, gpccr, gptbr] = v;
  print_fields(out, "hcr", hcr, "vtcr", vtcr, "vttbr", vttbr, "tcr", tcr, "ttbr0", ttbr0, "ttbr1", ttbr1, "mair", mair,
               "sctlr", sctlr, "tcr2", tcr2, "mair2", mair2, "pir", pir, "pire0", pire0, "por_el1", por_el1, "por_el0",
               por_el0, "s2pir", s2pir, "s2por", s2por, "hcrx", hcrx, "scr", scr, "el2", el2, "ttbr0_high", ttbr0_high,
               "ttbr1_high", ttbr1_high, "vttbr_high", vttbr_high, "vstcr", vstcr, "vsttbr", vsttbr, "gpccr", gpccr,
               "gptbr", gptbr);
}
void PrintTo(overlaid_rights const& v, std::ostream* out) {
  auto const& [base, overlay] = v;
  print_fields(out, "base", base, "overlay", overlay);
}
void PrintTo(stage2_page const& v, std::ostream* out) {
  auto const& [base, overlay, overlaid] = v;
  print_fields(out, "base", base, "overlay", overlay, "overlaid", overlaid);
}
void PrintTo(walk_step const& v, std::ostream* out) {
  auto const& [where, value, by, at, space] = v;
  print_fields(out, "where", where, "value", value, "by", by, "at", at, "space", space);
}
void PrintTo(hardware_update const& v, std::ostream* out) {
  auto const& [where, written, by, space, high] = v;
  print_fields(out, "where", where, "written", written, "by", by, "space", space, "high", high);
}
void PrintTo(wide_geometry const& v, std::ostream* out) {
  auto const& [on, tg, start, skl, input_bits, output_bits, aligned_tables, start_without_contiguous] = v;
  print_fields(out, "on", on, "tg", tg, "start", start, "skl", skl, "input_bits", input_bits, "output_bits",
               output_bits, "aligned_tables", aligned_tables, "start_without_contiguous", start_without_contiguous);
}
void PrintTo(granule_protection const& v, std::ostream* out) {
  auto const& [on, consistent, sel2, size_bits, region_bits, granule_bits, table] = v;
  print_fields(out, "on", on, "consistent", consistent, "sel2", sel2, "size_bits", size_bits, "region_bits",
               region_bits, "granule_bits", granule_bits, "table", table);
}
void PrintTo(shadow_rights const& v, std::ostream* out) {
  auto const& [read, write, execute_el0, execute_el1] = v;
  print_fields(out, "read", read, "write", write, "execute_el0", execute_el0, "execute_el1", execute_el1);
}
void PrintTo(gpc_result const& v, std::ostream* out) {
  auto const& [failure, at_level, where, space, stage2] = v;
  print_fields(out, "failure", failure, "at_level", at_level, "where", where, "space", space, "stage2", stage2);
}
void PrintTo(translation_fault const& v, std::ostream* out) {
  auto const& [kind, by, at, on_stage1_walk, where, write, tag_access, control, granule] = v;
  print_fields(out, "kind", kind, "by", by, "at", at, "on_stage1_walk", on_stage1_walk, "where", where, "write", write,
               "tag_access", tag_access, "control", control, "granule", granule);
}
void PrintTo(leaf_extent const& v, std::ostream* out) {
  auto const& [at, bits, contiguous] = v;
  print_fields(out, "at", at, "bits", bits, "contiguous", contiguous);
}
void PrintTo(translation const& v, std::ostream* out) {
  print_fields(out, "fault", v.fault, "output", v.output, "space", v.space, "attributes", v.attributes, "par", v.par,
               "intermediate", v.intermediate, "stage1_leaf", v.stage1_leaf, "stage2_leaf", v.stage2_leaf, "contended",
               v.contended);
}

void PrintTo(stage2_controls const& v, std::ostream* out) {
  auto const& [fwb, ha, hd, bbm, ttl, tlbi_range, dic, coherent_walks] = v;
  print_fields(out, "fwb", fwb, "ha", ha, "hd", hd, "bbm", bbm, "ttl", ttl, "tlbi_range", tlbi_range, "dic", dic,
               "coherent_walks", coherent_walks);
}
void PrintTo(stage2_outcome const& v, std::ostream* out) {
  auto const& [error, at_level, broke, at, entries_written, tables_allocated, tables_freed, tlbi_count] = v;
  print_fields(out, "error", error, "at_level", at_level, "broke", broke, "at", at, "entries_written", entries_written,
               "tables_allocated", tables_allocated, "tables_freed", tables_freed, "tlbi_count", tlbi_count);
}
void PrintTo(stage2_mapping const& v, std::ostream* out) {
  auto const& [entry, at, output, size, mapped] = v;
  print_fields(out, "entry", entry, "at", at, "output", output, "size", size, "mapped", mapped);
}

void PrintTo(stage2_run const& v, std::ostream* out) {
  auto const& [at, output, size, leaf, first] = v;
  print_fields(out, "at", at, "output", output, "size", size, "leaf", leaf, "first", first);
}
void PrintTo(stage2_statistics const& v, std::ostream* out) {
  auto const& [tables, leaves, contiguous, bytes_mapped] = v;
  print_fields(out, "tables", tables, "leaves", leaves, "contiguous", contiguous, "bytes_mapped", bytes_mapped);
}

}  // namespace vmsa
