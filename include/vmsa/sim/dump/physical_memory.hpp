// SPDX-License-Identifier: MIT
// The physical memory of a machine as a dump holds it. Absent is not zero: what the dump lacks is told apart from what
// it holds, because a table of zeros maps nothing, and a table that is not there may map anything.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "vmsa/mmu/port.hpp"
#include "vmsa/sim/dump/byte_source.hpp"

namespace vmsa::sim {

/// Physical addresses that a dump holds, all of them.
struct memory_extent {
  pa first{};
  u64 size = 0;    // bytes
  u64 offset = 0;  // of `first` in the dump's file, where the dump keeps memory as it is
};

/// Every const member may be called by any number of threads.
class physical_memory {
 public:
  virtual ~physical_memory() = default;

  /// Fills `out` from `where` on; false where the dump lacks one of the bytes.
  virtual bool read(pa where, std::span<std::byte> out) const = 0;
  /// `size` bytes at `where`: where they lie, or read into `scratch`, which holds as many. nullptr where the dump lacks
  /// one of them. Valid as long as this object and `scratch`.
  virtual std::byte const* bytes(pa where, u64 size, std::byte* scratch) const {
    return read(where, {scratch, static_cast<std::size_t>(size)}) ? scratch : nullptr;
  }
  /// The first run of addresses at or above `from` that the dump holds; size 0 where there is none. `from` may lie in
  /// it.
  virtual memory_extent next_present(pa from) const = 0;
  /// Gives back memory that bytes() took.
  virtual void let_go() const {}

  /// Descriptors are stored with the most significant byte first.
  bool big_endian() const noexcept { return big_endian_; }
  /// The descriptor at `where`, which is a multiple of 8; none where the dump lacks it.
  std::optional<descriptor> word(pa where) const;
  /// The same for a walk, which cannot be told more: none too where the dump holds the word and it is damaged;
  /// `problem` then says how, unless it is null.
  std::optional<descriptor> word_or_none(pa where, std::string* problem) const noexcept;

 protected:
  bool big_endian_ = false;
};

/// A dump as a port that a walk reads. A walk cannot be told that a descriptor is absent: it reads as 0, and missing()
/// says afterwards that it did.
class dump_port {
 public:
  explicit dump_port(physical_memory const& memory) noexcept : memory_(&memory) {}

  descriptor load(pa where, load_order) noexcept;
  /// The first address that was read and is not in the dump.
  std::optional<pa> missing() const noexcept { return missing_; }
  /// Why it could not be read, where the dump holds it and it is damaged; empty otherwise.
  std::string const& problem() const noexcept { return problem_; }

 private:
  physical_memory const* memory_;
  std::optional<pa> missing_;
  std::string problem_;
};

static_assert(readable_port<dump_port>);

}  // namespace vmsa::sim
