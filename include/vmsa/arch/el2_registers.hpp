// SPDX-License-Identifier: MIT
// The system registers of EL2 that control the EL2 and EL2&0 regimes, and HCRX_EL2, which holds features back from EL1
// [Arm ARM, General system control registers].
#pragma once
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// Of the EL2 regime, HCR_EL2.E2H = 0; with E2H = 1 the register has the layout of TCR_EL1.
struct tcr_el2 : register_value<tcr_el2> {
  using t0sz = field<5, 0, u8>;
  using irgn0 = field<9, 8, u8>;
  using orgn0 = field<11, 10, u8>;
  using sh0 = field<13, 12, u8>;
  using tg0 = field<15, 14, u8>;
  using ps = field<18, 16, u8>;
  using tbi = field<20, 20, bool>;
  using ha = field<21, 21, bool>;
  using hd = field<22, 22, bool>;
  using hpd = field<24, 24, bool>;
  using tbid = field<29, 29, bool>;
  using ds = field<32, 32, bool>;
  using mtx = field<33, 33, bool>;

  static constexpr field_info layout[] = {
      field<63, 34>::info("RES0", field_role::res0),
      mtx::info("MTX"),
      ds::info("DS"),
      field<31>::info("RES1", field_role::res1),
      field<30>::info("TCMA"),
      tbid::info("TBID"),
      field<28, 25>::info("HWU"),
      hpd::info("HPD"),
      field<23>::info("RES1", field_role::res1),
      hd::info("HD"),
      ha::info("HA"),
      tbi::info("TBI"),
      field<19>::info("RES0", field_role::res0),
      ps::info("PS"),
      tg0::info("TG0"),
      sh0::info("SH0"),
      orgn0::info("ORGN0"),
      irgn0::info("IRGN0"),
      field<7, 6>::info("RES0", field_role::res0),
      t0sz::info("T0SZ"),
  };
};
static_assert(covers_all_bits(tcr_el2::layout));

/// Of the EL2 regime, E2H = 0: its tables are 64-bit, of one address range and without EL0.
struct tcr2_el2 : register_value<tcr2_el2> {
  using pnch = field<0, 0, bool>;
  using pie = field<1, 1, bool>;
  using poe = field<3, 3, bool>;
  using aie = field<4, 4, bool>;
  using haft = field<11, 11, bool>;
  using amec0 = field<12, 12, bool>;

  static constexpr field_info layout[] = {
      field<63, 13>::info("RES0", field_role::res0),
      amec0::info("AMEC0"),
      haft::info("HAFT"),
      field<10>::info("PTTWI"),
      field<9, 5>::info("RES0", field_role::res0),
      aie::info("AIE"),
      poe::info("POE"),
      field<2>::info("RES0", field_role::res0),
      pie::info("PIE"),
      pnch::info("PnCH"),
  };
};
static_assert(covers_all_bits(tcr2_el2::layout));

/// TCR2_EL2 of the EL2&0 regime, E2H = 1.
struct tcr2_el2_vhe : register_value<tcr2_el2_vhe> {
  using pnch = field<0, 0, bool>;
  using pie = field<1, 1, bool>;
  using e0poe = field<2, 2, bool>;
  using poe = field<3, 3, bool>;
  using aie = field<4, 4, bool>;
  using d128 = field<5, 5, bool>;
  using haft = field<11, 11, bool>;
  using amec0 = field<12, 12, bool>;
  using amec1 = field<13, 13, bool>;
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
      amec1::info("AMEC1"),
      amec0::info("AMEC0"),
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
static_assert(covers_all_bits(tcr2_el2_vhe::layout));

/// TTBR0_EL2 of the EL2 regime, E2H = 0, and TTBR0_EL3: neither regime has ASIDs.
struct ttbr0_el2 : register_value<ttbr0_el2> {
  using baddr = field<47, 1>;
  using cnp = field<0, 0, bool>;

  static constexpr field_info layout[] = {
      field<63, 48>::info("RES0", field_role::res0),
      baddr::info("BADDR"),
      cnp::info("CnP"),
  };
};
static_assert(covers_all_bits(ttbr0_el2::layout));

/// Of the EL2 regime, E2H = 0: what controls EL0 with E2H = 1 is reserved, as 1 where AArch32 at EL0 had it so.
struct sctlr_el2 : register_value<sctlr_el2> {
  using m = field<0, 0, bool>;
  using a = field<1, 1, bool>;
  using c = field<2, 2, bool>;
  using i = field<12, 12, bool>;
  using wxn = field<19, 19, bool>;
  using ee = field<25, 25, bool>;

