// SPDX-License-Identifier: MIT
// Memory of which only some words are known: a recorded walk, a scenario, words over a dump. Without a dump what is not
// known reads as 0. Over one it is absent: it still reads as 0, because a walk must read something, and missing()
// tells. Words of one physical address space lie over those that all spaces share.
#pragma once
#include <array>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vmsa/mmu/granule_protection.hpp"
#include "vmsa/sim/dump/physical_memory.hpp"

namespace vmsa::sim {

class sparse_memory {
 public:
  void set(pa where, descriptor d) { words_[where.value] = d.raw; }
  void set(pa where, physical_space space, descriptor d) { spaces_[static_cast<unsigned>(space)][where.value] = d.raw; }
  /// A dump, under every word that was set or written and under the dumps before it.
  void add(std::shared_ptr<physical_memory const> dump) { dumps_.push_back(std::move(dump)); }

  bool known(pa where) const noexcept { return find(where, physical_space::non_secure).has_value(); }

  descriptor load(pa where, load_order) const noexcept { return read(where, physical_space::non_secure); }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    return compare_exchange(where, physical_space::non_secure, expected, desired);
  }
  /// Nothing but a granule protection check reads the Root space, and what it read is kept.
  descriptor load(pa where, physical_space space, load_order) const {
    descriptor const found = read(where, space);
    if (space == physical_space::root) protection_reads_.push_back({where, found.raw});
    return found;
  }
  descriptor compare_exchange(pa where, physical_space space, descriptor expected, descriptor desired) {
    descriptor const found = read(where, space);
    if (found != expected) return found;
    auto& words = spaces_[static_cast<unsigned>(space)];
    if (auto const it = words.find(where.value); it != words.end())
      it->second = desired.raw;
    else
      set(where, desired);
    return found;
  }
  struct protection_read {
    pa where{};
    u64 entry = 0;
  };
  /// The entries of granule protection tables that were read since the last call, in order.
  std::vector<protection_read> take_protection_reads() const { return std::exchange(protection_reads_, {}); }

  /// The first word that was read since the last call and that no dump holds.
  std::optional<pa> take_missing() const noexcept { return std::exchange(missing_, std::nullopt); }

 private:
  descriptor read(pa where, physical_space space) const noexcept {
    if (std::optional<descriptor> const found = find(where, space)) return *found;
    if (!dumps_.empty() && !missing_) missing_ = where;
    return {};
  }
  std::optional<descriptor> find(pa where, physical_space space) const noexcept {
    auto const& own = spaces_[static_cast<unsigned>(space)];
    if (!own.empty())
      if (auto const it = own.find(where.value); it != own.end()) return descriptor{it->second};
    auto const it = words_.find(where.value);
    if (it != words_.end()) return descriptor{it->second};
    for (auto const& dump : dumps_)
      if (std::optional<descriptor> const found = dump->word_or_none(where, nullptr)) return found;
    return std::nullopt;
  }

  std::unordered_map<u64, u64> words_;
  std::array<std::unordered_map<u64, u64>, physical_space_count> spaces_;
  mutable std::vector<protection_read> protection_reads_;
  std::vector<std::shared_ptr<physical_memory const>> dumps_;
  mutable std::optional<pa> missing_;
};

static_assert(updatable_port<sparse_memory> && spaced_port<sparse_memory>);

}  // namespace vmsa::sim
