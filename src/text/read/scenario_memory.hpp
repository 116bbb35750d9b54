// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "text/read/toml_reader.hpp"
#include "vmsa/sim/sparse_memory.hpp"

namespace vmsa::text {

/// One [[memory]] of a scenario: words at an address, or a file beside the scenario. Throws input_error.
void read_scenario_memory(toml_table const& table, std::string const& scenario, sim::sparse_memory& memory);

}  // namespace vmsa::text
