/* SPDX-License-Identifier: MIT */
#include "hypervisor.h"

#include "system.h"

/* start.S */
void run_guest(struct el2_registers* registers);

static unsigned const ipa_bits = 40;
static unsigned const donation = 8; /* frames that the tables are given at a time */
static uint64_t const page = 4096;
static uint64_t const el1h = 0x3c5; /* interrupts masked */

static _Alignas(2 * 4096) uint8_t table_memory[EL2_TABLE_FRAMES * 4096];

/* Everything at its own address: devices in the first GiB, memory in the second. */
static void map_el2(void) {
  static _Alignas(4096) uint64_t root[512];
  root[0] = 0x0040000000000745; /* attribute 1, read and write, execute-never */
  root[1] = 0x0000000040000741; /* attribute 0, inner shareable */
  EL2_WRITE(mair_el2, 0x04ff);  /* Normal-WB, Device-nGnRE */
  EL2_WRITE(ttbr0_el2, (uintptr_t)root);
  EL2_WRITE(tcr_el2, 1u << 31 | 1u << 23 | 2u << 16 | 3u << 12 | 1u << 10 | 1u << 8 | 25u);
  EL2_DO("dsb ishst\n tlbi alle2\n dsb nsh\n isb");
  EL2_WRITE(sctlr_el2, 0x30c50830 | 1u << 12 | 1u << 2 | 1u);
  EL2_DO("isb");
}

/* Frames, for the library. A start table of two is aligned to its size. */
static bool take_frame(void* context, uint64_t size, struct vmsa_frame* frame) {
  struct el2_frames* const frames = context;
  unsigned const count = (unsigned)(size / page);
  if (count > frames->left) return false;
  uint64_t const run = ((uint64_t)1 << count) - 1;
  for (unsigned first = 0; first + count <= EL2_TABLE_FRAMES; first += count) {
    if ((frames->used & run << first) != 0) continue;
    frames->used |= run << first;
    frames->left -= count;
    frame->pa = (uintptr_t)table_memory + first * page;
    frame->zeroed = false;
    return true;
  }
  return false;
}

static void give_frame(void* context, struct vmsa_frame const* frame, uint64_t size) {
  struct el2_frames* const frames = context;
  unsigned const count = (unsigned)(size / page);
  unsigned const first = (unsigned)((frame->pa - (uintptr_t)table_memory) / page);
  frames->used &= ~((((uint64_t)1 << count) - 1) << first);
  frames->left += count;
}

static unsigned frames_in_use(struct el2_frames const* frames) {
  unsigned count = 0;
  for (unsigned n = 0; n < EL2_TABLE_FRAMES; ++n) count += frames->used >> n & 1;
  return count;
}

/* The port. EL2 maps all memory at its own address, so that a PA is an address to load from and to maintain by;
   barriers are the library's. */
static void maintain(void* context, enum vmsa_cache_op op, uint64_t pa, uint64_t size) {
  (void)context;
  uint64_t const line = (uint64_t)4 << (EL2_READ(ctr_el0) >> 16 & 0xf);
  for (uint64_t p = pa & ~(line - 1); p < pa + size; p += line) switch (op) {
      case VMSA_CLEAN_TO_POC: EL2_DO_WITH("dc cvac", p); break;
      case VMSA_CLEAN_INVALIDATE_TO_POC: EL2_DO_WITH("dc civac", p); break;
      case VMSA_INVALIDATE_INSTRUCTION: EL2_DO_WITH("dc cvau", p); break;
    }
  EL2_DO("dsb ish");
  if (op == VMSA_INVALIDATE_INSTRUCTION) EL2_DO("ic ialluis\n dsb ish");
}

static void invalidate(void* context, struct vmsa_tlbi const* op) {
  (void)context;
  switch ((enum vmsa_tlbi_kind)op->kind) {
    case VMSA_TLBI_IPAS2E1IS: EL2_DO_WITH("tlbi ipas2e1is", op->operand); break;
    case VMSA_TLBI_RIPAS2E1IS: EL2_DO_WITH("sys #4, c8, c0, #2", op->operand); break;
    case VMSA_TLBI_VMALLE1IS: EL2_DO("tlbi vmalle1is"); break;
    case VMSA_TLBI_VMALLS12E1IS: EL2_DO("tlbi vmalls12e1is"); break;
  }
}

