// SPDX-License-Identifier: MIT
// The memory of a simulated machine as a port. Barriers and maintenance have nothing to do: every load sees every
// store, and nothing is cached.
#pragma once
#include <atomic>

#include "vmsa/mmu/concurrency.hpp"
#include "vmsa/mmu/port.hpp"
#include "vmsa/sim/arena.hpp"

namespace vmsa::sim {

// Writes first + i * step into each of `count` words. Vectors and unrolling are written out: the baseline instruction
// set has room for one instruction a word, and what a compiler makes of the plain loop takes three.
inline void fill_words(u64* words, u64 first, u64 step, u64 count) noexcept {
  using pair [[gnu::vector_size(16), gnu::aligned(8), gnu::may_alias]] = u64;
  constexpr u64 pairs = 4;
  constexpr u64 rounds = 8;
  constexpr u64 at_once = 2 * pairs * rounds;
  pair const two = {2 * step, 2 * step};
  if (u64 n = count / at_once; n != 0) {
    pair const stride = {2 * pairs * step, 2 * pairs * step};
    pair value[pairs];
    value[0] = pair{first, first + step};
    for (u64 i = 1; i < pairs; ++i) value[i] = value[i - 1] + two;
    for (; n != 0; --n, words += at_once) {
      for (u64 round = 0; round < rounds; ++round) {
        for (u64 i = 0; i < pairs; ++i) {
          *reinterpret_cast<pair*>(words + 2 * (pairs * round + i)) = value[i];
          value[i] += stride;
        }
      }
    }
    first = value[0][0];
  }
  u64 left = count % at_once;
  for (; left >= 8; left -= 8, words += 8, first += 8 * step) {
    pair value{first, first + step};
    for (u64 i = 0; i < 4; ++i, value += two) *reinterpret_cast<pair*>(words + 2 * i) = value;
  }
  for (; left != 0; --left, ++words, first += step) *words = first;
}

// Takes the bits of `clear` out of `count` words; returns how many had one of them.
inline u64 clear_word_bits(u64* words, u64 count, u64 clear) noexcept {
  u64 changed = 0;
  for (u64 n = 0; n < count; ++n) {
    u64 const had = words[n] & clear;
    changed += (had | (0 - had)) >> 63;
    words[n] ^= had;
  }
  return changed;
}

// [base, base + size of the arena), accessed without a check, as an EL2 program does. The arena outlives the port.
// Mode = exclusive is for one thread and compiles to plain loads and stores; lock_free is for any number.
template <class Mode = exclusive>
class direct_memory {
 public:
  using mode = Mode;

  direct_memory(arena& memory, pa base = {0}) noexcept
      : origin_(reinterpret_cast<std::uintptr_t>(memory.data()) - base.value), base_(base), size_(memory.size()) {}

  pa base() const noexcept { return base_; }
  u64 size() const noexcept { return size_; }

  descriptor load(pa where, load_order order) const noexcept {
    if constexpr (!Mode::concurrent) {
      return *entry(where);
    } else {
      return {std::atomic_ref<u64>(*words(where))
                  .load(order == load_order::acquire ? std::memory_order_acquire : std::memory_order_relaxed)};
    }
  }
  void store(pa where, descriptor d, store_order order) noexcept {
    if constexpr (!Mode::concurrent) {
      *entry(where) = d;
    } else {
      std::atomic_ref<u64>(*words(where))
          .store(d.raw, order == store_order::release ? std::memory_order_release : std::memory_order_relaxed);
    }
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) noexcept {
    if constexpr (!Mode::concurrent) {
      descriptor const found = *entry(where);
      if (found == expected) *entry(where) = desired;
      return found;
    } else {
      u64 found = expected.raw;  // a variable of its own stays in a register
      std::atomic_ref<u64>(*words(where))
          .compare_exchange_strong(found, desired.raw, std::memory_order_acq_rel, std::memory_order_acquire);
      return {found};
    }
  }
  void maintain(cache_op, pa, u64) noexcept {}
  void issue(barrier) noexcept {}
  void issue(tlbi const&) noexcept {}

  // Beside others the first word is written as a descriptor: who loses a race for a free frame still reads its link.
  void fill(pa where, descriptor first, u64 step, u64 count) noexcept {
    if constexpr (Mode::concurrent) {
      if (count == 0) return;
      store(where, first, store_order::relaxed);
      fill_words(words(where) + 1, first.raw + step, step, count - 1);
    } else {
      fill_words(words(where), first.raw, step, count);
    }
  }
  u64 clear_bits(pa where, u64 count, u64 clear) noexcept { return clear_word_bits(words(where), count, clear); }
  void prefetch(pa where) const noexcept { __builtin_prefetch(words(where), 1); }

 private:
  // As what it is, so that a store to it is known to change no other object.
  descriptor* entry(pa where) const noexcept { return reinterpret_cast<descriptor*>(origin_ + where.value); }
  u64* words(pa where) const noexcept { return reinterpret_cast<u64*>(origin_ + where.value); }

  std::uintptr_t origin_;  // of address 0, which may lie outside the arena: a number, not a pointer
  pa base_;
  u64 size_;
};

// The same, but an access outside the memory throws std::out_of_range instead of touching the host's. Under a table,
// whose operations are noexcept, that ends the program: see mmu_port.
class machine_memory {
 public:
  using mode = lock_free;

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
    check_words(where, count);
    direct_.fill(where, first, step, count);
  }
  u64 clear_bits(pa where, u64 count, u64 clear) {
    check_words(where, count);
    return direct_.clear_bits(where, count, clear);
  }
  void maintain(cache_op, pa, u64) noexcept {}
  void issue(barrier) noexcept {}
  void issue(tlbi const&) noexcept {}

 private:
  void check(pa where, u64 bytes) const;
  void check_words(pa where, u64 count) const;

  arena memory_;
  direct_memory<lock_free> direct_;
};

static_assert(sweeping_port<direct_memory<>> && prefetching_port<direct_memory<>>);
static_assert(bulk_port<direct_memory<lock_free>> && bulk_port<machine_memory>);

}  // namespace vmsa::sim
