// SPDX-License-Identifier: MIT
// The walk: from a stage's root to a leaf, and the leaf through its checks. One code path for both stages; stage 1
// differs in that its table accesses go through stage 2.
//
//   root -> slot -> descriptor -> next table -> ... -> leaf -> contiguous, nT, address size, access flag,
//                                                              alignment, permission -> hardware update -> output
#pragma once
#include "vmsa/mmu/table_format.hpp"

namespace vmsa {

// Where a descriptor is in memory.
struct spaced_pa {
  pa where{};
  physical_space space = physical_space::non_secure;
};

// Likewise, where there is but one space.
struct unspaced_pa {
  pa where{};
};

template <class Output, class Entry, class Place>
struct found_leaf {
  Entry value{};
  level at = level::l0;
  Output slot{};     // where the descriptor is, in the space of the stage's tables
  Place physical{};  // and in memory
};

// What a walk of a plain regime carries.
struct nothing {};

// What a regime may hold. A plain one is walked by code in which every question about the rest is answered at compile
// time, so that what most machines run does not pay for what few do.
enum class regime_extent : bool { plain, everything };

template <readable_port Port, translation_geometry Geometry, regime_extent Extent>
struct walker {
  static constexpr bool everything = Extent == regime_extent::everything;

  Port& port;
  translation_regime<Geometry> const& regime;
  memory_access acc{};
  translation& out;
  [[no_unique_address]] std::conditional_t<everything, protection, nothing> held{};

  using entry = table_entry<everything>;
  using place_in_memory = std::conditional_t<everything, spaced_pa, unspaced_pa>;
  using format = table_format<everything>;
  template <class Walk>
  using leaf_of = found_leaf<typename Walk::output_type, entry, place_in_memory>;

  // Every function that answers bool says whether to go on; if not, `out` holds the fault, or that it is contended.
  // What a nested translation does many times over is inlined: the call alone costs as much as a level.
  template <class Walk>
  [[gnu::__always_inline__]] constexpr bool walk(Walk& w) noexcept {
    leaf_of<Walk> leaf;
    return find_leaf(w, leaf) && pass_leaf(w, leaf);
  }

  // The granule protection check of an access to `at`, by a walk or by the access itself.
  constexpr bool granted(spaced_pa at) noexcept {
    if (!regime.protection.on) return true;
    held.granule = check_granule(port, regime.protection, at.where, at.space);
    return static_cast<bool>(held.granule);
  }

  // The stage 2 tables of an address in `input`, and a walk of them sent on its way.
  constexpr auto const& stage2_tables_of(physical_space input) const noexcept {
    if constexpr (everything) return regime.stage2_of(input);
    return regime.stage2;
  }
  template <class Stage2Walk>
  constexpr void enter_space(Stage2Walk& w, physical_space input) const noexcept {
    if constexpr (everything) {
      w.input_space = input;
      w.space = stage2_table_space(regime.spaces, input);
    }
  }

  // Of a data access to Device memory. A tag store faults, or not, whether or not it is aligned.
  constexpr bool device_alignment_faults() noexcept {
    if (acc.stores_tags()) {
      out.consulted.note(open_choice::device_tag_store);
      if (regime.choices.device_tag_store_faults) return true;
    }
    return !acc.aligned;
  }

 private:
  // Names the Shareability of TCR where stage 2 makes write-back of table reads that are not.
  [[gnu::__noinline__, gnu::__cold__]] constexpr void note_walks(stage1_tables const& tables,
                                                                 stage2_attributes const& two) noexcept {
    memory_attributes const& written = tables.walks_as_written;
    if (combine_table_access(written, two, regime.both).sh !=
        combine_table_access(with_effective_shareability(written), two, regime.both).sh)
      out.consulted.note(open_choice::stage1_shareability);
  }

