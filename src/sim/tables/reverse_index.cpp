// SPDX-License-Identifier: MIT
#include "vmsa/sim/tables/reverse_index.hpp"

namespace vmsa::sim {

reverse_index::reverse_index(std::vector<physical_mapping> mappings) : mappings_(std::move(mappings)) {
  std::sort(mappings_.begin(), mappings_.end(), [](physical_mapping const& a, physical_mapping const& b) {
    return a.first != b.first ? a.first < b.first : in_order(a, b);
  });
  for (physical_mapping const& m : mappings_) longest_ = std::max(longest_, m.size);
}

std::vector<physical_mapping> reverse_index::at(pa where) const {
  u64 const earliest = where.value >= longest_ ? where.value - longest_ : 0;
  auto it = std::lower_bound(mappings_.begin(), mappings_.end(), pa{earliest},
                             [](physical_mapping const& m, pa at) { return m.first < at; });
  std::vector<physical_mapping> out;
  for (; it != mappings_.end() && it->first <= where; ++it)
    if (where - it->first < it->size) out.push_back(*it);
  std::sort(out.begin(), out.end(), in_order);
  return out;
}

}  // namespace vmsa::sim
