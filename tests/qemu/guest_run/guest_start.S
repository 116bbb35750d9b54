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

  .balign 2048
vectors:
  .rept 4
  .balign 128
  b .
  .endr
  .balign 128
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

  .section .bss, "aw", @nobits
  .balign 16
  .skip 16384
stack_top:
