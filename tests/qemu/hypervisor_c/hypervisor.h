/* SPDX-License-Identifier: MIT */
/* The hypervisor of ../hypervisor, of which this is the twin in C11: the same guest, the same answers. Everything about
   tables and types is vmsa::c's. */
#ifndef EL2_HYPERVISOR_H
#define EL2_HYPERVISOR_H

#include "vmsa/c/vmsa.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EL2_TABLE_FRAMES = 64, EL2_REGIONS = 16, EL2_MOST_FAULTS = 20000 };

/* The registers of the guest that EL2 keeps: the layout is start.S's. */
struct el2_registers {
  uint64_t x[31];
  uint64_t pc;
  uint64_t pstate;
};

/* A page of emulated registers: eight bytes that remember, and a byte that prints. */
struct el2_device {
  uint64_t scratch;
  char text[64];
  unsigned length;
};

struct el2_statistics {
  uint64_t faults;
  uint64_t outcomes[VMSA_NOT_APPLICABLE + 1]; /* by vmsa_policy_outcome */
  uint64_t table_walks;                       /* faults on the guest's own table walks */
  uint64_t relocated;                         /* HPFAR_EL2 was UNKNOWN: the address came from AT S1E1x */
  uint64_t hpfar_right;                       /* it held the address all the same: QEMU's does */
  uint64_t out_of_frames;                     /* the tables were given more memory */
  uint64_t breaks;                            /* break-before-make */
};

/* Frames for tables, one bit each, of which no more than `left` are given out. */
struct el2_frames {
  uint64_t used;
  unsigned left;
};

enum el2_exit {
  EL2_GOES_ON,
  EL2_HYPERCALL,  /* x[0] says what the guest wants */
  EL2_REFUSED,    /* the policy has no memory for the access; the guest has not moved */
  EL2_UNEXPECTED, /* an exception that is no abort, or more than EL2_MOST_FAULTS */
};

struct el2_hypervisor {
  struct el2_registers registers;
  struct el2_device mmio;
  struct el2_statistics counts;
  struct vmsa_region regions[EL2_REGIONS];
  struct vmsa_region_map map;
  struct vmsa_policy policy;
  struct vmsa_host host;
  struct vmsa_fault fault; /* the last */
  struct el2_frames frames;
  struct vmsa_table table;
};

/* `count` regions are copied. False: the machine or the regions are not what this hypervisor can do. */
bool el2_begin(struct el2_hypervisor* vm, struct vmsa_region const* regions, size_t count, uint64_t entry);
/* Runs the guest until it wants something that is not memory. */
enum el2_exit el2_run(struct el2_hypervisor* vm);
/* What vm->fault comes to. */
enum el2_exit el2_handle(struct el2_hypervisor* vm);
/* The guest takes `esr_el1` at its EL1 vector, as if its current instruction had caused it. */
void el2_inject(struct el2_hypervisor* vm, uint64_t esr_el1);
/* The same for an access that was refused: a synchronous External abort. */
void el2_inject_external_abort(struct el2_hypervisor* vm);

/* Write-protects what is mapped, in pages; what the guest writes from now on is counted. */
bool el2_log_writes(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size);
uint64_t el2_collect_written(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size);
uint64_t el2_collect_used(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size);
/* Turns blocks into pages, and pages into blocks where they continue each other. */
bool el2_split(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size);
bool el2_collapse(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size);
/* Other memory stands behind the region of `ipa`: what is mapped gets the type that the policy decides on now. */
bool el2_retype(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size, char const* backing);
/* The page gets another frame. */
bool el2_move(struct el2_hypervisor* vm, uint64_t ipa, uint64_t pa);

#ifdef __cplusplus
}
#endif

#endif
