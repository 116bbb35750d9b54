// SPDX-License-Identifier: MIT
// A simulated machine on which a thread may be set aside at any access, and most often where others must wait for it.
#pragma once
#include "jostle.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::test {

class jostled_port {
 public:
  using mode = lock_free;

  explicit jostled_port(sim::machine_memory& memory) : memory_(&memory) {}

  descriptor load(pa where, load_order order) const {
    jostle(64);
    return memory_->load(where, order);
  }
  void store(pa where, descriptor d, store_order order) {
    jostle(16);
    memory_->store(where, d, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    jostle(8);
    return memory_->compare_exchange(where, expected, desired);
  }
  void fill(pa where, descriptor first, u64 step, u64 count) { memory_->fill(where, first, step, count); }
  void maintain(cache_op, pa, u64) {}
  void issue(barrier) {}
  void issue(tlbi const&) { jostle(2); }

 private:
  sim::machine_memory* memory_;
};

}  // namespace vmsa::test
