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
 * Chooses VTCR_EL2 for a guest of `ipa_bits` bits of IPA on a machine of `pa_bits` bits of PA (32, 36, 40, 42, 44, 48
 * or 52) with FEAT_LPA and FEAT_LPA2 as said; the fewest levels that do. VMSA_OUT_OF_RANGE where the machine has no
 * such configuration, VMSA_INVALID_ARGUMENT for an unknown granule or PA size.
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

/**
 * Who else may use a table at the same time. In a lock-free one these may run beside each other and never wait:
 * vmsa_map and vmsa_map_range with VMSA_KEEP or VMSA_UPDATE, vmsa_unmap of one page, vmsa_relax, vmsa_age,
 * vmsa_collect_dirty, vmsa_clean_data, vmsa_handle_fault, and what only reads. Of all others one at a time is at work,
 * and VMSA_BUSY answers the rest. Port and frame source are called by all callers at once.
 * vmsa/mmu/concurrency.hpp has the whole table.
 */
VMSA_ENUM(vmsa_concurrency) {
  VMSA_EXCLUSIVE = 0, /**< One call at a time. */
  VMSA_LOCK_FREE = 1  /**< Any number of callers: as said above. */
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
 * Makes an empty table in `table`: takes one start table from `frames` and clears it. `vtcr` is what VTCR_EL2 will
 * hold, `pa_bits`, `lpa` and `lpa2` what the machine is: see vmsa_configure. `port` and `frames` are copied; what they
 * point to outlives the table. VMSA_OUT_OF_RANGE for a VTCR_EL2 without a geometry, VMSA_OUT_OF_FRAMES,
 * VMSA_INVALID_ARGUMENT.
 */
enum vmsa_error vmsa_table_init(struct vmsa_table *table, struct vmsa_port const *port,
                                struct vmsa_frames const *frames, uint64_t vtcr, uint8_t pa_bits, bool lpa, bool lpa2,
                                struct vmsa_controls const *controls, enum vmsa_concurrency concurrency);

/**
 * Gives every frame of `table` back to its source. No PE may walk it any more, its VMID was invalidated before, and no
 * other call is at work. Of a structure of zeros, one that vmsa_table_init refused, or one that was taken apart
 * already, it does nothing.
 */
void vmsa_table_fini(struct vmsa_table *table);

/** The physical address of the start table of `table`, for VTTBR_EL2.BADDR. */
uint64_t vmsa_table_root(struct vmsa_table const *table);
/** Bytes of memory that `table` takes: its start table and every table below it. */
uint64_t vmsa_table_bytes(struct vmsa_table const *table);

/**
 * Encodes `leaf` once, for leaves of `level` (1 to 3, as the granule allows) of `table` and of tables of its kind: the
 * same granule, sizes, descriptor format, FWB, DIC and walks. vmsa_map refuses it elsewhere. VMSA_LEAF_ENCODING where
 * the leaf has no encoding, VMSA_INVALID_ARGUMENT for an enumerator or a level that is none.
 */
enum vmsa_error vmsa_prepare(struct vmsa_table const *table, struct vmsa_leaf const *leaf, int8_t level,
                             struct vmsa_prepared_leaf *prepared);

/*
 * What holds for every call below that changes a table. `outcome` may be null, and else says how far the call came,
 * also when it failed. Sizes are in bytes; a size or address that is no multiple of the granule is VMSA_MISALIGNED, one
 * beyond the input size VMSA_OUT_OF_RANGE. In a lock-free table VMSA_BUSY means that another call is at work at
 * outcome.at, from where this one may be repeated. When a call returns that took a mapping, a permission or an access
 * flag away, no TLB holds it any more.
 */

/**
 * Maps one page or block of the level that `leaf` was prepared for: `ipa` and `pa` are multiples of its size. `cursor`
 * belongs to the caller and makes the next call near `ipa` fast. Where that very leaf is mapped already, nothing is
 * written and VMSA_OK returned; what `existing` does not allow is VMSA_ALREADY_MAPPED or VMSA_NEEDS_BREAK.
 * VMSA_OUT_OF_FRAMES where a table is missing and `frames` has none; VMSA_LEAF_ENCODING for a leaf of another kind of
 * table.
 */
enum vmsa_error vmsa_map(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa, uint64_t pa,
                         struct vmsa_prepared_leaf const *leaf, enum vmsa_existing existing,
                         struct vmsa_outcome *outcome);
/**
 * Maps [ipa, ipa + size) to [pa, pa + size), with the largest leaves that both addresses allow. What is mapped there
 * already is kept, updated or replaced as `existing` says. VMSA_OUT_OF_FRAMES stops it at outcome.at, up to which the
 * range is mapped: give frames, and call again from there.
 */
enum vmsa_error vmsa_map_range(struct vmsa_table *table, uint64_t ipa, uint64_t pa, uint64_t size,
                               struct vmsa_leaf const *leaf, enum vmsa_existing existing, struct vmsa_outcome *outcome);
/**
 * Unmaps the page or block whose first byte is `ipa`. `cursor` belongs to the caller and makes the next call near `ipa`
 * fast. VMSA_NOT_MAPPED where nothing is mapped, VMSA_MISALIGNED inside a block.
 */
enum vmsa_error vmsa_unmap(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa,
                           struct vmsa_outcome *outcome);
/**
 * Unmaps whatever is mapped in [ipa, ipa + size), holes included. A block that reaches beyond the range is split, which
 * may need frames; tables that lead nowhere any more are given back, or wait for vmsa_take_retired in a lock-free
 * table.
 */
enum vmsa_error vmsa_unmap_range(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);
/**
 * Adds the permissions `access`, and with `execute` that for everyone to execute, to the leaf that maps `ipa`, which is
 * any byte of it, and sets its access flag. It takes none, and needs no TLBI. `cursor` belongs to the caller and makes
 * the next call near `ipa` fast. VMSA_NOT_MAPPED where nothing is mapped.
 */
enum vmsa_error vmsa_relax(struct vmsa_table *table, struct vmsa_cursor *cursor, uint64_t ipa, enum vmsa_access access,
                           bool execute, struct vmsa_outcome *outcome);
/**
 * Gives every leaf in [ipa, ipa + size) exactly the permissions `access` and `execute`; holes stay holes. A block that
 * reaches beyond the range is split, which may need frames. VMSA_EXECUTE_BY_MEMORY is VMSA_INVALID_ARGUMENT.
 */
enum vmsa_error vmsa_protect(struct vmsa_table *table, uint64_t ipa, uint64_t size, enum vmsa_access access,
                             enum vmsa_execute execute, struct vmsa_outcome *outcome);
/**
 * Takes the permission to write from every leaf in [ipa, ipa + size), also from hardware that keeps dirty state, until
 * vmsa_relax or vmsa_protect gives it back. A block that reaches beyond the range is split, which may need frames.
 */
enum vmsa_error vmsa_write_protect(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);
/**
 * Clears the access flag of every leaf in [ipa, ipa + size); `young`, which may be null, gets how many bytes had one. A
 * block that reaches beyond the range ages as a whole.
 */
enum vmsa_error vmsa_age(struct vmsa_table *table, uint64_t ipa, uint64_t size, uint64_t *young,
                         struct vmsa_outcome *outcome);
/**
 * Begins to log writes to [ipa, ipa + size): splits what is mapped there into pages, which needs frames, and
 * write-protects them. Each first write then faults and is allowed by vmsa_relax or vmsa_handle_fault, and
 * vmsa_collect_dirty reports it. There is no call to end it: vmsa_collapse makes blocks again.
 */
enum vmsa_error vmsa_start_dirty_log(struct vmsa_table *table, uint64_t ipa, uint64_t size,
                                     struct vmsa_outcome *outcome);
/**
 * Reports what was written in [ipa, ipa + size) since vmsa_start_dirty_log or the last call of this function: `sink` is
 * called with `context` for every stretch of pages, in ascending order, and they are write-protected again. The sink
 * takes note and no more, and calls nothing of this table: until vmsa_collect_dirty returns, the guest may still write
 * through a TLB, so copy the pages afterwards. A sink does not unwind or jump out.
 */
enum vmsa_error vmsa_collect_dirty(struct vmsa_table *table, uint64_t ipa, uint64_t size,
                                   void (*sink)(void *context, uint64_t ipa, uint64_t size), void *context,
                                   struct vmsa_outcome *outcome);
/**
 * Splits every leaf in [ipa, ipa + size) that is larger than one of `level` (-1 to 3). VMSA_OUT_OF_FRAMES leaves the
 * range split up to outcome.at.
 */
enum vmsa_error vmsa_split(struct vmsa_table *table, uint64_t ipa, uint64_t size, int8_t level,
                           struct vmsa_outcome *outcome);
/**
 * Makes blocks of the leaves in [ipa, ipa + size) that continue each other with equal attributes, as far as their
 * addresses allow; outcome.tables_freed counts the tables this saves. What cannot be a block stays as it is.
 */
enum vmsa_error vmsa_collapse(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);
/**
 * Gives every leaf in [ipa, ipa + size) the memory type `memory` and `shareability`, by break-before-make: the guest
 * faults meanwhile, and cache maintenance is done where the old and the new type meet memory differently. A block that
 * reaches beyond the range is split, which may need frames.
 */
enum vmsa_error vmsa_change_memory(struct vmsa_table *table, uint64_t ipa, uint64_t size, enum vmsa_memory memory,
                                   enum vmsa_shareability shareability, struct vmsa_outcome *outcome);
/**
 * Cleans and invalidates to the point of coherency everything in [ipa, ipa + size) that the guest reaches as Normal
 * Write-Back, for an owner who will read the guest's memory past the caches.
 */
enum vmsa_error vmsa_clean_data(struct vmsa_table *table, uint64_t ipa, uint64_t size, struct vmsa_outcome *outcome);

/**
 * Says in `mapping` where the walk for `ipa` ends: in a leaf, or in the invalid entry and the size of the hole it
 * leaves. It changes nothing, and in a lock-free table may run beside every other call.
 */
void vmsa_look_up(struct vmsa_table const *table, uint64_t ipa, struct vmsa_mapping *mapping);
/**
 * Calls `visitor` with `context` for every stretch of leaves in [ipa, ipa + size) that have one level and continue each
 * other in input, output and attributes, in ascending order; `descriptor` is that of the first. A leaf that reaches
 * beyond the range is told whole. The visitor does not change the table, and does not unwind or jump out. `outcome` may
 * be null.
 */
enum vmsa_error vmsa_visit(struct vmsa_table const *table, uint64_t ipa, uint64_t size,
                           void (*visitor)(void *context, uint64_t ipa, uint64_t pa, uint64_t size, int8_t level,
                                           uint64_t descriptor),
                           void *context, struct vmsa_outcome *outcome);

/** Tables that a lock-free table unlinked, as a list. */
struct vmsa_retired {
  uint64_t opaque[2];
};
/**
 * Takes from a lock-free `table` the tables that calls have unlinked so far, and whose frames readers may still hold.
 * Hand them to vmsa_give_back when every call has returned that ran at this time. Of an exclusive table there are none.
 */
struct vmsa_retired vmsa_take_retired(struct vmsa_table *table);
/**
 * Gives the frames of `retired`, which vmsa_take_retired took from `table`, back to their source, once only and not
 * before every call has returned that ran when they were taken. Returns how many there were.
 */
uint32_t vmsa_give_back(struct vmsa_table *table, struct vmsa_retired retired);

#ifdef __cplusplus
}
#endif

#endif
