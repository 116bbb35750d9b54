// SPDX-License-Identifier: MIT
#include "vmsa/text/report/tables_report.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "text/report/tables_head.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view disagreements[] = {"none", "ordering-only", "write-policy", "loss-of-coherency"};
constexpr std::string_view consequences[] = {
    "no disagreement", "accesses through different aliases may be reordered",
    "write-back and write-through: who writes through does not see what another holds dirty, without maintenance",
    "loss of coherency: cached and uncached accesses do not see each other, without maintenance"};
constexpr std::string_view change_names[] = {"mapped", "unmapped", "output-address", "attributes", "level", "software"};

json_value optional_hex(std::optional<u64> v) { return v ? json_value(hex(*v)) : json_value(nullptr); }
json_value optional_hex(std::optional<descriptor> v) { return v ? json_value(hex(v->raw)) : json_value(nullptr); }
json_value optional_hex(std::optional<pa> v) { return v ? json_value(hex(*v)) : json_value(nullptr); }

}  // namespace

std::string_view name(disagreement d) noexcept { return disagreements[static_cast<unsigned>(d)]; }
std::string_view name(change_kind k) noexcept { return change_names[static_cast<unsigned>(k)]; }
std::optional<disagreement> parse_disagreement(std::string_view text) noexcept {
  for (unsigned i = 0; i < std::size(disagreements); ++i)
    if (text == disagreements[i]) return static_cast<disagreement>(i);
  return std::nullopt;
}

document tell(machine const& m, std::vector<root_row> const& roots) {
  document d = head_of(m);
  d.add(blank{});
  if (roots.empty()) {
    d.add(
        paragraph{"No root was found: no register names one, and nothing in the dump looks like one. --shape looks for "
                  "tables without KVM's structures."});
  } else {
    table t{.header = {"root", "kind", "where", "vmid", "ipa", "pages", "tables", "leaves", "VTCR_EL2", "seen by"},
            .rows = {}};
    for (root_row const& r : roots)
      t.rows.push_back({hex(r.root), r.kind, r.where, r.vmid ? fmt::format("{}", *r.vmid) : "-",
                        fmt::format("{}{}", r.known_size ? "" : ">=", r.ipa_bits), fmt::format("{}", r.pages),
                        r.absent != 0 ? fmt::format("{}, {} absent", r.tables, r.absent) : fmt::format("{}", r.tables),
                        fmt::format("{}", r.leaves), r.vtcr_el2 ? hex(*r.vtcr_el2) : "-",
                        fmt::format("{}", fmt::join(r.seen_by, ", "))});
    d.add(std::move(t));
  }
  if (m.searched != 0) d.add(paragraph{fmt::format("searched {} of memory", size_name(m.searched))});
  return d;
}

std::string to_json(machine const& m, std::vector<root_row> const& roots) {
  json_value out = answer_json("tables-find");
  add_head(out, m);
  out["roots"] = json_value::array();
  for (root_row const& r : roots)
    out["roots"].push_back({{"root", hex(r.root)},
                            {"kind", r.kind},
                            {"vmid", r.vmid ? json_value(*r.vmid) : json_value(nullptr)},
                            {"vtcr_el2", optional_hex(r.vtcr_el2)},
                            {"ipa_bits", r.ipa_bits},
                            {"pages", r.pages},
                            {"leaves", r.leaves},
                            {"seen_by", r.seen_by},
                            {"name", r.name},
                            {"where", r.where},
                            {"tables", r.tables},
                            {"absent_tables", r.absent}});
  return json_text(out);
}

document tell(machine const& m, who_answer const& a) {
  document d = head_of(m);
  d.add(blank{});
  d.add(heading{fmt::format("PA {}", hex(a.where)), 2});
  if (a.owners.empty()) {
    d.add(paragraph{"nobody maps it, in the tables that were found", 2});
    return d;
  }
  d.add(owners_table(a.owners));
  d.add(paragraph{fmt::format("{}: {}", a.mismatch == disagreement::none ? "agree" : "mismatched",
                              consequences[static_cast<unsigned>(a.mismatch)]),
                  2});
  return d;
}

std::string to_json(machine const& m, who_answer const& a) {
  json_value out = answer_json("tables-who");
  add_head(out, m);
  out["pa"] = hex(a.where);
  out["owners"] = json_value::array();
  for (owned const& o : a.owners) out["owners"].push_back(owned_json(o));
  out["mismatch"] = name(a.mismatch);
  return json_text(out);
}

