// SPDX-License-Identifier: MIT
// Memory attributes as a JSON object, the same in every report. `inner` and `outer` stand only for Normal memory.
#pragma once
#include <nlohmann/json.hpp>

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/text/names.hpp"

namespace vmsa::text {

inline nlohmann::ordered_json to_json(memory_attributes const& a) {
  nlohmann::ordered_json out = {{"memory_type", json_name(summarize(a))}};
  if (is_normal(a)) {
    out["inner"] = name(a.inner);
    out["outer"] = name(a.outer);
  }
  out["sh"] = name(a.sh);
  out["xs"] = a.xs;
  out["tagged"] = a.tagged;
  out["no_tag_access"] = a.no_tag_access;
  return out;
}

}  // namespace vmsa::text
