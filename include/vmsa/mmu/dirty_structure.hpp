// SPDX-License-Identifier: MIT
// Translations that record what they make dirty, and the cleaning of what is recorded, over 64-bit descriptors
// [Arm ARM, Hardware dirty state tracking structure, Hardware accelerator for cleaning dirty state]. A walk alone takes
// the structure for one that has room.
#pragma once
#include "vmsa/arch/dirty_structure.hpp"
#include "vmsa/mmu/translate.hpp"

namespace vmsa {

/// The structure that the EL1&0 regime appends to while VTCR_EL2.HDBSS is 1.
struct dirty_structure {
  hdbssbr_el2 at{};
  hdbssprod_el2 produced{};

  constexpr bool takes_entries() const noexcept { return vmsa::takes_entries(at, produced); }
};

template <class Port>
concept storing_port = updatable_port<Port> && requires(Port& port, pa where) {
  port.store(where, descriptor{}, store_order::relaxed);
};

namespace dirty_detail {

inline constexpr u64 dirty_bit = bit_mask(7, 7);  // S2AP[1], and Dirty where permissions are indirect

constexpr descriptor ordered(descriptor d, bool big_endian) noexcept {
  return big_endian ? descriptor{__builtin_bswap64(d.raw)} : d;
}

// Refuses to make a stage 2 leaf dirty once the structure is full. Stage 1 clears bit 7 where stage 2 sets it, which
// tells the two apart.
template <class Port>
struct counting_port {
  Port& port;
  u64 free = 0;
  bool stage2_big_endian = false;
  bool refused = false;