namespace {

// Who can end the disagreements over what is cached, as far as VMs are concerned.
struct repairs {
  bool by_guest = false;
  bool by_fwb = false;   // instead of the guest
  bool by_leaf = false;  // stage 2 forbids what the others have
};
repairs repairs_of(machine const& m, mismatches_answer const& a) {
  repairs out;
  for (mismatched_range const& r : a.ranges) {
    if (r.how < disagreement::write_policy) continue;
    for (owned const& two : r.owners) {
      if (two.kind != owner_kind::stage2) continue;
      out.by_leaf = out.by_leaf || !is_write_back(two.attributes);
      bool const asks_for_less = std::any_of(r.owners.begin(), r.owners.end(), [&](owned const& one) {
        return one.kind == owner_kind::guest && one.vm == two.vm && !is_write_back(one.attributes);
      });
      if (!asks_for_less || !is_write_back(two.attributes)) continue;
      out.by_guest = true;
      out.by_fwb = out.by_fwb || !m.vms[*two.vm].fwb.value_or(false);
    }
  }
  return out;
}

}  // namespace

document tell(machine const& m, mismatches_answer const& a) {
  document d = head_of(m);
  for (mismatched_range const& r : a.ranges) {
    d.add(blank{});
    d.add(heading{
        fmt::format("PA {} to {}, {}: {}", hex(r.first), hex(r.first + (r.size - 1)), size_name(r.size), name(r.how)),
        2});
    d.add(owners_table(r.owners));
  }
  d.add(blank{});
  u64 pages[4] = {};
  for (mismatched_range const& r : a.ranges) pages[static_cast<unsigned>(r.how)] += r.size / 4096;
  u64 const all = pages[1] + pages[2] + pages[3];
  std::string line = fmt::format("{} of {} pages that VMs map are mismatched", all, a.guest_pages);
  for (unsigned i = 3; i > 0; --i)
    if (pages[i] != 0) line += fmt::format("; {} {}", pages[i], disagreements[i]);
  d.add(paragraph{line});
  if (a.host_only_pages != 0)
    d.add(paragraph{
        fmt::format("{} more pages are mismatched in the host alone: --host-too lists them", a.host_only_pages)});
  repairs const found = repairs_of(m, a);
  if (found.by_guest)
    d.add(
        paragraph{fmt::format("repair where a guest asks for less than its stage 2 grants: Normal-WB in the guest's "
                              "stage 1{}; vmsa coherency shows the stale reads",
                              found.by_fwb ? ", or FWB on the host" : "")});
  if (found.by_leaf)
    d.add(
        paragraph{"repair where stage 2 itself is not Normal-WB: a Normal-WB leaf there, if the memory may be cached; "
                  "neither the guest nor FWB changes it"});
  return d;
}

std::string to_json(machine const& m, mismatches_answer const& a) {
  json_value out = answer_json("tables-mismatches");
  add_head(out, m);
  out["guest_pages"] = a.guest_pages;
  out["host_only_pages"] = a.host_only_pages;
  out["ranges"] = json_value::array();
  for (mismatched_range const& r : a.ranges) {
    json_value owners = json_value::array();
    for (owned const& o : r.owners) owners.push_back(owned_json(o));
    out["ranges"].push_back(
        {{"pa", hex(r.first)}, {"size", r.size}, {"owners", std::move(owners)}, {"class", name(r.how)}});
  }
  return json_text(out);
}

namespace {

std::string say_leaf(descriptor d, bool fwb) {
  u8 const ap = static_cast<u8>(stage2_bits::s2ap::get(d.raw));
  std::string access = (ap & 1) != 0 ? "r" : "";
  if ((ap & 2) != 0) access += "w";
  u8 const xn = static_cast<u8>(stage2_bits::xn::get(d.raw));
  return fmt::format("{} {} {}", stage2_type(d, fwb).text(), access.empty() ? "none" : access,
                     xn == 0   ? "x"
                     : xn == 2 ? "-"
                     : xn == 1 ? "el0"
                               : "el1");
}

std::string say_change(table_change const& c) {
  if (c.kind == change_kind::mapped) return say_leaf(*c.after, c.fwb);
  if (c.kind == change_kind::unmapped) return say_leaf(*c.before, c.fwb);
  if (c.kind == change_kind::output_address) return fmt::format("pa {} -> {}", hex(*c.pa_before), hex(*c.pa_after));
  std::string const before = say_leaf(*c.before, c.fwb);
  std::string const after = say_leaf(*c.after, c.fwb);
  return before == after ? fmt::format("{} -> {}", hex(c.before->raw), hex(c.after->raw))
                         : fmt::format("{} -> {}", before, after);
}

}  // namespace

