// SPDX-License-Identifier: MIT
// The architecture features that change translation, and how the ID registers announce them.
#pragma once
#include "vmsa/arch/bits.hpp"
#include "vmsa/arch/granule.hpp"

namespace vmsa {

// Granules one stage supports.
struct granule_set {
  bool k4 = true;
  bool k16 = true;
  bool k64 = true;

  constexpr bool has(granule g) const noexcept {
    return g == granule::k4 ? k4 : g == granule::k16 ? k16 : g == granule::k64 && k64;
  }
  friend constexpr bool operator==(granule_set, granule_set) = default;
};

// Everything off is Armv8.0 with a 48-bit physical address space.
struct features {
  u8 pa_bits = 48;  // PARange, in bits: 32 36 40 42 44 48 52 56
  granule_set stage1_granules{};
  granule_set stage2_granules{};
  bool lpa = false;             // 52-bit addresses with the 64K granule
  bool lpa2 = false;            // 52-bit addresses with the 4K and 16K granules
  bool lva = false;             // 52-bit virtual addresses with the 64K granule
  bool lva3 = false;            // 55-bit virtual addresses with 128-bit descriptors
  bool ttst = false;            // small translation tables
  bool s2fwb = false;           // HCR_EL2.FWB
  bool xnx = false;             // execute-never by exception level at stage 2
  bool xs = false;              // the XS attribute and stage 2 FnXS
  bool hw_access_flag = false;  // FEAT_HAFDBS: hardware sets AF
  bool hw_dirty_state = false;  // FEAT_HAFDBS: hardware clears AP[2], sets S2AP[1]
  bool haft = false;            // hardware sets AF in table descriptors
  bool hdbss = false;           // and records what it makes dirty
  u8 bbm = 0;                   // FEAT_BBM level: 0, 1 (nT), 2 (no break for a change of block size)
  bool e0pd = false;
  bool hpds = false;  // hierarchical permission disables
  u8 pan = 0;         // 0 none, 1 PAN, 2 PAN2, 3 PAN3 (EPAN)
  bool mte = false;
  bool mte2 = false;      // Allocation Tagged memory
  bool mte_perm = false;  // NoTagAccess
  bool lse2 = false;      // atomics and exclusives need not be aligned within 16 bytes of write-back memory
  u8 ls64 = 0;            // 1 LD64B and ST64B, 2 ST64BV, 3 ST64BV0, 4 the first two to write-back memory
  bool ttl = false;       // level hints in TLBI
  bool tlbi_range = false;
  bool vmid16 = false;
  bool tcr2 = false;   // TCR2_EL1, TCR2_EL2
  bool s1pie = false;  // permission indirection at stage 1
  bool s2pie = false;  // and at stage 2
  bool s1poe = false;  // permission overlays at stage 1
  bool s2poe = false;  // and at stage 2
  bool aie = false;    // sixteen memory attributes: MAIR2
  bool the = false;    // translation hardening: Protected, AssuredOnly, TopLevel
  bool nv = false;     // nested virtualization: HCR_EL2.NV and NV1
  bool d128 = false;   // 128-bit descriptors
  bool sel2 = false;   // EL2, and so stage 2, in Secure state
  bool rme = false;    // Realm state and granule protection checks
  bool idc = false;    // no clean to PoU is needed for instruction to data coherence
  bool dic = false;    // no instruction cache invalidation is needed

