/* SPDX-License-Identifier: MIT */
#ifndef VMSA_C_VMSA_H
#define VMSA_C_VMSA_H

/*
 * The freestanding core of vmsa for C, and through C for Rust: link vmsa::c, a static library that allocates nothing,
 * calls nothing but memcpy, memmove, memset and memcmp, and keeps no state of its own. All memory is the caller's;
 * every structure whose fields are called `opaque` is storage of known size that its init function fills.
 *
 * No call is from an interrupt handler unless the port's functions are; none blocks.
 */
#include "vmsa/c/fault.h"
#include "vmsa/c/port.h"
#include "vmsa/c/table.h"
#include "vmsa/c/translate.h"
#include "vmsa/c/types.h"

#endif
