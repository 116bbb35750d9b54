// SPDX-License-Identifier: MIT
// The words that programs of coherency scenarios are written in.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "vmsa/sim/coherency_scenario.hpp"

namespace vmsa::text::coherency_words {

using coherency::operation;

struct spelling {
  std::string_view text;
  operation what;
};
inline constexpr spelling accesses[] = {
    {"load", operation::load}, {"store", operation::store}, {"snapshot", operation::snapshot}};
inline constexpr spelling maintenance[] = {{"cvac", operation::dc_cvac},
                                           {"civac", operation::dc_civac},
                                           {"ivac", operation::dc_ivac},
                                           {"cvau", operation::dc_cvau}};
inline constexpr spelling barriers[] = {{"dmb", operation::dmb}, {"dsb", operation::dsb}};
inline constexpr spelling events[] = {{"signal", operation::signal}, {"wait", operation::wait}};
inline constexpr spelling changes[] = {{"map", operation::map}, {"unmap", operation::unmap}, {"tlbi", operation::tlbi}};
inline constexpr spelling dma[] = {{"read", operation::dma_read}, {"write", operation::dma_write}};

template <std::size_t N>
constexpr std::optional<operation> find(spelling const (&table)[N], std::string_view text) {
  for (spelling const& s : table)
    if (s.text == text) return s.what;
  return std::nullopt;
}
template <std::size_t N>
constexpr std::optional<std::string_view> find(spelling const (&table)[N], operation what) {
  for (spelling const& s : table)
    if (s.what == what) return s.text;
  return std::nullopt;
}

}  // namespace vmsa::text::coherency_words
