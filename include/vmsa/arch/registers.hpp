// SPDX-License-Identifier: MIT
// The system registers that control the EL1&0 regime's two stages: the fields that matter here, every bit named.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace vmsa {

// A register value with its fields. `Self` declares field types and a `layout` that covers all 64 bits.
template <class Self>
struct register_value {
  u64 raw = 0;

  template <class Field>
  constexpr auto get() const noexcept {
    return Field::get(raw);
  }
  // The register with one field replaced.
  template <class Field>
  constexpr Self with(typename Field::type value) const noexcept {
    Self r;
    r.raw = Field::put(raw, value);
    return r;
  }
  friend constexpr bool operator==(register_value const&, register_value const&) = default;
};

struct hcr_el2 : register_value<hcr_el2> {
  using vm = field<0, 0, bool>;
  using swio = field<1, 1, bool>;
  using ptw = field<2, 2, bool>;
  using fb = field<9, 9, bool>;
  using dc = field<12, 12, bool>;
  using tge = field<27, 27, bool>;
  using rw = field<31, 31, bool>;
  using cd = field<32, 32, bool>;
  using id = field<33, 33, bool>;
  using e2h = field<34, 34, bool>;
  using nv = field<42, 42, bool>;
  using nv1 = field<43, 43, bool>;
  using nv2 = field<45, 45, bool>;
  using fwb = field<46, 46, bool>;
  using ata = field<56, 56, bool>;
  using dct = field<57, 57, bool>;

  static constexpr field_info layout[] = {
      field<63, 60>::info("TWEDEL"),
      field<59>::info("TWEDEn"),
      field<58>::info("TID5"),
      dct::info("DCT"),
      ata::info("ATA"),
      field<55>::info("TTLBOS"),
      field<54>::info("TTLBIS"),
      field<53>::info("EnSCXT"),
      field<52>::info("TOCU"),
      field<51>::info("AMVOFFEN"),
      field<50>::info("TICAB"),
      field<49>::info("TID4"),
      field<48>::info("GPF"),
      field<47>::info("FIEN"),
      fwb::info("FWB"),
      nv2::info("NV2"),
      field<44>::info("AT"),
      nv1::info("NV1"),
      nv::info("NV"),
      field<41>::info("API"),
      field<40>::info("APK"),
      field<39>::info("RES0", field_role::res0),  // TME, of a feature that was withdrawn before anyone had it
      field<38>::info("MIOCNCE"),                 // not in the current manual, but in machines that are older
      field<37>::info("TEA"),
      field<36>::info("TERR"),
      field<35>::info("TLOR"),
      e2h::info("E2H"),
      id::info("ID"),
      cd::info("CD"),
      rw::info("RW"),
      field<30>::info("TRVM"),
      field<29>::info("HCD"),
      field<28>::info("TDZ"),
      tge::info("TGE"),
      field<26>::info("TVM"),
      field<25>::info("TTLB"),
      field<24>::info("TPU"),
      field<23>::info("TPCP"),
      field<22>::info("TSW"),
      field<21>::info("TACR"),
      field<20>::info("TIDCP"),
      field<19>::info("TSC"),
      field<18>::info("TID3"),
      field<17>::info("TID2"),
      field<16>::info("TID1"),
      field<15>::info("TID0"),
      field<14>::info("TWE"),
      field<13>::info("TWI"),
      dc::info("DC"),
      field<11, 10>::info("BSU"),
      fb::info("FB"),
      field<8>::info("VSE"),
      field<7>::info("VI"),
      field<6>::info("VF"),
      field<5>::info("AMO"),
      field<4>::info("IMO"),
      field<3>::info("FMO"),
      ptw::info("PTW"),
      swio::info("SWIO"),
      vm::info("VM"),
  };
};
static_assert(covers_all_bits(hcr_el2::layout));

struct vtcr_el2 : register_value<vtcr_el2> {
  using t0sz = field<5, 0, u8>;
  using sl0 = field<7, 6, u8>;
  using irgn0 = field<9, 8, u8>;
  using orgn0 = field<11, 10, u8>;
  using sh0 = field<13, 12, u8>;
  using tg0 = field<15, 14, u8>;
  using ps = field<18, 16, u8>;
  using vs = field<19, 19, bool>;
  using ha = field<21, 21, bool>;
  using hd = field<22, 22, bool>;
  using nsw = field<29, 29, bool>;
  using nsa = field<30, 30, bool>;
  using ds = field<32, 32, bool>;
  using sl2 = field<33, 33, bool>;
  using assured_only = field<34, 34, bool>;
  using tl1 = field<35, 35, bool>;
  using s2pie = field<36, 36, bool>;
  using s2poe = field<37, 37, bool>;
  using d128 = field<38, 38, bool>;
  using tl0 = field<41, 41, bool>;
  using haft = field<44, 44, bool>;
  using hdbss = field<45, 45, bool>;

