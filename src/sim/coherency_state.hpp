// SPDX-License-Identifier: MIT
// A packed state and what can be read off it.
#pragma once
#include <array>
#include <bit>
#include <cstddef>

#include "vmsa/sim/coherency.hpp"

namespace vmsa::coherency {

template <std::size_t Words>
using packed = std::array<u64, Words>;

template <std::size_t Words>
constexpr u64 read(packed<Words> const& s, bit_field f) noexcept {
  return s[f.word] >> f.shift & f.mask;
}
template <std::size_t Words>
constexpr void write(packed<Words>& s, bit_field f, u64 value) noexcept {
  s[f.word] = (s[f.word] & ~(f.mask << f.shift)) | value << f.shift;
}

// The same state with interchangeable agents in order.
template <std::size_t Words>
packed<Words> canonical(model const& m, packed<Words> s) noexcept {
  for (symmetric_group const& g : m.symmetry)
    for (std::size_t i = 1; i < g.blocks.size(); ++i)
      for (std::size_t j = i; j > 0; --j) {
        u64 const low = read(s, g.blocks[j - 1]);
        u64 const high = read(s, g.blocks[j]);
        if (low <= high) break;
        write(s, g.blocks[j - 1], high);
        write(s, g.blocks[j], low);
      }
  return s;
}

// Memory and copies of one state, line by line. A line's data are its words' versions side by side.
template <std::size_t Words>
class state_view {
 public:
  using state = packed<Words>;

  explicit state_view(model const& m) noexcept : m_(m) {}

 protected:
  // The contents of a line that an access may find, without repeats.
  struct found {
    u64 data[max_caches + 1];
    u8 from[max_caches + 1];  // a cache, or from_memory
    unsigned count = 0;
    void add(u64 d, unsigned where) {
      for (unsigned i = 0; i < count; ++i)
        if (data[i] == d) return;
      data[count] = d;
      from[count++] = static_cast<u8>(where);
    }
  };

  u64 memory(unsigned l) const { return read(s_, m_.lines[l].memory); }
  u64 copy(unsigned c, unsigned l) const { return read(s_, m_.caches[c].copy[l]); }
  unsigned word_of(u64 data, unsigned l, unsigned offset) const {
    unsigned const bits = m_.lines[l].version_bits;
    return static_cast<unsigned>(data >> (offset * bits) & ((u64{1} << bits) - 1));
  }
  u64 with_word(u64 data, unsigned l, unsigned offset, unsigned version) const {
    unsigned const bits = m_.lines[l].version_bits;
    u64 const mask = (u64{1} << bits) - 1;
    return (data & ~(mask << (offset * bits))) | u64{version} << (offset * bits);
  }

  // A fill takes dirty data within its Shareability if there are any, else memory or any clean copy there.
  found sources(unsigned l, unsigned covered) const {
    found f;
    for (unsigned rest = covered; rest != 0; rest &= rest - 1) {
      unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
      if ((copy(c, l) & 3) == dirty) f.add(copy(c, l) >> 2, c);
    }
    if (f.count != 0) return f;
    f.add(memory(l), from_memory);
    for (unsigned rest = covered; rest != 0; rest &= rest - 1) {
      unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
      if ((copy(c, l) & 3) == clean) f.add(copy(c, l) >> 2, c);
    }
    return f;
  }

  // The first word of which `data` is older than memory: writing it back would lose a write. None: words.
  unsigned older_than_memory(u64 data, unsigned l, u64 in_memory) const {
    unsigned const words = m_.lines[l].words;
    for (unsigned w = 0; w < words; ++w)
      if (word_of(data, l, w) < word_of(in_memory, l, w)) return w;
    return words;
  }
  void invalidate(state& next, unsigned l, unsigned covered) const {
    for (unsigned rest = covered; rest != 0; rest &= rest - 1)
      write(next, m_.caches[static_cast<unsigned>(std::countr_zero(rest))].copy[l], 0);
  }

  // Writes dirty copies back; false when that would put an older word over a newer one: `offset` of `data`.
  bool clean_copies(state& next, unsigned l, unsigned covered, bool invalidates, unsigned& offset, u64& data) const {
    for (unsigned rest = covered; rest != 0; rest &= rest - 1) {
      unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
      u64 const held = copy(c, l);
      if ((held & 3) == dirty) {
        data = held >> 2;
        offset = older_than_memory(data, l, read(next, m_.lines[l].memory));
        if (offset != m_.lines[l].words) return false;
        write(next, m_.lines[l].memory, data);
        write(next, m_.caches[c].copy[l], data << 2 | clean);
      }
      if (invalidates) write(next, m_.caches[c].copy[l], 0);
    }
    return true;
  }

  model const& m_;
  state s_{};
};

}  // namespace vmsa::coherency
