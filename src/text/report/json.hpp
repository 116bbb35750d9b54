// SPDX-License-Identifier: MIT
// What every JSON answer has in common.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

/// A JSON value that an answer is built from, written as one writes nlohmann-json: `json_value{{"pa", hex(pa)},
/// {"size", 4096}}`. Keys stay in the order in which they were given. nlohmann-json still prints it, in one file: its
/// class template costs a compiler three seconds in every file that builds a value, and forty reports do.
class json_value {
 public:
  json_value();
  json_value(std::nullptr_t) : json_value() {}
  json_value(bool v);
  json_value(double v);
  template <std::integral T>
  requires(!std::same_as<T, bool>) json_value(T v) : json_value(static_cast<u64>(v), v < T{}) {}
  json_value(char const* v);
  json_value(std::string_view v);
  json_value(std::string v);
  /// An object if every part is a pair that begins with a string, and otherwise an array.
  json_value(std::initializer_list<json_value> parts);
  template <class T>
  json_value(std::vector<T> const& list) : json_value(array()) {
    for (T const& item : list) push_back(json_value(item));
  }
  json_value(json_value const&);
  json_value(json_value&&) noexcept;
  json_value& operator=(json_value const&);
  json_value& operator=(json_value&&) noexcept;
  ~json_value();

  static json_value array(std::initializer_list<json_value> items = {});
  static json_value object(std::initializer_list<json_value> keys = {});

  /// A null, and an array or object that holds nothing.
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  json_value const& front() const { return items_.front(); }
  json_value& back() { return items_.back(); }

  /// The value of a key, added as null where it is not there. A null becomes an object.
  json_value& operator[](std::string_view key);
  json_value& operator[](std::nullptr_t) = delete;
  /// A null becomes an array.
  void push_back(json_value item);
  template <class... T>
  void emplace_back(T&&... parts) {
    push_back(json_value(std::forward<T>(parts)...));
  }
  /// Takes over every key of another object, in place where it is there already.
  void update(json_value const& other);

  /// `indent` spaces a level, and everything on one line where it is negative. Bytes that are no UTF-8, which names of
  /// files may hold, are replaced by U+FFFD: an answer must not be lost to a name.
  std::string dump(int indent, bool ascii) const;

 private:
  enum class kind { null, boolean, number, negative, real, string, array, object };
  struct printer;

  json_value(u64 bits, bool negative);
  explicit json_value(kind k);

  kind kind_ = kind::null;
  u64 number_ = 0;
  double real_ = 0;
  std::string text_;
  std::vector<json_value> items_;
  std::vector<std::string> keys_;
};

/// An answer's object, whose first key says which shape it has and in which version: `"schema": "vmsa.decide/1"`. The
/// version grows when a key goes or changes its meaning; a new key does not change it.
json_value answer_json(std::string_view subcommand, unsigned version = 1);

/// `j` as the command prints it: pure ASCII, so that nothing in it acts on a terminal.
std::string json_text(json_value const& j);

}  // namespace vmsa::text
