// SPDX-License-Identifier: MIT
#include "vmsa/sim/arena.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace vmsa::sim {

arena::arena(u64 size) : size_((size + alignment - 1) & ~(alignment - 1)), mapped_(size_ + alignment) {
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
    : size_(other.size_), mapped_(other.mapped_), mapping_(std::exchange(other.mapping_, nullptr)), data_(other.data_) {}

arena::~arena() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

void arena::clear() noexcept { std::memset(data_, 0, size_); }

}  // namespace vmsa::sim
