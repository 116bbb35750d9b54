// SPDX-License-Identifier: MIT
// Memory with a cache and a store buffer for each PE, and what an adversary may make of them [Arm ARM, Mismatched
// memory attributes]. Every write has a version, so that a read knows whether it came too late.
//
//   PE: store buffer -> cache -> memory <- device that does not snoop
//                         ^-- device that snoops
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <vector>

#include "vmsa/sim/machine/adversary.hpp"
#include "vmsa/sim/machine/finding.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::sim {

inline constexpr unsigned line_bytes = 64;

class data_system {
 public:
  /// `cacheable_alias(pe, pa)`: whether that PE may fetch this line speculatively.
  data_system(unsigned pes, u64 size, pa base, adversary const& who,
              std::function<bool(unsigned, u64)> cacheable_alias = {});

  pa base() const noexcept { return memory_.base(); }
  /// What was asked for: the host may have given more.
  u64 size() const noexcept { return u64{index_.size()} * line_bytes; }
  bool contains(u64 at) const noexcept { return at - base().value < size(); }

  /// What a coherent observer sees: a dirty copy, else memory. `dram`: memory itself.
  u64 peek(u64 at) const;
  u64 dram(u64 at) const { return memory_.load({at}, load_order::relaxed).raw; }
  /// A change that happens at once, everywhere: what hardware writes into tables, or a test into memory.
  void poke(u64 at, u64 value);

  /// By a PE with these attributes. `event` is the number of what happens, `named` the address as the agent gave it.
  u64 load(unsigned pe, u64 at, memory_attributes const& a, u32 event, u64 named);
  void store(unsigned pe, u64 at, u64 value, memory_attributes const& a, u32 event, bool release = false);
  /// Reads and writes in one; returns what was there, and writes where that is `expected`.
  u64 exchange(unsigned pe, u64 at, u64 expected, bool always, u64 value, memory_attributes const& a, u32 event,
               u64 named);

  /// By a device, `agent` from the number of PEs on. `snoops`: it looks into the caches, and `allocates`: its write may
  /// end in one.
  u64 dma_read(unsigned agent, u64 at, bool snoops, u32 event, u64 named);
  void dma_write(unsigned agent, u64 at, u64 value, bool snoops, u32 event, bool allocates = true);

  /// `done`: it is complete before anything else happens; else at the PE's next DSB.
  void maintain(unsigned pe, trace_cache op, u64 at, u64 bytes, u32 event, bool done);
  /// DSB: the buffer is empty, and maintenance complete. DMB: stores have left it.
  void fence(unsigned pe, u32 event, bool completes = true);
  /// Everything leaves buffers and caches: what memory has then is what is left.
  void settle(u32 event);

  bool pending(unsigned pe) const noexcept { return !buffers_[pe].empty(); }
  chooser const& choices() const noexcept { return chooser_; }
  chooser& choices() noexcept { return chooser_; }
  std::vector<finding>& findings() noexcept { return findings_; }

 private:
  struct copy {
    u8 pe = 0;
    bool dirty = false;
    std::array<u64, 8> word{};
    std::array<u32, 8> version{};
  };
  struct line {
    std::array<u32, 8> memory{};  // versions, each the event of its write; 0: the start
    std::array<u32, 8> latest{};
    std::array<u8, 8> writer{};
    std::vector<copy> copies;
  };
  struct buffered {
    u64 at = 0;
    u64 value = 0;
    u64 size = 0;  // of maintenance
    u32 event = 0;
    u32 after = 0;  // everything buffered before this event leaves first
    bool store = true;
    trace_cache op = trace_cache::clean_poc;
    memory_attributes attributes{};
  };

  static bool cached(memory_attributes const& a) noexcept {
    return is_normal(a) &&
           (a.inner.policy != cache_policy::non_cacheable || a.outer.policy != cache_policy::non_cacheable);
  }
  // Accesses of two kinds stay in no order with each other.
  static unsigned kind_of(memory_attributes const& a) noexcept { return is_device(a) ? 2 : cached(a) ? 1 : 0; }
  static bool written_back(memory_attributes const& a) noexcept {
    return is_normal(a) && (a.inner.policy == cache_policy::write_back || a.outer.policy == cache_policy::write_back);
  }
  static unsigned word_of(u64 at) noexcept { return static_cast<unsigned>(at / 8 % 8); }
  static u64 start_of(u64 at) noexcept { return at & ~u64{line_bytes - 1}; }
  void check(u64 at) const;
  line* known(u64 at) const noexcept;
  line& make(u64 at);
  static copy* copy_of(line& l, unsigned pe) noexcept;
  static copy* dirty_copy(line& l) noexcept;
  copy& fill(line& l, unsigned pe, u64 at);
  void leave(line& l, u64 at, unsigned pe, u32 event);
  void write_back(line& l, u64 at, copy& c, u32 event);
  void drop(line& l, unsigned pe);
  void bypass(line& l, u64 at, u64 value, u32 version, u32 event);
  void drain(unsigned pe, std::size_t n, u32 event);
  std::size_t drain_before(unsigned pe, std::size_t n, u32 event);
  void apply(trace_cache op, u64 at, u64 bytes, u32 event);
  void judge_read(line& l, unsigned agent, u64 at, u32 got, holder_kind held, unsigned holder, u32 event, u64 named);
  void report_lost(line const& l, u64 at, unsigned w, u32 older, u32 event, holder_kind held, unsigned holder);

  static constexpr std::size_t most_buffered = 64;

  unsigned pes_;
  machine_memory memory_;
  chooser chooser_;
  std::function<bool(unsigned, u64)> alias_;
  std::vector<u32> index_;  // by line: 1 + its place in lines_
  mutable std::deque<line> lines_;
  std::vector<std::vector<buffered>> buffers_;
  std::vector<finding> findings_;
};

}  // namespace vmsa::sim
