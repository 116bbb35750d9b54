// SPDX-License-Identifier: MIT
#include "vmsa/text/words/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vmsa::text {

std::string binary(u64 value, unsigned width) { return fmt::format("0b{:0{}b}", value, width); }

std::string size_name(u64 bytes) {
  constexpr std::string_view units[] = {"", "K", "M", "G", "T", "P", "E"};
  unsigned unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, units[unit]);
}

std::string describe_type(memory_attributes const& a) {
  std::string text{name(summarize(a))};
  if (is_normal(a)) {
    if (a.inner == a.outer) {
      if (a.inner.policy != cache_policy::non_cacheable && a.inner != write_back_rw)
        text += fmt::format(" ({})", name(a.inner));
    } else {
      text += fmt::format(" (inner {}, outer {})", name(a.inner), name(a.outer));
    }
  }
  return text;
}

std::string describe_extras(memory_attributes const& a) {
  std::string text;
  // XS = 0 is what write-back memory has anyway, XS = 1 what everything else has.
  if (a.xs == is_write_back(a)) text += a.xs ? ", XS" : ", XS=0";
  if (a.tagged) text += ", Tagged";
  if (a.no_tag_access) text += ", NoTagAccess";
  return text;
}

std::string describe(memory_attributes const& a) {
  return fmt::format("{}, {}{}", describe_type(a), long_name(a.sh), describe_extras(a));
}

std::optional<u64> parse_number(std::string_view text, int base) noexcept {
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && (base == 0 || base == 16)) {
    text.remove_prefix(2);
    base = 16;
  }
  if (base == 0) base = 10;
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  u64 value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<u64> parse_size(std::string_view text) noexcept {
  constexpr std::string_view units = "KMGTPEkmgtpe";
  bool const hexadecimal = text.starts_with("0x");
  std::size_t const unit = text.empty() || hexadecimal ? std::string_view::npos : units.find(text.back());
  unsigned const shift = unit == std::string_view::npos ? 0 : 10 * (static_cast<unsigned>(unit % 6) + 1);
  if (shift != 0) text.remove_suffix(1);
  std::optional<u64> const count = parse_number(text);
  if (!count || *count > ~u64{0} >> shift) return std::nullopt;
  return *count << shift;
}

std::optional<summary> parse_summary(std::string_view text) noexcept {
  auto const same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  for (unsigned i = 0; i <= static_cast<unsigned>(summary::normal_wb); ++i) {
    std::string_view const candidate = name(static_cast<summary>(i));
    if (std::equal(text.begin(), text.end(), candidate.begin(), candidate.end(), same)) return static_cast<summary>(i);
  }
  return std::nullopt;
}

std::optional<u8> usual_mair(std::string_view type) noexcept {
  std::optional<summary> const s = parse_summary(type);
  if (!s) return std::nullopt;
  constexpr u8 bytes[] = {0x00, 0x04, 0x08, 0x0c, 0x44, 0xbb, 0xff};
  return bytes[static_cast<unsigned>(*s)];
}

}  // namespace vmsa::text
