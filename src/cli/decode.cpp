// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "vmsa/text/decode.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/lines.hpp"

namespace vmsa::cli {
namespace {

struct arguments {
  std::string kind;
  std::vector<std::string> values;
  text::decode_options options;
  bool json = false;
};

// One value from each line of standard input; blank lines do not count.
void decode_lines(arguments const& a, std::vector<text::explanation>& all) {
  text::line_reader lines("-");
  std::size_t const before = all.size();
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      all.push_back(text::decode(a.kind, line, a.options));
    } catch (text::input_error const& error) {
      text::line_position const at = lines.position();
      throw text::input_error(std::string(at.file), at.number, error.problem(), error.valid());
    }
  }
  if (all.size() == before)
    throw text::input_error(std::string(lines.position().file), 0, "no value", "one hexadecimal value to a line");
}

void run(arguments const& a) {
  std::vector<text::explanation> all;
  for (std::string const& value : a.values) {
    if (value == "-")
      decode_lines(a, all);
    else
      all.push_back(text::decode(a.kind, value, a.options));
  }
  std::string out;
  if (a.json) {
    out = text::to_json(all);
  } else {
    for (text::explanation const& e : all) out += (out.empty() ? "" : "\n") + text::to_text(e);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

void add_decode(CLI::App& app, int&) {
  auto const a = std::make_shared<arguments>();
  std::string kinds;
  for (std::string_view const kind : text::decode_kinds()) kinds += (kinds.empty() ? "" : " ") + std::string(kind);

  CLI::App* const command = app.add_subcommand("decode", "Explain a descriptor or register, field by field");
  command->add_option("KIND", a->kind, "one of: " + kinds)->required();
  command
      ->add_option("VALUE", a->values,
                   "hexadecimal, with or without 0x. mair: up to two digits are one attribute byte, more the register. "
                   "pte: a \"Raw PTE: 0x...\" line will do. -: one value from each line of standard input")
      ->required();
  command->add_option("--stage", a->options.stage, "pte: 1 or 2 (default 2)");
  command->add_option("--level", a->options.level, "pte: -1 to 3 (default: what a \"Raw PTE:\" line says, else 3)");
  command->add_option("--granule", a->options.granule, "pte: 4k 16k 64k (default 4k)");
  command->add_option("--fwb", a->options.fwb, "pte: HCR_EL2.FWB on or off (default: both readings)");
  command->add_option("--ds", a->options.ds, "pte: FEAT_LPA2 addresses on or off, 4k and 16k (default: both readings)");
  command->add_option("--lpa", a->options.lpa, "pte: FEAT_LPA on or off, 64k (default: both readings)");
  command->add_flag("--json", a->json, "one JSON object, or an array for several values");
  command->footer(
      "Fields of up to 16 bits are printed in binary, wider ones in hexadecimal. Reserved encodings are explained.\n"
      "Examples:\n"
      "  vmsa decode pte --stage 2 --level 3 0x00400001000007d7\n"
      "  vmsa decode pte --granule 64k --level 2 --fwb on 0x80000000074d\n"
      "  vmsa decode esr 0x93810006\n"
      "  vmsa decode mair ff 0x40 0x000000000000ff44\n"
      "  vmsa decode vtcr 0x80023558 --json\n");
  command->callback([a] { run(*a); });
}

}  // namespace vmsa::cli
