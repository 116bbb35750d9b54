// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/stream_report.hpp"
#include "vmsa/text/report/translation_report.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/translation_names.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::cli {
namespace {

struct translate_options {
  std::string file;
  std::vector<std::string> values = std::vector<std::string>(text::translation_registers().size());
  std::vector<std::string> vas, ipas, gpts, words, images, features;
  std::string space;
  std::string s1_attr;
  std::string op = "read";
  std::string about;  // an option that says something of the access, where one is given
  unsigned el = 1;
  unsigned pa_bits = 0;
  bool unprivileged = false;
  bool host = false;
  bool pan = false;
  bool unaligned = false;
  bool print_example = false;
  std::string smmu;
  bool smmu_example = false;
  format_option format{{"text", "markdown", "json"}};
};

pa word_address(std::string const& option, std::string_view text) {
  pa const at{hexadecimal_value(option, text, low_mask(56))};
  if (!at.aligned_to(8)) throw text::input_error("", 0, fmt::format("{} {}", option, text), "a multiple of 8");
  return at;
}

// `LEFT<by>RIGHT`, cut at the last `by`.
std::pair<std::string, std::string> halves(std::string const& option, std::string const& text, char by,
                                           char const* valid) {
  std::size_t const at = text.rfind(by);
  if (at == std::string::npos) throw text::input_error("", 0, fmt::format("{} \"{}\"", option, text), valid);
  return {text.substr(0, at), text.substr(at + 1)};
}

void set_register(regime_registers& r, text::named_register const& reg, std::string const& value) {
  std::optional<text::wide_number> const wide = text::parse_wide_number(value);
  if (reg.high == nullptr || !wide) {
    reg.raw(r) = hexadecimal_value(reg.option(), value);
    return;
  }
  reg.raw(r) = wide->low;
  reg.high(r) = wide->high;
}

physical_space space_of(std::string const& word) {
  std::string valid;
  for (unsigned i = 0; i < physical_space_count; ++i) {
    if (word == text::name(static_cast<physical_space>(i))) return static_cast<physical_space>(i);
    valid += fmt::format("{}{}", i == 0 ? "" : " ", text::name(static_cast<physical_space>(i)));
  }
  refuse_value("--space", word, valid);
}

text::translation_question question(translate_options const& a, std::string const& option, std::string const& where) {
  std::optional<operation> const op = text::parse_operation(a.op);
  if (!op) refuse_value("--op", a.op, text::operation_list());
  text::translation_question q;
  q.stage2_only = option == "--ipa";
  q.where = hexadecimal_value(option, where);
  if (!a.s1_attr.empty()) q.mair = static_cast<u8>(hexadecimal_value("--s1-attr", a.s1_attr, 0xff));
  q.acc = {.op = *op,
           .el = static_cast<exception_level>(a.el),
           .unprivileged = a.unprivileged,
           .pan = a.pan,
           .aligned = !a.unaligned};
  return q;
}

// What the file, or the example, says; and over it what the options say.
text::translation_scenario read_input(translate_options const& a) {
  bool options = !a.vas.empty() || !a.ipas.empty() || !a.gpts.empty() || !a.words.empty() || !a.images.empty();
  for (std::string const& value : a.values) options = options || !value.empty();
  text::translation_scenario s;
  if (!a.file.empty())
    s = text::parse_translation_scenario(text::read_text(a.file), a.file);
  else if (!options)
    s = text::parse_translation_scenario(text::example_translation_scenario(), "example");

  if (a.pa_bits != 0) {
    s.feat.pa_bits = static_cast<u8>(a.pa_bits);
    if (physical_address_encoding(s.feat.pa_bits) == 0xff)
      throw text::input_error("", 0, fmt::format("--pa-bits {}", a.pa_bits), "32, 36, 40, 42, 44, 48, 52 or 56");
  }
  if (!a.features.empty()) s.feat = features{.pa_bits = s.feat.pa_bits};
  for (std::string const& name : a.features)
    if (!name.empty() && !text::add_feature(s.feat, name)) refuse_value("--features", name, text::feature_list());
  auto const registers = text::translation_registers();
  for (std::size_t i = 0; i < registers.size(); ++i)
    if (!a.values[i].empty()) set_register(s.registers, registers[i], a.values[i]);
  // First, for what EL2's registers hold depends on it.
  if (a.host) s.registers.hcr = s.registers.hcr.with<hcr_el2::e2h>(true).with<hcr_el2::tge>(true);
  if (unmodelled_bit const bit = unmodelled_control(s.registers))
    for (std::size_t i = 0; i < registers.size(); ++i)
      if (std::string_view(registers[i].name) == bit.reg)
        throw text::input_error("", 0,
                                fmt::format("{} {}: {}", registers[i].option(), a.values[i], text::describe(bit)),
                                text::valid_instead_of(bit));
  for (std::string const& image : a.images) {
    // A name may hold an @ of its own: only a number behind the last one is an address.
    std::size_t const at = image.rfind('@');
    std::string_view const behind = at == std::string::npos ? "" : std::string_view(image).substr(at + 1);
    if (behind.starts_with("0x"))
      text::add_image(s.memory, image.substr(0, at), word_address("--image", behind));
    else
      text::add_image(s.memory, image, std::nullopt);
  }
  for (std::string const& word : a.words) {
    auto const [where, value] = halves("--word", word, '=', "PA=DESCRIPTOR");
    s.memory.set(word_address("--word", where), {hexadecimal_value("--word", value)});
  }
  bool const asked = !a.vas.empty() || !a.ipas.empty();
  if (asked || !a.gpts.empty()) s.questions.clear();
  for (std::string const& where : a.vas) s.questions.push_back(question(a, "--va", where));
  for (std::string const& where : a.ipas) s.questions.push_back(question(a, "--ipa", where));
  for (std::string const& where : a.gpts) {
    text::translation_question q;
    q.where = hexadecimal_value("--gpt", where, low_mask(56));
    q.checked = a.space.empty() ? physical_space::non_secure : space_of(a.space);
    s.questions.push_back(q);
  }
  if (!asked && !a.about.empty())
    throw text::input_error("", 0, fmt::format("{} without an address", a.about), "beside --va or --ipa");
  if (s.questions.empty())
    throw text::input_error(s.file, 0, "nothing to translate", "--va, --ipa, --gpt, or [[access]] in the file");
  text::refuse_unmodelled_state(s);
  return s;
}

// The command that asks the same again.
std::string command_line(translate_options const& a) {
  std::string out = "vmsa translate";
  auto const add = [&](std::string const& word) { out += " " + word; };
  auto const add_option = [&](std::string const& option, std::string const& value) {
    if (!value.empty()) add(fmt::format("{} {}", option, text::shell_word(value)));
  };
  if (!a.file.empty()) add(text::shell_word(a.file));
  for (std::size_t i = 0; i < a.values.size(); ++i) add_option(text::translation_registers()[i].option(), a.values[i]);
  for (std::string const& value : a.images) add_option("--image", value);
  for (std::string const& value : a.words) add_option("--word", value);
  if (a.pa_bits != 0) add_option("--pa-bits", std::to_string(a.pa_bits));
  if (!a.features.empty()) add_option("--features", fmt::format("{}", fmt::join(a.features, ",")));
  for (std::string const& value : a.vas) add_option("--va", value);
  for (std::string const& value : a.ipas) add_option("--ipa", value);
  for (std::string const& value : a.gpts) add_option("--gpt", value);
  add_option("--space", a.space);
  if (!a.vas.empty() || !a.ipas.empty()) {
    add_option("--s1-attr", a.s1_attr);
    if (a.op != "read") add_option("--op", a.op);
    if (a.el != 1) add_option("--el", std::to_string(a.el));
    if (a.unprivileged) add("--unprivileged");
    if (a.host) add("--host");
    if (a.pan) add("--pan");
    if (a.unaligned) add("--unaligned");
  }
  return out;
}

void run(translate_options const& a) {
  if (a.print_example) {
    fmt::print("{}", text::example_translation_scenario());
    return;
  }
  if (a.smmu_example) {
    fmt::print("{}", text::example_stream_scenario());
    return;
  }
  if (!a.smmu.empty()) {
    text::stream_scenario s = text::parse_stream_scenario(text::read_text(a.smmu), a.smmu);
    std::vector<text::stream_story> const stories = text::translate_streams(s);
    fmt::print("{}", answered_by("vmsa translate --smmu " + text::shell_word(a.smmu), a.format.chosen(), s, stories));
    return;
  }
  text::translation_scenario s = read_input(a);
  std::vector<text::translation_story> const stories = text::translate_all(s);
  fmt::print("{}", answered_by(command_line(a), a.format.chosen(), s, stories));
}

constexpr question_row translate_questions[] = {
    {"--print-example", "--print-example", "--print-example alone"},
    {"--smmu-example", "--smmu-example", "--smmu-example alone"},
};

}  // namespace