  // Where a descriptor is in memory. Stage 2 translates the address of a stage 1 descriptor, for every read anew.
  template <stage2_purpose Purpose>
  [[gnu::__always_inline__]] constexpr bool locate(stage1_walk const& w, ipa slot, place_in_memory& at) noexcept {
    if (!regime.stage2_on) {
      at.where = {slot.value};
      if constexpr (everything) at.space = w.space;
      return true;
    }
    stage2_walk<Purpose, Geometry> t{
        .input = slot, .tables = stage2_tables_of(w.space), .acc = acc, .stage1 = w.tables.walks};
    enter_space(t, w.space);
    if (!walk(t)) return false;
    if constexpr (everything)
      if (w.tables.open_walks) [[unlikely]]
        note_walks(w.tables, t.attributes);
    at.where = t.output;
    if constexpr (everything) at.space = t.output_space;
    if constexpr (everything && Purpose == stage2_purpose::table_read) {
      held.first_table = false;
      held.page_protected = t.page_protected;
    }
    return true;
  }
  template <stage2_purpose, stage2_purpose Purpose>
  constexpr bool locate(stage2_walk<Purpose, Geometry> const& w, pa slot, place_in_memory& at) noexcept {
    at.where = slot;
    if constexpr (everything) at.space = w.space;
    return true;
  }

  template <class Walk>
  constexpr bool fault(Walk const& w, fault_kind kind, level at, refusal const& why = {}) noexcept {
    translation_fault f{.kind = kind,
                        .by = Walk::number,
                        .at = at,
                        .write = why.write,
                        .tag_access = why.tag_access,
                        .control = why.control};
    if constexpr (Walk::number == stage::two) {
      f.on_stage1_walk = Walk::for_table;
      f.where = w.input;
    }
    if constexpr (everything)
      if (kind == fault_kind::granule_protection_on_walk) {
        f.granule = held.granule;
        f.granule.stage2 = Walk::number == stage::two;
      }
    out.fault = f;
    return false;
  }

  template <class Walk>
  [[gnu::__always_inline__]] constexpr bool read(Walk const& w, place_in_memory from, level at, entry& d) noexcept {
    if constexpr (everything) {
      if (!granted(from)) return fault(w, fault_kind::granule_protection_on_walk, at);
      bool const reversed = big_endian(Walk::number);
      if (w.tables.wide.on) {
        // Both halves are one access to hardware; the half with the valid bit is read last.
        u64 const second = in_order(load_in(port, from.where + (reversed ? 0 : 8), from.space), reversed).raw;
        d = {in_order(load_in(port, from.where + (reversed ? 8 : 0), from.space), reversed), second};
      } else {
        d = {in_order(load_in(port, from.where, from.space), reversed)};
      }
    } else {
      d = port.load(from.where, load_order::acquire);
    }
    if constexpr (!updatable_port<Port>)
      for (hardware_update const& u : out.updates)
        if (u.where == from.where) d.raw = u.written.raw;
    walk_step step{from.where, d, Walk::number, at};
    if constexpr (everything) {
      step.space = from.space;
      if (regime.wide()) out.upper_halves.push(d.high);
    }
    out.steps.push(step);
    return true;
  }

  template <class Walk>
  constexpr bool rewrite(Walk const& w, place_in_memory to, entry before, descriptor after, level at) noexcept {
    hardware_update update{to.where, after, Walk::number};
    if constexpr (everything) {
      if (!granted(to)) return fault(w, fault_kind::granule_protection_on_walk, at);
      update.space = to.space;
      update.high = before.high;
    }
    if constexpr (updatable_port<Port>) {
      bool const reversed = big_endian(Walk::number);
      descriptor const expected = in_order(before, reversed);
      descriptor const desired = in_order(after, reversed);
      pa half = to.where;  // with all that an update changes
      if constexpr (everything)
        if (w.tables.wide.on && reversed) half = half + 8;
      descriptor found;
      if constexpr (everything && spaced_port<Port>)
        found = port.compare_exchange(half, to.space, expected, desired);
      else
        found = port.compare_exchange(half, expected, desired);
      if (found != expected) {
        out.contended = true;
        return false;
      }
    }
    out.updates.push(update);
    return true;
  }

  // A descriptor between memory and the walker: SCTLR.EE reverses its bytes.
  constexpr bool big_endian(stage by) const noexcept {
    if constexpr (everything) return by == stage::one ? regime.stage1_big_endian : regime.stage2_big_endian;
    return false;
  }
  static constexpr descriptor in_order(descriptor d, bool reversed) noexcept {
    if constexpr (everything)
      if (reversed) return {__builtin_bswap64(d.raw)};
    return d;
  }

