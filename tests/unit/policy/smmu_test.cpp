// SPDX-License-Identifier: MIT
// What Linux does on the DMA side, by release: the commits that policy/smmu.hpp names.
#include "vmsa/policy/smmu.hpp"

#include <gtest/gtest.h>

namespace vmsa::smmu_test {
namespace {

constexpr kernel_version now{6, 17};

TEST(SmmuPolicy, LeafOfStage2) {
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::mmio, false), (stage2_attributes{0x1, shareability::outer}));
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::mmio, true), (stage2_attributes{0x1, shareability::outer}));
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::cache, false), (stage2_attributes{0xf, shareability::inner}));
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::cache, true), (stage2_attributes{0x6, shareability::inner}));
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::neither, false), (stage2_attributes{0x5, shareability::outer}));
  EXPECT_EQ(linux_stage2_leaf(iommu_prot::neither, true), (stage2_attributes{0x5, shareability::outer}));
}

// ARM_LPAE_MAIR_ATTR_*: NC 0x44 at index 0, WBRWA 0xff at 1, DEVICE 0x04 at 2.
TEST(SmmuPolicy, PlainDomainIsStage1) {
  dma_answer const a = judge_dma(now, {});
  EXPECT_EQ(a.config, smmu_config::stage1);
  EXPECT_EQ(a.stage1, (smmu_stage1_leaf{1, shareability::inner}));
  EXPECT_FALSE(a.stage2);
  EXPECT_EQ(judge_dma(now, {.user = dma_user::iommufd}).config, smmu_config::stage1);
  EXPECT_EQ(judge_dma(now, {.prot = iommu_prot::mmio}).stage1, (smmu_stage1_leaf{2, shareability::outer}));
  EXPECT_EQ(judge_dma(now, {.prot = iommu_prot::neither}).stage1, (smmu_stage1_leaf{0, shareability::outer}));
  // Only a nesting parent is stage 2, and an SMMU that has nothing else.
  dma_answer const only2 = judge_dma(now, {.s2fwb = true, .stage1 = false});
  EXPECT_EQ(only2.config, smmu_config::stage2);
  EXPECT_EQ(only2.stage2, (stage2_attributes{0xf, shareability::inner}));
  EXPECT_FALSE(only2.s2fwb.yes);
  dma_answer const nested = judge_dma(now, {.s2fwb = true, .user = dma_user::nested});
  EXPECT_EQ(nested.config, smmu_config::nested);
  EXPECT_EQ(nested.stage2, (stage2_attributes{0x6, shareability::inner}));
  EXPECT_TRUE(nested.s2fwb.yes);
}

TEST(SmmuPolicy, WhoSnoops) {
  EXPECT_TRUE(judge_dma(now, {}).snoops);
  // S2FWB does not stop No_Snoop, CANWBS does.
  EXPECT_EQ(judge_dma(now, {.no_snoop = true}).verdict, dma_verdict::no_snoop_bypass);
  EXPECT_EQ(judge_dma(now, {.s2fwb = true, .no_snoop = true, .user = dma_user::nested}).verdict,
            dma_verdict::no_snoop_bypass);
  EXPECT_EQ(judge_dma(now, {.canwbs = true, .no_snoop = true}).verdict, dma_verdict::canwbs_snoops);
  EXPECT_EQ(judge_dma(now, {.prot = iommu_prot::neither}).verdict, dma_verdict::mapped_uncached);
  EXPECT_EQ(judge_dma(now, {.prot = iommu_prot::neither, .canwbs = true}).verdict, dma_verdict::canwbs_snoops);
  // A guest's Normal-NC stage 1 wins without S2FWB, and loses with it.
  dma_path nc{.canwbs = true, .user = dma_user::nested, .guest_stage1 = linux_non_cacheable};
  EXPECT_EQ(summarize(judge_dma(now, nc).chain.output), summary::normal_nc);
  nc.s2fwb = true;
  EXPECT_EQ(summarize(judge_dma(now, nc).chain.output), summary::normal_wb);
}

struct release_row {
  kernel_version v;
  bool refuses, enforces, nests_canwbs, nests_s2fwb;
};

