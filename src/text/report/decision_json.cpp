// SPDX-License-Identifier: MIT
#include "text/report/decision_json.hpp"

#include "vmsa/policy/rule.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {

json_value decision_json(decision const& d, level at, descriptor_format const& format) {
  json_value out = {{"outcome", name(d.outcome)}};
  // What an outcome does not have is null, so that every key is always there.
  for (char const* key : {"memory_type", "memattr", "sh", "s2ap", "xn", "descriptor", "errno", "esr_el1"})
    out[key] = nullptr;
  out["capability_243"] = d.capability_243;
  for (char const* key : {"cache_maintenance", "rule", "why", "cause", "level"}) out[key] = nullptr;
  if (d.maps()) {
    stage2_leaf const leaf = leaf_of(d);
    out["memory_type"] = json_name(d.memory);
    out["memattr"] = hex(u64{d.memattr});
    if (d.sh_in_leaf) out["sh"] = name(d.sh);
    out["s2ap"] = name(leaf.access);
    out["xn"] = !d.executable;
    encoded_descriptor const encoded = encode_leaf(pa{0}, at, leaf, format);
    if (encoded) out["descriptor"] = hex(encoded.value.raw);
    out["level"] = number(at);
    out["cache_maintenance"] = describe(d.duties);
  }
  if (d.error != policy_errno::none) out["errno"] = name(d.error);
  if (d.cause != policy_cause::none) out["cause"] = name(d.cause);
  if (d.esr_el1 != 0) out["esr_el1"] = hex(d.esr_el1);
  if (d.row != nullptr) {
    out["rule"] = d.row->id;
    out["why"] = d.row->why;
  }
  return out;
}

}  // namespace vmsa::text
