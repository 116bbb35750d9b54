// SPDX-License-Identifier: MIT
// Indirect permissions and overlays: a leaf holds an index, a register the 4-bit code that the index selects
// [Arm ARM, PIR_EL1, POR_EL1, S2PIR_EL2, S2POR_EL1].
#pragma once
#include "vmsa/arch/descriptor128.hpp"
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// PIR_ELx, PIRE0_ELx, POR_ELx, S2PIR_EL2 and S2POR_EL1: sixteen codes of four bits.
struct permission_register : register_value<permission_register> {
  static constexpr field_info layout[] = {
      field<63, 60>::info("Perm15"), field<59, 56>::info("Perm14"), field<55, 52>::info("Perm13"),
      field<51, 48>::info("Perm12"), field<47, 44>::info("Perm11"), field<43, 40>::info("Perm10"),
      field<39, 36>::info("Perm9"),  field<35, 32>::info("Perm8"),  field<31, 28>::info("Perm7"),
      field<27, 24>::info("Perm6"),  field<23, 20>::info("Perm5"),  field<19, 16>::info("Perm4"),
      field<15, 12>::info("Perm3"),  field<11, 8>::info("Perm2"),   field<7, 4>::info("Perm1"),
      field<3, 0>::info("Perm0"),
  };
};
static_assert(covers_all_bits(permission_register::layout));

/// Code n of PIR_EL1, POR_EL1, S2PIR_EL2 and the like, 0 <= index <= 15.
constexpr u8 permission_code(u64 reg, u8 index) noexcept { return static_cast<u8>(reg >> (4 * index) & 0xf); }

/// The permission index of a 64-bit leaf, at both stages: bits 54, 53, 51 and 6.
constexpr u8 permission_index(descriptor leaf) noexcept {
  return static_cast<u8>(field<54, 53>::get(leaf.raw) << 2 | field<51>::get(leaf.raw) << 1 | field<6>::get(leaf.raw));
}
/// The overlay index of a 64-bit leaf: three bits at stage 1, four at stage 2.
constexpr u8 overlay_index(descriptor leaf, stage of) noexcept {
  return static_cast<u8>(of == stage::one ? field<62, 60>::get(leaf.raw) : field<62, 59>::get(leaf.raw));
}

/// A leaf's permission and overlay index.
struct leaf_indices {
  u8 permission = 0;
  u8 overlay = 0;
};
constexpr leaf_indices indices_of(descriptor leaf, stage of) noexcept {
  return {permission_index(leaf), overlay_index(leaf, of)};
}
/// Of a leaf of either size: both indices of 128-bit leaves have four bits, in the same place at both stages.
constexpr leaf_indices indices_of(wide_descriptor leaf, stage of, bool wide) noexcept {
  if (!wide) return indices_of(leaf, of);
  return {descriptor128_bits::pi_index::get(leaf.high), descriptor128_bits::po_index::get(leaf.high)};
}

/// What a stage 1 base code grants [S1IndirectBasePermissions].
struct stage1_code {
  bool read = false;
  bool write = false;
  bool execute = false;
  bool gcs = false;       // a guarded control stack: stored to by its own instructions only
  bool overlaid = false;  // the overlay applies
  bool wxn = false;       // executable as long as it is not writable

  friend constexpr bool operator==(stage1_code, stage1_code) = default;
};

constexpr stage1_code decode_stage1_code(u8 code) noexcept {
  switch (code & 0xf) {
    case 0x1: return {.read = true, .overlaid = true};
    case 0x2: return {.execute = true, .overlaid = true};
    case 0x3: return {.read = true, .execute = true, .overlaid = true};
    case 0x5: return {.read = true, .write = true, .overlaid = true};
    case 0x6: return {.read = true, .write = true, .execute = true, .overlaid = true, .wxn = true};
    case 0x7: return {.read = true, .write = true, .execute = true, .overlaid = true};
    case 0x8: return {.read = true};
    case 0x9: return {.read = true, .gcs = true};
    case 0xa: return {.read = true, .execute = true};
    case 0xc: return {.read = true, .write = true};
    case 0xe: return {.read = true, .write = true, .execute = true};
    default: return {.overlaid = (code & 0xf) < 8};
  }
}

/// What a stage 2 code grants, as a base permission and as an overlay alike [S2IndirectBasePermissions]. Who writes
/// matters: read-check-write instructions and the table walker may write what plain stores may not.
struct stage2_code {
  bool read = false;
  bool write = false;
  bool rcw_write = false;
  bool walker_write = false;
  bool execute_el0 = false;
  bool execute_el1 = false;
  bool top_level0 = false;
  bool top_level1 = false;

  /// Mostly read-only: only the trusted writers write.
  constexpr bool mostly_read_only() const noexcept { return rcw_write && walker_write && !write; }
  friend constexpr bool operator==(stage2_code, stage2_code) = default;
};

constexpr stage2_code decode_stage2_code(u8 code) noexcept {
  code &= 0xf;
  if (code >= 8) {
    bool const w = code >= 0xc;
    return {.read = true,
            .write = w,
            .rcw_write = w,
            .walker_write = w,
            .execute_el0 = (code & 1) != 0,
            .execute_el1 = (code & 2) != 0};
  }
  if (code == 4) return {.write = true};
  if ((code & 2) == 0) return {};  // 0, 1 and 5 grant nothing
  return {
      .read = true, .rcw_write = true, .walker_write = true, .top_level0 = code >= 6, .top_level1 = (code & 1) != 0};
}

/// A base permission under an overlay: both must grant; what the top level of stage 1 may lie in, either says, and only
/// of a page that stays mostly read-only.
constexpr stage2_code overlaid(stage2_code base, stage2_code overlay) noexcept {
  stage2_code r{.read = base.read && overlay.read,
                .write = base.write && overlay.write,
                .rcw_write = base.rcw_write && overlay.rcw_write,
                .walker_write = base.walker_write && overlay.walker_write,
                .execute_el0 = base.execute_el0 && overlay.execute_el0,
                .execute_el1 = base.execute_el1 && overlay.execute_el1};
  if (r.mostly_read_only()) {
    r.top_level0 = base.top_level0 || overlay.top_level0;
    r.top_level1 = base.top_level1 || overlay.top_level1;
  }
  return r;
}

static_assert(decode_stage2_code(0b0111).mostly_read_only() && decode_stage2_code(0b0111).top_level1);
static_assert(decode_stage2_code(0b0011).top_level1 && !decode_stage2_code(0b0011).top_level0);
static_assert(permission_index({u64{1} << 54 | 1 << 6}) == 0b1001);

}  // namespace vmsa
