// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/read/combine_arguments.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/combine_report.hpp"

namespace vmsa::cli {
namespace {

struct combine_options {
  std::string stage1;
  std::string stage2;
  std::string s1_sh = "inner";
  std::string s2_sh = "inner";
  text::combine_question question{};
  bool stage1_off = false;
  bool cache_off = false;
  bool instruction_cache_off = false;
  bool table = false;
  format_option format{{"text", "markdown", "json"}};
};

void print_pair(combine_options const& a, text::combine_question const& q) {
  fmt::print("{}", answered(a.format.chosen(), q, text::answer(q)));
}

void print_table(combine_options const& a, text::combine_question const& q) {
  fmt::print("{}", answered(a.format.chosen(), text::combine_table(q), q.stage2.fwb));
}

void run(combine_options const& a) {
  text::combine_question q = a.question;
  q.s1_sh = text::parse_sh("--s1-sh", a.s1_sh);
  q.s2_sh = text::parse_sh("--s2-sh", a.s2_sh);
  q.stage1.enabled = !a.stage1_off;
  q.stage1.data_cacheable = !a.cache_off;
  q.stage1.instruction_cacheable = !a.instruction_cache_off;
  q.stage1.fetch = q.stage2.fetch;
  if (a.table) {
    if (!a.stage1.empty() || !a.stage2.empty())
      throw text::input_error("", 0, "--table covers every pair", "either --table or STAGE1 and STAGE2");
    print_table(a, q);
    return;
  }
  bool const has_stage1 = !a.stage1_off && !q.stage1.dc;
  if ((has_stage1 && a.stage1.empty()) || a.stage2.empty())
    throw text::input_error("", 0, fmt::format("no {} given", a.stage1.empty() && has_stage1 ? "STAGE1" : "STAGE2"),
                            "STAGE1 and STAGE2, or --table");
  if (!a.stage1.empty() && !has_stage1)
    throw text::input_error("", 0, fmt::format("STAGE1 with {}", a.stage1_off ? "--stage1-off" : "--dc"),
                            "--s2 alone: there is no stage 1");
  if (!a.stage1.empty()) q.mair = text::parse_mair_byte("STAGE1", a.stage1);
  q.memattr = text::parse_memattr("STAGE2", a.stage2, q.stage2.fwb);
  print_pair(a, q);
}

}  // namespace

void add_combine(CLI::App& app, int&) {
  auto const a = std::make_shared<combine_options>();
  CLI::App* const command =
      app.add_subcommand("combine", "Combine stage 1 with stage 2 memory attributes, with reasons");
  command->add_option("STAGE1,--s1,--mair", a->stage1, "MAIR byte (0xff, 44) or type (normal-wb, device-nGnRE)");
  command->add_option("STAGE2,--s2,--memattr", a->stage2,
                      "MemAttr (0xf, 0b0101, 0101) or type (normal-nc), or stage1: what stage 1 says");
  command->add_option("--s1-sh", a->s1_sh, "stage 1 SH: non inner outer, or 0 to 3 (default inner)");
  command->add_option("--s2-sh", a->s2_sh, "stage 2 SH, likewise");
  command->add_flag("--fwb", a->question.stage2.fwb, "HCR_EL2.FWB=1; --fwb off: 0, the default");
  command->add_flag("--cd", a->question.stage2.cd, "HCR_EL2.CD=1");
  command->add_flag("--id", a->question.stage2.id, "HCR_EL2.ID=1");
  command->add_flag("--dc", a->question.stage1.dc, "HCR_EL2.DC=1: default cacheable, no stage 1");
  command->add_flag("--dct", a->question.stage1.dct, "HCR_EL2.DCT=1: and Tagged");
  command->add_flag("--fnxs", a->question.fnxs, "stage 2 descriptor bit 11");
  command->add_flag("--fetch", a->question.stage2.fetch, "an instruction fetch instead of a data access");
  command->add_flag("--stage1-off", a->stage1_off, "SCTLR_EL1.M=0");
  command->add_flag("--c-off", a->cache_off, "SCTLR_EL1.C=0");
  command->add_flag("--i-off", a->instruction_cache_off, "SCTLR_EL1.I=0");
  command->add_flag("--table", a->table, "every stage 1 type under every MemAttr");
  a->format.add_to(*command);
  command->footer(
      "Every feature is taken as implemented; reserved encodings are read as Arm's pseudocode reads them, and said "
      "so.\n"
      "Examples:\n"
      "  vmsa combine normal-wb normal-nc\n"
      "  vmsa combine 0x44 0b0110 --fwb on\n"
      "  vmsa combine device-nGRE 0x1 --s1-sh outer --fetch --json\n"
      "  vmsa combine --stage1-off --s2 normal-wb\n"
      "  vmsa combine --table --fwb on --format markdown\n");
  command->callback([a] { run(*a); });
}

}  // namespace vmsa::cli
