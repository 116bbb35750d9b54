/* SPDX-License-Identifier: MIT */
#include "hostile_prelude.hpp"

#include "vmsa/c/machine.h"
#include "vmsa/c/vmsa.h"

#define VMSA_TRACE(...) print(__VA_ARGS__)
void print(char const *format, ...);
#include "vmsa/c/trace.h"

/* And a user's own names stay what they are. */
_Static_assert(sizeof(u64) == 8 && sizeof(phys_addr_t) == 8, "");
