// SPDX-License-Identifier: MIT
// VTCR_EL2 to a geometry and back, and the first thing a hypervisor needs: the VTCR_EL2 for an IPA size.
#pragma once
#include "vmsa/arch/registers.hpp"
#include "vmsa/mmu/geometry.hpp"

namespace vmsa {

// VTCR_EL2.TG0 is 00 4K, 01 64K, 10 16K; 11 is reserved, and a granule that is not implemented counts as reserved.
constexpr granule stage2_granule(vtcr_el2 vtcr, features const& f, constraint_choices const& choices = {},
                                 open_choices* open = nullptr) noexcept {
  constexpr granule granules[] = {granule::k4, granule::k64, granule::k16};
  u8 const tg0 = vtcr.get<vtcr_el2::tg0>();
  if (tg0 < 3 && f.stage2_granules.has(granules[tg0])) return granules[tg0];
  if (open != nullptr) open->add(open_choice::reserved_tg);
  return choices.reserved_tg;
}
constexpr u8 encode_tg0(granule tg) noexcept { return tg == granule::k4 ? 0b00 : tg == granule::k64 ? 0b01 : 0b10; }

// DS counts only with FEAT_LPA2 and a 4K or 16K granule.
constexpr bool stage2_ds(vtcr_el2 vtcr, granule tg, features const& f) noexcept {
  return vtcr.get<vtcr_el2::ds>() && f.lpa2 && tg != granule::k64;
}

struct start_level_result {
  level value = level::l0;
  geometry_error error = geometry_error::none;
};

// SL0, with SL2 above it where DS counts [VTCR_EL2, Starting level].
constexpr start_level_result decode_start_level(vtcr_el2 vtcr, granule tg, bool ds, features const& f) noexcept {
  u8 const sl0 = vtcr.get<vtcr_el2::sl0>();
  switch (tg) {
    case granule::k4: {
      unsigned const sl = sl0 | (ds && vtcr.get<vtcr_el2::sl2>() ? 0b100u : 0u);
      constexpr level levels[] = {level::l2, level::l1, level::l0, level::l3, level::m1};
      if (sl > 0b100) return {level::l0, geometry_error::start_level_reserved};
      if (sl == 0b010 && f.pa_bits < 44) return {level::l0, geometry_error::start_level_needs_pa};
      if (sl == 0b011 && !f.ttst) return {level::l3, geometry_error::start_level_needs_ttst};
      return {levels[sl], geometry_error::none};
    }
    case granule::k16:
      if (sl0 == 3 && !ds) return {level::l0, geometry_error::start_level_reserved};
      if (sl0 == 2 && f.pa_bits < 42) return {level::l1, geometry_error::start_level_needs_pa};
      return {static_cast<level>(3 - sl0), geometry_error::none};
    case granule::k64:
      if (sl0 == 3) return {level::l0, geometry_error::start_level_reserved};
      if (sl0 == 2 && f.pa_bits < 44) return {level::l1, geometry_error::start_level_needs_pa};
      return {static_cast<level>(3 - sl0), geometry_error::none};
  }
  return {level::l0, geometry_error::start_level_reserved};
}

// VTCR_EL2 with `start` in SL0 and SL2; the start level exists for the granule (4K: -1..3, 16K: 0..3, 64K: 1..3).
constexpr vtcr_el2 with_start_level(vtcr_el2 vtcr, granule tg, level start) noexcept {
  unsigned sl = static_cast<unsigned>(3 - number(start));
  if (tg == granule::k4) {
    constexpr u8 codes[] = {0b100, 0b010, 0b001, 0b000, 0b011};  // levels -1..3
    sl = codes[index(start)];
  }
  return vtcr.with<vtcr_el2::sl0>(static_cast<u8>(sl & 0b11)).with<vtcr_el2::sl2>((sl & 0b100) != 0);
}

// The largest stage 2 input size of this granule and machine, in bits.
constexpr u8 max_ipa_bits(granule tg, bool ds, features const& f) noexcept {
  u8 const limit = tg == granule::k64 || ds ? 52 : 48;
  return f.pa_bits < limit ? f.pa_bits : limit;
}

constexpr geometry_result decode_vtcr(vtcr_el2 vtcr, features const& f,
                                      constraint_choices const& choices = {}) noexcept {
  open_choices open;
  granule const tg = stage2_granule(vtcr, f, choices, &open);
  bool const ds = stage2_ds(vtcr, tg, f);

  u8 t0sz = vtcr.get<vtcr_el2::t0sz>();
  u8 const minimum = static_cast<u8>(64 - max_ipa_bits(tg, ds, f));
  geometry_error const size_error = limit_txsz(t0sz, minimum, max_txsz(tg, f), f.lpa, choices, &open);
  if (size_error != geometry_error::none) return {{}, size_error, open};

  start_level_result const start = decode_start_level(vtcr, tg, ds, f);
  if (start.error != geometry_error::none) return {{}, start.error, open};

  unsigned const bits = 64u - t0sz;
  unsigned const least = level_shift(tg, start.value) + 1;
  if (bits < least || bits > least + stride(tg) + 3) return {{}, geometry_error::start_level_mismatch, open};

  u8 const ps = vtcr.get<vtcr_el2::ps>();
  u8 const ps_bits = physical_address_bits(ps);
  bool const lpa = tg == granule::k64 && f.lpa;
  descriptor_format const format{tg, ds, lpa, f.pa_bits >= 52};
  return {make_geometry(format, start.value, static_cast<u8>(bits), ps_bits < f.pa_bits ? ps_bits : f.pa_bits,
                        ds || (lpa && ps == 0b110)),
          geometry_error::none, open};
}

struct [[nodiscard]] stage2_configuration {
  vtcr_el2 vtcr{};   // write-back, inner-shareable walks; HA and HD are the caller's to add
  geometry shape{};  // root_size() and root_alignment() say what to allocate
  geometry_error error = geometry_error::none;
  constexpr explicit operator bool() const noexcept { return error == geometry_error::none; }
};

// Fewest levels: a walk then reads as little as it can, at the price of up to 16 concatenated start tables. DS is set
// where input or output addresses need more than 48 bits.
constexpr stage2_configuration geometry::for_ipa_size(u8 bits, granule tg, features const& f) noexcept {
  if (!f.stage2_granules.has(tg)) return {{}, {}, geometry_error::granule_unsupported};
  bool const ds = f.lpa2 && tg != granule::k64 && (bits > 48 || f.pa_bits > 48);
  if (bits > max_ipa_bits(tg, ds, f)) return {{}, {}, geometry_error::input_too_large};
  if (bits < 64 - max_txsz(tg, f)) return {{}, {}, geometry_error::input_too_small};

  vtcr_el2 vtcr{{u64{1} << 31}};
  u8 const ps_bits = tg == granule::k64 || ds || f.pa_bits < 48 ? f.pa_bits : u8{48};
  vtcr = vtcr.with<vtcr_el2::t0sz>(static_cast<u8>(64 - bits))
             .with<vtcr_el2::irgn0>(0b01)
             .with<vtcr_el2::orgn0>(0b01)
             .with<vtcr_el2::sh0>(0b11)
             .with<vtcr_el2::tg0>(encode_tg0(tg))
             .with<vtcr_el2::ps>(physical_address_encoding(ps_bits))
             .with<vtcr_el2::ds>(ds);
  stage2_configuration last{{}, {}, geometry_error::start_level_mismatch};
  level const top = tg == granule::k64 ? level::l1 : tg == granule::k16 ? level::l0 : level::m1;
  for (int n = 3; n >= number(top); --n) {
    vtcr_el2 const candidate = with_start_level(vtcr, tg, static_cast<level>(n));
    geometry_result const g = decode_vtcr(candidate, f);
    if (g && g.value.start == static_cast<level>(n) && g.value.input_bits == bits)
      return {candidate, g.value, geometry_error::none};
    if (!g && g.error != geometry_error::start_level_mismatch) last.error = g.error;
  }
  return last;
}

// A geometry known at compile time: every shift and mask is a constant in the code that uses it.
template <granule Granule, u8 Bits, features Features = features{}>
struct fixed_geometry {
  static constexpr stage2_configuration configuration = geometry::for_ipa_size(Bits, Granule, Features);
  static_assert(configuration.error == geometry_error::none, "no stage 2 geometry has this granule and IPA size");
  static constexpr geometry value = configuration.shape;
  static constexpr descriptor_format format = value.format;
  static constexpr u8 input_bits = value.input_bits;
  static constexpr u8 output_bits = value.output_bits;

