// SPDX-License-Identifier: MIT
#include "hostile_prelude.hpp"

#ifdef AMALGAMATED
#include AMALGAMATED
#else
#include "core_headers.hpp"
#include "vmsa/c/machine.h"
#include "vmsa/c/vmsa.h"
#endif

// And a user's own names stay what they are.
static_assert(sizeof(u64) == 8 && sizeof(vmsa::u64) == 8);
static_assert(vmsa::pa{0x1234}.floor_to(PAGE_SIZE) == vmsa::pa{0x1000});
