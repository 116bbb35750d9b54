// SPDX-License-Identifier: MIT
#include "text/report/dma_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/report/attributes_json.hpp"
#include "vmsa/text/report/document.hpp"
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

std::string chain_text(smmu_chain const& c, chain_reasons const& r, unsigned indent) {
  std::string out;
  std::size_t widest = 28;
  for (memory_attributes const& a : {c.incoming, c.overridden, c.stage1, c.stage2, c.output})
    widest = std::max(widest, describe(a).size());
  auto const line = [&](std::string_view step, memory_attributes const& a, std::string_view reason) {
    out += fmt::format("{:{}}{:<10} {:<{}} {}\n", "", indent, step, describe(a), widest, reason);
  };
  line("incoming", c.incoming, r.incoming);
  line("override", c.overridden, r.overridden);
  if (c.stage1_translated) line("stage 1", c.stage1, r.stage1);
  if (c.stage2_translated) line("stage 2", c.stage2, r.stage2);
  if (c.no_snoop) line("No_Snoop", c.output, no_snoop_rule);
  line("final", c.output, "");
  while (out.size() > 1 && out[out.size() - 2] == ' ') out.erase(out.size() - 2, 1);
  return out;
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

std::string dma_text(dma_path const& p, dma_answer const& a, dma_mapping const& m) {
  document d;
  key_values rows;
  rows.rows.push_back({"DMA      ", {std::string(name(a.verdict)), a.why}});
  rows.rows.push_back({"domain", {fmt::format("{}: {}", name(p.user), name(a.config))}});
  rows.rows.push_back(
      {"map", {m.maps ? fmt::format("maps: {}", m.why) : fmt::format("{}: {}", number_and_name(m.error), m.why)}});
  rows.rows.push_back(
      {"VFIO",
       {fmt::format("{} the device ({})", a.vfio_accepts.yes ? "accepts" : "refuses", a.vfio_accepts.why),
        "enforced coherency: " + yes_no(a.enforce_cache_coherency), "nested SMMU: " + yes_no(a.nested_smmu),
        "S2FWB: " + yes_no(a.s2fwb)}});
  d.add(rows);
  return as_text(d) + chain_text(a.chain, chain_reasons_of(p, a), 2);
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

std::string dma_changes_text(kernel_version before, kernel_version after) {
  std::string out;
  for (dma_change_row const& r : dma_changes)
    if (has(before, r.what) != has(after, r.what))
      out += fmt::format("  {:<10} {}  [{}]\n",
                         fmt::format("{} {}.{}", has(after, r.what) ? "from" : "before", r.since.major, r.since.minor),
                         r.text, r.commit);
  return out.empty() ? out : "on the DMA side\n" + out;
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
