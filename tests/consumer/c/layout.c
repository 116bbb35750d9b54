/* SPDX-License-Identifier: MIT */
/* Sizes and offsets of every structure of the C face: compiled as C and as C++ it prints the same. */
#include <stddef.h>
#include <stdio.h>

#include "vmsa/c/vmsa.h"

#define SIZE(type) printf("size %s %zu\n", #type, sizeof(struct type))
#define AT(type, field) printf("offset %s.%s %zu\n", #type, #field, offsetof(struct type, field))

int main(void) {
  SIZE(vmsa_port), AT(vmsa_port, linear), AT(vmsa_port, offset), AT(vmsa_port, load), AT(vmsa_port, tlbi);
  SIZE(vmsa_tlbi), AT(vmsa_tlbi, operand), AT(vmsa_tlbi, kind), AT(vmsa_tlbi, level);
  SIZE(vmsa_frames), AT(vmsa_frames, take), AT(vmsa_frames, give);
  SIZE(vmsa_frame), AT(vmsa_frame, zeroed);
  SIZE(vmsa_arena), SIZE(vmsa_table), SIZE(vmsa_cursor), SIZE(vmsa_prepared_leaf), SIZE(vmsa_retired);
  SIZE(vmsa_configuration), AT(vmsa_configuration, root_alignment), AT(vmsa_configuration, ipa_bits);
  SIZE(vmsa_controls), AT(vmsa_controls, bbm), AT(vmsa_controls, non_coherent_walks);
  SIZE(vmsa_leaf), AT(vmsa_leaf, shareability), AT(vmsa_leaf, software);
  SIZE(vmsa_outcome), AT(vmsa_outcome, tables_allocated), AT(vmsa_outcome, error), AT(vmsa_outcome, broke);
  SIZE(vmsa_mapping), AT(vmsa_mapping, size), AT(vmsa_mapping, mapped);
  SIZE(vmsa_attributes), AT(vmsa_attributes, tagged);
  SIZE(vmsa_registers), AT(vmsa_registers, mair_el1);
  SIZE(vmsa_translation), AT(vmsa_translation, attributes), AT(vmsa_translation, contended);
  SIZE(vmsa_fault), AT(vmsa_fault, access), AT(vmsa_fault, transfer_register), AT(vmsa_fault, transfer_ordered);
  SIZE(vmsa_region), AT(vmsa_region, backing), AT(vmsa_region, log_dirty);
  SIZE(vmsa_region_map), SIZE(vmsa_host), AT(vmsa_host, granule);
  SIZE(vmsa_policy), AT(vmsa_policy, context), AT(vmsa_policy, hypervisor);
  SIZE(vmsa_decision), AT(vmsa_decision, outcome), AT(vmsa_decision, largest_level);
  SIZE(vmsa_fault_outcome), AT(vmsa_fault_outcome, mapping), AT(vmsa_fault_outcome, step);
  printf("size enum %zu\n", sizeof(enum vmsa_error));
  return 0;
}
