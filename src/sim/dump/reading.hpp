// SPDX-License-Identifier: MIT
// What the readers of dumps share.
#pragma once
#include <algorithm>
#include <array>
#include <cstring>

#include "vmsa/sim/dump/dump.hpp"

namespace vmsa::sim {

inline std::string hex_of(u64 value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), digits[value & 0xf]);
    value >>= 4;
  } while (value != 0);
  return "0x" + out;
}

/// The first address beyond those that are physical: 52 bits of them, as long as no dump of FEAT_D128's 56 is known.
inline constexpr u64 physical_end = u64{1} << 52;

/// Numbers at offsets of a header, in the byte order that the header has.
class header_view {
 public:
  header_view(std::span<std::byte const> bytes, bool big) noexcept : bytes_(bytes), big_(big) {}

  template <class T>
  T at(std::size_t offset) const noexcept {
    u64 value = 0;
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = value << 8 | std::to_integer<u64>(bytes_[big_ ? offset + i : offset + sizeof(T) - 1 - i]);
    return static_cast<T>(value);
  }
  u16 half(std::size_t offset) const noexcept { return at<u16>(offset); }
  u32 word(std::size_t offset) const noexcept { return at<u32>(offset); }
  u64 wide(std::size_t offset) const noexcept { return at<u64>(offset); }
  bool starts_with(std::size_t offset, std::string_view text) const noexcept {
    return offset <= bytes_.size() && bytes_.size() - offset >= text.size() &&
           std::memcmp(bytes_.data() + offset, text.data(), text.size()) == 0;
  }

 private:
  std::span<std::byte const> bytes_;
  bool big_;
};

inline constexpr char take_what_is_there[] = "a whole file, or --partial to take what is there";

/// `size` bytes at `offset`, or an error that names `what`.
inline std::vector<std::byte> read_bytes(byte_source const& source, u64 offset, u64 size, std::string const& what) {
  constexpr u64 most = u64{64} << 20;
  std::optional<u64> const whole = source.size();
  if (size > most || (whole && (offset > *whole || size > *whole - offset)))
    throw dump_error("truncated: " + what + " needs bytes " + hex_of(offset) + " to " + hex_of(offset + size) +
                         (whole ? ", and the file has " + hex_of(*whole) : ""),
                     "a whole file");
  std::vector<std::byte> out(static_cast<std::size_t>(size));
  if (!source.read(offset, out)) throw dump_error(what + " cannot be read at " + hex_of(offset), "a whole file");
  return out;
}

/// Sorted and disjoint extents over a source that keeps memory as it is.
std::unique_ptr<physical_memory> make_extent_memory(std::shared_ptr<byte_source const> source,
                                                    std::vector<memory_extent> extents, bool big_endian);

/// Sorts; where extents overlap the first of them counts, so that no address is twice.
std::vector<memory_extent> disjoint(std::vector<memory_extent> extents);

/// What an ELF note area says: processors and VMCOREINFO. Returns where the last note ends, from the area's start.
u64 read_notes(std::span<std::byte const> area, bool big_endian, dump& out);

/// Where a partial file may be taken, its end is a note of `out` instead of an error.
std::unique_ptr<byte_source> gunzip(byte_source const& packed, bool partial, dump& out);
std::unique_ptr<byte_source> unflatten(std::shared_ptr<byte_source const> packed, bool partial, dump& out);

void open_elf_core(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out);
void open_kdump(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out);
void open_lime(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out);

}  // namespace vmsa::sim
