// SPDX-License-Identifier: MIT
#pragma once
#include "text/read/toml_reader.hpp"
#include "vmsa/policy/smmu.hpp"

namespace vmsa::text {

/// How a device's accesses meet the caches.
struct device_way {
  bool snoops = true;
  bool canwbs = false;
};

/// A device and its way to memory as `vmsa decide --dma` has them: coherent s2fwb canwbs no_snoop stage1 user mapping
/// guest.
dma_path read_dma_path(toml_table const& table);

/// Of a [[device]]'s `smmu = {...}`: what an SMMU makes of its accesses, from a stream scenario with its tables, or
/// from what Linux programs in a release. Throws input_error where no access of the device gets through.
device_way device_through_smmu(toml_table const& smmu);

}  // namespace vmsa::text
