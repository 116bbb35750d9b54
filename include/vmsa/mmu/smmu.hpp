// SPDX-License-Identifier: MIT
// An SMMUv3's Non-secure programming interface, and which stream table entries and context descriptors it takes: an
// ILLEGAL one ends in C_BAD_STE or C_BAD_CD before any walk [SMMUv3 architecture, IHI 0070 issue G, 5.2.2 and 5.4.2;
// SMMUv3.1 or later].
#pragma once
#include "vmsa/arch/smmu.hpp"
#include "vmsa/arch/smmu_attributes.hpp"
#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa {

struct smmu {
  smmu_idr0 idr0{};
  smmu_idr1 idr1{};
  smmu_idr3 idr3{};
  smmu_idr5 idr5{};
  smmu_cr0 cr0{};
  smmu_cr2 cr2{};
  smmu_gbpa gbpa{};
  smmu_strtab_base strtab_base{};
  smmu_strtab_base_cfg strtab_base_cfg{};
  smmu_choices choices{};

  /// Bits of a physical address that leaves the SMMU; 56 exists only with 128-bit descriptors, which are not modelled.
  constexpr u8 oas_bits() const noexcept { return physical_address_bits(idr5.get<smmu_idr5::oas>()); }
  /// Bits of an address that enters stage 2, or passes by [3.4].
  constexpr u8 ias_bits() const noexcept {
    bool const lpae = (idr0.get<smmu_idr0::ttf>() & 0b01) != 0;
    return lpae && oas_bits() < 40 ? u8{40} : oas_bits();
  }
};

/// A unit that implements everything that is modelled, with SMMUEN set: a start for examples and tests.
inline constexpr smmu full_smmu{.idr0 = smmu_idr0{}
                                            .with<smmu_idr0::s2p>(true)
                                            .with<smmu_idr0::s1p>(true)
                                            .with<smmu_idr0::ttf>(0b10)
                                            .with<smmu_idr0::cohacc>(true)
                                            .with<smmu_idr0::httu>(3)
                                            .with<smmu_idr0::hyp>(true)
                                            .with<smmu_idr0::ats>(true)
                                            .with<smmu_idr0::asid16>(true)
                                            .with<smmu_idr0::vmid16>(true)
                                            .with<smmu_idr0::cd2l>(true)
                                            .with<smmu_idr0::ttendian>(0b10)
                                            .with<smmu_idr0::st_level>(1),
                                .idr1 = smmu_idr1{}
                                            .with<smmu_idr1::sidsize>(32)
                                            .with<smmu_idr1::ssidsize>(20)
                                            .with<smmu_idr1::attr_perms_ovr>(true)
                                            .with<smmu_idr1::attr_types_ovr>(true),
                                .idr3 = smmu_idr3{}
                                            .with<smmu_idr3::had>(true)
                                            .with<smmu_idr3::xnx>(true)
                                            .with<smmu_idr3::fwb>(true)
                                            .with<smmu_idr3::stt>(true)
                                            .with<smmu_idr3::bbml>(2)
                                            .with<smmu_idr3::e0pd>(true)
                                            .with<smmu_idr3::ptwnnc>(true)
                                            .with<smmu_idr3::epan>(true),
                                .idr5 = smmu_idr5{}
                                            .with<smmu_idr5::oas>(0b110)
                                            .with<smmu_idr5::gran4k>(true)
                                            .with<smmu_idr5::gran16k>(true)
                                            .with<smmu_idr5::gran64k>(true)
                                            .with<smmu_idr5::ds>(true)
                                            .with<smmu_idr5::vax>(1),
                                .cr0 = smmu_cr0{}.with<smmu_cr0::smmuen>(true).with<smmu_cr0::atschk>(true),
                                .cr2 = smmu_cr2{}.with<smmu_cr2::recinvsid>(true)};

