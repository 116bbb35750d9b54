// SPDX-License-Identifier: MIT
// Section 4 of facts/kvm-policy.md.
#include "vmsa/policy/smmu.hpp"

#include <gtest/gtest.h>

namespace vmsa {
namespace {

TEST(Smmu, LeafAttributes) {
  EXPECT_EQ(smmu_attributes(iommu_prot::mmio, false), (stage2_attributes{0x1, shareability::outer}));
  EXPECT_EQ(smmu_attributes(iommu_prot::mmio, true), (stage2_attributes{0x1, shareability::outer}));
  EXPECT_EQ(smmu_attributes(iommu_prot::cache, false), (stage2_attributes{0xf, shareability::inner}));
  EXPECT_EQ(smmu_attributes(iommu_prot::cache, true), (stage2_attributes{0x6, shareability::inner}));
  EXPECT_EQ(smmu_attributes(iommu_prot::neither, false), (stage2_attributes{0x5, shareability::outer}));
  EXPECT_EQ(smmu_attributes(iommu_prot::neither, true), (stage2_attributes{0x5, shareability::outer}));
}

TEST(Smmu, WhoSnoops) {
  EXPECT_TRUE(judge_dma({}).snoops);
  // S2FWB does not stop No_Snoop, CANWBS does.
  EXPECT_EQ(judge_dma({.no_snoop = true}).verdict, dma_verdict::no_snoop_bypass);
  EXPECT_EQ(judge_dma({.s2fwb = true, .no_snoop = true}).verdict, dma_verdict::no_snoop_bypass);
  EXPECT_EQ(judge_dma({.canwbs = true, .no_snoop = true}).verdict, dma_verdict::canwbs_snoops);
  EXPECT_EQ(judge_dma({.prot = iommu_prot::neither}).verdict, dma_verdict::mapped_uncached);
  EXPECT_EQ(judge_dma({.prot = iommu_prot::neither, .canwbs = true}).verdict, dma_verdict::canwbs_snoops);
}

TEST(Smmu, WhatVfioSays) {
  EXPECT_TRUE(judge_dma({}).vfio_accepts);
  EXPECT_FALSE(judge_dma({.coherent = false}).vfio_accepts);
  EXPECT_EQ(judge_dma({.coherent = false}).verdict, dma_verdict::refused_by_vfio);
  EXPECT_TRUE(judge_dma({.canwbs = true}).enforce_cache_coherency);
  EXPECT_FALSE(judge_dma({.s2fwb = true}).enforce_cache_coherency);
  EXPECT_TRUE(judge_dma({.s2fwb = true}).nested_smmu);
  EXPECT_TRUE(judge_dma({.canwbs = true}).nested_smmu);
  EXPECT_FALSE(judge_dma({}).nested_smmu);
}

TEST(Smmu, TheDeviceAsAnAlias) {
  EXPECT_EQ(summarize(judge_dma({}).alias), summary::normal_wb);
  EXPECT_EQ(summarize(judge_dma({.no_snoop = true}).alias), summary::normal_nc);
  EXPECT_EQ(summarize(judge_dma({.prot = iommu_prot::mmio}).alias), summary::device_nGnRE);
  memory_inputs ram = inputs_of(backing::anonymous);
  ram.dma = true;
  EXPECT_EQ(worst_mismatch(linux_write_back, aliases_of(ram, judge_dma({.no_snoop = true}).alias), {}),
            mismatch::loss_of_coherency);
  EXPECT_EQ(worst_mismatch(linux_write_back, aliases_of(ram, judge_dma({}).alias), {}), mismatch::none);
}

}  // namespace
}  // namespace vmsa
