// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// What values mean, one after the other: the summary, a row for each bit range with its parts below it, then what
/// follows from it.
document tell(std::vector<explanation> const& all);
/// One object for one explanation, an array of them for any other number.
std::string to_json(std::vector<explanation> const& all);

}  // namespace vmsa::text