// e8ae0e140c05 in 5.19; 807404d66fcf and 69d9b312f38a in 6.13; 45e00e367189 in 6.15.
TEST(SmmuPolicy, ByRelease) {
  constexpr release_row rows[] = {{{5, 15}, false, false, false, false}, {{5, 18}, false, false, false, false},
                                  {{5, 19}, true, false, false, false},  {{6, 6}, true, false, false, false},
                                  {{6, 12}, true, false, false, false},  {{6, 13}, true, true, true, false},
                                  {{6, 14}, true, true, true, false},    {{6, 15}, true, true, true, true},
                                  {{7, 1}, true, true, true, true}};
  for (release_row const& r : rows) {
    SCOPED_TRACE(testing::Message() << r.v.major << '.' << r.v.minor);
    dma_answer const stale = judge_dma(r.v, {.coherent = false});
    EXPECT_EQ(!r.refuses, stale.vfio_accepts.yes);
    EXPECT_EQ(r.refuses ? dma_verdict::refused_by_vfio : dma_verdict::not_coherent, stale.verdict);
    EXPECT_FALSE(stale.snoops);
    EXPECT_TRUE(judge_dma(r.v, {}).vfio_accepts.yes);
    EXPECT_EQ(r.enforces, judge_dma(r.v, {.canwbs = true}).enforce_cache_coherency.yes);
    EXPECT_FALSE(judge_dma(r.v, {.s2fwb = true}).enforce_cache_coherency.yes);
    EXPECT_EQ(r.nests_canwbs, judge_dma(r.v, {.canwbs = true}).nested_smmu.yes);
    EXPECT_EQ(r.nests_s2fwb, judge_dma(r.v, {.s2fwb = true}).nested_smmu.yes);
    EXPECT_EQ(r.nests_s2fwb, judge_dma(r.v, {.s2fwb = true, .user = dma_user::nested}).s2fwb.yes);
    EXPECT_FALSE(judge_dma(r.v, {}).nested_smmu.yes);
    EXPECT_EQ(r.nests_canwbs ? dma_verdict::snoops : dma_verdict::no_nesting,
              judge_dma(r.v, {.canwbs = true, .user = dma_user::nested}).verdict);
  }
}

// vaddr_get_pfns of vfio_iommu_type1.c; iommufd's pages.c pins, and takes dma-bufs from 44ebaa1744fd (6.19) on.
TEST(SmmuPolicy, WhichMemoryIsMappedForTheDevice) {
  memory_inputs pfnmap;
  pfnmap.vma.pfnmap = true;
  pfnmap.page = page_class::mmio;
  EXPECT_TRUE(map_for_dma(now, dma_user::type1, inputs_of(backing::anonymous), backing::anonymous).maps);
  EXPECT_TRUE(map_for_dma(now, dma_user::iommufd, inputs_of(backing::anonymous), backing::anonymous).maps);
  EXPECT_TRUE(map_for_dma(now, dma_user::type1, pfnmap, backing::custom).maps);
  EXPECT_EQ(dma_errno::efault, map_for_dma(now, dma_user::iommufd, pfnmap, backing::custom).error);
  EXPECT_EQ(dma_errno::efault, map_for_dma({6, 19}, dma_user::nested, pfnmap, backing::custom).error);
  // Pages are pinned for long: mm/gup.c refuses a DAX file system's with -EOPNOTSUPP and peer-to-peer ones with
  // -EREMOTEIO; iommufd came with 6.2.
  for (dma_user user : {dma_user::type1, dma_user::iommufd}) {
    EXPECT_EQ(dma_errno::eopnotsupp, map_for_dma(now, user, inputs_of(backing::fs_dax), backing::fs_dax).error);
    EXPECT_EQ(dma_errno::eremoteio, map_for_dma(now, user, inputs_of(backing::p2pdma), backing::p2pdma).error);
    EXPECT_TRUE(map_for_dma(now, user, inputs_of(backing::pmem), backing::pmem).maps);
  }
  EXPECT_FALSE(map_for_dma({6, 1}, dma_user::iommufd, inputs_of(backing::memfd), backing::memfd).maps);
  EXPECT_TRUE(map_for_dma({6, 2}, dma_user::iommufd, inputs_of(backing::memfd), backing::memfd).maps);
  EXPECT_FALSE(map_for_dma(now, dma_user::iommufd, inputs_of(backing::nvgrace_usemem), backing::nvgrace_usemem).maps);
  pfnmap.page = page_class::map_memory;
  EXPECT_EQ(dma_errno::efault, map_for_dma(now, dma_user::type1, pfnmap, backing::custom).error);
}

TEST(SmmuPolicy, TheDeviceAsAnAlias) {
  EXPECT_EQ(summarize(judge_dma(now, {}).alias), summary::normal_wb);
  EXPECT_EQ(summarize(judge_dma(now, {.no_snoop = true}).alias), summary::normal_nc);
  EXPECT_EQ(summarize(judge_dma(now, {.prot = iommu_prot::mmio}).alias), summary::device_nGnRE);
  EXPECT_EQ(summarize(judge_dma({5, 15}, {.coherent = false}).alias), summary::normal_nc);
  memory_inputs ram = inputs_of(backing::anonymous);
  ram.dma = true;
  EXPECT_EQ(worst_mismatch(linux_write_back, aliases_of(ram, judge_dma(now, {.no_snoop = true}).alias), {}),
            mismatch::loss_of_coherency);
  EXPECT_EQ(worst_mismatch(linux_write_back, aliases_of(ram, judge_dma(now, {}).alias), {}), mismatch::none);
}

// IORT's memory access properties (DEN0049), and the window of MSI doorbells in arm-smmu-v3.h.
TEST(SmmuPolicy, WhatFirmwareSays) {
  EXPECT_TRUE(with_firmware({}, {}).coherent);
  EXPECT_FALSE(with_firmware({}, {.cca = false}).coherent);
  EXPECT_FALSE(with_firmware({}, {.cca = false, .cpm = false, .dacs = false}).coherent);
  EXPECT_TRUE(with_firmware({}, {.cca = false, .dacs = false}).coherent);
  EXPECT_TRUE(with_firmware({}, {.canwbs = true}).canwbs);
  EXPECT_TRUE(is_contradictory({.cpm = false}));
  EXPECT_TRUE(in_msi_window(0x800'0040) && in_msi_window(0x80f'ffff));
  EXPECT_FALSE(in_msi_window(0x7ff'ffff) || in_msi_window(0x810'0000));
}

