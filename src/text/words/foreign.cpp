// SPDX-License-Identifier: MIT
#include "vmsa/text/words/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace vmsa::text {
namespace {

struct code_point {
  std::uint32_t value;
  std::size_t length;  // in bytes; 0: the first byte begins no well-formed sequence
};

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// The first code point of `text`, which is not empty [Unicode, table 3-7, Well-Formed UTF-8 Byte Sequences].
code_point first_of(std::string_view text) {
  unsigned const lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  std::size_t const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {lead, 0};
  std::uint32_t value = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    unsigned const next = byte_at(text, i);
    if ((next & 0xc0) != 0x80) return {lead, 0};
    value = value << 6 | (next & 0x3f);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  bool const surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < least[length] || surrogate || value > 0x10ffff) return {lead, 0};
  return {value, length};
}

// Characters that act instead of showing: controls, direction marks, separators of lines, and what takes no room.
bool acts(std::uint32_t c) {
  struct range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr range ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                              {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                              {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  return std::any_of(std::begin(ranges), std::end(ranges), [c](range const& r) { return c >= r.first && c <= r.last; });
}

std::string escaped(code_point c) {
  if (c.length == 0) return fmt::format("\\x{:02x}", c.value);
  switch (c.value) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return c.value < 0x100 ? fmt::format("\\x{:02x}", c.value) : fmt::format("\\u{{{:x}}}", c.value);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    code_point const c = first_of(text);
    std::size_t const taken = std::max<std::size_t>(c.length, 1);
    if (c.length == 0 || acts(c.value)) {
      out += escaped(c);
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  std::string const shown = printable(text);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    char const c = shown[i];
    bool const first = i == 0;
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (std::string_view("\\`*|[]~$").find(c) != std::string_view::npos ||
               (first && std::string_view("#>-+=").find(c) != std::string_view::npos)) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  // `1.` at the start would begin a list, where a blank or nothing follows it: `6.12` begins none.
  std::size_t const digits = out.find_first_not_of("0123456789");
  if (digits != 0 && digits != std::string::npos && (out[digits] == '.' || out[digits] == ')') &&
      (digits + 1 == out.size() || out[digits + 1] == ' '))
    out.insert(digits, 1, '\\');
  return out;
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (char const c : printable(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  // XML 1.0 forbids these two even as characters of their own.
  for (std::string_view const noncharacter : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
    for (std::size_t at = 0; (at = out.find(noncharacter, at)) != std::string::npos;)
      out.replace(at, noncharacter.size(), "?");
  return out;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,+@%^";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  bool dollar = false;
  for (std::string_view rest = text; !rest.empty();) {
    code_point const c = first_of(rest);
    dollar = dollar || c.length == 0 || acts(c.value);
    rest.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
  std::string out = dollar ? "$'" : "'";
  while (!text.empty()) {
    code_point const c = first_of(text);
    std::size_t const taken = std::max<std::size_t>(c.length, 1);
    if (!dollar) {
      out += text[0] == '\'' ? std::string("'\\''") : std::string(text.substr(0, taken));
    } else if (c.length == 0 || acts(c.value)) {
      // Octal ends after three digits, whatever follows; \x would take more.
      for (std::size_t i = 0; i < taken; ++i) out += fmt::format("\\{:03o}", byte_at(text, i));
    } else {
      if (text[0] == '\'' || text[0] == '\\') out += '\\';
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  return out + "'";
}

std::string comment_text(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c < ' ' || c > '~' || c == '*' || c == '/' || c == '\\') c = '?';
  return out;
}

}  // namespace vmsa::text