void add_translate(CLI::App& app, int&) {
  auto const a = std::make_shared<translate_options>();
  CLI::App* const command =
      app.add_subcommand("translate", "Walk both stages: physical address and attributes, or the fault");
  command->add_option("FILE", a->file,
                      "registers, memory and accesses (TOML); - is standard input; the example without any");
  for (std::size_t i = 0; i < a->values.size(); ++i) {
    text::named_register const& reg = text::translation_registers()[i];
    command->add_option(reg.option(), a->values[i], fmt::format("{}, hexadecimal", reg.name));
  }
  command->add_option("--va", a->vas, "virtual address, through both stages");
  CLI::Option* const ipa =
      command->add_option("--ipa", a->ipas, "intermediate physical address, through stage 2 alone");
  command->add_option("--s1-attr", a->s1_attr, "with --ipa: the MAIR byte stage 1 gave it (default 0xff)")->needs(ipa);
  CLI::Option* const gpt = command->add_option(
      "--gpt", a->gpts, "physical address: the granule protection check of --gpccr and --gptbr alone");
  command->add_option("--space", a->space, "with --gpt: non-secure (default), secure, root or realm")->needs(gpt);
  command->add_option("--image", a->images,
                      "a dump (ELF core, kdump, LiME, gzip of one), or FILE@0xPA: a raw image from PA on");
  command->add_option("--word", a->words, "PA=DESCRIPTOR: one word of memory; the rest reads as 0");
  std::vector<CLI::Option const*> const of_the_access{
      command->add_option("--op", a->op, fmt::format("{} (default read)", text::operation_list())),
      command->add_option("--el", a->el, "exception level of the access (default 1)")->check(CLI::Range(0u, 2u)),
      command->add_flag("--host", a->host,
                        "HCR_EL2.{E2H, TGE} = {1, 1}: EL2 and EL0 of a VHE host, through EL2's tables"),
      command->add_flag("--unprivileged", a->unprivileged, "LDTR or STTR"),
      command->add_flag("--pan", a->pan, "PSTATE.PAN=1"),
      command->add_flag("--unaligned", a->unaligned, "not aligned to its size")};
  command
      ->add_option("--pa-bits", a->pa_bits, "implemented physical address size: 32 36 40 42 44 48 52 56 (default 52)")
      ->check(CLI::Range(32u, 56u));
  command->add_option("--features", a->features, "only these: LPA2,HAFDBS,... (default: all)")->delimiter(',');
  command->add_flag("--print-example", a->print_example, "print the example scenario");
  CLI::Option* const smmu = command->add_option(
      "--smmu", a->smmu,
      "a device's accesses through an SMMUv3 instead: registers, stream table or STE, memory (TOML)");
  command->add_flag("--smmu-example", a->smmu_example, "print an example for --smmu");
  for (CLI::Option* const other : command->get_options([](CLI::Option const* o) {
         std::string const& option = o->get_name();
         return option != "--smmu" && option != "--help" && option != "--smmu-example";
       }))
    smmu->excludes(other);
  a->format.add_to(*command);
  command->footer(
      "Exit code 0: answered, a fault is an answer; 2: bad input. src/README.md has the grammar of FILE.\n\n"
      "Examples:\n"
      "  vmsa translate\n"
      "  vmsa translate --print-example > walk.toml && vmsa translate walk.toml --json\n"
      "  vmsa translate walk.toml --va 0x1008 --op write --el 0\n"
      "  vmsa translate --host --el 2 --sctlr-el2 0x1005 --tcr-el2 0x500803519 --ttbr0-el2 0x1000 --mair-el2 0xff --va "
      "0x0\n"
      "  vmsa translate --hcr 0x1 --vtcr 0x80023558 --vttbr 0x40000000 --image ram.bin@0x40000000 --ipa 0x80001000\n"
      "  vmsa translate walk.toml --image host.elf --ipa 0x80001000\n"
      "  vmsa translate --gpccr 0x12501 --gptbr 0x80000 --word 0x80000000=0xb1 --gpt 0x1000 --space realm\n"
      "  vmsa translate --smmu-example > nic.toml && vmsa translate --smmu nic.toml\n"
      "  vmsa translate --hcr 0x1 --vtcr 0x80023558 --word 0x0=0x7fd --ipa 0x1234\n");
  command->callback([a, of_the_access, command] {
    refuse_foreign_options(*command, translate_questions);
    for (CLI::Option const* option : of_the_access)
      if (option->count() != 0) a->about = option->get_name();
    run(*a);
  });
}

}  // namespace vmsa::cli
