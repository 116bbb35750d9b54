// SPDX-License-Identifier: MIT
#include "text/read/coherency_device.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "vmsa/policy/smmu.hpp"
#include "vmsa/text/explain/explain_smmu.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/read/policy_file.hpp"
#include "vmsa/text/report/stream_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

device_way through_tables(toml_table const& t) {
  std::filesystem::path const beside = std::filesystem::path(t.file()).parent_path() / t.need_string("file", "");
  stream_scenario s = parse_stream_scenario(read_text(beside.string()), beside.string());
  u64 const which = t.count("access", s.questions.size() - 1).value_or(0);
  s.questions = {s.questions[which]};
  stream_story const story = translate_streams(s).front();
  if (!story.answer.result)
    t.refuse("file",
             fmt::format("the access does not get through: {}",
                         story.answer.result.event ? tell(encode_smmu_event(*story.answer.result.event)) : "aborted"),
             "a stream that lets the device through");
  return {meets_the_caches(story.answer.result.chain.output), t.flag("canwbs").value_or(false)};
}

device_way through_linux(toml_table const& t) {
  named_policy const policy =
      find_policy(t.need_string("policy", "a release of Linux, such as \"linux-6.17\""), t.file(), t.line("policy"));
  std::optional<kernel_version> const v = policy.kernel();
  if (!v)
    t.refuse("policy", fmt::format("what {} programs into an SMMU is not known", policy.name()),
             "a release of Linux, such as \"linux-6.17\"");
  dma_path const p = read_dma_path(t);
  dma_answer const a = judge_dma(*v, p);
  if (!a.taken()) t.refuse("", a.why, "a device that this release takes");
  return {p.coherent && meets_the_caches(a.chain.output), p.canwbs};
}

}  // namespace

dma_path read_dma_path(toml_table const& t) {
  dma_path p;
  p.coherent = t.flag("coherent").value_or(true);
  p.s2fwb = t.flag("s2fwb").value_or(false);
  p.canwbs = t.flag("canwbs").value_or(false);
  p.no_snoop = t.flag("no_snoop").value_or(false);
  p.stage1 = t.flag("stage1").value_or(true);
  if (auto const word = t.string("user")) {
    auto const user = parse_dma_user(*word);
    if (!user) t.refuse("user", fmt::format("\"{}\"", *word), "type1 iommufd nested");
    p.user = *user;
  }
  constexpr std::string_view mappings[] = {"mmio", "cache", "uncached"};
  if (auto const prot = t.choice("mapping", mappings)) p.prot = static_cast<iommu_prot>(*prot);
  if (auto const guest = t.string("guest")) {
    auto const byte = usual_mair(*guest);
    if (!byte) t.refuse("guest", fmt::format("\"{}\"", *guest), "the guest's own stage 1: normal-wb normal-nc ...");
    p.guest_stage1 = decode_cd_mair(*byte, shareability::inner);
  }
  return p;
}

device_way device_through_smmu(toml_table const& smmu) {
  if (smmu.has("file") == smmu.has("policy"))
    smmu.refuse("", smmu.has("file") ? "file beside policy" : "neither file nor policy",
                "file = \"stream.toml\", or policy = \"linux-6.17\"");
  device_way const way = smmu.has("file") ? through_tables(smmu) : through_linux(smmu);
  smmu.finish();
  return way;
}

}  // namespace vmsa::text
