// SPDX-License-Identifier: MIT
// Values by name: command lines of vmsa, registers, descriptors.
#include <algorithm>
#include <array>

#include "text/explain/explain_fields.hpp"
#include "text/explain/forms.hpp"
#include "text/explain/register_table.hpp"
#include "text/words/ascii.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

using role = form_reading::role;

// ---- command ----

constexpr std::string_view command_anchors[] = {"vmsa "};
constexpr std::string_view subcommands[] = {"explain", "coherency", "fault",   "decide", "translate", "classify",
                                            "replay",  "decode",    "combine", "bench",  "tables",    "check"};

std::optional<form_reading> read_command(std::string_view line) {
  std::size_t const at = find_word(line, "vmsa");
  if (at == std::string_view::npos) return std::nullopt;
  // What a shell's prompt or a path may put before it, and nothing else: not a sentence.
  std::string_view const before = line.substr(0, at);
  std::size_t const last = before.find_last_not_of(" \t>`");
  bool const prompt =
      last == std::string_view::npos || before[last] == '$' || before[last] == '#' || before[last] == '/';
  std::string_view const text = line.substr(at);
  std::string_view const word = word_after(text, "vmsa");
  bool known = false;
  for (std::string_view const s : subcommands) known = known || word == s;
  if (!known || !prompt) return std::nullopt;
  // No further than a shell would pass words to the command: nothing behind it is ever offered for pasting.
  std::size_t const end = std::min(text.find_first_of("|;&<>`$\\(){}*?!\"'#~\t\x1b"), text.size());
  std::string_view command = text.substr(0, end);
  command = command.substr(0, command.find_last_not_of(' ') + 1);
  if (end < text.size()) {
    if (std::string_view("'\"`(){}*?!\\$~").find(text[end]) != std::string_view::npos)
      return form_reading{}.say("subcommand", word);
  }
  return form_reading{}.say("subcommand", word).say("command", command);
}

void tell_command(scan_item& item, scan_context const&) {
  std::string const* const command = item.find("command");
  item.summary =
      fmt::format("a command line: vmsa {}", item.find("subcommand") != nullptr ? *item.find("subcommand") : "");
  item.meaning = "run it again to see its answer";
  if (command == nullptr) return;
  // Each word quoted on its own, so that pasting it runs vmsa and nothing else.
  std::string_view rest = *command;
  while (!rest.empty()) {
    std::size_t const first = rest.find_first_not_of(' ');
    if (first == std::string_view::npos) break;
    rest.remove_prefix(first);
    std::string_view const word = rest.substr(0, rest.find(' '));
    item.next += (item.next.empty() ? "" : " ") + shell_word(word);
    rest.remove_prefix(word.size());
  }
}

// ---- registers ----

constexpr std::string_view register_anchors[] = {
    "ESR_", "ESR ",  "ESR:", "ESR=",  "ESR\t", "FAR_",  "FAR ",  "FAR:",  "FAR=",    "PAR_",    "PAR ",  "PAR:",
    "PAR=", "HCR_",  "HCR ", "HCR:",  "HCR=",  "HCRX",  "TCR_",  "TCR ",  "TCR:",    "TCR=",    "SCR_",  "MAIR",
    "TTBR", "SCTLR", "VTCR", "VTTBR", "SPSR",  "HPFAR", "CPTR",  "CPACR", "ID_AA64", "CTR_EL0", "DFSR",  "IFSR",
    "ELR_", "TCR2",  "CPSR", "VSTC",  "VSTT",  "PIR_",  "IRE0_", "POR_",  "S2PIR",   "S2POR",   "GPCCR", "GPTBR"};

// Names without _ELx that are a register's anyway; all others must say their exception level.
constexpr std::string_view bare_names[] = {"HPFAR", "ESR", "FAR",  "PAR",   "HCRX", "HCR",  "VTTBR", "VTCR", "TTBR0",
                                           "TTBR1", "TCR", "MAIR", "SCTLR", "SPSR", "CPSR", "DFSR",  "IFSR"};
// Registers that are told by name alone: vmsa explains no field of them.
constexpr std::string_view other_names[] = {"ELR", "MFAR"};

struct register_name_row {
  std::string name;
  bool bare = false;  // may stand without _ELx
};

