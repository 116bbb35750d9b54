/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_TABLE_H
#define VMSA_C_TABLE_H

#include "vmsa/c/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A live stage 2 translation table. The C++ class is vmsa::stage2_table, whose documentation has the reasons. */

/** VTCR_EL2 for a guest, and what it asks of the start table. */
struct vmsa_configuration {
  uint64_t vtcr;           /**< Write-back, inner shareable walks; HA and HD are the caller's to add. */
  uint64_t root_size;      /**< Bytes of the start table. */
  uint64_t root_alignment; /**< Bytes. */
  int8_t start_level;
  uint8_t ipa_bits;
};

/**
 * Chooses VTCR_EL2 for a guest of `ipa_bits` bits of IPA on a machine of `pa_bits` bits of PA (32, 36, 40, 42, 44, 48 or
 * 52) with FEAT_LPA and FEAT_LPA2 as said; the fewest levels that do. VMSA_OUT_OF_RANGE where the machine has no such
 * configuration, VMSA_INVALID_ARGUMENT for an unknown granule or PA size.
 */
enum vmsa_error vmsa_configure(uint8_t ipa_bits, enum vmsa_granule granule, uint8_t pa_bits, bool lpa, bool lpa2,
                               struct vmsa_configuration *configuration);

/** How the machine walks, caches and changes tables. All zero is right for Armv8.0 with coherent walks. */
struct vmsa_controls {
  bool fwb;                /**< HCR_EL2.FWB. */
  bool ha;                 /**< VTCR_EL2.HA. */
  bool hd;                 /**< VTCR_EL2.HD; counts with `ha`. */
  uint8_t bbm;             /**< FEAT_BBM level, 0 to 2. */
  bool ttl;                /**< FEAT_TTL: level hints in TLBI. */
  bool tlbi_range;         /**< FEAT_TLBIRANGE. */
  bool dic;                /**< CTR_EL0.DIC: no instruction cache invalidation. */
  bool non_coherent_walks; /**< The walker reads tables past the caches. */
};

/** Who else may use a table at the same time. */
VMSA_ENUM(vmsa_concurrency) {
  VMSA_EXCLUSIVE = 0, /**< One call at a time. */
  VMSA_LOCK_FREE = 1  /**< Any number of callers: see vmsa::lock_free for what may run beside what. */
};

/** Storage of a table, in the caller's memory. It stays where it is from vmsa_table_init to vmsa_table_fini. */
struct vmsa_table {
  uint64_t opaque[64];
};

/** A caller's memory of where its last walk ended: one for each vCPU. All zero is a fresh one. */
struct vmsa_cursor {
  uint64_t opaque[4];
};

/** What a leaf says, apart from where it points. */
struct vmsa_leaf {
  uint8_t memory;       /**< enum vmsa_memory. */
  uint8_t access;       /**< enum vmsa_access. */
  uint8_t execute;      /**< enum vmsa_execute. */
  uint8_t shareability; /**< enum vmsa_shareability; not encoded under FEAT_LPA2, where VTCR_EL2.SH0 counts. */
  bool no_access_flag;  /**< AF is 0: the first access faults, or hardware sets it. */
  bool dbm;             /**< Hardware makes the page writable on the first write, with `hd`. */
  bool contiguous;
  bool fnxs;
  bool nt;          /**< Of blocks only. */
  uint8_t software; /**< Bits 58:55, 0 to 15. */
};

/** A leaf encoded once for one table and level, used for many mappings. */
struct vmsa_prepared_leaf {
  uint64_t opaque[8];
};

/** What may happen to what is mapped already. */
VMSA_ENUM(vmsa_existing) {
  VMSA_KEEP = 0,   /**< Nothing: another mapping is VMSA_ALREADY_MAPPED. */
  VMSA_UPDATE = 1, /**< Changes that need no break are made, others are VMSA_NEEDS_BREAK. */
  VMSA_REPLACE = 2 /**< Break-before-make where it is needed. */
};

/** What a call did, also when it failed. */
struct vmsa_outcome {
  uint64_t at;              /**< With an error: the IPA where; else the first byte beyond what was handled. */
  uint64_t entries_written; /**< Descriptors stored, those of fresh tables included. */
  uint32_t tables_allocated;
  uint32_t tables_freed; /**< Given back; of a lock-free table unlinked until vmsa_give_back. */
  uint32_t tlbi_count;   /**< TLBI instructions. */
  uint8_t error;         /**< enum vmsa_error. */
  int8_t level;          /**< With an error: of the entry in the way; else of the leaf, where one was handled. */
  bool broke;            /**< An entry that was live was invalid for a while. */
};

/** Where a translation ends. */
struct vmsa_mapping {
  uint64_t descriptor; /**< The leaf, or the invalid entry. */
  uint64_t pa;         /**< Of the very byte asked for. */
  uint64_t size;       /**< Bytes that this descriptor maps; 0 beyond the table's input size. */
  int8_t level;
  bool mapped;
};

/**
 * Makes an empty table in `table`: takes one start table from `frames` and clears it. `vtcr` is what VTCR_EL2 will hold,
 * `pa_bits`, `lpa` and `lpa2` what the machine is: see vmsa_configure. `port` and `frames` are copied; what they point to
 * outlives the table. VMSA_OUT_OF_RANGE for a VTCR_EL2 without a geometry, VMSA_OUT_OF_FRAMES, VMSA_INVALID_ARGUMENT.
 */
