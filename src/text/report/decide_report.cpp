// SPDX-License-Identifier: MIT
#include "vmsa/text/report/decide_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/report/decision_json.hpp"
#include "text/report/dma_report.hpp"
#include "text/report/json.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/text/ask/combine.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

std::string stage1_name(u8 byte) { return fmt::format("{}", name(summarize(mair(byte)))); }

std::string leaf_size(granule g, level l) { return size_name(level_size(g, l)); }

std::string host_line(decide_question const& q) {
  std::string_view const fwb = q.host.cpu.s2fwb                 ? "FWB"
                               : q.policy.runs_with_fwb(q.host) ? "FWB (the policy has no other)"
                                                                : "no FWB";
  std::string out = fmt::format("{}, {}DIC", fwb, q.host.cpu.dic ? "" : "no ");
  if (q.host.page != granule::k4) out += fmt::format(", {} pages", size_name(granule_size(q.host.page)));
  if (q.host.lpa2_tables) out += ", LPA2 descriptors";
  if (q.host.mode != hypervisor_mode::vhe) out += fmt::format(", {}", name(q.host.mode));
  if (q.host.mte_vm) out += ", MTE in the VM";
  if (!q.cpu.empty()) out += fmt::format(" ({})", q.cpu);
  return out;
}

std::string memory_line(decide_question const& q) {
  vma const& v = q.inputs.vma;
  std::string out = fmt::format("page {}, ", name(q.inputs.page));
  if (q.inputs.slot.kind == slot_kind::none) return out + "no memslot";
  if (v.type == vma_type::none) {
    out += "no VMA";
  } else {
    out += fmt::format("VMA {}", name(v.type));
    if (v.pfnmap) out += " PFNMAP";
    if (v.mixedmap) out += " MIXEDMAP";
    if (v.allow_any_uncached) out += " ALLOW_ANY_UNCACHED";
    if (v.access == host_access::read_only) out += " read-only";
    if (v.access == host_access::none) out += " PROT_NONE";
    if (v.late) out += " (newer than the slot)";
  }
  if (q.inputs.slot.read_only) out += ", read-only slot";
  if (q.inputs.slot.log_dirty) out += ", dirty-logged slot";
  if (!q.inputs.slot.whole_pages)
    out += fmt::format(", no multiple of the host's {} pages", size_name(granule_size(q.host.page)));
  return out;
}

std::string leaf_text(decision const& d, level leaf) {
  std::string out = fmt::format("{}, level {}", hex(shown_descriptor(d, leaf).raw), number(leaf));
  out += fmt::format(": MemAttr {}, {}, S2AP {}, {}", binary(d.memattr, 4),
                     d.sh_in_leaf ? fmt::format("SH {}", name(d.sh)) : fmt::format("SH {} in VTCR_EL2", name(d.sh)),
                     name(leaf_of(d).access), d.executable ? "X" : "XN");
  return out;
}

// The answer beside its rule's name, which already says the cause.
std::string brief(decision const& d) {
  if (d.maps()) return describe(d);
  return d.esr_el1 == 0 ? short_form(d) : fmt::format("{}, ESR_EL1 {}", short_form(d), hex(d.esr_el1));
}

// Which fault an unaligned access is, and whose.
void add_alignment(document& d, decide_answer const& a) {
  bool own = false;
  bool ours = false;
  for (guest_view const& g : a.guests) {
    own = own || g.alignment_fault == stage::one;
    ours = ours || g.alignment_fault == stage::two;
  }
  bool const write = a.asked.access.kind == access_kind::write;
  if (own)
    d.add(paragraph{
        "An unaligned access where stage 1 says Device is an Alignment fault of stage 1, which the guest takes.", 2});
  if (ours)
    d.add(paragraph{
        fmt::format("An unaligned access where stage 1 says Normal is an Alignment fault of stage 2, which "
                    "goes to EL2, ESR_EL2 {}: {}",
                    write ? "0x92000061" : "0x92000021",
                    a.decided.of_kvm ? "KVM logs \"Unsupported FSC\" 0x21, KVM_RUN returns -EFAULT and the VM ends."
                                     : "this policy does not say what the hypervisor does with it."),
        2});
}

void add_guests(document& d, decide_answer const& a) {
  d.add(paragraph{"guest      what its stage 1 says -> what it gets, and the other mappings"});
  for (guest_view const& g : a.guests) {
    std::string others;
    for (guest_view::disagreement const& other : g.aliases)
      others += fmt::format("{}{} {}: {}", others.empty() ? "" : "; ", name(other.other.owner),
                            name(summarize(other.other.attributes)),
                            other.what == mismatch::none ? "agrees" : name(other.what));
    std::string const pair = fmt::format("{:<13} -> {}", stage1_name(g.mair), describe(g.effective));
    std::string const both = fmt::format("{}  [{}]", pair, others.empty() ? "no other mapping" : others);
    listing lines;
    bool const fits = lines.indent + both.size() <= text_columns;
    lines.items = {fits ? both : pair};
    d.add(std::move(lines));
    if (!fits) d.add(paragraph{"[" + others + "]", 6});
    if (g.open_sh) d.add(paragraph{say_open_shareability(*g.open_sh), 6});
  }
}

}  // namespace

descriptor_format format_of(decision const& d) { return {.tg = d.tg, .ds = !d.sh_in_leaf}; }

descriptor shown_descriptor(decision const& d, level leaf) {
  return encode_leaf({}, leaf, leaf_of(d), format_of(d)).value;
}

