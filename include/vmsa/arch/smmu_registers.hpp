// SPDX-License-Identifier: MIT
// SMMUv3's 32-bit ID and control registers, as far as they decide what a stream's access becomes
// [SMMUv3 architecture, IHI 0070 issue G, 6.3].
#pragma once
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// What the SMMU implements, part 0: stages, table formats, substreams, ATS, stalls.
struct smmu_idr0 : register_value<smmu_idr0> {
  using s2p = field<0, 0, bool>;
  using s1p = field<1, 1, bool>;
  using ttf = field<3, 2, u8>;  // bit 0: VMSAv8-32 LPAE, bit 1: VMSAv8-64
  using cohacc = field<4, 4, bool>;
  using httu = field<7, 6, u8>;  // 0 none, 1 access flag, 2 and dirty state, 3 and access flag of tables
  using hyp = field<9, 9, bool>;
  using ats = field<10, 10, bool>;
  using ns1ats = field<11, 11, bool>;  // 1: split-stage ATS is *not* supported
  using asid16 = field<12, 12, bool>;
  using vmid16 = field<18, 18, bool>;
  using cd2l = field<19, 19, bool>;
  using ttendian = field<22, 21, u8>;     // 0 mixed, 2 little, 3 big
  using stall_model = field<25, 24, u8>;  // 0 stall and terminate, 1 terminate, 2 stall forced
  using term_model = field<26, 26, bool>;
  using st_level = field<28, 27, u8>;  // 1: two-level stream tables too

  static constexpr field_info layout[] = {
      field<31>::info("RES0", field_role::res0),
      field<30>::info("RME_IMPL"),
      field<29>::info("RES0", field_role::res0),
      st_level::info("ST_LEVEL"),
      term_model::info("TERM_MODEL"),
      stall_model::info("STALL_MODEL"),
      field<23>::info("ATSRECERR"),
      ttendian::info("TTENDIAN"),
      field<20>::info("VATOS"),
      cd2l::info("CD2L"),
      vmid16::info("VMID16"),
      field<17>::info("VMW"),
      field<16>::info("PRI"),
      field<15>::info("ATOS"),
      field<14>::info("SEV"),
      field<13>::info("MSI"),
      asid16::info("ASID16"),
      ns1ats::info("NS1ATS"),
      ats::info("ATS"),
      hyp::info("Hyp"),
      field<8>::info("DORMHINT"),
      httu::info("HTTU"),
      field<5>::info("BTM"),
      cohacc::info("COHACC"),
      ttf::info("TTF"),
      s1p::info("S1P"),
      s2p::info("S2P"),
  };
};
static_assert(covers_all_bits(smmu_idr0::layout, 32));

/// Sizes of IDs and queues, and whether incoming attributes can be overridden.
struct smmu_idr1 : register_value<smmu_idr1> {
  using sidsize = field<5, 0, u8>;
  using ssidsize = field<10, 6, u8>;  // 0: no substreams
  using attr_perms_ovr = field<26, 26, bool>;
  using attr_types_ovr = field<27, 27, bool>;

  static constexpr field_info layout[] = {
      field<31>::info("ECMDQ"),
      field<30>::info("TABLES_PRESET"),
      field<29>::info("QUEUES_PRESET"),
      field<28>::info("REL"),
      attr_types_ovr::info("ATTR_TYPES_OVR"),
      attr_perms_ovr::info("ATTR_PERMS_OVR"),
      field<25, 21>::info("CMDQS"),
      field<20, 16>::info("EVENTQS"),
      field<15, 11>::info("PRIQS"),
      ssidsize::info("SSIDSIZE"),
      sidsize::info("SIDSIZE"),
  };
};
static_assert(covers_all_bits(smmu_idr1::layout, 32));

/// What of the later architecture is there: forced write-back, small tables, break-before-make levels.
struct smmu_idr3 : register_value<smmu_idr3> {
  using had = field<2, 2, bool>;
  using xnx = field<4, 4, bool>;
  using fwb = field<8, 8, bool>;  // 0: STE.S2FWB is RES0
  using stt = field<9, 9, bool>;
  using bbml = field<12, 11, u8>;
  using e0pd = field<13, 13, bool>;
  using ptwnnc = field<14, 14, bool>;  // S2PTW = 0: a walk through Device memory is made as Normal-NC
  using dpt = field<15, 15, bool>;
  using pasidtt = field<16, 16, bool>;  // translated ATS traffic may carry a PASID
  using epan = field<17, 17, bool>;
  using s1pi = field<18, 18, bool>;
  using s2pi = field<19, 19, bool>;
  using s2po = field<20, 20, bool>;
  using mteperm = field<22, 22, bool>;
  using aie = field<23, 23, bool>;

  static constexpr field_info layout[] = {
      field<31, 24>::info("RES0", field_role::res0),
      aie::info("AIE"),
      mteperm::info("MTEPERM"),
      field<21>::info("THE"),
      s2po::info("S2PO"),
      s2pi::info("S2PI"),
      s1pi::info("S1PI"),
      epan::info("EPAN"),
      pasidtt::info("PASIDTT"),
      dpt::info("DPT"),
      ptwnnc::info("PTWNNC"),
      e0pd::info("E0PD"),
      bbml::info("BBML"),
      field<10>::info("RIL"),
      stt::info("STT"),
      fwb::info("FWB"),
      field<7>::info("MPAM"),
      field<6>::info("RES0", field_role::res0),
      field<5>::info("PPS"),
      xnx::info("XNX"),
      field<3>::info("PBHA"),
      had::info("HAD"),
      field<1, 0>::info("RES0", field_role::res0),
  };
};
static_assert(covers_all_bits(smmu_idr3::layout, 32));

