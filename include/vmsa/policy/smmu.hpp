// SPDX-License-Identifier: MIT
// The DMA side: what Linux puts into an SMMU's stage 2 for a device, and whether the device then sees the caches.
#pragma once
#include "vmsa/policy/alias.hpp"

namespace vmsa {

// IOMMU_MMIO, IOMMU_CACHE, or neither of them.
enum class iommu_prot : u8 { mmio, cache, neither };

// Linux's stage 2 leaf in the SMMU. Unlike the CPU's, Device and Normal-NC are written Outer Shareable.
constexpr stage2_attributes smmu_attributes(iommu_prot prot, bool s2fwb) noexcept {
  stage2_memory const memory = prot == iommu_prot::mmio    ? stage2_memory::device_nGnRE
                               : prot == iommu_prot::cache ? stage2_memory::normal_wb
                                                           : stage2_memory::normal_nc;
  shareability const sh = prot == iommu_prot::cache ? shareability::inner : shareability::outer;
  return {.memattr = encode_memattr(memory, s2fwb).value_or(0), .sh = sh};
}

// A device and its way to memory.
struct dma_path {
  bool coherent = true;        // the SMMU reports coherent access (IORT COHACC, dma-coherent)
  iommu_prot prot = iommu_prot::cache;
  bool s2fwb = false;          // the SMMU has S2FWB and uses it
  bool canwbs = false;         // IORT CANWBS: accesses are coherent even when their attributes are not write-back
  bool no_snoop = false;       // the device sets No_Snoop in PCIe requests

  friend constexpr bool operator==(dma_path const&, dma_path const&) = default;
};

enum class dma_verdict : u8 {
  snoops,            // the device sees what the CPUs have cached
  canwbs_snoops,     // it would not, but CANWBS makes it
  refused_by_vfio,   // not coherent: VFIO does not take the device
  no_snoop_bypass,   // No_Snoop passes IOMMU_CACHE and S2FWB: only CANWBS stops it
  mapped_uncached,   // the mapping itself is not write-back
};

struct dma_answer {
  dma_verdict verdict = dma_verdict::snoops;
  bool snoops = true;
  bool vfio_accepts = true;
  bool enforce_cache_coherency = false;  // IOMMU_CAP_ENFORCE_CACHE_COHERENCY
  bool nested_smmu = false;              // a guest may have its own stage 1 in the SMMU
  stage2_attributes leaf{};
  memory_attributes alias{};             // the device's accesses, as an alias of the memory
  char const* why = "";
};

constexpr dma_answer judge_dma(dma_path const& p) noexcept {
  dma_answer a;
  a.leaf = smmu_attributes(p.prot, p.s2fwb);
  a.vfio_accepts = p.coherent;
  a.enforce_cache_coherency = p.canwbs;
  a.nested_smmu = p.canwbs || p.s2fwb;
  bool const plain = p.coherent && p.prot == iommu_prot::cache && !p.no_snoop;
  if (plain) {
    a.verdict = dma_verdict::snoops;
    a.why = "the mapping is write-back and inner shareable, and the device asks to snoop";
  } else if (p.coherent && p.canwbs) {
    a.verdict = dma_verdict::canwbs_snoops;
    a.why = "CANWBS: the root complex makes every access coherent, No_Snoop or not";
  } else if (!p.coherent) {
    a.verdict = dma_verdict::refused_by_vfio;
    a.why = "the SMMU does not report coherent access; VFIO refuses such a device, because a guest that maps its "
            "buffers Normal-NC is forced to write-back by FWB while the device reads memory";
  } else if (p.prot != iommu_prot::cache) {
    a.verdict = dma_verdict::mapped_uncached;
    a.why = "the mapping is not write-back, so accesses go past the caches";
  } else {
    a.verdict = dma_verdict::no_snoop_bypass;
    a.why = "the device sets No_Snoop, which S2FWB does not stop; CANWBS would";
  }
  a.snoops = a.verdict == dma_verdict::snoops || a.verdict == dma_verdict::canwbs_snoops;
  a.alias = a.snoops                       ? linux_write_back
            : p.prot == iommu_prot::mmio   ? device_memory(device_kind::nGnRE)
                                           : linux_non_cacheable;
  return a;
}

static_assert(smmu_attributes(iommu_prot::cache, false).memattr == 0xf &&
              smmu_attributes(iommu_prot::cache, true).memattr == 0x6);
static_assert(!judge_dma({.s2fwb = true, .no_snoop = true}).snoops);

}  // namespace vmsa
