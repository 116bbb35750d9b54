// SPDX-License-Identifier: MIT
// Zeroed host memory for a simulated machine.
#pragma once
#include <cstddef>

#include "vmsa/arch/bits.hpp"

namespace vmsa::sim {

// Memory straight from the kernel: zero, taken only where it is touched, and in huge pages where the kernel has them,
// so that the host's own TLB misses do not hide what a table walk costs.
class arena {
 public:
  static constexpr u64 alignment = u64{2} << 20;

  explicit arena(u64 size);  // throws std::bad_alloc
  arena(arena&& other) noexcept;
  arena& operator=(arena&&) = delete;
  ~arena();

  // All zeros again; what was never touched becomes so.
  void clear() noexcept;

  std::byte* data() noexcept { return data_; }
  std::byte const* data() const noexcept { return data_; }
  u64 size() const noexcept { return size_; }

 private:
  u64 size_;
  u64 mapped_;
  std::byte* mapping_ = nullptr;
  std::byte* data_ = nullptr;
};

}  // namespace vmsa::sim