/* A field of an ID register. */
static unsigned field(uint64_t reg, unsigned low) { return (unsigned)(reg >> low & 0xf); }

bool el2_begin(struct el2_hypervisor* vm, struct vmsa_region const* regions, size_t count, uint64_t entry) {
  static uint8_t const pa_sizes[] = {32, 36, 40, 42, 44, 48, 52};
  uint64_t const mmfr0 = EL2_READ(id_aa64mmfr0_el1), mmfr2 = EL2_READ(id_aa64mmfr2_el1);
  uint64_t const ctr = EL2_READ(ctr_el0);
  unsigned const pa_range = field(mmfr0, 0);
  uint8_t const pa_bits = pa_range >= 5 ? 48 : pa_sizes[pa_range]; /* without FEAT_LPA2: 48-bit descriptors */
  struct vmsa_controls const controls = {.fwb = field(mmfr2, 40) != 0,
                                         .bbm = (uint8_t)field(mmfr2, 52),
                                         .ttl = field(mmfr2, 48) != 0,
                                         .tlbi_range = field(EL2_READ(id_aa64isar0_el1), 56) == 2,
                                         .dic = ctr >> 29 & 1};
  *vm = (struct el2_hypervisor){.registers = {.pc = entry, .pstate = el1h},
                                .policy = {.linux_major = 6, .linux_minor = 17},
                                .host = {.idc = ctr >> 28 & 1,
                                         .xnx = field(EL2_READ(id_aa64mmfr1_el1), 28) != 0,
                                         .mte = field(EL2_READ(id_aa64pfr1_el1), 8) >= 2},
                                .frames = {.left = donation}};
  vm->host.fwb = controls.fwb; /* for vmsa_decide alone: of a fault the table knows */
  vm->host.dic = controls.dic;
  if (count > EL2_REGIONS) return false;
  for (size_t i = 0; i < count; ++i) vm->regions[i] = regions[i];
  if (vmsa_region_map_init(&vm->map, vm->regions, count, VMSA_GRANULE_4K, NULL) != VMSA_OK) return false;

  struct vmsa_port const port = {.linear = true, .maintain = maintain, .tlbi = invalidate};
  struct vmsa_frames const frames = {.context = &vm->frames, .take = take_frame, .give = give_frame};
  struct vmsa_configuration chosen;
  if (vmsa_configure(ipa_bits, VMSA_GRANULE_4K, pa_bits, false, false, &chosen) != VMSA_OK) return false;
  if (vmsa_table_init(&vm->table, &port, &frames, chosen.vtcr, pa_bits, false, false, &controls, VMSA_EXCLUSIVE) !=
      VMSA_OK)
    return false;

  map_el2();
  EL2_WRITE(vtcr_el2, chosen.vtcr);
  EL2_WRITE(vttbr_el2, (uint64_t)1 << 48 | vmsa_table_root(&vm->table)); /* VMID 1 */
  uint64_t hcr = (uint64_t)1 << 31 | 1;                                  /* RW, VM */
  if (controls.fwb) hcr |= (uint64_t)1 << 46;
  EL2_WRITE(hcr_el2, hcr);
  EL2_WRITE(sctlr_el1, 0x30d00800); /* stage 1 and the caches off */
  EL2_DO("dsb ishst\n tlbi alle1is\n dsb ish\n isb");
  return true;
}

/* An operation came to an end; true when it ran out of frames and there are more to try it again with. */
static bool with_more_frames(struct el2_hypervisor* vm, struct vmsa_outcome const* outcome) {
  vm->counts.breaks += outcome->broke;
  if (outcome->error != VMSA_OUT_OF_FRAMES || frames_in_use(&vm->frames) + donation > EL2_TABLE_FRAMES) return false;
  ++vm->counts.out_of_frames;
  vm->frames.left += donation;
  return true;
}

static bool from_el0(struct el2_hypervisor const* vm) { return (vm->registers.pstate & 0xf) == 0; }

