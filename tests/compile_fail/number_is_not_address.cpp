// SPDX-License-Identifier: MIT
// A number becomes an address only by saying which.
#include "vmsa/arch/address.hpp"

#ifdef VMSA_CONTROL
vmsa::ipa make() { return vmsa::ipa{0x1000}; }
#else
vmsa::ipa make() { return vmsa::u64{0x1000}; }
#endif
