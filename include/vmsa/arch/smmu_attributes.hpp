// SPDX-License-Identifier: MIT
// The attributes of a device's access on its way through an SMMU: incoming, overridden, translated, No_Snoop last
// [SMMUv3 architecture, IHI 0070 issue G, chapter 13]. Combining the stages is the PE's (combine.hpp).
#pragma once
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/smmu_registers.hpp"
#include "vmsa/arch/smmu_structures.hpp"

namespace vmsa {

/// What the SMMUv3 architecture leaves to implementations. Nothing is picked in silence: what an answer hung on is
/// named in its `consulted`.
struct smmu_choices {
  bool overrides_reach_pcie = true;    ///< IMPLEMENTATION DEFINED: MTCFG, SHCFG and ALLOCCFG apply to PCIe streams.
  bool alloccfg_without_mtcfg = true;  ///< CONSTRAINED UNPREDICTABLE: ALLOCCFG counts while MTCFG is 0.
  bool ats_truncates_address = false;  ///< IMPLEMENTATION DEFINED: translated addresses beyond OAS lose bits, or abort.
  bool ats_grants_unasked_write = true;  ///< Permitted: a request with No Write is told that a page is writable.
  shareability pcie =
      shareability::inner;  ///< System-defined: a root complex gives Normal-WB, inner or outer shareable.
  constraint_choices walks{};

  friend constexpr bool operator==(smmu_choices const&, smmu_choices const&) = default;
};

/// What an access has to which the interconnect gave no attributes: Non-shareable, which surprises [13.1.3].
inline constexpr memory_attributes smmu_default_attributes =
    normal_memory(write_back_rw, write_back_rw, shareability::non, false);

/// Makes attributes consistent: Device and Normal-NC are Outer Shareable, a cache level without allocation has no
/// transient hint [13.1.7]. XS, which an SMMU does not output, is that of the type.
constexpr memory_attributes consistent(memory_attributes a) noexcept {
  auto const half = [](cacheability c) -> cacheability {
    if (c.policy == cache_policy::non_cacheable) return non_cacheable;
    if (!c.read_allocate && !c.write_allocate) c.transient = false;
    return c;
  };
  if (is_normal(a)) {
    a.inner = half(a.inner);
    a.outer = half(a.outer);
  }
  a.tagged = false;
  a.no_tag_access = false;
  a.xs = is_device(a) || !is_write_back(a);
  return with_effective_shareability(a);
}

/// What is left to make consistent after stages were combined of which the first was consistent: XS.
constexpr memory_attributes with_xs_of_type(memory_attributes a) noexcept {
  a.xs = is_device(a) || !is_write_back(a);
  return a;
}

/// MemAttr of an STE or of SMMU_GBPA: stage 2's encoding without FWB, also under S2FWB, but 0100, 1000 and 1100 are
/// Device-nGnRnE instead of UNPREDICTABLE [5.2, MemAttr]. Cacheable halves take their hints from `incoming`, or read-
/// and write-allocate where that half had none [13.1.4].
constexpr memory_attributes decode_override(u8 memattr, memory_attributes const& incoming) noexcept {
  u8 const outer = (memattr >> 2) & 0b11;
  u8 const inner = memattr & 0b11;
  if (outer == 0) return device_memory(static_cast<device_kind>(inner));
  if (inner == 0) return device_memory(device_kind::nGnRnE);
  auto const half = [&](u8 policy, cacheability before) -> cacheability {
    if (policy == 0b01) return non_cacheable;
    bool const hints = is_normal(incoming) && before.policy != cache_policy::non_cacheable;
    cacheability const from = hints ? before : write_back_rw;
    return {static_cast<cache_policy>(policy), from.read_allocate, from.write_allocate, from.transient};
  };
  memory_attributes a = normal_memory(half(inner, incoming.inner), half(outer, incoming.outer), incoming.sh);
  return a;
}

/// The override fields of an STE or of SMMU_GBPA, those that IDR1 withholds already left out.
struct smmu_overrides {
  bool mtcfg = false;
  u8 memattr = 0;
  u8 alloccfg = 0;  ///< 1RWT; 0xxx: incoming.
  u8 shcfg = 0b01;  ///< 00 Non-shareable, 01 incoming, 10 outer, 11 inner: not SH's encoding.
  u8 privcfg = 0;   ///< 10 unprivileged, 11 privileged, else incoming.
  u8 instcfg = 0;   ///< 10 data, 11 instruction, else incoming; reads only.

