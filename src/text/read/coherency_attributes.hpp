// SPDX-License-Identifier: MIT
#pragma once
#include "text/read/toml_reader.hpp"
#include "vmsa/sim/coherency/scenario.hpp"

namespace vmsa::text {

// Sets the attributes of an [[alias]], in one of three ways: as they are; by both stages; by stage 1 and what a policy
// makes of a backing. Where stage 2 is known, so is what may make the alias write-back.
void read_alias_attributes(toml_table const& t, coherency::agent_alias& alias);

}  // namespace vmsa::text
