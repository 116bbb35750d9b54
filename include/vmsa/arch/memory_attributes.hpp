// SPDX-License-Identifier: MIT
// Memory attributes as the architecture keeps them while it combines two stages. Nothing is collapsed: allocation
// hints, transience, XS and tagging all survive into PAR_EL1, and combining is not an order on a summary.
#pragma once
#include <bit>

#include "vmsa/arch/bits.hpp"

namespace vmsa {

enum class memory_type : u8 { normal, device };

// Strictest first, in the encoding of MAIR bits 3:2 and of stage 2 MemAttr bits 1:0.
enum class device_kind : u8 { nGnRnE = 0b00, nGnRE = 0b01, nGRE = 0b10, GRE = 0b11 };

// Ordered so that the smaller wins when stages combine; the values are stage 2's two-bit encodings.
enum class cache_policy : u8 { non_cacheable = 0b01, write_through = 0b10, write_back = 0b11 };

// Cacheability of one half, inner or outer. Hints and transience are false for non_cacheable.
struct cacheability {
  cache_policy policy = cache_policy::non_cacheable;
  bool read_allocate = false;
  bool write_allocate = false;
  bool transient = false;

  friend constexpr bool operator==(cacheability a, cacheability b) noexcept {
    return std::bit_cast<u32>(a) == std::bit_cast<u32>(b);  // one comparison instead of four
  }
};

inline constexpr cacheability non_cacheable{};
inline constexpr cacheability write_back_rw{cache_policy::write_back, true, true, false};
inline constexpr cacheability write_through_ra{cache_policy::write_through, true, false, false};

// Encoded as in descriptors and PAR_EL1. 0b01 is reserved and never reaches this type: see decode_shareability.
enum class shareability : u8 { non = 0b00, outer = 0b10, inner = 0b11 };

struct memory_attributes {
  memory_type type = memory_type::device;
  device_kind device = device_kind::nGnRnE;  // meaningful for device only, else nGnRnE
  cacheability inner{};                      // meaningful for normal only, else non-cacheable
  cacheability outer{};
  shareability sh = shareability::outer;
  bool xs = true;              // FEAT_XS: the access may take long; TLBI nXS need not wait for it
  bool tagged = false;         // Allocation Tagged (MTE)
  bool no_tag_access = false;  // FEAT_MTE_PERM: tag accesses fault

  friend constexpr bool operator==(memory_attributes const&, memory_attributes const&) = default;
};

constexpr memory_attributes normal_memory(cacheability inner, cacheability outer, shareability sh, bool xs = true,
                                          bool tagged = false) noexcept {
  return {memory_type::normal, device_kind::nGnRnE, inner, outer, sh, xs, tagged, false};
}
constexpr memory_attributes device_memory(device_kind kind, bool xs = true) noexcept {
  return {memory_type::device, kind, {}, {}, shareability::outer, xs, false, false};
}

constexpr bool is_device(memory_attributes const& a) noexcept { return a.type == memory_type::device; }
constexpr bool is_normal(memory_attributes const& a) noexcept { return a.type == memory_type::normal; }
constexpr bool both_halves(memory_attributes const& a, cache_policy policy) noexcept {
  return is_normal(a) && a.inner.policy == policy && a.outer.policy == policy;
}
// Write-back in both halves: the only attributes for which the caches are the point of coherency.
constexpr bool is_write_back(memory_attributes const& a) noexcept { return both_halves(a, cache_policy::write_back); }
constexpr bool is_non_cacheable(memory_attributes const& a) noexcept {
  return both_halves(a, cache_policy::non_cacheable);
}

// OSH > ISH > NSH: two stages, or two aliases, agree on the wider domain.
constexpr shareability widest(shareability a, shareability b) noexcept {
  if (a == shareability::outer || b == shareability::outer) return shareability::outer;
  if (a == shareability::inner || b == shareability::inner) return shareability::inner;
  return shareability::non;
}

// Device and Normal-NC memory is Outer Shareable whatever SH says [EffectiveShareability].
constexpr memory_attributes with_effective_shareability(memory_attributes a) noexcept {
  if (is_device(a) || is_non_cacheable(a)) a.sh = shareability::outer;
  return a;
}

// A projection for people and policies. `mixed`: inner and outer differ.
enum class summary : u8 {
  device_nGnRnE,
  device_nGnRE,
  device_nGRE,
  device_GRE,
  normal_nc,
  normal_wt,
  normal_wb,
  mixed,
};

constexpr bool is_device(summary s) noexcept { return s <= summary::device_GRE; }

constexpr summary summarize(memory_attributes const& a) noexcept {
  if (is_device(a)) return static_cast<summary>(a.device);
  if (a.inner.policy != a.outer.policy) return summary::mixed;
  switch (a.inner.policy) {
    case cache_policy::non_cacheable: return summary::normal_nc;
    case cache_policy::write_through: return summary::normal_wt;
    case cache_policy::write_back: return summary::normal_wb;
  }
  return summary::mixed;
}

// True when accesses through both definitions are *not* mismatched: same type, Shareability and Cacheability;
// allocation hints do not count [Arm ARM, Mismatched memory attributes].
constexpr bool same_definition(memory_attributes const& a, memory_attributes const& b) noexcept {
  if (a.type != b.type || a.sh != b.sh) return false;
  if (is_device(a)) return a.device == b.device;
  return a.inner.policy == b.inner.policy && a.outer.policy == b.outer.policy;
}

/// Whether accesses with `a` and `b` agree, so that neither is mismatched with the other.
///
/// Inner and Outer Shareable cacheable memory differ by the letter, as under FWB when stage 1 says Normal-NC. Where one
/// Inner Shareable domain holds every observer (`one_domain`) they name the same observers, and nothing is lost: every
/// access's Shareability covers all who look [Arm ARM, Mismatched memory attributes]. Policies and the coherency model
/// both ask this function.
constexpr bool agree(memory_attributes const& a, memory_attributes const& b, bool one_domain) noexcept {
  auto const observed = [one_domain](memory_attributes m) {
    m = with_effective_shareability(m);
    if (one_domain && m.sh == shareability::outer && !is_device(m) && !is_non_cacheable(m)) m.sh = shareability::inner;
    return m;
  };
  return same_definition(observed(a), observed(b));
}

static_assert(summarize(device_memory(device_kind::nGRE)) == summary::device_nGRE);
static_assert(summarize(normal_memory(write_back_rw, non_cacheable, shareability::inner)) == summary::mixed);

}  // namespace vmsa
