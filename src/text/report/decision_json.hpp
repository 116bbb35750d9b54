// SPDX-License-Identifier: MIT
// A decision as a JSON object: the keys of `vmsa decide --json`, which `vmsa fault --json` repeats for each access.
#pragma once

#include "text/report/json.hpp"
#include "vmsa/policy/decision.hpp"

namespace vmsa::text {

// `descriptor` is the leaf with output address 0 at level `at`, encoded in `format`.
json_value decision_json(decision const& d, level at, descriptor_format const& format);

}  // namespace vmsa::text
