// SPDX-License-Identifier: MIT
// PAR_EL1, the result of an address translation instruction, both ways.
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/mair.hpp"

namespace vmsa {

struct par_el1 {
  u64 raw = 0;
  u64 high = 0;  // bits 127:64, where the register has 128: bit 64 is D128

  using d128 = field<0, 0, bool>;     // of `high`
  using wide_output = field<55, 12>;  // of `high`: PA[55:12]

  using f = field<0, 0, bool>;
  // F = 0
  using sh = field<8, 7, u8>;
  using ns = field<9, 9, bool>;
  using output = field<51, 12>;
  using attr = field<63, 56, u8>;
  // F = 1
  using fst = field<6, 1, u8>;
  using ptw = field<8, 8, bool>;
  using s = field<9, 9, bool>;
  using assured_only = field<12, 12, bool>;
  using top_level = field<13, 13, bool>;
  using overlay = field<14, 14, bool>;
  using dirty_bit = field<15, 15, bool>;

  using res1 = field<11, 11, bool>;

  static constexpr field_info success_layout[] = {
      attr::info("ATTR"),     field<55, 52>::info("RES0", field_role::res0),
      output::info("PA"),     res1::info("RES1", field_role::res1),
      field<10>::info("NSE"), ns::info("NS"),
      sh::info("SH"),         field<6, 1>::info("RES0", field_role::res0),
      f::info("F"),
  };
  static constexpr field_info fault_layout[] = {
      field<63, 16>::info("RES0", field_role::res0),
      dirty_bit::info("DirtyBit"),
      overlay::info("Overlay"),
      top_level::info("TopLevel"),
      assured_only::info("AssuredOnly"),
      res1::info("RES1", field_role::res1),
      field<10>::info("RES0", field_role::res0),
      s::info("S"),
      ptw::info("PTW"),
      field<7>::info("RES0", field_role::res0),
      fst::info("FST"),
      f::info("F"),
  };

  template <class Field>
  constexpr auto get() const noexcept {
    return Field::get(raw);
  }
  friend constexpr bool operator==(par_el1, par_el1) = default;
};
static_assert(covers_all_bits(par_el1::success_layout) && covers_all_bits(par_el1::fault_layout));

// PAR_EL1.ATTR for attributes a translation ended with [EncodePARAttrs]. XS is reported whether or not FEAT_XS is
// implemented, as the golden tables do.
constexpr u8 encode_par_attr(memory_attributes const& a, bool mte_perm) noexcept {
  if (a.tagged) return a.no_tag_access && mte_perm ? 0xe0 : 0xf0;
  if (is_device(a)) return static_cast<u8>((static_cast<u8>(a.device) << 2) | (a.xs ? 0 : 1));
  if (!a.xs && is_non_cacheable(a)) return 0x40;
  if (!a.xs && both_halves(a, cache_policy::write_through) && a.outer == write_through_ra) return 0xa0;
  return static_cast<u8>((encode_mair_half(a.outer) << 4) | encode_mair_half(a.inner));
}

constexpr u8 encode_par_sh(memory_attributes const& a) noexcept {
  return static_cast<u8>(with_effective_shareability(a).sh);
}

constexpr par_el1 encode_par(pa output, memory_attributes const& a, bool mte_perm) noexcept {
  u64 raw = par_el1::res1::put(0, true);
  raw |= output.value & par_el1::output::mask;
  raw = par_el1::attr::put(raw, encode_par_attr(a, mte_perm));
  return {par_el1::sh::put(raw, encode_par_sh(a))};
}

/// The 128-bit format, which stage 2 tables of 128-bit descriptors make: the address moves into the upper half.
constexpr par_el1 encode_wide_par(par_el1 narrow, pa output) noexcept {
  if (narrow.get<par_el1::f>()) return {narrow.raw, 1};
  return {narrow.raw & ~par_el1::output::mask, (output.value & par_el1::wide_output::mask) | 1};
}

// `fst` is the fault status code; `ptw`: a stage 2 fault on a stage 1 table access; `stage2`: the fault is stage 2's.
constexpr par_el1 encode_par_fault(u8 fst, bool ptw, bool stage2) noexcept {
  u64 raw = par_el1::res1::put(1, true);
  raw = par_el1::fst::put(raw, fst);
  raw = par_el1::ptw::put(raw, ptw);
  return {par_el1::s::put(raw, stage2)};
}

// What PAR_EL1 tells of a translation that succeeded.
struct par_success {
  pa output{};  // page-aligned: bits 11:0 are the VA's
  memory_attributes attributes{};
  bool attr_reserved = false;  // ATTR holds no defined encoding: attributes are those of the reserved choice
};

constexpr std::optional<par_success> decode_par(par_el1 par, features const& f = all_features) noexcept {
  if (par.get<par_el1::f>()) return std::nullopt;
  u8 const byte = par.get<par_el1::attr>();
  shareability const sh = decode_shareability(par.get<par_el1::sh>());
  bool const wide = par_el1::d128::get(par.high);
  pa const output{wide ? par.high & par_el1::wide_output::mask : par.raw & par_el1::output::mask};
  if (byte == 0xe0 && f.mte_perm) {
    memory_attributes a = mair(0xf0, sh, f);
    a.no_tag_access = true;
    return par_success{output, a, false};
  }
  return par_success{output, mair(byte, sh, f), mair_is_reserved(byte, f)};
}

static_assert(encode_par({0x8000'0000}, mair(0xff), true).raw == 0xff00'0000'8000'0980);

}  // namespace vmsa
