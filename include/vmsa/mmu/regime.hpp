// SPDX-License-Identifier: MIT
// The EL1&0 translation regime: its registers, read once into what walks need.
#pragma once
#include "vmsa/arch/combine.hpp"
#include "vmsa/mmu/el1_registers.hpp"
#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

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
  return with_effective_shareability(a);
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
  Output root{};
  update_controls updates{};
  u8 sh = 0;  // of every leaf, where DS leaves none in the descriptor
  memory_attributes walks{};
};

struct stage1_tables : stage_tables<ipa> {
  tcr_half tcr{};

  // The highest address bit that counts: a tag lies above it. TBID takes fetches out.
  constexpr unsigned top_bit(bool fetch) const noexcept { return tcr.tbi && !(tcr.tbid && fetch) ? 55 : 63; }
};

template <translation_geometry Geometry>
using stage2_tables = stage_tables<pa, Geometry>;

constexpr stage1_tables make_stage1_tables(el1_registers const& r, va_half half, features const& f,
                                           constraint_choices const& choices) noexcept {
  stage1_tables t;
  t.tcr = half_of(r.tcr, half);
  t.tcr.e0pd = t.tcr.e0pd && f.e0pd;
  t.tcr.hpd = t.tcr.hpd && f.hpds;
  geometry_result const g = decode_tcr(t.tcr, half, f, choices);
  t.shape = g.value;
  t.error = g.error;
  if (g) t.root = {table_base((half == va_half::lower ? r.ttbr0 : r.ttbr1).raw, g.value).value};
  t.updates.access_flag = f.hw_access_flag && r.tcr.get<tcr_el1::ha>();
  t.updates.dirty_state = f.hw_dirty_state && t.updates.access_flag && r.tcr.get<tcr_el1::hd>();
  t.sh = t.tcr.sh;
  t.walks = table_walk_attributes(t.tcr.sh, t.tcr.irgn, t.tcr.orgn, choices);
  return t;
}

// A fixed geometry stands for VTCR_EL2's size, start level, granule and PS; the rest still comes from the register.
template <translation_geometry Geometry>
constexpr stage2_tables<Geometry> make_stage2_tables(el1_registers const& r, features const& f,
                                                     constraint_choices const& choices) noexcept {
  stage2_tables<Geometry> t;
  if constexpr (std::is_same_v<Geometry, geometry>) {
    geometry_result const g = decode_vtcr(r.vtcr, f, choices);
    t.shape = g.value;
    t.error = g.error;
    if (g) t.root = table_base(r.vttbr.raw, g.value);
  } else {
    t.root = table_base(r.vttbr.raw, Geometry::value);
  }
  t.updates.access_flag = f.hw_access_flag && r.vtcr.get<vtcr_el2::ha>();
  t.updates.dirty_state = f.hw_dirty_state && t.updates.access_flag && r.vtcr.get<vtcr_el2::hd>();
  t.updates.table_access_flag = f.haft && t.updates.access_flag && r.vtcr.get<vtcr_el2::haft>();
  t.sh = r.vtcr.get<vtcr_el2::sh0>();
  t.walks = table_walk_attributes(t.sh, r.vtcr.get<vtcr_el2::irgn0>(), r.vtcr.get<vtcr_el2::orgn0>(), choices);
  return t;
}

// Made once for a set of registers, then translated through as often as wanted.
template <translation_geometry Stage2Geometry = geometry>
struct el1_regime {
  el1_registers registers{};
  bool stage1_on = false;  // SCTLR_EL1.M, unless HCR_EL2.DC
  bool stage2_on = false;  // HCR_EL2.VM or DC
  bool ptw = false;        // HCR_EL2.PTW: a stage 1 table in stage 2 Device memory is refused
  bool wxn = false;
  bool epan = false;
  stage1_tables lower{};
  stage1_tables upper{};
  stage2_tables<Stage2Geometry> stage2{};
  memory_attributes mair[8] = {};  // MAIR_EL1 decoded; Shareability is the descriptor's to add
  u8 reserved_mair = 0;            // bit n: byte n is a reserved encoding, and mair[n] a choice
  stage1_controls one{};           // `fetch` is the access's
  controls both{};
  features feat{};
  constraint_choices choices{};

  constexpr stage1_tables const& tables_of(va where) const noexcept {
    return half_of(where) == va_half::lower ? lower : upper;
  }
};

template <translation_geometry Stage2Geometry = geometry>
constexpr el1_regime<Stage2Geometry> make_regime(el1_registers const& r, features const& f,
                                                 constraint_choices const& choices = {}) noexcept {
  bool const dc = r.hcr.get<hcr_el2::dc>();
  bool const vm = r.hcr.get<hcr_el2::vm>();
  el1_regime<Stage2Geometry> regime;
  regime.registers = r;
  regime.stage1_on = r.sctlr.get<sctlr_el1::m>() && !dc;
  regime.stage2_on = vm || dc;
  regime.ptw = r.hcr.get<hcr_el2::ptw>();
  regime.wxn = r.sctlr.get<sctlr_el1::wxn>();
  regime.epan = f.pan >= 3 && r.sctlr.get<sctlr_el1::epan>();
  regime.lower = make_stage1_tables(r, va_half::lower, f, choices);
  regime.upper = make_stage1_tables(r, va_half::upper, f, choices);
  regime.stage2 = make_stage2_tables<Stage2Geometry>(r, f, choices);
  for (u8 i = 0; i < 8; ++i) {
    u8 const byte = r.mair.attr(i);
    regime.mair[i] = mair(byte, shareability::non, f, choices);
    if (mair_is_reserved(byte, f)) regime.reserved_mair = static_cast<u8>(regime.reserved_mair | 1u << i);
  }
  regime.one = {.enabled = r.sctlr.get<sctlr_el1::m>(),
                .dc = dc,
                .dct = r.hcr.get<hcr_el2::dct>(),
                .vm = vm,
                .data_cacheable = r.sctlr.get<sctlr_el1::c>(),
                .instruction_cacheable = r.sctlr.get<sctlr_el1::i>(),
                .feat = f,
                .choices = choices};
  regime.both = {.fwb = f.s2fwb && r.hcr.get<hcr_el2::fwb>(),
                 .cd = r.hcr.get<hcr_el2::cd>(),
                 .id = r.hcr.get<hcr_el2::id>(),
                 .feat = f,
                 .choices = choices};
  regime.feat = f;
  regime.choices = choices;
  return regime;
}

}  // namespace vmsa
