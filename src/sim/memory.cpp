// SPDX-License-Identifier: MIT
#include "vmsa/sim/memory.hpp"

#include <stdexcept>

namespace vmsa::sim {

void machine_memory::check(pa where, u64 bytes) const {
  u64 const offset = where - base();
  if (offset > size() || size() - offset < bytes || !where.aligned_to(8))
    throw std::out_of_range("physical address outside the simulated memory");
}

}  // namespace vmsa::sim
