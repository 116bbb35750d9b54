// SPDX-License-Identifier: MIT
#include "vmsa/text/decide_report.hpp"

#include <fmt/format.h>

#include "decision_json.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/policy_names.hpp"

namespace vmsa::text {
namespace {

constexpr std::size_t width = 100;

// Words of `text`, indented, in lines of at most `width` characters.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::string line(indent, ' ');
  while (!text.empty()) {
    std::size_t const end = std::min(text.find(' '), text.size());
    std::string_view const word = text.substr(0, end);
    if (line.size() > indent && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + line + "\n";
}

std::string stage1_name(u8 byte) { return fmt::format("{}", name(summarize(mair(byte)))); }

std::string leaf_size(level l) { return size_name(level_size(granule::k4, l)); }

std::string host_line(decide_question const& q) {
  std::string out = fmt::format("{}FWB, {}DIC", q.host.cpu.s2fwb ? "" : "no ", q.host.cpu.dic ? "" : "no ");
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

std::string guests_text(decide_answer const& a) {
  std::string out = "guest      what its stage 1 says -> what it gets, and the other mappings\n";
  for (guest_view const& g : a.guests) {
    std::string others;
    for (guest_view::disagreement const& d : g.aliases)
      others += fmt::format("{}{} {}: {}", others.empty() ? "" : "; ", name(d.other.owner),
                            name(summarize(d.other.attributes)),
                            d.what == mismatch::none ? "agrees" : name(d.what));
    std::string const pair = fmt::format("  {:<13} -> {}", stage1_name(g.mair), describe(g.effective));
    std::string const both = fmt::format("{}  [{}]", pair, others.empty() ? "no other mapping" : others);
    if (both.size() <= width) {
      out += both + "\n";
    } else {
      out += pair + "\n" + wrapped("[" + others + "]", 6);
    }
  }
  return out;
}

}  // namespace

descriptor_format format_of(decision const& d) { return {.ds = !d.sh_in_leaf}; }

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
    case policy_outcome::memslot_error: return fmt::format("memslot {}", name(d.error));
    case policy_outcome::run_error: return fmt::format("run {}", name(d.error));
    case policy_outcome::guest_exception:
      return d.exception == injected_exception::external_abort ? "guest SEA" : "guest fault";
    case policy_outcome::mmio_exit: return "MMIO exit";
    case policy_outcome::make_young: return "made young";
    case policy_outcome::skip_instruction: return "skipped";
    case policy_outcome::not_applicable: break;
  }
  return "-";
}

decide_answer answer(decide_question const& q) {
  decide_answer a;
  a.decided = q.policy.decide_for(q.host, q.inputs, q.kind, q.access);
  a.leaf = q.inputs.vma.pfnmap ? level::l3 : a.decided.largest_leaf;
  if (q.inputs.dma) a.dma = judge_dma(q.dma);
  if (a.decided.maps()) {
    std::vector<u8> bytes{*usual_mair("normal-wb"), *usual_mair("normal-nc"), *usual_mair("device-nGnRE")};
    if (q.stage1) bytes = {*q.stage1};
    for (u8 const byte : bytes) {
      guest_view g;
      g.mair = byte;
      g.effective = combine(mair(byte), {.memattr = a.decided.memattr, .sh = a.decided.sh}, {.fwb = a.decided.fwb});
      alias_list const others = a.dma ? aliases_of(q.inputs, a.dma->alias) : aliases_of(q.inputs);
      for (alias const& other : others)
        g.aliases.push_back({other, classify_mismatch(g.effective, other.attributes, a.decided.duties)});
      a.guests.push_back(std::move(g));
    }
  }
  if (std::optional<kernel_version> const v = q.policy.kernel()) {
    what_if_list const list = what_would_change(*v, q.host, q.inputs, q.kind, q.access);
    a.alternatives.assign(list.begin(), list.end());
  }
  return a;
}

std::string to_text(decide_question const& q, decide_answer const& a) {
  decision const& d = a.decided;
  std::string policy = q.policy.name();
  if (auto const v = q.policy.kernel()) policy += fmt::format(" ({})", name(era_of(*v)));
  std::string out = fmt::format("{}, {}: {}\n", vmsa::name(q.kind), name(q.access.kind), describe(d));
  if (q.kind != backing::custom) out += wrapped(row_of(q.kind).what, 2);
  out += fmt::format("\npolicy     {}\nhost       {}\nmemory     {}\n", policy, host_line(q), memory_line(q));
  if (d.maps()) {
    out += fmt::format("leaf       {}\n", leaf_text(d, a.leaf));
    if (d.largest_leaf < a.leaf)
      out += fmt::format("size       {} shown; up to {} where host address, IPA and frame are congruent\n",
                         leaf_size(a.leaf), leaf_size(d.largest_leaf));
    out += fmt::format("caches     {}\n", describe(d.duties));
  }
  if (q.policy.kernel()) out += fmt::format("capability 243 (cacheable PFNMAP): {}\n", d.capability_243 ? "yes" : "no");
  out += fmt::format("rule       {}\n", d.row == nullptr ? "none" : d.row->id);
  if (d.row != nullptr) out += wrapped(d.row->why, 11);

  if (!a.guests.empty()) out += "\n" + guests_text(a);
  bool device = !a.guests.empty();
  for (guest_view const& g : a.guests) device = device && is_device(g.effective);
  if (device) out += "  An unaligned access to Device memory is an Alignment fault in the guest.\n";
  if (a.dma) {
    out += fmt::format("\nDMA        {}; SMMU leaf MemAttr {}, SH {}\n", name(a.dma->verdict),
                       binary(a.dma->leaf.memattr, 4), name(a.dma->leaf.sh));
    out += wrapped(a.dma->why, 11);
    out += fmt::format("           VFIO {} the device; enforced coherency: {}; nested SMMU: {}\n",
                       a.dma->vfio_accepts ? "accepts" : "refuses", a.dma->enforce_cache_coherency ? "yes" : "no",
                       a.dma->nested_smmu ? "yes" : "no");
  }
  if (!a.alternatives.empty()) {
    out += "\nwhat would change it\n";
    for (what_if const& w : a.alternatives)
      out += fmt::format("  {:<28} {}  [{}]\n", describe(w.changed), brief(w.then),
                         w.then.row == nullptr ? "none" : w.then.row->id);
  }
  return out;
}

std::string to_json(decide_question const& q, decide_answer const& a) {
  nlohmann::ordered_json j = decision_json(a.decided, a.leaf, format_of(a.decided));
  if (a.decided.maps()) j["largest_leaf"] = hex(level_size(granule::k4, a.decided.largest_leaf));
  j["policy"] = q.policy.name();
  j["backing"] = vmsa::name(q.kind);
  j["access"] = name(q.access.kind);
  j["host"] = {{"fwb", q.host.cpu.s2fwb}, {"dic", q.host.cpu.dic}, {"lpa2", q.host.lpa2_tables},
               {"mode", name(q.host.mode)}};
  j["guest"] = nlohmann::ordered_json::array();
  for (guest_view const& g : a.guests) {
    nlohmann::ordered_json others = nlohmann::ordered_json::array();
    for (guest_view::disagreement const& d : g.aliases)
      others.push_back({{"owner", name(d.other.owner)}, {"memory_type", json_name(summarize(d.other.attributes))},
                        {"sh", name(d.other.attributes.sh)}, {"mismatch", name(d.what)}});
    j["guest"].push_back({{"mair", hex(g.mair)}, {"memory_type", json_name(summarize(g.effective))},
                          {"sh", name(g.effective.sh)}, {"aliases", others}});
  }
  j["dma"] = nullptr;
  if (a.dma)
    j["dma"] = {{"verdict", name(a.dma->verdict)}, {"snoops", a.dma->snoops}, {"memattr", hex(a.dma->leaf.memattr)},
                {"sh", name(a.dma->leaf.sh)}, {"vfio_accepts", a.dma->vfio_accepts},
                {"enforce_cache_coherency", a.dma->enforce_cache_coherency}, {"nested_smmu", a.dma->nested_smmu},
                {"why", a.dma->why}};
  j["what_if"] = nlohmann::ordered_json::array();
  for (what_if const& w : a.alternatives) {
    level const leaf = q.inputs.vma.pfnmap ? level::l3 : w.then.largest_leaf;
    nlohmann::ordered_json then = decision_json(w.then, leaf, format_of(w.then));
    then["change"] = describe(w.changed);
    j["what_if"].push_back(std::move(then));
  }
  return j.dump(2) + "\n";
}

}  // namespace vmsa::text
