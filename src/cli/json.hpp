// SPDX-License-Identifier: MIT
// Shared values as JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/names.hpp"

namespace vmsa::cli {

using json = nlohmann::ordered_json;

// `inner` and `outer` stand only where they mean something: for Normal memory.
inline json attributes_json(memory_attributes const& a) {
  json out{{"type", text::json_name(summarize(a))}};
  if (is_normal(a)) {
    out["inner"] = text::name(a.inner);
    out["outer"] = text::name(a.outer);
  }
  out["shareability"] = text::json_name(a.sh);
  out["xs"] = a.xs;
  out["tagged"] = a.tagged;
  out["no_tag_access"] = a.no_tag_access;
  return out;
}

}  // namespace vmsa::cli
