// SPDX-License-Identifier: MIT
// Everything that SMMUv3 lays out in registers and memory, by one name.
#pragma once
#include "vmsa/arch/smmu_event.hpp"
#include "vmsa/arch/smmu_registers.hpp"
#include "vmsa/arch/smmu_structures.hpp"