/* Stage 1 as the guest has it now, by the processor itself; PAR_EL1 is the guest's. */
static bool locate(struct el2_hypervisor* vm) {
  struct vmsa_fault* const fault = &vm->fault;
  uint64_t const guest_par = EL2_READ(par_el1);
  if (from_el0(vm))
    EL2_DO_WITH("at s1e0r", fault->va);
  else
    EL2_DO_WITH("at s1e1r", fault->va);
  EL2_DO("isb");
  uint64_t const par = EL2_READ(par_el1);
  EL2_WRITE(par_el1, guest_par);
  if ((par & 1) != 0) return false;
  fault->ipa = (par & 0x0000fffffffff000) | (fault->va & 0xfff);
  fault->ipa_valid = true;
  ++vm->counts.relocated;
  vm->counts.hpfar_right += EL2_READ(hpfar_el2) >> 4 << 12 == (fault->ipa & ~(page - 1));
  return true;
}

enum el2_exit el2_run(struct el2_hypervisor* vm) {
  for (;;) {
    run_guest(&vm->registers);
    uint64_t const esr = EL2_READ(esr_el2);
    if (esr >> 26 == 0x16) return EL2_HYPERCALL;
    if (vmsa_decode_fault(esr, EL2_READ(far_el2), EL2_READ(hpfar_el2), &vm->fault) != VMSA_FAULT_OK)
      return EL2_UNEXPECTED;
    /* Stage 1 changed meanwhile: the guest tries again. QEMU fills HPFAR_EL2 in on every stage 2 fault; where the
       architecture leaves it UNKNOWN, so do we. */
    if (!vm->fault.ipa_valid && !locate(vm)) continue;
    enum el2_exit const exit = el2_handle(vm);
    if (exit != EL2_GOES_ON) return exit;
  }
}

static uint64_t extended(struct vmsa_fault const* fault, uint64_t value) {
  unsigned const bits = 8u * fault->transfer_size;
  if (bits < 64) {
    value &= ((uint64_t)1 << bits) - 1;
    if (fault->transfer_sign_extend && (value >> (bits - 1) & 1) != 0) value |= ~(uint64_t)0 << bits;
  }
  return fault->transfer_64 ? value : value & 0xffffffff;
}

/* A write to read-only memory has no effect; everything else is the device. */
static void emulate(struct el2_hypervisor* vm, bool writable) {
  struct vmsa_fault const* const fault = &vm->fault;
  struct el2_device* const device = &vm->mmio;
  unsigned const offset = fault->ipa & 0xfff;
  uint64_t* const reg = fault->transfer_register < 31 ? &vm->registers.x[fault->transfer_register] : NULL;
  if (fault->access == VMSA_READ) {
    if (reg != NULL) *reg = extended(fault, device->scratch >> 8 * (offset & 7));
  } else if (writable && offset >= 8) {
    if (device->length < sizeof device->text - 1) device->text[device->length++] = (char)(reg != NULL ? *reg : 0);
  } else if (writable) {
    unsigned const bits = 8u * fault->transfer_size;
    uint64_t const mask = (bits < 64 ? ((uint64_t)1 << bits) - 1 : ~(uint64_t)0) << 8 * offset;
    device->scratch = (device->scratch & ~mask) | ((reg != NULL ? *reg : 0) << 8 * offset & mask);
  }
  vm->registers.pc += 4;
}

enum el2_exit el2_handle(struct el2_hypervisor* vm) {
  if (++vm->counts.faults > EL2_MOST_FAULTS) return EL2_UNEXPECTED;
  vm->counts.table_walks += vm->fault.stage1_walk;
  struct vmsa_fault_outcome out;
  enum vmsa_fault_step step;
  do step = vmsa_handle_fault(&vm->table, &vm->map, &vm->policy, &vm->host, &vm->fault, from_el0(vm), &out);
  while (with_more_frames(vm, &out.mapping));
  ++vm->counts.outcomes[out.decision.outcome];
  switch ((enum vmsa_policy_outcome)out.decision.outcome) {
    case VMSA_MAPS: return step == VMSA_FAULT_RESOLVED ? EL2_GOES_ON : EL2_UNEXPECTED;
    case VMSA_MAKE_YOUNG: {
      struct vmsa_cursor cursor = {0};
      enum vmsa_error const made = vmsa_relax(&vm->table, &cursor, vm->fault.ipa, VMSA_NO_ACCESS, false, NULL);
      return made == VMSA_OK ? EL2_GOES_ON : EL2_UNEXPECTED;
    }
    case VMSA_MMIO_EXIT: emulate(vm, out.region == NULL); return EL2_GOES_ON;
    case VMSA_SKIP_INSTRUCTION: vm->registers.pc += 4; return EL2_GOES_ON;
    case VMSA_GUEST_EXCEPTION: el2_inject(vm, out.decision.esr_el1); return EL2_GOES_ON;
    default: return EL2_REFUSED;
  }
}

