// SPDX-License-Identifier: MIT
// The shape of a translation table: granule, start level, concatenation, sizes. Validated once, then only looked at.
#pragma once
#include <concepts>

#include "vmsa/arch/constraint_choices.hpp"
#include "vmsa/arch/descriptor.hpp"
#include "vmsa/arch/features.hpp"

namespace vmsa {

// Why a configuration cannot be walked. The hardware answers each with a level 0 Translation fault for every input.
enum class geometry_error : u8 {
  none,
  granule_unsupported,   // the ID registers do not announce this granule at this stage
  input_too_large,       // TxSZ below its minimum
  input_too_small,       // TxSZ above its maximum
  start_level_reserved,  // SL0 (and SL2) hold no start level for this granule
  start_level_needs_pa,  // this start level needs a larger PAMax
  start_level_needs_ttst,
  start_level_mismatch,  // the start level cannot resolve this input size, even with 16 concatenated tables
};

struct stage2_configuration;

// A validated shape. Shift and mask of every level are computed once, so that a walk only shifts and masks.
struct geometry {
  descriptor_format format{};
  level start = level::l0;
  u8 input_bits = 48;      // input addresses are below 2^input_bits
  u8 output_bits = 48;     // effective output address size: min(PS or IPS, PAMax)
  bool wide_base = false;  // TTBR bits 5:2 are address bits 51:48
  u8 shifts[5] = {};       // by index(level)
  u32 masks[5] = {};       // entries - 1; at the start level those of a partial or concatenated table
  u32 root_entries = 0;
  u64 address_bits = 0;       // of a descriptor: those of the address that are in place, 47:12 with the 4K granule
  u64 high_address_bits = 0;  // and those of address bits 51:48 or 51:50, which lie further down
  u8 high_address_shift = 0;
  u64 beyond_output = 0;  // address bits at and above output_bits

  constexpr unsigned shift(level l) const noexcept { return shifts[vmsa::index(l)]; }
  constexpr u64 size(level l) const noexcept { return u64{1} << shift(l); }
  constexpr u64 slot_index(level l, u64 input) const noexcept { return (input >> shift(l)) & masks[vmsa::index(l)]; }
  template <class Space>
  constexpr u64 slot_index(level l, address<Space> input) const noexcept {
    return slot_index(l, input.value);
  }
  constexpr granule tg() const noexcept { return format.tg; }
  constexpr level start_level() const noexcept { return start; }
  constexpr bool contains(u64 input) const noexcept { return (input >> input_bits) == 0; }

  // The address in a table descriptor; in a block also what is below the block's size, which says nothing.
  constexpr pa address_in(descriptor d) const noexcept {
    u64 const address = d.raw & address_bits;
    return {high_address_bits == 0 ? address : address | ((d.raw & high_address_bits) << high_address_shift)};
  }
  // An Address size fault: `output`, of either stage, does not fit.
  template <class Space>
  constexpr bool output_too_large(address<Space> output) const noexcept {
    return (output.value & beyond_output) != 0;
  }

  // Bytes the walk indexes at the start level: a partial table, one granule, or up to 16.
  constexpr u64 root_size() const noexcept { return u64{8} * root_entries; }
  // Low base bits that the walk ignores: the root must be aligned so, and never to less than 64 with a wide base.
  constexpr u64 root_alignment() const noexcept { return wide_base && root_size() < 64 ? 64 : root_size(); }
  constexpr unsigned concatenated_tables() const noexcept {
    return root_entries > (1u << stride(format.tg)) ? root_entries >> stride(format.tg) : 1;
  }

  // The stage 2 configuration with the fewest levels for 2^bits of IPA: VTCR_EL2, this geometry, and so the root's size
  // and alignment. Defined in stage2_geometry.hpp.
  static constexpr stage2_configuration for_ipa_size(u8 bits, granule tg, features const& f) noexcept;

