// SPDX-License-Identifier: MIT
#pragma once
#include "text/read/toml_reader.hpp"
#include "vmsa/arch/memory_attributes.hpp"

namespace vmsa::text {

// Of an [[alias]], in one of three ways: as they are; by both stages; by stage 1 and what a policy makes of a backing.
memory_attributes alias_attributes(toml_table const& t);

}  // namespace vmsa::text