/// Address sizes and granules.
struct smmu_idr5 : register_value<smmu_idr5> {
  using oas = field<2, 0, u8>;  // as PARange: 32 36 40 42 44 48 52 56 bits
  using gran4k = field<4, 4, bool>;
  using gran16k = field<5, 5, bool>;
  using gran64k = field<6, 6, bool>;
  using ds = field<7, 7, bool>;
  using d128 = field<8, 8, bool>;
  using vax = field<11, 10, u8>;  // virtual addresses of 0: 48, 1: 52, 2: 56 bits

  static constexpr field_info layout[] = {
      field<31, 16>::info("STALL_MAX"),
      field<15, 12>::info("RES0", field_role::res0),
      vax::info("VAX"),
      field<9>::info("RES0", field_role::res0),
      d128::info("D128"),
      ds::info("DS"),
      gran64k::info("GRAN64K"),
      gran16k::info("GRAN16K"),
      gran4k::info("GRAN4K"),
      field<3>::info("RES0", field_role::res0),
      oas::info("OAS"),
  };
};
static_assert(covers_all_bits(smmu_idr5::layout, 32));

/// The switch of the whole SMMU, and the check of translated ATS traffic.
struct smmu_cr0 : register_value<smmu_cr0> {
  using smmuen = field<0, 0, bool>;
  using atschk = field<4, 4, bool>;

  static constexpr field_info layout[] = {
      field<31, 11>::info("RES0", field_role::res0),
      field<10>::info("DPT_WALK_EN"),
      field<9>::info("RES0", field_role::res0),
      field<8, 6>::info("VMW"),
      field<5>::info("RES0", field_role::res0),
      atschk::info("ATSCHK"),
      field<3>::info("CMDQEN"),
      field<2>::info("EVENTQEN"),
      field<1>::info("PRIQEN"),
      smmuen::info("SMMUEN"),
  };
};
static_assert(covers_all_bits(smmu_cr0::layout, 32));

/// Whether a bad StreamID is recorded, and which EL2 regime STE.STRW means.
struct smmu_cr2 : register_value<smmu_cr2> {
  using e2h = field<0, 0, bool>;
  using recinvsid = field<1, 1, bool>;
  using rec_cfg_ats = field<3, 3, bool>;

  static constexpr field_info layout[] = {
      field<31, 4>::info("RES0", field_role::res0),
      rec_cfg_ats::info("REC_CFG_ATS"),
      field<2>::info("PTM"),
      recinvsid::info("RECINVSID"),
      e2h::info("E2H"),
  };
};
static_assert(covers_all_bits(smmu_cr2::layout, 32));

/// The attributes of every access while SMMU_CR0.SMMUEN is 0, or their refusal. The fields are STE's overrides.
struct smmu_gbpa : register_value<smmu_gbpa> {
  using memattr = field<3, 0, u8>;
  using mtcfg = field<4, 4, bool>;
  using alloccfg = field<11, 8, u8>;
  using shcfg = field<13, 12, u8>;
  using privcfg = field<17, 16, u8>;
  using instcfg = field<19, 18, u8>;
  using abort = field<20, 20, bool>;

  static constexpr field_info layout[] = {
      field<31>::info("Update"),
      field<30, 21>::info("RES0", field_role::res0),
      abort::info("ABORT"),
      instcfg::info("INSTCFG"),
      privcfg::info("PRIVCFG"),
      field<15, 14>::info("RES0", field_role::res0),
      shcfg::info("SHCFG"),
      alloccfg::info("ALLOCCFG"),
      field<7, 5>::info("RES0", field_role::res0),
      mtcfg::info("MTCFG"),
      memattr::info("MemAttr"),
  };
};
static_assert(covers_all_bits(smmu_gbpa::layout, 32));

/// Where the stream table is: 64 bits wide.
struct smmu_strtab_base : register_value<smmu_strtab_base> {
  static constexpr u64 address_mask = bit_mask(55, 6);

  static constexpr field_info layout[] = {
      field<63>::info("RES0", field_role::res0),     field<62>::info("RA"),
      field<61, 56>::info("RES0", field_role::res0), field<55, 6>::info("ADDR"),
      field<5, 0>::info("RES0", field_role::res0),
  };
};
static_assert(covers_all_bits(smmu_strtab_base::layout));

/// How the stream table is laid out.
struct smmu_strtab_base_cfg : register_value<smmu_strtab_base_cfg> {
  using log2size = field<5, 0, u8>;
  using split = field<10, 6, u8>;  // StreamID bits that index the second level: 6, 8 or 10
  using fmt = field<17, 16, u8>;   // 0 linear, 1 two-level

  static constexpr field_info layout[] = {
      field<31, 18>::info("RES0", field_role::res0),
      fmt::info("FMT"),
      field<15, 11>::info("RES0", field_role::res0),
      split::info("SPLIT"),
      log2size::info("LOG2SIZE"),
  };
};
static_assert(covers_all_bits(smmu_strtab_base_cfg::layout, 32));

}  // namespace vmsa
