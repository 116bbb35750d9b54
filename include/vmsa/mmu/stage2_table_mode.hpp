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

// Any number of callers at once; every entry changes by compare-exchange.
//   Beside everything else: map and batches with existing::keep or update and without the Contiguous bit, map_range
//   likewise, unmap of one page, relax, age, collect_dirty, clean_data, look_up, visit, statistics.
//   Beside those, but one at a time: whatever may break, split or unlink. unmap of a block, a run or a range; protect,
//   write_protect, start_dirty_log, split, collapse, change_memory; map with existing::replace or the Contiguous bit.
//   The second is refused as busy, and nothing was done.
//   Beside nothing: the destructor. give_back needs a grace period, see there. A cursor belongs to one caller.
//   Port and frame source are called by all of them at once: arena_frames wants the same mode.
// One page's operation is atomic, a range's is one for each leaf. An operation that meets an entry between break and
// make, or a page whose TLBI is not complete, is busy there: outcome.at says how far it came, and it may be tried again
// from there. look_up calls such an entry not mapped. A page unmapped by one call is mapped by another only after the
// TLBI: no break is missing between the two. What a call unmapped or replaced no TLB holds when it returns; a
// permission or an access flag that it found another call taking away is gone when that one returns. Others may see a
// block or a run made smaller before the rest of a call is done. Tables that unmap leaves empty stay until a whole one
// is unmapped; an unlinked one waits for take_retired, give_back.
struct lock_free {
  static constexpr bool concurrent = true;
  static constexpr load_order order = load_order::acquire;

  static u64 load(u64 const& counter) noexcept { return __atomic_load_n(&counter, __ATOMIC_ACQUIRE); }
  static u64 add(u64& counter, u64 n) noexcept { return __atomic_add_fetch(&counter, n, __ATOMIC_ACQ_REL); }
  static bool swap(u64& word, u64& expected, u64 desired) noexcept {
    return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
};

// A port or frame source that says for which mode it is, is for that mode, or for both if that is lock_free.
template <class T, class Mode>
concept fits_mode = !Mode::concurrent || !requires {
  typename T::mode;
}
|| requires { requires T::mode::concurrent; };

}  // namespace vmsa
