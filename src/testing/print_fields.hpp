// SPDX-License-Identifier: MIT
// A value as its fields by name.
#pragma once
#include <optional>
#include <ostream>
#include <string_view>
#include <type_traits>
#include <utility>

#include "vmsa/testing/printers.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa {

// bool by word, u64 in hexadecimal, smaller numbers in decimal, anything else as it prints itself.
template <class T>
void print_value(T const& value, std::ostream& out) {
  if constexpr (std::is_same_v<T, bool>)
    out << (value ? "true" : "false");
  else if constexpr (std::is_same_v<T, u64>)
    out << text::hex(value);
  else if constexpr (std::is_arithmetic_v<T>)
    out << +value;
  else if constexpr (std::is_convertible_v<T, std::string_view>)
    out << '"' << std::string_view(value) << '"';
  else
    PrintTo(value, &out);
}
template <class T>
void print_value(std::optional<T> const& value, std::ostream& out) {
  if (value)
    print_value(*value, out);
  else
    out << "none";
}
template <class T, std::size_t N>
void print_value(T const (&values)[N], std::ostream& out) {
  char const* separator = "[";
  for (T const& value : values) {
    out << std::exchange(separator, ", ");
    print_value(value, out);
  }
  out << ']';
}

inline void print_rest(std::ostream&, char const*) {}
template <class T, class... Rest>
void print_rest(std::ostream& out, char const* separator, char const* name, T const& value, Rest const&... rest) {
  out << separator << name << ' ';
  print_value(value, out);
  print_rest(out, ", ", rest...);
}

// `{reg 1, size 4, sign_extend false}` from names and values in turn. The printers take a value apart with a structured
// binding first, so that a field added to it does not compile until it is printed.
template <class... NamesAndValues>
void print_fields(std::ostream* out, NamesAndValues const&... all) {
  *out << '{';
  print_rest(*out, "", all...);
  *out << '}';
}

}  // namespace vmsa
