// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/check_report.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::cli {
namespace {

struct check_options {
  std::string file;
  std::string least = "trace";
  std::vector<std::string> policy;
  std::string discipline;
  std::vector<std::string> errata;
  bool as_text = false;
  bool rules = false;
  bool lenient = false;
  bool final = false;
  bool af_always = false;
  format_option format{{"text", "markdown", "json"}};
};

int run(check_options const& a) {
  if (a.rules) {
    if (a.format.json()) throw text::input_error("", 0, "--rules as JSON", "--format text or markdown");
    fmt::print("{}", rendered(text::tell_trace_rules(), a.format.chosen()));
    return 0;
  }
  if (a.file.empty()) throw text::input_error("", 0, "no trace is given", "a file, or - for standard input");
  std::string content = text::read_trace_bytes(a.file);
  std::string const name = text::input_name(a.file);
  if (a.as_text) {
    fmt::print("{}", text::trace_as_text(name, std::move(content)));
    return 0;
  }
  text::check_question q;
  q.reading.lenient = a.lenient;
  q.final = a.final;
  q.policy.af_always = a.af_always;
  auto const least = text::parse_violation_severity(a.least);
  if (!least)
    throw text::input_error("", 0, fmt::format("--min-severity {}", a.least),
                            "corrupt conflict fault portable policy trace");
  q.least = *least;
  for (std::string const& p : a.policy) {
    if (p == "table_change=off")
      q.policy.table_change = false;
    else if (p == "table_change=on")
      q.policy.table_change = true;
    else
      throw text::input_error("", 0, fmt::format("--policy {}", p), "table_change=on table_change=off");
  }
  if (!a.discipline.empty() && a.discipline != "casemate")
    throw text::input_error("", 0, fmt::format("--discipline {}", a.discipline), "casemate");
  q.casemate = !a.discipline.empty();
  for (std::string const& one : a.errata)
    if (!text::set_erratum(q.policy.errata, one))
      throw text::input_error("", 0, fmt::format("--errata {}", one), text::erratum_words);
  interruptible const by_user;
  progress_line progress;
  q.go_on = [&progress](u64 events) {
    progress.show(fmt::format("{} events", events));
    return interrupted == 0;
  };
  text::trace_answer const answer = text::check_trace(name, std::move(content), q);
  fmt::print("{}", answered(a.format.chosen(), answer));
  if (answer.interrupted) return by_interrupt;
  return answer.passes() ? 0 : 1;
}

constexpr question_row check_questions[] = {
    {"--rules", "--rules --format --json", "--rules, and --format text or markdown: no trace is judged"},
    {"--text", "--text TRACE", "TRACE: nothing is judged"},
};

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto const a = std::make_shared<check_options>();
  CLI::App* const command =
      app.add_subcommand("check", "Judge a trace of table changes, barriers and TLB invalidations");
  command->add_option("TRACE", a->file, "vmsa-trace as text or binary, or a Casemate log; - is standard input");
  command->add_option("--min-severity", a->least,
                      "leave out what is less: corrupt conflict fault portable policy trace");
  command
      ->add_option("--policy", a->policy, "table_change=off: a table entry may lead to another table without a break")
      ->allow_extra_args(false);
  command->add_option("--discipline", a->discipline,
                      "casemate: its rules of locks and owners beside the architecture's");
  command
      ->add_option("--errata", a->errata,
                   "judge for processors with these as well: repeat-tlbi speculative-at carmel-cnp, or a number")
      ->allow_extra_args(false);
  command->add_flag("--af-always", a->af_always, "count entries with AF=0 as cacheable");
  command->add_flag("--final", a->final, "the end of the trace ends every operation");
  command->add_flag("--lenient", a->lenient, "skip lines that are not understood, and say how many");
  command->add_flag("--text", a->as_text, "print the trace in its text form instead");
  command->add_flag("--rules", a->rules, "print the rules that the judge goes by");
  a->format.add_to(*command);
  command->footer(
      "Exit code 0: nothing worse than severity policy; 1: a violation; 2: the trace cannot be read; 130: interrupted, "
      "and\n"
      "what was judged is told.\n"
      "Examples:\n"
      "  vmsa check unmap.vtr\n"
      "  vmsa check ring.vtb --json\n"
      "  vmsa check --text ring.vtb\n"
      "  vmsa check --min-severity conflict boot.vtr\n"
      "  vmsa check --discipline casemate pkvm.log\n"
      "  vmsa check --rules\n");
  command->callback([a, command, &exit_code] {
    refuse_foreign_options(*command, check_questions);
    exit_code = run(*a);
  });
}

}  // namespace vmsa::cli
