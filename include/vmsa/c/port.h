/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_PORT_H
#define VMSA_C_PORT_H

#include "vmsa/c/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The only way the library touches the machine. Nothing here may call back into the table that called it. */

VMSA_ENUM(vmsa_load_order) { VMSA_LOAD_RELAXED = 0, VMSA_LOAD_ACQUIRE = 1 };
VMSA_ENUM(vmsa_store_order) { VMSA_STORE_RELAXED = 0, VMSA_STORE_RELEASE = 1 };

VMSA_ENUM(vmsa_barrier) {
  VMSA_DSB_ISHST = 0, /**< Stores before it are visible to the walkers of the Inner Shareable domain. */
  VMSA_DSB_ISH = 1,   /**< And TLB maintenance before it, by this PE, is complete. */
  VMSA_ISB = 2        /**< This PE's later instructions see the new context. */
};

VMSA_ENUM(vmsa_cache_op) {
  VMSA_CLEAN_TO_POC = 0,            /**< A table that a walker will read past the caches. */
  VMSA_CLEAN_INVALIDATE_TO_POC = 1, /**< Data whose cacheable and non-cacheable views must meet in memory. */
  VMSA_INVALIDATE_INSTRUCTION = 2   /**< To PoU, for new instructions. */
};

VMSA_ENUM(vmsa_tlbi_kind) {
  VMSA_TLBI_IPAS2E1IS = 0,
  VMSA_TLBI_RIPAS2E1IS = 1,
  VMSA_TLBI_VMALLE1IS = 2,
  VMSA_TLBI_VMALLS12E1IS = 3
};

/** One TLB invalidation of the current VMID. The caller of the table has made it the table's. */
struct vmsa_tlbi {
  uint64_t base;    /**< IPA, granule-aligned, of the by-address kinds. */
  uint64_t size;    /**< Bytes, of VMSA_TLBI_RIPAS2E1IS. */
  uint64_t operand; /**< What the instruction takes in Xt, encoded for the table's granule; 0 for the VMALL kinds. */
  uint8_t kind;     /**< enum vmsa_tlbi_kind. */
  uint8_t granule;  /**< enum vmsa_granule. */
  bool has_level;   /**< `level` is certain, and is in `operand`. */
  int8_t level;
};

/**
 * A machine. With `linear` set, the descriptor at physical address p is the 64-bit word at address p + `offset` of the
 * caller, and load, store and compare_exchange are not called and may be null: this is how EL2 wants it, and what
 * makes a call cheap. Else they reach one naturally aligned 64-bit descriptor each; compare_exchange returns the value
 * found, has stored if that equals `expected`, and then with release order; for a lock-free table all three are atomic.
 * With `barrier` null the library executes the instruction itself, where it runs on AArch64; elsewhere a simulated
 * machine needs none. `maintain` does cache maintenance of [pa, pa + size) and returns when it is complete.
 */
struct vmsa_port {
  void *context; /**< Handed to every function. */
  bool linear;
  uint64_t offset;
  uint64_t (*load)(void *context, uint64_t pa, enum vmsa_load_order order);
  void (*store)(void *context, uint64_t pa, uint64_t descriptor, enum vmsa_store_order order);
  uint64_t (*compare_exchange)(void *context, uint64_t pa, uint64_t expected, uint64_t desired);
  void (*maintain)(void *context, enum vmsa_cache_op op, uint64_t pa, uint64_t size);
  void (*barrier)(void *context, enum vmsa_barrier kind);
  void (*tlbi)(void *context, struct vmsa_tlbi const *op);
};

/** A frame for a translation table. */
struct vmsa_frame {
  uint64_t pa;
  bool zeroed; /**< Every byte is known to be 0, so that nobody needs to clear it. */
};

/**
 * Where table frames come from. `take` finds a frame of `size` bytes (a granule, or a start table of up to 16 of them)
 * below 2^48, aligned to its size, and returns false when there is none. `give` takes one back. Under a lock-free table
 * several callers may be in both at once.
 */
struct vmsa_frames {
  void *context;
  bool (*take)(void *context, uint64_t size, struct vmsa_frame *frame);
  void (*give)(void *context, struct vmsa_frame const *frame, uint64_t size);
};

/** Storage of a frame source over a stretch of memory. It stays where it is from vmsa_arena_init on. */
struct vmsa_arena {
  uint64_t opaque[24];
};

/**
 * Makes `arena` a source of the frames in [pa, pa + size), all of whose bytes are 0; `pa` and `size` are multiples of
 * the granule. `port` is copied. VMSA_INVALID_ARGUMENT for an unknown granule, VMSA_MISALIGNED, or VMSA_OUT_OF_RANGE
 * for a stretch that wraps or ends above 2^48.
 */
enum vmsa_error vmsa_arena_init(struct vmsa_arena *arena, struct vmsa_port const *port, uint64_t pa, uint64_t size,
                                enum vmsa_granule granule);

/**
 * The frame source that draws on `arena`, for vmsa_table_init of any number of tables; several callers may be in it at
 * once, so it serves lock-free tables too. `arena` outlives every table that has it.
 */
struct vmsa_frames vmsa_arena_frames(struct vmsa_arena *arena);

/** Bytes that tables have taken from `arena` and not given back. */
uint64_t vmsa_arena_bytes_in_use(struct vmsa_arena const *arena);

#ifdef __cplusplus
}
#endif

#endif
