// SPDX-License-Identifier: MIT
// A field is written with its high bit first.
#include "vmsa/arch/bits.hpp"

#ifdef VMSA_CONTROL
vmsa::u64 mask() { return vmsa::field<9, 8>::mask; }
#else
vmsa::u64 mask() { return vmsa::field<8, 9>::mask; }
#endif
