// SPDX-License-Identifier: MIT
// A port or frame source that is for one caller, under a lock_free table that one thread uses.
#pragma once
#include "vmsa/mmu/concurrency.hpp"

namespace vmsa::test {

template <class T>
struct one_at_a_time : T {
  using T::T;
  using mode = lock_free;
};

}  // namespace vmsa::test
