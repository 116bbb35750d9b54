// SPDX-License-Identifier: MIT
// The two stages as the walker sees them: one walk's input and leaf, and the rules in which the stages differ.
#pragma once
#include "vmsa/mmu/permission_control.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

// Why an access lacks permission; nothing when it does not.
struct refusal {
  bool refused = false;
  bool write = false;
  bool tag_access = false;
  permission_control control = permission_control::none;
};

// What a walk carries from one look-up to the next, where FEAT_THE or granule protection asks for it.
struct protection {
  bool assured = false;         // every table that led here was protected
  bool first_table = true;      // the next stage 1 descriptor is the walk's first
  bool upper = false;           // VA[55]
  bool page_protected = false;  // the stage 2 page of the last stage 1 descriptor is mostly read-only
  gpc_result granule{};         // of the last granule protection check
};

// What a walk reads: where a regime holds nothing but 64-bit descriptors, the code knows no others.
template <bool Everything>
using table_entry = std::conditional_t<Everything, wide_descriptor, descriptor>;

struct stage1_walk {
  using output_type = ipa;
  static constexpr stage number = stage::one;
  static constexpr bool for_table = false;

  va input{};
  stage1_tables const& tables;
  memory_access acc{};
  table_limits limits{};
  memory_attributes attributes{};  // before SCTLR_EL1.C and I, which no check looks at
  ipa output{};                    // offset included
  leaf_extent extent{};
  physical_space space{};         // of the table that is read next
  physical_space output_space{};  // of the output: an IPA has a space too
  bool not_contiguous = false;    // DisCH: no leaf of this table is, whatever its Contiguous bit

  template <bool Everything, class Regime>
  constexpr void enter_table(table_entry<Everything> table, Regime const& regime) noexcept {
    if constexpr (Everything) {
      if (regime.spaces.state == security_state::secure && ns_of(table, stage1_bits::ns_table::get(table.raw)))
        space = physical_space::non_secure;  // and whatever lies below
      if (tables.wide.on) {
        not_contiguous = descriptor128_bits::disch::get(table.high);
        return;
      }
    }
    if (tables.tcr.hpd) return;
    if constexpr (Everything)
      limits.add(limits_in_two_privileges(table, regime.scheme));
    else
      limits.add(table);
  }

  template <bool Everything, class Regime>
  constexpr void decode(table_entry<Everything> leaf, Regime const& regime, choices_consulted& consulted) noexcept {
    u8 index = stage1_bits::attr_index::get(leaf.raw);
    if constexpr (Everything) {
      bool const upper_half = tables.wide.on ? field<5, 5, bool>::get(leaf.raw) : field<59, 59, bool>::get(leaf.raw);
      if (regime.sixteen_attributes && upper_half) index = static_cast<u8>(index | 8);
      bool const ns = ns_of(leaf, stage1_bits::ns::get(leaf.raw));
      output_space = space;
      if (regime.kind == regime_kind::el1_0 ? space == physical_space::secure : space != physical_space::non_secure)
        output_space = ns ? physical_space::non_secure : space;
    }
    u8 const sh = tables.shape.format.ds ? tables.sh : stage1_bits::sh::get(leaf.raw);
    if ((regime.reserved_mair >> index) & 1) consulted.note(open_choice::reserved_mair);
    if (shareability_is_reserved(sh)) consulted.note(open_choice::reserved_sh);
    attributes = regime.mair[index];
    attributes.sh = decode_shareability(sh, regime.choices);
  }

  // Where the leaf or table points, in a state that has a choice.
  constexpr bool ns_of(wide_descriptor d, bool narrow) const noexcept {
    return tables.wide.on ? descriptor128_bits::ns::get(d.high) : narrow;
  }

  template <class Regime>
  constexpr bool device(Regime const&) const noexcept {
    return is_device(attributes);
  }
  constexpr bool checks_alignment() const noexcept { return !acc.fetches(); }
  constexpr bool fetches() const noexcept { return acc.fetches(); }

  template <class Regime>
  constexpr stage1_permission_controls controls_of(Regime const& regime) const noexcept {
    return {.el0 = acc.checked_as() == exception_level::el0,
            .hardware_dirty = tables.updates.dirty_state,
            .pan = regime.feat.pan != 0 && acc.pan_applies(),
            .epan = regime.epan,
            .wxn = regime.wxn};
  }

