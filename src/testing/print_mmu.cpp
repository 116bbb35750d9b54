// SPDX-License-Identifier: MIT
// Printers for the values of mmu.
#include "print_fields.hpp"
#include "vmsa/mmu/permissions.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"
#include "vmsa/mmu/stage2_table_visit.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

void PrintTo(geometry const& v, std::ostream* out) {
  print_fields(out, "format", v.format, "start", v.start, "input_bits", v.input_bits, "output_bits", v.output_bits,
               "wide_base", v.wide_base, "root_entries", v.root_entries, "shifts", v.shifts, "masks", v.masks);
}
void PrintTo(geometry_result const& v, std::ostream* out) {
  auto const& [value, error] = v;
  print_fields(out, "value", value, "error", error);
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
void PrintTo(el1_registers const& v, std::ostream* out) {
  auto const& [hcr, vtcr, vttbr, tcr, ttbr0, ttbr1, mair, sctlr, tcr2] = v;
  print_fields(out, "hcr", hcr, "vtcr", vtcr, "vttbr", vttbr, "tcr", tcr, "ttbr0", ttbr0, "ttbr1", ttbr1, "mair", mair,
               "sctlr", sctlr, "tcr2", tcr2);
}

void PrintTo(walk_step const& v, std::ostream* out) {
  auto const& [where, value, by, at] = v;
  print_fields(out, "where", where, "value", value, "by", by, "at", at);
}
void PrintTo(hardware_update const& v, std::ostream* out) {
  auto const& [where, written] = v;
  print_fields(out, "where", where, "written", written);
}
void PrintTo(translation_fault const& v, std::ostream* out) {
  auto const& [kind, by, at, on_stage1_walk, where, write, tag_access] = v;
  print_fields(out, "kind", kind, "by", by, "at", at, "on_stage1_walk", on_stage1_walk, "where", where, "write", write,
               "tag_access", tag_access);
}
void PrintTo(leaf_extent const& v, std::ostream* out) {
  auto const& [at, bits, contiguous] = v;
  print_fields(out, "at", at, "bits", bits, "contiguous", contiguous);
}
void PrintTo(translation const& v, std::ostream* out) {
  print_fields(out, "fault", v.fault, "output", v.output, "attributes", v.attributes, "par", v.par, "intermediate",
               v.intermediate, "stage1_leaf", v.stage1_leaf, "stage2_leaf", v.stage2_leaf, "contended", v.contended);
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
