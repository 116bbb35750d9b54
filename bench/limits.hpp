// SPDX-License-Identifier: MIT
// The limits that results are measured against: the least that any implementation must do, written as well as we can.
// Neither checks anything, allocates anything, or can be used as a translation table.
#pragma once
#include <cstdint>
#include <cstring>

#include "vmsa/sim/memory.hpp"

namespace vmsa::bench {

// Per-page work: a preallocated tree of three levels for a 40-bit input, pointers where a table holds descriptors.
class radix3 {
 public:
  // Covers [0, size).
  explicit radix3(u64 size) : tables_(((size >> 21) + (size >> 30) + 4) * 4096), leaves_bytes_(size >> 9) {
    auto* at = reinterpret_cast<std::uintptr_t*>(tables_.data());
    leaves_ = reinterpret_cast<u64*>(at);
    u64* leaf = leaves_;
    auto* table = reinterpret_cast<u64**>(leaves_ + (leaves_bytes_ >> 3));
    for (u64 n = 0; n < (size + (u64{1} << 30) - 1) >> 30; ++n) {
      root_[n] = table;
      for (unsigned i = 0; i < 512 && (n << 9) + i < size >> 21; ++i, leaf += 512) table[i] = leaf;
      table += 512;
    }
  }

  [[gnu::always_inline]] u64& entry(u64 input) noexcept {
    return root_[input >> 30][input >> 21 & 511][input >> 12 & 511];
  }
  void clear() noexcept { std::memset(leaves_, 0, leaves_bytes_); }

 private:
  sim::arena tables_;
  u64 leaves_bytes_;
  u64* leaves_ = nullptr;
  u64** root_[1024] = {};
};

// Bulk work: one array of descriptors.
class flat {
 public:
  explicit flat(u64 count) : memory_(count * 8), count_(count) {}

  u64* data() noexcept { return reinterpret_cast<u64*>(memory_.data()); }
  u64 size() const noexcept { return count_; }

  // Entry i becomes first + i * step: the same vector stores as the port's, into one array.
  void fill(u64 first, u64 step) noexcept { sim::fill_words(data(), first, step, count_); }
  void clear() noexcept { std::memset(data(), 0, count_ * 8); }
  // Removes `mask` from every entry.
  void protect(u64 mask) noexcept {
    u64* const p = data();
    for (u64 n = 0; n < count_; ++n) p[n] &= ~mask;
  }

 private:
  sim::arena memory_;
  u64 count_;
};

}  // namespace vmsa::bench