  static constexpr field_info layout[] = {
      field<63, 46>::info("RES0", field_role::res0),
      hdbss::info("HDBSS"),
      haft::info("HAFT"),
      field<43, 42>::info("RES0", field_role::res0),
      tl0::info("TL0"),
      field<40>::info("GCSH"),
      field<39>::info("RES0", field_role::res0),
      d128::info("D128"),
      s2poe::info("S2POE"),
      s2pie::info("S2PIE"),
      tl1::info("TL1"),
      assured_only::info("AssuredOnly"),
      sl2::info("SL2"),
      ds::info("DS"),
      field<31>::info("RES1", field_role::res1),
      nsa::info("NSA"),
      nsw::info("NSW"),
      field<28, 25>::info("HWU"),
      field<24, 23>::info("RES0", field_role::res0),
      hd::info("HD"),
      ha::info("HA"),
      field<20>::info("RES0", field_role::res0),
      vs::info("VS"),
      ps::info("PS"),
      tg0::info("TG0"),
      sh0::info("SH0"),
      orgn0::info("ORGN0"),
      irgn0::info("IRGN0"),
      sl0::info("SL0"),
      t0sz::info("T0SZ"),
  };
};
static_assert(covers_all_bits(vtcr_el2::layout));

struct vttbr_el2 : register_value<vttbr_el2> {
  using vmid = field<63, 48, u16>;
  using baddr = field<47, 1>;
  using cnp = field<0, 0, bool>;

  static constexpr field_info layout[] = {vmid::info("VMID"), baddr::info("BADDR"), cnp::info("CnP")};
};
static_assert(covers_all_bits(vttbr_el2::layout));

// TTBR0_EL1 and TTBR1_EL1.
struct ttbr_el1 : register_value<ttbr_el1> {
  using asid = field<63, 48, u16>;
  using baddr = field<47, 1>;
  using cnp = field<0, 0, bool>;

  static constexpr field_info layout[] = {asid::info("ASID"), baddr::info("BADDR"), cnp::info("CnP")};
};
static_assert(covers_all_bits(ttbr_el1::layout));

struct tcr_el1 : register_value<tcr_el1> {
  using t0sz = field<5, 0, u8>;
  using epd0 = field<7, 7, bool>;
  using irgn0 = field<9, 8, u8>;
  using orgn0 = field<11, 10, u8>;
  using sh0 = field<13, 12, u8>;
  using tg0 = field<15, 14, u8>;
  using t1sz = field<21, 16, u8>;
  using a1 = field<22, 22, bool>;
  using epd1 = field<23, 23, bool>;
  using irgn1 = field<25, 24, u8>;
  using orgn1 = field<27, 26, u8>;
  using sh1 = field<29, 28, u8>;
  using tg1 = field<31, 30, u8>;
  using ips = field<34, 32, u8>;
  using tbi0 = field<37, 37, bool>;
  using tbi1 = field<38, 38, bool>;
  using ha = field<39, 39, bool>;
  using hd = field<40, 40, bool>;
  using hpd0 = field<41, 41, bool>;
  using hpd1 = field<42, 42, bool>;
  using tbid0 = field<51, 51, bool>;
  using tbid1 = field<52, 52, bool>;
  using e0pd0 = field<55, 55, bool>;
  using e0pd1 = field<56, 56, bool>;
  using ds = field<59, 59, bool>;
  using mtx0 = field<60, 60, bool>;
  using mtx1 = field<61, 61, bool>;

  static constexpr field_info layout[] = {
      field<63, 62>::info("RES0", field_role::res0),
      mtx1::info("MTX1"),
      mtx0::info("MTX0"),
      ds::info("DS"),
      field<58>::info("TCMA1"),
      field<57>::info("TCMA0"),
      e0pd1::info("E0PD1"),
      e0pd0::info("E0PD0"),
      field<54>::info("NFD1"),
      field<53>::info("NFD0"),
      tbid1::info("TBID1"),
      tbid0::info("TBID0"),
      field<50, 47>::info("HWU1"),
      field<46, 43>::info("HWU0"),
      hpd1::info("HPD1"),
      hpd0::info("HPD0"),
      hd::info("HD"),
      ha::info("HA"),
      tbi1::info("TBI1"),
      tbi0::info("TBI0"),
      field<36>::info("AS"),
      field<35>::info("RES0", field_role::res0),
      ips::info("IPS"),
      tg1::info("TG1"),
      sh1::info("SH1"),
      orgn1::info("ORGN1"),
      irgn1::info("IRGN1"),
      epd1::info("EPD1"),
      a1::info("A1"),
      t1sz::info("T1SZ"),
      tg0::info("TG0"),
      sh0::info("SH0"),
      orgn0::info("ORGN0"),
      irgn0::info("IRGN0"),
      epd0::info("EPD0"),
      field<6>::info("RES0", field_role::res0),
      t0sz::info("T0SZ"),
  };
};
static_assert(covers_all_bits(tcr_el1::layout));

