// SPDX-License-Identifier: MIT
#include "vmsa/text/read/page_table_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

struct line_word {
  std::string_view word;
  void (*set)(page_table_line&);
};
constexpr line_word stage2_words[] = {
    {"F", [](page_table_line&) {}},
    {"R", [](page_table_line& l) { l.read = true; }},
    {"W", [](page_table_line& l) { l.write = true; }},
    {"X", [](page_table_line& l) { l.xn = 0b10; }},
    {"px", [](page_table_line&) {}},
    {"ux", [](page_table_line&) {}},
    {"PXNux", [](page_table_line& l) { l.xn = 0b01; }},
    {"PXNUXN", [](page_table_line& l) { l.xn = 0b10; }},
    {"UXN", [](page_table_line& l) { l.xn = 0b11; }},
    {"AF", [](page_table_line& l) { l.af = true; }},
    {"BLK", [](page_table_line& l) { l.block = true; }},
};
constexpr line_word kernel_words[] = {
    {"F", [](page_table_line&) {}},
    {"USR", [](page_table_line& l) { l.user = true; }},
    {"ro", [](page_table_line& l) { l.read = true; }},
    {"RW", [](page_table_line& l) { l.read = l.write = true; }},
    {"NX", [](page_table_line& l) { l.xn = static_cast<u8>(l.xn | 0b01); }},
    {"x", [](page_table_line&) {}},
    {"SHD", [](page_table_line& l) { l.shareable = true; }},
    {"AF", [](page_table_line& l) { l.af = true; }},
    {"NG", [](page_table_line& l) { l.not_global = true; }},
    {"CON", [](page_table_line& l) { l.contiguous = true; }},
    {"BLK", [](page_table_line& l) { l.block = true; }},
    {"UXN", [](page_table_line& l) { l.xn = static_cast<u8>(l.xn | 0b10); }},
    {"GP", [](page_table_line& l) { l.guarded = true; }},
};
constexpr std::string_view level_names[] = {"PGD", "P4D", "PUD", "PMD", "PTE"};
constexpr char const* valid_line =
    "0xFIRST-0xEND SIZE LEVEL and attributes, as KVM's stage2_page_tables or kernel_page_tables";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    std::size_t const end = std::min(text.find_first_of(" \t", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace

page_table_text parse_page_table_text(std::string_view text, std::string file) {
  page_table_text out;
  bool kernel = false;
  bool newer = false;
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view const raw = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), raw.size() + 1));
    ++number;
    std::vector<std::string_view> const words = words_of(raw);
    if (words.empty() || words.front().starts_with("---[")) continue;
    auto const refuse = [&](std::string const& problem) { throw input_error(file, number, problem, valid_line); };
    std::size_t const dash = words[0].find('-');
    std::optional<u64> first, end;
    if (dash != std::string_view::npos && words[0].starts_with("0x") && words[0].substr(dash + 1).starts_with("0x")) {
      first = parse_number(words[0].substr(0, dash), 16);
      end = parse_number(words[0].substr(dash + 1), 16);
    }
    if (!first || !end || words.size() < 3) refuse(fmt::format("\"{}\"", printable(raw.substr(0, 80))));
    page_table_line l{.first = *first, .size = *end - *first, .line = number};
    if (l.size == 0 || (*end != 0 && *end < *first))
      refuse(fmt::format("{} ends where it begins, or before", printable(words[0])));
    if (!out.lines.empty() &&
        (l.first - out.lines.back().first < out.lines.back().size || l.first < out.lines.back().first))
      refuse(fmt::format("{} is not above the line before", printable(words[0])));
    bool const named = std::find(std::begin(level_names), std::end(level_names), words[2]) != std::end(level_names);
    bool const numbered = words[2].size() == 1 && words[2][0] >= '0' && words[2][0] <= '4';
    if (!named && !numbered) refuse(fmt::format("no level \"{}\"", printable(words[2])));
    if (!out.lines.empty() && named != kernel)
      refuse(fmt::format("level \"{}\" beside levels of the other kind", printable(words[2])));
    kernel = named;
    for (std::size_t i = 3; i < words.size(); ++i) {
      std::string_view const w = words[i];
      l.mapped = l.mapped || w == "AF" || w == "R" || w == "W" || w == "ro" || w == "RW";
      if (kernel && w.find('/') != std::string_view::npos) {
        l.type = printable(w);
        continue;
      }
      bool known = false;
      auto const apply = [&](auto const& rows) {
        for (line_word const& row : rows)
          if (row.word == w) {
            row.set(l);
            known = true;
          }
      };
      if (kernel)
        apply(kernel_words);
      else
        apply(stage2_words);
      newer = newer || (!kernel && (w == "px" || w == "ux" || w.starts_with("PXN")));
      if (!known) refuse(fmt::format("no attribute \"{}\"", printable(w)));
    }
    out.lines.push_back(std::move(l));
  }
  if (out.lines.empty()) throw input_error(file, 0, "no line of a page table", valid_line);
  out.dialect = kernel  ? page_table_dialect::kernel
                : newer ? page_table_dialect::stage2_7
                        : page_table_dialect::stage2_6_12;
  out.file = std::move(file);
  return out;
}

}  // namespace vmsa::text
