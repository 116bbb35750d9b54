// SPDX-License-Identifier: MIT
// What was found in a text, told.
#pragma once
#include <string>

#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// The context first, then each item in order: where it stands, what it says, what that means, what to run next. With
/// no item: what is looked for.
document tell(scan_answer const& answer);

/// The same as one object: `context`, and `items` of `form`, `line`, `count`, `first`, `last`, `values`, `summary`,
/// `meaning` and `next`. What the text does not say is null.
std::string to_json(scan_answer const& answer);

}  // namespace vmsa::text