document tell(diff_answer const& a) {
  document d;
  for (std::string const& note : a.notes) d.add(paragraph{note});
  std::string vm;
  table t;
  auto const finish = [&] {
    if (!t.rows.empty()) d.add(std::move(t));
    t = {.header = {"change", "ipa first", "last", "pa", "what", "leaves"}, .rows = {}, .indent = 2};
  };
  finish();
  for (std::size_t i = 0; i < a.changes.size();) {
    table_change const& c = a.changes[i];
    if (c.vm != vm) {
      finish();
      vm = c.vm;
      d.add(heading{vm, 2});
    }
    // Leaves of one kind that follow each other are one line.
    std::size_t j = i + 1;
    u64 end = c.ipa + c.size;
    std::string const what = say_change(c);
    auto const follows = [&](table_change const& n) {
      return n.vm == c.vm && n.kind == c.kind && n.ipa == end && c.kind != change_kind::output_address &&
             say_change(n) == what;
    };
    for (; j < a.changes.size() && follows(a.changes[j]); ++j) end += a.changes[j].size;
    std::optional<pa> const at = c.pa_before ? c.pa_before : c.pa_after;
    t.rows.push_back(
        {std::string(name(c.kind)), hex(c.ipa), hex(end - 1), at ? hex(*at) : "", what, fmt::format("{}", j - i)});
    i = j;
  }
  finish();
  std::string tables = a.tables == 0 ? "as many tables"
                                     : fmt::format("{} table{} {}", std::abs(a.tables),
                                                   std::abs(a.tables) == 1 ? "" : "s", a.tables > 0 ? "more" : "less");
  d.add(paragraph{fmt::format("{} leaves differ; {}", a.changes.size(), tables)});
  return d;
}

std::string to_json(diff_answer const& a) {
  json_value out = answer_json("tables-diff");
  out["notes"] = a.notes;
  out["tables"] = a.tables;
  out["changes"] = json_value::array();
  for (table_change const& c : a.changes)
    out["changes"].push_back({{"kind", name(c.kind)},
                              {"ipa", hex(c.ipa)},
                              {"size", c.size},
                              {"before", optional_hex(c.before)},
                              {"after", optional_hex(c.after)},
                              {"vm", c.vm},
                              {"pa_before", optional_hex(c.pa_before)},
                              {"pa_after", optional_hex(c.pa_after)}});
  return json_text(out);
}

document tell(machine const& m, std::vector<stats_answer> const& answers) {
  document d = head_of(m);
  for (stats_answer const& a : answers) {
    d.add(blank{});
    d.add(heading{fmt::format("{}: {} mapped by {} leaves in {} ranges; {} tables, {}", a.name, size_name(a.bytes),
                              a.leaves, a.ranges, a.tables, size_name(a.table_bytes)),
                  2});
    table t{.header = {"level", "leaf", "leaves", "bytes", "contiguous"}, .rows = {}, .indent = 2};
    for (stats_row const& r : a.levels)
      t.rows.push_back({fmt::format("{}", number(r.at)), size_name(level_size(a.tg, r.at)), fmt::format("{}", r.leaves),
                        size_name(r.bytes), fmt::format("{}", r.contiguous)});
    d.add(std::move(t));
    table types{.header = {"type", "bytes"}, .rows = {}, .indent = 2};
    for (stats_type const& s : a.types) types.rows.push_back({s.type, size_name(s.bytes)});
    d.add(std::move(types));
    std::string const large = size_name(level_size(a.tg, level::l2));
    d.add(paragraph{
        fmt::format("pages that could be blocks of {}: {}; that could be but for the low bits of IPA and PA: {}", large,
                    a.could_be_blocks, a.misaligned_blocks),
        2});
    if (a.absent != 0) d.add(paragraph{fmt::format("{} tables are not in the dump", a.absent), 2});
  }
  return d;
}

std::string to_json(machine const& m, std::vector<stats_answer> const& answers) {
  json_value out = answer_json("tables-stats");
  add_head(out, m);
  out["vms"] = json_value::array();
  for (stats_answer const& a : answers) {
    json_value levels = json_value::array();
    for (stats_row const& r : a.levels)
      levels.push_back({{"level", number(r.at)},
                        {"leaf_size", level_size(a.tg, r.at)},
                        {"leaves", r.leaves},
                        {"bytes", r.bytes},
                        {"contiguous", r.contiguous}});
    json_value types = json_value::object();
    for (stats_type const& s : a.types) types[s.json] = s.bytes;
    out["vms"].push_back({{"name", a.name},
                          {"granule", name(a.tg)},
                          {"leaves", a.leaves},
                          {"bytes", a.bytes},
                          {"ranges", a.ranges},
                          {"tables", a.tables},
                          {"table_bytes", a.table_bytes},
                          {"levels", std::move(levels)},
                          {"types", std::move(types)},
                          {"could_be_blocks", a.could_be_blocks},
                          {"misaligned_blocks", a.misaligned_blocks},
                          {"absent_tables", a.absent}});
  }
  return json_text(out);
}

}  // namespace vmsa::text
