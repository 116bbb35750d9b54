// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/decide.hpp"

#include <fmt/format.h>

#include "vmsa/text/ask/combine.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {
namespace {

std::vector<std::string> notes_of(decide_question const& q, decision const& decided) {
  std::vector<std::string> notes;
  if (std::optional<kernel_version> const v = q.policy.kernel()) {
    if (std::optional<std::string> note = vendor_note(q.policy.name())) notes.push_back(std::move(*note));
    std::vector<std::string> const dated = release_notes(*v, q.host, q.inputs, q.access);
    notes.insert(notes.end(), dated.begin(), dated.end());
  }
  if (std::string unfit = unfit_mapping(decided, q.access); !unfit.empty()) notes.push_back(std::move(unfit));
  cpu_row const* const cpu = find_cpu(q.cpu);
  if (cpu != nullptr && !cpu->note.empty()) notes.push_back(fmt::format("{}: {}", cpu->name, cpu->note));
  return notes;
}

}  // namespace

decide_answer answer(decide_question question) {
  decide_answer a;
  a.asked = std::move(question);
  decide_question const& q = a.asked;
  a.decided = q.policy.decide_for(q.host, q.inputs, q.kind, q.access);
  a.leaf = q.inputs.vma.pfnmap ? level::l3 : a.decided.largest_leaf;
  while (q.size && a.leaf != level::l3 && level_size(a.decided.tg, a.leaf) > *q.size) a.leaf = next(a.leaf);
  if (auto const v = q.policy.kernel(); v && q.inputs.dma) {
    a.dma = judge_dma(*v, q.dma);
    a.dma_map = map_for_dma(*v, q.dma.user, q.inputs, q.kind);
  }
  if (a.decided.maps()) {
    std::vector<u8> bytes{*usual_mair("normal-wb"), *usual_mair("normal-nc"), *usual_mair("device-nGnRE")};
    if (q.stage1) bytes = {*q.stage1};
    for (u8 const byte : bytes) {
      guest_view g;
      g.mair = byte;
      stage2_attributes const leaf{.memattr = a.decided.memattr, .sh = a.decided.sh};
      g.effective = combine(with_effective_shareability(mair(byte)), leaf, {.fwb = a.decided.fwb});
      g.open_sh = open_shareability(mair(byte), leaf, {.fwb = a.decided.fwb});
      bool const stage1_device = is_device(mair(byte));
      if (is_device(g.effective)) g.alignment_fault = stage1_device ? stage::one : stage::two;
      alias_list const others = a.dma ? aliases_of(q.inputs, alias_of(*a.dma, a.dma_map)) : aliases_of(q.inputs);
      for (alias const& other : others)
        g.aliases.push_back({other, classify_mismatch(g.effective, other.attributes, a.decided.duties)});
      a.guests.push_back(std::move(g));
    }
  }
  if (std::optional<kernel_version> const v = q.policy.kernel()) {
    what_if_list const list = what_would_change(*v, q.host, q.inputs, q.kind, q.access);
    a.alternatives.assign(list.begin(), list.end());
  }
  a.notes = notes_of(q, a.decided);
  return a;
}

}  // namespace vmsa::text
