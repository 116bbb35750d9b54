/* SPDX-License-Identifier: MIT */
/* A table in a few megabytes of the heap, as a hypervisor in C would keep one: map, fault, log, take apart. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmsa/c/vmsa.h"

static unsigned tlbi_count;

static void maintain(void *context, enum vmsa_cache_op op, uint64_t pa, uint64_t size) {
  (void)context, (void)op, (void)pa, (void)size;
}
static void barrier(void *context, enum vmsa_barrier kind) { (void)context, (void)kind; }
static void tlbi(void *context, struct vmsa_tlbi const *op) {
  (void)context, (void)op;
  ++tlbi_count;
}
static void dirty(void *context, uint64_t ipa, uint64_t size) {
  (void)context;
  printf("dirty: 0x%" PRIx64 ", %" PRIu64 " bytes\n", ipa, size);
}
static void run(void *context, uint64_t ipa, uint64_t pa, uint64_t size, int8_t level, uint64_t descriptor) {
  (void)context, (void)descriptor;
  printf("level %d: 0x%" PRIx64 " -> 0x%" PRIx64 ", %" PRIu64 " KiB\n", level, ipa, pa, size >> 10);
}

/* A policy of one's own: RAM is write-back, a device Device-nGnRE, and anything else is emulated. */
static void decide(void *context, struct vmsa_host const *host, struct vmsa_region const *region,
                   struct vmsa_fault const *fault, struct vmsa_decision *decision) {
  (void)host, (void)fault;
  vmsa_backing const ram = *(vmsa_backing const *)context;
  decision->outcome = region == NULL ? VMSA_MMIO_EXIT : VMSA_MAPS;
  if (region == NULL) return;
  decision->memory = region->backing == ram ? VMSA_NORMAL_WB : VMSA_DEVICE_nGnRE;
  decision->access = region->read_only ? VMSA_READ_ONLY : VMSA_READ_WRITE;
}

static void say(char const *what, enum vmsa_error error) { printf("%s: %s\n", what, vmsa_error_name(error)); }

int main(void) {
  uint64_t const base = 0x80000000, size = 8 << 20;
  void *const memory = aligned_alloc(1 << 16, size);
  if (memory == NULL) return 1;
  memset(memory, 0, size);

  struct vmsa_port const port = {.linear = true,
                                 .offset = (uint64_t)(uintptr_t)memory - base,
                                 .maintain = maintain,
                                 .barrier = barrier,
                                 .tlbi = tlbi};
  struct vmsa_arena arena;
  struct vmsa_configuration chosen;
  struct vmsa_table table;
  struct vmsa_controls const controls = {.fwb = true, .ttl = true};
  say("arena", vmsa_arena_init(&arena, &port, base, size, VMSA_GRANULE_4K));
  struct vmsa_frames const frames = vmsa_arena_frames(&arena);
  say("configure", vmsa_configure(40, VMSA_GRANULE_4K, 48, false, false, &chosen));
  printf("VTCR_EL2 0x%" PRIx64 ", start table of %" PRIu64 " bytes at level %d\n", chosen.vtcr, chosen.root_size,
         chosen.start_level);
  say("table", vmsa_table_init(&table, &port, &frames, chosen.vtcr, 48, false, false, &controls, VMSA_EXCLUSIVE));

  struct vmsa_leaf const ram = {.memory = VMSA_NORMAL_WB,
                                .access = VMSA_READ_WRITE,
                                .execute = VMSA_EXECUTE,
                                .shareability = VMSA_INNER_SHAREABLE};
  struct vmsa_leaf const bar = {.memory = VMSA_DEVICE_nGnRE,
                                .access = VMSA_READ_WRITE,
                                .execute = VMSA_EXECUTE_NEVER,
                                .shareability = VMSA_INNER_SHAREABLE};
  struct vmsa_outcome outcome;
  say("64 MiB of RAM", vmsa_map_range(&table, 0x40000000, 0x100000000, 64 << 20, &ram, VMSA_KEEP, &outcome));
  printf("%" PRIu64 " entries\n", outcome.entries_written);

  struct vmsa_prepared_leaf device;
  struct vmsa_cursor cursor = {{0}};
  say("prepare", vmsa_prepare(&table, &bar, 3, &device));
  say("a device page", vmsa_map(&table, &cursor, 0x9000000, 0x9000000, &device, VMSA_KEEP, NULL));
  say("the same page for something else", vmsa_map(&table, &cursor, 0x9000000, 0xa000000, &device, VMSA_KEEP, NULL));

  vmsa_backing backing_ram = 0, backing_device = 0;
  printf("backings: %d\n", vmsa_backing_by_name("ram", &backing_ram) && vmsa_backing_by_name("device", &backing_device));
  struct vmsa_region const regions[] = {
      {.ipa = 0x60000000, .size = 4 << 20, .pa = 0x180000000, .backing = backing_ram},
      {.ipa = 0x70000000, .size = 4096, .pa = 0xb000000, .backing = backing_device},
  };
  struct vmsa_region_map map;
  say("regions", vmsa_region_map_init(&map, regions, 2, VMSA_GRANULE_4K, NULL));
  struct vmsa_policy const policy = {.decide = decide, .context = &backing_ram};
  struct vmsa_host const host = {.idc = true};
  uint64_t const touched[] = {0x60212340, 0x70000010, 0x50000000};
  for (unsigned n = 0; n < 3; ++n) {
    struct vmsa_fault fault;
    struct vmsa_fault_outcome out;
    /* A data abort from a lower EL on a write: Translation fault, level 1. */
    if (vmsa_decode_fault(0x92000045, touched[n], touched[n] >> 12 << 4, &fault) != VMSA_FAULT_OK) return 1;
    enum vmsa_fault_step const step = vmsa_handle_fault(&table, &map, &policy, &host, &fault, false, &out);
    printf("fault at 0x%" PRIx64 ": %s, %s", fault.ipa, vmsa_fault_step_name(step),
           vmsa_policy_outcome_name(out.decision.outcome));
    if (step == VMSA_FAULT_RESOLVED) printf(", level %d -> 0x%" PRIx64, out.level, out.pa);
    printf("\n");
  }

  say("log", vmsa_start_dirty_log(&table, 0x40000000, 2 << 20, NULL));
  say("a write", vmsa_relax(&table, &cursor, 0x40001234, VMSA_READ_WRITE, false, NULL));
  say("collect", vmsa_collect_dirty(&table, 0x40000000, 2 << 20, dirty, NULL, NULL));
  say("make blocks", vmsa_collapse(&table, 0x40000000, 2 << 20, NULL));
  say("visit", vmsa_visit(&table, 0, UINT64_C(1) << 40, run, NULL, NULL));

  struct vmsa_mapping mapping;
  vmsa_look_up(&table, 0x40001234, &mapping);
  printf("0x40001234 -> 0x%" PRIx64 "\n", mapping.pa);
  say("gone", vmsa_unmap_range(&table, 0, UINT64_C(1) << 40, NULL));
  printf("%s\n", tlbi_count != 0 ? "TLBs were told" : "no TLBI");
  vmsa_table_fini(&table);
  printf("%" PRIu64 " bytes of tables left\n", vmsa_arena_bytes_in_use(&arena));

  struct vmsa_attributes effective;
  say("combine", vmsa_combine(0xff, VMSA_INNER_SHAREABLE, 0x1, VMSA_INNER_SHAREABLE, false, &effective));
  printf("Normal-WB under Device-nGnRE is %s\n", vmsa_memory_name(effective.memory));
  free(memory);
  return 0;
}
