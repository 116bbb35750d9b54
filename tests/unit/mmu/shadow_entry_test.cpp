// SPDX-License-Identifier: MIT
#include "vmsa/mmu/shadow_entry.hpp"

#include <gtest/gtest.h>

#include "unit/mmu/few_words.hpp"

namespace shadow_entry_test {
namespace {

using namespace vmsa;

using memory = test::few_words;

// Both stages 2 have 39 bits from level 1. The guest's root is at its IPA 0x1000; the host maps the guest's first
// gigabyte to 0x40000000 by a level 2 table at 0x2000, and has its root at 0x1000.
auto const guest =
    make_regime(regime_registers{.hcr = {{1}}, .vtcr = {{0x8002'3559}}, .vttbr = {{0x1000}}}, all_features);
auto const host = guest;

memory machine(u64 guest_leaf, u64 host_leaf) {
  return {{{0x1000, 0x2003},       // host level 1
           {0x2000, 0x4000'07fd},  // 2M read-write: the guest's tables
           {0x2008, host_leaf},    // the second 2M of the guest
           {0x4000'1000, 0x3003},  // guest level 1, at its IPA 0x1000
           {0x4000'3000, guest_leaf}}};
}

shadow_entry entry(memory& m, u64 where, operation op = operation::read, shadow_rule rule = shadow_rule::exact) {
  return make_shadow_entry(m, guest, host, ipa{where}, mair(0xff), {.op = op}, rule);
}

TEST(ShadowEntry, GrantsWhatBothGrant) {
  memory m = machine(0x20'07fd, 0x8020'077d);  // the guest RW, the host RO
  shadow_entry const e = entry(m, 0x1234);
  ASSERT_TRUE(e);
  EXPECT_EQ(pa{0x8020'1234}, e.output);
  EXPECT_EQ(21, e.bits);
  EXPECT_EQ(level::l2, e.guest_level);
  EXPECT_EQ((shadow_rights{true, false, true, true}), e.rights);
  EXPECT_EQ(summary::normal_wb, summarize(e.attributes));
}

TEST(ShadowEntry, TheGuestHearsOfItsOwnFaultAlone) {
  memory m = machine(0x20'077d, 0x8020'07fd);
  shadow_entry const own = entry(m, 0x1234, operation::write);
  EXPECT_EQ(shadow_outcome::guest_fault, own.outcome);
  EXPECT_EQ(fault_kind::permission, own.fault.kind);
  EXPECT_EQ(ipa{0x1234}, own.fault.where);
  EXPECT_EQ(level::l2, own.fault.at);

  m = machine(0x20'07fd, 0);
  shadow_entry const below = entry(m, 0x1234);
  EXPECT_EQ(shadow_outcome::host_fault, below.outcome);
  EXPECT_EQ(ipa{0x20'1234}, below.fault.where) << "the guest's IPA, which the host resolves";

  m.words[0x2000] = 0;  // the guest's tables are not mapped
  shadow_entry const table = entry(m, 0x1234);
  EXPECT_EQ(shadow_outcome::host_fault, table.outcome);
  EXPECT_EQ(ipa{0x1000}, table.fault.where);
}

TEST(ShadowEntry, TheTypeIsBothStagesButKvmTakesTheHostsAlone) {
  memory m = machine(0x20'07d5, 0x8020'07fd);  // the guest hypervisor says Normal-NC
  EXPECT_EQ(summary::normal_nc, summarize(entry(m, 0).attributes));
  EXPECT_EQ(summary::normal_wb, summarize(entry(m, 0, operation::read, shadow_rule::kvm).attributes));
}

TEST(ShadowEntry, CoversTheSmallerLeaf) {
  struct row {
    char const* what;
    leaf_extent guest;
    unsigned guest_single;
    leaf_extent host;
    unsigned bits;
  };
  constexpr row rows[] = {{"a page in a block", {level::l3, 12, false}, 12, {level::l2, 21, false}, 12},
                          {"a block over pages", {level::l2, 21, false}, 21, {level::l3, 12, false}, 12},
                          {"a group in a block", {level::l3, 16, true}, 12, {level::l2, 21, false}, 16},
                          {"a group over pages", {level::l3, 16, true}, 12, {level::l3, 12, false}, 12},
                          {"a group of 16 blocks over one", {level::l2, 25, true}, 21, {level::l2, 21, false}, 21}};
  for (row const& r : rows) EXPECT_EQ(r.bits, shadowing::region_bits(r.guest, r.guest_single, r.host)) << r.what;
}

}  // namespace
}  // namespace shadow_entry_test