/// What of the PE's features the SMMU's tables have.
constexpr features features_of(smmu const& s) noexcept {
  features f;
  u8 const httu = s.idr0.get<smmu_idr0::httu>();
  f.pa_bits = s.oas_bits();
  f.stage1_granules = {s.idr5.get<smmu_idr5::gran4k>(), s.idr5.get<smmu_idr5::gran16k>(),
                       s.idr5.get<smmu_idr5::gran64k>()};
  f.stage2_granules = f.stage1_granules;
  f.lpa = f.pa_bits >= 52;
  f.lpa2 = s.idr5.get<smmu_idr5::ds>();
  f.lva = s.idr5.get<smmu_idr5::vax>() != 0;
  f.ttst = s.idr3.get<smmu_idr3::stt>();
  f.s2fwb = s.idr3.get<smmu_idr3::fwb>();
  f.xnx = s.idr3.get<smmu_idr3::xnx>();
  f.hw_access_flag = httu >= 1;
  f.hw_dirty_state = httu >= 2;
  f.haft = httu >= 3;
  f.bbm = s.idr3.get<smmu_idr3::bbml>();
  f.e0pd = s.idr3.get<smmu_idr3::e0pd>();
  f.hpds = s.idr3.get<smmu_idr3::had>();
  f.pan = s.idr3.get<smmu_idr3::epan>() ? 3 : 2;
  f.mte_perm = s.idr3.get<smmu_idr3::mteperm>();
  f.vmid16 = s.idr0.get<smmu_idr0::vmid16>();
  return f;
}

/// Why an STE or CD cannot be used.
enum class smmu_error : u8 {
  none,
  invalid,
  stage1_unsupported,
  stage2_unsupported,
  eats,
  strw,
  stall,
  s1cdmax,
  s1fmt,
  s1contextptr,
  table_format,
  table_updates,
  granule,
  table_base,
  input_size,
  start_level,
  endianness,
  vmid_or_asid,
  termination,
};

struct smmu_error_row {
  smmu_error what{};
  char const* name = "";
  char const* text = "";
};
inline constexpr smmu_error_row smmu_errors[] = {
    {smmu_error::none, "none", ""},
    {smmu_error::invalid, "invalid", "V is 0"},
    {smmu_error::stage1_unsupported, "stage1-unsupported", "Config asks for stage 1, which IDR0.S1P does not announce"},
    {smmu_error::stage2_unsupported, "stage2-unsupported", "Config asks for stage 2, which IDR0.S2P does not announce"},
    {smmu_error::eats, "eats", "EATS does not go with Config, S2S or IDR0.NS1ATS"},
    {smmu_error::strw, "strw", "STRW is reserved"},
    {smmu_error::stall, "stall", "a stall is asked for or forbidden against IDR0.STALL_MODEL or S1STALLD"},
    {smmu_error::s1cdmax, "s1cdmax", "S1CDMax is larger than IDR1.SSIDSIZE"},
    {smmu_error::s1fmt, "s1fmt", "S1Fmt asks for a two-level table, which IDR0.CD2L does not announce"},
    {smmu_error::s1contextptr, "s1contextptr", "S1ContextPtr lies beyond the address size"},
    {smmu_error::table_format, "table-format",
     "the table format is not in IDR0.TTF, or does not go with the other stage"},
    {smmu_error::table_updates, "table-updates", "HA, HD or HAFT ask for more than IDR0.HTTU announces"},
    {smmu_error::granule, "granule", "the granule is reserved or not in IDR5"},
    {smmu_error::table_base, "table-base", "the table's address lies beyond its output size"},
    {smmu_error::input_size, "input-size", "TxSZ is out of range"},
    {smmu_error::start_level, "start-level", "S2SL0, S2T0SZ and S2TG do not agree"},
    {smmu_error::endianness, "endianness", "the endianness is not in IDR0.TTENDIAN"},
    {smmu_error::vmid_or_asid, "vmid-or-asid", "more than 8 bits of VMID or ASID without IDR0.VMID16 or ASID16"},
    {smmu_error::termination, "termination", "CD.A is 0 although IDR0.TERM_MODEL knows only aborts"},
};
constexpr smmu_error_row const& row_of(smmu_error e) noexcept { return smmu_errors[static_cast<unsigned>(e)]; }

/// What the SMMUv3 architecture has and this model does not: nothing is answered then.
enum class smmu_unmodelled : u8 {
  none,
  lpae,                    // VMSAv8-32 LPAE tables
  d128,                    // VMSAv9-128 tables
  permission_indirection,  // S1PIE with PIE, S2PIE
  permission_overlay,      // S2POE
  attribute_extension,     // CD.AIE
  device_permission,       // EATS = 0b11 with the device permission table
};
constexpr char const* name(smmu_unmodelled u) noexcept {
  constexpr char const* names[] = {"",
                                   "VMSAv8-32 LPAE tables",
                                   "VMSAv9-128 tables",
                                   "permission indirection",
                                   "permission overlays",
                                   "attribute index extension (CD.AIE)",
                                   "the device permission table"};
  return names[static_cast<unsigned>(u)];
}

