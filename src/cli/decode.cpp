// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/decode_report.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

struct decode_options {
  std::string kind;
  std::vector<std::string> values;
  text::decode_options options;
  format_option format{{"text", "markdown", "json"}};
  bool list = false;
};

// Whether a line is text, and no value that somebody mistyped.
bool is_prose(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  unsigned words = 0;
  for (std::size_t at = line.find_first_not_of(blanks); at < line.size(); ++words)
    at = line.find_first_not_of(blanks, std::min(line.find_first_of(blanks, at), line.size()));
  return words >= 3;
}

// The values of standard input, line by line; blank lines, and lines of a log without such a value, do not count.
void decode_lines(decode_options const& a, std::vector<text::explanation>& all) {
  text::line_reader lines("-");
  std::size_t const before = all.size();
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      for (text::explanation& e : text::decode_line(a.kind, line, a.options)) all.push_back(std::move(e));
    } catch (text::input_error const& error) {
      // What is wrong with the question, and not with the line, is said at once.
      bool const asked = error.problem().starts_with("no kind") || error.problem().starts_with("--");
      if (is_prose(line) && !asked) continue;
      text::line_position const at = lines.position();
      throw text::input_error(std::string(at.file), at.number, error.problem(), error.valid());
    }
  }
  if (all.size() == before)
    throw text::input_error(std::string(lines.position().file), 0, "no value of " + a.kind,
                            "one hexadecimal value to a line, or a log with such registers or descriptors");
}

// Every kind with a value to try.
void list_kinds() {
  text::table kinds;
  kinds.header = {"kind", "example", "what it is"};
  for (text::decode_kind const& kind : text::decode_kinds())
    kinds.rows.push_back({std::string(kind.name), std::string(kind.example), std::string(kind.says)});
  text::document d;
  d.add(std::move(kinds));
  std::string const out = text::as_text(d);
  std::fwrite(out.data(), 1, out.size(), stdout);
}

void run(decode_options const& a) {
  std::string const format = a.format.chosen();
  if (a.list) return list_kinds();
  if (a.kind.empty()) throw text::input_error("", 0, "no kind is given", text::decode_kind_names() + "; --list");
  if (a.values.empty()) throw text::input_error("", 0, "no value", "one or more values, or - for standard input");
  std::vector<text::explanation> all;
  std::vector<std::string> values = a.values;
  if (text::decodes_words(a.kind) && values != std::vector<std::string>{"-"}) {
    std::string words;
    for (std::string const& value : values) words += value + " ";
    values = {words};
  }
  for (std::string const& value : values) {
    if (value == "-")
      decode_lines(a, all);
    else
      all.push_back(text::decode(a.kind, value, a.options));
  }
  std::string const out = answered(format, all);
  std::fwrite(out.data(), 1, out.size(), stdout);
}

constexpr question_row decode_questions[] = {{"--list", "--list", "--list alone: it says every kind"}};

}  // namespace

