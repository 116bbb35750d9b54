// SPDX-License-Identifier: MIT
// The memory of a simulated machine as a port. Barriers and maintenance have nothing to do: every load sees every
// store, and nothing is cached.
#pragma once
#include <atomic>

#include "vmsa/mmu/port.hpp"
#include "vmsa/sim/arena.hpp"

namespace vmsa::sim {

// [base, base + size of the arena), accessed without a check, as an EL2 program does. The arena outlives the port.
class direct_memory {
 public:
  direct_memory(arena& memory, pa base = {0}) noexcept
      : origin_(memory.data() - base.value), base_(base), size_(memory.size()) {}

  pa base() const noexcept { return base_; }
  u64 size() const noexcept { return size_; }

  descriptor load(pa where, load_order order) const noexcept {
    return {word(where).load(order == load_order::acquire ? std::memory_order_acquire : std::memory_order_relaxed)};
  }
  void store(pa where, descriptor d, store_order order) noexcept {
    word(where).store(d.raw, order == store_order::release ? std::memory_order_release : std::memory_order_relaxed);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) noexcept {
    word(where).compare_exchange_strong(expected.raw, desired.raw, std::memory_order_acq_rel,
                                        std::memory_order_acquire);
    return expected;
  }
  void maintain(cache_op, pa, u64) noexcept {}
  void issue(barrier) noexcept {}
  void issue(tlbi const&) noexcept {}

  void fill(pa where, descriptor first, u64 step, u64 count) noexcept;

 private:
  std::atomic_ref<u64> word(pa where) const noexcept {
    return std::atomic_ref<u64>(*reinterpret_cast<u64*>(origin_ + where.value));
  }

  std::byte* origin_;
  pa base_;
  u64 size_;
};

// The same, but an access outside the memory throws std::out_of_range instead of touching the host's.
class machine_memory {
 public:
  explicit machine_memory(u64 size, pa base = {0}) : memory_(size), direct_(memory_, base) {}

  pa base() const noexcept { return direct_.base(); }
  u64 size() const noexcept { return direct_.size(); }

  descriptor load(pa where, load_order order) const {
    check(where, 8);
    return direct_.load(where, order);
  }
  void store(pa where, descriptor d, store_order order) {
    check(where, 8);
    direct_.store(where, d, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    check(where, 8);
    return direct_.compare_exchange(where, expected, desired);
  }
  void fill(pa where, descriptor first, u64 step, u64 count) {
    check(where, 8 * count);
    direct_.fill(where, first, step, count);
  }
  void maintain(cache_op, pa, u64) noexcept {}
  void issue(barrier) noexcept {}
  void issue(tlbi const&) noexcept {}

 private:
  void check(pa where, u64 bytes) const;

  arena memory_;
  direct_memory direct_;
};

// Four stores of two descriptors an iteration: what the widest loop of the baseline instruction set allows, and the
// compiler's own is a third of that.
inline void direct_memory::fill(pa where, descriptor first, u64 step, u64 count) noexcept {
  using pair [[gnu::vector_size(16), gnu::aligned(8), gnu::may_alias]] = u64;
  constexpr u64 pairs = 8;
  u64* const words = reinterpret_cast<u64*>(origin_ + where.value);
  u64 n = 0;
  if (count >= 2 * pairs) {
    pair value[pairs];
    for (u64 i = 0; i < pairs; ++i) value[i] = pair{first.raw + 2 * i * step, first.raw + (2 * i + 1) * step};
    pair const stride = {2 * pairs * step, 2 * pairs * step};
    for (; n + 2 * pairs <= count; n += 2 * pairs) {
      for (u64 i = 0; i < pairs; ++i) {
        *reinterpret_cast<pair*>(words + n + 2 * i) = value[i];
        value[i] += stride;
      }
    }
  }
  for (; n < count; ++n) words[n] = first.raw + n * step;
}

static_assert(bulk_port<direct_memory> && bulk_port<machine_memory>);

}  // namespace vmsa::sim
