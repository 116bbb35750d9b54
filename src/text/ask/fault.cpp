// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/fault.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/text/ask/combine.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {
namespace {

// The tables of a scenario lie in a memory of their own. Each access takes at most three new tables.
constexpr pa table_memory{u64{1} << 47};
constexpr u64 table_memory_size(std::size_t accesses, granule g) {
  return (u64{1} << 20) + 3 * granule_size(g) * accesses + 32 * granule_size(g);
}

// What matters to somebody with a fault: the host's capabilities, the release and what the monitor can do, not another
// memory. Of an Alignment fault whatever would make the leaf Normal.
bool worth_telling(what_if const& w, fault_reason fault) {
  switch (w.changed) {
    case circumstance::allow_any_uncached:
    case circumstance::cacheable_vma:
    case circumstance::not_special: return fault == fault_reason::alignment;
    case circumstance::without_dic:
    case circumstance::no_dirty_logging:
    case circumstance::not_read_only:
    case circumstance::on_fetch:
    case circumstance::without_protection: return false;
    default: return true;
  }
}

// What the story's registers and decision leave open.
std::vector<std::string> notes_of(fault_story const& s, bool address_is_sure, decision const& translation) {
  std::vector<std::string> notes;
  if (decision const& d = s.outcome.decided; d.maps())
    if (auto const other = open_shareability(mair(s.access.stage1.mair, decode_shareability(s.access.stage1.sh)),
                                             {.memattr = d.memattr, .sh = d.sh}, {.fwb = d.fwb}))
      notes.push_back(say_open_shareability(*other));
  if (!address_is_sure)
    notes.push_back(
        fmt::format("HPFAR_EL2 is UNKNOWN for this fault: the IPA is taken on trust; {}",
                    s.outcome.fault.virtual_address_valid
                        ? "AT S1E1R or AT S1E1W of FAR_EL2 finds it"
                        : "FnV says that FAR_EL2 holds no address either, so that AT S1E1R has none to translate"));
  if (s.outcome.access.fault != fault_reason::alignment) {
    if (std::string unfit = unfit_mapping(s.outcome.decided, s.outcome.access); !unfit.empty())
      notes.push_back(std::move(unfit));
    return notes;
  }
  if (!translation.maps()) {
    notes.push_back(
        fmt::format("a translation fault there ends otherwise ({}), so that this policy has no leaf on which "
                    "an Alignment fault of stage 2 could be taken",
                    describe(translation)));
  } else if (is_device(translation.memory)) {
    notes.push_back(
        fmt::format("the leaf there is {}: a Normal leaf cures it, or aligned accesses, or a guest that maps "
                    "the memory as Device, which then takes the fault itself",
                    name(translation.memory)));
  } else {
    notes.push_back(
        fmt::format("this policy maps {} there, on which no Alignment fault of stage 2 is taken: the leaf in "
                    "use was made by another kernel, for another memory or before the memory changed",
                    name(translation.memory)));
  }
  return notes;
}

}  // namespace

// Stage 1's output as the guest meant it: a MAIR byte that needs a feature says that the guest has the feature.
memory_attributes stage1_of(guest_access const& access, access_kind kind, features f) {
  f.xs = f.mte2 = true;
  return stage1_attributes(access.stage1.mair, access.stage1.sh, {.fetch = kind == access_kind::exec, .feat = f});
}

bool fault_report::any_mismatch() const noexcept {
  for (fault_story const& s : stories)
    if (s.outcome.worst_mismatch().value_or(mismatch::none) != mismatch::none) return true;
  return false;
}

granule host_page(fault_scenario const& s) { return host_page_of(s.page, s.policy, s.cpu); }

fault_report::fault_report(fault_scenario asked, named_policy by) : scenario(std::move(asked)), policy(std::move(by)) {
  for (named_region const& r : scenario.memory) regions.push_back(r.where);
}

namespace {

// The host as it is asked about: what is known of it or said by a name, and nothing guessed.
void settle_host(fault_report& report) {
  fault_scenario& s = report.scenario;
  bool const kvm = report.policy.kernel().has_value();
  auto const need = [&](char const* what, bool known) {
    if (known || !kvm) return;
    throw input_error(s.file, 0, fmt::format("whether {} has {} is in no public source", s.cpu, what),
                      fmt::format("{} beside the processor's name", what == std::string_view("FWB") ? "fwb" : "dic"));
  };
  need("FWB", s.fwb_known);
  need("DIC", s.dic_known);
  s.host.page = host_page(s);
  for (named_region const& r : s.memory)
    if (std::string_view const why = missing_backing(r.where.backing, s.host.page); !why.empty())
      throw input_error(s.file, 0, fmt::format("backing \"{}\"", vmsa::name(r.where.backing)), std::string(why));
  if (std::optional<std::string> note = kvm ? vendor_note(s.policy) : std::nullopt)
    report.notes.push_back(std::move(*note));
  u64 const inside = granule_size(s.host.page) - 1;
  for (region& r : report.regions) r.inputs.slot.whole_pages = ((r.base.value | r.size | r.output.value) & inside) == 0;
}

}  // namespace

