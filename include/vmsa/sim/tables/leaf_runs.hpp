// SPDX-License-Identifier: MIT
// Every leaf of a table in a dump, in order, as runs of leaves that follow each other, and those merged into ranges.
// Nothing is collected: a guest whose pages are scattered has millions of ranges.
#pragma once
#include <array>
#include <cstring>
#include <vector>

#include "vmsa/mmu/geometry.hpp"
#include "vmsa/sim/dump/physical_memory.hpp"

namespace vmsa::sim {

/// Leaves of one table whose descriptors differ in the output address alone, by the size of a leaf each.
struct leaf_run {
  u64 input = 0;  // of the first
  descriptor first{};
  u64 count = 0;
  level at = level::l3;
  u8 limits = 0;  // bits 63:59 of the table descriptors above it, OR-ed: stage 1's hierarchical permissions
};

/// A table that a valid descriptor names and the dump lacks. What is below it is unknown.
struct absent_table {
  u64 input = 0;  // the first input address that it would translate
  u64 size = 0;   // bytes of input addresses
  u64 address = 0;
  level at = level::l3;  // of the table that is absent
};

struct walk_totals {
  u64 tables = 0;  // granules, of the root as many as are concatenated, and 1 for a root that is smaller
  u64 leaves = 0;
  u64 bytes = 0;         // that leaves map
  u64 reserved = 0;      // valid descriptors that their level cannot hold: a Translation fault each
  bool endless = false;  // more tables than frames: they lead in circles, and the walk was given up
};

/// Reads tables where they lie: at physical addresses.
class physical_tables {
 public:
  explicit physical_tables(physical_memory const& memory) noexcept : memory_(&memory) {}

  std::byte const* table(u64 address, u64 size, std::byte* scratch) const {
    return memory_->bytes({address}, size, scratch);
  }
  bool big_endian() const noexcept { return memory_->big_endian(); }

 private:
  physical_memory const* memory_;
};

/// Walks the whole of one table. Calls `visitor.run(leaf_run)` for every run in ascending order of input addresses and
/// `visitor.absent(absent_table)` for what the dump lacks. `most_tables` bounds a walk over what is no table.
template <class Tables, class Visitor>
class leaf_walk {
 public:
  leaf_walk(Tables const& tables, geometry const& shape, Visitor& visitor, u64 most_tables)
      : tables_(tables), g_(shape), visitor_(visitor), most_tables_(most_tables) {}

  /// `input_base` is added to every input address: what is above the input size of an upper VA range.
  walk_totals walk(u64 root, u64 input_base = 0) {
    descend(g_.start, root, input_base, g_.root_entries, g_.concatenated_tables(), 0);
    return totals_;
  }

 private:
  static u64 load(std::byte const* words, u64 i) noexcept {
    u64 w;
    std::memcpy(&w, words + 8 * i, 8);
    return w;
  }
  std::byte const* fetch(u64 address, u64 entries, level l) {
    std::vector<std::byte>& scratch = scratch_[index(l)];
    if (scratch.size() < 8 * entries) scratch.resize(static_cast<std::size_t>(8 * entries));
    std::byte const* const found = tables_.table(address, 8 * entries, scratch.data());
    if (found == nullptr || !tables_.big_endian()) return found;
    for (u64 i = 0; i < entries; ++i) {
      u64 const w = __builtin_bswap64(load(found, i));
      std::memcpy(scratch.data() + 8 * i, &w, 8);
    }
    return scratch.data();
  }

  void descend(level l, u64 address, u64 input, u64 entries, u64 granules, u8 limits) {
    if (totals_.endless) return;
    totals_.tables += granules;
    if (totals_.tables > most_tables_) {
      totals_.endless = true;
      return;
    }
    std::byte const* const words = fetch(address, entries, l);
    u64 const size = g_.size(l);
    if (words == nullptr) {
      totals_.tables -= granules;
      visitor_.absent(absent_table{input, entries * size, address, l});
      return;
    }
    for (u64 i = 0; i < entries;) {
      descriptor const d{load(words, i)};
      switch (kind_of(d, l, g_.format)) {
        case descriptor_kind::invalid: ++i; continue;
        case descriptor_kind::reserved:
          ++totals_.reserved;
          ++i;
          continue;
        case descriptor_kind::table:
          descend(next(l), g_.address_in(d).value, input + i * size, u64{1} << stride(g_.tg()), 1,
                  static_cast<u8>(limits | d.raw >> 59));
          ++i;
          continue;
        case descriptor_kind::block:
        case descriptor_kind::page: break;
      }
      u64 const from = i++;
      for (u64 expected = d.raw + size; i < entries && load(words, i) == expected; ++i) expected += size;
      totals_.leaves += i - from;
      totals_.bytes += (i - from) * size;
      visitor_.run(leaf_run{input + from * size, d, i - from, l, limits});
    }
  }

