/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_TRANSLATE_H
#define VMSA_C_TRANSLATE_H

#include "vmsa/c/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an access really gets: attributes of both stages combined, and whole translations of the EL1&0 regime. */

/**
 * Combines a byte of MAIR_EL1 and the SH of a stage 1 leaf with the MemAttr (four bits) and SH of a stage 2 leaf, for a
 * data access on a machine with every feature that the library knows. VMSA_INVALID_ARGUMENT for an SH that is no
 * enumerator or a MemAttr above 15. Reserved encodings are read as Arm's pseudocode reads them.
 */
enum vmsa_error vmsa_combine(uint8_t mair_byte, enum vmsa_shareability stage1_sh, uint8_t memattr,
                             enum vmsa_shareability stage2_sh, bool fwb, struct vmsa_attributes *attributes);

/** The registers of the EL1&0 regime. What is 0 is off. */
struct vmsa_registers {
  uint64_t hcr_el2;
  uint64_t vtcr_el2;
  uint64_t vttbr_el2;
  uint64_t sctlr_el1;
  uint64_t tcr_el1;
  uint64_t ttbr0_el1;
  uint64_t ttbr1_el1;
  uint64_t mair_el1;
};

/** The access whose translation is asked for. */
VMSA_ENUM(vmsa_operation) { VMSA_OP_READ = 0, VMSA_OP_WRITE = 1, VMSA_OP_FETCH = 2, VMSA_OP_READ_MODIFY_WRITE = 3 };

/** What a translation came to. */
struct vmsa_translation {
  uint64_t pa;      /**< Where there is no fault. */
  uint64_t ipa;     /**< Stage 1's output, or the faulting IPA of a stage 2 fault. */
  uint64_t par_el1; /**< As AT S12E1x leaves it. */
  struct vmsa_attributes attributes;
  uint8_t status; /**< Fault status code, 0 where there is no fault. */
  uint8_t stage;  /**< 1 or 2, of the fault; 0 where there is none. */
  int8_t level;   /**< Of the fault. */
  bool fault;
  bool stage1_walk; /**< Stage 2 refused a stage 1 table access. */
  bool contended;   /**< Another observer changed a descriptor meanwhile: translate again. */
};

/**
 * Translates `va` through both stages, each as far as the registers switch it on, at EL1 or EL0. `pa_bits` is the
 * machine's PA size; it has every optional feature that the library knows. Hardware updates of descriptors are carried
 * out through `port`. VMSA_INVALID_ARGUMENT where a register holds a control that the library does not model.
 */
enum vmsa_error vmsa_translate(struct vmsa_port const *port, struct vmsa_registers const *registers, uint8_t pa_bits,
                               uint64_t va, enum vmsa_operation operation, bool at_el0,
                               struct vmsa_translation *translation);

#ifdef __cplusplus
}
#endif

#endif
