// SPDX-License-Identifier: MIT
// Printers for the values of policy.
#include "testing/print_fields.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/policy/smmu_entry.hpp"

namespace vmsa {

void PrintTo(vma const& v, std::ostream* out) {
  auto const& [type, pfnmap, mixedmap, allow_any_uncached, shared, swap_backed, mte_allowed, hugetlb, access, late] = v;
  print_fields(out, "type", type, "pfnmap", pfnmap, "mixedmap", mixedmap, "allow_any_uncached", allow_any_uncached,
               "shared", shared, "swap_backed", swap_backed, "mte_allowed", mte_allowed, "hugetlb", hugetlb, "access",
               access, "late", late);
}
void PrintTo(memslot const& v, std::ostream* out) {
  auto const& [kind, read_only, log_dirty, mappable, whole_pages] = v;
  print_fields(out, "kind", kind, "read_only", read_only, "log_dirty", log_dirty, "mappable", mappable, "whole_pages",
               whole_pages);
}
void PrintTo(memory_inputs const& v, std::ostream* out) {
  auto const& [page, linear, vma, slot, dma, host_leaf] = v;
  print_fields(out, "page", page, "linear", linear, "vma", vma, "slot", slot, "dma", dma, "host_leaf", host_leaf);
}
void PrintTo(region const& v, std::ostream* out) {
  auto const& [base, size, output, backing, inputs, largest_leaf] = v;
  print_fields(out, "base", base, "size", size, "output", output, "backing", backing, "inputs", inputs, "largest_leaf",
               largest_leaf);
}
void PrintTo(region_check const& v, std::ostream* out) {
  auto const& [what, index] = v;
  print_fields(out, "what", what, "index", index);
}

void PrintTo(stage2_grant const& v, std::ostream* out) {
  auto const& [read, write, execute] = v;
  print_fields(out, "read", read, "write", write, "execute", execute);
}
void PrintTo(policy_host const& v, std::ostream* out) {
  auto const& [cpu, page, lpa2_tables, mode, mte_vm, nisv_exits, sea_exits, nested] = v;
  print_fields(out, "cpu", cpu, "page", page, "lpa2_tables", lpa2_tables, "mode", mode, "mte_vm", mte_vm, "nisv_exits",
               nisv_exits, "sea_exits", sea_exits, "nested", nested);
}
void PrintTo(fault_access const& v, std::ostream* out) {
  auto const& [kind, fault, stage1_walk, cache_maintenance, syndrome_valid, from_el0] = v;
  print_fields(out, "kind", kind, "fault", fault, "stage1_walk", stage1_walk, "cache_maintenance", cache_maintenance,
               "syndrome_valid", syndrome_valid, "from_el0", from_el0);
}
void PrintTo(cache_duties const& v, std::ostream* out) {
  auto const& [clean_invalidate_poc, invalidate_instruction_pou] = v;
  print_fields(out, "clean_invalidate_poc", clean_invalidate_poc, "invalidate_instruction_pou",
               invalidate_instruction_pou);
}
void PrintTo(leaf_caching const& v, std::ostream* out) {
  auto const& [through, around, executable] = v;
  print_fields(out, "through", through, "around", around, "executable", executable);
}
void PrintTo(decision const& v, std::ostream* out) {
  auto const& [outcome, memory, memattr, fwb, sh, sh_in_leaf, readable, writable, executable, tg, largest_leaf, duties,
               error, cause, exception, esr_el1, capability_243, of_kvm, row] = v;
  print_fields(out, "outcome", outcome, "memory", memory, "memattr", memattr, "fwb", fwb, "sh", sh, "sh_in_leaf",
               sh_in_leaf, "readable", readable, "writable", writable, "executable", executable, "tg", tg,
               "largest_leaf", largest_leaf, "duties", duties, "error", error, "cause", cause, "exception", exception,
               "esr_el1", esr_el1, "capability_243", capability_243, "of_kvm", of_kvm, "row",
               std::string_view(row == nullptr ? "none" : row->id));
}
void PrintTo(situation_set const& v, std::ostream* out) {
  auto const& [words] = v;
  print_fields(out, "words", words);
}
void PrintTo(kernel_version const& v, std::ostream* out) { *out << v.major << '.' << v.minor; }
void PrintTo(dma_path const& v, std::ostream* out) {
  auto const& [coherent, prot, s2fwb, canwbs, no_snoop, stage1, user, guest_stage1] = v;
  print_fields(out, "coherent", coherent, "prot", prot, "s2fwb", s2fwb, "canwbs", canwbs, "no_snoop", no_snoop,
               "stage1", stage1, "user", user, "guest_stage1", guest_stage1);
}

void PrintTo(smmu_stage1_leaf const& v, std::ostream* out) {
  auto const& [attr_index, sh] = v;
  print_fields(out, "attr_index", attr_index, "sh", sh);
}

void PrintTo(entry_update const& v, std::ostream* out) {
  auto const& [syncs, hitless] = v;
  print_fields(out, "syncs", syncs, "hitless", hitless);
}

}  // namespace vmsa
