// SPDX-License-Identifier: MIT
// A translation regime: its registers, read once into what walks need.
#pragma once
#include "vmsa/arch/combine.hpp"
#include "vmsa/mmu/access.hpp"
#include "vmsa/mmu/check_order.hpp"
#include "vmsa/mmu/granule_protection.hpp"
#include "vmsa/mmu/indirection.hpp"
#include "vmsa/mmu/regime_registers.hpp"
#include "vmsa/mmu/wide_geometry.hpp"

namespace vmsa {

// The attributes of table reads: IRGN and ORGN are 00 NC, 01 WB read- and write-allocate, 10 WT, 11 WB read-allocate.
constexpr memory_attributes table_walk_attributes(u8 sh, u8 irgn, u8 orgn, constraint_choices const& choices) noexcept {
  auto const half = [](u8 rgn) -> cacheability {
    switch (rgn) {
      case 0b01: return write_back_rw;
      case 0b10: return write_through_ra;
      case 0b11: return {cache_policy::write_back, true, false, false};
      default: return non_cacheable;
    }
  };
  memory_attributes a = normal_memory(half(irgn), half(orgn), decode_shareability(sh, choices));
  a.xs = !is_write_back(a);
  return a;
}

// Table reads while a cache is switched off: not cached, and as patient as before.
constexpr memory_attributes uncached_walks(memory_attributes const& a, bool off) noexcept {
  return off ? normal_memory(non_cacheable, non_cacheable, a.sh, a.xs) : a;
}

// A translation regime: who translates with which registers [Arm ARM, Translation regimes].
enum class regime_kind : u8 {
  el1_0,  // EL1 and EL0, two stages
  el2,    // EL2 alone, HCR_EL2.E2H = 0
  el2_0,  // EL2 and EL0 of a VHE host, HCR_EL2.E2H = 1
};

/// The regime that an access at `el` is translated in.
constexpr regime_kind regime_of(hcr_el2 hcr, exception_level el) noexcept {
  bool const e2h = hcr.get<hcr_el2::e2h>();
  if (el == exception_level::el2) return e2h ? regime_kind::el2_0 : regime_kind::el2;
  return e2h && hcr.get<hcr_el2::tge>() && el == exception_level::el0 ? regime_kind::el2_0 : regime_kind::el1_0;
}

// What hardware may write into descriptors. Each counts only with the one before it, and with its feature.
struct update_controls {
  bool access_flag = false;        // HA
  bool dirty_state = false;        // HD
  bool table_access_flag = false;  // HAFT
};

// The tables of one stage. Their root and every table below it are in the stage's own output space: stage 1's tables
// lie at IPAs, which is why stage 2 translates each stage 1 table access.
template <class Output, translation_geometry Geometry = geometry>
struct stage_tables {
  Geometry shape{};
  geometry_error error = geometry_error::none;  // not none: every input is a level 0 Translation fault
  open_choices open{};                          // what the registers leave open before a walk begins
  Output root{};
  update_controls updates{};
  u8 sh = 0;  // of every leaf, where DS leaves none in the descriptor
  memory_attributes walks{};
  wide_geometry wide{};            // of 128-bit descriptors; `shape` then holds sizes alone
  bool access_flag_faults = true;  // an SMMU may take every access flag as set: CD.AFFD, STE.S2AFFD
  u64 open_address_bits = 0;       // of a descriptor, where the architecture leaves open whether they count
};

struct stage1_tables : stage_tables<ipa> {
  tcr_half tcr{};