namespace smmu_detail {

constexpr bool beyond(u64 address, unsigned bits) noexcept { return bits < 64 && (address >> bits) != 0; }

constexpr smmu_error granule_error(u8 tg, bool upper, granule_set const& has, granule& tg_out) noexcept {
  constexpr granule lower_codes[] = {granule::k4, granule::k64, granule::k16};
  constexpr granule upper_codes[] = {granule::k16, granule::k4, granule::k64};
  if (upper ? tg == 0 : tg > 2) return smmu_error::granule;
  tg_out = upper ? upper_codes[(tg - 1) % 3] : lower_codes[tg];
  return has.has(tg_out) ? smmu_error::none : smmu_error::granule;
}

// The largest address that a table base may have: 48 bits where neither the granule nor DS allow more.
constexpr unsigned base_bits(unsigned output_bits, granule tg, bool ds) noexcept {
  return tg != granule::k64 && !ds && output_bits > 48 ? 48 : output_bits;
}

constexpr bool wrong_endianness(u8 ttendian, bool big) noexcept {
  return (ttendian == 0b10 && big) || (ttendian == 0b11 && !big);
}

constexpr unsigned smaller(unsigned a, unsigned b) noexcept { return a < b ? a : b; }

}  // namespace smmu_detail

/// STE.STRW means nothing: stage 1 or EL2 are not there, or stage 2 translates, or nothing does [IgnoreSTESTRW].
constexpr bool strw_is_ignored(smmu const& s, smmu_ste const& ste) noexcept {
  return !s.idr0.get<smmu_idr0::s1p>() || !s.idr0.get<smmu_idr0::hyp>() || ste.translates2() || !ste.translates1();
}

/// The StreamWorld: which translation regime a stream's stage 1 is of [5.2, STRW].
enum class stream_world : u8 {
  el1,      ///< EL1&0.
  el2,      ///< EL2 with one range of addresses and one privilege.
  el2_e2h,  ///< EL2&0, which walks as EL1&0 does.
};
constexpr stream_world world_of(smmu const& s, smmu_ste const& ste) noexcept {
  if (strw_is_ignored(s, ste) || ste.get<smmu_ste::strw>() != 0b10) return stream_world::el1;
  return s.cr2.get<smmu_cr2::e2h>() ? stream_world::el2_e2h : stream_world::el2;
}

/// STE.EATS as it counts: 0 where ATS is not there, or the stream bypasses [5.2, EATS].
constexpr u8 effective_eats(smmu const& s, smmu_ste const& ste) noexcept {
  if (!s.idr0.get<smmu_idr0::ats>() || (ste.get<smmu_ste::config>() & 0b11) == 0) return 0;
  u8 const eats = ste.get<smmu_ste::eats>();
  if (eats == 0b11 && !s.idr3.get<smmu_idr3::dpt>()) return 0;
  return eats >= 0b10 && !s.cr0.get<smmu_cr0::atschk>() ? u8{0} : eats;
}

/// VTCR_EL2 with the fields of the STE in their places.
constexpr vtcr_el2 vtcr_of(smmu_ste const& ste) noexcept {
  using s = smmu_ste;
  u8 const sh = ste.get<s::s2sh0>();
  return vtcr_el2{{(ste.word[2] >> 32) & low_mask(19)}}
      .with<vtcr_el2::sh0>(sh == 0b01 ? u8{0} : sh)  // reserved, but with one meaning
      .with<vtcr_el2::ha>(ste.get<s::s2ha>())
      .with<vtcr_el2::hd>(ste.get<s::s2ha>() && ste.get<s::s2hd>())
      .with<vtcr_el2::haft>(ste.get<s::s2haft>())
      .with<vtcr_el2::ds>(ste.get<s::s2ds>())
      .with<vtcr_el2::sl2>(ste.get<s::s2sl0_2>());
}

/// The shape of the STE's stage 2, whose input may be larger than its output where LPAE is implemented.
constexpr geometry_result stage2_geometry_of(smmu const& s, smmu_ste const& ste) noexcept {
  features f = features_of(s);
  u8 const output = f.pa_bits;
  f.pa_bits = s.ias_bits();
  geometry_result g = decode_vtcr(vtcr_of(ste), f, s.choices.walks);
  if (g && g.value.output_bits > output) {
    g.value.output_bits = output;
    g.value.beyond_output = ~low_mask(output);
  }
  return g;
}

