// SPDX-License-Identifier: MIT
// The two questions that judge: what the kernel printed, and what the kernel should have mapped.
#include <fmt/ranges.h>

#include <map>

#include "text/report/tables_head.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view dialects[] = {"stage2_page_tables of 6.12, where X means never", "stage2_page_tables of 7.x",
                                         "kernel_page_tables"};
constexpr std::string_view dialect_names[] = {"stage2-6.12", "stage2-7", "kernel"};

std::string joined(std::vector<std::string> const& words) {
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

document tell(machine const& m, check_answer const& a) {
  document d = head_of(m);
  d.add(paragraph{fmt::format("{}, against {}{}", dialects[static_cast<unsigned>(a.dialect)], a.against,
                              a.chosen ? ", the only VM that agrees" : ""),
                  2});
  if (!a.differences.empty()) {
    table t{.header = {"line", "first", "last", "the text says", "the dump says"}, .rows = {}, .indent = 2};
    for (text_difference const& f : a.differences)
      t.rows.push_back({f.line != 0 ? fmt::format("{}", f.line) : "-", hex(f.first), hex(f.first + (f.size - 1)),
                        f.text_says, f.dump_says});
    d.add(blank{}).add(std::move(t));
  }
  d.add(paragraph{
      a.different == 0
          ? fmt::format("{} pages, no difference; output addresses and memory types are in no such text", a.pages)
          : fmt::format("{} of {} pages differ", a.different, a.pages)});
  return d;
}

std::string to_json(machine const& m, check_answer const& a) {
  json_value out = answer_json("tables-check");
  add_head(out, m);
  out["against"] = a.against;
  out["chosen"] = a.chosen;
  out["dialect"] = dialect_names[static_cast<unsigned>(a.dialect)];
  out["pages"] = a.pages;
  out["different"] = a.different;
  out["differences"] = json_value::array();
  for (text_difference const& f : a.differences)
    out["differences"].push_back({{"line", f.line != 0 ? json_value(f.line) : json_value(nullptr)},
                                  {"first", hex(f.first)},
                                  {"size", f.size},
                                  {"text", f.text_says},
                                  {"dump", f.dump_says}});
  return json_text(out);
}

document tell(machine const& m, audit_answer const& a) {
  document d = head_of(m);
  d.add(paragraph{fmt::format("policy {}, host {}", a.policy, a.host), 2});
  table explained{
      .header = {"vm", "page", "vma", "type", "explained by", "memory such as", "pages"}, .rows = {}, .indent = 2};
  std::map<std::vector<std::string>, u64> groups;
  table rest{.header = {"vm", "ipa", "pa", "size", "leaf", "page", "vma", "the policy maps"}, .rows = {}, .indent = 2};
  for (audit_row const& r : a.rows) {
    std::string const leaf =
        fmt::format("{} {} {}", r.type.text(), access_name(r.rights), r.rights.execute ? "x" : "-");
    if (r.rules.empty()) {
      rest.rows.push_back({r.vm, hex(r.ipa), hex(r.first), size_name(r.size), leaf, r.page, r.vma, joined(r.expected)});
    } else {
      std::vector<std::string> some = r.backings;
      constexpr std::size_t most = 3;
      if (some.size() > most) {
        std::string const more = fmt::format("{} more", some.size() - most);
        some.resize(most);
        some.push_back(more);
      }
      groups[{r.vm, r.page, r.vma, leaf, joined(r.rules), joined(some)}] += r.size / 4096;
    }
  }
  for (auto const& [cells, pages] : groups) {
    std::vector<std::string> row = cells;
    row.push_back(fmt::format("{}", pages));
    explained.rows.push_back(std::move(row));
  }
  if (!explained.rows.empty()) d.add(blank{}).add(std::move(explained));
  if (!rest.rows.empty()) d.add(blank{}).add(heading{"not explained by any row of the policy", 2}).add(std::move(rest));
  d.add(blank{}).add(paragraph{
      a.unexplained == 0
          ? fmt::format("{} pages, all explained", a.pages)
          : fmt::format("{} of {} pages are not what this kernel would have mapped", a.unexplained, a.pages)});
  return d;
}

std::string to_json(machine const& m, audit_answer const& a) {
  json_value out = answer_json("tables-audit");
  add_head(out, m);
  out["policy"] = a.policy;
  out["host"] = a.host;
  out["pages"] = a.pages;
  out["unexplained"] = a.unexplained;
  out["ranges"] = json_value::array();
  for (audit_row const& r : a.rows)
    out["ranges"].push_back({{"vm", r.vm},
                             {"ipa", hex(r.ipa)},
                             {"pa", hex(r.first)},
                             {"size", r.size},
                             {"descriptor", hex(r.leaf.raw)},
                             {"memory_type", r.type.json()},
                             {"access", access_name(r.rights)},
                             {"execute", r.rights.execute},
                             {"page_class", r.page},
                             {"linear_map", r.linear},
                             {"vma", r.vma},
                             {"rules", r.rules},
                             {"backings", r.backings},
                             {"expected", r.expected}});
  return json_text(out);
}

}  // namespace vmsa::text
