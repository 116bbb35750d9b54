// SPDX-License-Identifier: MIT
// Where hardware keeps a record of what it made dirty (FEAT_HDBSS), and what it cleans by such a record (FEAT_HACDBS):
// entries and registers [Arm ARM, Hardware dirty state tracking structure, Hardware accelerator for cleaning dirty
// state].
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// One entry, of eight bytes [table Hardware dirty state tracking structure fields].
struct dirty_entry : register_value<dirty_entry> {
  using address = field<55, 12>;
  using nsipa = field<11, 11, bool>;  ///< Of Secure state: a Non-secure IPA.
  using ttwl = field<3, 1, u8>;       ///< The leaf's level, a signed number.
  using valid = field<0, 0, bool>;

  static constexpr field_info layout[] = {
      field<63, 56>::info("RES0", field_role::res0), address::info("IPA"), nsipa::info("NSIPA"),
      field<10, 4>::info("RES0", field_role::res0),  ttwl::info("TTWL"),   valid::info("Valid"),
  };

  /// The IPA is that of the whole leaf.
  constexpr ipa where() const noexcept { return {raw & address::mask}; }
  /// Levels -1 to 3; others are reserved, and stop an accelerator.
  constexpr int level_number() const noexcept { return get<ttwl>() < 4 ? get<ttwl>() : get<ttwl>() - 8; }
};
static_assert(covers_all_bits(dirty_entry::layout));

constexpr dirty_entry make_dirty_entry(ipa where, level at, bool nonsecure = false) noexcept {
  return dirty_entry{{where.value & dirty_entry::address::mask}}
      .with<dirty_entry::nsipa>(nonsecure)
      .with<dirty_entry::ttwl>(static_cast<u8>(number(at) & 7))
      .with<dirty_entry::valid>(true);
}

/// Entries of a structure of size SZ: 2^(SZ + 12) bytes.
constexpr u64 dirty_structure_entries(u8 sz) noexcept { return u64{1} << (sz + 12 - 3); }

struct hdbssbr_el2 : register_value<hdbssbr_el2> {
  using baddr = field<55, 12>;
  using sz = field<3, 0, u8>;

  static constexpr field_info layout[] = {
      field<63, 56>::info("RES0", field_role::res0),
      baddr::info("BADDR"),
      field<11, 4>::info("RES0", field_role::res0),
      sz::info("SZ"),
  };
  /// The bits of BADDR below the size are RES0, so that the structure is aligned to it.
  constexpr pa base() const noexcept { return {raw & baddr::mask & ~low_mask(get<sz>() + 12u)}; }
  constexpr u64 entries() const noexcept { return dirty_structure_entries(get<sz>()); }
};
static_assert(covers_all_bits(hdbssbr_el2::layout));

struct hdbssprod_el2 : register_value<hdbssprod_el2> {
  using fsc = field<31, 26, u8>;
  using index = field<18, 0, u32>;  ///< Of the next entry to write.

  static constexpr field_info layout[] = {
      field<63, 32>::info("RES0", field_role::res0),
      fsc::info("FSC"),
      field<25, 19>::info("RES0", field_role::res0),
      index::info("INDEX"),
  };
};
static_assert(covers_all_bits(hdbssprod_el2::layout));

/// Neither full nor in an error state: hardware may append an entry, and so make a leaf dirty [RRXCMY, RSTJMN].
constexpr bool takes_entries(hdbssbr_el2 structure, hdbssprod_el2 produced) noexcept {
  return produced.get<hdbssprod_el2::fsc>() == 0 && produced.get<hdbssprod_el2::index>() < structure.entries();
}

struct hacdbsbr_el2 : register_value<hacdbsbr_el2> {
  using baddr = field<55, 12>;
  using en = field<11, 11, bool>;
  using sz = field<3, 0, u8>;

  static constexpr field_info layout[] = {
      field<63, 56>::info("RES0", field_role::res0), baddr::info("BADDR"), en::info("EN"),
      field<10, 4>::info("RES0", field_role::res0),  sz::info("SZ"),
  };
  constexpr pa base() const noexcept { return {raw & baddr::mask & ~low_mask(get<sz>() + 12u)}; }
  constexpr u64 entries() const noexcept { return dirty_structure_entries(get<sz>()); }
};
static_assert(covers_all_bits(hacdbsbr_el2::layout));

/// Why an accelerator stopped [HACDBS errors].
enum class cleaning_error : u8 {
  none = 0b00,
  structure = 0b01,    ///< Reading an entry aborted, or failed its granule protection check.
  translation = 0b10,  ///< The walk to the entry's IPA faulted.
  descriptor = 0b11,   ///< The leaf is neither writable-clean nor writable-dirty, Contiguous, or of another level.
};

struct hacdbscons_el2 : register_value<hacdbscons_el2> {
  using err_reason = field<63, 62, u8>;
  using index = field<18, 0, u32>;  ///< Of the next entry to clean, or of the one that stopped it.

  static constexpr field_info layout[] = {
      err_reason::info("ERR_REASON"),
      field<61, 19>::info("RES0", field_role::res0),
      index::info("INDEX"),
  };
  constexpr cleaning_error error() const noexcept { return static_cast<cleaning_error>(get<err_reason>()); }
};
static_assert(covers_all_bits(hacdbscons_el2::layout));

}  // namespace vmsa
