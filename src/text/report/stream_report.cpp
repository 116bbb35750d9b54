// SPDX-License-Identifier: MIT
#include "vmsa/text/report/stream_report.hpp"

#include <fmt/format.h>

#include "text/report/attributes_json.hpp"
#include "text/report/dma_report.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/explain/explain_smmu.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

std::string_view spelled(stream_outcome o) {
  constexpr std::string_view names[] = {"passed",  "aborted",   "read as zero, writes ignored",
                                        "stalled", "contended", "not modelled"};
  return names[static_cast<unsigned>(o)];
}
std::string_view spelled(stream_operation o) {
  constexpr std::string_view names[] = {"read", "write", "atomic"};
  return names[static_cast<unsigned>(o)];
}
std::string_view spelled(completion_status s) {
  constexpr std::string_view names[] = {"success", "unsupported request", "completer abort", "contended",
                                        "not modelled"};
  return names[static_cast<unsigned>(s)];
}
std::string_view spelled(structure_read::kind k) {
  constexpr std::string_view names[] = {"L1STD", "STE", "L1CD", "CD"};
  return names[static_cast<unsigned>(k)];
}
std::string say(stream_choice c, smmu_choices const& choices) {
  switch (c) {
    case stream_choice::overrides_reach_pcie:
      return fmt::format(
          "overrides_reach_pcie = {}: IMPLEMENTATION DEFINED whether MTCFG, SHCFG and ALLOCCFG apply to PCIe",
          choices.overrides_reach_pcie);
    case stream_choice::alloccfg_without_mtcfg:
      return fmt::format("alloccfg_without_mtcfg = {}: CONSTRAINED UNPREDICTABLE while MTCFG is 0",
                         choices.alloccfg_without_mtcfg);
    case stream_choice::ats_attributes:
      return "translated ATS traffic has a fixed attribute, or the page's: IMPLEMENTATION DEFINED; the fixed one is "
             "shown";
    case stream_choice::ats_address_size:
      return fmt::format(
          "ats_truncates_address = {}: IMPLEMENTATION DEFINED for translated addresses beyond SMMU_IDR5.OAS",
          choices.ats_truncates_address);
    case stream_choice::ats_unasked_write:
      return fmt::format("ats_grants_unasked_write = {}: a request with No Write may be told that a page is writable",
                         choices.ats_grants_unasked_write);
    case stream_choice::pcie_attributes:
      return fmt::format("pcie = {}: the root complex gives inner or outer shareable write-back, by the system",
                         text::name(choices.pcie));
    case stream_choice::fwb_shareability:
      return "under S2FWB the Shareability of what stage 1 calls Device or Normal-NC is IMPLEMENTATION DEFINED";
  }
  return {};
}

chain_reasons reasons_of(stream_scenario const& s, stream_story const& story) {
  stream_configuration const& c = story.answer.configuration;
  stream_translation const& t = story.answer.result;
  chain_reasons r;
  r.incoming = story.question.access.incoming ? "as the interconnect supplies it"
               : story.question.access.pcie   ? "the root complex's own: PCIe carries no memory type"
                                              : "nothing was supplied: the SMMU's default";
  bool const off = !s.unit.cr0.get<smmu_cr0::smmuen>();
  smmu_overrides const o = off ? overrides_of(s.unit.gbpa, s.unit.idr1) : c.overrides;
  std::string which;
  if (o.mtcfg) which += fmt::format(" MemAttr {}", binary(o.memattr, 4));
  if (o.shcfg != 0b01) which += fmt::format(" SHCFG {}", binary(o.shcfg, 2));
  if (o.alloccfg & 0b1000) which += fmt::format(" ALLOCCFG {}", binary(o.alloccfg, 4));
  r.overridden = which.empty() ? "nothing is overridden" : (off ? "SMMU_GBPA:" : "STE:") + which;
  for (walk_step const& step : t.walk.steps) {
    if (step.by == stage::one && t.chain.stage1_translated) {
      u8 const index = stage1_bits::attr_index::get(step.value.raw);
      r.stage1 = fmt::format("MAIR index {} ({}), SH {}: it replaces what came in", index,
                             hex(mair_el1{{c.cd->get<smmu_cd::mair>()}}.attr(index)),
                             binary(stage1_bits::sh::get(step.value.raw), 2));
    }
    if (step.by == stage::two)
      r.stage2 = fmt::format("MemAttr {}, SH {}{}", binary((step.value.raw >> 2) & 0xf, 4),
                             binary((step.value.raw >> 8) & 0b11, 2),
                             c.regime.both.fwb ? ", S2FWB: it decides" : ": combined, the stricter wins");
  }
  return r;
}

