// SPDX-License-Identifier: MIT
#include "vmsa/text/report/replay_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "text/report/json.hpp"

namespace vmsa::text {
namespace {

void add(document& d, std::vector<replay_difference> const& list, std::string_view how) {
  for (replay_difference const& x : list) {
    d.add(listing{{fmt::format("line {}{}: {}", x.line, how, x.detail)}, 0});
    d.add(listing{{x.row}, 2});
  }
}

json_value json_of(std::vector<replay_difference> const& list) {
  json_value out = json_value::array();
  for (replay_difference const& x : list) out.push_back({{"line", x.line}, {"row", x.row}, {"detail", x.detail}});
  return out;
}

}  // namespace

document tell(replay_report const& r) {
  document d;
  add(d, r.differences, "");
  if (r.differed > r.differences.size())
    d.add(listing{{fmt::format("... and {} more that differ", r.differed - r.differences.size())}, 0});
  add(d, r.skips, " skipped");
  listing counts{{}, 0};
  if (!r.unread.empty()) counts.items.push_back(fmt::format("columns not compared: {}", fmt::join(r.unread, " ")));
  if (r.newer != 0) counts.items.push_back(fmt::format("differed where the current manual does: {}", r.newer));
  if (r.together != 0)
    counts.items.push_back(fmt::format("differed where its rules A and B do so only together: {}", r.together));
  if (r.interrupted) counts.items.push_back("interrupted: the rows that follow were not read");
  counts.items.push_back(
      fmt::format("rows {}, matched {}, differed {}, skipped {}", r.rows, r.matched, r.differed, r.skipped));
  d.add(std::move(counts));
  return d;
}

std::string to_json(replay_report const& r) {
  json_value j = answer_json("replay");
  j.update({{"table", r.table},
            {"rows", r.rows},
            {"matched", r.matched},
            {"differed", r.differed},
            {"newer", r.newer},
            {"newer_together", r.together},
            {"skipped", r.skipped},
            {"differences", json_of(r.differences)},
            {"skips", json_of(r.skips)},
            {"unread_columns", r.unread},
            {"interrupted", r.interrupted}});
  return json_text(j);
}

}  // namespace vmsa::text
