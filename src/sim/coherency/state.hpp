// SPDX-License-Identifier: MIT
// A packed state and what can be read off it.
#pragma once
#include <array>
#include <bit>
#include <cstddef>

#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::coherency {

template <std::size_t Words>
using packed = std::array<u64, Words>;

template <std::size_t Words>
constexpr u64 read(packed<Words> const& s, bit_field f) noexcept {
  return s[Words == 1 ? 0 : f.word] >> f.shift & f.mask;
}
// Selects instead of indexing, so that a successor stays in registers until it is complete.
template <std::size_t Words>
constexpr void write(packed<Words>& s, bit_field f, u64 value) noexcept {
  u64 const kept = ~(f.mask << f.shift);
  if constexpr (Words == 1) {
    s[0] = (s[0] & kept) | value << f.shift;
    return;
  }
  for (std::size_t i = 0; i < Words; ++i) s[i] = i == f.word ? (s[i] & kept) | value << f.shift : s[i];
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

  explicit state_view(model const& m) noexcept
      : m_(m), caches_(static_cast<unsigned>(m.caches.size())), lines_(static_cast<unsigned>(m.lines.size())) {
    for (unsigned l = 0; l < lines_; ++l) {
      memory_field_[l] = m.lines[l].memory;
      word_bits_[l] = m.lines[l].version_bits;
      words_[l] = m.lines[l].words;
      for (unsigned c = 0; c < caches_; ++c) copy_field_[c][l] = m.caches[c].copy[l];
    }
  }

 protected:
  void look_at(state const& s) noexcept {
    s_ = s;
    for (unsigned l = 0; l < lines_; ++l) {
      memory_[l] = read(s, memory_field_[l]);
      unsigned clean_here = 0, dirty_here = 0;
      for (unsigned c = 0; c < caches_; ++c) {
        u64 const held = read(s, copy_field_[c][l]);
        copy_[c][l] = held;
        clean_here |= static_cast<unsigned>(held & clean) << c;
        dirty_here |= static_cast<unsigned>(held >> 1 & 1) << c;
      }
      clean_[l] = clean_here;
      dirty_[l] = dirty_here;
    }
  }

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

  u64 memory(unsigned l) const { return memory_[l]; }
  u64 copy(unsigned c, unsigned l) const { return copy_[c][l]; }
  bit_field memory_field(unsigned l) const { return memory_field_[l]; }
  bit_field copy_field(unsigned c, unsigned l) const { return copy_field_[c][l]; }
  unsigned dirty_in(unsigned l) const { return dirty_[l]; }
  unsigned word_of(u64 data, unsigned l, unsigned offset) const {
    unsigned const bits = word_bits_[l];
    return static_cast<unsigned>(data >> (offset * bits) & ((u64{1} << bits) - 1));
  }
  u64 with_word(u64 data, unsigned l, unsigned offset, unsigned version) const {
    unsigned const bits = word_bits_[l];
    u64 const mask = (u64{1} << bits) - 1;
    return (data & ~(mask << (offset * bits))) | u64{version} << (offset * bits);
  }

  void add_copy(found& f, unsigned l, unsigned mask) const {
    unsigned const c = static_cast<unsigned>(std::countr_zero(mask));
    f.add(copy_[c][l] >> 2, c);
  }
  // A fill takes dirty data where it is sure to find them (`sees`), else memory or any clean copy there. What it covers
  // and need not find, it may find all the same: a clean copy here, dirty data by way of a write-back before.
  found sources(unsigned l, unsigned covered, unsigned sees) const {
    found f;
    if (unsigned rest = sees & dirty_[l]; rest != 0) {
      for (; rest != 0; rest &= rest - 1) add_copy(f, l, rest);
    } else {
      f.add(memory(l), from_memory);
      for (rest = sees & clean_[l]; rest != 0; rest &= rest - 1) add_copy(f, l, rest);
    }
    for (unsigned rest = covered & ~sees & clean_[l]; rest != 0; rest &= rest - 1) add_copy(f, l, rest);
    return f;
  }

  // The first word of which `data` is older than memory: writing it back would lose a write. None: words.
  unsigned older_than_memory(u64 data, unsigned l, u64 in_memory) const {
    unsigned const words = words_[l];
    if (data == in_memory) return words;
    for (unsigned w = 0; w < words; ++w)
      if (word_of(data, l, w) < word_of(in_memory, l, w)) return w;
    return words;
  }
  void invalidate(state& next, unsigned l, unsigned covered) const {
    for (unsigned rest = covered; rest != 0; rest &= rest - 1)
      write(next, copy_field_[static_cast<unsigned>(std::countr_zero(rest))][l], 0);
  }

  // Writes dirty copies back; false when that would put an older word over a newer one: `offset` of `data`.
  bool clean_copies(state& next, unsigned l, unsigned covered, bool invalidates, unsigned& offset, u64& data) const {
    for (unsigned rest = covered; rest != 0; rest &= rest - 1) {
      unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
      u64 const held = copy(c, l);
      if ((held & 3) == dirty) {
        data = held >> 2;
        offset = older_than_memory(data, l, read(next, memory_field_[l]));
        if (offset != words_[l]) return false;
        write(next, memory_field_[l], data);
        write(next, copy_field_[c][l], data << 2 | clean);
      }
      if (invalidates) write(next, copy_field_[c][l], 0);
    }
    return true;
  }

  model const& m_;
  state s_{};
  unsigned caches_ = 0;
  unsigned lines_ = 0;

 private:
  u64 memory_[max_lines] = {};
  u64 copy_[max_caches][max_lines] = {};
  unsigned clean_[max_lines] = {};  // caches with such a copy of the line, a mask
  unsigned dirty_[max_lines] = {};
  bit_field memory_field_[max_lines];
  bit_field copy_field_[max_caches][max_lines];
  unsigned word_bits_[max_lines] = {};
  unsigned words_[max_lines] = {};
};

}  // namespace vmsa::coherency
