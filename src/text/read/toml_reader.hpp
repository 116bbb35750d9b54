// SPDX-License-Identifier: MIT
// TOML input with the manners of this project: every error names file and line and says what would be valid, numbers
// that are addresses are "0x..." strings, and a key nobody asked for is an error instead of a silent typo.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/memory_attributes.hpp"

namespace vmsa::text {

struct toml_document;  // keeps toml++ out of every other translation unit

// One table of a document. A reader asks for the keys it knows, then calls finish().
class toml_table {
 public:
  // The top-level table of a document. Throws input_error where the text is no TOML.
  static toml_table parse(std::string_view text, std::string file);

  bool has(std::string_view key) const;
  std::size_t line() const;                      // of the table's header
  std::size_t line(std::string_view key) const;  // of the key's value, or of the table where there is none

  std::optional<std::string> string(std::string_view key) const;
  // An address, register, size or descriptor: "0x..." as a string.
  std::optional<u64> hex(std::string_view key) const;
  std::optional<u64> count(std::string_view key, u64 most) const;
  std::optional<bool> flag(std::string_view key) const;
  std::vector<std::string> strings(std::string_view key) const;     // empty when absent
  std::vector<std::size_t> item_lines(std::string_view key) const;  // of the elements of an array
  // A string, or an array of strings; empty when absent.
  std::vector<std::string> string_or_strings(std::string_view key) const;
  // The position of the key's value in `names`.
  std::optional<std::size_t> choice(std::string_view key, std::span<std::string_view const> names) const;

  // `non`, `outer` or `inner`.
  std::optional<shareability> sh(std::string_view key) const;

  std::optional<toml_table> table(std::string_view key) const;
  std::vector<toml_table> tables(std::string_view key) const;  // [[key]], in order; empty when absent

  // The same, but the key must be there.
  std::string need_string(std::string_view key, std::string_view valid) const;
  u64 need_hex(std::string_view key) const;

  // Throws input_error at the key's line, or at the table's.
  [[noreturn]] void refuse(std::string_view key, std::string const& problem, std::string const& valid) const;
  // Throws input_error for the first key that no call above has asked for.
  void finish() const;

  std::string const& file() const;

 private:
  toml_table(std::shared_ptr<toml_document const> document, void const* table, std::string name);
  void const* find(std::string_view key) const;
  [[noreturn]] void missing(std::string_view key, std::string_view valid) const;

  std::shared_ptr<toml_document const> document_;
  void const* table_;
  std::string name_;  // for messages: `memory[2]`
  mutable std::set<std::string, std::less<>> asked_;
};

}  // namespace vmsa::text
