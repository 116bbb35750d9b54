// SPDX-License-Identifier: MIT
// The ID registers that announce what a processor's translation can do, and CTR_EL0, every bit named [Arm ARM, General
// system control registers].
#pragma once
#include "vmsa/arch/registers.hpp"

namespace vmsa {

struct id_aa64mmfr0_el1 : register_value<id_aa64mmfr0_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("ECV"),       field<59, 56>::info("FGT"),       field<55, 48>::info("RES0", field_role::res0),
      field<47, 44>::info("ExS"),       field<43, 40>::info("TGran4_2"),  field<39, 36>::info("TGran64_2"),
      field<35, 32>::info("TGran16_2"), field<31, 28>::info("TGran4"),    field<27, 24>::info("TGran64"),
      field<23, 20>::info("TGran16"),   field<19, 16>::info("BigEndEL0"), field<15, 12>::info("SNSMem"),
      field<11, 8>::info("BigEnd"),     field<7, 4>::info("ASIDBits"),    field<3, 0>::info("PARange"),
  };
};
static_assert(covers_all_bits(id_aa64mmfr0_el1::layout));

struct id_aa64mmfr1_el1 : register_value<id_aa64mmfr1_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("ECBHB"),   field<59, 56>::info("CMOW"), field<55, 52>::info("TIDCP1"),
      field<51, 48>::info("nTLBPA"),  field<47, 44>::info("AFP"),  field<43, 40>::info("HCX"),
      field<39, 36>::info("ETS"),     field<35, 32>::info("TWED"), field<31, 28>::info("XNX"),
      field<27, 24>::info("SpecSEI"), field<23, 20>::info("PAN"),  field<19, 16>::info("LO"),
      field<15, 12>::info("HPDS"),    field<11, 8>::info("VH"),    field<7, 4>::info("VMIDBits"),
      field<3, 0>::info("HAFDBS"),
  };
};
static_assert(covers_all_bits(id_aa64mmfr1_el1::layout));

struct id_aa64mmfr2_el1 : register_value<id_aa64mmfr2_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("E0PD"),
      field<59, 56>::info("EVT"),
      field<55, 52>::info("BBM"),
      field<51, 48>::info("TTL"),
      field<47, 44>::info("RES0", field_role::res0),
      field<43, 40>::info("FWB"),
      field<39, 36>::info("IDS"),
      field<35, 32>::info("AT"),
      field<31, 28>::info("ST"),
      field<27, 24>::info("NV"),
      field<23, 20>::info("CCIDX"),
      field<19, 16>::info("VARange"),
      field<15, 12>::info("IESB"),
      field<11, 8>::info("LSM"),
      field<7, 4>::info("UAO"),
      field<3, 0>::info("CnP"),
  };
};
static_assert(covers_all_bits(id_aa64mmfr2_el1::layout));

struct id_aa64mmfr3_el1 : register_value<id_aa64mmfr3_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("Spec_FPACC"), field<59, 56>::info("ADERR"),
      field<55, 52>::info("SDERR"),      field<51, 48>::info("RES0", field_role::res0),
      field<47, 44>::info("ANERR"),      field<43, 40>::info("SNERR"),
      field<39, 36>::info("D128_2"),     field<35, 32>::info("D128"),
      field<31, 28>::info("MEC"),        field<27, 24>::info("AIE"),
      field<23, 20>::info("S2POE"),      field<19, 16>::info("S1POE"),
      field<15, 12>::info("S2PIE"),      field<11, 8>::info("S1PIE"),
      field<7, 4>::info("SCTLRX"),       field<3, 0>::info("TCRX"),
  };
};
static_assert(covers_all_bits(id_aa64mmfr3_el1::layout));

struct id_aa64mmfr4_el1 : register_value<id_aa64mmfr4_el1> {
  static constexpr field_info layout[] = {
      field<63, 48>::info("RES0", field_role::res0),
      field<47, 44>::info("SRMASK"),
      field<43, 40>::info("RES0", field_role::res0),
      field<39, 36>::info("E3DSE"),
      field<35, 32>::info("RES0", field_role::res0),
      field<31, 28>::info("RMEGDI"),
      field<27, 24>::info("E2H0"),
      field<23, 20>::info("NV_frac"),
      field<19, 16>::info("FGWTE3"),
      field<15, 12>::info("HACDBS"),
      field<11, 8>::info("ASID2"),
      field<7, 4>::info("EIESB"),
      field<3, 0>::info("PoPS"),
  };
};
static_assert(covers_all_bits(id_aa64mmfr4_el1::layout));

