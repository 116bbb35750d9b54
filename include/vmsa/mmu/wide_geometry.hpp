// SPDX-License-Identifier: MIT
// The shape of a table of 128-bit descriptors, and TCR or VTCR_EL2 to it [Arm ARM, VMSAv9-128 address translation
// process]. Which level comes next is in the descriptors, so little is known beforehand.
#pragma once
#include "vmsa/arch/descriptor128.hpp"
#include "vmsa/mmu/check_order.hpp"
#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa {

struct wide_geometry {
  bool on = false;  // the stage's descriptors have 128 bits
  granule tg = granule::k4;
  level start = level::l0;
  u8 skl = 0;  // levels that the start table skips
  u8 input_bits = 48;
  u8 output_bits = 48;
  bool aligned_tables = true;             // an address in a table descriptor is aligned to the size of what it names
  bool start_without_contiguous = false;  // TCR2_ELx.DisCH: a leaf in the start table is never Contiguous

  constexpr unsigned shift(level l) const noexcept { return wide_level_shift(tg, l); }
  constexpr u64 index_mask(u8 skipped) const noexcept { return low_mask((skipped + 1u) * wide_stride(tg)); }
  /// log2 of the bytes of the start table.
  constexpr unsigned root_bits() const noexcept {
    unsigned const bits = input_bits > shift(start) ? input_bits - shift(start) + 4 : 4;
    return bits < 5 ? 5 : bits;
  }
  constexpr pa base(u64 low, u64 high) const noexcept {
    u64 const address = (low & bit_mask(47, 5)) | field<23, 16>::get(high) << 48;
    return {address & ~low_mask(root_bits())};
  }
  /// Where the start table has the descriptor of `input`.
  constexpr u64 first_slot(u64 root, u64 input) const noexcept {
    return root | (input & low_mask(input_bits)) >> shift(start) << 4;
  }
  /// Where the table that `d` names has it; `l` is that table's level.
  constexpr u64 next_slot(wide_descriptor d, level l, u64 input) const noexcept {
    u8 const skipped = descriptor128_bits::skl::get(d.high);
    u64 table = d.raw & bit_mask(55, granule_bits(tg));
    if (aligned_tables) table &= ~(low_mask((skipped + 1u) * wide_stride(tg) + 4) & bit_mask(47, 0));
    return table | (input >> shift(l) & index_mask(skipped)) << 4;
  }
  constexpr bool output_too_large(u64 output) const noexcept { return (output >> output_bits) != 0; }

  friend constexpr bool operator==(wide_geometry const&, wide_geometry const&) = default;
};

struct [[nodiscard]] wide_geometry_result {
  wide_geometry value{};
  geometry_error error = geometry_error::none;
  open_choices open{};
};

/// `txsz` is limited already. The start level follows from the input size and SKL, bits 2:1 of the base register.
constexpr wide_geometry_result make_wide_geometry(granule tg, u8 txsz, u8 ps, u64 ttbr, manual_release manual,
                                                  features const& f) noexcept {
  wide_geometry g{.on = true, .tg = tg, .skl = field<2, 1, u8>::get(ttbr), .input_bits = static_cast<u8>(64 - txsz)};
  u8 const ps_bits = wide_physical_address_bits(ps);
  g.output_bits = ps_bits < f.pa_bits ? ps_bits : f.pa_bits;
  g.aligned_tables = manual == manual_release::newest;
  int const start = 3 - static_cast<int>((g.input_bits - 1u - granule_bits(tg)) / wide_stride(tg)) + g.skl;
  if (start > 3) return {g, geometry_error::start_level_mismatch, {}};
  g.start = static_cast<level>(start);
  return {g, geometry_error::none, {}};
}

/// One half of stage 1. The smallest TxSZ is 9 with FEAT_LVA3; without it FEAT_LVA lowers it for 64K, in the current
/// manual for every granule.
constexpr wide_geometry_result decode_wide_tcr(tcr_half const& h, va_half half, u64 ttbr, manual_release manual,
                                               features const& f, constraint_choices const& choices) noexcept {
  open_choices open;
  granule const tg = stage1_granule(h.tg, half, f, choices, &open);
  bool const large = f.lva && (tg == granule::k64 || manual == manual_release::newest);
  u8 txsz = h.txsz;
  geometry_error const error = limit_txsz(txsz, f.lva3 ? 9 : large ? 12 : 16, max_txsz(tg, f), f.lva, choices, &open);
  wide_geometry_result r = make_wide_geometry(tg, txsz, h.ips, ttbr, manual, f);
  if (error != geometry_error::none) r.error = error;
  r.open = open;
  return r;
}

/// Stage 2. The pseudocode of 2023-03 lets an IPA be as large as any physical address; in the current manual 52 bits
/// need the 64K granule, or DS, as they do with 64-bit descriptors.
constexpr wide_geometry_result decode_wide_vtcr(vtcr_el2 vtcr, u64 vttbr, manual_release manual, features const& f,
                                                constraint_choices const& choices) noexcept {
  open_choices open;
  granule const tg = stage2_granule(vtcr, f, choices, &open);
  u8 most = f.pa_bits;
  if (manual == manual_release::newest && most == 52 && tg != granule::k64 && !stage2_ds(vtcr, tg, f)) most = 48;
  u8 t0sz = vtcr.get<vtcr_el2::t0sz>();
  geometry_error const error = limit_txsz(t0sz, static_cast<u8>(64 - most), max_txsz(tg, f), f.lpa, choices, &open);
  wide_geometry_result r = make_wide_geometry(tg, t0sz, vtcr.get<vtcr_el2::ps>(), vttbr, manual, f);
  if (error != geometry_error::none) r.error = error;
  r.open = open;
  return r;
}

}  // namespace vmsa
