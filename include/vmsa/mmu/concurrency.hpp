// SPDX-License-Identifier: MIT
// Who else may use a table at the same time: chosen by type, so that a table with one owner pays for nobody else.
#pragma once
#include "vmsa/mmu/port.hpp"

namespace vmsa {

/// One thread of control at a time. Hardware may still update the access flag and dirty state where VTCR_EL2 says so.
struct exclusive {
  static constexpr bool concurrent = false;
  static constexpr bool short_ways = true;
  static constexpr load_order order = load_order::relaxed;

  static u64 load(u64 const& counter) noexcept { return counter; }
  static u64 add(u64& counter, u64 n) noexcept { return counter += n; }
  static bool exchange(u64& word, u64& expected, u64 desired) noexcept {
    if (word != expected) {
      expected = word;
      return false;
    }
    word = desired;
    return true;
  }
};

/// `exclusive` for images that count bytes rather than instructions: every operation goes the one way that serves all
/// cases, without the inlined short ways of single pages, cursors and occupancy bits. What is mapped, which errors
/// there are and which maintenance is issued are the same.
struct compact : exclusive {
  static constexpr bool short_ways = false;
};

/// Any number of callers at once; every live entry changes by compare-exchange. What may run beside what, each call
/// named once:
///
///   | call                                                             | beside shared | beside restructuring |
///   |------------------------------------------------------------------|---------------|----------------------|
///   | shared: map and batches with existing::keep or update and        | yes           | yes, may be busy     |
///   | without the Contiguous bit; map_range likewise; unmap of one     |               |                      |
///   | page; relax; age; collect_dirty; clean_data                      |               |                      |
///   | reading: look_up, visit, statistics                              | yes           | yes                  |
///   | restructuring: unmap of a block, a run or a range; protect;      | yes           | busy, nothing done   |
///   | write_protect; start_dirty_log; split; collapse; change_memory;  |               |                      |
///   | map with existing::replace or the Contiguous bit                 |               |                      |
///   | take_retired                                                     | yes           | yes                  |
///   | give_back, once every call has returned that ran when the tables | yes           | yes                  |
///   | were taken                                                       |               |                      |
///
/// Nothing runs beside the destructor.
///
/// A cursor belongs to one caller. The port and the frame source are called by all callers at once and must be for
/// this mode too.
///
/// What a caller may rely on:
///   - The operation on one page is atomic. One on a range is atomic for each leaf, and others may see a block or a run
///     made smaller before the rest of the call is done.
///   - `busy` means that another call holds the entry at outcome.at: between break and make, or until the TLBI of an
///     unmap is complete. What lies before outcome.at is done; the call may be repeated from there. look_up says "not
///     mapped" for such an entry.
///   - When unmap, replace or an operation that takes a permission or an access flag away returns, no TLB holds what it
///     took, also where another call was the one that took it. So a page that was unmapped by one call and is mapped by
///     another has had its TLBI in between.
///   - Tables that unmapping single pages leaves empty stay until a range that covers them is unmapped. Unlinked tables
///     wait for take_retired and give_back.
struct lock_free {
  static constexpr bool concurrent = true;
  static constexpr bool short_ways = true;
  static constexpr load_order order = load_order::acquire;

  static u64 load(u64 const& counter) noexcept { return __atomic_load_n(&counter, __ATOMIC_ACQUIRE); }
  static u64 add(u64& counter, u64 n) noexcept { return __atomic_add_fetch(&counter, n, __ATOMIC_ACQ_REL); }
  static bool exchange(u64& word, u64& expected, u64 desired) noexcept {
    return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
};

/// A port or frame source is for one caller at a time unless it says `using mode = lock_free`, and then for any number.
template <class T, class Mode>
concept fits_mode = !Mode::concurrent || requires {
  requires T::mode::concurrent;
};

}  // namespace vmsa