  template <class Regime>
  constexpr refusal check_permission(descriptor leaf, Regime const& regime) const noexcept {
    stage1_permission_controls const c = controls_of(regime);
    denied const what = denies(stage1_rights(leaf, limits, c), acc.reads(), acc.writes(), acc.fetches());
    if (what == denied::nothing) return {};
    return {true, what == denied::write, false, taken_at_stage1(leaf, limits, c, what)};
  }

  static constexpr check_order order(manual_release) noexcept { return stage1_order(); }

  // One of the checks in order(), where indirection, overlays or another regime than EL1&0 may have a say.
  template <class Regime>
  constexpr refusal check(permission_check which, wide_descriptor leaf, Regime const& regime,
                          protection const&) const noexcept {
    stage1_permission_controls c = controls_of(regime);
    c.pan = c.pan && regime.scheme == direct_scheme::two_privileges;
    descriptor const direct = in_two_privileges(leaf, regime.scheme);
    stage1_indirection const& i = regime.one_indirect;
    overlaid_rights const r = stage1_rights(direct, indices_of(leaf, number, tables.wide.on), limits, c, i);
    auto const refuse = [&](access_rights const& rights, permission_control control) -> refusal {
      denied const what = denies(rights, acc.reads(), acc.writes(), acc.fetches());
      if (what == denied::nothing) return {};
      if (control == permission_control::none) control = taken_at_stage1(direct, limits, c, what);
      if (regime.scheme == direct_scheme::one_privilege) control = in_one_privilege(control);
      return {true, what == denied::write, false, control};
    };
    switch (which) {
      case permission_check::overlay: return refuse(r.overlay, permission_control::overlay);
      case permission_check::space: {
        bool const own = regime.spaces.state != security_state::secure || regime.secure_instruction_fetch;
        bool const elsewhere = own && output_space != space_of(regime.spaces.state);
        return {acc.fetches() && elsewhere, false, false, permission_control::physical_space};
      }
      case permission_check::base:
        return refuse(r.base, i.indirect ? permission_control::code : permission_control::none);
      case permission_check::dirty:
        if (!i.indirect || !acc.writes() || tables.updates.dirty_state || (leaf.raw & bit_mask(7, 7)) == 0) return {};
        return {true, true, false, permission_control::dirty_state};
      default: return {};
    }
  }

  template <class Regime>
  constexpr bool indirect(Regime const& regime) const noexcept {
    return regime.one_indirect.indirect;
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
  physical_space input_space{};
  physical_space space{};  // of the tables
  physical_space output_space{};
  bool page_protected = false;  // mostly read-only
  static constexpr bool not_contiguous = false;

  template <bool Everything, class Regime>
  static constexpr void enter_table(table_entry<Everything>, Regime const&) noexcept {}

  template <bool Everything, class Regime>
  constexpr void decode(table_entry<Everything> leaf, Regime const& regime, choices_consulted& consulted) noexcept {
    if constexpr (Everything) {
      bool const ns = tables.wide.on ? descriptor128_bits::ns::get(leaf.high) : field<55, 55, bool>::get(leaf.raw);
      output_space = stage2_output_space(regime.spaces, input_space, ns);
    }
    attributes = leaf_attributes(leaf, tables.shape.format, tables.sh, regime.choices);
    if (memattr_is_reserved(attributes.memattr, regime.both.fwb, regime.feat))
      consulted.note(regime.both.fwb ? open_choice::reserved_fwb_memattr : open_choice::reserved_s2_half);
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
      bool const poked = regime.ptw && device(regime);
      bool const refused = poked || denies(stage2_rights(leaf, c), !update, update, false) != denied::nothing;
      if (!refused) return {};
      return {true, acc.table_access_wnr(), false, poked ? permission_control::ptw : permission_control::s2ap};
    } else {
      c.el0 = acc.checked_as() == exception_level::el0;
      denied const what = denies(stage2_rights(leaf, c), acc.reads(), acc.writes(), acc.fetches());
      if (what != denied::nothing)
        return {true, what == denied::write, false,
                what == denied::execute ? permission_control::s2xn : permission_control::s2ap};
      bool const tags_blocked =
          acc.uses_tags() && stage1.tagged && memattr_blocks_tags(attributes.memattr, regime.both.fwb);
      if (!tags_blocked) return {};
      return {true, acc.stores_tags(), true, permission_control::no_tag_access};
    }
  }