// Each release on both sides of a change, whatever asks for it.
TEST(SmmuPolicy, WhatChangedWhen) {
  struct row {
    dma_change what;
    kernel_version before;
    kernel_version since;
  };
  constexpr row rows[] = {{dma_change::vfio_refuses_non_coherent, {5, 18}, {5, 19}},
                          {dma_change::iommufd, {6, 1}, {6, 2}},
                          {dma_change::type1_maps_pfnmap, {3, 5}, {3, 6}},
                          {dma_change::canwbs, {6, 12}, {6, 13}},
                          {dma_change::nesting, {6, 12}, {6, 13}},
                          {dma_change::s2fwb_leaf, {6, 12}, {6, 13}},
                          {dma_change::s2fwb_detected, {6, 14}, {6, 15}},
                          {dma_change::iommufd_maps_dma_buf, {6, 18}, {6, 19}}};
  for (row const& r : rows) {
    EXPECT_FALSE(has(r.before, r.what)) << row_of(r.what).commit;
    EXPECT_TRUE(has(r.since, r.what)) << row_of(r.what).commit;
  }
  EXPECT_EQ(std::size(rows), std::size(dma_changes));
}

// A device that is not coherent is refused whatever CANWBS says; where it is taken, its accesses meet no cache.
TEST(SmmuPolicy, CoherenceComesBeforeEverythingElse) {
  dma_path const stale{.coherent = false, .canwbs = true};
  EXPECT_EQ(dma_verdict::refused_by_vfio, judge_dma(now, stale).verdict);
  EXPECT_FALSE(judge_dma(now, stale).taken());
  EXPECT_EQ(dma_verdict::not_coherent, judge_dma({5, 18}, stale).verdict);
  EXPECT_TRUE(judge_dma({5, 18}, stale).taken());
  EXPECT_EQ(summary::normal_nc, summarize(judge_dma({5, 18}, stale).alias));
  EXPECT_FALSE(judge_dma({6, 12}, {.canwbs = true, .user = dma_user::nested}).taken());
  EXPECT_TRUE(judge_dma({6, 13}, {.canwbs = true, .user = dma_user::nested}).taken());
  EXPECT_FALSE(judge_dma(now, {.user = dma_user::nested}).taken());
}

TEST(SmmuPolicy, WhoUsesS2fwb) {
  EXPECT_FALSE(judge_dma(now, {.s2fwb = true, .user = dma_user::iommufd}).s2fwb.yes);
  EXPECT_FALSE(judge_dma(now, {.canwbs = true, .user = dma_user::nested}).s2fwb.yes);
  EXPECT_FALSE(judge_dma({6, 14}, {.s2fwb = true, .canwbs = true, .user = dma_user::nested}).s2fwb.yes);
  EXPECT_TRUE(judge_dma({6, 15}, {.s2fwb = true, .canwbs = true, .user = dma_user::nested}).s2fwb.yes);
}

TEST(SmmuPolicy, NothingIsPinnedWhereTheMonitorHasNothing) {
  memory_inputs m = inputs_of(backing::anonymous);
  m.vma.access = host_access::none;
  EXPECT_EQ(dma_errno::efault, map_for_dma(now, dma_user::type1, m, backing::custom).error);
  m.vma.access = host_access::read_only;
  EXPECT_TRUE(map_for_dma(now, dma_user::type1, m, backing::custom).maps);
  EXPECT_EQ(dma_errno::efault,
            map_for_dma(now, dma_user::type1, inputs_of(backing::guest_memfd), backing::custom).error);
  EXPECT_TRUE(map_for_dma(now, dma_user::type1, inputs_of(backing::devm_coherent), backing::devm_coherent).maps);
  // Peer-to-peer frames of a PFNMAP mapping have no page that could be refused.
  m = inputs_of(backing::p2pdma);
  m.vma.pfnmap = true;
  EXPECT_TRUE(map_for_dma(now, dma_user::type1, m, backing::custom).maps);
  EXPECT_FALSE(map_for_dma({3, 5}, dma_user::type1, inputs_of(backing::memfd), backing::memfd).maps);
  EXPECT_TRUE(map_for_dma({3, 6}, dma_user::type1, inputs_of(backing::memfd), backing::memfd).maps);
}

TEST(SmmuPolicy, NoAliasOfADeviceThatIsNotTaken) {
  dma_mapping const mapped{};
  dma_mapping const refused{.maps = false};
  EXPECT_TRUE(alias_of(judge_dma(now, {}), mapped).has_value());
  EXPECT_FALSE(alias_of(judge_dma(now, {}), refused).has_value());
  EXPECT_FALSE(alias_of(judge_dma(now, {.coherent = false}), mapped).has_value());
}

}  // namespace
}  // namespace vmsa::smmu_test
