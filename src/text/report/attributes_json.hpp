// SPDX-License-Identifier: MIT
// Memory attributes as a JSON object, the same in every report. `inner` and `outer` are null for Device memory.
#pragma once

#include "text/report/json.hpp"
#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {

inline json_value to_json(memory_attributes const& a) {
  json_value out = {{"memory_type", json_name(summarize(a))}};
  bool const normal = is_normal(a);
  out["inner"] = normal ? json_value(name(a.inner)) : nullptr;
  out["outer"] = normal ? json_value(name(a.outer)) : nullptr;
  out["sh"] = name(a.sh);
  out["xs"] = a.xs;
  out["tagged"] = a.tagged;
  out["no_tag_access"] = a.no_tag_access;
  return out;
}

}  // namespace vmsa::text
