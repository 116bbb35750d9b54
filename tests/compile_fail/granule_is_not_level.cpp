// SPDX-License-Identifier: MIT
// A granule and a level do not change places.
#include "vmsa/arch/granule.hpp"

#ifdef VMSA_CONTROL
unsigned shift() { return level_shift(vmsa::granule::k4, vmsa::level::l2); }
#else
unsigned shift() { return level_shift(vmsa::level::l2, vmsa::granule::k4); }
#endif