struct tcr2_el1 : register_value<tcr2_el1> {
  using pnch = field<0, 0, bool>;
  using pie = field<1, 1, bool>;
  using e0poe = field<2, 2, bool>;
  using poe = field<3, 3, bool>;
  using aie = field<4, 4, bool>;
  using d128 = field<5, 5, bool>;
  using haft = field<11, 11, bool>;
  using disch0 = field<14, 14, bool>;
  using disch1 = field<15, 15, bool>;

  static constexpr field_info layout[] = {
      field<63, 22>::info("RES0", field_role::res0),
      field<21>::info("FNGNA1"),
      field<20>::info("FNGNA0"),
      field<19>::info("RES0", field_role::res0),
      field<18>::info("FNG1"),
      field<17>::info("FNG0"),
      field<16>::info("A2"),
      disch1::info("DisCH1"),
      disch0::info("DisCH0"),
      field<13, 12>::info("RES0", field_role::res0),
      haft::info("HAFT"),
      field<10>::info("PTTWI"),
      field<9, 6>::info("RES0", field_role::res0),
      d128::info("D128"),
      aie::info("AIE"),
      poe::info("POE"),
      e0poe::info("E0POE"),
      pie::info("PIE"),
      pnch::info("PnCH"),
  };
};
static_assert(covers_all_bits(tcr2_el1::layout));

struct sctlr_el1 : register_value<sctlr_el1> {
  using m = field<0, 0, bool>;
  using a = field<1, 1, bool>;
  using c = field<2, 2, bool>;
  using i = field<12, 12, bool>;
  using wxn = field<19, 19, bool>;
  using ee = field<25, 25, bool>;
  using epan = field<57, 57, bool>;

  static constexpr field_info layout[] = {
      field<63>::info("TIDCP"),
      field<62>::info("SPINTMASK"),
      field<61>::info("NMI"),
      field<60>::info("EnTP2"),
      field<59>::info("TCSO"),
      field<58>::info("TCSO0"),
      epan::info("EPAN"),
      field<56>::info("EnALS"),
      field<55>::info("EnAS0"),
      field<54>::info("EnASR"),
      field<53, 50>::info("RES0", field_role::res0),
      field<49, 46>::info("TWEDEL"),
      field<45>::info("TWEDEn"),
      field<44>::info("DSSBS"),
      field<43>::info("ATA"),
      field<42>::info("ATA0"),
      field<41, 40>::info("TCF"),
      field<39, 38>::info("TCF0"),
      field<37>::info("ITFSB"),
      field<36>::info("BT1"),
      field<35>::info("BT0"),
      field<34>::info("EnFPM"),
      field<33>::info("MSCEn"),
      field<32>::info("CMOW"),
      field<31>::info("EnIA"),
      field<30>::info("EnIB"),
      field<29>::info("LSMAOE"),
      field<28>::info("nTLSMD"),
      field<27>::info("EnDA"),
      field<26>::info("UCI"),
      ee::info("EE"),
      field<24>::info("E0E"),
      field<23>::info("SPAN"),
      field<22>::info("EIS"),
      field<21>::info("IESB"),
      field<20>::info("TSCXT"),
      wxn::info("WXN"),
      field<18>::info("nTWE"),
      field<17>::info("RES0", field_role::res0),
      field<16>::info("nTWI"),
      field<15>::info("UCT"),
      field<14>::info("DZE"),
      field<13>::info("EnDB"),
      i::info("I"),
      field<11>::info("EOS"),
      field<10>::info("EnRCTX"),
      field<9>::info("UMA"),
      field<8>::info("SED"),
      field<7>::info("ITD"),
      field<6>::info("nAA"),
      field<5>::info("CP15BEN"),
      field<4>::info("SA0"),
      field<3>::info("SA"),
      c::info("C"),
      a::info("A"),
      m::info("M"),
  };
};
static_assert(covers_all_bits(sctlr_el1::layout));

struct mair_el1 : register_value<mair_el1> {
  // The attribute byte that AttrIndx selects, 0 <= index <= 7.
  constexpr u8 attr(u8 index) const noexcept { return static_cast<u8>(raw >> (8 * (index & 7))); }

  static constexpr field_info layout[] = {
      field<63, 56>::info("Attr7"), field<55, 48>::info("Attr6"), field<47, 40>::info("Attr5"),
      field<39, 32>::info("Attr4"), field<31, 24>::info("Attr3"), field<23, 16>::info("Attr2"),
      field<15, 8>::info("Attr1"),  field<7, 0>::info("Attr0"),
  };
};
static_assert(covers_all_bits(mair_el1::layout));

}  // namespace vmsa
