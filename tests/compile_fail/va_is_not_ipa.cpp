// SPDX-License-Identifier: MIT
// Addresses of two spaces do not compare.
#include "vmsa/arch/address.hpp"

#ifdef VMSA_CONTROL
bool same(vmsa::ipa a, vmsa::ipa b) { return a == b; }
#else
bool same(vmsa::ipa a, vmsa::va b) { return a == b; }
#endif
