// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/explain_report.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

struct explain_options {
  std::vector<std::string> files;
  std::string kvm, cpu;
  format_option format{{"text", "markdown", "json"}};
};

int run(explain_options const& a) {
  text::scan_context given;
  if (!a.kvm.empty() && !text::parse_kernel(a.kvm))
    throw text::input_error("", 0, "--kvm \"" + a.kvm + "\"", std::string(text::valid_kernel));
  if (!a.cpu.empty() && text::find_cpu(a.cpu) == nullptr)
    throw text::input_error("", 0, "--cpu \"" + a.cpu + "\"", text::cpu_names());
  std::string const format = a.format.chosen();
  given.kernel = a.kvm;
  given.cpu = a.cpu;
  text::scanner scanner(given);
  {
    progress_line progress;
    interruptible const by_user;
    auto const go_on = [&progress](u64 bytes) {
      progress.show(fmt::format("read {} MiB", bytes >> 20));
      return interrupted == 0;
    };
    std::vector<std::string> const files = a.files.empty() ? std::vector<std::string>{"-"} : a.files;
    for (std::string const& file : files)
      if (!text::scan_file(scanner, file, go_on)) break;
  }
  text::scan_answer answer = scanner.finish();
  answer.interrupted = interrupted != 0;
  std::string const out = answered(format, answer);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return answer.interrupted ? by_interrupt : 0;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto const a = std::make_shared<explain_options>();
  CLI::App* const command =
      app.add_subcommand("explain", "Find and explain every fault, register and mapping in any text");
  command->add_option("FILE", a->files, "logs, oopses, consoles, mails; plain or gzipped; - or none: standard input");
  command->add_option("--kvm", a->kvm, "the host's kernel, where the text does not say: 6.17");
  command->add_option("--cpu", a->cpu, "the processor, where the text does not say: " + text::cpu_names());
  a->format.add_to(*command);
  command->footer(
      "Each item is told once, with its first line and how often it came; a text of any length takes the same memory.\n"
      "Interrupted, it tells what it has found, and exits with 130.\n"
      "Examples:\n"
      "  dmesg | vmsa explain\n"
      "  vmsa explain console.log host-dmesg.txt --kvm 6.17 --cpu neoverse-v2\n"
      "  vmsa explain mail.txt --json\n"
      "  vmsa explain oops.txt --format markdown\n");
  command->callback([a, &exit_code] { exit_code = run(*a); });
}

}  // namespace vmsa::cli