  // The highest address bit that counts: a tag lies above it. TBID takes fetches out.
  constexpr unsigned top_bit(bool fetch) const noexcept { return tcr.tbi && !(tcr.tbid && fetch) ? 55 : 63; }
  memory_attributes walks_as_written{};  // `walks` with TCR's own SH, where stage 1 may hand on that one too
  bool open_walks = false;               // and the two differ in Shareability, under FWB
};

template <translation_geometry Geometry>
using stage2_tables = stage_tables<pa, Geometry>;

// EL2 is there for every state but Secure, where FEAT_SEL2 and SCR_EL3.EEL2 enable it.
constexpr bool el2_enabled(scr_el3 scr, features const& f) noexcept {
  return security_state_of(scr, f) != security_state::secure || (f.sel2 && scr.get<scr_el3::eel2>());
}

// The registers that control stage 1 of a regime, HCRX_EL2 and SCR_EL3 applied.
constexpr stage1_registers registers_of(regime_registers const& r, regime_kind kind, features const& f) noexcept {
  stage1_registers s = r.el2;
  if (kind == regime_kind::el1_0)
    s = {.tcr = r.tcr.raw,
         .ttbr0 = r.ttbr0.raw,
         .ttbr1 = r.ttbr1.raw,
         .mair = r.mair.raw,
         .sctlr = r.sctlr.raw,
         .tcr2 = r.tcr2.raw,
         .mair2 = r.mair2,
         .pir = r.pir,
         .pire0 = r.pire0,
         .por = r.por_el1,
         .ttbr0_high = r.ttbr0_high,
         .ttbr1_high = r.ttbr1_high};
  bool counts = f.tcr2 && r.scr.get<scr_el3::tcr2en>();
  if (kind == regime_kind::el1_0 && el2_enabled(r.scr, f))
    counts = counts && r.scr.get<scr_el3::hxen>() && r.hcrx.get<hcrx_el2::tcr2en>();
  if (!counts) s.tcr2 = 0;
  return s;
}

// What a wide shape leaves of a narrow one: the sizes, and DS where Shareability still comes from the register.
constexpr geometry sizes_of(wide_geometry const& w, bool ds) noexcept {
  geometry g;
  g.format = {.tg = w.tg, .ds = ds};
  g.start = w.start;
  g.input_bits = w.input_bits;
  g.output_bits = w.output_bits;
  g.beyond_output = ~low_mask(w.output_bits);
  return g;
}

constexpr stage1_tables make_stage1_tables(stage1_registers const& r, va_half half, regime_kind kind,
                                           manual_release manual, features const& f,
                                           constraint_choices const& choices) noexcept {
  stage1_tables t;
  bool const one_range = kind == regime_kind::el2;
  tcr_el1 const tcr{{r.tcr}};
  tcr_el2 const narrow{{r.tcr}};
  tcr2_el1 const tcr2{{r.tcr2}};
  t.tcr = one_range ? range_of(narrow) : half_of(tcr, half);
  t.tcr.e0pd = t.tcr.e0pd && f.e0pd;
  t.tcr.hpd = t.tcr.hpd && f.hpds;
  u64 const ttbr = half == va_half::lower ? r.ttbr0 : r.ttbr1;
  if (f.d128 && !one_range && tcr2.get<tcr2_el1::d128>()) {
    wide_geometry_result const g = decode_wide_tcr(t.tcr, half, ttbr, manual, f, choices);
    t.wide = g.value;
    t.wide.start_without_contiguous =
        half == va_half::lower ? tcr2.get<tcr2_el1::disch0>() : tcr2.get<tcr2_el1::disch1>();
    t.shape = sizes_of(g.value, false);
    t.error = g.error;
    t.open = g.open;
    t.root = {g.value.base(ttbr, half == va_half::lower ? r.ttbr0_high : r.ttbr1_high).value};
  } else {
    geometry_result const g = decode_tcr(t.tcr, half, f, choices);
    t.shape = g.value;
    t.error = g.error;
    t.open = g.open;
    if (g) t.root = {table_base(ttbr, g.value).value};
    if (g && base_is_misaligned(ttbr, g.value)) t.open.add(open_choice::misaligned_base);
  }
  t.updates.access_flag = f.hw_access_flag && (one_range ? narrow.get<tcr_el2::ha>() : tcr.get<tcr_el1::ha>());
  t.updates.dirty_state =
      f.hw_dirty_state && t.updates.access_flag && (one_range ? narrow.get<tcr_el2::hd>() : tcr.get<tcr_el1::hd>());
  t.updates.table_access_flag = f.haft && t.updates.access_flag && tcr2.get<tcr2_el1::haft>();
  t.sh = t.tcr.sh;
  t.walks = uncached_walks(table_walk_attributes(t.tcr.sh, t.tcr.irgn, t.tcr.orgn, choices),
                           !sctlr_el1{{r.sctlr}}.get<sctlr_el1::c>());
  if (shareability_is_reserved(t.tcr.sh)) t.open.add(open_choice::reserved_sh);
  return t;
}

// A fixed geometry stands for VTCR_EL2's size, start level, granule and PS; the rest still comes from the register.
template <translation_geometry Geometry>
constexpr stage2_tables<Geometry> make_stage2_tables(regime_registers const& r, manual_release manual,
                                                     features const& f, constraint_choices const& choices) noexcept {
  stage2_tables<Geometry> t;
  if constexpr (std::is_same_v<Geometry, geometry>) {
    if (f.d128 && r.vtcr.get<vtcr_el2::d128>()) {
      wide_geometry_result const g = decode_wide_vtcr(r.vtcr, r.vttbr.raw, manual, f, choices);
      t.wide = g.value;
      t.shape = sizes_of(g.value, stage2_ds(r.vtcr, g.value.tg, f));
      t.error = g.error;
      t.open = g.open;
      t.root = g.value.base(r.vttbr.raw, r.vttbr_high);
    } else {
      geometry_result const g = decode_vtcr(r.vtcr, f, choices);
      t.shape = g.value;
      t.error = g.error;
      t.open = g.open;
      if (g) t.root = table_base(r.vttbr.raw, g.value);
      if (g && base_is_misaligned(r.vttbr.raw, g.value)) t.open.add(open_choice::misaligned_base);
    }
  } else {
    t.root = table_base(r.vttbr.raw, Geometry::value);
    if (base_is_misaligned(r.vttbr.raw, Geometry::value)) t.open.add(open_choice::misaligned_base);
  }
  t.updates.access_flag = f.hw_access_flag && r.vtcr.get<vtcr_el2::ha>();
  t.updates.dirty_state = f.hw_dirty_state && t.updates.access_flag && r.vtcr.get<vtcr_el2::hd>();
  t.updates.table_access_flag = f.haft && t.updates.access_flag && r.vtcr.get<vtcr_el2::haft>();
  t.sh = r.vtcr.get<vtcr_el2::sh0>();
  t.walks = with_effective_shareability(
      uncached_walks(table_walk_attributes(t.sh, r.vtcr.get<vtcr_el2::irgn0>(), r.vtcr.get<vtcr_el2::orgn0>(), choices),
                     r.hcr.get<hcr_el2::cd>()));
  if (shareability_is_reserved(t.sh)) t.open.add(open_choice::reserved_sh);
  return t;
}

// Made once for a set of registers, then translated through as often as wanted.
template <translation_geometry Stage2Geometry = geometry>
struct translation_regime {
  regime_registers registers{};
  regime_kind kind = regime_kind::el1_0;
  manual_release manual = manual_release::newest;
  bool plain = true;       // nothing but direct permissions, little-endian 64-bit descriptors, and EL1&0
  bool stage1_on = false;  // SCTLR.M, unless HCR_EL2.DC
  bool stage2_on = false;  // HCR_EL2.VM or DC
  bool ptw = false;        // HCR_EL2.PTW: a stage 1 table in stage 2 Device memory is refused
  bool wxn = false;
  bool epan = false;
  bool checks_alignment = false;          // SCTLR.A: of every data access, whatever the memory
  bool unprivileged_is_el0 = true;        // LDTR and STTR are checked as EL0
  bool sixteen_attributes = false;        // AIE
  bool protects = false;                  // PnCH: bit 52 of stage 1 descriptors is Protected, and none is Contiguous
  bool secure_instruction_fetch = false;  // SCR_EL3.SIF: Secure state executes Secure memory alone
  bool stage1_big_endian = false;
  bool stage2_big_endian = false;
  direct_scheme scheme = direct_scheme::two_privileges;
  open_choices open{};
  stage1_indirection one_indirect{};
  stage2_indirection two_indirect{};
  stage1_tables lower{};
  stage1_tables upper{};
  stage2_tables<Stage2Geometry> stage2{};
  stage2_tables<Stage2Geometry> stage2_secure{};  // of a Secure IPA
  space_controls spaces{};
  granule_protection protection{};
  memory_attributes mair[16] = {};  // MAIR and MAIR2 decoded; Shareability is the descriptor's to add
  u16 reserved_mair = 0;            // bit n: byte n is a reserved encoding, and mair[n] a choice
  stage1_controls one{};            // `fetch` is the access's
  // A PE refuses an instruction fetch from Device memory, or makes it Normal-NC; an SMMU does neither.
  bool fetches_have_types = true;
  controls both{};
  features feat{};
  constraint_choices choices{};

