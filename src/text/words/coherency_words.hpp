// SPDX-License-Identifier: MIT
// The words that programs of coherency scenarios are written in.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "vmsa/sim/coherency/scenario.hpp"

namespace vmsa::text::coherency_words {

using coherency::step_kind;

// Spelled alike in files, text and JSON, in the order of the enumerations.
inline constexpr std::string_view verdicts[] = {"coherent", "violation", "not-finished"};
inline constexpr std::string_view properties[] = {"", "stale-read", "lost-write", "snapshot"};
inline constexpr std::string_view stop_reasons[] = {"",          "max-states",    "max-memory",    "time",
                                                    "interrupt", "out-of-memory", "state-too-wide"};
inline constexpr std::string_view change_kinds[] = {"add-dsb",          "add-cvac",   "add-civac",  "map-write-back",
                                                    "force-write-back", "make-snoop", "set-canwbs", "drop-alias"};

template <class Value>
struct word {
  std::string_view text;
  Value what;
};
using spelling = word<step_kind>;
inline constexpr spelling accesses[] = {
    {"load", step_kind::load}, {"store", step_kind::store}, {"snapshot", step_kind::snapshot}};
inline constexpr spelling maintenance[] = {{"cvac", step_kind::dc_cvac},
                                           {"civac", step_kind::dc_civac},
                                           {"ivac", step_kind::dc_ivac},
                                           {"cvau", step_kind::dc_cvau}};
inline constexpr spelling barriers[] = {{"dmb", step_kind::dmb}, {"dsb", step_kind::dsb}};
inline constexpr spelling events[] = {{"signal", step_kind::signal}, {"wait", step_kind::wait}};
inline constexpr spelling changes[] = {{"map", step_kind::map}, {"unmap", step_kind::unmap}, {"tlbi", step_kind::tlbi}};
inline constexpr spelling dma[] = {{"read", step_kind::dma_read}, {"write", step_kind::dma_write}};

// What may stand behind a TLBI; Inner Shareable is not said.
inline constexpr word<tlbi_scope> scopes[] = {{"local", tlbi_scope::local}, {"outer", tlbi_scope::outer}};

template <class Value, std::size_t N>
constexpr std::optional<Value> find(word<Value> const (&table)[N], std::string_view text) {
  for (word<Value> const& w : table)
    if (w.text == text) return w.what;
  return std::nullopt;
}
template <class Value, std::size_t N>
constexpr std::optional<std::string_view> find(word<Value> const (&table)[N], Value what) {
  for (word<Value> const& w : table)
    if (w.what == what) return w.text;
  return std::nullopt;
}

}  // namespace vmsa::text::coherency_words
