// SPDX-License-Identifier: MIT
// Stream table entries and context descriptors as Linux's SMMUv3 driver writes them: which virtual entries it takes
// from a guest, the entry that it makes of one, and in which steps a live entry becomes another [arm-smmu-v3.c,
// arm-smmu-v3-iommufd.c].
#pragma once
#include "vmsa/policy/decision.hpp"
#include "vmsa/policy/smmu.hpp"

namespace vmsa {

/// What becomes of the entry that a guest's virtual SMMU hands down [arm_smmu_validate_vste].
struct virtual_entry {
  policy_errno error = policy_errno::none;  ///< EIO: not taken.
  smmu_config physical = smmu_config::abort;
  smmu_ste ste{};  ///< As the SMMU sees it, over the host's stage 2 entry.
  char const* why = "";

  constexpr explicit operator bool() const noexcept { return error == policy_errno::none; }
};

/// `host`: the stage 2 entry of the nesting parent. Only the first two words of `guest` are the guest's to write.
constexpr virtual_entry accept_virtual_entry(smmu_ste const& guest, smmu_ste const& host) noexcept {
  using e = smmu_ste;
  constexpr u64 allowed0 = e::v::mask | e::config::mask | e::s1fmt::mask | e::s1contextptr::mask | e::s1cdmax::mask;
  constexpr u64 allowed1 =
      e::s1dss::mask | e::s1cir::mask | e::s1cor::mask | e::s1csh::mask | e::s1stalld::mask | e::eats::mask;
  virtual_entry out;
  smmu_ste const abort = smmu_ste{}.with<e::v>(true);
  if (!guest.get<e::v>()) {
    out.ste = abort;
    out.why = "V is 0: the physical entry aborts";
    return out;
  }
  if ((guest.word[0] & ~allowed0) != 0 || (guest.word[1] & ~allowed1) != 0)
    return {policy_errno::eio, smmu_config::abort, {}, "a bit is set that a guest may not choose"};
  u8 const config = guest.get<e::config>();
  if (config != 0 && config != 4 && config != 5)
    return {policy_errno::eio, smmu_config::abort, {}, "Config is none of abort, bypass and stage 1"};
  if (guest.get<e::eats>() > 1)
    return {policy_errno::eio, smmu_config::abort, {}, "EATS is neither refusal nor full ATS"};
  if (config == 0) {
    out.ste = abort;
    out.why = "Config is abort";
    return out;
  }
  out.ste = host.with<e::v>(true);
  if (config == 4) {
    out.physical = smmu_config::stage2;
    out.ste = out.ste.with<e::config>(static_cast<u8>(smmu_config::stage2));
    out.why = "Config is bypass: stage 2 alone";
    return out;
  }
  out.physical = smmu_config::nested;
  out.ste.word[0] = (guest.word[0] & ~e::config::mask) | u64{static_cast<u8>(smmu_config::nested)} << e::config::low;
  out.ste.word[1] |= guest.word[1];
  out.ste = out.ste.with<e::mev>(true);
  out.why = "Config is stage 1: nested, and MEV merges events so that a guest cannot flood the queue";
  return out;
}

/// Bits of an entry that hardware looks at [arm_smmu_get_ste_used]; the driver changes any others without care.
constexpr smmu_ste used_bits(smmu_ste const& ste) noexcept {
  using e = smmu_ste;
  smmu_ste u;
  u.word[0] = e::v::mask;
  if (!ste.get<e::v>()) return u;
  u.word[0] |= e::config::mask;
  u8 const config = ste.get<e::config>();
  if (config & 0b001) {
    u.word[0] |= e::s1fmt::mask | e::s1contextptr::mask | e::s1cdmax::mask;
    u.word[1] |= e::s1dss::mask | e::s1cir::mask | e::s1cor::mask | e::s1csh::mask | e::s1stalld::mask | e::strw::mask |
                 e::eats::mask | e::mev::mask;
    u.word[2] |= e::s2vmid::mask;
    if (ste.get<e::s1dss>() == 0b01) u.word[1] |= e::shcfg::mask;
  }
  if (config & 0b010) {
    u.word[1] |= e::s2fwb::mask | e::eats::mask | e::shcfg::mask | e::mev::mask;
    u.word[2] |= e::s2vmid::mask | bit_mask(50, 32) | e::s2aa64::mask | e::s2endi::mask | e::s2ptw::mask |
                 e::s2s::mask | e::s2r::mask;
    u.word[3] |= e::s2ttb::mask;
  }
  if (config == 0b100) u.word[1] |= e::shcfg::mask;
  return u;
}
/// The same of a context descriptor [arm_smmu_get_cd_used].
constexpr smmu_cd used_bits(smmu_cd const& cd) noexcept {
  using d = smmu_cd;
  smmu_cd u;
  u.word[0] = d::v::mask;
  if (!cd.get<d::v>()) return u;
  for (u64& w : u.word) w = ~u64{0};
  if (cd.get<d::epd0>()) {
    u.word[0] &= ~(d::t0sz::mask | d::tg0::mask | d::ir0::mask | d::or0::mask | d::sh0::mask);
    u.word[1] &= ~d::ttb0::mask;
  }
  return u;
}

/// How a live entry becomes another: each step writes some words and is followed by an invalidation and CMD_SYNC.
struct entry_update {
  unsigned syncs = 0;
  bool hitless = true;  ///< At no sync was the entry invalid: accesses go on throughout.

  friend constexpr bool operator==(entry_update const&, entry_update const&) = default;
};

/// The driver's own order [arm_smmu_write_entry]: bits that nobody looks at first; if then one word is left, that word
/// alone; if more, the entry is made invalid meanwhile. `target` sets no bit outside used_bits, as what the driver
/// makes.
template <class Entry>
constexpr entry_update plan_update(Entry entry, Entry const& target) noexcept {
  constexpr unsigned words = Entry::words;
  Entry const now = used_bits(entry);
  Entry const then = used_bits(target);
  Entry spare;
  unsigned differ = 0;
  unsigned critical = 0;
  for (unsigned i = 0; i < words; ++i) {
    spare.word[i] = (entry.word[i] & now.word[i]) | (target.word[i] & ~now.word[i]);
    if ((spare.word[i] & then.word[i]) != target.word[i]) {
      if (differ++ == 0) critical = i;
    }
  }
  entry_update plan;
  auto const write = [&](Entry const& from, unsigned first, unsigned count) {
    bool changed = false;
    for (unsigned i = first; i < first + count; ++i) {
      changed = changed || entry.word[i] != from.word[i];
      entry.word[i] = from.word[i];
    }
    if (!changed) return;
    ++plan.syncs;
    if (!entry.template get<typename Entry::v>()) plan.hitless = false;
  };
  if (differ == 1) {
    spare.word[critical] = entry.word[critical];
    write(spare, 0, words);
    write(target, critical, 1);
    write(target, 0, words);
  } else if (differ != 0) {
    spare.word[0] = 0;
    write(spare, 0, 1);
    write(target, 1, words - 1);
    write(target, 0, 1);
  } else {
    write(target, 0, words);
  }
  return plan;
}

}  // namespace vmsa