  friend constexpr bool operator==(features const&, features const&) = default;
};

// Every feature the model knows, for tables and examples that do not depend on one being absent.
inline constexpr features all_features{.pa_bits = 52,
                                       .lpa = true,
                                       .lpa2 = true,
                                       .lva = true,
                                       .lva3 = true,
                                       .ttst = true,
                                       .s2fwb = true,
                                       .xnx = true,
                                       .xs = true,
                                       .hw_access_flag = true,
                                       .hw_dirty_state = true,
                                       .haft = true,
                                       .hdbss = true,
                                       .bbm = 2,
                                       .e0pd = true,
                                       .hpds = true,
                                       .pan = 3,
                                       .mte = true,
                                       .mte2 = true,
                                       .mte_perm = true,
                                       .lse2 = true,
                                       .ls64 = 4,
                                       .ttl = true,
                                       .tlbi_range = true,
                                       .vmid16 = true,
                                       .tcr2 = true,
                                       .s1pie = true,
                                       .s2pie = true,
                                       .s1poe = true,
                                       .s2poe = true,
                                       .aie = true,
                                       .the = true,
                                       .nv = true,
                                       .d128 = true,
                                       .sel2 = true,
                                       .rme = true,
                                       .idc = true,
                                       .dic = true};

// Raw ID registers. One that is not known stays 0, which announces nothing.
struct id_registers {
  u64 id_aa64mmfr0_el1 = 0;
  u64 id_aa64mmfr1_el1 = 0;
  u64 id_aa64mmfr2_el1 = 0;
  u64 id_aa64mmfr3_el1 = 0;
  u64 id_aa64mmfr4_el1 = 0;
  u64 id_aa64pfr0_el1 = 0;
  u64 id_aa64pfr1_el1 = 0;
  u64 id_aa64pfr2_el1 = 0;
  u64 id_aa64isar0_el1 = 0;
  u64 id_aa64isar1_el1 = 0;
  u64 ctr_el0 = 0;
};

namespace id_aa64mmfr0 {
using parange = field<3, 0, u8>;
using tgran16 = field<23, 20, u8>;
using tgran64 = field<27, 24, u8>;
using tgran4 = field<31, 28, u8>;
using tgran16_2 = field<35, 32, u8>;
using tgran64_2 = field<39, 36, u8>;
using tgran4_2 = field<43, 40, u8>;
}  // namespace id_aa64mmfr0

namespace id_aa64mmfr1 {
using hafdbs = field<3, 0, u8>;
using vmidbits = field<7, 4, u8>;
using hpds = field<15, 12, u8>;
using pan = field<23, 20, u8>;
using xnx = field<31, 28, u8>;
}  // namespace id_aa64mmfr1

namespace id_aa64mmfr2 {
using varange = field<19, 16, u8>;
using nv = field<27, 24, u8>;
using st = field<31, 28, u8>;
using at = field<35, 32, u8>;
using fwb = field<43, 40, u8>;
using ttl = field<51, 48, u8>;
using bbm = field<55, 52, u8>;
using e0pd = field<63, 60, u8>;
}  // namespace id_aa64mmfr2

namespace id_aa64mmfr3 {
using tcrx = field<3, 0, u8>;
using s1pie = field<11, 8, u8>;
using s2pie = field<15, 12, u8>;
using s1poe = field<19, 16, u8>;
using s2poe = field<23, 20, u8>;
using aie = field<27, 24, u8>;
using d128 = field<35, 32, u8>;
}  // namespace id_aa64mmfr3

namespace id_aa64mmfr4 {
using hacdbs = field<15, 12, u8>;
using nv_frac = field<23, 20, u8>;
using e2h0 = field<27, 24, u8>;
}  // namespace id_aa64mmfr4

namespace id_aa64pfr0 {
using sel2 = field<39, 36, u8>;
using rme = field<55, 52, u8>;
}  // namespace id_aa64pfr0

namespace id_aa64pfr1 {
using mte = field<11, 8, u8>;
using the = field<51, 48, u8>;
}  // namespace id_aa64pfr1

namespace id_aa64pfr2 {
using mteperm = field<3, 0, u8>;
}

namespace id_aa64isar0 {
using tlb = field<59, 56, u8>;
}

namespace id_aa64isar1 {
using xs = field<59, 56, u8>;
using ls64 = field<63, 60, u8>;
}  // namespace id_aa64isar1

namespace ctr {
using imin_line = field<3, 0, u8>;  // log2 of the words in the smallest instruction cache line
using dmin_line = field<19, 16, u8>;
using idc = field<28, 28, bool>;
using dic = field<29, 29, bool>;
}  // namespace ctr

// Bits of a PARange, PS or IPS encoding. 0b111 is 56 for tables of 128-bit descriptors, and acts as 52 for others.
constexpr u8 physical_address_bits(u8 encoding) noexcept {
  constexpr u8 bits[] = {32, 36, 40, 42, 44, 48, 52, 52};
  return bits[encoding & 7];
}

constexpr u8 wide_physical_address_bits(u8 encoding) noexcept {
  return (encoding & 7) == 7 ? u8{56} : physical_address_bits(encoding);
}

// The encoding of exactly `bits`, or 0xff when PS has none.
constexpr u8 physical_address_encoding(u8 bits) noexcept {
  if (bits == 56) return 7;
  for (u8 e = 0; e < 7; ++e)
    if (physical_address_bits(e) == bits) return e;
  return 0xff;
}

constexpr features decode_features(id_registers const& id) noexcept {
  namespace m0 = id_aa64mmfr0;
  namespace m1 = id_aa64mmfr1;
  namespace m2 = id_aa64mmfr2;
  features f;
  u8 const parange = m0::parange::get(id.id_aa64mmfr0_el1);
  f.d128 = id_aa64mmfr3::d128::get(id.id_aa64mmfr3_el1) >= 1;
  f.pa_bits = f.d128 ? wide_physical_address_bits(parange) : physical_address_bits(parange);

  u8 const g4 = m0::tgran4::get(id.id_aa64mmfr0_el1);
  u8 const g16 = m0::tgran16::get(id.id_aa64mmfr0_el1);
  u8 const g64 = m0::tgran64::get(id.id_aa64mmfr0_el1);
  u8 const g4_2 = m0::tgran4_2::get(id.id_aa64mmfr0_el1);
  u8 const g16_2 = m0::tgran16_2::get(id.id_aa64mmfr0_el1);
  u8 const g64_2 = m0::tgran64_2::get(id.id_aa64mmfr0_el1);
  f.stage1_granules = {g4 != 0xf, g16 != 0, g64 != 0xf};
  // 0 in a stage 2 field repeats stage 1, 1 is absent, 2 present, 3 present with 52-bit addresses.
  f.stage2_granules = {g4_2 == 0 ? g4 != 0xf : g4_2 >= 2, g16_2 == 0 ? g16 != 0 : g16_2 >= 2,
                       g64_2 == 0 ? g64 != 0xf : g64_2 >= 2};
  f.lpa2 = g4 == 1 || g16 == 2 || g4_2 == 3 || g16_2 == 3;
  f.lpa = parange >= 6;
  f.lva = m2::varange::get(id.id_aa64mmfr2_el1) >= 1;
  f.lva3 = m2::varange::get(id.id_aa64mmfr2_el1) >= 2;

  u8 const hafdbs = m1::hafdbs::get(id.id_aa64mmfr1_el1);
  f.hw_access_flag = hafdbs >= 1;
  f.hw_dirty_state = hafdbs >= 2;
  f.haft = hafdbs >= 3;
  f.hdbss = hafdbs >= 4;
  f.vmid16 = m1::vmidbits::get(id.id_aa64mmfr1_el1) >= 2;
  f.hpds = m1::hpds::get(id.id_aa64mmfr1_el1) >= 1;
  u8 const pan = m1::pan::get(id.id_aa64mmfr1_el1);
  f.pan = pan > 3 ? u8{3} : pan;
  f.xnx = m1::xnx::get(id.id_aa64mmfr1_el1) >= 1;

  f.ttst = m2::st::get(id.id_aa64mmfr2_el1) >= 1;
  f.s2fwb = m2::fwb::get(id.id_aa64mmfr2_el1) >= 1;
  f.lse2 = m2::at::get(id.id_aa64mmfr2_el1) >= 1;
  f.ttl = m2::ttl::get(id.id_aa64mmfr2_el1) >= 1;
  u8 const bbm = m2::bbm::get(id.id_aa64mmfr2_el1);
  f.bbm = bbm > 2 ? u8{2} : bbm;
  f.e0pd = m2::e0pd::get(id.id_aa64mmfr2_el1) >= 1;

  u8 const mte = id_aa64pfr1::mte::get(id.id_aa64pfr1_el1);
  f.mte = mte >= 1;
  f.mte2 = mte >= 2;
  f.mte_perm = id_aa64pfr2::mteperm::get(id.id_aa64pfr2_el1) >= 1;
  f.tlbi_range = id_aa64isar0::tlb::get(id.id_aa64isar0_el1) >= 2;
  f.xs = id_aa64isar1::xs::get(id.id_aa64isar1_el1) >= 1;
  u8 const ls64 = id_aa64isar1::ls64::get(id.id_aa64isar1_el1);
  f.ls64 = ls64 > 4 ? u8{4} : ls64;
  namespace m3 = id_aa64mmfr3;
  f.tcr2 = m3::tcrx::get(id.id_aa64mmfr3_el1) >= 1;
  f.s1pie = m3::s1pie::get(id.id_aa64mmfr3_el1) >= 1;
  f.s2pie = m3::s2pie::get(id.id_aa64mmfr3_el1) >= 1;
  f.s1poe = m3::s1poe::get(id.id_aa64mmfr3_el1) >= 1;
  f.s2poe = m3::s2poe::get(id.id_aa64mmfr3_el1) >= 1;
  f.aie = m3::aie::get(id.id_aa64mmfr3_el1) >= 1;
  f.the = id_aa64pfr1::the::get(id.id_aa64pfr1_el1) >= 1;
  // A subset of FEAT_NV may stand in NV_frac alone; where E2H is 1 always NV1 may be RES0, and then nothing is left of
  // it that changes translation.
  bool const nv1_is_res0 = id_aa64mmfr4::e2h0::get(id.id_aa64mmfr4_el1) == 0b1110;
  f.nv =
      !nv1_is_res0 && (m2::nv::get(id.id_aa64mmfr2_el1) >= 1 || id_aa64mmfr4::nv_frac::get(id.id_aa64mmfr4_el1) >= 1);
  f.sel2 = id_aa64pfr0::sel2::get(id.id_aa64pfr0_el1) >= 1;
  f.rme = id_aa64pfr0::rme::get(id.id_aa64pfr0_el1) >= 1;
  f.idc = ctr::idc::get(id.ctr_el0);
  f.dic = ctr::dic::get(id.ctr_el0);
  return f;
}

static_assert(decode_features({.id_aa64mmfr0_el1 = 0x5}).pa_bits == 48);
static_assert(decode_features({.id_aa64mmfr2_el1 = u64{1} << 40}).s2fwb);

}  // namespace vmsa