  friend constexpr bool operator==(smmu_overrides const&, smmu_overrides const&) = default;
};

/// STE's overrides as this SMMU implements them [IDR1.ATTR_TYPES_OVR, ATTR_PERMS_OVR].
constexpr smmu_overrides overrides_of(smmu_ste const& ste, smmu_idr1 idr1) noexcept {
  using s = smmu_ste;
  smmu_overrides o;
  if (idr1.get<smmu_idr1::attr_types_ovr>())
    o = {ste.get<s::mtcfg>(), ste.get<s::memattr>(), ste.get<s::alloccfg>(), ste.get<s::shcfg>()};
  if (idr1.get<smmu_idr1::attr_perms_ovr>()) {
    o.privcfg = ste.get<s::privcfg>();
    o.instcfg = ste.get<s::instcfg>();
  }
  return o;
}
/// The same of SMMU_GBPA, which counts while SMMU_CR0.SMMUEN is 0.
constexpr smmu_overrides overrides_of(smmu_gbpa gbpa, smmu_idr1 idr1) noexcept {
  using g = smmu_gbpa;
  smmu_overrides o;
  if (idr1.get<smmu_idr1::attr_types_ovr>())
    o = {gbpa.get<g::mtcfg>(), gbpa.get<g::memattr>(), gbpa.get<g::alloccfg>(), gbpa.get<g::shcfg>()};
  if (idr1.get<smmu_idr1::attr_perms_ovr>()) {
    o.privcfg = gbpa.get<g::privcfg>();
    o.instcfg = gbpa.get<g::instcfg>();
  }
  return o;
}

/// Incoming attributes with the overrides in their place: replaced, never combined [13.1.4].
constexpr memory_attributes replace_attributes(memory_attributes const& incoming, smmu_overrides const& o,
                                               smmu_choices const& choices = {}) noexcept {
  memory_attributes a = o.mtcfg ? decode_override(o.memattr, incoming) : incoming;
  if (is_normal(a)) {
    if ((o.alloccfg & 0b1000) && (o.mtcfg || choices.alloccfg_without_mtcfg)) {
      auto const hints = [&](cacheability& c) {
        if (c.policy == cache_policy::non_cacheable) return;
        c.read_allocate = (o.alloccfg & 0b100) != 0;
        c.write_allocate = (o.alloccfg & 0b010) != 0;
        c.transient = (o.alloccfg & 0b001) != 0;
      };
      hints(a.inner);
      hints(a.outer);
    }
    constexpr shareability to[] = {shareability::non, shareability::non, shareability::outer, shareability::inner};
    if ((o.shcfg & 0b11) != 0b01) a.sh = to[o.shcfg & 0b11];
  }
  return consistent(a);
}

/// An attribute byte of CD.MAIR. What is UNPREDICTABLE in a PE's MAIR has one meaning here, Tagged memory is not
/// supported, and there is no XS: 0x05 is Device-nGnRE, 0x40 is inner write-through transient [5.4, MAIR0].
constexpr memory_attributes decode_cd_mair(u8 byte, shareability sh) noexcept {
  memory_attributes a;
  if ((byte & 0xf0) == 0) {
    a = device_memory(static_cast<device_kind>((byte >> 2) & 0b11));
  } else {
    u8 const inner = (byte & 0xf) == 0 ? u8{0b0011} : static_cast<u8>(byte & 0xf);
    a = normal_memory(decode_mair_half(inner), decode_mair_half(byte >> 4), sh);
    a.xs = !is_write_back(a);
  }
  a.sh = sh;
  return a;
}
/// True where a PE's MAIR and a CD's say different things, or the PE's says nothing.
constexpr bool cd_mair_differs(u8 byte) noexcept { return classify_mair(byte) != mair_class::defined; }

/// Stage 1's attributes as they leave it. They replace the incoming ones, except that the hints of a cacheable incoming
/// access are combined with them: no-allocate and transient win [13.4.2].
constexpr memory_attributes with_incoming_hints(memory_attributes stage1, memory_attributes const& incoming) noexcept {
  if (!is_normal(stage1) || !is_normal(incoming)) return consistent(stage1);
  auto const half = [](cacheability one, cacheability in) -> cacheability {
    if (one.policy == cache_policy::non_cacheable || in.policy == cache_policy::non_cacheable) return one;
    return {one.policy, one.read_allocate && in.read_allocate, one.write_allocate && in.write_allocate,
            one.transient || in.transient};
  };
  stage1.inner = half(stage1.inner, incoming.inner);
  stage1.outer = half(stage1.outer, incoming.outer);
  return consistent(stage1);
}

/// Whether the hints of these incoming attributes leave stage 1's as they are: they allocate on every access, or have
/// none.
constexpr bool hints_change_nothing(memory_attributes const& incoming) noexcept {
  auto const nothing = [](cacheability c) { return c == write_back_rw || c == non_cacheable; };
  return is_device(incoming) || (nothing(incoming.inner) && nothing(incoming.outer));
}

/// PCIe's No_Snoop, after everything else and whatever S2FWB says: Normal memory becomes Normal-NC, Device stays
/// [13.6.1.1].
constexpr memory_attributes apply_no_snoop(memory_attributes const& a) noexcept {
  if (is_device(a)) return a;
  return normal_memory(non_cacheable, non_cacheable, shareability::outer);
}

/// Accesses with these attributes find what processors have cached: write-back in both halves, and shareable with them.
constexpr bool meets_the_caches(memory_attributes const& a) noexcept {
  return is_write_back(a) && a.sh != shareability::non;
}

/// An access's attributes at each step, so that the result can be shown and not only believed. A step that does not
/// take place repeats the one before it.
struct smmu_chain {
  memory_attributes incoming{};
  memory_attributes overridden{};
  memory_attributes stage1{};  ///< After stage 1.
  memory_attributes stage2{};  ///< Combined with stage 2, or forced by S2FWB.
  memory_attributes output{};  ///< After No_Snoop.
  bool stage1_translated = false;
  bool stage2_translated = false;
  bool no_snoop = false;

