// SPDX-License-Identifier: MIT
// The granule protection table of FEAT_RME: its registers, and what an entry of each level says
// [Arm ARM, Granule Protection Tables; GPCCR_EL3; GPTBR_EL3].
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/physical_space.hpp"

namespace vmsa {

struct gpccr_el3 : register_value<gpccr_el3> {
  using pps = field<2, 0, u8>;
  using irgn = field<9, 8, u8>;
  using orgn = field<11, 10, u8>;
  using sh = field<13, 12, u8>;
  using pgs = field<15, 14, u8>;
  using gpc = field<16, 16, bool>;
  using gpcp = field<17, 17, bool>;
  using l0gptsz = field<23, 20, u8>;

  static constexpr field_info layout[] = {
      field<63, 30>::info("RES0", field_role::res0),
      field<29>::info("GPCBW"),
      field<28>::info("NA7"),
      field<27>::info("NA6"),
      field<26>::info("NSP"),
      field<25>::info("SA"),
      field<24>::info("APPSAA"),
      l0gptsz::info("L0GPTSZ"),
      field<19>::info("NSO"),
      field<18>::info("TBGPCD"),
      gpcp::info("GPCP"),
      gpc::info("GPC"),
      pgs::info("PGS"),
      sh::info("SH"),
      orgn::info("ORGN"),
      irgn::info("IRGN"),
      field<7>::info("SPAD"),
      field<6>::info("NSPAD"),
      field<5>::info("RLPAD"),
      field<4>::info("RES0", field_role::res0),
      field<3>::info("PPS3"),
      pps::info("PPS"),
  };
};
static_assert(covers_all_bits(gpccr_el3::layout));

struct gptbr_el3 : register_value<gptbr_el3> {
  using baddr = field<39, 0>;  // address bits 51:12

  static constexpr field_info layout[] = {field<63, 40>::info("RES0", field_role::res0), baddr::info("BADDR")};
};
static_assert(covers_all_bits(gptbr_el3::layout));

/// Granule protection information: which space an access to a granule must be to.
enum class gpi : u8 { no_access = 0, secure = 8, non_secure = 9, root = 10, realm = 11, any = 15 };

/// Values that FEAT_RME defines; Secure needs FEAT_SEL2.
constexpr bool gpi_is_valid(u8 value, bool sel2) noexcept {
  return value == 0 || (value == 8 && sel2) || (value >= 9 && value <= 11) || value == 15;
}

constexpr bool gpi_permits(gpi granule, physical_space space) noexcept {
  switch (space) {
    case physical_space::secure: return granule == gpi::any || granule == gpi::secure;
    case physical_space::non_secure: return granule == gpi::any || granule == gpi::non_secure;
    case physical_space::root: return granule == gpi::any || granule == gpi::root;
    case physical_space::realm: return granule == gpi::any || granule == gpi::realm;
  }
  return false;
}

enum class gpt_entry_kind : u8 {
  block,       // level 0: one GPI for the whole region
  table,       // level 0: the address of a level 1 table
  contiguous,  // level 1: one GPI for 2M, 32M or 512M
  granules,    // level 1: sixteen GPIs
  invalid,     // a reserved value: the look-up ends in a GPT walk fault
};

namespace gpt_bits {
using type = field<3, 0, u8>;
using gpi_value = field<7, 4, u8>;
using contig = field<9, 8, u8>;
}  // namespace gpt_bits

/// An entry of the granule protection table: at level 0 Block or Table, at level 1 Contiguous or Granules.
struct gpt_entry : register_value<gpt_entry> {
  static constexpr field_info block_layout[] = {
      field<63, 8>::info("RES0", field_role::res0),
      gpt_bits::gpi_value::info("GPI"),
      gpt_bits::type::info("type"),
  };
  static constexpr field_info table_layout[] = {
      field<63, 52>::info("RES0", field_role::res0),
      field<51, 12>::info("address"),
      field<11, 4>::info("RES0", field_role::res0),
      gpt_bits::type::info("type"),
  };
  static constexpr field_info contiguous_layout[] = {
      field<63, 10>::info("RES0", field_role::res0),
      gpt_bits::contig::info("Contig"),
      gpt_bits::gpi_value::info("GPI"),
      gpt_bits::type::info("type"),
  };
  static constexpr field_info granules_layout[] = {
      field<63, 60>::info("GPI15"), field<59, 56>::info("GPI14"), field<55, 52>::info("GPI13"),
      field<51, 48>::info("GPI12"), field<47, 44>::info("GPI11"), field<43, 40>::info("GPI10"),
      field<39, 36>::info("GPI9"),  field<35, 32>::info("GPI8"),  field<31, 28>::info("GPI7"),
      field<27, 24>::info("GPI6"),  field<23, 20>::info("GPI5"),  field<19, 16>::info("GPI4"),
      field<15, 12>::info("GPI3"),  field<11, 8>::info("GPI2"),   field<7, 4>::info("GPI1"),
      field<3, 0>::info("GPI0"),
  };
};
static_assert(covers_all_bits(gpt_entry::block_layout) && covers_all_bits(gpt_entry::table_layout));
static_assert(covers_all_bits(gpt_entry::contiguous_layout) && covers_all_bits(gpt_entry::granules_layout));

/// A level 0 entry; `region` and `granule` are log2 of the bytes of one entry at level 0 and of one granule.
constexpr gpt_entry_kind gpt_level0_kind(u64 entry, unsigned region, unsigned granule, bool sel2) noexcept {
  switch (gpt_bits::type::get(entry)) {
    case 1:
      return (entry >> 8) == 0 && gpi_is_valid(gpt_bits::gpi_value::get(entry), sel2) ? gpt_entry_kind::block
                                                                                      : gpt_entry_kind::invalid;
    case 3: {
      // A level 1 table holds four bits for each granule of the region, and is aligned to its size.
      u64 const reserved = bit_mask(63, 52) | bit_mask(11, 4) | (low_mask(region - granule - 1) & ~low_mask(12));
      return (entry & reserved) == 0 ? gpt_entry_kind::table : gpt_entry_kind::invalid;
    }
    default: return gpt_entry_kind::invalid;
  }
}

/// Where the level 1 table of a level 0 table entry lies.
constexpr pa gpt_next_table(u64 entry, unsigned granule) noexcept {
  return {entry & bit_mask(51, 12) & ~low_mask(29 - granule)};
}

constexpr gpt_entry_kind gpt_level1_kind(u64 entry, bool sel2) noexcept {
  if (gpt_bits::type::get(entry) == 1) {
    bool const valid =
        (entry >> 10) == 0 && gpt_bits::contig::get(entry) != 0 && gpi_is_valid(gpt_bits::gpi_value::get(entry), sel2);
    return valid ? gpt_entry_kind::contiguous : gpt_entry_kind::invalid;
  }
  for (unsigned i = 0; i < 16; ++i)
    if (!gpi_is_valid(static_cast<u8>(entry >> (4 * i) & 0xf), sel2)) return gpt_entry_kind::invalid;
  return gpt_entry_kind::granules;
}

static_assert(gpt_level0_kind(0x91, 30, 12, true) == gpt_entry_kind::block);
static_assert(gpt_level0_kind(0x81, 30, 12, false) == gpt_entry_kind::invalid);
static_assert(gpt_level1_kind(0x191, true) == gpt_entry_kind::contiguous);

}  // namespace vmsa
