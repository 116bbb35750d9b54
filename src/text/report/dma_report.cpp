// SPDX-License-Identifier: MIT
#include "text/report/dma_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/report/attributes_json.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

constexpr char no_snoop_rule[] = "after everything else, S2FWB included: Normal becomes Normal-NC";

std::string yes_no(dma_capability const& c) { return fmt::format("{} ({})", c.yes ? "yes" : "no", c.why); }

}  // namespace

chain_reasons chain_reasons_of(dma_path const& p, dma_answer const& a) {
  chain_reasons r;
  r.incoming = "the root complex's own: PCIe carries no memory type";
  r.overridden = "Linux sets SHCFG to incoming and overrides nothing";
  if (a.stage1)
    r.stage1 = fmt::format("MAIR index {} ({}), SH {}: it replaces what came in", a.stage1->attr_index,
                           hex(mair_el1{{linux_smmu_mair}}.attr(a.stage1->attr_index)), name(a.stage1->sh));
  else if (p.user == dma_user::nested)
    r.stage1 = "the guest's own stage 1";
  if (a.stage2)
    r.stage2 = fmt::format("MemAttr {}, SH {}{}", binary(a.stage2->memattr, 4), name(a.stage2->sh),
                           a.s2fwb.yes ? ", S2FWB" : "");
  return r;
}

table chain_table(smmu_chain const& c, chain_reasons const& r, unsigned indent) {
  table t{.header = {}, .rows = {}, .indent = indent};
  auto const line = [&](std::string_view step, memory_attributes const& a, std::string_view reason) {
    t.rows.push_back({std::string(step), describe(a), std::string(reason)});
  };
  line("incoming", c.incoming, r.incoming);
  line("override", c.overridden, r.overridden);
  if (c.stage1_translated) line("stage 1", c.stage1, r.stage1);
  if (c.stage2_translated) line("stage 2", c.stage2, r.stage2);
  if (c.no_snoop) line("No_Snoop", c.output, no_snoop_rule);
  line("final", c.output, "");
  return t;
}

json_value chain_json(smmu_chain const& c, chain_reasons const& r) {
  json_value out = json_value::array();
  auto const add = [&](std::string_view step, memory_attributes const& a, std::string_view reason) {
    out.push_back({{"step", step}, {"attributes", to_json(a)}, {"why", reason}});
  };
  add("incoming", c.incoming, r.incoming);
  add("override", c.overridden, r.overridden);
  if (c.stage1_translated) add("stage1", c.stage1, r.stage1);
  if (c.stage2_translated) add("stage2", c.stage2, r.stage2);
  if (c.no_snoop) add("no-snoop", c.output, no_snoop_rule);
  add("final", c.output, "");
  return out;
}

namespace {

std::string_view errno_name(dma_errno e) noexcept {
  switch (e) {
    case dma_errno::none: break;
    case dma_errno::efault: return "EFAULT";
    case dma_errno::eopnotsupp: return "EOPNOTSUPP";
    case dma_errno::eremoteio: return "EREMOTEIO";
  }
  return "";
}

}  // namespace

std::string number_and_name(dma_errno e) {
  int const number = e == dma_errno::efault       ? 14
                     : e == dma_errno::eopnotsupp ? 95
                     : e == dma_errno::eremoteio  ? 121
                                                  : 0;
  return number == 0 ? "not mapped" : fmt::format("-{}, {}", number, errno_name(e));
}

void add_dma(document& d, dma_path const& p, dma_answer const& a, dma_mapping const& m) {
  key_values rows{.rows = {}, .key_columns = 11};
  rows.rows.push_back({"DMA", {std::string(name(a.verdict)), a.why}});
  rows.rows.push_back({"domain", {fmt::format("{}: {}", name(p.user), name(a.config))}});
  rows.rows.push_back(
      {"map", {m.maps ? fmt::format("maps: {}", m.why) : fmt::format("{}: {}", number_and_name(m.error), m.why)}});
  rows.rows.push_back(
      {"VFIO",
       {fmt::format("{} the device ({})", a.vfio_accepts.yes ? "accepts" : "refuses", a.vfio_accepts.why),
        "enforced coherency: " + yes_no(a.enforce_cache_coherency), "nested SMMU: " + yes_no(a.nested_smmu),
        "S2FWB: " + yes_no(a.s2fwb)}});
  d.add(std::move(rows)).add(chain_table(a.chain, chain_reasons_of(p, a), 2));
}

json_value dma_json(dma_path const& p, dma_answer const& a, dma_mapping const& m) {
  auto const capability = [](dma_capability const& c) { return json_value{{"yes", c.yes}, {"why", c.why}}; };
  json_value j = {{"verdict", name(a.verdict)},
                  {"snoops", a.snoops},
                  {"why", a.why},
                  {"user", name(p.user)},
                  {"config", name(a.config)},
                  {"map", {{"maps", m.maps}, {"errno", errno_name(m.error)}, {"why", m.why}}},
                  {"vfio_accepts", capability(a.vfio_accepts)},
                  {"enforce_cache_coherency", capability(a.enforce_cache_coherency)},
                  {"nested_smmu", capability(a.nested_smmu)},
                  {"s2fwb", capability(a.s2fwb)},
                  {"stage1", nullptr},
                  {"stage2", nullptr}};
  if (a.stage1) j["stage1"] = {{"attr_index", a.stage1->attr_index}, {"sh", name(a.stage1->sh)}};
  if (a.stage2) j["stage2"] = {{"memattr", hex(a.stage2->memattr)}, {"sh", name(a.stage2->sh)}};
  j["chain"] = chain_json(a.chain, chain_reasons_of(p, a));
  return j;
}

void add_dma_changes(document& d, kernel_version before, kernel_version after) {
  listing changes;
  for (dma_change_row const& r : dma_changes)
    if (has(before, r.what) != has(after, r.what))
      changes.items.push_back(
          fmt::format("{:<10} {}  [{}]",
                      fmt::format("{} {}.{}", has(after, r.what) ? "from" : "before", r.since.major, r.since.minor),
                      r.text, r.commit));
  if (changes.items.empty()) return;
  d.add(blank{}).add(heading{"on the DMA side", 2}).add(std::move(changes));
}

json_value dma_changes_json(kernel_version before, kernel_version after) {
  json_value out = json_value::array();
  for (dma_change_row const& r : dma_changes)
    if (has(before, r.what) != has(after, r.what))
      out.push_back({{"since", fmt::format("{}.{}", r.since.major, r.since.minor)},
                     {"before", has(before, r.what)},
                     {"after", has(after, r.what)},
                     {"what", r.text},
                     {"commit", r.commit}});
  return out;
}

}  // namespace vmsa::text
