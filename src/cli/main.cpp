// SPDX-License-Identifier: MIT
// Exit codes: 0 answered, 1 a judging command judged negatively, 2 bad input or usage.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "command.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/version.hpp"

namespace vmsa::cli {
namespace {

constexpr int usage_error = 2;

// CLI11 would only say that a subcommand is missing.
void require_known(CLI::App& app, std::string const& name) {
  std::string valid;
  for (CLI::App const* command : app.get_subcommands({})) {
    if (command->get_name() == name) return;
    valid += (valid.empty() ? "" : " ") + command->get_name();
  }
  throw text::input_error("", 0, "no subcommand \"" + name + "\"", valid);
}

int run(int argc, char** argv) {
  CLI::App app{"Arm VMSAv8-64 stage-2 translation and memory attributes: which memory type, and why"};
  app.name("vmsa");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("vmsa ") + library_version);

  int exit_code = 0;
  constexpr add_command* commands[] = {
      // In the order of --help, one to a line.
      add_coherency,
      add_fault,
      add_decide,
      add_translate,
      add_classify,
      add_replay,
      add_decode,
      add_combine,
      add_bench,
  };
  for (add_command* add : commands) add(app, exit_code);
  if (argc > 1 && argv[1][0] != '-') require_known(app, argv[1]);

  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : usage_error;
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
  } catch (std::exception const& error) {
    if (vmsa::cli::reader_left != 0) return 0;
    std::fprintf(stderr, "vmsa: %s\n", error.what());
  }
  return vmsa::cli::usage_error;
}
