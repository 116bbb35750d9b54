// SPDX-License-Identifier: MIT
// Memory of which only some words are known: a recorded walk, a scenario, a dump. What is not known reads as 0.
#pragma once
#include <unordered_map>
#include <vector>

#include "vmsa/mmu/port.hpp"

namespace vmsa::sim {

class sparse_memory {
 public:
  void set(pa where, descriptor d) { words_[where.value] = d.raw; }
  // Little-endian bytes at `base`, under every word that was set or written.
  void add_image(pa base, std::vector<unsigned char> bytes) { images_.push_back({base, std::move(bytes)}); }

  bool known(pa where) const noexcept { return words_.contains(where.value) || image_at(where) != nullptr; }

  descriptor load(pa where, load_order) const noexcept {
    auto const it = words_.find(where.value);
    if (it != words_.end()) return {it->second};
    u64 raw = 0;
    if (unsigned char const* const bytes = image_at(where))
      for (unsigned i = 8; i-- > 0;) raw = raw << 8 | bytes[i];
    return {raw};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = load(where, load_order::relaxed);
    if (found == expected) set(where, desired);
    return found;
  }

 private:
  struct image {
    pa base{};
    std::vector<unsigned char> bytes;
  };

  unsigned char const* image_at(pa where) const noexcept {
    for (image const& i : images_)
      if (where >= i.base && where - i.base < i.bytes.size() && i.bytes.size() - (where - i.base) >= 8)
        return i.bytes.data() + (where - i.base);
    return nullptr;
  }

  std::unordered_map<u64, u64> words_;
  std::vector<image> images_;
};

static_assert(updatable_port<sparse_memory>);

}  // namespace vmsa::sim
