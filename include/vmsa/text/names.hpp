// SPDX-License-Identifier: MIT
// The one spelling of every shared value, in text and in JSON.
#pragma once
#include <string_view>

#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/mair.hpp"
#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/arch/stage2_attributes.hpp"

namespace vmsa::text {

// Text form: `Normal-WB`, `Device-nGnRE`. Halves that differ are `Normal-mixed`; describe() spells them out.
constexpr std::string_view name(summary s) noexcept {
  constexpr std::string_view names[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                        "Normal-NC",     "Normal-WT",    "Normal-WB",   "Normal-mixed"};
  return names[static_cast<unsigned>(s)];
}

// JSON and command-line form: `normal-wb`, `device-nGnRE`.
constexpr std::string_view json_name(summary s) noexcept {
  constexpr std::string_view names[] = {"device-nGnRnE", "device-nGnRE", "device-nGRE", "device-GRE",
                                        "normal-nc",     "normal-wt",    "normal-wb",   "normal-mixed"};
  return names[static_cast<unsigned>(s)];
}

constexpr std::string_view name(device_kind d) noexcept {
  constexpr std::string_view names[] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};
  return names[static_cast<unsigned>(d)];
}

constexpr std::string_view name(cache_policy p) noexcept {
  switch (p) {
    case cache_policy::non_cacheable: return "NC";
    case cache_policy::write_through: return "WT";
    case cache_policy::write_back: return "WB";
  }
  return "?";
}

// `NC`, or policy, allocation hints and transience: `WB-RW`, `WT-N-T`. The spelling of the golden tables.
constexpr std::string_view name(cacheability c) noexcept {
  if (c.policy == cache_policy::non_cacheable) return "NC";
  constexpr std::string_view names[2][2][4] = {
      {{"WT-N", "WT-W", "WT-R", "WT-RW"}, {"WT-N-T", "WT-W-T", "WT-R-T", "WT-RW-T"}},
      {{"WB-N", "WB-W", "WB-R", "WB-RW"}, {"WB-N-T", "WB-W-T", "WB-R-T", "WB-RW-T"}}};
  return names[c.policy == cache_policy::write_back][c.transient][2 * c.read_allocate + c.write_allocate];
}

constexpr std::string_view name(shareability s) noexcept {
  switch (s) {
    case shareability::non: return "NSH";
    case shareability::outer: return "OSH";
    case shareability::inner: return "ISH";
  }
  return "?";
}

constexpr std::string_view long_name(shareability s) noexcept {
  switch (s) {
    case shareability::non: return "non-shareable";
    case shareability::outer: return "outer shareable";
    case shareability::inner: return "inner shareable";
  }
  return "?";
}

constexpr std::string_view name(granule g) noexcept {
  constexpr std::string_view names[] = {"4K", "16K", "64K"};
  return names[static_cast<unsigned>(g)];
}

constexpr std::string_view name(mair_class c) noexcept {
  switch (c) {
    case mair_class::defined: return "defined";
    case mair_class::needs_xs: return "needs FEAT_XS";
    case mair_class::needs_mte2: return "needs FEAT_MTE2";
    case mair_class::reserved: return "reserved";
  }
  return "?";
}

constexpr std::string_view name(stage2_memory m) noexcept {
  constexpr std::string_view names[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                        "Normal-NC",     "Normal-WT",    "Normal-WB",   "as stage 1"};
  return names[static_cast<unsigned>(m)];
}

}  // namespace vmsa::text
