// SPDX-License-Identifier: MIT
// Stage 1 attributes with stage 2 attributes: what the access really has.
#pragma once
#include "vmsa/arch/stage1_attributes.hpp"
#include "vmsa/arch/stage2_attributes.hpp"

namespace vmsa {

// HCR_EL2 and the access, as they bear on combining.
struct controls {
  bool fwb = false;    // HCR_EL2.FWB
  bool cd = false;     // HCR_EL2.CD: data accesses are not cached
  bool id = false;     // HCR_EL2.ID: instruction fetches are not cached
  bool fetch = false;  // the access is an instruction fetch
  features feat = all_features;
  constraint_choices choices{};
};

constexpr device_kind stricter(device_kind a, device_kind b) noexcept { return a < b ? a : b; }

// Tagged memory is Normal, write-back, read- and write-allocate, non-transient in both halves [S2MemTagType].
constexpr bool can_be_tagged(memory_attributes const& a) noexcept {
  return is_normal(a) && a.inner == write_back_rw && a.outer == write_back_rw;
}

// Attributes under HCR_EL2.FWB, where stage 2 decides and nothing is combined afterwards [S2ApplyFWBMemAttrs]. Forcing
// write-back here is what makes a hypervisor's cacheable alias safe without cache maintenance.
constexpr memory_attributes force_write_back(memory_attributes const& stage1, stage2_attributes const& s2) noexcept {
  memory_attributes a = stage1;
  bool const stage1_device = is_device(stage1);
  if ((s2.memattr & 0b0100) == 0) {
    device_kind const own = static_cast<device_kind>(s2.memattr & 0b11);
    a = device_memory(stage1_device ? stricter(stage1.device, own) : own, stage1.xs);
  } else if ((s2.memattr & 0b0010) == 0) {
    if (!stage1_device) a = normal_memory(non_cacheable, non_cacheable, stage1.sh, stage1.xs);
  } else if ((s2.memattr & 0b0001) == 0) {
    auto const half = [&](cacheability c) -> cacheability {
      if (stage1_device || c.policy == cache_policy::non_cacheable) return write_back_rw;
      return {cache_policy::write_back, c.read_allocate, c.write_allocate, c.transient};
    };
    a = normal_memory(half(stage1.inner), half(stage1.outer), stage1.sh, false);
  }
  a.tagged = stage1.tagged && can_be_tagged(a);
  a.no_tag_access = a.tagged && memattr_blocks_tags(s2.memattr, true);
  if (s2.fnxs) a.xs = false;
  a.sh = widest(stage1.sh, s2.sh);
  return a;
}

// What stage 2 makes of an access before CD and ID: its own attributes without FWB, the forced result with it.
constexpr memory_attributes stage2_view(memory_attributes const& stage1, stage2_attributes const& s2,
                                        controls const& c) noexcept {
  stage2_attributes own = s2;
  own.fnxs = s2.fnxs && c.feat.xs;
  return c.fwb ? force_write_back(stage1, own) : decode_memattr(own, c.feat, c.choices);
}

// Whether stage2_view is Device, without working it out: all that Alignment, fetch and table-access checks ask.
constexpr bool stage2_view_is_device(bool stage1_device, u8 memattr, bool fwb) noexcept {
  if (!fwb) return (memattr & 0b1100) == 0;
  if ((memattr & 0b0100) == 0) return true;
  return stage1_device && (memattr & 0b0011) != 0b0010;
}

// Both stages' own attributes, without FWB [S2CombineS1MemAttrs].
constexpr memory_attributes combine_stages(memory_attributes const& stage1, memory_attributes const& stage2) noexcept {
  memory_attributes a;
  if (is_device(stage1) || is_device(stage2)) {
    device_kind const kind = is_device(stage1) && is_device(stage2) ? stricter(stage1.device, stage2.device)
                             : is_device(stage1)                    ? stage1.device
                                                                    : stage2.device;
    a = device_memory(kind, stage1.xs && stage2.xs);
  } else {
    // Hints and transience are stage 1's: stage 2 can only lower the policy.
    auto const half = [](cacheability one, cacheability two) -> cacheability {
      cache_policy const policy = one.policy < two.policy ? one.policy : two.policy;
      if (policy == cache_policy::non_cacheable) return non_cacheable;
      return {policy, one.read_allocate, one.write_allocate, one.transient};
    };
    a = normal_memory(half(stage1.inner, stage2.inner), half(stage1.outer, stage2.outer), shareability::non);
    a.xs = !is_write_back(a) && stage1.xs && stage2.xs;
    a.tagged = stage1.tagged && can_be_tagged(a);
    a.no_tag_access = stage2.no_tag_access && stage1.tagged;
  }
  a.sh = widest(stage1.sh, stage2.sh);
  return a;
}

// A fetch from Device that was not refused, and a cache that is switched off, make stage 2's side Normal-NC.
constexpr memory_attributes under_cache_controls(memory_attributes const& two, controls const& c, bool fetch) noexcept {
  bool const uncached = fetch ? c.id || is_device(two) : c.cd && is_normal(two);
  return uncached ? forced_non_cacheable(two) : two;
}

// Every value that combining passes through, so that it can be shown and not only believed.
struct combination {
  memory_attributes stage2{};      // stage2_view
  memory_attributes controlled{};  // after HCR_EL2.CD and ID, and after a fetch from Device became Normal-NC
  memory_attributes combined{};    // with stage 1, which FWB has done already
  memory_attributes effective{};   // with the Shareability that counts
};

constexpr combination combine_stepwise(memory_attributes const& stage1, stage2_attributes const& s2,
                                       controls const& c) noexcept {
  combination out;
  out.stage2 = stage2_view(stage1, s2, c);
  out.controlled = under_cache_controls(out.stage2, c, c.fetch);
  out.combined = c.fwb ? out.controlled : combine_stages(stage1, out.controlled);
  out.effective = with_effective_shareability(out.combined);
  return out;
}

// As combine_stepwise does it, without keeping what is on the way.
[[gnu::__noinline__]] constexpr memory_attributes combine_in_full(memory_attributes const& stage1,
                                                                  stage2_attributes const& s2, controls const& c,
                                                                  bool fetch) noexcept {
  memory_attributes const two = under_cache_controls(stage2_view(stage1, s2, c), c, fetch);
  return with_effective_shareability(c.fwb ? two : combine_stages(stage1, two));
}

// Effective attributes of an access that both stages translate. `stage1` is stage 1's output (see stage1_attributes),
// with the Shareability that stage 1 hands on; `fetch` stands for that of `c`.
constexpr memory_attributes combine(memory_attributes const& stage1, stage2_attributes const& s2, controls const& c,
                                    bool fetch) noexcept {
  // What nearly every access is, without the steps on the way: write-back under write-back, and no cache is off.
  if (is_write_back(stage1) && (s2.memattr & 0xf) == 0b1111 && !c.fwb && !c.cd && !fetch)
    return normal_memory(stage1.inner, stage1.outer, widest(stage1.sh, s2.sh), false,
                         stage1.tagged && can_be_tagged(stage1));
  return combine_in_full(stage1, s2, c, fetch);
}
constexpr memory_attributes combine(memory_attributes const& stage1, stage2_attributes const& s2,
                                    controls const& c) noexcept {
  return combine(stage1, s2, c, c.fetch);
}

/// The Shareability that the other IMPLEMENTATION DEFINED choice gives, where the two differ: FWB makes write-back of
/// what stage 1 calls Device or Normal-NC, and stage 1 hands on either SH as it stands or the Outer Shareable that such
/// memory has [constraint_choices, effective_sh_at_stage1]. `raw`: stage 1's attributes with the descriptor's own SH.
constexpr std::optional<shareability> open_shareability(memory_attributes const& raw, stage2_attributes const& s2,
                                                        controls const& c) noexcept {
  shareability const as_it_stands = combine(raw, s2, c).sh;
  shareability const effective = combine(with_effective_shareability(raw), s2, c).sh;
  if (as_it_stands == effective) return std::nullopt;
  return c.choices.effective_sh_at_stage1 ? as_it_stands : effective;
}

static_assert(open_shareability(mair(0x44), {.memattr = 0b0110}, {.fwb = true}) == shareability::inner);
static_assert(!open_shareability(mair(0xff), {.memattr = 0b0110}, {.fwb = true}));
/// Attributes of a stage 1 table access under a stage 2 leaf; `walks` is what TCR says of it. Memory that stage 2 calls
/// Device is read as Normal-NC, unless HCR_EL2.PTW refuses it; HCR_EL2.ID is not about tables.
constexpr memory_attributes combine_table_access(memory_attributes const& walks, stage2_attributes const& s2,
                                                 controls const& c) noexcept {
  memory_attributes two = stage2_view(walks, s2, c);
  if (is_device(two) || c.cd) two = forced_non_cacheable(two);
  return with_effective_shareability(c.fwb ? two : combine_stages(walks, two));
}

static_assert(summarize(combine(mair(0xff), {.memattr = 0b0001}, {.fwb = false})) == summary::device_nGnRE);
static_assert(summarize(combine(mair(0x44), {.memattr = 0b0110}, {.fwb = true})) == summary::normal_wb);
static_assert(summarize(combine(mair(0x44), {.memattr = 0b1111}, {.fwb = false})) == summary::normal_nc);

}  // namespace vmsa