  friend constexpr bool operator==(geometry const&, geometry const&) = default;
};

struct [[nodiscard]] geometry_result {
  geometry value{};
  geometry_error error = geometry_error::none;
  open_choices open{};  // what the architecture left open on the way
  constexpr explicit operator bool() const noexcept { return error == geometry_error::none; }
};

// What the table code needs of a geometry: geometry itself (run time), or fixed_geometry (compile time).
template <class G>
concept translation_geometry = requires(G const& g, level l, u64 input) {
  { g.shift(l) } -> std::convertible_to<unsigned>;
  { g.size(l) } -> std::convertible_to<u64>;
  { g.slot_index(l, input) } -> std::convertible_to<u64>;
  { g.start_level() } -> std::same_as<level>;
  { g.tg() } -> std::same_as<granule>;
  { g.contains(input) } -> std::same_as<bool>;
  { g.root_size() } -> std::convertible_to<u64>;
  { g.address_in(descriptor{}) } -> std::same_as<pa>;
  { g.output_too_large(pa{}) } -> std::same_as<bool>;
  { g.format } -> std::convertible_to<descriptor_format>;
  { g.input_bits } -> std::convertible_to<unsigned>;
  { g.output_bits } -> std::convertible_to<unsigned>;
};

// The largest TxSZ: the smallest input space.
constexpr u8 max_txsz(granule tg, features const& f) noexcept {
  if (!f.ttst) return 39;
  return tg == granule::k64 ? 47 : 48;
}

// Clamps or refuses TxSZ as the architecture and the choices say; `architected` tells whether a value below the
// minimum faults whatever the implementation.
constexpr geometry_error limit_txsz(u8& txsz, u8 minimum, u8 maximum, bool architected,
                                    constraint_choices const& choices, open_choices* open = nullptr) noexcept {
  if (txsz < minimum) {
    if (!architected && open != nullptr) open->add(open_choice::txsz_below_minimum);
    if (architected || choices.txsz_below_min_faults) return geometry_error::input_too_large;
    txsz = minimum;
  } else if (txsz > maximum) {
    if (open != nullptr) open->add(open_choice::txsz_above_maximum);
    if (choices.txsz_above_max_faults) return geometry_error::input_too_small;
    txsz = maximum;
  }
  return geometry_error::none;
}

// Fills in the derived members for a start level that can resolve the input.
constexpr geometry make_geometry(descriptor_format const& format, level start, u8 input_bits, u8 output_bits,
                                 bool wide_base) noexcept {
  geometry g;
  g.format = format;
  g.start = start;
  g.input_bits = input_bits;
  g.output_bits = output_bits;
  g.wide_base = wide_base;
  for (level l = level::m1;; l = next(l)) {
    unsigned const shift = level_shift(format.tg, l);
    g.shifts[index(l)] = static_cast<u8>(shift < 63 ? shift : 63);
    g.masks[index(l)] = static_cast<u32>(low_mask(stride(format.tg)));
    if (l == level::l3) break;
  }
  g.root_entries = u32{1} << (input_bits - level_shift(format.tg, start));
  g.masks[index(start)] = g.root_entries - 1;
  g.address_bits = bit_mask(format.ds ? 49 : 47, granule_bits(format.tg));
  g.high_address_bits = format.ds ? bit_mask(9, 8) : format.lpa ? bit_mask(15, 12) : 0;
  g.high_address_shift = format.ds ? 42 : 36;
  g.beyond_output = ~low_mask(output_bits);
  return g;
}

// The table base a TTBR or VTTBR holds in bits 47:1: bits below the root's alignment are ignored, never a fault.
constexpr pa table_base(u64 ttbr, geometry const& g) noexcept {
  u64 base = ttbr & bit_mask(47, 1);
  if (g.wide_base) base = (ttbr & bit_mask(47, 6)) | (field<5, 2>::get(ttbr) << 48);
  return pa{base}.floor_to(g.root_alignment());
}

// True when a base has bits below the alignment of its start table, which table_base drops: CONSTRAINED UNPREDICTABLE
// [TTBR0_EL1 and VTTBR_EL2, BADDR].
constexpr bool base_is_misaligned(u64 ttbr, geometry const& g) noexcept {
  return (ttbr & bit_mask(47, g.wide_base ? 6 : 1) & (g.root_alignment() - 1)) != 0;
}

}  // namespace vmsa
