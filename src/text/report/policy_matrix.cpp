// SPDX-License-Identifier: MIT
#include "vmsa/text/report/policy_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/report/decision_json.hpp"
#include "text/report/dma_report.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/decide_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view matrix_legend =
    "x: the guest may execute; r: it may not write; otherwise read-write and execute-never.";

bool same_leaf(decision const& a, decision const& b) {
  return same_answer(a, b) &&
         (!a.maps() || (a.memattr == b.memattr && a.duties == b.duties && a.sh_in_leaf == b.sh_in_leaf));
}

// What a table cell leaves out and yet may differ: MemAttr, and the work on caches that mapping takes.
std::string leaf_details(decision const& d) {
  std::string out = hex(d.memattr);
  if (!d.sh_in_leaf) out += ", no SH";
  if (d.duties.clean_invalidate_poc) out += ", clean to PoC";
  if (d.duties.invalidate_instruction_pou) out += ", inv I-cache";
  return out;
}
constexpr std::string_view details_legend =
    "0xf, clean to PoC: MemAttr, and the cache maintenance that mapping it takes, where they differ.";

std::string rule_name(decision const& d) { return d.row == nullptr ? "none" : d.row->id; }

// What to know of the sides by their names, each under its label.
std::vector<std::string> notes_of(std::span<policy_side const> sides) {
  std::vector<std::string> out;
  for (policy_side const& s : sides)
    if (std::optional<std::string> const note = s.policy.kernel() ? vendor_note(s.policy.name()) : std::nullopt)
      out.push_back(fmt::format("{}: {}", s.label, *note));
  return out;
}
// What a table of decisions leaves open.
void add_legend(document& d, std::initializer_list<std::string_view> legends, std::span<policy_side const> sides) {
  d.add(blank{});
  for (std::string_view const text : legends) d.add(paragraph{std::string(text)});
  for (std::string& note : notes_of(sides)) d.add(blank{}).add(paragraph{std::move(note)});
}

level shown_leaf(backing kind, decision const& d) { return inputs_of(kind).vma.pfnmap ? level::l3 : d.largest_leaf; }

}  // namespace

