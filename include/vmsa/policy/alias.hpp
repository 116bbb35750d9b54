// SPDX-License-Identifier: MIT
// Who else maps the same memory, with which attributes, and what a disagreement can do. Whether it does is the
// coherency model's question: this is the static answer.
#pragma once
#include <optional>

#include "vmsa/policy/decision.hpp"

namespace vmsa {

enum class alias_owner : u8 {
  monitor,     // the VMM's own mapping
  linear_map,  // the host kernel's linear map
  dma,         // a device assigned to the guest, through the SMMU
};

struct alias {
  alias_owner owner = alias_owner::monitor;
  memory_attributes attributes{};
};

struct alias_list {
  static constexpr unsigned capacity = 3;
  alias items[capacity] = {};
  unsigned count = 0;

  constexpr void add(alias const& a) noexcept { items[count++] = a; }
  constexpr alias const* begin() const noexcept { return items; }
  constexpr alias const* end() const noexcept { return items + count; }
};

// Linux's attributes: write-back memory is Inner Shareable, anything else Outer by the architecture.
inline constexpr memory_attributes linux_write_back =
    normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
inline constexpr memory_attributes linux_non_cacheable =
    normal_memory(non_cacheable, non_cacheable, shareability::outer);

constexpr memory_attributes attributes_of(vma_type t) noexcept {
  switch (t) {
    case vma_type::wb: return linux_write_back;
    case vma_type::nc: return linux_non_cacheable;
    case vma_type::nGnRE: return device_memory(device_kind::nGnRE);
    case vma_type::none:
    case vma_type::nGnRnE: break;
  }
  return device_memory(device_kind::nGnRnE);
}

// Live aliases beside the guest's mapping. `dma`: what an assigned device's accesses have (see policy/smmu.hpp); VFIO
// always asks for IOMMU_CACHE, so the default is write-back. Absent: no device gets through to it.
constexpr alias_list aliases_of(memory_inputs const& m,
                                std::optional<memory_attributes> const& dma = linux_write_back) noexcept {
  alias_list list;
  if (m.vma.type != vma_type::none && m.vma.access != host_access::none)
    list.add({alias_owner::monitor, attributes_of(m.vma.type)});
  switch (m.linear) {
    case linear_alias::none: break;
    case linear_alias::write_back: list.add({alias_owner::linear_map, linux_write_back}); break;
    case linear_alias::nGnRnE: list.add({alias_owner::linear_map, device_memory(device_kind::nGnRnE)}); break;
  }
  if (m.dma && dma) list.add({alias_owner::dma, *dma});
  return list;
}

// Ordered by severity.
enum class mismatch : u8 {
  none,
  ordering_only,      // all Device or Normal-NC: accesses through different aliases may be reordered, and a type's own
                      // properties may be lost; a DMB between them restores order
  loss_of_coherency,  // one of them is cached: stale reads and lost writes without maintenance
  previous_contents,  // and nothing cleaned the cache when the guest got the page: it may read what was there before
};

// What the guest's access with `guest` attributes and the alias can do to each other, after a leaf was written with
// `duties` [Arm ARM, Mismatched memory attributes].
constexpr mismatch classify_mismatch(memory_attributes const& guest, memory_attributes const& other,
                                     cache_duties duties) noexcept {
  memory_attributes const a = with_effective_shareability(guest);
  memory_attributes const b = with_effective_shareability(other);
  // One Inner Shareable domain holds every PE that a hypervisor runs on, and every coherent master.
  if (agree(a, b, true)) return mismatch::none;
  auto const uncached = [](memory_attributes const& m) { return is_device(m) || is_non_cacheable(m); };
  if (uncached(a) && uncached(b)) return mismatch::ordering_only;
  if (uncached(a) && !duties.clean_invalidate_poc) return mismatch::previous_contents;
  return mismatch::loss_of_coherency;
}

// The worst over all aliases.
constexpr mismatch worst_mismatch(memory_attributes const& guest, alias_list const& aliases,
                                  cache_duties duties) noexcept {
  mismatch worst = mismatch::none;
  for (alias const& a : aliases) {
    mismatch const m = classify_mismatch(guest, a.attributes, duties);
    if (m > worst) worst = m;
  }
  return worst;
}

static_assert(classify_mismatch(linux_non_cacheable, device_memory(device_kind::nGnRnE), {}) ==
              mismatch::ordering_only);
static_assert(classify_mismatch(device_memory(device_kind::nGnRE), linux_write_back, {}) ==
              mismatch::previous_contents);

}  // namespace vmsa
