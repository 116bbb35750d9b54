// SPDX-License-Identifier: MIT
#include "vmsa/mmu/permission_control.hpp"

#include <gtest/gtest.h>

namespace permission_control_test {
namespace {

using namespace vmsa;

constexpr u64 ap(u64 bits) { return bits << 6; }
constexpr u64 uxn = u64{1} << 54;
constexpr u64 pxn = u64{1} << 53;
constexpr u64 dbm = u64{1} << 51;

// One row for each control that can take a permission, by itself and behind one that would take it first.
TEST(PermissionControl, TheFirstThatTakesIsNamed) {
  using c = permission_control;
  struct row {
    char const* what;
    c expected;
    u64 leaf;
    u64 limits;  // bits 62:59 of a table descriptor
    stage1_permission_controls controls;
    denied wanted;
  };
  constexpr row rows[] = {
      {"read-only leaf", c::ap, ap(0b10), 0, {}, denied::write},
      {"EL0 has no access", c::ap, ap(0b00), 0, {.el0 = true}, denied::read},
      {"a clean leaf is writable with DBM", c::none, ap(0b10) | dbm, 0, {.hardware_dirty = true}, denied::write},
      {"UXN", c::uxn, uxn, 0, {.el0 = true}, denied::execute},
      {"PXN", c::pxn, pxn, 0, {}, denied::execute},
      {"EL0 may write", c::el0_writable, ap(0b01), 0, {}, denied::execute},
      {"PXN comes before EL0's write", c::pxn, ap(0b01) | pxn, 0, {}, denied::execute},
      {"APTable[1]", c::ap_table, 0, u64{0b10} << 61, {}, denied::write},
      {"APTable[0]", c::ap_table, ap(0b01), u64{0b01} << 61, {.el0 = true}, denied::read},
      {"UXNTable", c::uxn_table, 0, u64{1} << 60, {.el0 = true}, denied::execute},
      {"PXNTable", c::pxn_table, 0, u64{1} << 59, {}, denied::execute},
      {"PAN", c::pan, ap(0b01), 0, {.pan = true}, denied::read},
      {"PAN leaves EL1's own memory alone", c::none, 0, 0, {.pan = true}, denied::read},
      {"EPAN", c::epan, 0, 0, {.pan = true, .epan = true}, denied::write},
      {"WXN", c::wxn, 0, 0, {.wxn = true}, denied::execute},
      {"WXN lets read-only code run", c::none, ap(0b10), 0, {.wxn = true}, denied::execute},
      {"AP comes before PAN", c::ap, ap(0b11), 0, {.pan = true}, denied::write},
  };
  for (row const& r : rows)
    EXPECT_EQ(r.expected, taken_at_stage1({r.leaf}, {r.limits}, r.controls, r.wanted)) << r.what;
}

// A regime of one privilege level has XN in bit 54 and XNTable in bit 60, and no UXN and PXN [EL2, EL3].
TEST(PermissionControl, OnePrivilegeHasXn) {
  using c = permission_control;
  EXPECT_EQ(in_one_privilege(c::pxn), c::xn);
  EXPECT_EQ(in_one_privilege(c::uxn), c::xn);
  EXPECT_EQ(in_one_privilege(c::pxn_table), c::xn_table);
  EXPECT_EQ(in_one_privilege(c::uxn_table), c::xn_table);
  EXPECT_EQ(in_one_privilege(c::wxn), c::wxn);
  EXPECT_EQ(in_one_privilege(c::ap), c::ap);
}

}  // namespace
}  // namespace permission_control_test