enum vmsa_error vmsa_table_init(struct vmsa_table *table, struct vmsa_port const *port,
                                struct vmsa_frames const *frames, uint64_t vtcr, uint8_t pa_bits, bool lpa, bool lpa2,
                                struct vmsa_controls const *controls, enum vmsa_concurrency concurrency);

/** Gives every frame back. No PE may walk the table any more, and its VMID was invalidated before. */
void vmsa_table_fini(struct vmsa_table *table);

/** The physical address of the start table, for VTTBR_EL2.BADDR. */
uint64_t vmsa_table_root(struct vmsa_table const *table);
/** Bytes of the start table and of every table below it. */
uint64_t vmsa_table_bytes(struct vmsa_table const *table);

/** Encodes `leaf` for leaves of `level` of this table. */
enum vmsa_error vmsa_prepare(struct vmsa_table const *table, struct vmsa_leaf const *leaf, int8_t level,
                             struct vmsa_prepared_leaf *prepared);

/*
 * The calls that change a table. `outcome` may be null. Sizes are in bytes and multiples of the granule.
 */

/** Maps one leaf. The same mapping again is no error and writes nothing. */
enum vmsa_error vmsa_map(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa, uint64_t pa,
                         struct vmsa_prepared_leaf const *leaf, enum vmsa_existing existing,
                         struct vmsa_outcome *outcome);
/** Maps [ipa, ipa + size) to [pa, pa + size) with the largest leaves. */
enum vmsa_error vmsa_map_range(struct vmsa_table *table, uint64_t ipa, uint64_t pa, uint64_t size,
                               struct vmsa_leaf const *leaf, enum vmsa_existing existing,
                               struct vmsa_outcome *outcome);
/** Unmaps the page or block whose first byte is `ipa`. */
enum vmsa_error vmsa_unmap(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa,
                           struct vmsa_outcome *outcome);
/** Unmaps whatever is mapped in the range. Leaves that reach beyond it are split. */
enum vmsa_error vmsa_unmap_range(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);
/** Adds permissions to the leaf that maps `ipa` and sets its access flag, without a TLBI. */
enum vmsa_error vmsa_relax(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa, enum vmsa_access access,
                           bool execute, struct vmsa_outcome *outcome);
/** Gives every leaf in the range these permissions. */
enum vmsa_error vmsa_protect(struct vmsa_table *table, uint64_t ipa, uint64_t size, enum vmsa_access access,
                             enum vmsa_execute execute, struct vmsa_outcome *outcome);
/** Takes the permission to write from every leaf in the range. */
enum vmsa_error vmsa_write_protect(struct vmsa_table *table, uint64_t ipa, uint64_t size,
                                   struct vmsa_outcome *outcome);
/** Clears the access flags; `young`, which may be null, gets how many bytes had one. */
enum vmsa_error vmsa_age(struct vmsa_table *table, uint64_t ipa, uint64_t size, uint64_t *young,
                         struct vmsa_outcome *outcome);
/** Splits the range into write-protected pages, so that writes fault and are counted by vmsa_collect_dirty. */
enum vmsa_error vmsa_start_dirty_log(struct vmsa_table *table, uint64_t ipa, uint64_t size,
                                     struct vmsa_outcome *outcome);
/** Calls `sink` for every stretch that was written since, in order, and write-protects it again. */
enum vmsa_error vmsa_collect_dirty(struct vmsa_table *table, uint64_t ipa, uint64_t size,
                                   void (*sink)(void *context, uint64_t ipa, uint64_t size), void *context,
                                   struct vmsa_outcome *outcome);
/** Makes every leaf of the range one of `level` or smaller. */
enum vmsa_error vmsa_split(struct vmsa_table *table, uint64_t ipa, uint64_t size, int8_t level,
                           struct vmsa_outcome *outcome);
/** Makes blocks of what continues each other in the range. */
enum vmsa_error vmsa_collapse(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);
/** Changes the memory type of what is mapped in the range, by break-before-make. */
enum vmsa_error vmsa_change_memory(struct vmsa_table *table, uint64_t ipa, uint64_t size, enum vmsa_memory memory,
                                   enum vmsa_shareability shareability, struct vmsa_outcome *outcome);
/** Cleans and invalidates to the point of coherency whatever is Normal Write-Back in the range. */
enum vmsa_error vmsa_clean_data(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);

/** What the table says about `ipa`. */
void vmsa_look_up(struct vmsa_table const *table, uint64_t ipa, struct vmsa_mapping *mapping);
/** Calls `visitor` for every stretch of leaves of one level that continue each other, in order. */
enum vmsa_error vmsa_visit(struct vmsa_table const *table, uint64_t ipa, uint64_t size,
                           void (*visitor)(void *context, uint64_t ipa, uint64_t pa, uint64_t size, int8_t level,
                                           uint64_t descriptor),
                           void *context, struct vmsa_outcome *outcome);

/** Tables that a lock-free table unlinked, as a list. */
struct vmsa_retired {
  uint64_t opaque[2];
};
/** Takes the tables that were unlinked so far. */
struct vmsa_retired vmsa_take_retired(struct vmsa_table *table);
/** Gives them back, when every call that ran at the time of vmsa_take_retired has returned. Returns how many. */
uint32_t vmsa_give_back(struct vmsa_table *table, struct vmsa_retired retired);

#ifdef __cplusplus
}
#endif

#endif
