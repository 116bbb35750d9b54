// SPDX-License-Identifier: MIT
// Which control took a permission away: the answer to "the leaf says RW, so why does it fault?".
#pragma once
#include "vmsa/mmu/permissions.hpp"

namespace vmsa {

enum class permission_control : u8 {
  none,
  ap,              // AP[2:1] of the stage 1 leaf
  uxn,             // UXN or XN of the stage 1 leaf
  pxn,             // PXN of the stage 1 leaf
  el0_writable,    // EL0 may write the page, so EL1 must not execute it
  ap_table,        // APTable of a table descriptor above the leaf
  uxn_table,       // UXNTable of a table descriptor above the leaf
  pxn_table,       // PXNTable of a table descriptor above the leaf
  pan,             // PSTATE.PAN
  epan,            // PSTATE.PAN with SCTLR_EL1.EPAN
  wxn,             // SCTLR_EL1.WXN
  s2ap,            // S2AP of the stage 2 leaf
  s2xn,            // XN of the stage 2 leaf
  ptw,             // HCR_EL2.PTW
  no_tag_access,   // a NoTagAccess MemAttr
  device_fetch,    // an instruction fetch from Device memory, by choice
  code,            // the code that the leaf's index selects in PIR or S2PIR
  overlay,         // POR or S2POR
  dirty_state,     // a clean leaf that hardware does not make dirty
  top_level,       // VTCR_EL2.TL0 or TL1
  physical_space,  // memory of a physical address space that is not for it: SCR_EL3.SIF, or Realm state
  assured_only,    // an AssuredOnly page, and the address does not come from protected tables alone
  xn,              // XN of the stage 1 leaf, in a regime with one privilege level
  xn_table,        // XNTable of a table descriptor above the leaf, in such a regime
};

/// The control by its name in a regime of one privilege level, EL2's or EL3's, whose descriptors have one XN and one
/// XNTable in the place of UXN and UXNTable [VMSAv8-64 stage 1 descriptor, XN]. The walk answers in the bits of two.
constexpr permission_control in_one_privilege(permission_control c) noexcept {
  switch (c) {
    case permission_control::uxn:
    case permission_control::pxn: return permission_control::xn;
    case permission_control::uxn_table:
    case permission_control::pxn_table: return permission_control::xn_table;
    default: return c;
  }
}

/// The control that took from a stage 1 leaf what `wanted` names, or none: controls are put on in the order in which
/// the architecture applies them, and the first after which the permission is missing is named
/// [S1DirectBasePermissions].
[[gnu::__noinline__, gnu::__cold__]] constexpr permission_control taken_at_stage1(descriptor leaf, table_limits limits,
                                                                                  stage1_permission_controls const& c,
                                                                                  denied wanted) noexcept {
  auto const lacks = [&](table_limits l, bool pan, bool epan, bool wxn) {
    stage1_permission_controls with = c;
    with.pan = pan;
    with.epan = epan;
    with.wxn = wxn;
    access_rights const r = stage1_rights(leaf, l, with);
    return wanted == denied::read ? !r.read : wanted == denied::write ? !r.write : !r.execute;
  };
  if (wanted == denied::nothing) return permission_control::none;
  bool const execute = wanted == denied::execute;
  if (lacks({}, false, false, false)) {
    if (!execute) return permission_control::ap;
    if (c.el0) return permission_control::uxn;
    return stage1_bits::pxn::get(leaf.raw) ? permission_control::pxn : permission_control::el0_writable;
  }
  if (lacks(limits, false, false, false)) {
    if (!execute) return permission_control::ap_table;
    return c.el0 ? permission_control::uxn_table : permission_control::pxn_table;
  }
  if (c.pan && lacks(limits, true, false, false)) return permission_control::pan;
  if (c.pan && c.epan && lacks(limits, true, true, false)) return permission_control::epan;
  return c.wxn && lacks(limits, c.pan, c.epan, true) ? permission_control::wxn : permission_control::none;
}

static_assert(taken_at_stage1({0b01 << 6}, {}, {}, denied::execute) == permission_control::el0_writable);
static_assert(taken_at_stage1({0b01 << 6}, {}, {.pan = true}, denied::read) == permission_control::pan);
static_assert(taken_at_stage1({}, {u64{0b10} << 61}, {}, denied::write) == permission_control::ap_table);
static_assert(taken_at_stage1({}, {}, {.wxn = true}, denied::execute) == permission_control::wxn);

}  // namespace vmsa