  Tables const& tables_;
  geometry const& g_;
  Visitor& visitor_;
  u64 most_tables_;
  walk_totals totals_{};
  std::array<std::vector<std::byte>, 5> scratch_{};
};

/// Input addresses that follow each other, map to output addresses that follow each other, and say the same.
struct mapped_range {
  u64 input = 0;
  u64 output = 0;
  u64 size = 0;
  u64 leaves = 0;
  descriptor first{};  // of the first leaf
  level at = level::l3;
  u8 limits = 0;
};

/// What makes two leaves different besides their addresses.
struct merge_options {
  bool merge = true;        // false: one range a leaf
  bool contiguous = false;  // the Contiguous bit counts too
};

/// Merges runs into ranges and hands each to `sink(mapped_range const&)` when it is complete; finish() hands out the
/// last.
template <class Sink>
class range_merger {
 public:
  range_merger(geometry const& shape, merge_options options, Sink sink)
      : g_(shape), options_(options), sink_(std::move(sink)) {
    for (level l = level::m1;; l = next(l)) {
      unsigned const low = level_shift(shape.tg(), l);
      u64 address = shape.high_address_bits | (low < 50 ? shape.address_bits & ~low_mask(low) : 0);
      if (!options.contiguous) address |= descriptor_bits::contiguous::mask;
      said_[index(l)] = ~address;
      if (l == level::l3) break;
    }
  }

  void run(leaf_run const& r) {
    if (!options_.merge) {
      u64 const size = g_.size(r.at);
      for (u64 i = 0; i < r.count; ++i) {
        descriptor const d{r.first.raw + i * size};
        sink_(mapped_range{r.input + i * size, leaf_output(d, r.at, g_.format).value, size, 1, d, r.at, r.limits});
      }
      return;
    }
    u64 const output = leaf_output(r.first, r.at, g_.format).value;
    u64 const said = r.first.raw & said_[index(r.at)];
    u64 const size = r.count * g_.size(r.at);
    if (open_.size != 0 && open_.input + open_.size == r.input && open_.output + open_.size == output &&
        open_.at == r.at && open_said_ == said && open_.limits == r.limits) {
      open_.size += size;
      open_.leaves += r.count;
      return;
    }
    finish();
    open_ = {r.input, output, size, r.count, r.first, r.at, r.limits};
    open_said_ = said;
  }
  void finish() {
    if (open_.size != 0) sink_(open_);
    open_.size = 0;
  }

 private:
  geometry const& g_;
  merge_options options_;
  Sink sink_;
  mapped_range open_{};
  u64 open_said_ = 0;
  std::array<u64, 5> said_{};
};

/// A walk that collects: ranges in ascending order of input addresses, and what the dump lacks.
struct mapped_table {
  std::vector<mapped_range> ranges{};
  std::vector<absent_table> absent{};
  walk_totals totals{};

  /// The range that maps `input`, or nullptr.
  mapped_range const* find(u64 input) const noexcept;
};

/// Tables that a walk may read before it is given up: as many as the dump has granules, twice, and some.
u64 table_budget(physical_memory const& memory, granule tg);

template <class Tables, class Sink>
walk_totals for_each_range(Tables const& tables, geometry const& shape, u64 root, u64 input_base, u64 budget,
                           merge_options options, Sink sink, std::vector<absent_table>& absent) {
  struct collector {
    range_merger<Sink> merger;
    std::vector<absent_table>& lacks;
    void run(leaf_run const& r) { merger.run(r); }
    void absent(absent_table const& a) { lacks.push_back(a); }
  } c{{shape, options, std::move(sink)}, absent};
  walk_totals const totals = leaf_walk<Tables, collector>(tables, shape, c, budget).walk(root, input_base);
  c.merger.finish();
  return totals;
}

template <class Tables>
mapped_table map_of(Tables const& tables, geometry const& shape, u64 root, u64 input_base, u64 budget,
                    merge_options options = {}) {
  mapped_table out;
  out.totals = for_each_range(
      tables, shape, root, input_base, budget, options, [&](mapped_range const& r) { out.ranges.push_back(r); },
      out.absent);
  return out;
}

/// Reads a guest's stage 1 tables, whose addresses are IPAs: each page of a table is where stage 2 maps it.
class guest_tables {
 public:
  guest_tables(physical_memory const& memory, mapped_table const& stage2) noexcept
      : memory_(&memory), stage2_(&stage2) {}

  std::byte const* table(u64 address, u64 size, std::byte* scratch) const;
  bool big_endian() const noexcept { return memory_->big_endian(); }

 private:
  physical_memory const* memory_;
  mapped_table const* stage2_;
};

}  // namespace vmsa::sim
