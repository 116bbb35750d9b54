/* SPDX-License-Identifier: MIT */
/* The instructions that C has no name for. */
#ifndef EL2_SYSTEM_H
#define EL2_SYSTEM_H

#include <stdint.h>

#define EL2_READ(name)                                              \
  __extension__({                                                   \
    uint64_t value_;                                                \
    __asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory"); \
    value_;                                                         \
  })
#define EL2_WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")
#define EL2_DO(instructions) __asm__ volatile(instructions : : : "memory")
#define EL2_DO_WITH(instruction, value) __asm__ volatile(instruction ", %0" : : "r"((uint64_t)(value)) : "memory")

#endif
