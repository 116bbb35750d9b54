// SPDX-License-Identifier: MIT
// The guest's start, and its exception vectors: an abort is recorded and stepped over.

  .section .text.start, "ax"
  .global _start
_start:
  adrp x0, stack_top
  add x0, x0, :lo12:stack_top
  mov sp, x0
  adrp x0, vectors
  add x0, x0, :lo12:vectors
  msr vbar_el1, x0
  isb
  bl guest_main
1:
  b 1b

// u64 run_at_el0(u64 code, u64 x0): calls `code` at EL0, until it executes SVC or takes an abort; its x0 is the value.
  .global run_at_el0
run_at_el0:
  sub sp, sp, #96
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  msr elr_el1, x0
  msr spsr_el1, xzr
  mov x0, x1
  eret

from_el0:
  mrs x1, esr_el1
  adrp x2, last_abort
  str x1, [x2, :lo12:last_abort]
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  add sp, sp, #96
  ret

from_el1:
  stp x0, x1, [sp, #-16]!
  mrs x0, esr_el1
  adrp x1, last_abort
  str x0, [x1, :lo12:last_abort]
  lsr x0, x0, #26
  cmp x0, #0x21
  mrs x1, elr_el1
  add x1, x1, #4
  csel x1, x30, x1, eq  // a call that could not be fetched returns
  msr elr_el1, x1
  ldp x0, x1, [sp], #16
  eret

  .macro vector to
  .balign 128
  b \to
  .endm

  .balign 2048
vectors:
  .rept 4
  vector .
  .endr
  vector from_el1
  .rept 3
  vector .
  .endr
  vector from_el0

  .section .bss, "aw", @nobits
  .balign 16
  .skip 16384
stack_top:
