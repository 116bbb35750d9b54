// SPDX-License-Identifier: MIT
// The answer of `vmsa fault`, told to a person or a program.
#pragma once
#include <string>

#include "vmsa/text/ask/fault.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

document tell(fault_report const& report);
std::string to_json(fault_report const& report);

}  // namespace vmsa::text
