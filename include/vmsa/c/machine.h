/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_MACHINE_H
#define VMSA_C_MACHINE_H

#include "vmsa/c/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A simulated machine for page-table code in C: link vmsa::text, a hosted library. The C++ class is vmsa::sim::machine,
 * whose documentation has the reasons. Names of instructions and registers are in lower case, as in vmsa/c/trace.h.
 * Nothing here may be called by two threads at once for one machine. */

struct vmsa_machine;

/** Who decides what the architecture leaves to hardware. */
VMSA_ENUM(vmsa_adversary) {
  VMSA_OBEDIENT = 0, /**< Keeps nothing of anything. */
  VMSA_HOARDER = 1,  /**< Keeps all it may: the worst case, and deterministic. */
  VMSA_RANDOM = 2    /**< Decides by `seed`. */
};

/** All zero but `pes`, `memory` and `ipa_bits` is a machine with 4K granules from physical address 0 on. */
struct vmsa_machine_options {
  uint32_t pes;      /**< 1 to 64. */
  uint32_t devices;  /**< Up to 64. */
  uint64_t base;     /**< Physical address of the memory, in whole pages of 4096 bytes, as its size. */
  uint64_t memory;   /**< Bytes. */
  uint64_t seed;     /**< Of VMSA_RANDOM. */
  uint8_t adversary; /**< enum vmsa_adversary. */
  uint8_t granule;   /**< enum vmsa_granule, of stage 2. */
  uint8_t ipa_bits;
  uint8_t bbm;             /**< FEAT_BBM level. */
  bool fwb;                /**< HCR_EL2.FWB. */
  bool non_coherent_walks; /**< The walkers read memory past the caches. */
  bool no_host_map;        /**< The hypervisor maps no guest memory; else it maps all of it Normal-WB. */
};

/** Makes a machine as `options` say, to be freed by vmsa_machine_free. Null where there is no such machine. */
struct vmsa_machine *vmsa_machine_new(struct vmsa_machine_options const *options);
/** Frees `machine` and every port of it; a null pointer is nothing to free. */
void vmsa_machine_free(struct vmsa_machine *machine);

/** VTCR_EL2 for the guests of `machine`. */
uint64_t vmsa_machine_vtcr(struct vmsa_machine const *machine);
/** Bytes of the start table of a guest of `machine`, which are its alignment too. */
uint64_t vmsa_machine_root_size(struct vmsa_machine const *machine);

/*
 * The hypervisor on a PE. VMSA_INVALID_ARGUMENT for a PE or a name that is none, VMSA_OUT_OF_RANGE outside the memory.
 */
/** The hypervisor on PE `pe` loads the 8 aligned bytes at `pa` into `value`. */
enum vmsa_error vmsa_machine_read(struct vmsa_machine *machine, uint32_t pe, uint64_t pa, uint64_t *value);
/** The hypervisor on PE `pe` stores `value` into the 8 aligned bytes at `pa`. */
enum vmsa_error vmsa_machine_write(struct vmsa_machine *machine, uint32_t pe, uint64_t pa, uint64_t value,
                                   enum vmsa_store_order order);
/**
 * The hypervisor on PE `pe` compares the 8 aligned bytes at `pa` with `expected`, and stores `desired` if they are
 * equal; `found` gets what was there.
 */
enum vmsa_error vmsa_machine_compare_exchange(struct vmsa_machine *machine, uint32_t pe, uint64_t pa,
                                              uint64_t expected, uint64_t desired, uint64_t *found);
