// SPDX-License-Identifier: MIT
// One recorded translation: a JSON object on a line of its own.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "text/replay/replay_table.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {

// One case as recorded. Every accessor throws input_error at the line when the value is missing or of another kind.
class recorded_case {
 public:
  using json = nlohmann::json;

  recorded_case(std::string_view line, line_position at) : at_(at) {
    root_ = json::parse(line, nullptr, false);
    if (!root_.is_object()) refuse("no JSON object", "one object to a line");
  }

  [[noreturn]] void refuse(std::string const& problem, std::string const& valid) const {
    throw input_error(std::string(at_.file), at_.number, problem, valid);
  }

  json const& member(json const& of, char const* key) const {
    auto const it = of.find(key);
    if (it == of.end()) refuse(fmt::format("no \"{}\"", key), "the keys of tests/README.md");
    return *it;
  }
  json const& object(char const* key) const {
    json const& value = member(root_, key);
    if (!value.is_object()) refuse(fmt::format("\"{}\" is no object", key), "an object");
    return value;
  }
  u64 hex_value(json const& value, std::string_view key) const {
    std::optional<u64> number;
    if (value.is_string()) number = parse_number(value.get_ref<std::string const&>(), 16);
    if (!number) refuse(fmt::format("\"{}\": {}", key, value.dump()), "\"0x\" and up to 16 hex digits");
    return *number;
  }
  wide_number wide_value(json const& value, std::string_view key) const {
    std::optional<wide_number> number;
    if (value.is_string()) number = parse_wide_number(value.get_ref<std::string const&>());
    if (!number) refuse(fmt::format("\"{}\": {}", key, value.dump()), "\"0x\" and up to 32 hex digits");
    return *number;
  }
  u64 hex_of(json const& of, char const* key) const { return hex_value(member(of, key), key); }
  u64 count(json const& of, char const* key, u64 most) const {
    json const& value = member(of, key);
    if (!value.is_number_unsigned() || value.get<u64>() > most)
      refuse(fmt::format("\"{}\": {}", key, value.dump()), fmt::format("a number up to {}", most));
    return value.get<u64>();
  }
  u64 count(char const* key, u64 most) const { return count(root_, key, most); }
  // 0 or 1; absent is 0.
  bool flag(json const& of, char const* key) const { return of.contains(key) && count(of, key, 1) != 0; }
  bool flag(char const* key) const { return flag(root_, key); }
  std::string const& word(char const* key, char const* valid) const {
    json const& value = member(root_, key);
    if (!value.is_string()) refuse(fmt::format("\"{}\": {}", key, value.dump()), valid);
    return value.get_ref<std::string const&>();
  }
  json const& root() const noexcept { return root_; }

 private:
  line_position at_;
  json root_;
};

}  // namespace vmsa::text
