// SPDX-License-Identifier: MIT
#include "vmsa/text/coherency_report.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/lines.hpp"

namespace vmsa::cli {
namespace {

constexpr int not_finished = 3;
constexpr std::size_t longest_scenario = std::size_t{1} << 20;  // bytes

struct coherency_options {
  std::string file;
  std::string format = "text";
  bool json = false, list = false, print = false;
  bool no_speculation = false, one_cache = false, no_projection = false, no_symmetry = false, no_repair = false;
  std::size_t max_states = 0;
  std::uint64_t max_memory = std::uint64_t{4} << 30;
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
  std::string out = "vmsa coherency " + o.file;
  if (o.no_speculation) out += " --no-speculation";
  if (o.one_cache) out += " --one-cache-per-domain";
  if (o.no_projection) out += " --no-projection";
  if (o.no_symmetry) out += " --no-symmetry";
  if (o.max_states != 0) out += fmt::format(" --max-states {}", o.max_states);
  if (o.max_memory != coherency_options{}.max_memory) out += fmt::format(" --max-memory {}", o.max_memory);
  return out;
}

void list(bool json) {
  auto out = nlohmann::ordered_json::array();
  for (text::builtin_scenario const& b : text::builtin_scenarios()) {
    text::coherency_file const f = text::parse_coherency(b.toml, std::string(b.name));
    std::string_view const expect = f.expect ? text::name(*f.expect) : "";
    if (json)
      out.push_back({{"name", b.name}, {"expect", expect}, {"title", f.title}});
    else
      fmt::print("{:<30} {:<10} {}\n", b.name, expect, f.title);
  }
  if (json) fmt::print("{}\n", out.dump(2));
}

int answer(coherency_options const& o) {
  if (o.json && o.format != "text" && o.format != "json")
    throw text::input_error("", 0, "--json and --format " + o.format, "one of the two");
  if (o.list) {
    if (!o.file.empty()) throw text::input_error("", 0, fmt::format("--list and \"{}\"", o.file), "one of the two");
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
  options.max_bytes = o.max_memory;
  options.threads = o.threads;
  options.progress = [](std::size_t states, std::size_t transitions) {
    fmt::print(stderr, "{} states, {} transitions ...\n", states, transitions);
  };
  if (!o.json && o.format == "promela") {
    options.model.symmetry = false;  // SPIN tells agents apart
    fmt::print("{}", text::coherency_as_promela(report.file, compile(report.file.scenario, options.model)));
    return 0;
  }
  report.result = check(report.file.scenario, options);
  if (report.result.outcome == coherency::verdict::violation && !o.no_repair) {
    coherency::repair_options repair{.check = options};
    report.repair = find_repair(report.file.scenario, repair);
  }
  if (o.json) {
    fmt::print("{}", text::coherency_as_json(report));
  } else if (o.format == "markdown") {
    fmt::print("{}", text::coherency_as_markdown(report));
  } else if (o.format == "svg") {
    fmt::print("{}", text::coherency_as_svg(report));
  } else {
    fmt::print("{}", text::coherency_as_text(report));
  }
  switch (report.result.outcome) {
    case coherency::verdict::coherent:
      return 0;
    case coherency::verdict::violation:
      return 1;
    case coherency::verdict::not_finished:
      break;
  }
  return not_finished;
}

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
  command->add_option("--max-states", o->max_states, "stop after this many states")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40));
  command->add_option("--max-memory", o->max_memory, "stop at this much memory, such as 512M (default 4G)")
      ->transform(CLI::AsSizeValue(false));
  command->add_option("--threads", o->threads, "default: as many as the machine has; the answer does not depend on it")
      ->check(CLI::Range(1, 256));
  command->add_flag("--no-projection", o->no_projection, "explore all lines together");
  command->add_flag("--no-symmetry", o->no_symmetry, "tell identical agents apart");
  command->add_flag("--no-speculation", o->no_speculation, "ablation: caches fill on demand only (unsound)");
  command->add_flag("--one-cache-per-domain", o->one_cache, "ablation: PEs of a domain share a cache (unsound)");
  command->footer(
      "Exit code 0: coherent; 1: a violation, told step by step; 2: bad input; 3: not finished within the limits.\n\n"
      "Examples:\n"
      "  vmsa coherency seed\n"
      "  vmsa coherency migration --format markdown\n"
      "  vmsa coherency --print vring > mine.toml; vmsa coherency mine.toml --json\n"
      "  vmsa coherency seed --format promela > seed.pml; spin -a seed.pml; cc -O2 -DSAFETY -o pan pan.c; ./pan\n");
  command->callback([o, &exit_code] {
    if (o->format == "json") o->json = true;
    exit_code = answer(*o);
  });
}

}  // namespace vmsa::cli
