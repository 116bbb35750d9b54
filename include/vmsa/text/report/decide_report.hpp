// SPDX-License-Identifier: MIT
// The answer of `vmsa decide`, told to a person or a program.
#pragma once
#include <string>

#include "vmsa/text/ask/decide.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

document tell(decide_answer const& answer);
std::string to_json(decide_answer const& answer);

// The layout of its descriptors, and the descriptor of a decision that maps, with output address 0.
descriptor_format format_of(decision const& d);
descriptor shown_descriptor(decision const& d, level leaf);

// A decision in at most 14 characters, for tables: `Normal-WB x`, `Device-nGnRE r`, `memslot EINVAL`.
std::string short_form(decision const& d);

}  // namespace vmsa::text
