// SPDX-License-Identifier: MIT
#include "toml_reader.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"

namespace vmsa::text {

struct toml_document {
  toml::table root;
  std::string file;
};

namespace {

toml::node const& as_node(void const* p) { return *static_cast<toml::node const*>(p); }
toml::table const& as_table(void const* p) { return *static_cast<toml::node const*>(p)->as_table(); }

std::string_view kind_name(toml::node const& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a number";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

std::string list(std::span<std::string_view const> names) {
  std::string out;
  for (std::string_view n : names) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  return out;
}

}  // namespace

toml_table::toml_table(std::shared_ptr<toml_document const> document, void const* table, std::string name)
    : document_(std::move(document)), table_(table), name_(std::move(name)) {}

toml_table toml_table::parse(std::string_view text, std::string file) {
  auto document = std::make_shared<toml_document>();
  document->file = std::move(file);
  try {
    document->root = toml::parse(text);
  } catch (toml::parse_error const& error) {
    throw input_error(document->file, error.source().begin.line, std::string(error.description()), "a TOML document");
  }
  void const* root = static_cast<toml::node const*>(&document->root);
  return {document, root, ""};
}

std::string const& toml_table::file() const { return document_->file; }

void const* toml_table::find(std::string_view key) const {
  asked_.emplace(key);
  return as_table(table_).get(key);
}

bool toml_table::has(std::string_view key) const { return find(key) != nullptr; }

std::size_t toml_table::line() const { return as_node(table_).source().begin.line; }

std::size_t toml_table::line(std::string_view key) const {
  void const* node = find(key);
  return node == nullptr ? line() : as_node(node).source().begin.line;
}

void toml_table::refuse(std::string_view key, std::string const& problem, std::string const& valid) const {
  throw input_error(document_->file, line(key),
                    fmt::format("{}{}{}: {}", name_, name_.empty() || key.empty() ? "" : ".", key, problem), valid);
}

void toml_table::missing(std::string_view key, std::string_view valid) const {
  throw input_error(document_->file, line(), fmt::format("{} has no {}", name_.empty() ? "the document" : name_, key),
                    std::string(valid));
}

std::optional<std::string> toml_table::string(std::string_view key) const {
  void const* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto const* value = as_node(node).as_string()) return value->get();
  refuse(key, fmt::format("is {}", kind_name(as_node(node))), "a string");
}

std::optional<u64> toml_table::hex(std::string_view key) const {
  void const* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto const* value = as_node(node).as_string()) {
    std::string const& text = value->get();
    if (text.starts_with("0x") || text.starts_with("0X"))
      if (std::optional<u64> const number = parse_number(text)) return number;
    refuse(key, fmt::format("\"{}\"", text), "a hexadecimal string of at most 64 bits, \"0x40000000\"");
  }
  refuse(key, fmt::format("is {}", kind_name(as_node(node))),
         "a hexadecimal string, \"0x40000000\": TOML's own integers are signed");
}

std::optional<u64> toml_table::count(std::string_view key, u64 most) const {
  void const* node = find(key);
  if (node == nullptr) return std::nullopt;
  auto const* value = as_node(node).as_integer();
  if (value == nullptr)
    refuse(key, fmt::format("is {}", kind_name(as_node(node))), fmt::format("a number from 0 to {}", most));
  if (value->get() < 0 || static_cast<u64>(value->get()) > most)
    refuse(key, fmt::format("{}", value->get()), fmt::format("a number from 0 to {}", most));
  return static_cast<u64>(value->get());
}

std::optional<bool> toml_table::flag(std::string_view key) const {
  void const* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto const* value = as_node(node).as_boolean()) return value->get();
  refuse(key, fmt::format("is {}", kind_name(as_node(node))), "true or false");
}

std::vector<std::string> toml_table::strings(std::string_view key) const {
  std::vector<std::string> out;
  void const* node = find(key);
  if (node == nullptr) return out;
  auto const* array = as_node(node).as_array();
  if (array == nullptr) refuse(key, fmt::format("is {}", kind_name(as_node(node))), "an array of strings");
  for (toml::node const& item : *array) {
    auto const* value = item.as_string();
    if (value == nullptr)
      throw input_error(document_->file, item.source().begin.line,
                        fmt::format("{}: an element is {}", key, kind_name(item)), "strings only");
    out.push_back(value->get());
  }
  return out;
}

std::optional<std::size_t> toml_table::choice(std::string_view key, std::span<std::string_view const> names) const {
  std::optional<std::string> const value = string(key);
  if (!value) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == *value) return i;
  refuse(key, fmt::format("\"{}\"", *value), list(names));
}

std::optional<toml_table> toml_table::table(std::string_view key) const {
  void const* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!as_node(node).is_table()) refuse(key, fmt::format("is {}", kind_name(as_node(node))), "a table");
  return toml_table(document_, node, fmt::format("{}{}{}", name_, name_.empty() ? "" : ".", key));
}

std::vector<toml_table> toml_table::tables(std::string_view key) const {
  std::vector<toml_table> out;
  void const* node = find(key);
  if (node == nullptr) return out;
  auto const* array = as_node(node).as_array();
  if (array == nullptr) refuse(key, fmt::format("is {}", kind_name(as_node(node))), fmt::format("[[{}]]", key));
  for (toml::node const& item : *array) {
    if (!item.is_table())
      throw input_error(document_->file, item.source().begin.line,
                        fmt::format("{}: an element is {}", key, kind_name(item)), fmt::format("[[{}]]", key));
    out.push_back(toml_table(document_, &item,
                             fmt::format("{}{}{}[{}]", name_, name_.empty() ? "" : ".", key, out.size() + 1)));
  }
  return out;
}

std::string toml_table::need_string(std::string_view key, std::string_view valid) const {
  if (std::optional<std::string> value = string(key)) return *std::move(value);
  missing(key, valid);
}

u64 toml_table::need_hex(std::string_view key) const {
  if (std::optional<u64> const value = hex(key)) return *value;
  missing(key, fmt::format("{} = \"0x...\"", key));
}

void toml_table::finish() const {
  for (auto const& [key, node] : as_table(table_)) {
    if (asked_.contains(key.str())) continue;
    std::string valid;
    for (std::string const& known : asked_) valid += fmt::format("{}{}", valid.empty() ? "" : " ", known);
    throw input_error(document_->file, node.source().begin.line,
                      fmt::format("{}{}\"{}\" is no key {}", name_, name_.empty() ? "" : ": ", key.str(),
                                  name_.empty() ? "of this document" : "of this table"),
                      valid);
  }
}

}  // namespace vmsa::text
