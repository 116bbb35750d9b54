// SPDX-License-Identifier: MIT
// The words of an enumeration: one table in the order of its values, read both ways.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace vmsa::text {

template <std::size_t N>
using word_table = std::array<std::string_view, N>;

/// The word of `value`, or "?" for a value that the table does not reach.
template <class E, std::size_t N>
constexpr std::string_view word_of(word_table<N> const& words, E value) noexcept {
  auto const i = static_cast<std::size_t>(value);
  return i < N ? words[i] : "?";
}

/// The value whose word is `word`, letter by letter.
template <class E, std::size_t N>
constexpr std::optional<E> value_of(word_table<N> const& words, std::string_view word) noexcept {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == word) return static_cast<E>(i);
  return std::nullopt;
}

}  // namespace vmsa::text
