// SPDX-License-Identifier: MIT
#include "vmsa/text/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view kinds[] = {"pte", "mair", "esr", "hpfar", "par", "vtcr", "vttbr", "hcr", "tcr"};

[[noreturn]] void fail(std::string problem, std::string valid) {
  throw input_error("", 0, std::move(problem), std::move(valid));
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string_view without_prefix(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X") ? text.substr(2) : text;
}

// What is quoted in an error: long or unprintable input is cut and shown as `?`.
std::string quote(std::string_view text) {
  std::string out(text.substr(0, 40));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}{}\"", out, text.size() > 40 ? "..." : "");
}

u64 parse_hex(std::string_view text) {
  constexpr char valid[] = "hexadecimal digits, with or without 0x, at most 64 bits";
  std::string_view const digits = without_prefix(text);
  if (digits.empty()) fail(fmt::format("{} holds no digits", quote(text)), valid);
  auto const odd = std::find_if_not(digits.begin(), digits.end(), is_hex_digit);
  if (odd != digits.end()) fail(fmt::format("{}: {} is no hexadecimal digit", quote(text), quote({&*odd, 1})), valid);
  std::optional<u64> const value = parse_number(digits, 16);
  if (!value) fail(fmt::format("{} is wider than 64 bits", quote(text)), valid);
  return *value;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  std::size_t const first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

struct raw_pte {
  std::string_view value;
  std::string_view level;  // empty when the text does not say
};

// A value alone, or a log line: `Raw PTE: 0x00400001000007d7 (Level 3, VALID)`.
raw_pte find_raw_pte(std::string_view text) {
  constexpr std::string_view mark = "Raw PTE:";
  constexpr std::string_view level_mark = "(Level ";
  std::size_t const at = text.find(mark);
  if (at == std::string_view::npos) return {text, {}};
  std::string_view const rest = trim(text.substr(at + mark.size()));
  raw_pte found{rest.substr(0, rest.find_first_of(" \t")), {}};
  if (std::size_t const l = rest.find(level_mark); l != std::string_view::npos) {
    std::string_view const number = rest.substr(l + level_mark.size());
    found.level = number.substr(0, number.find_first_of(",) "));
  }
  return found;
}

std::optional<bool> parse_switch(std::string_view option, std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "on" || text == "1") return true;
  if (text == "off" || text == "0") return false;
  fail(fmt::format("{} {}", option, quote(text)), "on off");
}

granule parse_granule(std::string_view text) {
  if (text.empty() || text == "4k" || text == "4K") return granule::k4;
  if (text == "16k" || text == "16K") return granule::k16;
  if (text == "64k" || text == "64K") return granule::k64;
  fail(fmt::format("--granule {}", quote(text)), "4k 16k 64k");
}

level parse_level(std::string_view text) {
  int n = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < -1 || n > 3)
    fail(fmt::format("--level {}", quote(text)), "-1 0 1 2 3");
  return static_cast<level>(n);
}

std::string levels_of(descriptor_reading reading) {
  std::string out;
  for (int n = -1; n <= 3; ++n) {
    reading.at = static_cast<level>(n);
    if (!possible_formats(reading).empty()) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  }
  return out;
}

explanation decode_pte(std::string_view text, decode_options const& options) {
  raw_pte const found = find_raw_pte(text);
  descriptor const d{parse_hex(found.value)};
  descriptor_reading reading;
  if (!options.stage.empty() && options.stage != "1" && options.stage != "2")
    fail(fmt::format("--stage {}", quote(options.stage)), "1 2");
  reading.of = options.stage == "1" ? stage::one : stage::two;
  reading.tg = parse_granule(options.granule);
  reading.fwb = parse_switch("--fwb", options.fwb);
  reading.ds = parse_switch("--ds", options.ds);
  reading.lpa = parse_switch("--lpa", options.lpa);
  std::string_view const typed = !options.level.empty() ? std::string_view(options.level) : found.level;
  if (!typed.empty()) reading.at = parse_level(typed);
  if (possible_formats(reading).empty())
    fail(fmt::format("--level {}: stage {} has no such level with the {} granule{}", number(reading.at),
                     static_cast<unsigned>(reading.of), name(reading.tg), reading.ds == false ? " and DS=0" : ""),
         levels_of(reading));
  return explain(d, reading);
}

}  // namespace

std::span<std::string_view const> decode_kinds() noexcept { return kinds; }

explanation decode(std::string_view kind, std::string_view value, decode_options const& options) {
  std::string_view const text = trim(value);
  if (kind == "pte") return decode_pte(text, options);
  std::pair<std::string_view, std::string const&> const pte_only[] = {
      {"--stage", options.stage}, {"--level", options.level}, {"--granule", options.granule},
      {"--fwb", options.fwb},     {"--ds", options.ds},       {"--lpa", options.lpa}};
  if (std::find(std::begin(kinds), std::end(kinds), kind) == std::end(kinds))
    fail(fmt::format("no kind {}", quote(kind)), fmt::format("{}", fmt::join(kinds, " ")));
  for (auto const& [option, given] : pte_only)
    if (!given.empty()) fail(fmt::format("{} means nothing for {}", option, kind), "with pte");

  u64 const raw = parse_hex(text);
  if (kind == "mair")
    return without_prefix(text).size() <= 2 ? explain_mair_byte(static_cast<u8>(raw)) : explain(mair_el1{{raw}});
  if (kind == "esr") return explain(esr_el2{{raw}});
  if (kind == "hpfar") return explain(hpfar_el2{{raw}});
  if (kind == "par") return explain(par_el1{raw});
  if (kind == "vtcr") return explain(vtcr_el2{{raw}});
  if (kind == "vttbr") return explain(vttbr_el2{{raw}});
  if (kind == "hcr") return explain(hcr_el2{{raw}});
  return explain(tcr_el1{{raw}});
}

}  // namespace vmsa::text
