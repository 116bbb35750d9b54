// SPDX-License-Identifier: MIT
#pragma once

#include <map>

#include "vmsa/mmu/port.hpp"

namespace vmsa::test {

/// Memory in which everything that is not named reads as 0.
struct few_words {
  std::map<u64, u64> words;

  descriptor load(pa where, load_order) const {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = load(where, load_order::relaxed);
    if (found == expected) words[where.value] = desired.raw;
    return found;
  }
};
static_assert(updatable_port<few_words> && !mmu_port<few_words>);

}  // namespace vmsa::test
