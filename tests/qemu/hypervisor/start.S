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

// Loads or stores x2..x30 of the context at x0, and what a C++ function expects to find unchanged, on the stack.
  .macro guest_registers pair, one
  \pair x2, x3, [x0, #16]
  \pair x4, x5, [x0, #32]
  \pair x6, x7, [x0, #48]
  \pair x8, x9, [x0, #64]
  \pair x10, x11, [x0, #80]
  \pair x12, x13, [x0, #96]
  \pair x14, x15, [x0, #112]
  \pair x16, x17, [x0, #128]
  \pair x18, x19, [x0, #144]
  \pair x20, x21, [x0, #160]
  \pair x22, x23, [x0, #176]
  \pair x24, x25, [x0, #192]
  \pair x26, x27, [x0, #208]
  \pair x28, x29, [x0, #224]
  \one x30, [x0, #240]
  .endm
  .macro saved_registers pair
  \pair x19, x20, [sp]
  \pair x21, x22, [sp, #16]
  \pair x23, x24, [sp, #32]
  \pair x25, x26, [sp, #48]
  \pair x27, x28, [sp, #64]
  \pair x29, x30, [sp, #80]
  .endm

// void run_guest(guest_registers&): enters the guest, and returns at its next exception to EL2.
// The context is x0..x30, then the program counter and PSTATE.
  .global run_guest
run_guest:
  sub sp, sp, #96
  saved_registers stp
  msr tpidr_el2, x0
  ldp x1, x2, [x0, #248]
  msr elr_el2, x1
  msr spsr_el2, x2
  guest_registers ldp, ldr
  ldp x0, x1, [x0]
  eret

leave_guest:
  str x0, [sp, #-16]!
  mrs x0, tpidr_el2
  guest_registers stp, str
  ldr x2, [sp], #16
  stp x2, x1, [x0]
  mrs x1, elr_el2
  mrs x2, spsr_el2
  stp x1, x2, [x0, #248]
  saved_registers ldp
  add sp, sp, #96
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
