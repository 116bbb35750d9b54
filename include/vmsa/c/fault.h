/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_FAULT_H
#define VMSA_C_FAULT_H

#include <stddef.h>

#include "vmsa/c/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A stage 2 fault: what the registers say, what a hypervisor decides, and the leaf that answers it. */

/** What the guest did. */
VMSA_ENUM(vmsa_access_kind) { VMSA_READ = 0, VMSA_WRITE = 1, VMSA_FETCH = 2 };

/** A stage 2 fault as ESR_EL2, FAR_EL2 and HPFAR_EL2 tell it. */
struct vmsa_fault {
  uint64_t va;               /**< FAR_EL2. */
  uint64_t ipa;              /**< Of the byte; of a stage 1 descriptor where `stage1_walk`. */
  uint8_t access;            /**< enum vmsa_access_kind. */
  uint8_t status;            /**< DFSC or IFSC, six bits. */
  bool ipa_valid;            /**< Else HPFAR_EL2 is UNKNOWN: translate `va` with AT S1E1x, set `ipa` and this. */
  bool va_valid;             /**< FnV is 0. */
  bool stage1_walk;          /**< S1PTW: the access was the guest's own table walk. */
  bool cache_maintenance;    /**< CM. */
  bool external_abort;       /**< EA. */
  bool syndrome_valid;       /**< ISV: the next five describe the register transfer, which is what emulation needs. */
  uint8_t transfer_register; /**< 31 is XZR or WZR. */
  uint8_t transfer_size;     /**< Bytes: 1, 2, 4 or 8. */
  bool transfer_sign_extend;
  bool transfer_64;      /**< The register is X<n>, else W<n>. */
  bool transfer_ordered; /**< Acquire or release. */
};

/** What vmsa_decode_fault answers. */
VMSA_ENUM(vmsa_fault_error) {
  VMSA_FAULT_OK = 0,
  VMSA_FAULT_NOT_AN_ABORT = 1,        /**< EC is no instruction or data abort. */
  VMSA_FAULT_SAME_EXCEPTION_LEVEL = 2 /**< An abort of EL2 itself: no guest is at fault. */
};

/**
 * Decodes an instruction or data abort that a guest took to EL2 into `fault`, which is all zeros where the answer is
 * not VMSA_FAULT_OK.
 */
enum vmsa_fault_error vmsa_decode_fault(uint64_t esr_el2, uint64_t far_el2, uint64_t hpfar_el2,
                                        struct vmsa_fault *fault);

/** A named kind of memory behind a guest-physical range. */
typedef uint16_t vmsa_backing;
/**
 * Finds a backing by its name: `ram`, `device` and `unbacked` for a hypervisor of one's own, or one of Linux's that
 * `vmsa decide --help` lists. False, with `backing` as it was, where there is none of this name.
 */
bool vmsa_backing_by_name(char const *name, vmsa_backing *backing);

/** A guest-physical range and what is behind it. */
struct vmsa_region {
  uint64_t ipa;
  uint64_t size; /**< Bytes, a multiple of the granule. */
  uint64_t pa;
  vmsa_backing backing;
  bool read_only; /**< A write is not mapped: KVM_MEM_READONLY. */
  bool log_dirty; /**< Pages become writable by a write alone: KVM_MEM_LOG_DIRTY_PAGES. */
};

/** Regions that were checked. It points to the caller's array, whose addresses do not change while it is used. */
struct vmsa_region_map {
  uint64_t opaque[2];
};

/**
 * Checks `count` regions once, where they come in: sorted by `ipa`, none empty or overlapping, all multiples of the
 * granule, none that wraps, every backing known. VMSA_INVALID_ARGUMENT where that is not so; `index`, which may be
 * null, then gets the first that is wrong, and `map` holds no region.
 */
enum vmsa_error vmsa_region_map_init(struct vmsa_region_map *map, struct vmsa_region const *regions, size_t count,
                                     enum vmsa_granule granule, size_t *index);

/** What a policy makes of an access. */
VMSA_ENUM(vmsa_policy_outcome) {
  VMSA_MAPS = 0,
  VMSA_MEMSLOT_ERROR = 1,    /**< The range is refused before the guest runs. */
  VMSA_RUN_ERROR = 2,        /**< The monitor gets an error. */
  VMSA_GUEST_EXCEPTION = 3,  /**< The guest takes an exception. */
  VMSA_MMIO_EXIT = 4,        /**< The access is emulated. */
  VMSA_MAKE_YOUNG = 5,       /**< The leaf is there: vmsa_relax with VMSA_NO_ACCESS sets its access flag. */
  VMSA_SKIP_INSTRUCTION = 6, /**< Cache maintenance where there is nothing to maintain. */
  VMSA_SEA_EXIT = 7,         /**< The monitor is told of an external abort. */
  VMSA_NOT_APPLICABLE = 8    /**< The policy says nothing about this. */
};
/** A policy's outcome in words, such as `MMIO exit`; `unknown` for a number that is none. The string lives for ever. */
char const *vmsa_policy_outcome_name(enum vmsa_policy_outcome outcome);

/** A decision. A policy of the caller's fills in `outcome`, and for VMSA_MAPS the four fields after it. */
struct vmsa_decision {
  uint64_t esr_el1;     /**< Of a synchronous exception for the guest, else 0. */
  char const *rule;     /**< The row that decided, which lives for ever; null where none did. */
  char const *why;      /**< Its reason in a sentence. */
  uint8_t outcome;      /**< enum vmsa_policy_outcome. */
  uint8_t memory;       /**< enum vmsa_memory. */
  uint8_t access;       /**< enum vmsa_access. */
  uint8_t execute;      /**< enum vmsa_execute. */
  uint8_t shareability; /**< enum vmsa_shareability. */
  uint8_t memattr;      /**< MemAttr, as HCR_EL2.FWB asks for; an answer only. */
  int8_t largest_level; /**< The largest leaf that the policy allows: 1, 2 or 3; 0 is no limit. */
};

/** The host and the VM, as policies look at them. vmsa_handle_fault takes what the table knows from the table. */
struct vmsa_host {
  bool fwb;         /**< FEAT_S2FWB; the table's in vmsa_handle_fault. */
  bool dic;         /**< CTR_EL0.DIC; likewise. */
  bool lpa2_tables; /**< FEAT_LPA2 descriptors; likewise. */
  bool idc;         /**< CTR_EL0.IDC. */
  bool xnx;         /**< FEAT_XNX. */
  bool mte;         /**< FEAT_MTE2. */
  bool mte_vm;      /**< The VM has KVM_CAP_ARM_MTE. */
  bool nisv_exits;  /**< The VM has KVM_CAP_ARM_NISV_TO_USER. */
  uint8_t granule;  /**< enum vmsa_granule; the table's in vmsa_handle_fault. */
};

/** A hypervisor of which the library knows what it maps; 0 is none. */
typedef uint16_t vmsa_hypervisor;
/**
 * Finds a hypervisor by its name. False, with `hypervisor` as it was, where there is none of this name. The names:
 * `xen`, `xen-dom0`, `hafnium`, `bao`, `nova`, `jailhouse`, `sel4`, `sel4-smp`, `tf-rmm`, `gunyah`.
 */
bool vmsa_hypervisor_by_name(char const *name, vmsa_hypervisor *hypervisor);

/**
 * Who decides: `decide` where it is not null, else the release of Linux, else the hypervisor where `linux_major` is 0;
 * a policy of zeros is nobody's and refused. `decide` is handed a decision of all zeros, in which each means what is
 * usual, and may assign it whole; `region` is null where no region holds the address. It does not unwind or jump out.
 */
struct vmsa_policy {
  void (*decide)(void *context, struct vmsa_host const *host, struct vmsa_region const *region,
                 struct vmsa_fault const *fault, struct vmsa_decision *decision);
  void *context;
  uint16_t linux_major;
  uint16_t linux_minor;
  vmsa_hypervisor hypervisor;
};

/**
 * Says in `decision` what `policy` decides when a guest makes `access` to a page of `backing`, as it usually comes,
 * where nothing is mapped. VMSA_INVALID_ARGUMENT for a policy, backing, access or granule that is none, and for a null
 * pointer.
 */
enum vmsa_error vmsa_decide(struct vmsa_policy const *policy, struct vmsa_host const *host, vmsa_backing backing,
                            enum vmsa_access_kind access, struct vmsa_decision *decision);

/** How far vmsa_handle_fault came. */
VMSA_ENUM(vmsa_fault_step) {
  VMSA_FAULT_RESOLVED = 0,        /**< A leaf is in the table: the guest retries. */
  VMSA_FAULT_DECIDED = 1,         /**< The decision is another than to map, and the caller's to carry out. */
  VMSA_FAULT_UNKNOWN_ADDRESS = 2, /**< `ipa_valid` is false: find the IPA with AT S1E1x and call again. */
  VMSA_FAULT_TABLE_REFUSED = 3,   /**< See `mapping.error`: after VMSA_OUT_OF_FRAMES give frames and call again. */
  VMSA_FAULT_TRY_AGAIN = 4        /**< Lock-free tables: another call is at work there, and the guest retries. */
};
/** How far a fault came in words, such as `resolved`; `unknown` for a number that is none. The string lives for ever.
 */
char const *vmsa_fault_step_name(enum vmsa_fault_step step);

/** What became of a fault. */
struct vmsa_fault_outcome {
  struct vmsa_decision decision;
  struct vmsa_outcome mapping;      /**< What the table did. */
  struct vmsa_region const *region; /**< Null where no region holds the address. */
  uint64_t ipa;                     /**< Of the leaf's first byte, where the decision maps. */
  uint64_t pa;
  uint8_t step; /**< enum vmsa_fault_step. */
  int8_t level; /**< Of the leaf. */
};

/**
 * Resolves one fault: finds the region, asks the policy and maps what it decided, with the cache and TLB maintenance
 * that the change needs. `from_el0` says where the guest was. A fault adds permissions to what is mapped and takes
 * none. Under VMSA_LOCK_FREE any number of callers may be in it. Returns the step.
 */
enum vmsa_fault_step vmsa_handle_fault(struct vmsa_table *table, struct vmsa_region_map const *regions,
                                       struct vmsa_policy const *policy, struct vmsa_host const *host,
                                       struct vmsa_fault const *fault, bool from_el0,
                                       struct vmsa_fault_outcome *outcome);

#ifdef __cplusplus
}
#endif

#endif