void el2_inject(struct el2_hypervisor* vm, uint64_t esr_el1) {
  EL2_WRITE(esr_el1, esr_el1);
  EL2_WRITE(far_el1, EL2_READ(far_el2));
  EL2_WRITE(elr_el1, vm->registers.pc);
  EL2_WRITE(spsr_el1, vm->registers.pstate);
  vm->registers.pc = EL2_READ(vbar_el1) + (from_el0(vm) ? 0x400 : 0x200);
  vm->registers.pstate = el1h;
}

void el2_inject_external_abort(struct el2_hypervisor* vm) {
  uint64_t const lower_el = vm->fault.access == VMSA_FETCH ? 0x20 : 0x24; /* EC */
  el2_inject(vm, (lower_el + !from_el0(vm)) << 26 | 1u << 25 | 0x10);
}

static struct vmsa_region* region_of(struct el2_hypervisor* vm, uint64_t ipa) {
  for (size_t i = 0; i < EL2_REGIONS; ++i)
    if (ipa - vm->regions[i].ipa < vm->regions[i].size) return &vm->regions[i];
  return NULL;
}

bool el2_log_writes(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size) {
  struct vmsa_region* const region = region_of(vm, ipa);
  if (region != NULL) region->log_dirty = true;
  struct vmsa_outcome out;
  do vmsa_start_dirty_log(&vm->table, ipa, size, &out);
  while (with_more_frames(vm, &out));
  return out.error == VMSA_OK;
}

static void add_bytes(void* context, uint64_t ipa, uint64_t size) {
  (void)ipa;
  *(uint64_t*)context += size;
}

uint64_t el2_collect_written(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size) {
  uint64_t bytes = 0;
  return vmsa_collect_dirty(&vm->table, ipa, size, add_bytes, &bytes, NULL) == VMSA_OK ? bytes : 0;
}

uint64_t el2_collect_used(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size) {
  uint64_t bytes = 0;
  return vmsa_age(&vm->table, ipa, size, &bytes, NULL) == VMSA_OK ? bytes : 0;
}

bool el2_split(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size) {
  struct vmsa_outcome out;
  do vmsa_split(&vm->table, ipa, size, 3, &out);
  while (with_more_frames(vm, &out));
  return out.error == VMSA_OK;
}

bool el2_collapse(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size) {
  struct vmsa_outcome out;
  do vmsa_collapse(&vm->table, ipa, size, &out);
  while (with_more_frames(vm, &out));
  return out.error == VMSA_OK;
}

bool el2_retype(struct el2_hypervisor* vm, uint64_t ipa, uint64_t size, char const* backing) {
  struct vmsa_region* const region = region_of(vm, ipa);
  if (region == NULL || !vmsa_backing_by_name(backing, &region->backing)) return false;
  struct vmsa_decision now;
  if (vmsa_decide(&vm->policy, &vm->host, region->backing, VMSA_READ, &now) != VMSA_OK || now.outcome != VMSA_MAPS)
    return false;
  struct vmsa_outcome out;
  do vmsa_change_memory(&vm->table, ipa, size, now.memory, now.shareability, &out);
  while (with_more_frames(vm, &out));
  return out.error == VMSA_OK;
}

bool el2_move(struct el2_hypervisor* vm, uint64_t ipa, uint64_t pa) {
  struct vmsa_leaf const leaf = {
      .memory = VMSA_NORMAL_WB, .access = VMSA_READ_WRITE, .shareability = VMSA_INNER_SHAREABLE};
  struct vmsa_prepared_leaf prepared;
  struct vmsa_cursor cursor = {0};
  struct vmsa_outcome out = {0};
  bool const moved = vmsa_prepare(&vm->table, &leaf, 3, &prepared) == VMSA_OK &&
                     vmsa_map(&vm->table, &cursor, ipa, pa, &prepared, VMSA_REPLACE, &out) == VMSA_OK;
  vm->counts.breaks += out.broke;
  return moved;
}
