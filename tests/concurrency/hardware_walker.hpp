// SPDX-License-Identifier: MIT
// A PE that uses a stage 2 table: it caches whatever it may, and forgets only what a TLBI names. With VTCR_EL2.HA and
// HD it sets access flags and dirty state by compare-exchange. It shares no walk with the table's code.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "vmsa/mmu/geometry.hpp"
#include "vmsa/mmu/port.hpp"

namespace vmsa::test {

template <class Memory>
class hardware_walker {
 public:
  hardware_walker(Memory& memory, pa root, geometry const& shape, bool updates = true)
      : memory_(&memory), root_(root), shape_(shape), updates_(updates) {}

  // Where an allowed access goes; none when it faults. `dirtied` is true when this very access set dirty state.
  struct access_result {
    std::optional<pa> output{};
    bool dirtied = false;
  };
  access_result access(ipa at, bool write) {
    for (std::vector<translation>* cache : {&combined_, &stage2_}) {
      auto const hit =
          std::find_if(cache->begin(), cache->end(), [&](translation const& t) { return t.holds(at.value); });
      if (hit == cache->end() || (write && !hit->writable)) continue;
      translation const found = *hit;
      if (cache == &stage2_) keep(combined_, found);
      return {found.output + (at.value - found.begin)};
    }
    bool dirtied = false;
    std::optional<translation> const made = walk(at.value, write, dirtied);
    if (!made) return {};
    keep(stage2_, *made);
    keep(combined_, *made);
    return {made->output + (at.value - made->begin), dirtied};
  }

  // [Arm ARM, TLB maintenance: by IPA stage 2 only; VMALLE1IS combined entries only; VMALLS12E1IS both]
  void invalidate(tlbi const& op) {
    if (op.kind == tlbi_kind::vmalle1is || op.kind == tlbi_kind::vmalls12e1is) combined_.clear();
    if (op.kind == tlbi_kind::vmalle1is) return;
    bool const all = op.kind == tlbi_kind::vmalls12e1is;
    u64 const size = op.kind == tlbi_kind::ripas2e1is ? op.size : granule_size(shape_.tg());
    auto const named = [&](u64 begin, u64 bytes) {
      return begin < op.base.value + size && op.base.value < begin + bytes;
    };
    std::erase_if(stage2_, [&](translation const& t) {
      return all || (named(t.begin, t.size) && (!op.has_level || op.leaf == t.at));
    });
    std::erase_if(tables_, [&](table const& t) { return all || (named(t.begin, t.size) && !op.has_level); });
  }

 private:
  static constexpr std::size_t entries_ = 64;  // the oldest goes first
  struct translation {
    u64 begin = 0;
    u64 size = 0;
    pa output{};
    level at{};
    bool writable = false;
    bool holds(u64 input) const { return begin <= input && input - begin < size; }
  };
  struct table {
    u64 begin = 0;
    u64 size = 0;
    pa base{};
    level at{};  // of its entries
  };

  void keep(std::vector<translation>& cache, translation const& t) {
    std::erase_if(
        cache, [&](translation const& old) { return old.begin < t.begin + t.size && t.begin < old.begin + old.size; });
    if (cache.size() >= entries_) cache.erase(cache.begin());
    cache.push_back(t);
  }

  // From the lowest cached table down.
  std::optional<translation> walk(u64 input, bool write, bool& dirtied) {
    table from{0, ~u64{0}, root_, shape_.start_level()};
    for (table const& t : tables_)
      if (t.begin <= input && input - t.begin < t.size && number(t.at) > number(from.at)) from = t;
    for (;;) {
      u64 const size = shape_.size(from.at);
      pa const where = from.base + ((input - from.begin) / size) * 8;
      descriptor const d = memory_->load(where, load_order::acquire);
      descriptor_kind const kind = kind_of(d, from.at, shape_.format);
      if (kind == descriptor_kind::table) {
        from = {input & ~(size - 1), size, {d.raw & bit_mask(47, granule_bits(shape_.tg()))}, next(from.at)};
        if (tables_.size() >= entries_) tables_.erase(tables_.begin());
        tables_.push_back(from);
        continue;
      }
      if (!is_leaf(kind)) return std::nullopt;
      u64 const access = d.raw >> 6 & 0b11;
      if (!updates_ && (!descriptor_bits::af::get(d.raw) || (write && (access & 0b10) == 0))) return std::nullopt;
      u64 desired = d.raw | descriptor_bits::af::mask;
      if (write) {
        if ((access & 0b10) == 0 && !descriptor_bits::dbm::get(d.raw)) return std::nullopt;
        desired |= u64{0b10} << 6;
      } else if ((access & 0b01) == 0) {
        return std::nullopt;
      }
      if (desired != d.raw && memory_->compare_exchange(where, d, {desired}) != d) continue;
      dirtied = write && (access & 0b10) == 0;
      u64 const region = u64{1} << leaf_region_bits(d, from.at, shape_.format);
      u64 const output = leaf_output(d, from.at, shape_.format).value & ~(region - 1);
      return translation{input & ~(region - 1), region, {output}, from.at, (desired >> 7 & 1) != 0};
    }
  }

  Memory* memory_;
  pa root_;
  geometry shape_;
  bool updates_;
  std::vector<translation> stage2_;
  std::vector<translation> combined_;
  std::vector<table> tables_;
};

}  // namespace vmsa::test