  constexpr descriptor load(pa at, load_order order) noexcept { return port.load(at, order); }
  constexpr descriptor compare_exchange(pa at, descriptor expected, descriptor desired) noexcept {
    u64 const changed = ordered({desired.raw & ~expected.raw}, stage2_big_endian).raw;
    bool const dirties = (changed & dirty_bit) != 0;
    if (dirties && free == 0) {
      refused = true;
      return {~expected.raw};
    }
    descriptor const found = port.compare_exchange(at, expected, desired);
    if (dirties && found == expected) --free;
    return found;
  }
};

template <class Port>
struct reading_port {
  Port& port;
  constexpr descriptor load(pa at, load_order order) noexcept { return port.load(at, order); }
};

}  // namespace dirty_detail

/// Whether hardware records what it makes dirty: VTCR_EL2.HDBSS, with HA and HD, where EL3 lets it. SCR_EL3.HDBSSEn = 0
/// makes it behave as 0 [Arm ARM, VTCR_EL2].
template <class Geometry>
constexpr bool records_dirty(translation_regime<Geometry> const& r) noexcept {
  return r.feat.hdbss && r.stage2_on && r.registers.vtcr.template get<vtcr_el2::hdbss>() &&
         r.stage2.updates.dirty_state && r.registers.scr.template get<scr_el3::hdbssen>();
}

/// What hardware writes into the structure for `t.updates[i]`; nothing unless it made a stage 2 leaf dirty. The slots
/// that the walk read hold its IPA.
template <class Geometry>
constexpr std::optional<dirty_entry> dirty_entry_of(translation_regime<Geometry> const& r, translation const& t,
                                                    unsigned i) noexcept {
  hardware_update const& u = t.updates[i];
  if (u.by != stage::two || (u.written.raw & dirty_detail::dirty_bit) == 0) return std::nullopt;
  unsigned leaf = t.steps.size();
  bool clean_before = false;
  for (unsigned s = 0; s < t.steps.size(); ++s) {
    bool const here = t.steps[s].by == stage::two && t.steps[s].where == u.where;
    if (!here || (t.steps[s].value.raw & dirty_detail::dirty_bit) != 0) continue;
    leaf = s;
    clean_before = true;
  }
  if (!clean_before) return std::nullopt;
  auto const& shape = r.stage2.shape;
  level const at = t.steps[leaf].at;
  u64 input = 0;
  for (unsigned s = leaf;; --s) {
    walk_step const& step = t.steps[s];
    bool const root = step.at == shape.start_level();
    u64 const table = root ? r.stage2.root.value : step.where.value & ~low_mask(granule_bits(shape.tg()));
    input |= (step.where.value - table) / 8 << shape.shift(step.at);
    if (root) break;
  }
  return make_dirty_entry(ipa{input}, at);
}

struct tracked_translation {
  translation result{};
  /// ESR_EL2.ISS2.HDBSSF: the fault is there because the structure is full or in an error state.
  bool structure_fault = false;
};

/// An access of the EL1&0 regime in Non-secure or Realm state, with HA and HD, whose updates are recorded in `s`. A
/// full structure makes nothing dirty: what would be is refused as if VTCR_EL2.HD were 0 [RYHLRY, RSTJMN].
template <storing_port Port, translation_geometry Geometry>
constexpr tracked_translation translate_tracked(Port& port, translation_regime<Geometry> const& regime, va where,
                                                memory_access const& acc, dirty_structure& s) noexcept {
  tracked_translation out;
  auto const record = [&] {
    for (unsigned i = 0; i < out.result.updates.size(); ++i) {
      std::optional<dirty_entry> const entry = dirty_entry_of(regime, out.result, i);
      if (!entry) continue;
      u32 const index = s.produced.template get<hdbssprod_el2::index>();
      port.store(s.at.base() + 8 * u64{index}, dirty_detail::ordered({entry->raw}, regime.stage2_big_endian),
                 store_order::relaxed);
      s.produced = s.produced.template with<hdbssprod_el2::index>(index + 1);
    }
  };
  if (s.takes_entries()) {
    u64 const free = s.at.entries() - s.produced.template get<hdbssprod_el2::index>();
    dirty_detail::counting_port<Port> counted{port, free, regime.stage2_big_endian};
    out.result = translate(counted, regime, where, acc);
    record();
    if (!counted.refused) return out;
  }
  translation_regime<Geometry> full = regime;
  full.stage2.updates.dirty_state = false;
  out.result = translate(port, full, where, acc);
  dirty_detail::reading_port<Port> only{port};
  out.structure_fault = out.result.fault && out.result.fault != translate(only, regime, where, acc).fault;
  return out;
}

/// Every valid entry before INDEX, in the order of writing: `sink(ipa, bytes)`, as collect_dirty reports.
template <readable_port Port, translation_geometry Geometry, class Sink>
constexpr void read_dirty(Port& port, translation_regime<Geometry> const& regime, dirty_structure const& s,
                          Sink&& sink) noexcept {
  u64 const written = s.produced.template get<hdbssprod_el2::index>();
  for (u64 i = 0; i < written && i < s.at.entries(); ++i) {
    descriptor const raw = port.load(s.at.base() + 8 * i, load_order::acquire);
    dirty_entry const entry{{dirty_detail::ordered(raw, regime.stage2_big_endian).raw}};
    if (!entry.get<dirty_entry::valid>() || entry.level_number() < -1) continue;
    sink(entry.where(), regime.stage2.shape.size(static_cast<level>(entry.level_number())));
  }
}

namespace dirty_detail {

// One entry's leaf made writable-clean. Permissions, the access flag, overlays and AssuredOnly are not asked.
template <updatable_port Port, translation_geometry Geometry>
constexpr cleaning_error clean_one(Port& port, translation_regime<Geometry> const& r, dirty_entry entry) noexcept {
  auto const& shape = r.stage2.shape;
  ipa const where = entry.where();
  if (r.stage2.error != geometry_error::none || !shape.contains(where.value)) return cleaning_error::translation;
  pa table = r.stage2.root;
  if (shape.output_too_large(table)) return cleaning_error::translation;
  for (level at = shape.start_level();; at = next(at)) {
    pa const slot = table + 8 * shape.slot_index(at, where.value);
    for (;;) {
      descriptor const d = ordered(port.load(slot, load_order::acquire), r.stage2_big_endian);
      descriptor_kind const kind = kind_of(d, at, shape.format);
      bool const leaf = is_leaf(kind);
      if (!leaf && kind != descriptor_kind::table) return cleaning_error::translation;
      if (shape.output_too_large(shape.address_in(d))) return cleaning_error::translation;
      if (!leaf) {
        table = shape.address_in(d);
        break;
      }
      bool writable = descriptor_bits::dbm::get(d.raw);
      if (r.two_indirect.indirect) {
        stage2_code const code = decode_stage2_code(permission_code(r.two_indirect.pir, permission_index(d)));
        writable = code.write || code.walker_write;
      }
      if (!writable || descriptor_bits::contiguous::get(d.raw) || entry.level_number() != number(at))
        return cleaning_error::descriptor;
      if ((d.raw & dirty_bit) == 0) return cleaning_error::none;
      descriptor const expected = ordered(d, r.stage2_big_endian);
      descriptor const clean = ordered({d.raw & ~dirty_bit}, r.stage2_big_endian);
      if (port.compare_exchange(slot, expected, clean) == expected) return cleaning_error::none;
    }
  }
}

}  // namespace dirty_detail

/// The accelerator, from `consumed` to the end of its structure or to the entry that stops it. TLBs keep what they hold
/// of the leaves: who cleans must invalidate before relying on it.
template <updatable_port Port, translation_geometry Geometry>
constexpr void clean_dirty(Port& port, translation_regime<Geometry> const& regime, hacdbsbr_el2 at,
                           hacdbscons_el2& consumed) noexcept {
  if (!at.get<hacdbsbr_el2::en>() || !regime.registers.hcr.template get<hcr_el2::vm>()) return;
  for (u32 i = consumed.get<hacdbscons_el2::index>(); consumed.error() == cleaning_error::none && i < at.entries();
       ++i) {
    consumed = consumed.with<hacdbscons_el2::index>(i);
    descriptor const raw = port.load(at.base() + 8 * u64{i}, load_order::acquire);
    dirty_entry const entry{{dirty_detail::ordered(raw, regime.stage2_big_endian).raw}};
    cleaning_error const error =
        entry.get<dirty_entry::valid>() ? dirty_detail::clean_one(port, regime, entry) : cleaning_error::none;
    consumed = error == cleaning_error::none ? consumed.with<hacdbscons_el2::index>(i + 1)
                                             : consumed.with<hacdbscons_el2::err_reason>(static_cast<u8>(error));
  }
}

}  // namespace vmsa
