// SPDX-License-Identifier: MIT
#include "text/read/coherency_attributes.hpp"

#include <fmt/format.h>

#include <vector>

#include "vmsa/arch/combine.hpp"
#include "vmsa/policy/backing.hpp"
#include "vmsa/text/read/policy_file.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

memory_attributes typed(summary type, shareability sh) {
  switch (type) {
    case summary::normal_wb: return normal_memory(write_back_rw, write_back_rw, sh, false);
    case summary::normal_wt: return normal_memory(write_through_ra, write_through_ra, sh);
    case summary::normal_nc: return normal_memory(non_cacheable, non_cacheable, sh);
    default: return device_memory(static_cast<device_kind>(type));
  }
}
static_assert(static_cast<unsigned>(stage2_memory::normal_nc) == static_cast<unsigned>(summary::normal_nc) &&
              static_cast<unsigned>(stage2_memory::normal_wb) == static_cast<unsigned>(summary::normal_wb));

std::optional<summary> memory_type(toml_table const& t, std::string_view key) {
  auto const text = t.string(key);
  if (!text) return std::nullopt;
  auto const type = parse_summary(*text);
  if (!type)
    t.refuse(key, fmt::format("\"{}\"", *text),
             "Normal-WB Normal-WT Normal-NC Device-nGnRnE Device-nGnRE Device-nGRE Device-GRE");
  return type;
}

// Stage 2's leaf, whether FWB is in force for it, which not every policy leaves to the host, and the leaf of the same
// memory under FWB.
struct stage2_leaves {
  stage2_attributes now{};
  bool fwb = false;
  std::optional<stage2_attributes> under_fwb{};
};

stage2_leaves decided(toml_table const& t, bool fwb) {
  named_policy const policy = find_policy(t.need_string("policy", "a policy's name, such as \"linux-6.17\" or \"xen\""),
                                          t.file(), t.line("policy"));
  std::vector<std::string_view> names;
  for (unsigned i = 0; i + 1 < backing_count; ++i) names.push_back(vmsa::name(static_cast<backing>(i)));
  auto const index = t.choice("backing", names);
  if (!index) t.refuse("", "policy without backing", "backing = \"...\"");
  backing const behind = static_cast<backing>(*index);
  policy_host host;
  host.cpu.s2fwb = fwb;
  host.cpu.dic = t.flag("dic").value_or(fwb);
  decision const d = policy.decide_for(host, inputs_of(behind), behind, fault_access{});
  if (!d.maps())
    t.refuse("backing",
             fmt::format("{} maps no {} here: {}", policy.name(), vmsa::name(behind), d.row ? d.row->why : ""),
             "a backing that the policy maps; or stage2 = \"...\", the memory type of the mapping");
  host.cpu.s2fwb = true;
  host.cpu.dic = t.flag("dic").value_or(true);
  decision const forced = policy.decide_for(host, inputs_of(behind), behind, fault_access{});
  stage2_leaves out{{.memattr = d.memattr, .sh = d.sh}, d.fwb, {}};
  if (forced.maps() && forced.fwb) out.under_fwb = stage2_attributes{.memattr = forced.memattr, .sh = forced.sh};
  return out;
}

stage2_leaves written(toml_table const& t, shareability sh, bool fwb) {
  auto const type = memory_type(t, "stage2");
  if (!type) t.refuse("", "stage1 without stage 2", "stage2, or policy and backing");
  auto const memattr = encode_memattr(static_cast<stage2_memory>(*type), fwb);
  if (!memattr) t.refuse("stage2", "has no encoding with FWB", "another memory type");
  stage2_leaves out{{.memattr = *memattr, .sh = sh}, fwb, {}};
  if (auto const forced = encode_memattr(static_cast<stage2_memory>(*type), true))
    out.under_fwb = stage2_attributes{.memattr = *forced, .sh = sh};
  return out;
}

}  // namespace

void read_alias_attributes(toml_table const& t, coherency::agent_alias& alias) {
  shareability const sh = t.sh("sh").value_or(shareability::inner);
  if (auto const type = memory_type(t, "attributes")) {
    for (std::string_view other : {"stage1", "stage2", "policy", "backing"})
      if (t.has(other)) t.refuse(other, "beside attributes", "one or the other");
    alias.attributes = with_effective_shareability(typed(*type, sh));
    return;
  }
  auto const type = memory_type(t, "stage1");
  if (!type) t.refuse("", "no attributes", "attributes; or stage1 with stage2; or stage1 with policy and backing");
  memory_attributes stage1 = typed(*type, sh);
  stage1.sh = sh;  // as written: whether stage 1 forces Outer Shareable by itself is IMPLEMENTATION DEFINED
  bool const fwb = t.flag("fwb").value_or(false);
  bool const by_policy = t.has("policy") || t.has("backing");
  if (by_policy && t.has("stage2")) t.refuse("stage2", "beside policy and backing", "one or the other");
  stage2_leaves const leaves = by_policy ? decided(t, fwb) : written(t, sh, fwb);
  controls const now{.fwb = leaves.fwb};
  alias.attributes = combine(stage1, leaves.now, now);
  alias.caches_by_stage1 = is_write_back(combine(typed(summary::normal_wb, sh), leaves.now, now));
  alias.caches_by_fwb =
      !leaves.fwb && leaves.under_fwb && is_write_back(combine(stage1, *leaves.under_fwb, {.fwb = true}));
}

}  // namespace vmsa::text
