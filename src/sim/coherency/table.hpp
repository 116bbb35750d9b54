// SPDX-License-Identifier: MIT
// The set of states that have been seen: open addressing, states themselves or, above a limit, 64-bit fingerprints.
#pragma once
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "vmsa/arch/bits.hpp"

namespace vmsa::coherency {

__extension__ using u128 = unsigned __int128;

constexpr u64 fold(u64 a, u64 b) noexcept {
  u128 const product = static_cast<u128>(a) * b;
  return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
}
template <std::size_t Words>
constexpr u64 hash_of(std::array<u64, Words> const& s) noexcept {
  constexpr u64 a = 0x9e3779b97f4a7c15, b = 0xd1b54a32d192ed03, c = 0x8ebc6af09c88c6e3;
  if constexpr (Words == 1) {
    return fold(fold(s[0] ^ a, b), c);
  } else {
    u64 h = a;
    for (std::size_t i = 0; i < Words; i += 2) h = fold(s[i] ^ h, s[i + 1] ^ b);
    return fold(h, c);
  }
}

// Entry is a packed state, in which word 0 is never 0, or a fingerprint.
template <class Entry>
class seen_set {
 public:
  std::size_t size() const noexcept { return count_; }
  u64 bytes() const noexcept { return u64{capacity_} * sizeof(Entry); }
  // What the next growth would come to; old and new table exist side by side while it happens.
  u64 bytes_to_grow() const noexcept { return full(1) ? 2 * bytes() : 0; }

  void prefetch(u64 hash) const noexcept {
    __builtin_prefetch(entries_.get() + (static_cast<std::size_t>(hash) & mask_));
  }

  // Grows, so that `n` further entries fit without another look.
  void reserve(std::size_t n) {
    while (full(n)) grow(capacity_ == 0 ? 1024 : 2 * capacity_);
  }

  // True when the entry is new. There must be room: see reserve.
  bool insert(Entry const& e, u64 hash) noexcept {
    for (std::size_t at = static_cast<std::size_t>(hash) & mask_;; at = (at + 1) & mask_) {
      Entry& slot = entries_[at];
      if (empty(slot)) {
        slot = e;
        ++count_;
        return true;
      }
      if (same(slot, e)) return false;
    }
  }

  template <class F>
  void each(F&& f) const {
    for (std::size_t i = 0; i < capacity_; ++i)
      if (!empty(entries_[i])) f(entries_[i]);
  }
  void clear() noexcept { *this = seen_set{}; }

  static bool same(u64 a, u64 b) noexcept { return a == b; }
  template <std::size_t Words>  // not a call of memcmp, as == is
  static bool same(std::array<u64, Words> const& a, std::array<u64, Words> const& b) noexcept {
    u64 difference = 0;
    for (std::size_t i = 0; i < Words; ++i) difference |= a[i] ^ b[i];
    return difference == 0;
  }

 private:
  static constexpr std::size_t mapped_from = std::size_t{2} << 20;  // bytes
  struct release {
    std::size_t bytes = 0;
    void operator()(Entry* p) const noexcept {
#if defined(__linux__)
      if (bytes >= mapped_from) {
        munmap(p, bytes);
        return;
      }
#endif
      std::free(p);
    }
  };

  static bool empty(u64 e) noexcept { return e == 0; }
  template <std::size_t Words>
  static bool empty(std::array<u64, Words> const& e) noexcept {
    return e[0] == 0;
  }
  static u64 hash(u64 e) noexcept { return e; }
  template <std::size_t Words>
  static u64 hash(std::array<u64, Words> const& e) noexcept {
    return hash_of(e);
  }
  bool full(std::size_t n) const noexcept { return (count_ + n) * 3 > capacity_ * 2; }

  // Large tables come straight from the system: zero already, and in huge pages where it has them, because probes are
  // random and would miss the TLB each time.
  static Entry* zeroed(std::size_t capacity) {
    std::size_t const bytes = capacity * sizeof(Entry);
#if defined(__linux__)
    if (bytes >= mapped_from) {
      void* const p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (p == MAP_FAILED) throw std::bad_alloc();
      madvise(p, bytes, MADV_HUGEPAGE);
      return static_cast<Entry*>(p);
    }
#endif
    void* const p = std::calloc(bytes, 1);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<Entry*>(p);
  }

  void grow(std::size_t capacity) {
    seen_set bigger;
    bigger.capacity_ = capacity;
    bigger.mask_ = capacity - 1;
    bigger.entries_ = {zeroed(capacity), release{capacity * sizeof(Entry)}};
    each([&](Entry const& e) { bigger.insert(e, hash(e)); });
    *this = std::move(bigger);
  }

  std::unique_ptr<Entry[], release> entries_;
  std::size_t capacity_ = 0;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

}  // namespace vmsa::coherency
