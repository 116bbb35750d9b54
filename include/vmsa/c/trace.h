/* SPDX-License-Identifier: MIT */
/* Writes `vmsa-trace 1`, the text that `vmsa check` judges, from a hypervisor in C: a line an event, and no buffer.
 * Define VMSA_TRACE(...) as a printf-like call of yours before this header. Call each function at the event, on the
 * PE that does it: vmsa_trace_begin once, the store at the macro that writes table entries, tlbi and dsb where those
 * instructions are, done where map, unmap or protect returns. */
#ifndef VMSA_C_TRACE_H
#define VMSA_C_TRACE_H

#ifndef VMSA_TRACE
#error "define VMSA_TRACE(...) first, as a call like printf"
#endif

typedef unsigned long long vmsa_trace_u64;

/* `machine`: the words after `machine`, such as "granule=4k ipa=40 pes=4 bbm=1". */
static inline void vmsa_trace_begin(char const* machine) { VMSA_TRACE("vmsa-trace 1\nmachine %s\n", machine); }

/* A stage 2 tree that is in use from the start. With writes of VTTBR_EL2 in the trace it is in use where it is loaded.
 */
static inline void vmsa_trace_table(vmsa_trace_u64 root, unsigned vmid) {
  VMSA_TRACE("table s2 root=0x%llx vmid=%u\n", root, vmid);
}

/* A store of a descriptor. `order`: "" for a plain store, "rel" for a store-release, "cas", "swp". */
static inline void vmsa_trace_write(unsigned pe, vmsa_trace_u64 address, vmsa_trace_u64 value, char const* order) {
  VMSA_TRACE("%u w 0x%llx 0x%llx %s\n", pe, address, value, order);
}
static inline void vmsa_trace_zero(unsigned pe, vmsa_trace_u64 address, vmsa_trace_u64 size) {
  VMSA_TRACE("%u zero 0x%llx 0x%llx\n", pe, address, size);
}

/* `kind`: "ish", "ishst", "nsh", "sy" ... */
static inline void vmsa_trace_dsb(unsigned pe, char const* kind) { VMSA_TRACE("%u dsb %s\n", pe, kind); }
static inline void vmsa_trace_isb(unsigned pe) { VMSA_TRACE("%u isb\n", pe); }
static inline void vmsa_trace_enter_guest(unsigned pe) { VMSA_TRACE("%u eret\n", pe); }
static inline void vmsa_trace_leave_guest(unsigned pe) { VMSA_TRACE("%u exc\n", pe); }

/* `op` in lower case without TLBI; `xt` is the register as the program computed it, which is where the mistakes are. */
static inline void vmsa_trace_tlbi(unsigned pe, char const* op) { VMSA_TRACE("%u tlbi %s\n", pe, op); }
static inline void vmsa_trace_tlbi_address(unsigned pe, char const* op, vmsa_trace_u64 xt) {
  VMSA_TRACE("%u tlbi %s 0x%llx\n", pe, op, xt);
}

/* `name` in lower case: vttbr_el2, hcr_el2, vtcr_el2 ... */
static inline void vmsa_trace_msr(unsigned pe, char const* name, vmsa_trace_u64 value) {
  VMSA_TRACE("%u msr %s 0x%llx\n", pe, name, value);
}

/* A table page goes back to the allocator. */
static inline void vmsa_trace_free(unsigned pe, vmsa_trace_u64 address, vmsa_trace_u64 size) {
  VMSA_TRACE("%u free 0x%llx 0x%llx table\n", pe, address, size);
}

/* The operation has returned. */
static inline void vmsa_trace_done(unsigned pe) { VMSA_TRACE("%u done\n", pe); }

#endif
