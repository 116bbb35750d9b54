// SPDX-License-Identifier: MIT
#include "vmsa/sim/arena.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace vmsa::sim {

namespace {

// Whole huge pages, and room to align them, in what this machine can address.
u64 whole_pages(u64 size) {
  constexpr u64 room = 2 * arena::alignment;
  if (size > ~u64{0} - room || size + room > std::numeric_limits<std::size_t>::max()) throw std::bad_alloc();
  return (size + arena::alignment - 1) & ~(arena::alignment - 1);
}

}  // namespace

arena::arena(u64 size) : size_(whole_pages(size)), mapped_(size_ + alignment) {
  void* const p = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(p);
  auto const address = reinterpret_cast<std::uintptr_t>(p);
  data_ = mapping_ + (((address + alignment - 1) & ~(alignment - 1)) - address);
#ifdef MADV_HUGEPAGE
  ::madvise(data_, size_, MADV_HUGEPAGE);
#endif
}

arena::arena(arena&& other) noexcept
    : size_(other.size_),
      mapped_(other.mapped_),
      mapping_(std::exchange(other.mapping_, nullptr)),
      data_(other.data_) {}

arena::~arena() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

void arena::clear() noexcept { std::memset(data_, 0, size_); }

}  // namespace vmsa::sim