std::string say_question(stream_question const& q) {
  std::string out = fmt::format("stream {}", hex(q.stream));
  if (q.substream) out += fmt::format(", substream {}", hex(*q.substream));
  if (q.request) {
    out += fmt::format(": translation request for iova {}", hex(q.iova));
    if (q.request->no_write) out += ", No Write";
    if (q.request->execute) out += ", Exe";
    if (q.request->privileged) out += ", Priv";
    return out;
  }
  out += fmt::format(": {}{}{} of iova {}", q.access.translated ? "translated " : "", spelled(q.access.op),
                     q.access.instruction ? " (instruction)" : "", hex(q.iova));
  if (q.access.no_snoop) out += ", No_Snoop";
  return out;
}

std::string say(translation_completion const& t) {
  if (t.status != completion_status::success) return std::string(spelled(t.status));
  if (!t.grants()) return "success, R = W = 0: nothing is granted";
  return fmt::format("success, {} granted at {}, {} bytes translate alike",
                     fmt::format("{}{}{}", t.read ? "R" : "", t.write ? "W" : "", t.execute ? "X" : ""), hex(t.address),
                     size_name(u64{1} << t.bits));
}
// What a completion answers, and what the address in it is.
std::string say(translation_completion const& t, stream_configuration const& c) {
  std::string out = say(t);
  if (t.grants()) out += c.eats == 0b10 ? "; split-stage: the address is an IPA" : "; the address is a PA";
  return out;
}

void add_event(document& d, smmu_event const& event, bool recorded) {
  smmu_event_record const r = encode_smmu_event(event);
  d.add(paragraph{fmt::format("event {:#04x} {}: {}", r.get<smmu_event_record::id>(),
                              recorded ? "recorded" : "not recorded", r.kind().text),
                  2});
  listing words{.items = {}, .indent = 4};
  for (u64 const word : r.word) words.items.push_back(fmt::format("{:#018x}", word));
  d.add(std::move(words));
}
json_value event_json(smmu_event const& event, bool recorded) {
  smmu_event_record const r = encode_smmu_event(event);
  json_value words = json_value::array();
  for (u64 const word : r.word) words.push_back(fmt::format("{:#018x}", word));
  return {{"name", r.kind().name}, {"told", tell(r)}, {"recorded", recorded}, {"words", words}};
}

// What the SMMU read to know the stream, and what was given in place of it.
void add_configuration(listing& lines, stream_scenario const& s, stream_configuration const& c) {
  for (structure_read const& read : c.reads) {
    std::string says = hex(read.first);
    if (read.what == structure_read::kind::ste) says = tell(c.ste);
    if (read.what == structure_read::kind::cd && c.cd) says = explain(*c.cd).summary;
    lines.items.push_back(fmt::format("{:<6} at {}{}: {}", spelled(read.what), hex(read.where),
                                      read.intermediate ? fmt::format(" (IPA {})", hex(*read.intermediate)) : "",
                                      says));
  }
  if (s.ste) lines.items.push_back(fmt::format("STE    given: {}", tell(*s.ste)));
  if (s.cd) lines.items.push_back(fmt::format("CD     given: {}", explain(*s.cd).summary));
  if (c.error != smmu_error::none) lines.items.push_back(fmt::format("ILLEGAL: {}", row_of(c.error).text));
  if (c.unmodelled != smmu_unmodelled::none)
    lines.items.push_back(fmt::format("not modelled: {}", vmsa::name(c.unmodelled)));
}

void add_steps(listing& lines, translation const& walk, std::string_view what) {
  for (walk_step const& step : walk.steps)
    lines.items.push_back(fmt::format("{}stage {} level {}  [{}] = {}", what, static_cast<unsigned>(step.by),
                                      number(step.at), hex(step.where), hex(step.value.raw)));
  for (hardware_update const& u : walk.updates)
    lines.items.push_back(fmt::format("{}hardware writes [{}] = {}", what, hex(u.where), hex(u.written.raw)));
}

template <class Choices>
void add_choices(document& d, stream_scenario const& s, Choices const& consulted) {
  listing lines;
  for (stream_choice const choice : consulted)
    lines.items.push_back(fmt::format("choice: {}", say(choice, s.unit.choices)));
  d.add(std::move(lines));
}

std::string say_outcome(stream_story const& story) {
  stream_translation const& t = story.answer.result;
  if (story.completion) return say(*story.completion, story.answer.configuration);
  if (t) return fmt::format("PA {}, {}", hex(t.output), describe(t.chain.output));
  if (t.event) return fmt::format("{}, {}", spelled(t.outcome), tell(encode_smmu_event(*t.event)));
  return std::string(spelled(t.outcome));
}

