/* SPDX-License-Identifier: MIT */
/* Page-table code in C on the machine: an unmap whose TLBI stays on its PE, and the right one; then the library's own
 * table through its C face. */
#include <stdio.h>
#include <string.h>

#include "vmsa/c/machine.h"
#include "vmsa/c/vmsa.h"

#define ROOT 0x80000000u
#define LEVEL2 0x80004000u
#define LEVEL3 0x80005000u
#define PAGE 0x81000000u
#define IPA 0x400000u

static int failures;

static void expect(int holds, char const *what) {
  if (holds) return;
  ++failures;
  fprintf(stderr, "not so: %s\n", what);
}

static struct vmsa_machine *made(enum vmsa_adversary who) {
  struct vmsa_machine_options options;
  memset(&options, 0, sizeof options);
  options.pes = 2;
  options.devices = 1;
  options.base = ROOT;
  options.memory = 64u << 20;
  options.ipa_bits = 40;
  options.fwb = true;
  options.adversary = (uint8_t)who;
  return vmsa_machine_new(&options);
}

static void unmap(struct vmsa_machine *m, char const *ipas2, char const *vmall) {
  vmsa_machine_write(m, 0, LEVEL3 + 8 * ((IPA >> 12) & 511), 0, VMSA_STORE_RELAXED);
  vmsa_machine_dsb(m, 0, "ishst");
  expect(vmsa_machine_tlbi(m, 0, ipas2, IPA >> 12) == VMSA_OK, "a TLBI by its name");
  vmsa_machine_dsb(m, 0, "ish");
  expect(vmsa_machine_tlbi(m, 0, vmall, 0) == VMSA_OK, "a TLBI by its name");
  vmsa_machine_dsb(m, 0, "ish");
  vmsa_machine_done(m, 0);
}

/* Returns whether the guest's last load went through. */
static bool run(struct vmsa_machine *m, char const *ipas2, char const *vmall) {
  struct vmsa_machine_access access;
  vmsa_machine_write(m, 0, LEVEL3 + 8 * ((IPA >> 12) & 511), PAGE | 0x7db, VMSA_STORE_RELAXED);
  vmsa_machine_write(m, 0, LEVEL2 + 8 * ((IPA >> 21) & 511), LEVEL3 | 3, VMSA_STORE_RELEASE);
  vmsa_machine_write(m, 0, ROOT, LEVEL2 | 3, VMSA_STORE_RELEASE);
  vmsa_machine_dsb(m, 0, "ishst");
  vmsa_machine_enter(m, 0, ROOT, 1);
  vmsa_machine_exception(m, 0);
  vmsa_machine_enter(m, 1, ROOT, 1);
  expect(vmsa_machine_guest_store(m, 1, IPA, 42, &access) == VMSA_OK && !access.faulted, "the guest stores");
  unmap(m, ipas2, vmall);
  expect(vmsa_machine_guest_load(m, 1, IPA, &access) == VMSA_OK, "the guest loads");
  return !access.faulted;
}

static void own_code(void) {
  struct vmsa_machine *m = made(VMSA_HOARDER);
  expect(run(m, "ipas2e1", "vmalle1"), "the hoarder keeps what a local TLBI leaves");
  expect(vmsa_machine_failures(m) == 2, "the use, and the judge's word");
  expect(strstr(vmsa_machine_report(m), "tlbi-local") != NULL, "the report names the cause");
  expect(strncmp(vmsa_machine_picture(m), "<svg ", 5) == 0, "the picture is SVG");
  vmsa_machine_free(m);
  m = made(VMSA_HOARDER);
  expect(!run(m, "ipas2e1is", "vmalle1is"), "a broadcast TLBI leaves nothing");
  vmsa_machine_finish(m);
  expect(vmsa_machine_failures(m) == 0, "nothing is wrong");
  vmsa_machine_free(m);
}

