// SPDX-License-Identifier: MIT
// One half of TCR_EL1 to a geometry: TTBR0_EL1 translates the lower half of the virtual addresses, TTBR1_EL1 the upper.
#pragma once
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/mmu/geometry.hpp"

namespace vmsa {

// VA[55] tells the halves apart, also where the bits above it hold a tag.
enum class va_half : u8 { lower, upper };

constexpr va_half half_of(va where) noexcept { return field<55, 55, va_half>::get(where.value); }

// The fields of TCR_EL1 that exist once for each half, and the common ones beside them.
struct tcr_half {
  u8 txsz = 0;
  u8 tg = 0;  // TG0 or TG1 as it stands: the two encode granules differently
  u8 sh = 0;
  u8 irgn = 0;
  u8 orgn = 0;
  u8 ips = 0;
  bool epd = false;
  bool e0pd = false;
  bool hpd = false;
  bool tbi = false;
  bool tbid = false;
  bool ds = false;
};

constexpr tcr_half half_of(tcr_el1 tcr, va_half half) noexcept {
  using t = tcr_el1;
  tcr_half h{.ips = tcr.get<t::ips>(), .ds = tcr.get<t::ds>()};
  if (half == va_half::lower) {
    h.txsz = tcr.get<t::t0sz>();
    h.tg = tcr.get<t::tg0>();
    h.sh = tcr.get<t::sh0>();
    h.irgn = tcr.get<t::irgn0>();
    h.orgn = tcr.get<t::orgn0>();
    h.epd = tcr.get<t::epd0>();
    h.e0pd = tcr.get<t::e0pd0>();
    h.hpd = tcr.get<t::hpd0>();
    h.tbi = tcr.get<t::tbi0>();
    h.tbid = tcr.get<t::tbid0>();
  } else {
    h.txsz = tcr.get<t::t1sz>();
    h.tg = tcr.get<t::tg1>();
    h.sh = tcr.get<t::sh1>();
    h.irgn = tcr.get<t::irgn1>();
    h.orgn = tcr.get<t::orgn1>();
    h.epd = tcr.get<t::epd1>();
    h.e0pd = tcr.get<t::e0pd1>();
    h.hpd = tcr.get<t::hpd1>();
    h.tbi = tcr.get<t::tbi1>();
    h.tbid = tcr.get<t::tbid1>();
  }
  return h;
}

// The one range of the EL2 regime, which has no EL0 to keep away.
constexpr tcr_half range_of(tcr_el2 tcr) noexcept {
  using t = tcr_el2;
  return {.txsz = tcr.get<t::t0sz>(),
          .tg = tcr.get<t::tg0>(),
          .sh = tcr.get<t::sh0>(),
          .irgn = tcr.get<t::irgn0>(),
          .orgn = tcr.get<t::orgn0>(),
          .ips = tcr.get<t::ps>(),
          .hpd = tcr.get<t::hpd>(),
          .tbi = tcr.get<t::tbi>(),
          .tbid = tcr.get<t::tbid>(),
          .ds = tcr.get<t::ds>()};
}

// TG0 is 00 4K, 01 64K, 10 16K; TG1 is 01 16K, 10 4K, 11 64K; the fourth value of each is reserved, and a granule
// that is not implemented counts as reserved.
constexpr granule stage1_granule(u8 tg, va_half half, features const& f, constraint_choices const& choices = {},
                                 open_choices* open = nullptr) noexcept {
  constexpr granule lower[] = {granule::k4, granule::k64, granule::k16};
  constexpr granule upper[] = {granule::k16, granule::k4, granule::k64};
  bool const reserved = half == va_half::lower ? tg > 2 : tg == 0;
  granule const g = half == va_half::lower ? lower[tg % 3] : upper[(tg + 2) % 3];
  if (!reserved && f.stage1_granules.has(g)) return g;
  if (open != nullptr) open->add(open_choice::reserved_tg);
  return choices.reserved_tg;
}

// Every input size has one start level, so nothing is concatenated: a top table that is not full is smaller.
constexpr geometry_result decode_tcr(tcr_half const& h, va_half half, features const& f,
                                     constraint_choices const& choices = {}) noexcept {
  open_choices open;
  granule const tg = stage1_granule(h.tg, half, f, choices, &open);
  bool const ds = h.ds && f.lpa2 && tg != granule::k64;

  u8 txsz = h.txsz;
  u8 const minimum = ds || (tg == granule::k64 && f.lva) ? 12 : 16;
  geometry_error const error = limit_txsz(txsz, minimum, max_txsz(tg, f), f.lva, choices, &open);
  if (error != geometry_error::none) return {{}, error, open};

  u8 const bits = static_cast<u8>(64 - txsz);
  level const start = static_cast<level>(3 - static_cast<int>((bits - 1u - granule_bits(tg)) / stride(tg)));
  u8 const ips_bits = physical_address_bits(h.ips);
  bool const lpa = tg == granule::k64 && f.lpa;
  descriptor_format const format{tg, ds, lpa, f.pa_bits >= 52};
  return {
      make_geometry(format, start, bits, ips_bits < f.pa_bits ? ips_bits : f.pa_bits, ds || (lpa && h.ips == 0b110)),
      geometry_error::none, open};
}

static_assert(decode_tcr({.txsz = 16}, va_half::lower, {}).value.start == level::l0);
static_assert(decode_tcr({.txsz = 25, .tg = 0b10}, va_half::upper, {}).value.start == level::l1);
static_assert(decode_tcr({.txsz = 16, .tg = 0b10}, va_half::lower, {.stage1_granules = {.k16 = false}}).value.tg() ==
              granule::k4);
static_assert(decode_tcr({.txsz = 12, .ds = true}, va_half::lower, all_features).value.start == level::m1);

}  // namespace vmsa
