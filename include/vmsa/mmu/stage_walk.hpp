// SPDX-License-Identifier: MIT
// The two stages as the walker sees them: one walk's input and leaf, and the rules in which the stages differ.
#pragma once
#include "vmsa/mmu/permissions.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

// Why an access lacks permission; nothing when it does not.
struct refusal {
  bool refused = false;
  bool write = false;
  bool tag_access = false;
};

constexpr refusal refuse(denied what) noexcept { return {what != denied::nothing, what == denied::write, false}; }

struct stage1_walk {
  using output_type = ipa;
  static constexpr stage number = stage::one;

  va input{};
  stage1_tables const& tables;
  memory_access acc{};
  table_limits limits{};
  memory_attributes attributes{};  // before SCTLR_EL1.C and I, which no check looks at
  ipa output{};                    // offset included
  leaf_extent extent{};

  constexpr void enter_table(descriptor table) noexcept {
    if (!tables.tcr.hpd) limits.add(table);
  }

  template <class Regime>
  constexpr void decode(descriptor leaf, Regime const& regime, choices_consulted& consulted) noexcept {
    u8 const index = stage1_bits::attr_index::get(leaf.raw);
    u8 const sh = tables.shape.format.ds ? tables.sh : stage1_bits::sh::get(leaf.raw);
    if ((regime.reserved_mair >> index) & 1) consulted.note(open_choice::reserved_mair);
    if (shareability_is_reserved(sh)) consulted.note(open_choice::reserved_sh);
    attributes = regime.mair[index];
    attributes.sh = decode_shareability(sh, regime.choices);
  }

  template <class Regime>
  constexpr bool device(Regime const&) const noexcept {
    return is_device(attributes);
  }
  constexpr bool checks_alignment() const noexcept { return !acc.fetches(); }
  constexpr bool fetches() const noexcept { return acc.fetches(); }

  template <class Regime>
  constexpr refusal check_permission(descriptor leaf, Regime const& regime) const noexcept {
    access_rights const rights = stage1_rights(leaf, limits,
                                               {.el0 = acc.checked_as() == exception_level::el0,
                                                .hardware_dirty = tables.updates.dirty_state,
                                                .pan = regime.feat.pan != 0 && acc.pan_applies(),
                                                .epan = regime.epan,
                                                .wxn = regime.wxn});
    return refuse(denies(rights, acc.reads(), acc.writes(), acc.fetches()));
  }

  constexpr bool dirties() const noexcept { return acc.dirties(); }
  static constexpr u64 made_dirty(u64 raw) noexcept { return raw & ~bit_mask(7, 7); }
};

// What stage 2 translates an address for.
enum class stage2_purpose : u8 {
  the_access,
  table_read,    // a stage 1 descriptor is fetched
  table_update,  // hardware rewrites a stage 1 descriptor
};

template <stage2_purpose Purpose, translation_geometry Geometry>
struct stage2_walk {
  using output_type = pa;
  static constexpr stage number = stage::two;
  static constexpr bool for_table = Purpose != stage2_purpose::the_access;

  ipa input{};
  stage2_tables<Geometry> const& tables;
  memory_access acc{};
  memory_attributes const& stage1;  // of the access, or of stage 1's table walks
  stage2_attributes attributes{};
  pa output{};
  leaf_extent extent{};

  static constexpr void enter_table(descriptor) noexcept {}

  template <class Regime>
  constexpr void decode(descriptor leaf, Regime const& regime, choices_consulted& consulted) noexcept {
    attributes = leaf_attributes(leaf, tables.shape.format, tables.sh, regime.choices);
    if (!regime.both.fwb && memattr_is_reserved(attributes.memattr, false, regime.feat))
      consulted.note(open_choice::reserved_s2_half);
    if (shareability_is_reserved(tables.shape.format.ds ? tables.sh : stage2_bits::sh::get(leaf.raw)))
      consulted.note(open_choice::reserved_sh);
  }

  template <class Regime>
  constexpr bool device(Regime const& regime) const noexcept {
    return stage2_view_is_device(is_device(stage1), attributes.memattr, regime.both.fwb);
  }
  constexpr bool checks_alignment() const noexcept { return !for_table && !acc.fetches(); }
  constexpr bool fetches() const noexcept { return !for_table && acc.fetches(); }

  template <class Regime>
  constexpr refusal check_permission(descriptor leaf, Regime const& regime) const noexcept {
    stage2_permission_controls c{.hardware_dirty = tables.updates.dirty_state, .xnx = regime.feat.xnx};
    if constexpr (for_table) {
      // A table in Device memory is refused before S2AP is looked at: a guest must not make the walker poke a device.
      constexpr bool update = Purpose == stage2_purpose::table_update;
      bool const refused =
          (regime.ptw && device(regime)) || denies(stage2_rights(leaf, c), !update, update, false) != denied::nothing;
      return {refused, refused && acc.table_access_wnr(), false};
    } else {
      c.el0 = acc.checked_as() == exception_level::el0;
      denied const what = denies(stage2_rights(leaf, c), acc.reads(), acc.writes(), acc.fetches());
      if (what != denied::nothing) return refuse(what);
      bool const tags_blocked =
          acc.uses_tags() && stage1.tagged && memattr_blocks_tags(attributes.memattr, regime.both.fwb);
      return {tags_blocked, tags_blocked && acc.stores_tags(), tags_blocked};
    }
  }

  // The page of a stage 1 table is written when hardware updates the table, also on behalf of an AT instruction.
  constexpr bool dirties() const noexcept {
    return for_table ? Purpose == stage2_purpose::table_update : acc.dirties();
  }
  static constexpr u64 made_dirty(u64 raw) noexcept { return raw | bit_mask(7, 7); }
};

}  // namespace vmsa
