// SPDX-License-Identifier: MIT
// The state that an exception saved, and what traps floating point and vectors: registers that people print beside a
// fault [Arm ARM, SPSR_EL1, CPACR_EL1, CPTR_EL2, CPTR_EL3].
#pragma once
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// SPSR_ELx of an exception from AArch64 state. `nrw` is M[4] of the manual: 1 for AArch32, which has spsr_aarch32.
struct spsr_el1 : register_value<spsr_el1> {
  using nrw = field<4, 4, bool>;
  using m = field<3, 0, u8>;
  using d = field<9, 9, bool>;
  using a = field<8, 8, bool>;
  using i = field<7, 7, bool>;
  using f = field<6, 6, bool>;
  using il = field<20, 20, bool>;
  using ss = field<21, 21, bool>;
  using pan = field<22, 22, bool>;
  using uao = field<23, 23, bool>;

  static constexpr field_info layout[] = {
      field<63, 37>::info("RES0", field_role::res0),
      field<36>::info("UINJ"),
      field<35>::info("PACM"),
      field<34>::info("EXLOCK"),
      field<33>::info("PPEND"),
      field<32>::info("PM"),
      field<31>::info("N"),
      field<30>::info("Z"),
      field<29>::info("C"),
      field<28>::info("V"),
      field<27, 26>::info("RES0", field_role::res0),
      field<25>::info("TCO"),
      field<24>::info("DIT"),
      uao::info("UAO"),
      pan::info("PAN"),
      ss::info("SS"),
      il::info("IL"),
      field<19, 14>::info("RES0", field_role::res0),
      field<13>::info("ALLINT"),
      field<12>::info("SSBS"),
      field<11, 10>::info("BTYPE"),
      d::info("D"),
      a::info("A"),
      i::info("I"),
      f::info("F"),
      field<5>::info("RES0", field_role::res0),
      nrw::info("nRW"),
      m::info("M"),
  };
};
static_assert(covers_all_bits(spsr_el1::layout));

/// SPSR_ELx of an exception from AArch32 state, which is CPSR of that state.
struct spsr_aarch32 : register_value<spsr_aarch32> {
  using nrw = field<4, 4, bool>;
  using m = field<3, 0, u8>;
  using t = field<5, 5, bool>;

  static constexpr field_info layout[] = {
      field<63, 37>::info("RES0", field_role::res0),
      field<36>::info("UINJ"),
      field<35, 34>::info("RES0", field_role::res0),
      field<33>::info("PPEND"),
      field<32>::info("RES0", field_role::res0),
      field<31>::info("N"),
      field<30>::info("Z"),
      field<29>::info("C"),
      field<28>::info("V"),
      field<27>::info("Q"),
      field<26, 25>::info("IT_1_0"),
      field<24>::info("DIT"),
      field<23>::info("SSBS"),
      field<22>::info("PAN"),
      field<21>::info("SS"),
      field<20>::info("IL"),
      field<19, 16>::info("GE"),
      field<15, 10>::info("IT_7_2"),
      field<9>::info("E"),
      field<8>::info("A"),
      field<7>::info("I"),
      field<6>::info("F"),
      t::info("T"),
      nrw::info("nRW"),
      m::info("M"),
  };
};
static_assert(covers_all_bits(spsr_aarch32::layout));

/// CPACR_EL1, and CPTR_EL2 with HCR_EL2.E2H = 1.
struct cpacr_el1 : register_value<cpacr_el1> {
  using fpen = field<21, 20, u8>;
  using zen = field<17, 16, u8>;
  using smen = field<25, 24, u8>;

  static constexpr field_info layout[] = {
      field<63, 32>::info("RES0", field_role::res0),
      field<31>::info("TCPAC"),
      field<30>::info("TAM"),
      field<29>::info("E0POE"),
      field<28>::info("TTA"),
      field<27, 26>::info("RES0", field_role::res0),
      smen::info("SMEN"),
      field<23, 22>::info("RES0", field_role::res0),
      fpen::info("FPEN"),
      field<19, 18>::info("RES0", field_role::res0),
      zen::info("ZEN"),
      field<15, 0>::info("RES0", field_role::res0),
  };
};
static_assert(covers_all_bits(cpacr_el1::layout));

/// CPTR_EL2 with HCR_EL2.E2H = 0.
struct cptr_el2 : register_value<cptr_el2> {
  using tfp = field<10, 10, bool>;
  using tz = field<8, 8, bool>;
  using tsm = field<12, 12, bool>;

  static constexpr field_info layout[] = {
      field<63, 32>::info("RES0", field_role::res0),
      field<31>::info("TCPAC"),
      field<30>::info("TAM"),
      field<29, 21>::info("RES0", field_role::res0),
      field<20>::info("TTA"),
      field<19, 14>::info("RES0", field_role::res0),
      field<13>::info("RES1", field_role::res1),
      tsm::info("TSM"),
      field<11>::info("RES0", field_role::res0),
      tfp::info("TFP"),
      field<9>::info("RES1", field_role::res1),
      tz::info("TZ"),
      field<7, 0>::info("RES1", field_role::res1),
  };
};
static_assert(covers_all_bits(cptr_el2::layout));

struct cptr_el3 : register_value<cptr_el3> {
  using tfp = field<10, 10, bool>;

  static constexpr field_info layout[] = {
      field<63, 32>::info("RES0", field_role::res0),
      field<31>::info("TCPAC"),
      field<30>::info("TAM"),
      field<29, 21>::info("RES0", field_role::res0),
      field<20>::info("TTA"),
      field<19, 13>::info("RES0", field_role::res0),
      field<12>::info("ESM"),
      field<11>::info("RES0", field_role::res0),
      tfp::info("TFP"),
      field<9>::info("RES0", field_role::res0),
      field<8>::info("EZ"),
      field<7, 0>::info("RES0", field_role::res0),
  };
};
static_assert(covers_all_bits(cptr_el3::layout));

}  // namespace vmsa
