// SPDX-License-Identifier: MIT
// What a walk asks of the format of its descriptors: 64-bit ones, of which the geometry answers alone, or 128-bit ones.
// Where a regime has no others than 64-bit ones, all of it is decided at compile time.
#pragma once
#include "vmsa/mmu/stage_walk.hpp"

namespace vmsa {

template <bool Everything>
struct table_format {
  using entry = table_entry<Everything>;

  template <class Walk>
  static constexpr bool wide(Walk const& w) noexcept {
    if constexpr (Everything) return w.tables.wide.on;
    return false;
  }
  template <class Walk>
  static constexpr level start_of(Walk const& w) noexcept {
    return wide(w) ? w.tables.wide.start : w.tables.shape.start_level();
  }
  template <class Walk>
  static constexpr level level_below(Walk const& w, entry d, level at) noexcept {
    if constexpr (Everything)
      if (wide(w)) return static_cast<level>(number(at) + 1 + descriptor128_bits::skl::get(d.high));
    return next(at);
  }
  template <class Walk>
  static constexpr descriptor_kind kind_of_entry(Walk const& w, entry d, level at) noexcept {
    if constexpr (Everything)
      if (wide(w)) return wide_kind_of(d, at, w.tables.wide.tg);
    return kind_of(d, at, w.tables.shape.format);
  }
  template <class Walk>
  static constexpr u64 address_of(Walk const& w, entry d) noexcept {
    return wide(w) ? d.raw & descriptor128_bits::address::mask : w.tables.shape.address_in(d).value;
  }
  template <class Walk>
  static constexpr unsigned shift_of(Walk const& w, level at) noexcept {
    return wide(w) ? w.tables.wide.shift(at) : w.tables.shape.shift(at);
  }
  template <class Walk>
  static constexpr unsigned input_bits_of(Walk const& w) noexcept {
    return wide(w) ? w.tables.wide.input_bits : w.tables.shape.input_bits;
  }
  template <class Walk>
  static constexpr bool too_large(Walk const& w, u64 address) noexcept {
    return wide(w) ? w.tables.wide.output_too_large(address) : w.tables.shape.output_too_large(pa{address});
  }
  template <class Walk>
  static constexpr typename Walk::output_type first_slot(Walk const& w, level at) noexcept {
    if constexpr (Everything)
      if (wide(w)) return {w.tables.wide.first_slot(w.tables.root.value, w.input.value)};
    return w.tables.root + 8 * w.tables.shape.slot_index(at, w.input.value);
  }
  template <class Walk>
  static constexpr typename Walk::output_type next_slot(Walk const& w, entry d, level at) noexcept {
    if constexpr (Everything)
      if (wide(w)) return {w.tables.wide.next_slot(d, at, w.input.value)};
    return typename Walk::output_type{w.tables.shape.address_in(d).value} +
           8 * w.tables.shape.slot_index(at, w.input.value);
  }
  static constexpr bool nt_of(bool is_wide, u64 raw) noexcept {
    return is_wide ? descriptor128_bits::nt::get(raw) : descriptor_bits::nt::get(raw);
  }

  // Whether a leaf is one of a Contiguous group. With PnCH, bit 52 of stage 1 is Protected.
  template <class Walk, class Regime>
  static constexpr bool contiguous_of(Walk const& w, entry leaf, [[maybe_unused]] Regime const& regime) noexcept {
    if constexpr (Everything) {
      if (wide(w)) return descriptor128_bits::contiguous::get(leaf.high) && !w.not_contiguous;
      if (Walk::number == stage::one && regime.protects) return false;
    }
    return descriptor_bits::contiguous::get(leaf.raw);
  }
  // log2 of the bytes that the leaf's group maps.
  template <class Walk>
  static constexpr unsigned group_bits(Walk const& w, entry leaf, level at) noexcept {
    if constexpr (Everything)
      if (wide(w)) return w.tables.wide.shift(at) + wide_contiguous_bits(w.tables.wide.tg, at);
    return leaf_region_bits(leaf, at, w.tables.shape.format);
  }
};

}  // namespace vmsa
