// SPDX-License-Identifier: MIT
#include "text/read/form_lines.hpp"

#include <algorithm>
#include <utility>

#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

bool is_hex_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool contains(std::string_view line, std::string_view what) noexcept {
  return line.find(what) != std::string_view::npos;
}

std::size_t find_word(std::string_view line, std::string_view what, std::size_t from) noexcept {
  for (std::size_t at = line.find(what, from); at != std::string_view::npos; at = line.find(what, at + 1)) {
    bool const before = at == 0 || !is_word(line[at - 1]) || !is_word(what.front());
    std::size_t const end = at + what.size();
    bool const after = end == line.size() || !is_word(line[end]) || !is_word(what.back());
    if (before && after) return at;
  }
  return std::string_view::npos;
}

std::optional<u64> leading_hex(std::string_view text, std::string_view* rest) noexcept {
  std::size_t at = text.find_first_not_of(" \t=:(");
  if (at == std::string_view::npos) return std::nullopt;
  if (text.substr(at, 2) == "0x" || text.substr(at, 2) == "0X") at += 2;
  std::size_t end = at;
  u64 value = 0;
  unsigned digits = 0;
  for (; end < text.size() && (is_hex_digit(text[end]) || (text[end] == '_' && end > at)); ++end) {
    if (text[end] == '_') continue;
    if (value >> 60 != 0) return std::nullopt;
    char const c = text[end];
    value = value << 4 | static_cast<u64>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  // The suffixes of C.
  std::string_view const tail = text.substr(end);
  for (std::string_view const suffix : {"UL", "ULL", "ul", "ull", "u64"})
    if (tail.starts_with(suffix) && (tail.size() == suffix.size() || !is_word(tail[suffix.size()])))
      end += suffix.size();
  if (end < text.size() && is_word(text[end])) return std::nullopt;
  if (rest != nullptr) *rest = text.substr(end);
  return value;
}

std::optional<u64> leading_decimal(std::string_view text, std::string_view* rest) noexcept {
  std::size_t const at = std::min(text.find_first_not_of(" \t=:("), text.size());
  std::size_t end = at;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  std::optional<u64> const value = parse_number(text.substr(at, end - at), 10);
  if (value && rest != nullptr) *rest = text.substr(end);
  return value;
}

std::optional<u64> hex_after(std::string_view line, std::string_view label) noexcept {
  std::size_t const at = find_word(line, label);
  if (at == std::string_view::npos) return std::nullopt;
  return leading_hex(line.substr(at + label.size()));
}

std::string_view word_after(std::string_view line, std::string_view label) noexcept {
  std::size_t const at = find_word(line, label);
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + label.size());
  std::size_t const first = rest.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  rest.remove_prefix(first);
  return rest.substr(0, rest.find_first_of(" \t,"));
}

namespace {

// `first-last`, both hexadecimal.
line_flaw read_range(std::string_view range, u64& first, u64& last) noexcept {
  std::size_t const dash = range.find('-');
  if (dash == std::string_view::npos) return line_flaw::shape;
  std::optional<u64> const from = parse_number(range.substr(0, dash), 16);
  std::optional<u64> const to = parse_number(range.substr(dash + 1), 16);
  if (!from || !to) return line_flaw::range;
  first = *from;
  last = *to;
  return *to < *from ? line_flaw::order : line_flaw::none;
}

}  // namespace

iomem_line read_iomem_line(std::string_view line) noexcept {
  iomem_line out;
  out.indent = std::min(line.find_first_not_of(' '), line.size());
  std::string_view const text = line.substr(out.indent);
  std::size_t const colon = text.find(" : ");
  if (colon == std::string_view::npos) {
    out.flaw = line_flaw::shape;
    return out;
  }
  out.range = text.substr(0, colon);
  out.name = text.substr(colon + 3);
  out.flaw = read_range(out.range, out.first, out.last);
  if (out.flaw == line_flaw::none && out.name.empty()) out.flaw = line_flaw::name;
  return out;
}

mtree_line read_mtree_line(std::string_view line) noexcept {
  mtree_line out;
  out.indent = std::min(line.find_first_not_of(' '), line.size());
  std::size_t const open = std::min(line.find(" (prio "), line.size());
  std::size_t const comma = line.find(", ", open);
  std::size_t const close = line.find("): ", open);
  if (comma == std::string_view::npos || close == std::string_view::npos || comma > close || open < out.indent) {
    out.flaw = line_flaw::shape;
    return out;
  }
  out.range = line.substr(out.indent, open - out.indent);
  out.kind = line.substr(comma + 2, close - comma - 2);
  out.name = line.substr(close + 3);
  out.memslot = out.name.size() > 4 && out.name.ends_with(" KVM");
  if (out.memslot) out.name.remove_suffix(4);
  out.flaw = read_range(out.range, out.first, out.last);
  std::string_view priority = line.substr(open + 7, comma - open - 7);
  bool const below = priority.starts_with("-");
  if (below) priority.remove_prefix(1);
  std::optional<u64> const level = parse_number(priority, 10);
  if (out.flaw == line_flaw::none && (!level || *level > 0x7fff'ffff)) out.flaw = line_flaw::range;
  out.priority = below ? -static_cast<int>(level.value_or(0)) : static_cast<int>(level.value_or(0));
  return out;
}

fault_event read_fault_event(std::string_view fields) noexcept {
  auto const either = [fields](std::string_view name, std::string_view other) {
    std::optional<u64> const value = hex_after(fields, name);
    return value ? value : hex_after(fields, other);
  };
  return {hex_after(fields, "ipa"), either("hsr", "esr"), either("hxfar", "far"), either("pc", "vcpu_pc")};
}

}  // namespace vmsa::text
