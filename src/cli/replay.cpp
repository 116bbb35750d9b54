// SPDX-License-Identifier: MIT
#include "vmsa/text/replay/replay.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "vmsa/text/report/replay_report.hpp"

namespace vmsa::cli {
namespace {

struct replay_options {
  std::string file;
  std::size_t show = 10;
  std::string manual = "2023-03";
  format_option format{{"text", "markdown", "json"}};
};

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
  options->format.add_to(*command);
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
    std::string const format = options->format.chosen();
    text::line_reader reader(options->file);
    interruptible const by_user;
    progress_line progress;
    u64 rows = 0;
    text::replay_report const report = text::replay(
        reader, options->show, options->manual == "current" ? manual_release::newest : manual_release::v2023_03, [&] {
          if (++rows % 1024 == 0) progress.show(fmt::format("{} rows", rows));
          return interrupted != 0;
        });
    fmt::print("{}", answered(format, report));
    exit_code = report.interrupted ? by_interrupt : report.differed == 0 ? 0 : 1;
  });
}

}  // namespace vmsa::cli
