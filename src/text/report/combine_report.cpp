// SPDX-License-Identifier: MIT
#include "vmsa/text/report/combine_report.hpp"

#include <fmt/format.h>

#include "text/report/attributes_json.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string cell(memory_attributes const& a) {
  if (summarize(a) == summary::mixed) return fmt::format("in {}, out {}", name(a.inner.policy), name(a.outer.policy));
  return std::string(name(summarize(a)));
}

std::string memattr_digits(u8 memattr, bool fwb) {
  return fwb ? "0bx" + binary(memattr & 0b111, 3).substr(2) : binary(memattr, 4);
}

}  // namespace

document tell(combine_question const& q, combine_answer const& a) {
  document d;
  d.add(heading{fmt::format("{} under stage 2 MemAttr {}{}: {}", describe_type(a.stage1), binary(q.memattr, 4),
                            q.stage2.fwb ? " with FWB" : "", describe(a.effective))});
  table steps{.header = {}, .rows = {}, .indent = 2};
  for (combine_step const& s : a.steps) steps.rows.push_back({s.name, s.says, s.reason});
  d.add(blank{}).add(std::move(steps));
  d.add(blank{}).add(paragraph{fmt::format("PAR_EL1.ATTR {:#04x}, PAR_EL1.SH {} ({})", a.par_attr, binary(a.par_sh, 2),
                                           long_name(static_cast<shareability>(a.par_sh))),
                               2});
  for (std::string const& note : a.notes) d.add(blank{}).add(paragraph{"note: " + note, 0});
  return d;
}

document tell(std::vector<combine_row> const& rows, bool fwb) {
  table grid{.header = {"MemAttr", "stage 2 says"}, .rows = {}};
  for (unsigned type = 0; type < combine_row{}.results.size(); ++type)
    grid.header.emplace_back(name(static_cast<summary>(type)));
  for (combine_row const& row : rows) {
    std::vector<std::string> line{memattr_digits(row.memattr, fwb), row.says};
    for (memory_attributes const& result : row.results) line.push_back(cell(result));
    grid.rows.push_back(std::move(line));
  }
  document d;
  d.add(heading{fmt::format("Stage 1 type (columns) under stage 2 MemAttr (rows), HCR_EL2.FWB={:d}", fwb)});
  d.add(blank{}).add(std::move(grid)).add(blank{});
  d.add(paragraph{fwb ? "FWB ignores MemAttr bit 3, except that 0b111x adds NoTagAccess where memory is still Tagged."
                      : "Halves that differ are written `in INNER, out OUTER`. A reserved half is read as "
                        "Non-cacheable."});
  return d;
}

std::string to_json(combine_question const& q, combine_answer const& answer) {
  auto steps = json_value::array();
  for (combine_step const& s : answer.steps)
    steps.push_back({{"step", s.name}, {"attributes", to_json(s.attributes)}, {"reason", s.reason}});
  json_value out = answer_json("combine");
  out["mair"] = hex(u64{q.mair});
  out["memattr"] = hex(u64{q.memattr});
  out["fwb"] = q.stage2.fwb;
  out["stage1"] = to_json(answer.stage1);
  out["effective"] = to_json(answer.effective);
  out["par_attr"] = hex(u64{answer.par_attr});
  out["par_sh"] = answer.par_sh;
  out["steps"] = std::move(steps);
  out["notes"] = answer.notes;
  return json_text(out);
}

std::string to_json(std::vector<combine_row> const& rows, bool fwb) {
  auto list = json_value::array();
  for (combine_row const& row : rows) {
    auto results = json_value::object();
    unsigned type = 0;
    for (memory_attributes const& result : row.results)
      results[std::string(json_name(static_cast<summary>(type++)))] = to_json(result);
    list.push_back({{"memattr", hex(u64{row.memattr})}, {"says", row.says}, {"results", std::move(results)}});
  }
  json_value out = answer_json("combine-grid");
  out["fwb"] = fwb;
  out["rows"] = std::move(list);
  return json_text(out);
}

}  // namespace vmsa::text
