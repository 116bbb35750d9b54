// SPDX-License-Identifier: MIT
// Regions that overlap make no region map: a constant one does not compile.
#include "vmsa/policy/region.hpp"

using namespace vmsa;

#ifdef VMSA_CONTROL
constexpr u64 second = 0x2000;
#else
constexpr u64 second = 0x1000;
#endif
constexpr region ranges[] = {
    make_region({0}, 0x2000, {0x8000}, backing::ram),
    make_region({second}, 0x1000, {0xa000}, backing::device),
};
constexpr region_map memory = *region_map::over(ranges, granule::k4);
static_assert(memory.find({0}) != nullptr);
