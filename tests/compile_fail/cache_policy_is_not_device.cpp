// SPDX-License-Identifier: MIT
// A device kind is no cacheability, though both have two bits.
#include "vmsa/arch/memory_attributes.hpp"

#ifdef VMSA_CONTROL
vmsa::cacheability c() { return {vmsa::cache_policy::write_back}; }
#else
vmsa::cacheability c() { return {vmsa::device_kind::GRE}; }
#endif