fault_report run(fault_scenario asked) {
  named_policy policy =
      find_policy(asked.policy, asked.policy_line == 0 ? std::string() : asked.file, asked.policy_line);
  return run(std::move(asked), std::move(policy));
}

fault_report run(fault_scenario asked, named_policy by) {
  fault_report report(std::move(asked), std::move(by));
  settle_host(report);
  fault_scenario const& scenario = report.scenario;
  named_policy const& policy = report.policy;
  report.stories.reserve(scenario.accesses.size());

  // The policy is told the host as it is; the machine runs as the policy uses it.
  policy_host const& host = scenario.host;
  features machine = host.cpu;
  machine.s2fwb = policy.runs_with_fwb(host);
  stage2_configuration const configuration = geometry::for_ipa_size(scenario.ipa_bits, host.page, machine);
  if (!configuration)
    throw input_error(scenario.file, 0,
                      fmt::format("ipa_bits {} with {} pages: {}", scenario.ipa_bits,
                                  size_name(granule_size(host.page)), name(configuration.error)),
                      "an IPA size that this machine's granule can have");
  sim::machine_memory memory(table_memory_size(scenario.accesses.size(), host.page), table_memory);
  arena_frames<sim::machine_memory> frames(memory, table_memory, memory.size(), host.page);
  auto table = stage2_table<sim::machine_memory, arena_frames<sim::machine_memory>>::create(
      memory, frames, configuration.shape, stage2_controls::of(machine, machine.s2fwb));
  std::optional<region_map> const memory_map = region_map::over(report.regions, granule::k4);
  if (!memory_map)
    throw input_error(scenario.file, 0, "the memory is not in order", "ranges that rise and do not overlap");

  for (guest_access const& access : scenario.accesses) {
    fault_story story;
    story.access = access;
    story.format = configuration.shape.format;
    stage2_fault fault = decode_fault(access.esr, access.far, access.hpfar).fault;
    bool const address_is_sure = fault.where_valid;
    fault.where_valid = true;  // a person gave the address; an EL2 program has AT S1E1x
    if (access.emulable) fault.isv = transfer{};
    if (!scenario.memory_known) {
      story.outcome.fault = fault;
      if (!address_is_sure) story.notes = notes_of(story, false, {});
      report.stories.push_back(std::move(story));
      continue;
    }
    guest_context guest{.stage1 = stage1_of(access, fault.access, host.cpu)};
    region const* const behind_it = fault.where_valid ? memory_map->find(fault.where) : nullptr;
    if (policy.kernel() && behind_it != nullptr && behind_it->inputs.dma) {
      story.dma = fault_dma{judge_dma(*policy.kernel(), scenario.dma),
                            map_for_dma(*policy.kernel(), scenario.dma.user, behind_it->inputs, behind_it->backing)};
      guest.dma = alias_of(story.dma->device, story.dma->mapping);
    }
    fault_trace& o = story.outcome;
    o = trace_fault(*table, *memory_map, policy, host, fault, guest);
    if (o.where != nullptr) {
      story.memory = scenario.memory[static_cast<std::size_t>(o.where - report.regions.data())];
      if (policy.kernel())
        for (what_if const& w : what_would_change(*policy.kernel(), host, o.where->inputs, o.where->backing, o.access))
          if (worth_telling(w, o.access.fault)) story.otherwise.add(w);
      story.judgements = coherency::judge(o);
    }
    fault_access mapping = o.access;
    mapping.fault = fault_reason::translation;
    memory_inputs const& behind = o.where != nullptr ? o.where->inputs : inputs_of(backing::emulated_mmio);
    backing const kind = o.where != nullptr ? o.where->backing : backing::emulated_mmio;
    story.notes = notes_of(story, address_is_sure, policy.decide_for(host, behind, kind, mapping));
    if (policy.kernel())
      for (std::string& note : release_notes(*policy.kernel(), host, behind, o.access))
        if (std::find(report.notes.begin(), report.notes.end(), note) == report.notes.end())
          report.notes.push_back(std::move(note));
    report.stories.push_back(std::move(story));
  }
  return report;
}

}  // namespace vmsa::text
