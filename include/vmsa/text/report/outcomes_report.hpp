// SPDX-License-Identifier: MIT
// The answer of `vmsa decide --outcome`, told to a person or a program.
#pragma once
#include <string>

#include "vmsa/text/ask/outcomes.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

document tell(outcome_answer const& answer);
std::string to_json(outcome_answer const& answer);

}  // namespace vmsa::text
