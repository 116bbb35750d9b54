// SPDX-License-Identifier: MIT
// What each stage's leaf permits, and what an access lacks: pure functions of descriptor bits and controls.
#pragma once
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/mmu/access.hpp"

namespace vmsa {

struct access_rights {
  bool read = false;
  bool write = false;
  bool execute = false;

  friend constexpr bool operator==(access_rights, access_rights) = default;
};

// The limits that stage 1 table descriptors put on everything below them, ORed over the levels of a walk.
struct table_limits {
  u64 raw = 0;  // bits 62:59 as in a table descriptor

  constexpr void add(descriptor table) noexcept { raw |= table.raw & bit_mask(62, 59); }
  constexpr bool no_write() const noexcept { return (stage1_bits::ap_table::get(raw) & 0b10) != 0; }
  constexpr bool no_el0() const noexcept { return (stage1_bits::ap_table::get(raw) & 0b01) != 0; }
  constexpr bool uxn() const noexcept { return stage1_bits::uxn_table::get(raw); }
  constexpr bool pxn() const noexcept { return stage1_bits::pxn_table::get(raw); }
};

// Whose permissions a stage 1 leaf holds. Where there is no EL0 the bits that speak of it say nothing, and bit 54 is
// the execute-never of the one that is left [S1DirectBasePermissions].
enum class direct_scheme : u8 {
  two_privileges,    // EL1&0 and EL2&0
  one_privilege,     // EL2
  guest_hypervisor,  // EL1&0 with HCR_EL2.{NV, NV1} = {1, 1}: EL0 executes whatever is there
};

/// The leaf with its permissions where two_privileges has them.
constexpr descriptor in_two_privileges(descriptor leaf, direct_scheme scheme) noexcept {
  if (scheme == direct_scheme::two_privileges) return leaf;
  u64 raw = leaf.raw & ~(u64{1} << 6);
  raw = stage1_bits::pxn::put(raw, stage1_bits::uxn::get(leaf.raw));
  return {stage1_bits::uxn::put(raw, scheme == direct_scheme::one_privilege)};
}
/// A table descriptor likewise.
constexpr descriptor limits_in_two_privileges(descriptor table, direct_scheme scheme) noexcept {
  if (scheme == direct_scheme::two_privileges) return table;
  u64 const raw = table.raw & ~(u64{1} << 61);
  return {stage1_bits::uxn_table::put(stage1_bits::pxn_table::put(raw, stage1_bits::uxn_table::get(table.raw)), false)};
}

struct stage1_permission_controls {
  bool el0 = false;             // permissions of EL0 are asked for
  bool hardware_dirty = false;  // HA and HD: DBM says that a read-only leaf is writable and clean
  bool pan = false;             // PAN applies to this access
  bool epan = false;            // SCTLR_EL1.EPAN, FEAT_PAN3
  bool wxn = false;             // SCTLR_EL1.WXN
};

// Direct permissions with hierarchical control [S1DirectBasePermissions]. `limits` is empty where TCR_EL1.HPD counts.
[[gnu::__always_inline__]] constexpr access_rights stage1_rights(descriptor leaf, table_limits limits,
                                                                 stage1_permission_controls const& c) noexcept {
  u8 const ap = stage1_bits::ap::get(leaf.raw);
  bool const clean_but_writable = c.hardware_dirty && descriptor_bits::dbm::get(leaf.raw);
  bool const writable = ((ap & 0b10) == 0 || clean_but_writable) && !limits.no_write();
  bool const el0_reads = (ap & 0b01) != 0 && !limits.no_el0();
  bool const el0_writes = el0_reads && writable;
  bool const el0_executes = !stage1_bits::uxn::get(leaf.raw) && !limits.uxn();

  access_rights r;
  if (c.el0) {
    r = {el0_reads, el0_writes, el0_executes};
  } else {
    // What EL0 can write EL1 must not run: a guest kernel would execute its user's bytes.
    bool const executes = !stage1_bits::pxn::get(leaf.raw) && !limits.pxn() && !el0_writes;
    bool const kept_away = c.pan && (el0_reads || (c.epan && el0_executes));
    r = {!kept_away, writable && !kept_away, executes};
  }
  if (c.wxn && r.write) r.execute = false;
  return r;
}

struct stage2_permission_controls {
  bool el0 = false;             // of the access, not of stage 2
  bool hardware_dirty = false;  // HA and HD, as at stage 1
  bool xnx = false;             // FEAT_XNX: XN[1:0] tells EL0 from EL1
};

// Execution does not need S2AP read.
[[gnu::__always_inline__]] constexpr access_rights stage2_rights(descriptor leaf,
                                                                 stage2_permission_controls const& c) noexcept {
  u8 const s2ap = static_cast<u8>(stage2_bits::s2ap::get(leaf.raw));
  u8 const xn = static_cast<u8>(stage2_bits::xn::get(leaf.raw));
  bool execute_never = (xn & 0b10) != 0;
  // 00 both, 01 EL0 only, 10 nobody, 11 EL1 only: bit 0 turns the answer round for EL1.
  if (c.xnx && !c.el0) execute_never ^= (xn & 0b01) != 0;
  bool const clean_but_writable = c.hardware_dirty && descriptor_bits::dbm::get(leaf.raw);
  return {(s2ap & 0b01) != 0, (s2ap & 0b10) != 0 || clean_but_writable, !execute_never};
}

enum class denied : u8 { nothing, read, write, execute };

// Read is tested before write, so an atomic without either reports the read.
constexpr denied denies(access_rights rights, bool reads, bool writes, bool fetches) noexcept {
  if (fetches) return rights.execute ? denied::nothing : denied::execute;
  if (reads && !rights.read) return denied::read;
  return writes && !rights.write ? denied::write : denied::nothing;
}

static_assert(stage1_rights({0}, {}, {}) == access_rights{true, true, true});
static_assert(stage1_rights({0b01 << 6}, {}, {}) == access_rights{true, true, false});
static_assert(stage2_rights({u64{0b11} << 53}, {.xnx = true}).execute && !stage2_rights({u64{0b11} << 53}, {}).execute);

}  // namespace vmsa