  friend constexpr bool operator==(smmu_chain const&, smmu_chain const&) = default;
};

/// What each enabled stage's leaf says. Absent: that stage does not translate.
struct smmu_leaves {
  std::optional<memory_attributes> stage1{};
  std::optional<stage2_attributes> stage2{};
  bool s2fwb = false;
};

/// The whole chain from the leaves. `overrides` is as overrides_of answers.
constexpr smmu_chain smmu_attributes(memory_attributes const& incoming, smmu_overrides const& overrides,
                                     smmu_leaves const& leaves, bool no_snoop,
                                     smmu_choices const& choices = {}) noexcept {
  smmu_chain c;
  c.incoming = incoming;
  c.overridden = replace_attributes(incoming, overrides, choices);
  c.stage1 = leaves.stage1 ? with_incoming_hints(*leaves.stage1, c.overridden) : c.overridden;
  c.stage2 = c.stage1;
  if (leaves.stage2) {
    controls const how{.fwb = leaves.s2fwb, .choices = choices.walks};
    c.stage2 = consistent(combine(c.stage1, *leaves.stage2, how));
  }
  c.output = no_snoop ? apply_no_snoop(c.stage2) : c.stage2;
  c.stage1_translated = leaves.stage1.has_value();
  c.stage2_translated = leaves.stage2.has_value();
  c.no_snoop = no_snoop && c.output != c.stage2;
  return c;
}

static_assert(summarize(decode_cd_mair(0x05, shareability::inner)) == summary::device_nGnRE);
static_assert(summarize(decode_override(0b1100, smmu_default_attributes)) == summary::device_nGnRnE);

}  // namespace vmsa
