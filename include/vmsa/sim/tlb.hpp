// SPDX-License-Identifier: MIT
// What TLBs may still hold of translations that the tables do not have any more. An element is one old entry of one
// table; it leaves each PE's TLB by a completed invalidation that matches it, and by nothing else [Arm ARM, TLB
// maintenance requirements and the TLB maintenance instructions, RRLTGW, RNDCMB].
#pragma once
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "vmsa/arch/descriptor.hpp"

namespace vmsa::sim {

inline constexpr u32 no_element = ~u32{0};

/// An old entry. Masks have one bit for each PE's TLB.
struct tlb_element {
  u64 begin = 0;  // first input address that the entry translates, or leads to
  u64 old = 0;    // the descriptor
  u64 word = 0;   // address of the write that took it out of the tables: its own entry, or one above
  u64 holders = 0;
  u64 stage2_gone = 0;  // TLBs without the stage 2 entry, which may still hold combined ones
  u64 gone = 0;         // TLBs that hold nothing of it
  u32 event = 0;        // that took it out of the table
  u32 line = 0;
  u32 again_event = 0;  // of the last write to the same word by another PE, 0: none
  u32 issued_event = 0;
  u32 repeat_event = 0;  // of the DSB that would have ended it but for an erratum, 0: none
  u32 repeat_line = 0;
  u32 previous = no_element;  // in its context's list
  u32 next = no_element;
  u32 next_here = no_element;  // another old entry of the same word
  u32 generation = 0;
  u32 context = 0;
  u8 writer = 0;
  u8 again_writer = 0;
  u8 issued_pe = 0xff;
  u8 issued_as = 0;
  u8 issued_scope = 0;
  signed char at = 3;  // level
  u8 list = 0;
  bool table : 1 = false;
  bool harmless : 1 = false;    // it grants no more than the table does, which only a later change makes wrong
  bool size_only : 1 = false;   // the same translation in another size (FEAT_BBM)
  bool dirty_only : 1 = false;  // writable-dirty became writable-clean
  bool xs : 1 = false;
  bool reported : 1 = false;
  bool weak : 1 = false;      // the DSB before the TLBI was another PE's than the writer's
  bool portable : 1 = false;  // gone but for that
};

/// The elements of one context (a table under one VMID), found by input address at each level: the first of those that
/// came from the same word. What it took to hold them is kept for the next ones.
class tlb_index {
 public:
  explicit tlb_index(granule tg) noexcept : bits_(stride(tg)) {
    for (int at = -1; at <= 3; ++at) shifts_[index_of(at)] = level_shift(tg, static_cast<level>(at));
  }

  u32 first(int at, u64 input) const noexcept {
    if (empty(at)) return no_element;
    chunk const* const c = find(at, input);
    return c == nullptr ? no_element : c->heads[slot(at, input)];
  }
  // The place that holds it; `change` elements more, or one less with -1.
  u32& head(int at, u64 input, int change) {
    chunk& c = make(at, input);
    c.used += change;
    levels_[index_of(at)].used += change;
    used_ += change;
    return c.heads[slot(at, input)];
  }
  bool empty() const noexcept { return used_ == 0; }
  bool empty(int at) const noexcept { return levels_[index_of(at)].used == 0; }

  /// Calls `visit(first element of a word)` for each word of level `at` in [begin, end) that has some. `visit` neither
  /// adds nor removes.
  template <class Visit>
  void each(int at, u64 begin, u64 end, Visit&& visit) const {
    if (empty(at) || begin >= end) return;
    unsigned const shift = shifts_[index_of(at)];
    u64 const first = begin >> shift;
    u64 const last = (end - 1) >> shift;
    auto const& chunks = levels_[index_of(at)].chunks;
    if ((last >> bits_) - (first >> bits_) < chunks.size()) {
      for (u64 key = first >> bits_; key <= last >> bits_; ++key)
        if (chunk const* const c = find_key(at, key)) in_chunk(*c, key, first, last, visit);
      return;
    }
    for (auto const& [key, c] : chunks)
      if (key >= first >> bits_ && key <= last >> bits_) in_chunk(c, key, first, last, visit);
  }

 private:
  struct chunk {
    std::unique_ptr<u32[]> heads;
    int used = 0;
  };
  struct of_level {
    std::unordered_map<u64, chunk> chunks;
    long long used = 0;
    mutable u64 last_key = ~u64{0};
    mutable chunk const* last = nullptr;
  };

  static unsigned index_of(int at) noexcept { return static_cast<unsigned>(at + 1); }
  u64 word(int at, u64 input) const noexcept { return input >> shifts_[index_of(at)]; }
  u64 slot(int at, u64 input) const noexcept { return word(at, input) & low_mask(bits_); }

  chunk const* find(int at, u64 input) const noexcept { return find_key(at, word(at, input) >> bits_); }
  chunk const* find_key(int at, u64 key) const noexcept {
    of_level const& l = levels_[index_of(at)];
    if (l.last_key == key) return l.last;
    auto const found = l.chunks.find(key);
    if (found == l.chunks.end()) return nullptr;
    l.last_key = key;
    return l.last = &found->second;
  }
  chunk& make(int at, u64 input) {
    if (chunk const* const c = find(at, input)) return const_cast<chunk&>(*c);
    chunk& c = levels_[index_of(at)].chunks[word(at, input) >> bits_];
    std::size_t const entries = std::size_t{1} << bits_;
    c.heads = std::make_unique<u32[]>(entries);
    for (std::size_t i = 0; i < entries; ++i) c.heads[i] = no_element;
    return c;
  }
  template <class Visit>
  void in_chunk(chunk const& c, u64 key, u64 first, u64 last, Visit& visit) const {
    if (c.used == 0) return;
    u64 const base = key << bits_;
    u64 const end = last - base < low_mask(bits_) ? last - base : low_mask(bits_);
    for (u64 n = first > base ? first - base : 0; n <= end; ++n)
      if (c.heads[n] != no_element) visit(c.heads[n]);
  }

  unsigned bits_;
  std::array<unsigned, 5> shifts_{};
  long long used_ = 0;
  std::array<of_level, 5> levels_;
};

}  // namespace vmsa::sim
