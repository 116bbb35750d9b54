// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "vmsa/text/ask/combine.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// How two stages combine, step by step.
document tell(combine_question const& question, combine_answer const& answer);
std::string to_json(combine_question const& question, combine_answer const& answer);

/// The grid of all pairs.
document tell(std::vector<combine_row> const& rows, bool fwb);
std::string to_json(std::vector<combine_row> const& rows, bool fwb);

}  // namespace vmsa::text
