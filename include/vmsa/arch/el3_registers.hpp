// SPDX-License-Identifier: MIT
// The system registers of EL3 that control its regime, and SCR_EL3, which says what lower exception levels are and have
// [Arm ARM, General system control registers].
#pragma once
#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/registers.hpp"

namespace vmsa {

struct tcr_el3 : register_value<tcr_el3> {
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
  using pnch = field<34, 34, bool>;
  using pie = field<35, 35, bool>;
  using poe = field<36, 36, bool>;
  using aie = field<37, 37, bool>;
  using d128 = field<38, 38, bool>;
  using haft = field<42, 42, bool>;
  using disch0 = field<43, 43, bool>;

  static constexpr field_info layout[] = {
      field<63, 44>::info("RES0", field_role::res0),
      disch0::info("DisCH0"),
      haft::info("HAFT"),
      field<41>::info("PTTWI"),
      field<40, 39>::info("RES0", field_role::res0),
      d128::info("D128"),
      aie::info("AIE"),
      poe::info("POE"),
      pie::info("PIE"),
      pnch::info("PnCH"),
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
static_assert(covers_all_bits(tcr_el3::layout));

struct sctlr_el3 : register_value<sctlr_el3> {
  using m = field<0, 0, bool>;
  using a = field<1, 1, bool>;
  using c = field<2, 2, bool>;
  using i = field<12, 12, bool>;
  using wxn = field<19, 19, bool>;
  using ee = field<25, 25, bool>;

  static constexpr auto const& layout = sctlr_el2::layout;  // of E2H = 0: one stage of one VA range
};
static_assert(covers_all_bits(sctlr_el3::layout));

struct scr_el3 : register_value<scr_el3> {
  using ns = field<0, 0, bool>;
  using sif = field<9, 9, bool>;
  using rw = field<10, 10, bool>;
  using eel2 = field<18, 18, bool>;
  using hxen = field<38, 38, bool>;
  using tcr2en = field<43, 43, bool>;
  using pien = field<45, 45, bool>;
  using aien = field<46, 46, bool>;
  using d128en = field<47, 47, bool>;
  using gpf = field<48, 48, bool>;
  using mecen = field<49, 49, bool>;
  using hdbssen = field<60, 60, bool>;
  using nse = field<62, 62, bool>;

  static constexpr field_info layout[] = {
      field<63>::info("RES0", field_role::res0),
      nse::info("NSE"),
      field<61>::info("HACDBSEn"),
      hdbssen::info("HDBSSEn"),
      field<59>::info("FGTEn2"),
      field<58>::info("EnDSE"),
      field<57>::info("DSE"),
      field<56>::info("RES0", field_role::res0),
      field<55>::info("EnIDCP128"),
      field<54>::info("SRMASKEn"),
      field<53>::info("PFAREn"),
      field<52>::info("TWERR"),
      field<51>::info("TMEA"),
      field<50>::info("EnFPM"),
      mecen::info("MECEn"),
      gpf::info("GPF"),
      d128en::info("D128En"),
      aien::info("AIEn"),
      pien::info("PIEn"),
      field<44>::info("SCTLR2En"),
      tcr2en::info("TCR2En"),
      field<42>::info("RCWMASKEn"),
      field<41>::info("EnTP2"),
      field<40>::info("TRNDR"),
      field<39>::info("GCSEn"),
      hxen::info("HXEn"),
      field<37>::info("ADEn"),
      field<36>::info("EnAS0"),
      field<35>::info("AMVOFFEN"),
      field<34>::info("RES0", field_role::res0),
      field<33, 30>::info("TWEDEL"),
      field<29>::info("TWEDEn"),
      field<28>::info("ECVEn"),
      field<27>::info("FGTEn"),
      field<26>::info("ATA"),
      field<25>::info("EnSCXT"),
      field<24>::info("RES0", field_role::res0),
      field<23>::info("TID5"),
      field<22>::info("TID3"),
      field<21>::info("FIEN"),
      field<20>::info("NMEA"),
      field<19>::info("EASE"),
      eel2::info("EEL2"),
      field<17>::info("API"),
      field<16>::info("APK"),
      field<15>::info("TERR"),
      field<14>::info("TLOR"),
      field<13>::info("TWE"),
      field<12>::info("TWI"),
      field<11>::info("ST"),
      rw::info("RW"),
      sif::info("SIF"),
      field<8>::info("HCE"),
      field<7>::info("SMD"),
      field<6>::info("RES0", field_role::res0),
      field<5, 4>::info("RES1", field_role::res1),
      field<3>::info("EA"),
      field<2>::info("FIQ"),
      field<1>::info("IRQ"),
      ns::info("NS"),
  };
};
static_assert(covers_all_bits(scr_el3::layout));

}  // namespace vmsa