  static constexpr field_info layout[] = {
      field<63>::info("RES0", field_role::res0),
      field<62>::info("SPINTMASK"),
      field<61>::info("NMI"),
      field<60>::info("RES0", field_role::res0),
      field<59>::info("TCSO"),
      field<58, 45>::info("RES0", field_role::res0),
      field<44>::info("DSSBS"),
      field<43>::info("ATA"),
      field<42>::info("RES0", field_role::res0),
      field<41, 40>::info("TCF"),
      field<39, 38>::info("RES0", field_role::res0),
      field<37>::info("ITFSB"),
      field<36>::info("BT"),
      field<35, 32>::info("RES0", field_role::res0),
      field<31>::info("EnIA"),
      field<30>::info("EnIB"),
      field<29, 28>::info("RES1", field_role::res1),
      field<27>::info("EnDA"),
      field<26>::info("RES0", field_role::res0),
      ee::info("EE"),
      field<24>::info("RES0", field_role::res0),
      field<23>::info("RES1", field_role::res1),
      field<22>::info("EIS"),
      field<21>::info("IESB"),
      field<20>::info("RES0", field_role::res0),
      wxn::info("WXN"),
      field<18>::info("RES1", field_role::res1),
      field<17>::info("RES0", field_role::res0),
      field<16>::info("RES1", field_role::res1),
      field<15, 14>::info("RES0", field_role::res0),
      field<13>::info("EnDB"),
      i::info("I"),
      field<11>::info("EOS"),
      field<10, 7>::info("RES0", field_role::res0),
      field<6>::info("nAA"),
      field<5, 4>::info("RES1", field_role::res1),
      field<3>::info("SA"),
      c::info("C"),
      a::info("A"),
      m::info("M"),
  };
};
static_assert(covers_all_bits(sctlr_el2::layout));

/// SCTLR_EL2 of the EL2&0 regime, E2H = 1. What counts with HCR_EL2.TGE = 1 only, the controls of EL0, is named too.
struct sctlr_el2_vhe : register_value<sctlr_el2_vhe> {
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
      field<36>::info("BT"),
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
      field<9>::info("RES0", field_role::res0),
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
static_assert(covers_all_bits(sctlr_el2_vhe::layout));

struct hcrx_el2 : register_value<hcrx_el2> {
  using fnxs = field<3, 3, bool>;
  using fgtnxs = field<4, 4, bool>;
  using tcr2en = field<14, 14, bool>;
  using sctlr2en = field<15, 15, bool>;
  using d128en = field<17, 17, bool>;

  static constexpr field_info layout[] = {
      field<63, 27>::info("RES0", field_role::res0),
      field<26>::info("SRMASKEn"),
      field<25>::info("RES0", field_role::res0),
      field<24>::info("PACMEn"),
      field<23>::info("EnFPM"),
      field<22>::info("GCSEn"),
      field<21>::info("EnIDCP128"),
      field<20>::info("EnSDERR"),
      field<19>::info("TMEA"),
      field<18>::info("EnSNERR"),
      d128en::info("D128En"),
      field<16>::info("PTTWI"),
      sctlr2en::info("SCTLR2En"),
      tcr2en::info("TCR2En"),
      field<13, 12>::info("RES0", field_role::res0),
      field<11>::info("MSCEn"),
      field<10>::info("MCE2"),
      field<9>::info("CMOW"),
      field<8>::info("VFNMI"),
      field<7>::info("VINMI"),
      field<6>::info("TALLINT"),
      field<5>::info("SMPME"),
      fgtnxs::info("FGTnXS"),
      fnxs::info("FnXS"),
      field<2>::info("EnASR"),
      field<1>::info("EnALS"),
      field<0>::info("EnAS0"),
  };
};
static_assert(covers_all_bits(hcrx_el2::layout));

// Of a Secure IPA: size, granule and start level as in VTCR_EL2, and what moves it into the Non-secure space.
struct vstcr_el2 : register_value<vstcr_el2> {
  using sw = field<29, 29, bool>;
  using sa = field<30, 30, bool>;

  static constexpr field_info layout[] = {
      field<63, 34>::info("RES0", field_role::res0),
      vtcr_el2::sl2::info("SL2"),
      field<32>::info("RES0", field_role::res0),
      field<31>::info("RES1", field_role::res1),
      sa::info("SA"),
      sw::info("SW"),
      field<28, 16>::info("RES0", field_role::res0),
      vtcr_el2::tg0::info("TG0"),
      field<13, 8>::info("RES0", field_role::res0),
      vtcr_el2::sl0::info("SL0"),
      vtcr_el2::t0sz::info("T0SZ"),
  };
  // VTCR_EL2 as it counts for a Secure IPA: what VSTCR_EL2 has comes from it.
  constexpr vtcr_el2 over(vtcr_el2 vtcr) const noexcept {
    constexpr u64 own = vtcr_el2::t0sz::mask | vtcr_el2::sl0::mask | vtcr_el2::tg0::mask | vtcr_el2::sl2::mask;
    return {{(vtcr.raw & ~own) | (raw & own)}};
  }
};
static_assert(covers_all_bits(vstcr_el2::layout));

// Where the stage 2 table of Secure IPAs lies; the VMID is VTTBR_EL2's.
struct vsttbr_el2 : register_value<vsttbr_el2> {
  using baddr = field<47, 1>;
  using cnp = field<0, 0, bool>;

  static constexpr field_info layout[] = {
      field<63, 48>::info("RES0", field_role::res0),
      baddr::info("BADDR"),
      cnp::info("CnP"),
  };
};
static_assert(covers_all_bits(vsttbr_el2::layout));

}  // namespace vmsa