  // VA[55] tells two ranges apart; the EL2 regime has one.
  constexpr va_half half(va where) const noexcept { return kind == regime_kind::el2 ? va_half::lower : half_of(where); }
  constexpr stage1_tables const& tables_of(va where) const noexcept {
    return half(where) == va_half::lower ? lower : upper;
  }
  /// In Secure state the space of an IPA selects the tables that translate it.
  constexpr stage2_tables<Stage2Geometry> const& stage2_of(physical_space input) const noexcept {
    return spaces.state == security_state::secure && input == physical_space::secure ? stage2_secure : stage2;
  }
  constexpr bool wide() const noexcept { return lower.wide.on || stage2.wide.on; }
};

/// A regime that is plain, by its type: a program that translates through no other links no code of what the rest
/// takes.
template <translation_geometry Stage2Geometry = geometry>
class plain_regime {
 public:
  /// None where the registers ask for more, of which translation_regime::plain tells.
  static constexpr std::optional<plain_regime> of(translation_regime<Stage2Geometry> const& regime) noexcept {
    return regime.plain ? std::optional(plain_regime(regime)) : std::nullopt;
  }
  constexpr translation_regime<Stage2Geometry> const& value() const noexcept { return regime_; }

 private:
  explicit constexpr plain_regime(translation_regime<Stage2Geometry> const& regime) noexcept : regime_(regime) {}
  translation_regime<Stage2Geometry> regime_;
};

// Descriptor bits 15:12 of the 64K granule, where a physical address has fewer than 52 bits.
template <class Tables>
constexpr void choose_high_output_bits(Tables& t, constraint_choices const& choices) noexcept {
  geometry& g = t.shape;
  if (g.format.tg != granule::k64 || t.wide.on) return;
  t.open_address_bits = g.high_address_bits;
  if (choices.high_output_bits) return;
  g.format.lpa = false;
  g.high_address_bits = 0;
}

/// The regime of `kind` that the registers make; `manual` decides where releases of the architecture differ.
template <translation_geometry Stage2Geometry = geometry>
constexpr translation_regime<Stage2Geometry> make_regime(regime_registers const& r, features const& f,
                                                         constraint_choices const& choices = {},
                                                         regime_kind kind = regime_kind::el1_0,
                                                         manual_release manual = manual_release::newest) noexcept {
  bool const guest = kind == regime_kind::el1_0;
  security_state const state = security_state_of(r.scr, f);
  bool const two_stages = guest && el2_enabled(r.scr, f);  // without EL2 there is no stage 2 either
  bool const dc = two_stages && r.hcr.get<hcr_el2::dc>();
  bool const vm = two_stages && r.hcr.get<hcr_el2::vm>();
  stage1_registers const s = registers_of(r, kind, f);
  sctlr_el1 const sctlr{{s.sctlr}};
  tcr2_el1 const tcr2{{s.tcr2}};
  translation_regime<Stage2Geometry> regime;
  regime.registers = r;
  regime.kind = kind;
  regime.manual = manual;
  // While EL2 has EL0 there is no EL1 whose stage 1 could be on [Arm ARM, HCR_EL2.TGE].
  regime.stage1_on = sctlr.get<sctlr_el1::m>() && !dc && !(two_stages && r.hcr.get<hcr_el2::tge>());
  regime.stage2_on = vm || dc;
  regime.ptw = r.hcr.get<hcr_el2::ptw>();
  regime.wxn = sctlr.get<sctlr_el1::wxn>();
  regime.epan = f.pan >= 3 && sctlr.get<sctlr_el1::epan>();
  regime.checks_alignment = sctlr.get<sctlr_el1::a>();
  bool const nv = guest && f.nv && r.hcr.get<hcr_el2::nv>();
  bool const nv1 = guest && f.nv && r.hcr.get<hcr_el2::nv1>();
  if (nv1 && !nv) regime.open.add(open_choice::nv1_without_nv);
  bool const guest_hypervisor = nv && nv1;
  // A guest hypervisor has PSTATE.UAO = 1 in effect: its LDTR and STTR are as its LDR and STR [Arm ARM, HCR_EL2.NV1].
  regime.unprivileged_is_el0 = guest ? !guest_hypervisor : kind == regime_kind::el2_0 && r.hcr.get<hcr_el2::tge>();
  regime.scheme = kind == regime_kind::el2 ? direct_scheme::one_privilege
                  : guest_hypervisor       ? direct_scheme::guest_hypervisor
                                           : direct_scheme::two_privileges;

  bool const two_levels = kind != regime_kind::el2;
  regime.spaces = {.state = state,
                   .sw = r.vstcr.get<vstcr_el2::sw>(),
                   .sa = r.vstcr.get<vstcr_el2::sa>(),
                   .nsw = r.vtcr.get<vtcr_el2::nsw>(),
                   .nsa = r.vtcr.get<vtcr_el2::nsa>()};
  regime.protection = make_granule_protection(r.gpccr, r.gptbr, f);
  regime.secure_instruction_fetch = state == security_state::secure && r.scr.get<scr_el3::sif>() && (!f.rme || f.sel2);
  regime.lower = make_stage1_tables(s, va_half::lower, kind, manual, f, choices);
  regime.upper = make_stage1_tables(s, va_half::upper, kind, manual, f, choices);
  regime.stage2 = make_stage2_tables<Stage2Geometry>(r, manual, f, choices);
  if (state == security_state::secure) {
    regime_registers secure = r;
    secure.vtcr = r.vstcr.over(r.vtcr);
    secure.vttbr = r.vsttbr;
    secure.vttbr_high = 0;
    regime.stage2_secure = make_stage2_tables<Stage2Geometry>(secure, manual, f, choices);
  }

  // Descriptor bits 15:12 of the 64K granule: address bits 51:48 in the pseudocode of 2023-03 wherever FEAT_LPA is; in
  // the manual's current text that is IMPLEMENTATION DEFINED where a physical address has fewer bits.
  if (manual == manual_release::newest && f.pa_bits < 52) {
    choose_high_output_bits(regime.lower, choices);
    choose_high_output_bits(regime.upper, choices);
    if constexpr (std::is_same_v<Stage2Geometry, geometry>) {
      choose_high_output_bits(regime.stage2, choices);
      choose_high_output_bits(regime.stage2_secure, choices);
    }
  }

  regime.protects = f.the && tcr2.get<tcr2_el1::pnch>() && !regime.lower.wide.on;
  regime.sixteen_attributes = f.aie && tcr2.get<tcr2_el1::aie>();
  regime.one_indirect = {.indirect = regime.lower.wide.on || (f.s1pie && tcr2.get<tcr2_el1::pie>()),
                         .overlay_privileged = f.s1poe && tcr2.get<tcr2_el1::poe>(),
                         .overlay_el0 = f.s1poe && two_levels && !guest_hypervisor && tcr2.get<tcr2_el1::e0poe>(),
                         .has_el0 = regime.scheme == direct_scheme::two_privileges,
                         .privileged = s.pir,
                         .el0 = s.pire0,
                         .por = s.por,
                         .por_el0 = r.por_el0};
  regime.two_indirect = {.indirect = regime.stage2.wide.on || (f.s2pie && r.vtcr.get<vtcr_el2::s2pie>()),
                         .assured_only = regime.stage2.wide.on || (f.the && r.vtcr.get<vtcr_el2::assured_only>()),
                         .tl0 = f.the && r.vtcr.get<vtcr_el2::tl0>(),
                         .tl1 = f.the && r.vtcr.get<vtcr_el2::tl1>(),
                         .pir = r.s2pir,
                         .por = r.s2por};
  regime.two_indirect.overlay = regime.two_indirect.indirect && f.s2poe && r.vtcr.get<vtcr_el2::s2poe>();
  regime.stage1_big_endian = sctlr.get<sctlr_el1::ee>();
  regime.stage2_big_endian = sctlr_el1{{r.el2.sctlr}}.get<sctlr_el1::ee>();

  regime.both = {.fwb = f.s2fwb && r.hcr.get<hcr_el2::fwb>(),
                 .cd = r.hcr.get<hcr_el2::cd>(),
                 .id = r.hcr.get<hcr_el2::id>(),
                 .feat = f,
                 .choices = choices};

  // The manual's current text leaves hierarchical permissions out wherever an overlay or AIE is in force.
  bool const flat = manual == manual_release::newest && (regime.one_indirect.overlay_privileged ||
                                                         regime.one_indirect.overlay_el0 || regime.sixteen_attributes);
  for (stage1_tables* t : {&regime.lower, &regime.upper}) {
    t->tcr.hpd = t->tcr.hpd || flat;
    t->walks_as_written = t->walks;
    memory_attributes const effective = with_effective_shareability(t->walks);
    t->open_walks = regime.stage1_on && regime.both.fwb && regime.stage2_on && effective != t->walks;
    if (!(regime.stage2_on && !choices.effective_sh_at_stage1)) t->walks = effective;
  }
  for (u8 i = 0; i < 16; ++i) {
    u8 const byte = mair_el1{{i < 8 ? s.mair : s.mair2}}.attr(i & 7);
    regime.mair[i] = mair(byte, shareability::non, f, choices);
    if (mair_is_reserved(byte, f)) regime.reserved_mair = static_cast<u16>(regime.reserved_mair | 1u << i);
  }
  regime.one = {.enabled = sctlr.get<sctlr_el1::m>(),
                .dc = dc,
                .dct = r.hcr.get<hcr_el2::dct>(),
                .vm = vm,
                .data_cacheable = sctlr.get<sctlr_el1::c>(),
                .instruction_cacheable = sctlr.get<sctlr_el1::i>(),
                .feat = f,
                .choices = choices};
  regime.feat = f;
  regime.choices = choices;
  regime.plain =
      guest && !guest_hypervisor && !regime.one_indirect.any() && !regime.two_indirect.any() && !regime.protects &&
      !regime.sixteen_attributes && !regime.lower.updates.table_access_flag && !regime.stage1_big_endian &&
      !regime.stage2_big_endian && !regime.wide() && state == security_state::non_secure && !regime.protection.on &&
      regime.open.empty() && !regime.lower.open_walks && !regime.upper.open_walks &&
      (regime.lower.open_address_bits | regime.upper.open_address_bits | regime.stage2.open_address_bits) == 0;
  return regime;
}

}  // namespace vmsa
