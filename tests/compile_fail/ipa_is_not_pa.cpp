// SPDX-License-Identifier: MIT
// An intermediate physical address is not a physical one.
#include "vmsa/arch/address.hpp"

#ifdef VMSA_CONTROL
vmsa::pa convert(vmsa::pa address) { return address; }
#else
vmsa::pa convert(vmsa::ipa address) { return address; }
#endif
