// SPDX-License-Identifier: MIT
#include "vmsa/sim/memory.hpp"

#include <stdexcept>

namespace vmsa::sim {

void machine_memory::check(pa where, u64 bytes) const {
  u64 const offset = where - base();
  if (offset > size() || size() - offset < bytes || !where.aligned_to(8))
    throw std::out_of_range("physical address outside the simulated memory");
}

void machine_memory::check_words(pa where, u64 count) const {
  // More words than the memory has are too many, whatever their bytes come to in 64 bits.
  check(where, count > size() / 8 ? ~u64{0} : 8 * count);
}

}  // namespace vmsa::sim