static void library_table(void) {
  struct vmsa_machine *m = made(VMSA_HOARDER);
  struct vmsa_port port;
  struct vmsa_arena arena;
  struct vmsa_frames frames;
  struct vmsa_table table;
  struct vmsa_controls controls;
  struct vmsa_leaf leaf;
  struct vmsa_machine_access access;
  expect(vmsa_machine_port(m, 0, &port) == VMSA_OK, "a PE is a port");
  expect(vmsa_arena_init(&arena, &port, ROOT, 8u << 20, VMSA_GRANULE_4K) == VMSA_OK, "frames");
  frames = vmsa_arena_frames(&arena);
  memset(&controls, 0, sizeof controls);
  controls.fwb = controls.dic = true;
  expect(vmsa_table_init(&table, &port, &frames, vmsa_machine_vtcr(m), 48, false, false, &controls, VMSA_EXCLUSIVE) ==
             VMSA_OK,
         "a table");
  memset(&leaf, 0, sizeof leaf);
  leaf.memory = VMSA_NORMAL_WB;
  leaf.access = VMSA_READ_WRITE;
  leaf.shareability = VMSA_INNER_SHAREABLE;
  expect(vmsa_map_range(&table, IPA, PAGE, 0x8000, &leaf, VMSA_UPDATE, NULL) == VMSA_OK, "pages are mapped");
  vmsa_machine_enter(m, 0, vmsa_table_root(&table), 1);
  vmsa_machine_exception(m, 0);
  vmsa_machine_enter(m, 1, vmsa_table_root(&table), 1);
  vmsa_machine_guest_store(m, 1, IPA + 0x3000, 7, &access);
  expect(!access.faulted && access.pa == PAGE + 0x3000, "the guest reaches its page");
  expect(vmsa_unmap_range(&table, IPA + 0x3000, 0x1000, NULL) == VMSA_OK, "a page is unmapped");
  vmsa_machine_done(m, 0);
  vmsa_machine_guest_load(m, 1, IPA + 0x3000, &access);
  expect(access.faulted && access.fault_status == 7, "a level 3 Translation fault");
  vmsa_machine_finish(m);
  expect(vmsa_machine_failures(m) == 0, "nothing is wrong");
  vmsa_machine_free(m);
}

static void bad_input(void) {
  struct vmsa_machine_options options;
  struct vmsa_machine *m = made(VMSA_OBEDIENT);
  struct vmsa_machine_access access;
  uint64_t value;
  memset(&options, 0, sizeof options);
  expect(vmsa_machine_new(&options) == NULL, "no machine without PEs");
  expect(vmsa_machine_new(NULL) == NULL, "no machine of nothing");
  expect(vmsa_machine_read(m, 2, ROOT, &value) == VMSA_INVALID_ARGUMENT, "PE 2 of two");
  expect(vmsa_machine_read(m, 0, 0, &value) == VMSA_OUT_OF_RANGE, "below the memory");
  expect(vmsa_machine_tlbi(m, 0, "vaesomething", 0) == VMSA_INVALID_ARGUMENT, "no such TLBI");
  expect(vmsa_machine_dsb(m, 0, "?") == VMSA_INVALID_ARGUMENT, "no such DSB");
  expect(vmsa_machine_msr(m, 0, "nosuch_el9", 0) == VMSA_INVALID_ARGUMENT, "no such register");
  expect(vmsa_machine_dc(m, 0, "zva", ROOT, 64) == VMSA_INVALID_ARGUMENT, "no such DC");
  expect(vmsa_machine_guest_load(m, 1, 0, &access) == VMSA_INVALID_ARGUMENT, "no guest runs");
  expect(vmsa_machine_guest_load(m, 1, 4, &access) == VMSA_INVALID_ARGUMENT, "nor for 4 aligned bytes");
  expect(vmsa_machine_dma_read(m, 1, ROOT, true, &access) == VMSA_INVALID_ARGUMENT, "device 1 of one");
  expect(vmsa_machine_dma_read(m, 0, 0, true, &access) == VMSA_OK && access.faulted, "outside the memory");
  vmsa_machine_free(m);
  vmsa_machine_free(NULL);
}

int main(void) {
  own_code();
  library_table();
  bad_input();
  return failures == 0 ? 0 : 1;
}