  static constexpr check_order order(manual_release manual) noexcept { return stage2_order(for_table, manual); }

  template <class Regime>
  constexpr stage2_page page_of(wide_descriptor leaf, Regime const& regime) const noexcept {
    return stage2_rights(leaf, indices_of(leaf, number, tables.wide.on),
                         {.hardware_dirty = tables.updates.dirty_state, .xnx = regime.feat.xnx}, regime.two_indirect);
  }

  template <class Regime>
  constexpr refusal check(permission_check which, wide_descriptor leaf, Regime const& regime,
                          protection const& held) const noexcept {
    constexpr bool update = Purpose == stage2_purpose::table_update;
    stage2_indirection const& i = regime.two_indirect;
    stage2_page const page = page_of(leaf, regime);
    auto const as_access = [&](permission_control control) -> refusal {
      return {true, acc.table_access_wnr(), false, control};
    };
    // A table is read whether or not it is then rewritten; an access does what it does.
    auto const rights = [&](stage2_code const& code) -> access_rights {
      if constexpr (for_table) {
        return {code.read, code.walker_write, true};
      } else {
        bool const write = acc.op == operation::read_check_write ? code.rcw_write : code.write;
        bool const execute = acc.checked_as() == exception_level::el0 ? code.execute_el0 : code.execute_el1;
        return {code.read, write, execute};
      }
    };
    auto const refuse = [&](stage2_code const& code, permission_control control, permission_control fetch) -> refusal {
      denied const what = for_table ? denies(rights(code), true, update, false)
                                    : denies(rights(code), acc.reads(), acc.writes(), acc.fetches());
      if (what == denied::nothing) return {};
      if (for_table) return as_access(control);
      return {true, what == denied::write, false, what == denied::execute ? fetch : control};
    };
    switch (which) {
      case permission_check::top_level:
        if (update || !held.first_table || !top_level_refused(i, page.effective(), held.upper)) return {};
        return as_access(permission_control::top_level);
      case permission_check::assured_only: {
        bool const assured = held.assured && !update;
        bool const guarded =
            tables.wide.on ? descriptor128_bits::guard::get(leaf.high) : field<58, 58, bool>::get(leaf.raw);
        if (!i.assured_only || assured || !guarded) return {};
        return as_access(permission_control::assured_only);
      }
      case permission_check::table_device:
        return regime.ptw && device(regime) ? as_access(permission_control::ptw) : refusal{};
      case permission_check::space:
        // Neither the tables of a Realm nor what it executes may lie outside it; its data may.
        if (regime.spaces.state != security_state::realm || output_space == physical_space::realm) return {};
        if constexpr (for_table) return as_access(permission_control::physical_space);
        return {acc.fetches(), false, false, permission_control::physical_space};
      case permission_check::overlay:
        if (!page.overlaid) return {};
        return refuse(page.overlay, permission_control::overlay, permission_control::overlay);
      case permission_check::base:
        if (i.indirect) return refuse(page.base, permission_control::code, permission_control::code);
        return refuse(page.base, permission_control::s2ap, permission_control::s2xn);
      case permission_check::tags:
        if (!acc.uses_tags() || !stage1.tagged || !memattr_blocks_tags(attributes.memattr, regime.both.fwb)) return {};
        return {true, acc.stores_tags(), true, permission_control::no_tag_access};
      case permission_check::dirty: {
        bool const writes = for_table ? update : acc.writes();
        if (!i.indirect || !writes || tables.updates.dirty_state || (leaf.raw & bit_mask(7, 7)) != 0) return {};
        return {true, for_table ? acc.table_access_wnr() : true, false, permission_control::dirty_state};
      }
      default: return {};
    }
  }

  template <class Regime>
  constexpr bool indirect(Regime const& regime) const noexcept {
    return regime.two_indirect.indirect;
  }

  // The page of a stage 1 table is written when hardware updates the table, also on behalf of an AT instruction.
  constexpr bool dirties() const noexcept {
    return for_table ? Purpose == stage2_purpose::table_update : acc.dirties();
  }
  static constexpr u64 made_dirty(u64 raw) noexcept { return raw | bit_mask(7, 7); }
};

}  // namespace vmsa
