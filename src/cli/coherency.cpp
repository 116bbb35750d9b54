// SPDX-License-Identifier: MIT
#include "vmsa/text/report/coherency_report.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "command.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::cli {
namespace {

constexpr int not_finished = 3;
constexpr u64 the_command_itself = u64{12} << 20;               // bytes: code, libraries and the scenario
constexpr std::size_t longest_scenario = std::size_t{1} << 20;  // bytes

struct coherency_options {
  std::string file;
  std::string format = "text";
  bool json = false, list = false, print = false;
  bool no_speculation = false, one_cache = false, no_projection = false, no_symmetry = false, no_repair = false;
  u64 max_states = 0, max_time = 0;
  std::string max_memory;
  unsigned threads = 0;
};

text::builtin_scenario const* find_builtin(std::string const& name) {
  auto const& all = text::builtin_scenarios();
  auto const at = std::find_if(all.begin(), all.end(), [&](text::builtin_scenario const& b) { return b.name == name; });
  return at == all.end() ? nullptr : &*at;
}

// What FILE may be. There are too many built-ins for one line: those that `part` is part of, else some.
std::string valid_scenarios(std::string const& part) {
  std::vector<std::string_view> names;
  for (text::builtin_scenario const& b : text::builtin_scenarios())
    if (!part.empty() && b.name.find(part) != std::string_view::npos) names.push_back(b.name);
  constexpr std::size_t a_line = 8;
  if (names.empty() || names.size() > a_line) names = {"seed", "migration", "vring"};
  return fmt::format(
      "a file, - for standard input, or a built-in scenario such as {}; vmsa coherency --list has all {}",
      fmt::join(names, " "), text::builtin_scenarios().size());
}

// A name is a built-in unless it looks like a path: `seed` is the built-in even beside a file of that name.
std::string source(std::string const& name) {
  if (text::builtin_scenario const* b = find_builtin(name)) return std::string(b->toml);
  bool const path = name == "-" || name.find('/') != std::string::npos || name.find('.') != std::string::npos;
  if (!path && !std::filesystem::exists(name))
    throw text::input_error("", 0, fmt::format("no scenario \"{}\"", name), valid_scenarios(name));
  return text::read_text(name, longest_scenario);
}

std::string command_line(coherency_options const& o) {
  std::string out = "vmsa coherency " + text::shell_word(o.file);
  if (o.no_speculation) out += " --no-speculation";
  if (o.one_cache) out += " --one-cache-per-domain";
  if (o.no_projection) out += " --no-projection";
  if (o.no_symmetry) out += " --no-symmetry";
  if (o.max_states != 0) out += fmt::format(" --max-states {}", o.max_states);
  if (!o.max_memory.empty()) out += " --max-memory " + text::shell_word(o.max_memory);
  if (o.max_time != 0) out += fmt::format(" --max-time {}", o.max_time);
  return out;
}

u64 memory_limit(std::string const& typed) {
  if (typed.empty()) return coherency::check_options{}.max_bytes;
  std::optional<u64> const size = text::parse_size(typed);
  if (!size || *size == 0)
    throw text::input_error("", 0, fmt::format("--max-memory {}", typed),
                            "bytes below 2^64, with K M G or T: 512M, 4G");
  return *size;
}

void list(bool json) {
  auto out = text::json_value::array();
  for (text::builtin_scenario const& b : text::builtin_scenarios()) {
    text::coherency_file const f = text::parse_coherency(b.toml, std::string(b.name));
    std::string_view const expect = f.expect ? text::name(*f.expect) : "";
    if (json)
      out.push_back({{"name", b.name}, {"expect", expect}, {"title", f.title}});
    else
      fmt::print("{:<30} {:<10} {}\n", b.name, expect, f.title);
  }
  if (json) fmt::print("{}", text::json_text(out));
}

int answer(coherency_options const& o) {
  if (o.json && o.format != "text" && o.format != "json")
    throw text::input_error("", 0, "--json and --format " + o.format, "one of the two");
  if (o.list) {
    list(o.json);
    return 0;
  }
  if (o.file.empty()) throw text::input_error("", 0, "no scenario is named", valid_scenarios(""));
  std::string const toml = source(o.file);
  if (o.print) {
    fmt::print("{}", toml);
    return 0;
  }
  text::coherency_report report;
  report.file = text::parse_coherency(toml, o.file);
  report.command = command_line(o);
  coherency::check_options options;
  options.model = {.speculation = !o.no_speculation, .cache_per_pe = !o.one_cache, .symmetry = !o.no_symmetry};
  options.project = !o.no_projection;
  if (o.max_states != 0) options.max_states = o.max_states;
  u64 const limit = memory_limit(o.max_memory);
  options.max_bytes = limit - std::min(limit, the_command_itself);
  options.threads = o.threads;
  progress_line progress;
  options.progress = [&](u64 states, u64 transitions) {
    progress.show(fmt::format("{} states, {} transitions", states, transitions));
  };
  auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(o.max_time);
  options.stop = [&] {
    if (interrupted != 0) return coherency::stop_reason::interrupt;
    bool const late = o.max_time != 0 && std::chrono::steady_clock::now() >= until;
    return late ? coherency::stop_reason::time : coherency::stop_reason::none;
  };
  interruptible const by_user;
  if (!o.json && o.format == "promela") {
    options.model.symmetry = false;  // SPIN tells agents apart
    fmt::print("{}", text::coherency_as_promela(report.file, compile(report.file.scenario, options.model)));
    return 0;
  }
  report.result = check(report.file.scenario, options);
  if (report.result.outcome == coherency::check_outcome::violation && !o.no_repair) {
    coherency::repair_options repair;
    repair.check = options;
    if (o.max_states != 0) repair.state_budget = o.max_states;
    repair.progress = [&](coherency::repair_result const& so_far) {
      progress.show(fmt::format("repair: {} explorations, {} found", so_far.explorations, so_far.sets.size()));
    };
    report.repair = find_repair(report.file.scenario, repair);
  }
  if (o.json) {
    fmt::print("{}", text::coherency_as_json(report));
  } else if (o.format == "markdown") {
    fmt::print("{}", as_markdown(tell_coherency(report)));
  } else if (o.format == "svg") {
    fmt::print("{}", text::coherency_as_svg(report));
  } else {
    fmt::print("{}", as_text(tell_coherency(report)));
  }
  if (interrupted != 0) return by_interrupt;
  switch (report.result.outcome) {
    case coherency::check_outcome::coherent: return 0;
    case coherency::check_outcome::violation: return 1;
    case coherency::check_outcome::not_finished: break;
  }
  return not_finished;
}

constexpr question_row coherency_questions[] = {
    {"--list", "--list --json", "--list alone, or with --json"},
    {"--print", "--print FILE", "FILE: nothing is explored"},
};
// SPIN explores, and not this command: what says how to explore, and how far, counts for nothing.
constexpr question_row coherency_for_spin[] = {
    {"--format", "--format FILE --no-speculation --one-cache-per-domain",
     "FILE, --no-speculation and --one-cache-per-domain: SPIN does the exploring"}};

}  // namespace

