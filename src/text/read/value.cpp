// SPDX-License-Identifier: MIT
#include "vmsa/text/read/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/words/ascii.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view space = " \t\r\n";

[[noreturn]] void fail(std::string problem) { throw input_error("", 0, std::move(problem), std::string(valid_value)); }

// What is quoted in an error: long or unprintable input is cut and shown as `?`.
std::string quote(std::string_view text) {
  std::string out(text.substr(0, 40));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}{}\"", out, text.size() > 40 ? "..." : "");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }
bool is_name(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; }

std::string_view trim(std::string_view text) {
  std::size_t const first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// The suffix that C and the kernel's `%#llx` readers leave behind: UL, ull, u64.
std::string_view without_suffix(std::string_view digits) {
  for (std::string_view const suffix : {"ull", "ul", "llu", "lu", "ll", "u64", "u32", "u", "l"}) {
    if (digits.size() <= suffix.size()) continue;
    std::string_view const end = digits.substr(digits.size() - suffix.size());
    if (std::equal(end.begin(), end.end(), suffix.begin(), [](char a, char b) { return lower(a) == b; }))
      return digits.substr(0, digits.size() - suffix.size());
  }
  return digits;
}

struct spelled_number {
  u64 value;
  unsigned digits;
};

spelled_number parse_number_word(std::string_view word) {
  bool const hexadecimal = word.starts_with("0x") || word.starts_with("0X");
  bool const binary = !hexadecimal && (word.starts_with("0b") || word.starts_with("0B"));
  std::string_view const body = without_suffix(hexadecimal || binary ? word.substr(2) : word);
  std::string digits;
  for (std::size_t i = 0; i < body.size(); ++i)
    if (body[i] != '_' || i == 0 || i + 1 == body.size()) digits += body[i];
  if (digits.empty()) fail(fmt::format("{} holds no digits", quote(word)));

  bool const all_binary = std::all_of(digits.begin(), digits.end(), [](char c) { return c == '0' || c == '1'; });
  if (binary && all_binary) {
    if (digits.size() > 64) fail(fmt::format("{} is wider than 64 bits", quote(word)));
    u64 value = 0;
    for (char const c : digits) value = value << 1 | (c == '1' ? 1u : 0u);
    return {value, 0};
  }
  if (binary) digits = "0b" + digits;  // `0b93` is hexadecimal without its 0x
  auto const odd = std::find_if_not(digits.begin(), digits.end(), is_hex);
  if (odd != digits.end()) fail(fmt::format("{}: {} is no hexadecimal digit", quote(word), quote({&*odd, 1})));
  std::optional<u64> const value = parse_number(digits, 16);
  if (!value) fail(fmt::format("{} is wider than 64 bits", quote(word)));
  bool const decimal_too = !hexadecimal && std::all_of(digits.begin(), digits.end(), is_digit);
  if (decimal_too && digits.size() > 8 && digits.size() != 16) {
    std::optional<u64> const as_decimal = parse_number(digits, 10);
    fail(fmt::format("{} could be hexadecimal, 0x{}, or decimal, {}: write it with 0x", quote(word), digits,
                     as_decimal ? hex(*as_decimal) : "which is wider than 64 bits"));
  }
  return {*value, static_cast<unsigned>(digits.size())};
}

// `ESR_EL2`, and what stands between it and the value is `=`, `:` or blanks.
std::string_view take_name(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_name(text[length])) ++length;
  std::string_view const name = text.substr(0, length);
  std::string_view rest = trim(text.substr(length));
  bool const letter = !name.empty() && !is_digit(name.front()) && name.front() != '_';
  bool const number = std::all_of(name.begin(), name.end(), is_hex);
  bool const separated = rest.starts_with("=") || rest.starts_with(":");
  if (!letter || rest.empty() || (number && !separated)) return {};
  if (separated) rest = trim(rest.substr(1));
  text = rest;
  return name;
}

}  // namespace

named_value parse_named_value(std::string_view given) {
  std::string_view text = trim(given);
  named_value out;
  std::string_view const name = take_name(text);
  for (char const c : name) out.name += upper(c);
  std::size_t const end = std::min(text.find_first_of(" \t,;"), text.size());
  spelled_number const first = parse_number_word(text.substr(0, end));
  std::string_view const rest = trim(text.substr(end));
  if (!rest.empty()) {
    std::optional<u64> const decimal = parse_number(rest, 10);
    if (!decimal || name.empty())
      fail(fmt::format("{}: one value was expected, and {} stands behind it", quote(given), quote(rest)));
    if (*decimal != first.value)
      fail(fmt::format("{}: the two numbers are not the same value: {}, and {} in decimal", quote(given),
                       hex(first.value), hex(*decimal)));
  }
  out.value = first.value;
  out.digits = first.digits;
  return out;
}

}  // namespace vmsa::text