/** A DSB on PE `pe` of the kind "ish", "ishst", "nsh", "sy" ... */
enum vmsa_error vmsa_machine_dsb(struct vmsa_machine *machine, uint32_t pe, char const *kind);
/** A DMB ISH on PE `pe`. */
enum vmsa_error vmsa_machine_dmb(struct vmsa_machine *machine, uint32_t pe);
/** An ISB on PE `pe`. */
enum vmsa_error vmsa_machine_isb(struct vmsa_machine *machine, uint32_t pe);
/** A TLBI on PE `pe`: `op` is such as "ipas2e1is", and `xt` the register as the program computed it. */
enum vmsa_error vmsa_machine_tlbi(struct vmsa_machine *machine, uint32_t pe, char const *op, uint64_t xt);
/** Cache maintenance on PE `pe` of [pa, pa + size): `op` is "cvac", "civac", "ivac" or "cvau"; a DSB completes it. */
enum vmsa_error vmsa_machine_dc(struct vmsa_machine *machine, uint32_t pe, char const *op, uint64_t pa, uint64_t size);
/** Writes `value` into a system register of PE `pe`: "vttbr_el2", "hcr_el2" ...; an ISB or ERET makes it count. */
enum vmsa_error vmsa_machine_msr(struct vmsa_machine *machine, uint32_t pe, char const *name, uint64_t value);
/** Enters a guest on PE `pe`: its registers with stage 1 off, stage 2 at `root` under `vmid`, an ISB, and the ERET. */
enum vmsa_error vmsa_machine_enter(struct vmsa_machine *machine, uint32_t pe, uint64_t root, uint16_t vmid);
/** An exception return on PE `pe` into the guest whose registers it has. */
enum vmsa_error vmsa_machine_eret(struct vmsa_machine *machine, uint32_t pe);
/** The guest of PE `pe` takes an exception to EL2. */
enum vmsa_error vmsa_machine_exception(struct vmsa_machine *machine, uint32_t pe);
/** Tells the judge, on PE `pe`, that the table page of `size` bytes at `pa` goes back to its allocator. */
enum vmsa_error vmsa_machine_give(struct vmsa_machine *machine, uint32_t pe, uint64_t pa, uint64_t size);
/** Tells the judge that an operation has returned on PE `pe`: what it took away may not be used any more. */
enum vmsa_error vmsa_machine_done(struct vmsa_machine *machine, uint32_t pe);

/** Makes `port` a port of PE `pe`, for a vmsa_table; it lives as long as `machine`. */
enum vmsa_error vmsa_machine_port(struct vmsa_machine *machine, uint32_t pe, struct vmsa_port *port);

/** What an access came to. */
struct vmsa_machine_access {
  uint64_t value; /**< Of a load. */
  uint64_t pa;
  bool faulted;
  uint8_t fault_status; /**< The fault status code, where it faulted. */
  bool stale;           /**< It went through a translation that the tables do not have any more. */
};

/* The guest, by virtual address, 8 aligned bytes each; VMSA_INVALID_ARGUMENT where no guest runs. */
/** The guest on PE `pe` loads the 8 aligned bytes at `va`; `access` gets the value, or the fault. */
enum vmsa_error vmsa_machine_guest_load(struct vmsa_machine *machine, uint32_t pe, uint64_t va,
                                        struct vmsa_machine_access *access);
/** The guest on PE `pe` stores `value` into the 8 aligned bytes at `va`; `access` gets the fault, if there is one. */
enum vmsa_error vmsa_machine_guest_store(struct vmsa_machine *machine, uint32_t pe, uint64_t va, uint64_t value,
                                         struct vmsa_machine_access *access);
/** The guest on PE `pe` fetches an instruction at `va`; `access` gets the fault, if there is one. */
enum vmsa_error vmsa_machine_guest_fetch(struct vmsa_machine *machine, uint32_t pe, uint64_t va,
                                         struct vmsa_machine_access *access);

/** A device without an SMMU reads 8 aligned bytes at `address`; it looks into the caches if `snoops`. */
enum vmsa_error vmsa_machine_dma_read(struct vmsa_machine *machine, uint32_t device, uint64_t address, bool snoops,
                                      struct vmsa_machine_access *access);
/** A device without an SMMU writes `value` to 8 aligned bytes at `address`; it looks into the caches if `snoops`. */
enum vmsa_error vmsa_machine_dma_write(struct vmsa_machine *machine, uint32_t device, uint64_t address, bool snoops,
                                       uint64_t value, struct vmsa_machine_access *access);

/** Tells the judge of `machine` that every operation is over; everything leaves buffers and caches. */
void vmsa_machine_finish(struct vmsa_machine *machine);
/** How many failures `machine` has seen until now. */
uint32_t vmsa_machine_failures(struct vmsa_machine *machine);
/** What went wrong in `machine`, as text. The string lives until the next call for this machine. */
char const *vmsa_machine_report(struct vmsa_machine *machine);
/** What went wrong in `machine`, as a sequence diagram (SVG). The string lives until the next call for this machine. */
char const *vmsa_machine_picture(struct vmsa_machine *machine);

#ifdef __cplusplus
}
#endif

#endif