void add_decode(CLI::App& app, int&) {
  auto const a = std::make_shared<decode_options>();
  CLI::App* const command = app.add_subcommand("decode", "Explain a descriptor or register, field by field");
  command->add_option("KIND", a->kind, "one of: " + text::decode_kind_names() + "; or a register's name");
  command->add_option(
      "VALUE", a->values,
      "hexadecimal, with or without 0x, 0b and binary digits, or NAME=VALUE. mair: up to two digits are one "
      "attribute byte, more the register. "
      "pte: a \"Raw PTE: 0x...\" line will do. event, ste, cd: the words of one structure. tlbi: an instruction "
      "and its operand. -: one value from each line of standard input");
  command->add_option("--stage", a->options.stage, "pte, change: 1 or 2 (default 2)");
  command->add_option("--level", a->options.level,
                      "pte: -1 to 3 (default: what a \"Raw PTE:\" line says, else 3); gpt: 0 or 1");
  command->add_option("--granule", a->options.granule, "pte, tlbi, gpt: 4k 16k 64k (default 4k)");
  command->add_option("--fwb", a->options.fwb, "pte: HCR_EL2.FWB on or off (default: both readings)");
  command->add_option("--ds", a->options.ds,
                      "pte, tlbi: FEAT_LPA2 addresses on or off, 4k and 16k (default: both readings)");
  command->add_option("--lpa", a->options.lpa, "pte: FEAT_LPA on or off, 64k (default: both readings)");
  command->add_option("--wxn", a->options.wxn, "pte --stage 1: SCTLR_EL1.WXN on or off (default: told as a note)");
  command->add_option("--pan", a->options.pan, "pte --stage 1: PSTATE.PAN on or off (default: told as a note)");
  command->add_option("--epan", a->options.epan, "pte --stage 1: SCTLR_EL1.EPAN on or off (default: told as a note)");
  command->add_option("--regime", a->options.regime,
                      "pte: stage 1 of el1&0, el2, el2&0 or el3; stage 2 of non-secure, secure or realm");
  command->add_option("--d128", a->options.d128, "pte: a descriptor of 128 bits, on or off (default off)");
  command->add_option("--pie", a->options.pie, "pte: permissions by index (PIE, S2PIE), on or off (default off)");
  command->add_option("--pir", a->options.pir,
                      "pte --pie or --d128: PIR_ELx, of stage 2 S2PIR_EL2 (default: codes by number)");
  command->add_option("--pire0", a->options.pire0, "pte --stage 1, likewise: PIRE0_ELx");
  command->add_option("--bbm", a->options.bbm, "change: FEAT_BBM level 0, 1 or 2 (default 0)");
  command->add_option("--ha", a->options.ha, "change: hardware sets AF, on or off (default off)");
  command->add_option("--hd", a->options.hd, "change: hardware makes DBM pages writable, on or off (default off)");
  command->add_option("--same-contents", a->options.same_contents,
                      "change: both outputs hold the same bytes, which nobody writes, on or off (default off)");
  command->add_option("--mair", a->options.mair, "change --stage 1: MAIR_ELx, by which indices are types");
  command->add_option("--e2h", a->options.e2h,
                      "registers of EL2 with two layouts: HCR_EL2.E2H on or off (default: both readings)");
  command->add_option("--table", a->options.tables, "pte --stage 1: a table descriptor above, whose limits count")
      ->allow_extra_args(false);
  command->add_option("--cpu", a->options.cpu, "vtcr, tcr, pte: the processor: " + text::cpu_names());
  command->add_option("--pa-bits", a->options.pa_bits, "vtcr, tcr, pte: physical address size, 32 to 52 (default 52)");
  command->add_option("--features", a->options.features, "vtcr, tcr, pte: only these: LPA2,XNX,... (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--list", a->list, "every kind, with a value to try");
  a->format.add_to(*command);
  command->footer(
      "Fields of up to 16 bits are printed in binary, wider ones in hexadecimal. Reserved encodings are explained.\n"
      "The JSON answer is one object, or an array of them for several values.\n"
      "Examples:\n"
      "  vmsa decode pte --stage 2 --level 3 0x00400001000007d7\n"
      "  vmsa decode pte --granule 64k --level 2 --fwb on 0x80000000074d\n"
      "  vmsa decode pte --stage 2 --pie on --pir 0xcba9876543210 0x600001000007d7\n"
      "  vmsa decode pte --stage 1 --d128 on 0x10648000000000000000006fedda4e11\n"
      "  vmsa decode esr 0x93810006\n"
      "  vmsa decode mair ff 0x40 0x000000000000ff44\n"
      "  vmsa decode pte --stage 1 0x40000743 --wxn on\n"
      "  vmsa decode vtcr 0x80053590 --pa-bits 40\n"
      "  vmsa decode tcr TCR_EL1=0x65b51350c --json\n"
      "  vmsa decode TCR_EL2 0x80813519 --e2h off\n"
      "  vmsa decode change 0x400007ff 0x400007d7 --stage 2 --level 3 --fwb off\n"
      "  vmsa decode tlbi VAE1IS 0x42100000080001\n");
  command->callback([a, command] {
    refuse_foreign_options(*command, decode_questions);
    run(*a);
  });
}

}  // namespace vmsa::cli
