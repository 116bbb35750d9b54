// SPDX-License-Identifier: MIT
#include "vmsa/text/fault_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "attributes_json.hpp"
#include "decision_json.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/text/coherency_report.hpp"
#include "vmsa/text/explain.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/policy_file.hpp"
#include "vmsa/text/policy_names.hpp"

namespace vmsa::text {
namespace {

using nlohmann::ordered_json;

// The tables of a scenario lie in a memory of their own. Each access takes at most three new tables.
constexpr pa table_memory{u64{1} << 47};
constexpr u64 table_memory_size(std::size_t accesses) { return (u64{1} << 20) + 3 * granule_size(granule::k4) * accesses; }

// Stage 1's output as the guest meant it: a MAIR byte that needs a feature says that the guest has the feature.
memory_attributes stage1_of(guest_access const& access, access_kind kind, features f) {
  f.xs = f.mte2 = true;
  return stage1_attributes(access.stage1.mair, access.stage1.sh, {.fetch = kind == access_kind::exec, .feat = f});
}

// What matters to somebody with a fault: the host's capabilities and the release, not another driver.
bool worth_telling(circumstance c) {
  switch (c) {
    case circumstance::fwb_and_dic:
    case circumstance::without_fwb:
    case circumstance::before_6_9:
    case circumstance::from_6_9:
    case circumstance::from_6_17: return true;
    default: return false;
  }
}

// The short answer: the type the access ends with, or what happens instead.
std::string verdict(fault_outcome const& o) {
  switch (o.step) {
    case fault_step::resolved:
      return o.retried ? std::string(name(summarize(o.retried.attributes)))
                       : fmt::format("faults again: {}", name(o.retried.fault->kind));
    case fault_step::decided: return describe(o.decided);
    case fault_step::unknown_address: return "the address is unknown";
    case fault_step::table_refused: return fmt::format("not mapped: {}", name(o.mapping.error));
  }
  return "?";
}

std::string fault_text(fault_story const& s) {
  guest_access const& a = *s.access;
  std::string text = fmt::format("{} at IPA {}", explain(a.esr).summary, hex(s.outcome.fault.where));
  if (s.outcome.fault.status.kind == fault_kind::permission && !s.outcome.fault.s1ptw)
    text += " (taken as given: HPFAR_EL2 is UNKNOWN for this fault)";
  return text;
}

std::string memory_text(fault_story const& s) {
  if (s.memory == nullptr) return "no memslot";
  region const& r = s.memory->where;
  return fmt::format("{}: {}, IPA {} to {}, PA {}", s.memory->name, vmsa::name(r.backing), hex(r.base),
                     hex(r.base.value + (r.size - 1)), hex(r.output));
}

explanation explain_leaf(fault_story const& s) {
  return explain(s.outcome.after, {.of = stage::two, .at = s.outcome.at, .tg = s.format.tg, .fwb = s.outcome.leaf.fwb,
                                   .ds = s.format.ds, .lpa = s.format.lpa});
}

// Fields that say something: RES0, ignored and zero software bits are left out.
std::string fields_text(explanation const& e) {
  std::string text;
  for (explained_field const& f : e.fields) {
    bool const silent = f.name == "RES0" || f.name == "IGNORED" || f.name == "OA" || f.name == "valid" ||
                        (f.value == 0 && (f.name == "PBHA" || f.name == "SW"));
    if (!silent) text += fmt::format("{}{}={}", text.empty() ? "" : " ", f.name, binary(f.value, f.high - f.low + 1u));
  }
  return text;
}

void line(std::string& out, std::string_view label, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "   {:<11} {}\n", label, text);
}

std::string mismatch_text(mismatch m) {
  return m == mismatch::none ? "agrees" : fmt::format("mismatched: {}", name(m));
}

std::string direction_text(coherency::handover_question const& q) {
  return q.direction == coherency::handover::from_guest ? fmt::format("guest to {}", name(q.other))
                                                        : fmt::format("{} to guest", name(q.other));
}

// Who did what, in order, on one of the shortest ways to the violation.
std::vector<std::string> counterexample(coherency::judgement const& j) {
  coherency_report report;
  report.file.scenario = j.question.asked;
  report.result = j.result;
  std::vector<std::string> steps;
  for (told_step const& s : text::tell(report)) steps.push_back(fmt::format("{} {}", s.who, s.what));
  return steps;
}

// The handovers that can go wrong, and the first one's way there.
void tell_coherency(std::string& out, std::vector<coherency::judgement> const& judgements) {
  coherency::judgement const* first = nullptr;
  std::string wrong;
  for (coherency::judgement const& j : judgements) {
    if (j.result.outcome == coherency::verdict::coherent) continue;
    if (first == nullptr) first = &j;
    wrong += fmt::format("{}{}", wrong.empty() ? "" : ", ", direction_text(j.question));
  }
  if (first != nullptr) {
    line(out, "coherency", fmt::format("violation ({}): {}", name(first->result.broken.broken), wrong));
    std::size_t number = 0;
    for (std::string const& step : counterexample(*first)) line(out, "", fmt::format("{}. {}", ++number, step));
  } else if (!judgements.empty()) {
    line(out, "coherency", "coherent: every handover between the guest and an alias, in every interleaving");
  }
}

void tell(std::string& out, std::size_t position, fault_scenario const& scenario, fault_story const& s) {
  fault_outcome const& o = s.outcome;
  std::string const title = s.access->name.empty() ? fmt::format("IPA {}", hex(o.fault.where)) : s.access->name;
  fmt::format_to(std::back_inserter(out), "{}. {}: {}\n", position, title,
                 scenario.memory_known ? verdict(o) : "undecided");
  line(out, "fault", fault_text(s));
  if (!scenario.memory_known) {
    line(out, "memory", "not described: name what is behind the address with --backing, or a map with --map");
    return;
  }
  line(out, "memory", memory_text(s));
  line(out, "decision", describe(o.decided));
  if (o.decided.row != nullptr) {
    line(out, "rule", fmt::format("{}, row {}", scenario.policy, o.decided.row->id));
    line(out, "why", o.decided.row->why);
  }
  if (o.step == fault_step::table_refused) line(out, "table", fmt::format("{} at IPA {}", name(o.mapping.error), hex(o.mapping.at)));
  if (o.step == fault_step::resolved) {
    explanation const leaf = explain_leaf(s);
    line(out, "leaf", fmt::format("level {} {} of {}: IPA {} to PA {}", number(o.at), o.at == level::l3 ? "page" : "block",
                                  size_name(level_size(s.format.tg, o.at)), hex(o.base), hex(o.output)));
    line(out, "descriptor", hex(o.after.raw));
    line(out, "", fields_text(leaf));
    if (o.decided.duties != cache_duties{}) line(out, "caches", fmt::format("before the entry is written: {}", describe(o.decided.duties)));
    memory_attributes const stage1 = stage1_of(*s.access, o.fault.access, scenario.host.cpu);
    if (o.retried) {
      line(out, "guest", fmt::format("stage 1 {} (MAIR {}), effective {}", name(summarize(stage1)),
                                     hex(s.access->stage1.mair), describe(o.retried.attributes)));
      line(out, "PAR_EL1", hex(o.retried.par.raw));
    }
    for (alias_report const& a : o.aliases)
      line(out, "alias", fmt::format("{}: {}: {}", name(a.other.owner), describe(a.other.attributes), mismatch_text(a.disagreement)));
  }
  tell_coherency(out, s.judgements);
  for (what_if const& w : s.otherwise)
    line(out, "otherwise", fmt::format("{}: {}", describe(w.changed), describe(w.then)));
}

ordered_json fault_json(fault_story const& s) {
  stage2_fault const& f = s.outcome.fault;
  ordered_json out = {{"esr_el2", hex(s.access->esr.raw)},     {"far_el2", hex(s.access->far.raw)},
                      {"hpfar_el2", hex(s.access->hpfar.raw)}, {"summary", explain(s.access->esr).summary},
                      {"access", name(f.access)},              {"kind", name(f.status.kind)}};
  if (f.status.at_level) out["level"] = *f.status.at_level;
  out["ipa"] = hex(f.where);
  out["s1ptw"] = f.s1ptw;
  return out;
}

ordered_json leaf_json(fault_story const& s) {
  fault_outcome const& o = s.outcome;
  ordered_json fields = ordered_json::object();
  for (explained_field const& f : explain_leaf(s).fields)
    if (f.name != "RES0") fields[f.name] = binary(f.value, f.high - f.low + 1u);
  return {{"level", number(o.at)},
          {"size", level_size(s.format.tg, o.at)},
          {"ipa", hex(o.base)},
          {"pa", hex(o.output)},
          {"descriptor", hex(o.after.raw)},
          {"fields", std::move(fields)},
          {"entries_written", o.mapping.entries_written},
          {"tables_allocated", o.mapping.tables_allocated},
          {"broke", o.mapping.broke},
          {"tlbi", o.mapping.tlbi_count}};
}

ordered_json story_json(fault_scenario const& scenario, fault_story const& s) {
  fault_outcome const& o = s.outcome;
  ordered_json out = {{"name", s.access->name}, {"fault", fault_json(s)},
                      {"region", nullptr},      {"decision", nullptr},
                      {"verdict", nullptr},     {"leaf", nullptr},
                      {"guest", nullptr},       {"aliases", ordered_json::array()},
                      {"coherency", ordered_json::array()}, {"otherwise", ordered_json::array()}};
  if (!scenario.memory_known) return out;
  if (s.memory != nullptr) {
    region const& r = s.memory->where;
    out["region"] = {{"name", s.memory->name}, {"backing", vmsa::name(r.backing)}, {"ipa", hex(r.base)},
                     {"size", hex(r.size)},    {"pa", hex(r.output)}};
  }
  out["decision"] = decision_json(o.decided, o.at, s.format);
  out["verdict"] = verdict(o);
  if (o.step == fault_step::table_refused) out["table_error"] = name(o.mapping.error);
  if (o.step == fault_step::resolved) {
    out["leaf"] = leaf_json(s);
    ordered_json guest = {{"stage1", to_json(stage1_of(*s.access, o.fault.access, scenario.host.cpu))}};
    if (o.retried) {
      guest["effective"] = to_json(o.retried.attributes);
      guest["par_el1"] = hex(o.retried.par.raw);
    }
    out["guest"] = std::move(guest);
    for (alias_report const& a : o.aliases)
      out["aliases"].push_back({{"owner", name(a.other.owner)},
                                {"attributes", to_json(a.other.attributes)},
                                {"mismatch", name(a.disagreement)}});
  }
  for (coherency::judgement const& j : s.judgements) {
    ordered_json entry = {{"handover", direction_text(j.question)}, {"verdict", name(j.result.outcome)}};
    if (j.result.outcome == coherency::verdict::violation) {
      entry["property"] = name(j.result.broken.broken);
      entry["counterexample"] = counterexample(j);
    }
    out["coherency"].push_back(std::move(entry));
  }
  for (what_if const& w : s.otherwise) {
    ordered_json entry = {{"condition", describe(w.changed)}, {"outcome", name(w.then.outcome)}};
    if (w.then.maps()) entry["memory_type"] = json_name(w.then.memory);
    out["otherwise"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace

bool fault_report::any_mismatch() const noexcept {
  for (fault_story const& s : stories)
    if (s.outcome.worst_mismatch() != mismatch::none) return true;
  return false;
}

fault_report run(fault_scenario const& scenario) {
  fault_report report;
  report.stories.reserve(scenario.accesses.size());
  std::vector<region> regions;
  for (named_region const& r : scenario.memory) regions.push_back(r.where);

  policy_host const& host = scenario.host;
  stage2_configuration const configuration = geometry::for_ipa_size(scenario.ipa_bits, granule::k4, host.cpu);
  sim::machine_memory memory(table_memory_size(scenario.accesses.size()), table_memory);
  arena_frames<sim::machine_memory> frames(memory, table_memory, memory.size(), granule::k4);
  auto table = stage2_table<sim::machine_memory, arena_frames<sim::machine_memory>>::create(
      memory, frames, configuration.shape, stage2_controls::of(host.cpu, host.cpu.s2fwb));
  el1_registers registers;
  registers.hcr = registers.hcr.with<hcr_el2::vm>(true).with<hcr_el2::fwb>(host.cpu.s2fwb);
  registers.vtcr = configuration.vtcr;
  registers.vttbr.raw = table->root().value;
  auto const regime = make_regime(registers, host.cpu);

  named_policy const policy =
      find_policy(scenario.policy, scenario.policy_line == 0 ? std::string() : scenario.file, scenario.policy_line);
  for (guest_access const& access : scenario.accesses) {
    fault_story story;
    story.access = &access;
    story.format = configuration.shape.format;
    stage2_fault fault = decode_fault(access.esr, access.far, access.hpfar).fault;
    fault.where_valid = true;  // a person gave the address; an EL2 program has AT S1E1x
    if (access.emulable) fault.isv = transfer{};
    if (!scenario.memory_known) {
      story.outcome.fault = fault;
      report.stories.push_back(std::move(story));
      continue;
    }
    guest_context const guest{.stage1 = stage1_of(access, fault.access, host.cpu)};
    fault_outcome& o = story.outcome;
    o = handle_fault(memory, *table, regions, policy, host, regime, fault, guest);
    if (o.where != nullptr) {
      story.memory = &scenario.memory[static_cast<std::size_t>(o.where - regions.data())];
      if (policy.kernel())
        for (what_if const& w : what_would_change(*policy.kernel(), host, o.where->inputs, o.where->backing, o.access))
          if (worth_telling(w.changed)) story.otherwise.items[story.otherwise.count++] = w;
      story.judgements = coherency::judge(o);
      o.where = nullptr;  // it points into this function's regions; the story has the scenario's
    }
    report.stories.push_back(std::move(story));
  }
  return report;
}

std::string to_text(fault_scenario const& scenario, fault_report const& report) {
  std::string out;
  if (!scenario.title.empty()) out += scenario.title + "\n";
  fmt::format_to(std::back_inserter(out), "{}, FWB {}, DIC {}{}{}\n", scenario.policy,
                 scenario.host.cpu.s2fwb ? "on" : "off", scenario.host.cpu.dic ? "on" : "off",
                 scenario.cpu.empty() ? "" : ", ", scenario.cpu);
  for (std::size_t i = 0; i < report.stories.size(); ++i) {
    out += "\n";
    tell(out, i + 1, scenario, report.stories[i]);
  }
  return out;
}

std::string to_json(fault_scenario const& scenario, fault_report const& report) {
  ordered_json out = {{"title", scenario.title},
                      {"policy", scenario.policy},
                      {"machine", {{"cpu", scenario.cpu}, {"fwb", scenario.host.cpu.s2fwb}, {"dic", scenario.host.cpu.dic}}},
                      {"accesses", ordered_json::array()}};
  for (fault_story const& s : report.stories) out["accesses"].push_back(story_json(scenario, s));
  return out.dump(2) + "\n";
}

}  // namespace vmsa::text