void add_coherency(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("coherency", "Can anyone read stale data? Explores every interleaving of a scenario");
  auto o = std::make_shared<coherency_options>();
  command->add_option("FILE", o->file,
                      "scenario in TOML, - for standard input, or a built-in: seed, migration, vring ...");
  command->add_option("--format", o->format, "text, markdown, svg (sequence diagram), promela (for SPIN), json")
      ->check(CLI::IsMember({"text", "markdown", "svg", "promela", "json"}));
  command->add_flag("--json", o->json, "the same as --format json");
  command->add_flag("--list", o->list, "list the built-in scenarios");
  command->add_flag("--print", o->print, "print the scenario instead of exploring it");
  command->add_flag("--no-repair", o->no_repair, "do not look for a repair");
  command
      ->add_option("--max-states", o->max_states,
                   "stop after this many states, and the search for a repair after as many again")
      ->check(CLI::Range(u64{1}, u64{1} << 40));
  command->add_option("--max-memory", o->max_memory,
                      "stop at this much memory for states, tables and threads, such as 512M (default 4G)");
  command->add_option("--max-time", o->max_time, "stop after this many seconds, repair included")
      ->check(CLI::Range(u64{1}, u64{1} << 32));
  command->add_option("--threads", o->threads, "default: as many as the machine has; the answer does not depend on it")
      ->check(CLI::Range(1, 256));
  command->add_flag("--no-projection", o->no_projection, "explore all lines together");
  command->add_flag("--no-symmetry", o->no_symmetry, "tell identical agents apart");
  command->add_flag("--no-speculation", o->no_speculation, "ablation: caches fill on demand only (unsound)");
  command->add_flag("--one-cache-per-domain", o->one_cache, "ablation: PEs of a domain share a cache (unsound)");
  command->footer(
      "Exit code 0: coherent; 1: a violation, told step by step; 2: bad input; 3: not finished within the limits; "
      "130:\n"
      "interrupted, and what was known is told.\n\n"
      "Examples:\n"
      "  vmsa coherency seed\n"
      "  vmsa coherency migration --format markdown\n"
      "  vmsa coherency --print vring > mine.toml; vmsa coherency mine.toml --json\n"
      "  vmsa coherency seed --format promela > seed.pml; spin -a seed.pml; cc -O2 -DSAFETY -o pan pan.c; ./pan\n");
  command->callback([o, command, &exit_code] {
    refuse_foreign_options(*command, coherency_questions);
    if (o->format == "promela" && !o->json) refuse_foreign_options(*command, coherency_for_spin);
    if (o->format == "json") o->json = true;
    exit_code = answer(*o);
  });
}

}  // namespace vmsa::cli
