// SPDX-License-Identifier: MIT
// The bytes of a dump, wherever they are: a file in place or piece by piece, memory, or bytes to be unpacked first.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "vmsa/arch/bits.hpp"

namespace vmsa::sim {

/// What is wrong with a dump, and what would be valid instead. Whoever knows the file's name adds it.
class dump_error : public std::runtime_error {
 public:
  dump_error(std::string const& problem, std::string valid) : std::runtime_error(problem), valid_(std::move(valid)) {}

  std::string problem() const { return what(); }
  std::string const& valid() const noexcept { return valid_; }

 private:
  std::string valid_;
};

/// Random access to bytes that do not change while they are looked at. Every const member may be called by any number
/// of threads.
class byte_source {
 public:
  virtual ~byte_source() = default;

  /// In bytes; none where the file does not tell, as /proc/kcore, whose size is no size.
  virtual std::optional<u64> size() const = 0;
  /// Fills `out` from `offset`; false where the source ends before.
  virtual bool read(u64 offset, std::span<std::byte> out) const = 0;
  /// `size` bytes where they lie, valid as long as the source; nullptr where they must be read instead.
  virtual std::byte const* in_place(u64 offset, u64 size) const {
    static_cast<void>(offset), static_cast<void>(size);
    return nullptr;
  }
  /// Gives back memory that in_place() took. Pointers stay valid: the kernel brings pages in again.
  virtual void let_go() const {}
};

/// A file, mapped where the kernel can map it. Throws dump_error.
std::unique_ptr<byte_source> open_file(std::string const& path);

/// Bytes in memory, which the source keeps.
std::unique_ptr<byte_source> in_memory(std::vector<std::byte> bytes);

}  // namespace vmsa::sim