  // nT, of a block or of a 128-bit table that skips levels: an old translation may still be in use.
  template <class Walk>
  constexpr bool pass_nt(Walk const& w, level at) noexcept {
    out.consulted.note(open_choice::nt_block);
    return !regime.choices.nt_faults || fault(w, fault_kind::translation, at);
  }

  // A bad configuration and an input outside the input space are level 0 Translation faults, a bad root is a level 0
  // Address size fault, wherever the walk would have started; a bad next table is reported where it is named.
  template <class Walk>
  [[gnu::__always_inline__]] constexpr bool find_leaf(Walk& w, leaf_of<Walk>& leaf) noexcept {
    auto const& tables = w.tables;
    if (tables.error != geometry_error::none) {
      out.consulted.note(tables.open.without(open_choice::reserved_sh));  // its attributes are not asked for
      return fault(w, fault_kind::translation, level::l0);
    }
    if constexpr (Walk::number == stage::two)
      if ((w.input.value >> format::input_bits_of(w)) != 0) return fault(w, fault_kind::translation, level::l0);
    if (!tables.open.empty()) [[unlikely]]
      out.consulted.note(tables.open);

    level at = format::start_of(w);
    auto slot = format::first_slot(w, at);
    if (format::too_large(w, slot.value)) return fault(w, fault_kind::address_size, level::l0);
    for (;;) {
      place_in_memory place{};
      if (!locate<stage2_purpose::table_read>(w, slot, place)) return false;
      entry d{};
      if (!read(w, place, at, d)) return false;
      if constexpr (everything && Walk::number == stage::one) {
        bool const guarded =
            format::wide(w) ? descriptor128_bits::guard::get(d.high) : descriptor_bits::contiguous::get(d.raw);
        held.assured = held.assured && held.page_protected && guarded;
      }
      descriptor_kind const kind = format::kind_of_entry(w, d, at);
      if constexpr (everything)
        if ((d.raw & w.tables.open_address_bits) != 0 && (is_leaf(kind) || kind == descriptor_kind::table)) [[unlikely]]
          out.consulted.note(open_choice::high_output_bits);
      if (is_leaf(kind)) {
        leaf = {d, at, slot, place};
        return true;
      }
      if (kind != descriptor_kind::table) return fault(w, fault_kind::translation, at);

      level const below = format::level_below(w, d, at);
      auto const next_one = format::next_slot(w, d, below);
      if (format::too_large(w, next_one.value)) return fault(w, fault_kind::address_size, at);
      if constexpr (everything)
        if (format::wide(w) && below != next(at) && format::nt_of(true, d.raw) && regime.feat.bbm != 0)
          if (!pass_nt(w, at)) return false;
      w.template enter_table<everything>(d, regime);
      if constexpr (everything || Walk::number == stage::two)
        if (tables.updates.table_access_flag && !descriptor_bits::af::get(d.raw)) {
          if (!locate<stage2_purpose::table_update>(w, slot, place)) return false;
          if (!rewrite(w, place, d, {descriptor_bits::af::put(d.raw, true)}, at)) return false;
        }
      slot = next_one;
      at = below;
    }
  }

  template <class Walk>
  constexpr bool alignment_faults(Walk const& w) noexcept {
    if (acc.aligned && !acc.stores_tags()) return false;
    return w.checks_alignment() && w.device(regime) && device_alignment_faults();
  }

  template <class Walk>
  constexpr refusal device_fetch(Walk const& w) noexcept {
    if (!regime.fetches_have_types || !w.fetches() || !w.device(regime)) return {};
    out.consulted.note(open_choice::device_fetch);
    if (!regime.choices.device_fetch_faults) return {};
    return {.refused = true, .control = permission_control::device_fetch};
  }

  template <class Walk>
  constexpr refusal permission(Walk const& w, entry leaf) noexcept {
    if constexpr (everything) {
      for (permission_check which : Walk::order(regime.manual)) {
        refusal const why =
            which == permission_check::device_fetch ? device_fetch(w) : w.check(which, leaf, regime, held);
        if (why.refused) return why;
      }
      return {};
    }
    refusal const why = device_fetch(w);
    return why.refused ? why : w.check_permission(leaf, regime);
  }