/// What makes the STE ILLEGAL, or none [SteIllegal]. Config = 0b0xx is legal whatever the rest says.
constexpr smmu_error check(smmu const& s, smmu_ste const& ste) noexcept {
  using namespace smmu_detail;
  using e = smmu_ste;
  if (!ste.get<e::v>()) return smmu_error::invalid;
  u8 const config = ste.get<e::config>();
  if ((config & 0b100) == 0) return smmu_error::none;
  bool const one = ste.translates1();
  bool const two = ste.translates2();
  bool const d128 = s.idr5.get<smmu_idr5::d128>();
  bool const lpae2 = !d128 && !ste.get<e::s2aa64>();
  u8 const stall_model = s.idr0.get<smmu_idr0::stall_model>();
  if (one && !s.idr0.get<smmu_idr0::s1p>()) return smmu_error::stage1_unsupported;
  if (two && !s.idr0.get<smmu_idr0::s2p>()) return smmu_error::stage2_unsupported;

  if (s.idr0.get<smmu_idr0::ats>() && (config & 0b11) != 0) {
    u8 const eats = ste.get<e::eats>();
    bool const stalls = ste.get<e::s2s>();
    if (eats == 0b10 && (config != 0b111 || stalls || s.idr0.get<smmu_idr0::ns1ats>())) return smmu_error::eats;
    if (eats == 0b01 && stalls && two) return smmu_error::eats;
    if (eats == 0b11 && s.idr3.get<smmu_idr3::dpt>() && !strw_is_ignored(s, ste) && ste.get<e::strw>() != 0)
      return smmu_error::eats;
  }
  if (!strw_is_ignored(s, ste) && (ste.get<e::strw>() & 0b01)) return smmu_error::strw;

  if (one) {
    if (ste.get<e::s1stalld>() && stall_model != 0b00) return smmu_error::stall;
    u8 const ssidsize = s.idr1.get<smmu_idr1::ssidsize>();
    u8 const cdmax = ste.get<e::s1cdmax>();
    if (ssidsize != 0 && cdmax > ssidsize) return smmu_error::s1cdmax;
    u8 const fmt = ste.get<e::s1fmt>();
    if (ssidsize != 0 && cdmax != 0 && !s.idr0.get<smmu_idr0::cd2l>() && (fmt == 0b01 || fmt == 0b10))
      return smmu_error::s1fmt;
    u64 const ptr = ste.get<e::s1contextptr>() << 6;
    if (beyond(ptr, two ? s.ias_bits() : s.oas_bits())) return smmu_error::s1contextptr;
  }
  if (two) {
    if (lpae2 && s.idr3.get<smmu_idr3::fwb>() && ste.get<e::s2fwb>()) return smmu_error::table_format;
    if (ste.get<e::s2s>() ? stall_model == 0b01 : stall_model == 0b10) return smmu_error::stall;
    u8 const ttf = s.idr0.get<smmu_idr0::ttf>();
    if (lpae2 && (ttf & 0b01) == 0) return smmu_error::table_format;
    if (ste.get<e::s2aa64>() && (ttf & 0b10) == 0) return smmu_error::table_format;
    u8 const httu = s.idr0.get<smmu_idr0::httu>();
    if ((ste.get<e::s2ha>() || ste.get<e::s2hd>()) && (lpae2 || httu == 0)) return smmu_error::table_updates;
    if (ste.get<e::s2hd>() && httu == 1) return smmu_error::table_updates;
    if (ste.get<e::s2haft>() && !ste.get<e::s2ha>() && httu == 3) return smmu_error::table_updates;
    if (ste.get<e::s2aa64>()) {
      features const f = features_of(s);
      granule tg{};
      if (granule_error(ste.get<e::s2tg>(), false, f.stage2_granules, tg) != smmu_error::none)
        return smmu_error::granule;
      bool const ds = ste.get<e::s2ds>() && f.lpa2 && tg != granule::k64;
      unsigned const output = smaller(physical_address_bits(ste.get<e::s2ps>()), s.oas_bits());
      if (beyond(ste.get<e::s2ttb>() << 4, base_bits(output, tg, ds))) return smmu_error::table_base;
      unsigned const t0sz = ste.get<e::s2t0sz>();
      unsigned const least = tg == granule::k64 || ds ? 12 : 16;
      unsigned const by_size = 64u - s.ias_bits();
      if (t0sz < (least > by_size ? least : by_size) || t0sz > max_txsz(tg, f)) return smmu_error::input_size;
      if (!stage2_geometry_of(s, ste)) return smmu_error::start_level;
    }
    if (wrong_endianness(s.idr0.get<smmu_idr0::ttendian>(), ste.get<e::s2endi>())) return smmu_error::endianness;
  }
  bool const vmid_counts =
      s.idr0.get<smmu_idr0::s2p>() && config != 0b100 && (strw_is_ignored(s, ste) || ste.get<e::strw>() == 0);
  if (vmid_counts && !s.idr0.get<smmu_idr0::vmid16>() && (ste.get<e::s2vmid>() >> 8) != 0)
    return smmu_error::vmid_or_asid;
  return smmu_error::none;
}

