// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/mmu/translate_stream.hpp"
#include "vmsa/mmu/translation_request.hpp"
#include "vmsa/sim/sparse_memory.hpp"

namespace vmsa::text {

/// One access of a device, or its request for a translation.
struct stream_question {
  std::string name;
  u32 stream = 0;
  std::optional<u32> substream{};
  u64 iova = 0;
  stream_access access{};
  std::optional<translation_request> request{};  ///< PCIe ATS asks instead of making the access.
};

/// What `vmsa translate --smmu` reads: an SMMU, its memory, and accesses.
struct stream_scenario {
  std::string file;
  std::string title;
  smmu unit = full_smmu;
  std::optional<smmu_ste> ste{};  ///< Given instead of a stream table in memory.
  std::optional<smmu_cd> cd{};    ///< Given instead of the one that the STE points to.
  sim::sparse_memory memory;      ///< What is not described reads as 0.
  std::vector<stream_question> questions;
};

/// Grammar in src/README.md. A `file` in a [[memory]] is found beside the scenario. Throws input_error.
stream_scenario parse_stream_scenario(std::string_view text, std::string file);

/// The scenario that `vmsa translate --smmu-example` prints; it parses.
std::string_view example_stream_scenario() noexcept;

}  // namespace vmsa::text
