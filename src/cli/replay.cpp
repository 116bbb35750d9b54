// SPDX-License-Identifier: MIT
#include "vmsa/text/replay/replay.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "text/report/json.hpp"

namespace vmsa::cli {
namespace {

struct replay_options {
  std::string file;
  std::size_t show = 10;
  std::string manual = "2023-03";
  bool json = false;
};

text::json_value to_json(std::vector<text::replay_difference> const& list) {
  auto out = text::json_value::array();
  for (text::replay_difference const& d : list) out.push_back({{"line", d.line}, {"row", d.row}, {"detail", d.detail}});
  return out;
}

void print(text::replay_report const& report, replay_options const& options) {
  if (options.json) {
    text::json_value const out = {{"table", report.table},
                                  {"rows", report.rows},
                                  {"matched", report.matched},
                                  {"differed", report.differed},
                                  {"newer", report.newer},
                                  {"newer_together", report.together},
                                  {"skipped", report.skipped},
                                  {"differences", to_json(report.differences)},
                                  {"skips", to_json(report.skips)},
                                  {"unread_columns", report.unread},
                                  {"interrupted", report.interrupted}};
    fmt::print("{}", text::json_text(out));
    return;
  }
  for (auto const& d : report.differences) fmt::print("line {}: {}\n  {}\n", d.line, d.detail, d.row);
  if (report.differed > report.differences.size())
    fmt::print("... and {} more that differ\n", report.differed - report.differences.size());
  for (auto const& s : report.skips) fmt::print("line {} skipped: {}\n  {}\n", s.line, s.detail, s.row);
  if (!report.unread.empty()) fmt::print("columns not compared: {}\n", fmt::join(report.unread, " "));
  if (report.newer != 0) fmt::print("differed where the current manual does: {}\n", report.newer);
  if (report.together != 0) fmt::print("differed where its rules A and B do so only together: {}\n", report.together);
  if (report.interrupted) fmt::print("interrupted: the rows that follow were not read\n");
  fmt::print("rows {}, matched {}, differed {}, skipped {}\n", report.rows, report.matched, report.differed,
             report.skipped);
}

}  // namespace

void add_replay(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("replay", "Evaluate recorded outcomes with the model and compare");
  auto options = std::make_shared<replay_options>();
  command->add_option("FILE", options->file, "table of recorded outcomes, gzipped or not; - is standard input")
      ->required();
  command->add_option("--show", options->show, "how many differences to print (default 10)")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1'000'000}));
  command
      ->add_option("--manual", options->manual,
                   "follow this release where two differ: 2023-03, which made the tables, or current (default 2023-03)")
      ->check(CLI::IsMember({"2023-03", "current"}));
  command->add_flag("--json", options->json, "the report as JSON");
  command->footer(
      "The kind of table is recognised by its header, JSON lines by their first brace: tests/README.md has the "
      "columns.\n"
      "Exit code 0: no row differs; 1: some do; 2: the file cannot be read; 130: interrupted, and what was read is "
      "told.\n\n"
      "Examples:\n"
      "  vmsa replay memattr_combine.csv.gz\n"
      "  vmsa replay translate.jsonl.gz\n"
      "  zcat outcomes.csv.gz | vmsa replay - --show 3\n");
  command->callback([options, &exit_code] {
    text::line_reader reader(options->file);
    interruptible const by_user;
    progress_line progress;
    u64 rows = 0;
    text::replay_report const report = text::replay(
        reader, options->show, options->manual == "current" ? manual_release::newest : manual_release::v2023_03, [&] {
          if (++rows % 1024 == 0) progress.show(fmt::format("{} rows", rows));
          return interrupted != 0;
        });
    print(report, *options);
    exit_code = report.interrupted ? by_interrupt : report.differed == 0 ? 0 : 1;
  });
}

}  // namespace vmsa::cli
