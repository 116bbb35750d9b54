// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "vmsa/text/read/host_memory.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// The answer of `vmsa classify` of a host: its ranges, what they leave open, and which backings fit each page.
document tell(host_memory const& memory);
std::string to_json(host_memory const& memory);

/// The answer of `vmsa classify --mtree`: a guest's ranges and what backs them.
document tell(std::vector<guest_range> const& ranges);
std::string to_json(std::vector<guest_range> const& ranges);

}  // namespace vmsa::text
