// SPDX-License-Identifier: MIT
// A stream's configuration as a value, and the translation regime that its stream table entry and context descriptor
// make: the PE's EL1&0 regime with the fields in their places, and what an SMMU does otherwise said as choices.
#pragma once
#include "vmsa/mmu/smmu.hpp"
#include "vmsa/mmu/translate.hpp"

namespace vmsa {

/// A port that knows which addresses answer: an SMMU reports an external abort, it does not read zeros.
template <class Port>
concept aborting_port = readable_port<Port> && requires(Port& port, pa where) {
  { port.aborts(where) } -> std::same_as<bool>;
};

/// A port through which nothing outside the described memory is touched: the first load that aborts is remembered, and
/// from then on every descriptor reads as invalid, which ends a walk.
template <readable_port Port>
struct watched_port {
  Port& port;
  bool aborted = false;
  pa where{};

  constexpr descriptor load(pa at, load_order order) noexcept {
    if constexpr (aborting_port<Port>) {
      if (!aborted && port.aborts(at)) {
        aborted = true;
        where = at;
      }
      if (aborted) return {};
    }
    return port.load(at, order);
  }
  constexpr descriptor compare_exchange(pa at, descriptor expected,
                                        descriptor desired) noexcept requires updatable_port<Port> {
    return port.compare_exchange(at, expected, desired);
  }
};

/// A structure that was fetched on the way to the configuration.
struct structure_read {
  enum class kind : u8 { l1std, ste, l1cd, cd };
  kind what = kind::ste;
  pa where{};
  u64 first = 0;                      ///< Its first word.
  std::optional<ipa> intermediate{};  ///< Where stage 2 translated its address.
};

/// What an access through a stream meets before any address is translated.
enum class stream_gate : u8 {
  open,        ///< Translate it, or let it pass by.
  refused,     ///< `refusal` is recorded where `records` says so, and the access aborted.
  silent,      ///< Aborted without a record: STE.Config is abort.
  unmodelled,  ///< Nothing is answered.
};

struct stream_configuration {
  u32 stream = 0;
  std::optional<u32> substream{};
  smmu_ste ste{};
  std::optional<smmu_cd> cd{};  ///< Absent where stage 1 does not translate this access.
  stream_gate gate = stream_gate::open;
  smmu_event refusal{};  ///< Without what belongs to an access: InputAddr, RnW, InD, PnU.
  bool records = true;
  smmu_error error = smmu_error::none;  ///< Why the STE or CD is ILLEGAL.
  smmu_unmodelled unmodelled = smmu_unmodelled::none;
  bool stage1 = false;  ///< Stage 1 translates this access.
  bool stage2 = false;
  bool s1dss_bypass = false;  ///< Stage 1 is on, but S1DSS sends accesses without a substream past it.
  u8 eats = 0;                ///< As it counts.
  smmu_overrides overrides{};
  memory_attributes entering{};  ///< What an access without attributes of its own has after the overrides.
  translation_regime<> regime{};
  bounded_list<structure_read, 4> reads{};
  translation cd_walk{};  ///< Stage 2's walks to the CD: descriptors read, choices, updates.
};

namespace stream_detail {

constexpr smmu_unmodelled unmodelled_of(smmu const& s, smmu_ste const& ste) noexcept {
  using e = smmu_ste;
  bool const d128 = s.idr5.get<smmu_idr5::d128>();
  if (ste.translates2()) {
    if (!ste.get<e::s2aa64>()) return d128 ? smmu_unmodelled::d128 : smmu_unmodelled::lpae;
    if (s.idr3.get<smmu_idr3::s2pi>() && ste.get<e::s2pie>()) return smmu_unmodelled::permission_indirection;
    if (s.idr3.get<smmu_idr3::s2po>() && ste.get<e::s2poe>()) return smmu_unmodelled::permission_overlay;
  }
  return smmu_unmodelled::none;
}
constexpr smmu_unmodelled unmodelled_of(smmu const& s, smmu_ste const& ste, smmu_cd const& cd) noexcept {
  using c = smmu_cd;
  if (!cd.get<c::aa64>()) return s.idr5.get<smmu_idr5::d128>() ? smmu_unmodelled::d128 : smmu_unmodelled::lpae;
  if (s.idr3.get<smmu_idr3::s1pi>() && ste.get<smmu_ste::s1pie>() && cd.get<c::pie>())
    return smmu_unmodelled::permission_indirection;
  if (s.idr3.get<smmu_idr3::aie>() && cd.get<c::aie>()) return smmu_unmodelled::attribute_extension;
  return smmu_unmodelled::none;
}

// Reserved encodings of SH in a CD behave as Non-shareable.
constexpr u8 table_sh(u8 sh) noexcept { return sh == 0b01 ? u8{0} : sh; }

/// A CD's stage 1 as the registers of EL1&0.
constexpr void set_two_ranges(regime_registers& r, smmu_cd const& cd) noexcept {
  using d = smmu_cd;
  r.mair.raw = cd.get<d::mair>();
  r.tcr = tcr_el1{{cd.word[0] & (bit_mask(5, 0) | bit_mask(21, 16))}}
              .with<tcr_el1::epd0>(cd.get<d::epd0>())
              .with<tcr_el1::irgn0>(cd.get<d::ir0>())
              .with<tcr_el1::orgn0>(cd.get<d::or0>())
              .with<tcr_el1::sh0>(table_sh(cd.get<d::sh0>()))
              .with<tcr_el1::tg0>(cd.get<d::tg0>())
              .with<tcr_el1::epd1>(cd.get<d::epd1>())
              .with<tcr_el1::irgn1>(cd.get<d::ir1>())
              .with<tcr_el1::orgn1>(cd.get<d::or1>())
              .with<tcr_el1::sh1>(table_sh(cd.get<d::sh1>()))
              .with<tcr_el1::tg1>(cd.get<d::tg1>())
              .with<tcr_el1::ips>(cd.get<d::ips>())
              .with<tcr_el1::tbi0>(cd.get<d::tbi0>())
              .with<tcr_el1::tbi1>(cd.get<d::tbi1>())
              .with<tcr_el1::ha>(cd.get<d::ha>())
              .with<tcr_el1::hd>(cd.get<d::ha>() && cd.get<d::hd>())
              .with<tcr_el1::hpd0>(cd.get<d::had0>())
              .with<tcr_el1::hpd1>(cd.get<d::had1>())
              .with<tcr_el1::e0pd0>(cd.get<d::e0pd0>())
              .with<tcr_el1::e0pd1>(cd.get<d::e0pd1>())
              .with<tcr_el1::ds>(cd.get<d::ds>());
}
/// The same as the registers of EL2, which has no second range.
constexpr void set_one_range(regime_registers& r, smmu_cd const& cd) noexcept {
  using d = smmu_cd;
  r.el2.mair = cd.get<d::mair>();
  r.el2.tcr = tcr_el2{}
                  .with<tcr_el2::t0sz>(cd.get<d::t0sz>())
                  .with<tcr_el2::irgn0>(cd.get<d::ir0>())
                  .with<tcr_el2::orgn0>(cd.get<d::or0>())
                  .with<tcr_el2::sh0>(table_sh(cd.get<d::sh0>()))
                  .with<tcr_el2::tg0>(cd.get<d::tg0>())
                  .with<tcr_el2::ps>(cd.get<d::ips>())
                  .with<tcr_el2::tbi>(cd.get<d::tbi0>())
                  .with<tcr_el2::ha>(cd.get<d::ha>())
                  .with<tcr_el2::hd>(cd.get<d::ha>() && cd.get<d::hd>())
                  .with<tcr_el2::hpd>(cd.get<d::had0>())
                  .with<tcr_el2::ds>(cd.get<d::ds>())
                  .raw;
}

/// The regime with the STE's and the CD's fields in their places, and what an SMMU does otherwise.
constexpr translation_regime<> regime_of(smmu const& s, stream_configuration const& c) noexcept {
  using e = smmu_ste;
  using d = smmu_cd;
  bool const one_range = c.stage1 && world_of(s, c.ste) == stream_world::el2;
  features const f = features_of(s);
  regime_registers r;
  r.hcr = hcr_el2{}
              .with<hcr_el2::rw>(true)
              .with<hcr_el2::vm>(c.stage2)
              .with<hcr_el2::fwb>(c.stage2 && c.ste.get<e::s2fwb>())
              .with<hcr_el2::ptw>(c.stage2 && c.ste.get<e::s2ptw>());
  if (c.stage2) r.vtcr = vtcr_of(c.ste);
  smmu_cd const cd = c.cd.value_or(smmu_cd{});
  sctlr_el1 const sctlr = sctlr_el1{}
                              .with<sctlr_el1::m>(c.stage1)
                              .with<sctlr_el1::c>(true)
                              .with<sctlr_el1::i>(true)
                              .with<sctlr_el1::wxn>(cd.get<d::wxn>())
                              .with<sctlr_el1::ee>(cd.get<d::endi>())
                              .with<sctlr_el1::epan>(cd.get<d::epan>());
  r.sctlr = sctlr;
  r.el2.sctlr = one_range ? sctlr.raw : sctlr_el1{}.with<sctlr_el1::ee>(c.stage2 && c.ste.get<e::s2endi>()).raw;
  if (c.stage1) one_range ? set_one_range(r, cd) : set_two_ranges(r, cd);
  translation_regime<> regime =
      make_regime<geometry>(r, f, s.choices.walks, one_range ? regime_kind::el2 : regime_kind::el1_0);
  if (c.stage1) {
    auto const root = [](stage1_tables& t, u64 base) {
      if (t.error == geometry_error::none) t.root = ipa{pa{base}.floor_to(t.shape.root_alignment()).value};
    };
    root(regime.lower, cd.get<d::ttb0>() << 4);
    root(regime.upper, cd.get<d::ttb1>() << 4);
    regime.lower.access_flag_faults = regime.upper.access_flag_faults = !cd.get<d::affd>();
    if (f.haft && cd.get<d::ha>() && cd.get<d::haft>()) {
      regime.lower.updates.table_access_flag = regime.upper.updates.table_access_flag = true;
      regime.plain = false;
    }
    mair_el1 const mair{{cd.get<d::mair>()}};
    for (u8 i = 0; i < 8; ++i) regime.mair[i] = consistent(decode_cd_mair(mair.attr(i), shareability::non));
    regime.reserved_mair = 0;
  }
  if (c.stage2) {
    geometry_result const g = stage2_geometry_of(s, c.ste);
    regime.stage2.shape = g.value;
    regime.stage2.error = g.error;
    if (g) regime.stage2.root = pa{c.ste.get<e::s2ttb>() << 4}.floor_to(g.value.root_alignment());
    regime.stage2.access_flag_faults = !c.ste.get<e::s2affd>();
  }
  regime.fetches_have_types = false;
  return regime;
}

}  // namespace stream_detail

}  // namespace vmsa
