// SPDX-License-Identifier: MIT
// Guest-physical ranges and what is behind them, as a sorted span: the core allocates nothing.
#pragma once
#include <optional>
#include <span>

#include "vmsa/arch/address.hpp"
#include "vmsa/policy/backing.hpp"

namespace vmsa {

struct hva_space;
using hva = address<hva_space>;  // an address in the monitor

struct region {
  ipa base{};
  u64 size = 0;  // bytes, whole pages
  pa output{};   // the frame behind `base`; the range is contiguous
  enum backing backing = backing::anonymous;
  memory_inputs inputs{};
  // Largest leaf for which the monitor's address, the IPA and the frame are congruent; see congruent_leaf. A smaller
  // leaf is taken where the region's ends or its own addresses do not allow this one.
  level largest_leaf = level::l1;

  // By subtraction, because base + size may be 2^64.
  constexpr bool contains(ipa where) const noexcept { return where >= base && where - base < size; }
  constexpr pa output_of(ipa where) const noexcept { return output + (where - base); }
};

constexpr region make_region(ipa base, u64 size, pa output, backing kind, memslot flags) noexcept {
  memory_inputs inputs = inputs_of(kind);
  inputs.slot.read_only = inputs.slot.read_only || flags.read_only;
  inputs.slot.log_dirty = inputs.slot.log_dirty || flags.log_dirty;
  return {base, size, output, kind, inputs, level::l1};
}
constexpr region make_region(ipa base, u64 size, pa output, backing kind) noexcept {
  return {base, size, output, kind, inputs_of(kind), level::l1};
}

// The largest leaf for which three addresses agree in the bits below it: a block needs all three.
constexpr level congruent_leaf(granule g, hva host, ipa guest, pa frame) noexcept {
  for (level l : {level::l1, level::l2}) {
    u64 const inside = level_size(g, l) - 1;
    if (((host.value ^ guest.value) & inside) == 0 && ((guest.value ^ frame.value) & inside) == 0) return l;
  }
  return level::l3;
}

// The largest leaf at `where`, at most `limit`: congruent addresses, and the whole block inside the region. Level 1
// blocks of the 16K and 64K granules need 52-bit addresses and are not used.
constexpr level leaf_at(region const& r, ipa where, level limit, granule g) noexcept {
  if (limit < r.largest_leaf) limit = r.largest_leaf;
  if (g != granule::k4 && limit < level::l2) limit = level::l2;
  for (level l = limit; l < level::l3; l = next(l)) {
    u64 const size = level_size(g, l);
    ipa const start = where.floor_to(size);
    bool const congruent = ((r.base.value ^ r.output.value) & (size - 1)) == 0;
    if (congruent && start >= r.base && start - r.base <= r.size && r.size - (start - r.base) >= size) return l;
  }
  return level::l3;
}

enum class region_problem : u8 {
  none,
  empty,  // size 0
  misaligned_base,
  misaligned_size,
  misaligned_output,
  wraps,         // base + size or output + size passes 2^64
  out_of_order,  // base below its predecessor's
  overlap,       // begins inside its predecessor
};

struct [[nodiscard]] region_check {
  region_problem what = region_problem::none;
  std::size_t index = 0;  // the offending region; its predecessor is the other one of an overlap

  constexpr explicit operator bool() const noexcept { return what == region_problem::none; }
  friend constexpr bool operator==(region_check, region_check) = default;
};

/// The first thing wrong with regions, in order. Aliased outputs are allowed: two windows may show one frame.
constexpr region_check check_regions(std::span<region const> regions, granule g) noexcept {
  u64 const page = granule_size(g);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    region const& r = regions[i];
    if (r.size == 0) return {region_problem::empty, i};
    if (!r.base.aligned_to(page)) return {region_problem::misaligned_base, i};
    if (r.size % page != 0) return {region_problem::misaligned_size, i};
    if (!r.output.aligned_to(page)) return {region_problem::misaligned_output, i};
    u64 const last = r.size - 1;
    if (r.base.value > ~u64{0} - last || r.output.value > ~u64{0} - last) return {region_problem::wraps, i};
    if (i == 0) continue;
    region const& before = regions[i - 1];
    if (r.base < before.base) return {region_problem::out_of_order, i};
    if (before.contains(r.base)) return {region_problem::overlap, i};
  }
  return {};
}

/// Regions that were checked where they came in, so that nobody searches what is unsorted or overlaps. It points to the
/// caller's regions, whose addresses stay as they are while it is used; their inputs may change.
class region_map {
 public:
  constexpr region_map() = default;

  /// None where check_regions says what is wrong. A constexpr region_map that is made of such regions does not compile
  /// then.
  static constexpr std::optional<region_map> over(std::span<region const> regions, granule g) noexcept {
    if (!check_regions(regions, g)) return std::nullopt;
    return region_map(regions);
  }

  /// The region that holds `where`, or nullptr. Logarithmic.
  constexpr region const* find(ipa where) const noexcept {
    std::size_t low = 0;
    std::size_t high = regions_.size();
    while (low < high) {
      std::size_t const middle = low + (high - low) / 2;
      if (regions_[middle].base <= where) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0 || !regions_[low - 1].contains(where)) return nullptr;
    return &regions_[low - 1];
  }

 private:
  constexpr explicit region_map(std::span<region const> regions) noexcept : regions_(regions) {}

  std::span<region const> regions_{};
};

}  // namespace vmsa
