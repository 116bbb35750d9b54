// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "vmsa/sim/coherency/model.hpp"

namespace vmsa::coherency {

constexpr u64 low_bits(unsigned n) noexcept { return n >= 64 ? ~u64{0} : (u64{1} << n) - 1; }
constexpr unsigned width_for(u64 largest) noexcept { return static_cast<unsigned>(std::bit_width(largest)); }

// Places fields in 64-bit words. Fields of one unit stay together, in one word; bit 63 of word 0 is set in every state,
// so that no state is all zero.
class layout {
 public:
  // Appends a field of `bits` to the unit that is open.
  void add(bit_field& f, unsigned bits) {
    if (bits != 0) units_.back().fields.push_back({&f, bits});
    units_.back().bits += bits;
  }
  void open(bit_field* whole = nullptr) { units_.push_back({{}, 0, whole}); }

  // The number of words used, 0 when even `most` do not hold everything.
  unsigned place(unsigned most) {
    std::vector<unit*> order;
    for (unit& u : units_)
      if (u.bits != 0) order.push_back(&u);
    std::stable_sort(order.begin(), order.end(), [](unit const* a, unit const* b) { return a->bits > b->bits; });
    for (unsigned words = 1; words <= most; words *= 2) {
      std::vector<unsigned> used(words, 0);
      bool fits = true;
      for (unit* u : order) {
        unsigned w = 0;
        while (w < words && used[w] + u->bits > (w == 0 ? 63u : 64u)) ++w;
        if (w == words) {
          fits = false;
          break;
        }
        u->word = w;
        u->shift = used[w];
        used[w] += u->bits;
      }
      if (!fits) continue;
      for (unit* u : order) assign(*u);
      return words;
    }
    return 0;
  }
  unsigned bits() const {
    return std::accumulate(units_.begin(), units_.end(), 1u, [](unsigned n, unit const& u) { return n + u.bits; });
  }

 private:
  struct part {
    bit_field* field;
    unsigned bits;
  };
  struct unit {
    std::vector<part> fields;
    unsigned bits = 0;
    bit_field* whole = nullptr;
    unsigned word = 0, shift = 0;
  };
  static void assign(unit& u) {
    unsigned shift = u.shift;
    for (part& p : u.fields) {
      *p.field = {static_cast<u8>(u.word), static_cast<u8>(shift), low_bits(p.bits)};
      shift += p.bits;
    }
    if (u.whole != nullptr) *u.whole = {static_cast<u8>(u.word), static_cast<u8>(u.shift), low_bits(u.bits)};
  }
  std::vector<unit> units_;
};

}  // namespace vmsa::coherency
