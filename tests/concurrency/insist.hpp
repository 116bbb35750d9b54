// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <thread>

#include "vmsa/mmu/stage2_table.hpp"

namespace vmsa::test {

/// Does `f` until it is not refused as busy; `refusals` counts how often it was.
template <class Counter, class F>
stage2_outcome insist(std::atomic<Counter>& refusals, F const& f) {
  for (;;) {
    stage2_outcome const out = f();
    if (out.error != table_error::busy) return out;
    refusals.fetch_add(1, std::memory_order_relaxed);
    std::this_thread::yield();
  }
}

}  // namespace vmsa::test
