// SPDX-License-Identifier: MIT
// Start-up, exception vectors and the switch between EL2 and the guest's EL1.

  .section .text.start, "ax"
  .global _start
_start:
  adrp x0, stack_top
  add x0, x0, :lo12:stack_top
  mov sp, x0
  adrp x0, vectors
  add x0, x0, :lo12:vectors
  msr vbar_el2, x0
  isb
  bl main
  bl exit_program  // main's value is the exit status

// void run_guest(guest_context&): enters the guest, and returns at its next exception to EL2.
// The context is x0..x30, then the program counter and PSTATE.
  .global run_guest
run_guest:
  stp x19, x20, [sp, #-96]!
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  msr tpidr_el2, x0
  ldp x1, x2, [x0, #248]
  msr elr_el2, x1
  msr spsr_el2, x2
  ldp x2, x3, [x0, #16]
  ldp x4, x5, [x0, #32]
  ldp x6, x7, [x0, #48]
  ldp x8, x9, [x0, #64]
  ldp x10, x11, [x0, #80]
  ldp x12, x13, [x0, #96]
  ldp x14, x15, [x0, #112]
  ldp x16, x17, [x0, #128]
  ldp x18, x19, [x0, #144]
  ldp x20, x21, [x0, #160]
  ldp x22, x23, [x0, #176]
  ldp x24, x25, [x0, #192]
  ldp x26, x27, [x0, #208]
  ldp x28, x29, [x0, #224]
  ldr x30, [x0, #240]
  ldp x0, x1, [x0]
  eret

leave_guest:
  str x0, [sp, #-16]!
  mrs x0, tpidr_el2
  stp x2, x3, [x0, #16]
  stp x4, x5, [x0, #32]
  stp x6, x7, [x0, #48]
  stp x8, x9, [x0, #64]
  stp x10, x11, [x0, #80]
  stp x12, x13, [x0, #96]
  stp x14, x15, [x0, #112]
  stp x16, x17, [x0, #128]
  stp x18, x19, [x0, #144]
  stp x20, x21, [x0, #160]
  stp x22, x23, [x0, #176]
  stp x24, x25, [x0, #192]
  stp x26, x27, [x0, #208]
  stp x28, x29, [x0, #224]
  str x30, [x0, #240]
  ldr x2, [sp], #16
  stp x2, x1, [x0]
  mrs x1, elr_el2
  mrs x2, spsr_el2
  stp x1, x2, [x0, #248]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp x19, x20, [sp], #96
  ret

// Each vector has room for 32 instructions. Only a synchronous exception of the guest is expected.
  .macro vector to
  .balign 128
  b \to
  .endm

  .balign 2048
vectors:
  .rept 8
  vector unexpected_exception
  .endr
  vector leave_guest
  .rept 7
  vector unexpected_exception
  .endr

  .section .bss, "aw", @nobits
  .balign 16
  .skip 65536
stack_top:
