// SPDX-License-Identifier: MIT
#include "vmsa/text/replay.hpp"

#include "replay_table.hpp"
#include "vmsa/text/input_error.hpp"

namespace vmsa::text {
namespace {

struct table_kind {
  char const* name;
  std::unique_ptr<replay_evaluator> (*make)(column_names const&);  // null when the header is another table's
};

constexpr table_kind kinds[] = {
    {"memattr_combine", make_combine_evaluator},
    {"memattr_extra", make_attribute_context_evaluator},
    {"s2_config", make_stage2_config_evaluator},
    {"s1_perm", make_stage1_permission_evaluator},
    {"s2_perm", make_stage2_permission_evaluator},
};

std::string known_tables() {
  std::string out;
  for (table_kind const& kind : kinds) out += std::string(out.empty() ? "" : ", ") + kind.name;
  return out;
}

}  // namespace

replay_report replay(line_reader& reader, std::size_t show) {
  replay_report report;
  std::string_view line;
  std::string const file(reader.position().file);
  if (!reader.next(line)) throw input_error(file, 0, "the file is empty", "a table with a header row");

  std::unique_ptr<replay_evaluator> evaluator;
  bool more = true;
  if (line.starts_with('{')) {
    report.table = "translate";
    evaluator = make_translate_evaluator();
  } else {
    column_names const names(line, reader.position());
    for (table_kind const& kind : kinds) {
      evaluator = kind.make(names);
      if (!evaluator) continue;
      report.table = kind.name;
      break;
    }
    if (!evaluator)
      throw input_error(file, 1, "no table with this header is known",
                        "the columns of " + known_tables() + ", or the JSON lines of translate");
    more = reader.next(line);
  }

  for (; more; more = reader.next(line)) {
    if (line.empty()) continue;
    ++report.rows;
    replay_verdict verdict = evaluator->evaluate(line, reader.position());
    switch (verdict.what) {
      case replay_verdict::kind::matched: ++report.matched; break;
      case replay_verdict::kind::differed:
        if (++report.differed <= show)
          report.differences.push_back({reader.position().number, std::string(line), std::move(verdict.detail)});
        break;
      case replay_verdict::kind::skipped:
        if (++report.skipped <= show)
          report.skips.push_back({reader.position().number, std::string(line), std::move(verdict.detail)});
        break;
    }
  }
  return report;
}

}  // namespace vmsa::text