policy_side parse_side(std::string const& text) {
  policy_side side;
  side.label = text;
  std::size_t const colon = text.find(':');
  std::string const policy = text.substr(0, colon);
  bool const is_name = policy.ends_with(".toml") || parse_hypervisor(policy) || policy.starts_with("linux-");
  if (!is_name && !parse_kernel(policy))
    throw input_error("", 0, fmt::format("\"{}\"", text),
                      fmt::format("VERSION[:fwb,dic,lpa2] such as 6.12:fwb,dic; or one of {}, or a FILE.toml, in place "
                                  "of VERSION",
                                  hypervisor_names()));
  side.policy = find_policy(is_name ? policy : "linux-" + policy);
  if (colon == std::string::npos) return side;
  for (std::string_view rest = std::string_view(text).substr(colon + 1);;) {
    std::size_t const comma = rest.find(',');
    std::string_view const word = rest.substr(0, comma);
    if (word == "fwb") {
      side.host.cpu.s2fwb = true;
    } else if (word == "dic") {
      side.host.cpu.dic = true;
    } else if (word == "lpa2") {
      side.host.lpa2_tables = true;
    } else {
      throw input_error("", 0, fmt::format("\"{}\" in \"{}\"", word, text), "fwb dic lpa2, with commas between");
    }
    if (comma == std::string_view::npos) return side;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<policy_side> usual_sides() {
  std::vector<policy_side> sides;
  for (char const* text : {"6.1", "6.12:fwb", "6.12:fwb,dic", "7.3", "7.3:fwb,dic"}) sides.push_back(parse_side(text));
  return sides;
}

namespace {

memory_inputs with(memory_inputs m, memslot slot) {
  m.slot.read_only = m.slot.read_only || slot.read_only;
  m.slot.log_dirty = m.slot.log_dirty || slot.log_dirty;
  return m;
}

}  // namespace

matrix policy_matrix(std::vector<policy_side> sides, memslot slot, fault_access const& access) {
  matrix m;
  m.sides = std::move(sides);
  m.access = access;
  for (unsigned i = 0; i < backing_count; ++i) {
    auto const kind = static_cast<backing>(i);
    if (kind == backing::custom) continue;
    matrix::line line{kind, {}};
    for (policy_side const& s : m.sides)
      line.cells.push_back(s.policy.decide_for(s.host, with(inputs_of(kind), slot), kind, access));
    m.lines.push_back(std::move(line));
  }
  return m;
}

policy_differences policy_diff(policy_side before, policy_side after, memslot slot,
                               std::span<access_kind const> accesses) {
  policy_differences out{std::move(before), std::move(after), {}};
  policy_side const& a = out.before;
  policy_side const& b = out.after;
  for (unsigned i = 0; i < backing_count; ++i) {
    auto const kind = static_cast<backing>(i);
    if (kind == backing::custom) continue;
    memory_inputs const m = with(inputs_of(kind), slot);
    for (access_kind const access : accesses) {
      policy_difference const d{kind, access, a.policy.decide_for(a.host, m, kind, {.kind = access}),
                                b.policy.decide_for(b.host, m, kind, {.kind = access})};
      if (!same_leaf(d.before, d.after)) out.list.push_back(d);
    }
  }
  return out;
}

document tell(matrix const& m) {
  table grid{.header = {fmt::format("{} access", name(m.access.kind))}, .rows = {}};
  if (m.sides.size() > 4) grid.gap = 1;  // so that the usual five fit a terminal
  for (policy_side const& s : m.sides) grid.header.push_back(s.label);
  for (matrix::line const& line : m.lines) {
    std::vector<std::string> row{vmsa::name(line.kind)};
    for (decision const& d : line.cells) row.push_back(short_form(d));
    grid.rows.push_back(std::move(row));
  }
  document d;
  d.add(std::move(grid));
  add_legend(d, {matrix_legend}, m.sides);
  return d;
}

std::string to_json(matrix const& m) {
  json_value j = answer_json("decide-matrix");
  j["access"] = name(m.access.kind);
  j["columns"] = json_value::array();
  for (policy_side const& s : m.sides) j["columns"].push_back(s.label);
  j["rows"] = json_value::array();
  for (matrix::line const& line : m.lines) {
    json_value decisions = json_value::array();
    for (decision const& d : line.cells) decisions.push_back(decision_json(d, shown_leaf(line.kind, d), format_of(d)));
    j["rows"].push_back({{"backing", vmsa::name(line.kind)}, {"cells", std::move(decisions)}});
  }
  j["notes"] = notes_of(m.sides);
  return json_text(j);
}

namespace {

bool same_change(policy_difference const& a, policy_difference const& b) {
  return a.kind == b.kind && same_leaf(a.before, b.before) && same_leaf(a.after, b.after) &&
         a.before.row == b.before.row && a.after.row == b.after.row;
}

bool shows_details(policy_difference const& d) {
  return d.before.maps() && d.after.maps() && leaf_details(d.before) != leaf_details(d.after);
}

// Accesses of one backing that change in the same way, as one entry.
std::vector<std::pair<std::string, policy_difference>> grouped(std::span<policy_difference const> list) {
  std::vector<std::pair<std::string, policy_difference>> out;
  for (policy_difference const& d : list) {
    if (!out.empty() && same_change(out.back().second, d)) {
      out.back().first += fmt::format(",{}", name(d.access));
    } else {
      out.emplace_back(name(d.access), d);
    }
  }
  return out;
}

}  // namespace

document tell(policy_differences const& found) {
  policy_side const& a = found.before;
  policy_side const& b = found.after;
  // Up to three rows for each change: the answers, the rules that gave them, and what the answers leave out.
  table changes{.header = {"backing", "access", a.label, b.label}, .rows = {}};
  for (auto const& [accesses, d] : grouped(found.list)) {
    changes.rows.push_back({vmsa::name(d.kind), accesses, short_form(d.before), short_form(d.after)});
    changes.rows.push_back({"", "", rule_name(d.before), rule_name(d.after)});
    if (shows_details(d)) changes.rows.push_back({"", "", leaf_details(d.before), leaf_details(d.after)});
  }
  document out;
  bool const same = changes.rows.empty();
  out.add(std::move(changes));
  if (same) out.add(paragraph{"nothing differs"});
  add_legend(out, {matrix_legend, details_legend}, std::array{a, b});
  auto const before = a.policy.kernel();
  auto const after = b.policy.kernel();
  if (before && after) add_dma_changes(out, *before, *after);
  return out;
}

std::string to_json(policy_differences const& found) {
  json_value j = answer_json("decide-diff");
  policy_side const& a = found.before;
  policy_side const& b = found.after;
  j["before"] = a.label;
  j["after"] = b.label;
  auto const before = a.policy.kernel();
  auto const after = b.policy.kernel();
  j["dma_changes"] = before && after ? dma_changes_json(*before, *after) : json_value::array();
  j["changes"] = json_value::array();
  for (policy_difference const& d : found.list)
    j["changes"].push_back({{"backing", vmsa::name(d.kind)},
                            {"access", name(d.access)},
                            {"before", decision_json(d.before, shown_leaf(d.kind, d.before), format_of(d.before))},
                            {"after", decision_json(d.after, shown_leaf(d.kind, d.after), format_of(d.after))}});
  j["notes"] = notes_of(std::array{a, b});
  return json_text(j);
}

}  // namespace vmsa::text