/// What makes a CD that this STE leads to ILLEGAL, or none [CdIllegal].
constexpr smmu_error check(smmu const& s, smmu_ste const& ste, smmu_cd const& cd) noexcept {
  using namespace smmu_detail;
  using c = smmu_cd;
  if (!cd.get<c::v>()) return smmu_error::invalid;
  u8 const stall_model = s.idr0.get<smmu_idr0::stall_model>();
  bool const stalls = cd.get<c::s>();
  if (stalls && (ste.get<smmu_ste::s1stalld>() || stall_model == 0b01)) return smmu_error::stall;
  if (!stalls && stall_model == 0b10) return smmu_error::stall;
  if (s.idr0.get<smmu_idr0::term_model>() && !cd.get<c::a>()) return smmu_error::termination;
  bool const one_range = world_of(s, ste) == stream_world::el2;  // no TTB1 and no ASID, and walks cannot be disabled
  bool const epd0 = !one_range && cd.get<c::epd0>();
  bool const epd1 = one_range || cd.get<c::epd1>();
  if ((!epd0 || !epd1) && wrong_endianness(s.idr0.get<smmu_idr0::ttendian>(), cd.get<c::endi>()))
    return smmu_error::endianness;
  bool const lpae1 = !cd.get<c::aa64>() && !s.idr5.get<smmu_idr5::d128>();
  u8 const ttf = s.idr0.get<smmu_idr0::ttf>();
  if (lpae1 && (ttf & 0b01) == 0) return smmu_error::table_format;
  bool const lpae2 = ste.translates2() && !ste.get<smmu_ste::s2aa64>() && !s.idr5.get<smmu_idr5::d128>();
  if (cd.get<c::aa64>() && ((ttf & 0b10) == 0 || lpae2)) return smmu_error::table_format;
  u8 const httu = s.idr0.get<smmu_idr0::httu>();
  if (!lpae1) {
    if ((cd.get<c::ha>() || cd.get<c::hd>()) && httu == 0) return smmu_error::table_updates;
    if (cd.get<c::hd>() && httu == 1) return smmu_error::table_updates;
    if (cd.get<c::haft>() && !cd.get<c::ha>() && httu == 3) return smmu_error::table_updates;
  }
  if (!one_range && !s.idr0.get<smmu_idr0::asid16>() && (cd.get<c::asid>() >> 8) != 0) return smmu_error::vmid_or_asid;
  if (!cd.get<c::aa64>()) return smmu_error::none;

  features const f = features_of(s);
  unsigned const output = smaller(physical_address_bits(cd.get<c::ips>()), s.oas_bits());
  struct half {
    bool off, upper;
    u8 tg, txsz;
    u64 ttb;
  };
  half const halves[] = {{epd0, false, cd.get<c::tg0>(), cd.get<c::t0sz>(), cd.get<c::ttb0>() << 4},
                         {epd1, true, cd.get<c::tg1>(), cd.get<c::t1sz>(), cd.get<c::ttb1>() << 4}};
  for (half const& h : halves) {
    if (h.off) continue;
    granule tg{};
    bool const known = granule_error(h.tg, h.upper, f.stage1_granules, tg) == smmu_error::none;
    bool const ds = cd.get<c::ds>() && f.lpa2 && tg != granule::k64;
    unsigned const least = f.lva && (tg == granule::k64 || ds) ? 12 : 16;
    if (known && (h.txsz < least || h.txsz > max_txsz(tg, f))) return smmu_error::input_size;
    if (!known) return smmu_error::granule;
    if (beyond(h.ttb, base_bits(output, tg, ds))) return smmu_error::table_base;
  }
  return smmu_error::none;
}

static_assert(check(full_smmu, smmu_ste{{{0x9}}}) == smmu_error::none);
static_assert(check(full_smmu, smmu_ste{}) == smmu_error::invalid);

}  // namespace vmsa
