// SPDX-License-Identifier: MIT
// Preconditions that debug builds look at.
#pragma once

/// Stops the program when a caller broke a precondition that is written at the function. On in hosted builds without
/// NDEBUG; off in release builds and with -ffreestanding, where the condition is not evaluated. Define it before the
/// first include to handle it another way. It needs no library: the core has none.
#ifndef VMSA_ASSERT
#if __STDC_HOSTED__ && !defined(NDEBUG)
#define VMSA_ASSERT(condition) ((condition) ? static_cast<void>(0) : __builtin_trap())
#else
#define VMSA_ASSERT(condition) static_cast<void>(0)
#endif
#endif