void add_story(document& d, stream_scenario const& s, stream_story const& story) {
  stream_configuration const& c = story.answer.configuration;
  stream_translation const& t = story.answer.result;
  d.add(heading{fmt::format("{}: {}", say_question(story.question), say_outcome(story)), 2});
  if (!story.question.name.empty()) d.add(paragraph{story.question.name, 2});
  listing lines;
  add_configuration(lines, s, c);
  add_steps(lines, c.cd_walk, "CD: ");
  add_steps(lines, story.completion ? story.completion->walk : t.walk, "");
  d.add(std::move(lines));
  if (story.completion) {
    if (story.completion->event) add_event(d, *story.completion->event, true);
    add_choices(d, s, story.completion->consulted);
    return;
  }
  if (t)
    d.add(chain_table(t.chain, reasons_of(s, story), 2));
  else if (t.event)
    add_event(d, *t.event, t.recorded);
  add_choices(d, s, t.consulted);
}

json_value one_json(stream_scenario const& s, stream_story const& story) {
  stream_configuration const& c = story.answer.configuration;
  stream_translation const& t = story.answer.result;
  json_value j = answer_json("translate-stream");
  j["name"] = story.question.name;
  j["stream"] = hex(story.question.stream);
  j["substream"] = story.question.substream ? json_value(hex(*story.question.substream)) : json_value(nullptr);
  j["iova"] = hex(story.question.iova);
  bool const passed = t && !story.completion;
  j["outcome"] = story.completion ? "completed" : spelled(t.outcome);
  j["pa"] = passed ? json_value(hex(t.output)) : json_value(nullptr);
  j["attributes"] = passed ? json_value(to_json(t.chain.output)) : json_value(nullptr);
  j["chain"] = passed ? chain_json(t.chain, reasons_of(s, story)) : json_value::array();
  j["completion"] = nullptr;
  if (story.completion) {
    translation_completion const& a = *story.completion;
    j["completion"] = {{"status", spelled(a.status)},
                       {"read", a.read},
                       {"write", a.write},
                       {"execute", a.execute},
                       {"privileged", a.privileged},
                       {"address", a.grants() ? json_value(hex(a.address)) : json_value(nullptr)},
                       {"space", !a.grants()      ? json_value(nullptr)
                                 : c.eats == 0b10 ? "ipa"
                                                  : "pa"},
                       {"size", u64{1} << a.bits}};
  }
  j["event"] = nullptr;
  if (story.completion && story.completion->event) j["event"] = event_json(*story.completion->event, true);
  if (!story.completion && t.event) j["event"] = event_json(*t.event, t.recorded);
  j["error"] = c.error == smmu_error::none ? json_value(nullptr) : json_value(row_of(c.error).name);
  j["unmodelled"] = c.unmodelled == smmu_unmodelled::none ? json_value(nullptr) : json_value(vmsa::name(c.unmodelled));
  j["reads"] = json_value::array();
  for (structure_read const& read : c.reads)
    j["reads"].push_back({{"what", spelled(read.what)}, {"at", hex(read.where)}, {"first", hex(read.first)}});
  j["steps"] = json_value::array();
  translation const& walked = story.completion ? story.completion->walk : t.walk;
  for (translation const* walk : {&c.cd_walk, &walked})
    for (walk_step const& step : walk->steps)
      j["steps"].push_back({{"for", walk == &walked ? "access" : "cd"},
                            {"stage", static_cast<unsigned>(step.by)},
                            {"level", number(step.at)},
                            {"at", hex(step.where)},
                            {"descriptor", hex(step.value.raw)}});
  j["choices"] = json_value::array();
  if (story.completion)
    for (stream_choice const choice : story.completion->consulted) j["choices"].push_back(say(choice, s.unit.choices));
  else
    for (stream_choice const choice : t.consulted) j["choices"].push_back(say(choice, s.unit.choices));
  return j;
}

}  // namespace

std::vector<stream_story> translate_streams(stream_scenario& s) {
  std::vector<stream_story> stories;
  for (stream_question const& q : s.questions) {
    stream_story story{.question = q};
    story.answer.configuration = s.ste ? find_stream(s.memory, s.unit, *s.ste, s.cd, q.stream, q.substream)
                                       : find_stream(s.memory, s.unit, q.stream, q.substream);
    if (q.request)
      story.completion = answer_translation_request(s.memory, s.unit, story.answer.configuration, q.iova, *q.request);
    else
      story.answer.result = translate_stream(s.memory, s.unit, story.answer.configuration, q.iova, q.access);
    stories.push_back(std::move(story));
  }
  return stories;
}

document tell(stream_scenario const& s, std::vector<stream_story> const& stories) {
  document d;
  if (!s.title.empty()) d.add(heading{s.title});
  for (stream_story const& story : stories) {
    if (!d.blocks.empty()) d.add(blank{});
    add_story(d, s, story);
  }
  return d;
}

std::string to_json(stream_scenario const& s, std::vector<stream_story> const& stories) {
  if (stories.size() == 1) return json_text(one_json(s, stories.front()));
  json_value all = json_value::array();
  for (stream_story const& story : stories) all.push_back(one_json(s, story));
  return json_text(all);
}

}  // namespace vmsa::text