struct id_aa64pfr0_el1 : register_value<id_aa64pfr0_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("CSV3"), field<59, 56>::info("CSV2"),    field<55, 52>::info("RME"),
      field<51, 48>::info("DIT"),  field<47, 44>::info("AMU"),     field<43, 40>::info("MPAM"),
      field<39, 36>::info("SEL2"), field<35, 32>::info("SVE"),     field<31, 28>::info("RAS"),
      field<27, 24>::info("GIC"),  field<23, 20>::info("AdvSIMD"), field<19, 16>::info("FP"),
      field<15, 12>::info("EL3"),  field<11, 8>::info("EL2"),      field<7, 4>::info("EL1"),
      field<3, 0>::info("EL0"),
  };
};
static_assert(covers_all_bits(id_aa64pfr0_el1::layout));

struct id_aa64pfr1_el1 : register_value<id_aa64pfr1_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("PFAR"),
      field<59, 56>::info("DF2"),
      field<55, 52>::info("MTEX"),
      field<51, 48>::info("THE"),
      field<47, 44>::info("GCS"),
      field<43, 40>::info("MTE_frac"),
      field<39, 36>::info("NMI"),
      field<35, 32>::info("CSV2_frac"),
      field<31, 28>::info("RNDR_trap"),
      field<27, 24>::info("SME"),
      field<23, 20>::info("RES0", field_role::res0),
      field<19, 16>::info("MPAM_frac"),
      field<15, 12>::info("RAS_frac"),
      field<11, 8>::info("MTE"),
      field<7, 4>::info("SSBS"),
      field<3, 0>::info("BT"),
  };
};
static_assert(covers_all_bits(id_aa64pfr1_el1::layout));

struct id_aa64pfr2_el1 : register_value<id_aa64pfr2_el1> {
  static constexpr field_info layout[] = {
      field<63, 36>::info("RES0", field_role::res0),
      field<35, 32>::info("FPMR"),
      field<31, 20>::info("RES0", field_role::res0),
      field<19, 16>::info("UINJ"),
      field<15, 12>::info("RES0", field_role::res0),
      field<11, 8>::info("MTEFAR"),
      field<7, 4>::info("MTESTOREONLY"),
      field<3, 0>::info("MTEPERM"),
  };
};
static_assert(covers_all_bits(id_aa64pfr2_el1::layout));

struct id_aa64isar0_el1 : register_value<id_aa64isar0_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("RNDR"),   field<59, 56>::info("TLB"),
      field<55, 52>::info("TS"),     field<51, 48>::info("FHM"),
      field<47, 44>::info("DP"),     field<43, 40>::info("SM4"),
      field<39, 36>::info("SM3"),    field<35, 32>::info("SHA3"),
      field<31, 28>::info("RDM"),    field<27, 24>::info("RES0", field_role::res0),
      field<23, 20>::info("Atomic"), field<19, 16>::info("CRC32"),
      field<15, 12>::info("SHA2"),   field<11, 8>::info("SHA1"),
      field<7, 4>::info("AES"),      field<3, 0>::info("RES0", field_role::res0),
  };
};
static_assert(covers_all_bits(id_aa64isar0_el1::layout));

struct id_aa64isar1_el1 : register_value<id_aa64isar1_el1> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("LS64"),  field<59, 56>::info("XS"),      field<55, 52>::info("I8MM"),
      field<51, 48>::info("DGH"),   field<47, 44>::info("BF16"),    field<43, 40>::info("SPECRES"),
      field<39, 36>::info("SB"),    field<35, 32>::info("FRINTTS"), field<31, 28>::info("GPI"),
      field<27, 24>::info("GPA"),   field<23, 20>::info("LRCPC"),   field<19, 16>::info("FCMA"),
      field<15, 12>::info("JSCVT"), field<11, 8>::info("API"),      field<7, 4>::info("APA"),
      field<3, 0>::info("DPB"),
  };
};
static_assert(covers_all_bits(id_aa64isar1_el1::layout));

struct ctr_el0 : register_value<ctr_el0> {
  static constexpr field_info layout[] = {
      field<63, 38>::info("RES0", field_role::res0),
      field<37, 32>::info("TminLine"),
      field<31>::info("RES1", field_role::res1),
      field<30>::info("RES0", field_role::res0),
      field<29>::info("DIC"),
      field<28>::info("IDC"),
      field<27, 24>::info("CWG"),
      field<23, 20>::info("ERG"),
      field<19, 16>::info("DminLine"),
      field<15, 14>::info("L1Ip"),
      field<13, 4>::info("RES0", field_role::res0),
      field<3, 0>::info("IminLine"),
  };
};
static_assert(covers_all_bits(ctr_el0::layout));

}  // namespace vmsa
