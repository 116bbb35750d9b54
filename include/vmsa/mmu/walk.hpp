// SPDX-License-Identifier: MIT
// The walk: from a stage's root to a leaf, and the leaf through its checks. One code path for both stages; stage 1
// differs in that its table accesses go through stage 2.
//
//   root -> slot -> descriptor -> next table -> ... -> leaf -> contiguous, nT, address size, access flag,
//                                                              alignment, permission -> hardware update -> output
#pragma once
#include "vmsa/mmu/stage_walk.hpp"

namespace vmsa {

template <class Output>
struct found_leaf {
  descriptor value{};
  level at = level::l0;
  Output slot{};  // where the descriptor is, in the space of the stage's tables
  pa physical{};  // and in memory
};

template <readable_port Port, translation_geometry Geometry>
struct walker {
  Port& port;
  el1_regime<Geometry> const& regime;
  memory_access acc{};
  translation& out;

  // Every function that answers bool says whether to go on; if not, `out` holds the fault, or that it is contended.
  // What a nested translation does many times over is inlined: the call alone costs as much as a level.
  template <class Walk>
  [[gnu::always_inline]] constexpr bool walk(Walk& w) noexcept {
    found_leaf<typename Walk::output_type> leaf;
    return find_leaf(w, leaf) && pass_leaf(w, leaf);
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
  // Where a descriptor is in memory. Stage 2 translates the address of a stage 1 descriptor, for every read anew.
  template <stage2_purpose Purpose>
  [[gnu::always_inline]] constexpr bool locate(stage1_walk const& w, ipa slot, pa& where) noexcept {
    if (!regime.stage2_on) {
      where = {slot.value};
      return true;
    }
    stage2_walk<Purpose, Geometry> t{.input = slot, .tables = regime.stage2, .acc = acc, .stage1 = w.tables.walks};
    if (!walk(t)) return false;
    where = t.output;
    return true;
  }
  template <stage2_purpose, stage2_purpose Purpose>
  constexpr bool locate(stage2_walk<Purpose, Geometry> const&, pa slot, pa& where) noexcept {
    where = slot;
    return true;
  }

  template <class Walk>
  constexpr bool fault(Walk const& w, fault_kind kind, level at, refusal const& why = {}) noexcept {
    translation_fault f{.kind = kind, .by = Walk::number, .at = at, .write = why.write, .tag_access = why.tag_access};
    if constexpr (Walk::number == stage::two) {
      f.on_stage1_walk = Walk::for_table;
      f.where = w.input;
    }
    out.fault = f;
    return false;
  }

  constexpr descriptor read(pa where, stage by, level at) noexcept {
    descriptor d = port.load(where, load_order::acquire);
    if constexpr (!updatable_port<Port>)
      for (hardware_update const& u : out.updates)
        if (u.where == where) d = u.written;
    out.steps.push({where, d, by, at});
    return d;
  }

  constexpr bool rewrite(pa where, descriptor before, descriptor after) noexcept {
    if constexpr (updatable_port<Port>) {
      if (port.compare_exchange(where, before, after) != before) {
        out.contended = true;
        return false;
      }
    }
    out.updates.push({where, after});
    return true;
  }

  // A bad configuration and an input outside the input space are level 0 Translation faults, a bad root is a level 0
  // Address size fault, wherever the walk would have started; a bad next table is reported where it is named.
  template <class Walk>
  [[gnu::always_inline]] constexpr bool find_leaf(Walk& w, found_leaf<typename Walk::output_type>& leaf) noexcept {
    auto const& tables = w.tables;
    auto const& g = tables.shape;
    u64 const input = w.input.value;
    if (tables.error != geometry_error::none) return fault(w, fault_kind::translation, level::l0);
    if constexpr (Walk::number == stage::two)
      if (!g.contains(input)) return fault(w, fault_kind::translation, level::l0);
    if (g.output_too_large(tables.root)) return fault(w, fault_kind::address_size, level::l0);

    typename Walk::output_type table = tables.root;
    for (level at = g.start_level();; at = next(at)) {
      auto const slot = table + 8 * g.slot_index(at, input);
      pa where{};
      if (!locate<stage2_purpose::table_read>(w, slot, where)) return false;
      descriptor const d = read(where, Walk::number, at);
      descriptor_kind const kind = kind_of(d, at, g.format);
      if (is_leaf(kind)) {
        leaf = {d, at, slot, where};
        return true;
      }
      if (kind != descriptor_kind::table) return fault(w, fault_kind::translation, at);

      table = {g.address_in(d).value};
      if (g.output_too_large(table)) return fault(w, fault_kind::address_size, at);
      w.enter_table(d);
      if (tables.updates.table_access_flag && !descriptor_bits::af::get(d.raw))
        if (!rewrite(where, d, {descriptor_bits::af::put(d.raw, true)})) return false;
    }
  }

  template <class Walk>
  constexpr bool alignment_faults(Walk const& w) noexcept {
    if (acc.aligned && !acc.stores_tags()) return false;
    return w.checks_alignment() && w.device(regime) && device_alignment_faults();
  }

  template <class Walk>
  constexpr refusal permission(Walk const& w, descriptor leaf) noexcept {
    if (w.fetches() && w.device(regime)) {
      out.consulted.note(open_choice::device_fetch);
      if (regime.choices.device_fetch_faults) return {.refused = true};
    }
    return w.check_permission(leaf, regime);
  }

  template <class Walk>
  [[gnu::always_inline]] constexpr bool pass_leaf(Walk& w,
                                                  found_leaf<typename Walk::output_type> const& leaf) noexcept {
    auto const& g = w.tables.shape;
    u64 const raw = leaf.value.raw;
    w.decode(leaf.value, regime, out.consulted);

    // The order is the architecture's: what comes first is what is reported.
    bool const contiguous = descriptor_bits::contiguous::get(raw);
    unsigned const bits = contiguous ? leaf_region_bits(leaf.value, leaf.at, g.format) : g.shift(leaf.at);
    w.extent = {leaf.at, static_cast<u8>(bits), contiguous};
    if (regime.choices.contiguous_misprogramming_faults && bits > g.input_bits)
      return fault(w, fault_kind::translation, leaf.at);

    bool const block = leaf.at != level::l3;
    if (regime.choices.nt_faults && regime.feat.bbm != 0 && block && descriptor_bits::nt::get(raw))
      return fault(w, fault_kind::translation, leaf.at);

    // Within a Contiguous range the address comes from the input: the check is of what results.
    u64 const offset = (u64{1} << bits) - 1;
    w.output = {(g.address_in(leaf.value).value & ~offset) | (w.input.value & offset)};
    if (g.output_too_large(w.output)) return fault(w, fault_kind::address_size, leaf.at);

    if (!descriptor_bits::af::get(raw) && !w.tables.updates.access_flag)
      return fault(w, fault_kind::access_flag, leaf.at);

    bool const misaligned = alignment_faults(w);
    refusal const refused = misaligned ? refusal{} : permission(w, leaf.value);
    if (!update_leaf(w, leaf, misaligned, refused.refused)) return false;
    if (misaligned) return fault(w, fault_kind::alignment, leaf.at);
    if (refused.refused) return fault(w, fault_kind::permission, leaf.at, refused);
    return true;
  }

  // Access flag and dirty state in one write. A stage that faults updates its leaf only where that is a choice.
  template <class Walk>
  constexpr bool update_leaf(Walk const& w, found_leaf<typename Walk::output_type> const& leaf, bool misaligned,
                             bool refused) noexcept {
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
    descriptor after = leaf.value;
    if (set_af) after.raw = descriptor_bits::af::put(after.raw, true);
    if (set_dirty && descriptor_bits::dbm::get(after.raw)) after.raw = Walk::made_dirty(after.raw);
    if (after == leaf.value) return true;

    // Stage 2 must let hardware write a stage 1 descriptor, so it is asked again.
    pa where = leaf.physical;
    return locate<stage2_purpose::table_update>(w, leaf.slot, where) && rewrite(where, leaf.value, after);
  }
};

}  // namespace vmsa