// The names before _ELx of all registers that have a layout, and of the others above, by their first letter; the longer
// first. Most words of a log begin as no register does, so they must cost little.
using register_names_by_letter = std::array<std::vector<register_name_row>, 26>;
register_names_by_letter const& register_names_read() {
  static register_names_by_letter const by_letter = [] {
    register_names_by_letter out;
    auto const add = [&out](std::string_view name) {
      std::vector<register_name_row>& rows = out[static_cast<std::size_t>(name.front() - 'A')];
      for (register_name_row const& row : rows)
        if (row.name == name) return;
      rows.push_back(
          {std::string(name), std::find(std::begin(bare_names), std::end(bare_names), name) != std::end(bare_names)});
    };
    for (register_row const& row : register_table())
      if (!row.name.starts_with("SMMU") && row.name != "HSR") add(row.name.substr(0, row.name.find("_EL")));
    for (std::string_view const name : other_names) add(name);
    for (std::vector<register_name_row>& rows : out)
      std::stable_sort(rows.begin(), rows.end(),
                       [](auto const& a, auto const& b) { return a.name.size() > b.name.size(); });
    return out;
  }();
  return by_letter;
}

bool begins_with(std::string_view text, std::string_view name) {
  if (text.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (upper(text[i]) != name[i]) return false;
  return true;
}

// Names that boot loaders print in small letters beside a fault: `esr 0x96000210, far 0x0`.
bool is_often_bare(std::string_view name) {
  constexpr std::string_view names[] = {"ESR", "FAR", "HPFAR", "ELR", "DFSR", "IFSR"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The register that `text` begins with and its value.
bool read_register(std::string_view text, form_reading& out) {
  char const first = upper(text.front());
  if (first < 'A' || first > 'Z') return false;
  for (register_name_row const& row : register_names_read()[static_cast<std::size_t>(first - 'A')]) {
    if (!begins_with(text, row.name)) continue;
    std::string_view rest = text.substr(row.name.size());
    std::string name = row.name;
    if (begins_with(rest, "_EL") && rest.size() > 3 && ((rest[3] >= '0' && rest[3] <= '3'))) {
      name += "_EL";
      name += rest[3];
      rest.remove_prefix(4);
      if (begins_with(rest, "2") && name.ends_with("_EL1"))
        rest.remove_prefix(1);  // _EL12, the guest's seen from a VHE host
    } else if (begins_with(rest, "_ELX") || begins_with(rest, "_ELN")) {
      rest.remove_prefix(4);  // of a level that the writer did not say: Zephyr's ESR_ELn
    } else if (!row.bare) {
      continue;
    }
    if (rest.empty() || is_word(rest.front())) continue;
    // Nothing but blanks and one separator: words in between make it a sentence.
    std::size_t at = std::min(rest.find_first_not_of(" \t"), rest.size());
    if (at < rest.size() && (rest[at] == '=' || rest[at] == ':')) ++at;
    at = std::min(rest.find_first_not_of(" \t", at), rest.size());
    std::string_view number = rest.substr(at);
    if (number.starts_with("=")) continue;  // a comparison in somebody's source
    bool const prefixed = number.starts_with("0x") || number.starts_with("0X");
    // In small letters and without its level a name is a word too, `tcr 0x10`: it must be written as registers are.
    bool const word = name == row.name && text.front() != first && !is_often_bare(row.name);
    bool const separated = at > 0 && rest.substr(0, at).find_first_of("=:") != std::string_view::npos;
    std::string_view behind;
    std::optional<u64> value = leading_hex(number, &behind);
    if (!value) continue;
    if (prefixed && behind.starts_with("/0x"))
      value = leading_hex(behind.substr(1), &behind);  // QEMU's `ESR 0x24/0x9200004f`
    // Without 0x only a number as wide as a register is one.
    std::size_t const digits = number.size() - behind.size();
    // One byte behind MAIR is an attribute, and no register.
    if (!value || (!prefixed && digits < 8) || (row.name == "MAIR" && digits < 5)) continue;
    if (word && ((prefixed && digits < 10) || (!prefixed && (!separated || (digits != 8 && digits != 16))))) continue;
    bool there = false;
    for (auto const& [known, ignored] : out.values) there = there || known == name;
    if (!there) out.add(name, value);
    return true;
  }
  return false;
}

// Whether a number stands in the line that a register could have: one with 0x, or of eight digits at least. Of many
// lines that hold a register's name, "far from it", this is all that need be looked at.
bool may_hold_value(std::string_view line) {
  constexpr std::size_t digits = 8;
  auto const in_number = [line](std::size_t at) { return is_hex_digit(line[at]) || line[at] == '_'; };
  for (std::size_t at = digits - 1; at < line.size(); at += digits) {
    if (!in_number(at)) continue;
    std::size_t first = at;
    while (first > 0 && at - first < digits && in_number(first - 1)) --first;
    std::size_t end = at + 1;
    while (end < line.size() && end - first < digits && in_number(end)) ++end;
    if (end - first >= digits) return true;
  }
  return line.find("0x") != std::string_view::npos || line.find("0X") != std::string_view::npos;
}

std::optional<form_reading> read_registers(std::string_view line) {
  if (!may_hold_value(line)) return std::nullopt;
  form_reading out{role::either};
  for (std::size_t at = 0; at < line.size() && out.values.size() < 16; ++at) {
    if (at > 0 && (is_word(line[at - 1]) || line[at - 1] == '-')) continue;
    char const c = upper(line[at]);
    if (c < 'C' || c > 'V') continue;
    read_register(line.substr(at), out);
  }
  if (out.values.empty()) return std::nullopt;
  return out;
}

// Whether registers of this kind differ from one exception level to another.
bool lays_out_by_level(std::string_view kind) {
  register_row const* first = nullptr;
  for (register_row const& row : register_table()) {
    if (row.kind != kind) continue;
    if (first != nullptr && (row.tell != first->tell || row.e2h)) return true;
    first = &row;
  }
  return false;
}

// Syndrome, address, IPA, then all the rest.
unsigned rank_of(std::string_view name) {
  constexpr std::string_view first[] = {"ESR", "DFSR", "IFSR", "FAR", "HPFAR"};
  auto const at = std::find(std::begin(first), std::end(first), name.substr(0, name.rfind("_EL")));
  return static_cast<unsigned>(at - std::begin(first));
}

void tell_registers(scan_item& item, scan_context const& context) {
  std::optional<u64> const hcr = item.number("HCR_EL2");
  std::vector<std::string> words;
  std::string next;
  // Of a long dump what went wrong comes first.
  auto values = item.values;
  std::stable_sort(values.begin(), values.end(),
                   [](auto const& a, auto const& b) { return rank_of(a.first) < rank_of(b.first); });
  for (auto const& [name, value] : values) {
    if (words.size() >= 6) {
      words.emplace_back("...");
      break;
    }
    std::optional<register_choice> const choice = choose_register(name);
    if (!choice || choice->rows.empty()) {
      words.push_back(fmt::format("{} {}", name, value));
      continue;
    }
    // HCR_EL2 beside them says which of two layouts EL2's registers have.
    bool const two = choice->rows.size() > 1;
    std::string const e2h = two && hcr ? (hcr_el2{{*hcr}}.get<hcr_el2::e2h>() ? "on" : "off") : "";
    explanation const e = decode(name, value, {.e2h = e2h});
    bool const unwritten = e.kind != "par" && is_reset_pattern(parse_number(value).value_or(0));
    words.push_back(
        fmt::format("{} {}: {}", name, value,
                    unwritten ? "KVM's pattern for a register that it resets: nobody wrote this value" : e.summary));
    if (next.empty())
      next = fmt::format("vmsa decode {} {}{}", lays_out_by_level(e.kind) ? name : e.kind, value,
                         e2h.empty() ? "" : " --e2h " + e2h);
  }
  item.summary = fmt::format("{}", fmt::join(words, "; "));
  item.meaning = item.values.size() == 1 ? "a register's value" : "registers that were printed together";
  std::string const* esr = item.find("ESR_EL2");
  if (esr == nullptr) esr = item.find("ESR");
  std::string const* far = item.find("FAR_EL2");
  if (far == nullptr) far = item.find("FAR");
  std::string const* hpfar = item.find("HPFAR_EL2");
  if (hpfar == nullptr) hpfar = item.find("HPFAR");
  u64 const ec = esr != nullptr ? field<31, 26>::get(parse_number(*esr).value_or(0)) : 0;
  if (esr != nullptr && far != nullptr && hpfar != nullptr && (ec == 0x20 || ec == 0x24)) {
    item.meaning = "a guest's abort, with all that is needed to ask what answers it";
    std::string const policy = policy_of(context);
    next = fmt::format("vmsa fault --esr {} --far {} --hpfar {}{}{}", *esr, *far, *hpfar,
                       policy.empty() ? "" : " --policy ", policy.empty() ? policy : shell_word(policy));
  }
  item.next = next;
}

// ---- descriptor ----

constexpr std::string_view descriptor_anchors[] = {"Raw PTE:", "0TH[", "1ST[", "2ND[", "3RD[",
                                                   "] @ 0x",   "pte=", "pmd=", " => "};

std::optional<form_reading> read_descriptor(std::string_view line) {
  if (std::size_t const at = line.find("Raw PTE:"); at != std::string_view::npos) {
    std::string_view rest;
    std::optional<u64> const raw = leading_hex(line.substr(at + 8), &rest);
    if (!raw) return std::nullopt;
    std::size_t const mark = rest.find("(Level ");
    std::optional<u64> const level =
        mark == std::string_view::npos ? std::nullopt : leading_decimal(rest.substr(mark + 7));
    return form_reading{role::either}.add(level && *level <= 3 ? fmt::format("L{}", *level) : "descriptor", raw);
  }
  constexpr std::string_view xen[] = {"0TH[", "1ST[", "2ND[", "3RD["};
  for (std::size_t level = 0; level < std::size(xen); ++level) {
    std::size_t const at = line.find(xen[level]);
    if (at == std::string_view::npos) continue;
    std::size_t const equals = line.find("] = ", at);
    if (equals == std::string_view::npos) return std::nullopt;
    std::optional<u64> const raw = leading_hex(line.substr(equals + 4));
    if (!raw) return std::nullopt;
    return form_reading{role::either}.add(fmt::format("L{}", level), raw);
  }
  // Zephyr: `L3[179] @ 0x80033598 = 0x...`
  if (std::size_t const at = line.find("] @ 0x"); at != std::string_view::npos) {
    std::size_t const open = line.rfind('[', at);
    if (open == std::string_view::npos || open < 2 || line[open - 2] != 'L' || line[open - 1] < '0' ||
        line[open - 1] > '3')
      return std::nullopt;
    std::string_view rest;
    if (!leading_hex(line.substr(at + 4), &rest) || !rest.starts_with(" = ")) return std::nullopt;
    std::optional<u64> const raw = leading_hex(rest);
    if (!raw) return std::nullopt;
    return form_reading{role::either}.add(fmt::format("L{}", line[open - 1] - '0'), raw);
  }
  // crash's vtop: `   PTE: 8ffffea00 => e80008f2340703`
  constexpr std::pair<std::string_view, std::string_view> of_crash[] = {
      {"PUD: ", "L1"}, {"PMD: ", "L2"}, {"PTE: ", "L3"}};
  for (auto const& [label, level] : of_crash) {
    std::string_view const text = line.substr(std::min(line.find_first_not_of(" \t>"), line.size()));
    if (!text.starts_with(label)) continue;
    std::string_view rest;
    if (!leading_hex(text.substr(label.size()), &rest) || !rest.starts_with(" => ")) return std::nullopt;
    std::optional<u64> const raw = leading_hex(rest.substr(4));
    if (!raw) return std::nullopt;
    return form_reading{role::either}.add(level, raw);
  }
  form_reading r{role::either};
  r.add("L2", hex_after(line, "pmd=")).add("L3", hex_after(line, "pte="));
  for (auto const& [name, value] : r.values)
    if (value.size() < 10) return std::nullopt;  // a counter, and no descriptor
  if (r.values.empty()) return std::nullopt;
  return r;
}

void tell_descriptor(scan_item& item, scan_context const& context) {
  granule const tg = page_in(context);
  std::string const granule_option = tg == granule::k4 ? "" : tg == granule::k16 ? "16k" : "64k";
  std::vector<std::string> words;
  for (auto const& [name, value] : item.values) {
    std::string const level = name.size() == 2 ? name.substr(1) : "3";
    std::vector<std::string> stages;
    for (char const* stage : {"1", "2"}) {
      try {
        stages.push_back(
            decode("pte", value, {.stage = stage, .level = level, .granule = granule_option, .ds = "off"}).summary);
      } catch (input_error const&) {
      }
    }
    words.push_back(fmt::format("{} {}: {}", name, value, fmt::join(stages, ", or ")));
    item.next = fmt::format("vmsa decode pte{} --level {} {}",
                            granule_option.empty() ? "" : " --granule " + granule_option, level, value);
  }
  item.summary = fmt::format("{}", fmt::join(words, "; "));
  item.meaning =
      tg == granule::k4
          ? std::string("which stage and granule the table has is not said: read as 4K, without LPA2")
          : fmt::format("which stage the table has is not said: read with the kernel's pages of {}, without LPA2",
                        size_name(granule_size(tg)));
}

constexpr form_row value_rows[] = {
    {"command", "a command line of vmsa", command_anchors, read_command, tell_command},
    {"descriptor",
     "Raw PTE: 0x... (Level 3), Xen's 1ST[0x001] = 0x..., Zephyr's L3[179] @ 0x... = 0x..., crash's PTE: 0x... => "
     "0x...",
     descriptor_anchors, read_descriptor, tell_descriptor},
    {"registers", "registers by name: ESR_EL2=0x..., far 0x..., MAIR_EL1 0x...", register_anchors, read_registers,
     tell_registers},
};

}  // namespace

std::span<form_row const> value_forms() { return value_rows; }

}  // namespace vmsa::text
