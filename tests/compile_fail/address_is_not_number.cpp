// SPDX-License-Identifier: MIT
// An address becomes a number only by asking for its value.
#include "vmsa/arch/address.hpp"

#ifdef VMSA_CONTROL
vmsa::u64 raw(vmsa::pa address) { return address.value; }
#else
vmsa::u64 raw(vmsa::pa address) { return address; }
#endif
