// SPDX-License-Identifier: MIT
// Who else may use a table at the same time: chosen by type, so that a table with one owner pays for nobody else.
#pragma once
#include "vmsa/mmu/port.hpp"

namespace vmsa {

// One thread of control at a time. Hardware may still update AF and dirty state where VTCR_EL2 says so.
struct exclusive {
  static constexpr bool concurrent = false;
  static constexpr load_order order = load_order::relaxed;

  static u64 load(u64 const& counter) noexcept { return counter; }
  static u64 add(u64& counter, u64 n) noexcept { return counter += n; }
  static bool swap(u64& word, u64& expected, u64 desired) noexcept {
    if (word != expected) {
      expected = word;
      return false;
    }
    word = desired;
    return true;
  }
};

// Any number of callers at once; every entry changes by compare-exchange. Beside each other may run: map with
// existing::keep or update, map_range likewise, unmap, relax, protect, write_protect, age, collect_dirty, look_up, visit.
// Beside those, one at a time: split, collapse, change_memory, existing::replace, and what has to split or unfold first;
// an entry they hold is `busy` to the others, who did nothing and try again. Alone: the destructor.
// A table that is unlinked may still be held by calls that began before: it is retired, and given back after the caller's
// grace period (take_retired, give_back). Tables that unmap leaves empty stay until a whole one is unmapped.
struct lock_free {
  static constexpr bool concurrent = true;
  static constexpr load_order order = load_order::acquire;

  static u64 load(u64 const& counter) noexcept { return __atomic_load_n(&counter, __ATOMIC_ACQUIRE); }
  static u64 add(u64& counter, u64 n) noexcept { return __atomic_add_fetch(&counter, n, __ATOMIC_ACQ_REL); }
  static bool swap(u64& word, u64& expected, u64 desired) noexcept {
    return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
};

}  // namespace vmsa
