// SPDX-License-Identifier: MIT
#include "vmsa/policy/smmu_entry.hpp"

#include <gtest/gtest.h>

namespace vmsa::smmu_entry_test {
namespace {

using e = smmu_ste;

smmu_ste const bypass{{{0x9, 0x1000'0000'0000}}};
smmu_ste const abort_entry{{{0x1}}};

// make_cdtable of the driver's KUnit test: S1CDMax 31, S1Fmt 64K, ATS on.
smmu_ste cdtable(u8 s1dss, u64 at) {
  return smmu_ste{{{0xf800'0000'0000'002b, 0x1800'00d4}}}.with<e::s1contextptr>(at >> 6).with<e::s1dss>(s1dss);
}
// make_s2: a stage 2 entry of the host.
smmu_ste stage2() {
  return smmu_ste{{{0xd, 0x1000'1000'0000}}}
      .with<e::s2vmid>(1)
      .with<e::s2t0sz>(25)
      .with<e::s2sl0>(1)
      .with<e::s2ps>(5)
      .with<e::s2aa64>(true)
      .with<e::s2ptw>(true)
      .with<e::s2r>(true)
      .with<e::s2ttb>(0x1234'5000 >> 4);
}

// The transitions of arm-smmu-v3-test.c, each with its number of syncs and whether the entry stays valid.
TEST(SmmuEntry, UpdatesOfTheStreamTable) {
  u64 const at = 0xf0f0'f0f0'f0c0;
  EXPECT_EQ((entry_update{2, true}), plan_update(bypass, abort_entry));
  EXPECT_EQ((entry_update{2, true}), plan_update(abort_entry, bypass));
  EXPECT_EQ((entry_update{2, true}), plan_update(cdtable(2, at), abort_entry));
  EXPECT_EQ((entry_update{2, true}), plan_update(abort_entry, cdtable(2, at)));
  EXPECT_EQ((entry_update{1, true}), plan_update(cdtable(2, at), cdtable(1, at)));
  EXPECT_EQ((entry_update{1, true}), plan_update(cdtable(1, at), cdtable(2, at)));
  EXPECT_EQ((entry_update{2, true}), plan_update(stage2(), abort_entry));
  EXPECT_EQ((entry_update{2, true}), plan_update(abort_entry, stage2()));
}

TEST(SmmuEntry, UpdatesOfTheContextDescriptor) {
  smmu_cd const cd = smmu_cd{{{0x0000'6005'8000'3510, 0x1000, 0, 0xff44}}}.with<smmu_cd::asid>(778);
  EXPECT_EQ((entry_update{1, true}), plan_update(cd, cd.with<smmu_cd::asid>(1997)));
  EXPECT_EQ((entry_update{2, false}), plan_update(smmu_cd{}, cd));
  EXPECT_EQ((entry_update{2, false}), plan_update(cd, smmu_cd{}));
}

struct virtual_row {
  char const* what;
  smmu_ste guest;
  policy_errno error;
  smmu_config physical;
};

// arm_smmu_validate_vste and arm_smmu_make_nested_domain_ste.
TEST(SmmuEntry, VirtualEntries) {
  smmu_ste const stage1 = smmu_ste{}.with<e::v>(true).with<e::config>(5).with<e::s1contextptr>(0x1000 >> 6);
  virtual_row const rows[] = {
      {"V = 0", smmu_ste{{{0xe}}}, policy_errno::none, smmu_config::abort},
      {"abort", abort_entry, policy_errno::none, smmu_config::abort},
      {"bypass", smmu_ste{{{0x9}}}, policy_errno::none, smmu_config::stage2},
      {"stage 1", stage1, policy_errno::none, smmu_config::nested},
      {"stage 2", smmu_ste{{{0xd}}}, policy_errno::eio, smmu_config::abort},
      {"nested", smmu_ste{{{0xf}}}, policy_errno::eio, smmu_config::abort},
      {"SHCFG", bypass, policy_errno::eio, smmu_config::abort},
      {"MTCFG", stage1.with<e::mtcfg>(true), policy_errno::eio, smmu_config::abort},
      {"full ATS", stage1.with<e::eats>(1), policy_errno::none, smmu_config::nested},
      {"split-stage ATS", stage1.with<e::eats>(2), policy_errno::eio, smmu_config::abort},
      {"STRW", stage1.with<e::strw>(2), policy_errno::eio, smmu_config::abort},
  };
  for (virtual_row const& row : rows) {
    SCOPED_TRACE(row.what);
    virtual_entry const v = accept_virtual_entry(row.guest, stage2());
    EXPECT_EQ(row.error, v.error);
    EXPECT_EQ(row.physical, v.physical);
  }
  virtual_entry const v = accept_virtual_entry(stage1.with<e::s1dss>(1), stage2());
  EXPECT_EQ(7, v.ste.get<e::config>());
  EXPECT_TRUE(v.ste.get<e::mev>());
  EXPECT_EQ(1, v.ste.get<e::s1dss>());
  EXPECT_EQ(0b01, v.ste.get<e::shcfg>());
  EXPECT_EQ(0x1000u, v.ste.get<e::s1contextptr>() << 6);
  EXPECT_EQ(0x1234'5000u, v.ste.get<e::s2ttb>() << 4);
}

}  // namespace
}  // namespace vmsa::smmu_entry_test
