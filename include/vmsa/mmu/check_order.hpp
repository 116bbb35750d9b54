// SPDX-License-Identifier: MIT
// In which order a leaf's permissions are checked: what comes first is what is reported. One place for every release of
// the manual.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace vmsa {

/// Where releases of the architecture's text differ, which one is followed.
enum class manual_release : u8 {
  v2023_03,          // the shared pseudocode of Armv9.4-A, 2023-03, which made the golden tables
  v2023_03_assured,  // the same, with the current manual's two rules about assurance, which interact
  newest,            // the Arm Architecture Reference Manual, DDI 0487 M.a.a
};

enum class permission_check : u8 {
  top_level,     // FEAT_THE: the first table of stage 1 lies in a page made for it
  assured_only,  // FEAT_THE: the address comes from protected tables alone
  overlay,
  table_device,  // HCR_EL2.PTW: a stage 1 table in Device memory
  device_fetch,  // an instruction fetch from Device memory, by choice
  space,         // from a physical address space that this access may not use
  base,
  tags,   // NoTagAccess
  dirty,  // a write to a clean leaf that hardware does not make dirty
};

struct check_order {
  permission_check const* first;
  unsigned count;
  constexpr permission_check const* begin() const noexcept { return first; }
  constexpr permission_check const* end() const noexcept { return first + count; }
};

namespace check_orders {
using enum permission_check;
inline constexpr permission_check stage1[] = {overlay, device_fetch, space, base, dirty};
inline constexpr permission_check stage2[] = {assured_only, overlay, device_fetch, space, base, tags, dirty};
inline constexpr permission_check table_2023_03[] = {top_level, table_device, overlay, space, base, dirty};
inline constexpr permission_check table_assured[] = {top_level, assured_only, table_device, overlay,
                                                     space,     base,         dirty};
inline constexpr permission_check table_current[] = {top_level, assured_only, overlay, table_device,
                                                     space,     base,         dirty};
}  // namespace check_orders

constexpr check_order stage1_order() noexcept { return {check_orders::stage1, 5}; }
/// Of stage 2, for the access itself or on a stage 1 table.
constexpr check_order stage2_order(bool for_table, manual_release manual) noexcept {
  if (!for_table) return {check_orders::stage2, 7};
  if (manual == manual_release::v2023_03) return {check_orders::table_2023_03, 6};
  return {manual == manual_release::newest ? check_orders::table_current : check_orders::table_assured, 7};
}

}  // namespace vmsa