  static constexpr unsigned shift(level l) noexcept { return level_shift(Granule, l); }
  static constexpr u64 size(level l) noexcept { return u64{1} << shift(l); }
  static constexpr u64 slot_index(level l, u64 input) noexcept {
    return (input >> shift(l)) & (l == value.start ? value.root_entries - 1 : low_mask(stride(Granule)));
  }
  static constexpr granule tg() noexcept { return Granule; }
  static constexpr level start_level() noexcept { return value.start; }
  static constexpr bool contains(u64 input) noexcept { return (input >> Bits) == 0; }
  static constexpr u64 root_size() noexcept { return value.root_size(); }
  static constexpr pa address_in(descriptor d) noexcept { return value.address_in(d); }
  static constexpr bool output_too_large(pa output) noexcept { return value.output_too_large(output); }
};

static_assert(stage2_granule(vtcr_el2{}.with<vtcr_el2::tg0>(0b10), {.stage2_granules = {.k16 = false}}) == granule::k4);
static_assert(translation_geometry<geometry> && translation_geometry<fixed_geometry<granule::k4, 40>>);
static_assert(fixed_geometry<granule::k4, 40>::value.start == level::l1);
static_assert(fixed_geometry<granule::k4, 40>::root_size() == 8192);

}  // namespace vmsa
