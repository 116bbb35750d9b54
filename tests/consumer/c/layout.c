/* SPDX-License-Identifier: MIT */
/* Size of every structure of the C face and offset of every field: compiled as C and as C++ it prints the same. */
#include <stddef.h>
#include <stdio.h>

#include "vmsa/c/vmsa.h"

#define SIZE(type) printf("size %s %zu\n", #type, sizeof(struct type))
#define AT(type, field) printf("offset %s.%s %zu\n", #type, #field, offsetof(struct type, field))

int main(void) {
  SIZE(vmsa_attributes), AT(vmsa_attributes, memory), AT(vmsa_attributes, shareability), AT(vmsa_attributes, par_attr),
      AT(vmsa_attributes, xs), AT(vmsa_attributes, tagged);
  SIZE(vmsa_tlbi), AT(vmsa_tlbi, base), AT(vmsa_tlbi, size), AT(vmsa_tlbi, operand), AT(vmsa_tlbi, kind),
      AT(vmsa_tlbi, granule), AT(vmsa_tlbi, has_level), AT(vmsa_tlbi, level);
  SIZE(vmsa_port), AT(vmsa_port, context), AT(vmsa_port, linear), AT(vmsa_port, offset), AT(vmsa_port, load),
      AT(vmsa_port, store), AT(vmsa_port, compare_exchange), AT(vmsa_port, maintain), AT(vmsa_port, barrier),
      AT(vmsa_port, tlbi);
  SIZE(vmsa_frame), AT(vmsa_frame, pa), AT(vmsa_frame, zeroed);
  SIZE(vmsa_frames), AT(vmsa_frames, context), AT(vmsa_frames, take), AT(vmsa_frames, give);
  SIZE(vmsa_arena);
  SIZE(vmsa_configuration), AT(vmsa_configuration, vtcr), AT(vmsa_configuration, root_size),
      AT(vmsa_configuration, root_alignment), AT(vmsa_configuration, start_level), AT(vmsa_configuration, ipa_bits);
  SIZE(vmsa_controls), AT(vmsa_controls, fwb), AT(vmsa_controls, ha), AT(vmsa_controls, hd), AT(vmsa_controls, bbm),
      AT(vmsa_controls, ttl), AT(vmsa_controls, tlbi_range), AT(vmsa_controls, dic),
      AT(vmsa_controls, non_coherent_walks);
  SIZE(vmsa_table);
  SIZE(vmsa_cursor);
  SIZE(vmsa_leaf), AT(vmsa_leaf, memory), AT(vmsa_leaf, access), AT(vmsa_leaf, execute), AT(vmsa_leaf, shareability),
      AT(vmsa_leaf, no_access_flag), AT(vmsa_leaf, dbm), AT(vmsa_leaf, contiguous), AT(vmsa_leaf, fnxs),
      AT(vmsa_leaf, nt), AT(vmsa_leaf, software);
  SIZE(vmsa_prepared_leaf);
  SIZE(vmsa_outcome), AT(vmsa_outcome, at), AT(vmsa_outcome, entries_written), AT(vmsa_outcome, tables_allocated),
      AT(vmsa_outcome, tables_freed), AT(vmsa_outcome, tlbi_count), AT(vmsa_outcome, error), AT(vmsa_outcome, level),
      AT(vmsa_outcome, broke);
  SIZE(vmsa_mapping), AT(vmsa_mapping, descriptor), AT(vmsa_mapping, pa), AT(vmsa_mapping, size),
      AT(vmsa_mapping, level), AT(vmsa_mapping, mapped);
  SIZE(vmsa_retired);
  SIZE(vmsa_registers), AT(vmsa_registers, hcr_el2), AT(vmsa_registers, vtcr_el2), AT(vmsa_registers, vttbr_el2),
      AT(vmsa_registers, sctlr_el1), AT(vmsa_registers, tcr_el1), AT(vmsa_registers, ttbr0_el1),
      AT(vmsa_registers, ttbr1_el1), AT(vmsa_registers, mair_el1);
  SIZE(vmsa_translation), AT(vmsa_translation, pa), AT(vmsa_translation, ipa), AT(vmsa_translation, par_el1),
      AT(vmsa_translation, attributes), AT(vmsa_translation, status), AT(vmsa_translation, stage),
      AT(vmsa_translation, level), AT(vmsa_translation, fault), AT(vmsa_translation, stage1_walk),
      AT(vmsa_translation, contended);
  SIZE(vmsa_fault), AT(vmsa_fault, va), AT(vmsa_fault, ipa), AT(vmsa_fault, access), AT(vmsa_fault, status),
      AT(vmsa_fault, ipa_valid), AT(vmsa_fault, va_valid), AT(vmsa_fault, stage1_walk),
      AT(vmsa_fault, cache_maintenance), AT(vmsa_fault, external_abort), AT(vmsa_fault, syndrome_valid),
      AT(vmsa_fault, transfer_register), AT(vmsa_fault, transfer_size), AT(vmsa_fault, transfer_sign_extend),
      AT(vmsa_fault, transfer_64), AT(vmsa_fault, transfer_ordered);
  SIZE(vmsa_region), AT(vmsa_region, ipa), AT(vmsa_region, size), AT(vmsa_region, pa), AT(vmsa_region, backing),
      AT(vmsa_region, read_only), AT(vmsa_region, log_dirty);
  SIZE(vmsa_region_map);
  SIZE(vmsa_decision), AT(vmsa_decision, esr_el1), AT(vmsa_decision, rule), AT(vmsa_decision, why),
      AT(vmsa_decision, outcome), AT(vmsa_decision, memory), AT(vmsa_decision, access), AT(vmsa_decision, execute),
      AT(vmsa_decision, shareability), AT(vmsa_decision, memattr), AT(vmsa_decision, largest_level);
  SIZE(vmsa_host), AT(vmsa_host, fwb), AT(vmsa_host, dic), AT(vmsa_host, lpa2_tables), AT(vmsa_host, idc),
      AT(vmsa_host, xnx), AT(vmsa_host, mte), AT(vmsa_host, mte_vm), AT(vmsa_host, nisv_exits), AT(vmsa_host, granule);
  SIZE(vmsa_policy), AT(vmsa_policy, decide), AT(vmsa_policy, context), AT(vmsa_policy, linux_major),
      AT(vmsa_policy, linux_minor), AT(vmsa_policy, hypervisor);
  SIZE(vmsa_fault_outcome), AT(vmsa_fault_outcome, decision), AT(vmsa_fault_outcome, mapping),
      AT(vmsa_fault_outcome, region), AT(vmsa_fault_outcome, ipa), AT(vmsa_fault_outcome, pa),
      AT(vmsa_fault_outcome, step), AT(vmsa_fault_outcome, level);
  printf("size enum %zu\n", sizeof(enum vmsa_error));
  return 0;
}
