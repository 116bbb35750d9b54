// SPDX-License-Identifier: MIT
// From physical addresses back to everybody who maps them.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "vmsa/arch/address.hpp"

namespace vmsa::sim {

/// One owner's mapping of physical memory; `what` names it in a list of the caller's.
struct physical_mapping {
  pa first{};
  u64 size = 0;
  u32 owner = 0;
  u32 what = 0;
};

class reverse_index {
 public:
  /// Sorts once: O(n log n). Mappings may overlap, those of one owner too.
  explicit reverse_index(std::vector<physical_mapping> mappings);

  /// Every mapping of `where`, in the order of owners.
  std::vector<physical_mapping> at(pa where) const;

  /// Calls `visit(pa first, u64 size, std::span<physical_mapping const>)` for every stretch of memory in ascending
  /// order in which the same mappings, at least one, hold throughout; they come in the order of owners.
  template <class Visitor>
  void for_each_stretch(Visitor&& visit) const {
    std::vector<physical_mapping> active;
    std::size_t next = 0;
    u64 at = 0;
    while (next < mappings_.size() || !active.empty()) {
      if (active.empty()) at = mappings_[next].first.value;
      while (next < mappings_.size() && mappings_[next].first.value == at) {
        physical_mapping const& m = mappings_[next++];
        active.insert(std::upper_bound(active.begin(), active.end(), m, in_order), m);
      }
      u64 end = next < mappings_.size() ? mappings_[next].first.value : ~u64{0};
      for (physical_mapping const& m : active) end = std::min(end, m.first.value + m.size);
      visit(pa{at}, end - at, std::span<physical_mapping const>(active));
      std::erase_if(active, [&](physical_mapping const& m) { return m.first.value + m.size <= end; });
      at = end;
    }
  }

  std::size_t size() const noexcept { return mappings_.size(); }

 private:
  static bool in_order(physical_mapping const& a, physical_mapping const& b) noexcept {
    return a.owner != b.owner ? a.owner < b.owner : a.what < b.what;
  }

  std::vector<physical_mapping> mappings_;  // by first address
  u64 longest_ = 0;
};

}  // namespace vmsa::sim