std::string short_form(decision const& d) {
  switch (d.outcome) {
    case policy_outcome::map: {
      std::string const marks = fmt::format("{}{}", d.writable ? "" : "r", d.executable ? "x" : "");
      std::string const type = d.memory == stage2_memory::stage1 ? "as stage 1" : std::string(name(d.memory));
      return marks.empty() ? type : fmt::format("{} {}", type, marks);
    }
    case policy_outcome::memslot_error: return fmt::format("{} {}", d.of_kvm ? "memslot" : "refused", name(d.error));
    case policy_outcome::run_error:
      if (!d.of_kvm && d.error == policy_errno::none) return "CPU stopped";
      return fmt::format("{} {}", d.of_kvm ? "run" : "stopped", name(d.error));
    case policy_outcome::guest_exception:
      return d.exception == injected_exception::external_abort ? "guest SEA" : "guest fault";
    case policy_outcome::sea_exit: return "SEA exit";
    case policy_outcome::mmio_exit: return d.of_kvm ? "MMIO exit" : "not mapped";
    case policy_outcome::make_young: return "made young";
    case policy_outcome::skip_instruction: return "skipped";
    case policy_outcome::not_applicable: break;
  }
  return "-";
}

document tell(decide_answer const& a) {
  decide_question const& q = a.asked;
  decision const& d = a.decided;
  std::string policy = q.policy.name();
  if (auto const v = q.policy.kernel()) policy += fmt::format(" ({})", name(era_of(*v)));
  document out;
  out.add(heading{fmt::format("{}, {}: {}", vmsa::name(q.kind), name(q.access.kind), describe(d))});
  if (q.kind != backing::custom) out.add(paragraph{std::string(row_of(q.kind).what), 2});
  key_values rows{.rows = {}, .key_columns = 11};
  rows.add("policy", policy);
  rows.add("host", host_line(q));
  rows.add("memory", memory_line(q));
  if (d.maps()) {
    rows.add("leaf", leaf_text(d, a.leaf));
    if (d.largest_leaf < a.leaf && !q.size)
      rows.add("size", fmt::format("{} shown; up to {} where host address, IPA and frame are congruent",
                                   leaf_size(d.tg, a.leaf), leaf_size(d.tg, d.largest_leaf)));
    rows.add("caches", describe(d.duties));
  }
  if (q.policy.kernel())
    rows.add("capability", fmt::format("243 (cacheable PFNMAP): {}", d.capability_243 ? "yes" : "no"));
  rows.add("rule", d.row == nullptr ? "none" : d.row->id);
  if (d.row != nullptr) rows.rows.back().lines.push_back(d.row->why);
  out.add(blank{}).add(std::move(rows));

  if (!a.guests.empty()) {
    out.add(blank{});
    add_guests(out, a);
  }
  add_alignment(out, a);
  if (a.dma) {
    out.add(blank{});
    add_dma(out, q.dma, *a.dma, a.dma_map);
  }
  if (!a.alternatives.empty()) {
    out.add(blank{}).add(heading{"what would change it", 2});
    std::size_t longest = 28;
    for (what_if const& w : a.alternatives) longest = std::max(longest, describe(w).size());
    listing changes;
    for (what_if const& w : a.alternatives)
      changes.items.push_back(fmt::format("{:<{}} {}  [{}]", describe(w), longest, brief(w.then),
                                          w.then.row == nullptr ? "none" : w.then.row->id));
    out.add(std::move(changes));
  }
  for (std::string const& note : a.notes) out.add(blank{}).add(paragraph{"note: " + note});
  return out;
}

std::string to_json(decide_answer const& a) {
  decide_question const& q = a.asked;
  json_value j = answer_json("decide");
  j.update(decision_json(a.decided, a.leaf, format_of(a.decided)));
  if (a.decided.maps()) j["largest_leaf"] = hex(level_size(a.decided.tg, a.decided.largest_leaf));
  j["policy"] = q.policy.name();
  j["backing"] = vmsa::name(q.kind);
  j["access"] = name(q.access.kind);
  j["host"] = {{"fwb", q.host.cpu.s2fwb},
               {"dic", q.host.cpu.dic},
               {"lpa2", q.host.lpa2_tables},
               {"mode", name(q.host.mode)},
               {"page_size", size_name(granule_size(q.host.page))}};
  j["notes"] = a.notes;
  j["guest"] = json_value::array();
  for (guest_view const& g : a.guests) {
    json_value others = json_value::array();
    for (guest_view::disagreement const& d : g.aliases)
      others.push_back({{"owner", name(d.other.owner)},
                        {"memory_type", json_name(summarize(d.other.attributes))},
                        {"sh", name(d.other.attributes.sh)},
                        {"mismatch", name(d.what)}});
    j["guest"].push_back({{"mair", hex(g.mair)},
                          {"memory_type", json_name(summarize(g.effective))},
                          {"sh", name(g.effective.sh)},
                          {"open_sh", g.open_sh ? json_value(name(*g.open_sh)) : json_value(nullptr)},
                          {"alignment_fault", nullptr},
                          {"aliases", others}});
    if (g.alignment_fault)
      j["guest"].back()["alignment_fault"] = *g.alignment_fault == stage::one ? "stage1" : "stage2";
  }
  j["dma"] = nullptr;
  if (a.dma) j["dma"] = dma_json(q.dma, *a.dma, a.dma_map);
  j["what_if"] = json_value::array();
  for (what_if const& w : a.alternatives) {
    level const leaf = q.inputs.vma.pfnmap ? level::l3 : w.then.largest_leaf;
    json_value then = decision_json(w.then, leaf, format_of(w.then));
    then["change"] = describe(w);
    j["what_if"].push_back(std::move(then));
  }
  return json_text(j);
}

}  // namespace vmsa::text