  // A Contiguous entry that does not hold the address of its place in the group, and a group that is larger than the
  // input space.
  template <class Walk>
  constexpr bool pass_contiguous(Walk const& w, leaf_of<Walk> const& leaf, unsigned bits) noexcept {
    u64 const place = low_mask(bits) & ~low_mask(format::shift_of(w, leaf.at));
    if (((format::address_of(w, leaf.value) ^ w.input.value) & place) != 0)
      out.consulted.note(open_choice::contiguous_of_other_group);
    if (bits <= format::input_bits_of(w)) return true;
    out.consulted.note(open_choice::contiguous_too_large);
    return !regime.choices.contiguous_misprogramming_faults || fault(w, fault_kind::translation, leaf.at);
  }

  template <class Walk>
  [[gnu::__always_inline__]] constexpr bool pass_leaf(Walk& w, leaf_of<Walk> const& leaf) noexcept {
    u64 const raw = leaf.value.raw;
    w.template decode<everything>(leaf.value, regime, out.consulted);

    // The order is the architecture's: what comes first is what is reported.
    bool const contiguous = format::contiguous_of(w, leaf.value, regime);
    unsigned const bits = contiguous ? format::group_bits(w, leaf.value, leaf.at) : format::shift_of(w, leaf.at);
    w.extent = {leaf.at, static_cast<u8>(bits), contiguous};
    if (contiguous) [[unlikely]]
      if (!pass_contiguous(w, leaf, bits)) return false;

    bool const block = leaf.at != level::l3;
    if (block && format::nt_of(format::wide(w), raw) && regime.feat.bbm != 0) [[unlikely]]
      if (!pass_nt(w, leaf.at)) return false;

    // Within a Contiguous range the address comes from the input: the check is of what results.
    u64 const offset = (u64{1} << bits) - 1;
    w.output = {(format::address_of(w, leaf.value) & ~offset) | (w.input.value & offset)};
    if (format::too_large(w, w.output.value)) return fault(w, fault_kind::address_size, leaf.at);

    if (!descriptor_bits::af::get(raw) && !w.tables.updates.access_flag && w.tables.access_flag_faults)
      return fault(w, fault_kind::access_flag, leaf.at);

    bool const misaligned = alignment_faults(w);
    refusal const refused = misaligned ? refusal{} : permission(w, leaf.value);
    if (!update_leaf(w, leaf, misaligned, refused.refused)) return false;
    if (misaligned) return fault(w, fault_kind::alignment, leaf.at);
    if (refused.refused) return fault(w, fault_kind::permission, leaf.at, refused);
    if constexpr (everything && Walk::number == stage::two)
      w.page_protected = w.page_of(leaf.value, regime).effective().mostly_read_only();
    return true;
  }

  // Access flag and dirty state in one write. A stage that faults updates its leaf only where that is a choice.
  template <class Walk>
  constexpr bool update_leaf(Walk const& w, leaf_of<Walk> const& leaf, bool misaligned, bool refused) noexcept {
    bool set_af = w.tables.updates.access_flag;
    bool set_dirty = w.tables.updates.dirty_state && w.dirties();
    if (!set_af && !set_dirty && !misaligned) return true;
    if (misaligned || refused) {
      if (set_af) {
        out.consulted.note(open_choice::set_af_on_fault);
        set_af = regime.choices.set_af_on_fault;
      }
      if (misaligned) out.consulted.note(open_choice::set_dirty_on_fault);
      set_dirty = set_dirty && misaligned && regime.choices.set_dirty_on_fault;
    }
    if (set_af && acc.translates_only() && !Walk::for_table && regime.manual == manual_release::newest &&
        !descriptor_bits::af::get(leaf.value.raw)) {
      out.consulted.note(open_choice::at_sets_af);
      set_af = regime.choices.at_sets_af;
    }
    descriptor after{leaf.value.raw};
    if (set_af) after.raw = descriptor_bits::af::put(after.raw, true);
    bool by_index = false;  // where bit 51 is not DBM but part of an index
    if constexpr (everything) by_index = w.indirect(regime);
    if (set_dirty && (by_index || descriptor_bits::dbm::get(after.raw))) after.raw = Walk::made_dirty(after.raw);
    if (after.raw == leaf.value.raw) return true;

    // Stage 2 must let hardware write a stage 1 descriptor, so it is asked again.
    place_in_memory place = leaf.physical;
    return locate<stage2_purpose::table_update>(w, leaf.slot, place) && rewrite(w, place, leaf.value, after, leaf.at);
  }
};

}  // namespace vmsa
