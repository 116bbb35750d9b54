/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_TYPES_H
#define VMSA_C_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* In C++ every number is a value of an enumeration, so that one that is not known can be refused. */
#ifdef __cplusplus
#define VMSA_ENUM(name) enum name : int
extern "C" {
#else
#define VMSA_ENUM(name) enum name
#endif

/*
 * The values that the C face of vmsa shares. Addresses are numbers here: `ipa` is guest-physical, `pa` is physical, and
 * nothing but the name tells them apart. Enumerators have the numbers of their C++ counterparts, but for vmsa_execute
 * and vmsa_shareability, whose 0 is what a leaf says that says nothing. A field of a structure holds an enumerator in a
 * type of fixed size, so that the layout is the same for every compiler and for Rust.
 */

/** The version of the library as `MAJOR.MINOR.PATCH`. The string lives for ever. */
char const *vmsa_version(void);

/** What a call answers. Calls that change a table say in vmsa_outcome how far they came. */
VMSA_ENUM(vmsa_error) {
  VMSA_OK = 0,
  VMSA_OUT_OF_RANGE = 1,   /**< An address beyond the table's input or the walker's output size, or a size of 0. */
  VMSA_MISALIGNED = 2,     /**< An address or size is no multiple of the leaf's or of the granule. */
  VMSA_LEAF_ENCODING = 3,  /**< The leaf has no encoding at this level, or none with HCR_EL2.FWB as the table has it. */
  VMSA_ALREADY_MAPPED = 4, /**< Something else is mapped there, if only with other permissions. */
  VMSA_NEEDS_BREAK = 5,    /**< The change needs break-before-make, which the caller did not allow. */
  VMSA_NOT_MAPPED = 6,
  VMSA_OUT_OF_FRAMES = 7,
  VMSA_BUSY = 8,            /**< Another call is at work there: try again from outcome.at (lock-free tables only). */
  VMSA_INVALID_ARGUMENT = 9 /**< An enumerator, granule or pointer that this interface does not know. */
};

/** An error in words, such as `out of table frames`; `unknown error` for a number that is none. The string lives for
 * ever. */
char const *vmsa_error_name(enum vmsa_error error);

/** Translation granules. */
VMSA_ENUM(vmsa_granule) { VMSA_GRANULE_4K = 0, VMSA_GRANULE_16K = 1, VMSA_GRANULE_64K = 2 };

/** What a stage 2 leaf says about memory [Arm ARM, Stage 2 memory type and Cacheability attributes]. */
VMSA_ENUM(vmsa_memory) {
  VMSA_DEVICE_nGnRnE = 0,
  VMSA_DEVICE_nGnRE = 1,
  VMSA_DEVICE_nGRE = 2,
  VMSA_DEVICE_GRE = 3,
  VMSA_NORMAL_NC = 4,
  VMSA_NORMAL_WT = 5, /**< Without HCR_EL2.FWB only: it has no encoding under it. */
  VMSA_NORMAL_WB = 6,
  VMSA_AS_STAGE1 = 7, /**< Stage 1 decides: MemAttr 0b0111 under FWB, and the same as Normal-WB without it. */
  VMSA_NORMAL_MIXED = 7 /**< As an effective type only: inner and outer Cacheability differ. */
};

/**
 * The name of a memory type as an access has it, in vmsa_attributes: `Normal-WB`, `Device-nGnRE`; `unknown` for a
 * number that is none. The string lives for ever.
 */
char const *vmsa_memory_name(enum vmsa_memory memory);

/** Shareability. 2 and 3 are as descriptors encode them; SH 0b00 is VMSA_NON_SHAREABLE, which nobody gets by saying
 * nothing. */
VMSA_ENUM(vmsa_shareability) {
  VMSA_SHAREABILITY_USUAL = 0, /**< Inner shareable; of leaves, decisions and vmsa_change_memory. */
  VMSA_NON_SHAREABLE = 1,
  VMSA_OUTER_SHAREABLE = 2,
  VMSA_INNER_SHAREABLE = 3
};

/** S2AP: what the guest may do with data. */
VMSA_ENUM(vmsa_access) { VMSA_NO_ACCESS = 0, VMSA_READ_ONLY = 1, VMSA_WRITE_ONLY = 2, VMSA_READ_WRITE = 3 };

/** Who may execute. Without FEAT_XNX only VMSA_EXECUTE and VMSA_EXECUTE_NEVER mean anything of their own. */
VMSA_ENUM(vmsa_execute) {
  VMSA_EXECUTE_BY_MEMORY = 0, /**< Nobody from Device memory, everyone from any other; of leaves and decisions. */
  VMSA_EXECUTE = 1,
  VMSA_EXECUTE_AT_EL0 = 2,
  VMSA_EXECUTE_NEVER = 3,
  VMSA_EXECUTE_AT_EL1 = 4
};

/** Memory attributes of an access, after both stages. */
struct vmsa_attributes {
  uint8_t memory;       /**< enum vmsa_memory; VMSA_NORMAL_MIXED where the halves differ. */
  uint8_t shareability; /**< enum vmsa_shareability, the one that counts: Device and Normal-NC are Outer Shareable. */
  uint8_t par_attr;     /**< PAR_EL1.ATTR after an AT instruction. */
  bool xs;              /**< The XS attribute. */
  bool tagged;          /**< Allocation Tagged memory. */
};

#ifdef __cplusplus
}
#endif

#endif
