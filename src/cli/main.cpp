// SPDX-License-Identifier: MIT
// Exit codes: 0 answered, 1 a judging command judged negatively, 2 bad input or usage.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/version.hpp"

namespace vmsa::cli {
namespace {

constexpr int usage_error = 2;

std::string subcommands(CLI::App& app) {
  std::string out;
  for (CLI::App const* command : app.get_subcommands({})) out += (out.empty() ? "" : " ") + command->get_name();
  return out;
}

// The first word, of which CLI11 would only say that a subcommand is missing.
void require_known(CLI::App& app, int argc, char** argv) {
  std::string const name = argc > 1 ? argv[1] : "";
  if (name.empty())
    throw text::input_error("", 0, "a subcommand is required", subcommands(app) + "; vmsa --help says what each does");
  if (name[0] != '-') {
    for (CLI::App const* command : app.get_subcommands({}))
      if (command->get_name() == name) return;
    throw text::input_error("", 0, "no subcommand \"" + name + "\"", subcommands(app));
  }
  if (name != "-h" && name != "--help" && name != "--version")
    throw text::input_error("", 0, "no option \"" + name + "\"",
                            "--help --version, or a subcommand and then its options: " + subcommands(app));
}

// `text` with line breaks for the right column of a help page of 120 columns.
std::string wrapped(std::string text) {
  constexpr std::size_t width = 90;
  for (std::size_t start = 0; text.size() - start > width;) {
    std::size_t const blank = text.rfind(' ', start + width);
    if (blank == std::string::npos || blank <= start) break;
    text[blank] = '\n';
    start = blank + 1;
  }
  return text;
}

// An option's value and how often it may stand. Which others it does not go with is told where they meet, and not here,
// where forty names would hide what it is for.
class option_formatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(CLI::Option const* option) const override {
    if (option->get_type_size() == 0) return {};
    std::string out = " " + option->get_type_name();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size)
      out += " ...";
    else if (option->get_expected_min() > 1)
      out += " x " + std::to_string(option->get_expected());
    if (option->get_required()) out += " REQUIRED";
    return out;
  }
};

std::string not_empty(std::string const& value) { return value.empty() ? "an empty value" : ""; }

// What CLI11 found wrong with the words, as every other error of this command is told.
[[noreturn]] void refuse(std::string const& command, std::string problem) {
  auto const replace = [&](std::string_view before, std::string_view after) {
    std::size_t const at = problem.find(before);
    if (at != std::string::npos) problem.replace(at, before.size(), after);
    return at != std::string::npos;
  };
  if (replace(": At Most 1 required but received ", " may be given once, and was given ")) problem += " times";
  replace(": 1 required TEXT missing", " without its value");
  replace("The following argument was not expected: ", "unexpected argument ");
  replace("The following arguments were not expected: ", "unexpected arguments ");
  throw text::input_error("", 0, problem, "what vmsa " + command + " --help lists");
}

int run(int argc, char** argv) {
  CLI::App app{"Arm VMSAv8-64 stage-2 translation and memory attributes: which memory type, and why"};
  app.name("vmsa");
  app.formatter(std::make_shared<option_formatter>());
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("vmsa ") + library_version);
  app.footer(
      "Exit code 0: answered; 1: a judging command judged negatively; 2: bad input or usage; 3: a limit was reached.\n"
      "vmsa SUBCOMMAND --help has the options, and more examples.\n\n"
      "Examples:\n"
      "  dmesg | vmsa explain\n"
      "  vmsa fault\n"
      "  vmsa decide --kvm 6.17 --cpu neoverse-v2 --backing vfio-pci-bar --access write\n"
      "  vmsa coherency seed\n"
      "  vmsa translate --hcr 0x1 --vtcr 0x80023558 --word 0x0=0x7fd --ipa 0x1234\n"
      "  vmsa decode pte 0x400000000007d7\n");

  int exit_code = 0;
  constexpr add_command* commands[] = {
      // In the order of --help, one to a line.
      add_explain, add_coherency, add_fault,   add_decide, add_translate, add_classify,
      add_replay,  add_decode,    add_combine, add_tables, add_check,     add_bench,
  };
  for (add_command* add : commands) add(app, exit_code);
  for (CLI::App* command : app.get_subcommands({}))
    for (CLI::Option* option : command->get_options()) {
      option->description(wrapped(option->get_description()));
      // An empty word is a mistake of the shell's caller, but a list may well be empty.
      if (option->get_items_expected_max() > 0 && option->get_delimiter() == '\0') option->check(not_empty);
    }
  require_known(app, argc, argv);

  std::vector<std::string> words(argv + 1, argv + argc);
  for (CLI::App const* command : app.get_subcommands({}))
    if (!words.empty() && command->get_name() == words.front()) words = join_switches(*command, words);
  std::reverse(words.begin(), words.end());  // CLI11 takes a vector from its end
  try {
    app.parse(std::move(words));
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() != 0) refuse(argv[1], error.what());
    return app.exit(error);
  }
  return exit_code;
}

// Whoever reads our output may stop reading, as `head` does: that is no error. A full disk is.
volatile std::sig_atomic_t reader_left = 0;

int finish(int exit_code) {
  std::cout.flush();
  bool const written = std::fflush(stdout) == 0 && std::cout.good() && std::ferror(stdout) == 0;
  if (written || reader_left != 0) return exit_code;
  std::fputs("vmsa: cannot write the output\n", stderr);
  return usage_error;
}

}  // namespace
}  // namespace vmsa::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, [](int) { vmsa::cli::reader_left = 1; });
  try {
    return vmsa::cli::finish(vmsa::cli::run(argc, argv));
  } catch (vmsa::text::input_error const& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", error.what());
  } catch (std::bad_alloc const&) {
    std::fflush(stdout);
    std::fputs(
        "vmsa: the machine has no more memory for this input\n  valid: a smaller input, or a smaller --threads\n",
        stderr);
  } catch (std::exception const& error) {
    if (vmsa::cli::reader_left != 0) return 0;
    std::fprintf(stderr, "vmsa: %s\n", vmsa::text::printable(error.what()).c_str());
  }
  return vmsa::cli::usage_error;
}
