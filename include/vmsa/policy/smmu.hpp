// SPDX-License-Identifier: MIT
// The DMA side of Linux by release: what VFIO takes, what the SMMUv3 driver programs for it, and whether the device
// then sees the caches. Sources: the commits named in the rows, and io-pgtable-arm's arm_lpae_prot_to_pte.
#pragma once
#include "vmsa/arch/smmu_attributes.hpp"
#include "vmsa/policy/alias.hpp"
#include "vmsa/policy/backing.hpp"
#include "vmsa/policy/kvm.hpp"

namespace vmsa {

/// IOMMU_MMIO, IOMMU_CACHE, or neither of them. VFIO asks for IOMMU_CACHE; an MSI doorbell is IOMMU_MMIO.
enum class iommu_prot : u8 { mmio, cache, neither };

/// Who maps the guest's memory for the device.
enum class dma_user : u8 {
  type1,    ///< VFIO_TYPE1_IOMMU: a plain domain
  iommufd,  ///< /dev/iommu: a plain domain
  nested,   ///< iommufd with a nesting parent: the guest has an SMMU of its own, its stage 1 runs over the host's stage
            ///< 2
};

/// What changed on the DMA side, and in which release.
enum class dma_change : u8 {
  vfio_refuses_non_coherent,
  type1_maps_pfnmap,
  canwbs,
  nesting,
  s2fwb_leaf,
  s2fwb_detected,
  iommufd_maps_dma_buf,
  iommufd,
};

struct dma_change_row {
  dma_change what{};
  kernel_version since{};
  char const* commit = "";
  char const* text = "";
};

inline constexpr dma_change_row dma_changes[] = {
    {dma_change::vfio_refuses_non_coherent,
     {5, 19},
     "e8ae0e140c05",
     "VFIO refuses a device without IOMMU_CAP_CACHE_COHERENCY"},
    {dma_change::iommufd, {6, 2}, "2ff4bed7fee7", "iommufd maps memory for devices"},
    {dma_change::type1_maps_pfnmap,
     {3, 6},
     "73fa0d10d077",
     "type1 maps PFNMAP memory whose frames have no struct page, or a reserved one"},
    {dma_change::canwbs, {6, 13}, "807404d66fcf", "IORT CANWBS is read, and enforced coherency answers it"},
    {dma_change::nesting, {6, 13}, "69d9b312f38a", "nesting parents, virtual SMMUs and nested stream table entries"},
    {dma_change::s2fwb_leaf, {6, 13}, "67e4fe398513", "stage 2 of a nesting parent is written for S2FWB"},
    {dma_change::s2fwb_detected,
     {6, 15},
     "45e00e367189",
     "IDR3.FWB is read, which S2FWB waits for (6.14 has the correction in its stable releases)"},
    {dma_change::iommufd_maps_dma_buf,
     {6, 19},
     "44ebaa1744fd",
     "IOMMU_IOAS_MAP_FILE takes a dma-buf that vfio-pci exported"},
};

constexpr dma_change_row const& row_of(dma_change what) noexcept {
  for (dma_change_row const& r : dma_changes)
    if (r.what == what) return r;
  return dma_changes[0];
}
constexpr bool has(kernel_version v, dma_change what) noexcept { return v >= row_of(what).since; }

/// A device and its way to memory.
struct dma_path {
  bool coherent = true;  ///< The SMMU reports coherent access and firmware says dma-coherent (IORT CCA and CPM).
  iommu_prot prot = iommu_prot::cache;
  bool s2fwb = false;     ///< IDR3.FWB: the SMMU can force write-back; whether Linux does is the release's matter.
  bool canwbs = false;    ///< IORT CANWBS: accesses stay coherent even when their attributes are not write-back.
  bool no_snoop = false;  ///< The device sets No_Snoop in PCIe requests.
  bool stage1 = true;     ///< IDR0.S1P: Linux then gives a plain domain stage 1, and stage 2 only to nesting parents.
  dma_user user = dma_user::type1;
  memory_attributes guest_stage1 = linux_write_back;  ///< What the guest's own stage 1 says, for dma_user::nested.

  friend constexpr bool operator==(dma_path const&, dma_path const&) = default;
};

/// What firmware says of a device's way to memory: the memory access properties of an IORT node (DEN0049), or the
/// device tree's dma-coherent, which is CCA and CPM.
struct firmware_coherency {
  bool cca = true;      ///< Cache coherency attribute: accesses are coherent.
  bool cpm = true;      ///< Memory access flag 0: the path to memory is coherent.
  bool dacs = true;     ///< Flag 1: accesses are write-back shareable without any override.
  bool canwbs = false;  ///< Flag 2: accesses stay coherent although not write-back shareable.
};
/// CCA without a coherent path contradicts itself.
constexpr bool is_contradictory(firmware_coherency const& f) noexcept { return f.cca && !f.cpm; }
/// `p` with what firmware says. A coherent path whose accesses are not write-back by themselves (CPM without DACS) is
/// coherent only where the SMMU's tables make them so, which they do.
constexpr dma_path with_firmware(dma_path p, firmware_coherency const& f) noexcept {
  p.coherent = f.cpm && (f.cca || !f.dacs);
  p.canwbs = f.canwbs;
  return p;
}

/// Linux's window for MSI doorbells in a VFIO domain: each is mapped there as IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
/// so Device-nGnRE and outer shareable.
inline constexpr u64 linux_msi_iova_base = 0x800'0000;
inline constexpr u64 linux_msi_iova_size = 0x10'0000;
constexpr bool in_msi_window(u64 iova) noexcept { return iova - linux_msi_iova_base < linux_msi_iova_size; }

/// MAIR_EL1 as Linux writes it into every context descriptor: index 0 Normal-NC, 1 Normal-WB, 2 Device-nGnRE.
inline constexpr u64 linux_smmu_mair = 0xf404'ff44;

/// The AttrIndx of a stage 1 leaf, and its Shareability: Inner for cacheable mappings, Outer for any other.
struct smmu_stage1_leaf {
  u8 attr_index = 0;
  shareability sh = shareability::outer;

  friend constexpr bool operator==(smmu_stage1_leaf const&, smmu_stage1_leaf const&) = default;
};
constexpr smmu_stage1_leaf linux_stage1_leaf(iommu_prot prot) noexcept {
  switch (prot) {
    case iommu_prot::mmio: return {2, shareability::outer};
    case iommu_prot::cache: return {1, shareability::inner};
    case iommu_prot::neither: break;
  }
  return {0, shareability::outer};
}

/// Linux's stage 2 leaf in the SMMU. Unlike the CPU's, Device and Normal-NC are written Outer Shareable. `s2fwb`: the
/// tables are a nesting parent's and S2FWB is in use; only IOMMU_CACHE is spelled differently then.
constexpr stage2_attributes linux_stage2_leaf(iommu_prot prot, bool s2fwb) noexcept {
  stage2_memory const memory = prot == iommu_prot::mmio    ? stage2_memory::device_nGnRE
                               : prot == iommu_prot::cache ? stage2_memory::normal_wb
                                                           : stage2_memory::normal_nc;
  shareability const sh = prot == iommu_prot::cache ? shareability::inner : shareability::outer;
  return {.memattr = encode_memattr(memory, s2fwb).value_or(0), .sh = sh};
}

enum class dma_verdict : u8 {
  snoops,           // the device sees what the CPUs have cached
  canwbs_snoops,    // its attributes would not, but CANWBS makes it
  refused_by_vfio,  // not coherent: VFIO does not take the device
  not_coherent,     // not coherent, and this release takes it all the same
  no_snoop_bypass,  // No_Snoop passes IOMMU_CACHE and S2FWB: only CANWBS stops it
  mapped_uncached,  // the mapping itself is not write-back
  no_nesting,       // this release has no nesting for this SMMU
};

/// Yes or no, and why.
struct dma_capability {
  bool yes = false;
  char const* why = "";
};

struct dma_answer {
  dma_verdict verdict = dma_verdict::snoops;
  bool snoops = true;
  dma_capability vfio_accepts{};
  dma_capability enforce_cache_coherency{};  ///< IOMMU_CAP_ENFORCE_CACHE_COHERENCY
  dma_capability nested_smmu{};              ///< A guest may have its own stage 1 in the SMMU.
  dma_capability s2fwb{};                    ///< Stage 2 of this device's domain forces write-back.
  smmu_config config = smmu_config::stage1;  ///< STE.Config as Linux writes it.
  std::optional<smmu_stage1_leaf> stage1{};  ///< Linux's own leaf; absent where stage 1 is off or the guest's.
  std::optional<stage2_attributes> stage2{};
  smmu_chain chain{};         ///< From the root complex's attributes to the access's.
  memory_attributes alias{};  ///< The device's accesses, as an alias of the memory.
  char const* why = "";

  /// This release takes the device, so that its accesses are made at all.
  constexpr bool taken() const noexcept {
    return verdict != dma_verdict::refused_by_vfio && verdict != dma_verdict::no_nesting;
  }
};

/// What this release makes of the device [VFIO, iommufd, arm-smmu-v3].
constexpr dma_answer judge_dma(kernel_version v, dma_path const& p) noexcept {
  dma_answer a;
  bool const refuses = has(v, dma_change::vfio_refuses_non_coherent);
  a.vfio_accepts = {p.coherent || !refuses, p.coherent ? "the SMMU reports coherent access"
                                            : refuses  ? "from 5.19 on VFIO wants IOMMU_CAP_CACHE_COHERENCY"
                                                       : "before 5.19 VFIO did not ask for coherent access"};
  bool const reads_canwbs = has(v, dma_change::canwbs);
  a.enforce_cache_coherency = {p.canwbs && reads_canwbs, !p.canwbs       ? "the root complex does not have CANWBS"
                                                         : !reads_canwbs ? "CANWBS is not read before 6.13"
                                                                         : "CANWBS"};
  bool const nests = has(v, dma_change::nesting);
  bool const sees_fwb = p.s2fwb && has(v, dma_change::s2fwb_detected);
  bool const nested = p.user == dma_user::nested;
  a.nested_smmu = {nests && ((p.canwbs && reads_canwbs) || sees_fwb),
                   !nests                     ? "there is no nesting before 6.13"
                   : p.canwbs && reads_canwbs ? "CANWBS"
                   : sees_fwb                 ? "S2FWB"
                   : p.s2fwb                  ? "IDR3.FWB is not read before 6.15, or a stable release of 6.14"
                                              : "it needs CANWBS or S2FWB"};
  a.s2fwb = {nested && a.nested_smmu.yes && sees_fwb,
             !p.s2fwb    ? "the SMMU does not have it"
             : !nests    ? "Linux does not use it before 6.13"
             : !nested   ? "only the stage 2 of a nesting parent uses it; a plain domain is stage 1"
             : !sees_fwb ? "IDR3.FWB is not read before 6.15, or a stable release of 6.14"
                         : "a nesting parent"};

  smmu_leaves leaves;
  if (nested) {
    a.config = smmu_config::nested;
    a.stage2 = linux_stage2_leaf(p.prot, a.s2fwb.yes);
    leaves = {p.guest_stage1, a.stage2, a.s2fwb.yes};
  } else if (p.stage1) {
    a.config = smmu_config::stage1;
    a.stage1 = linux_stage1_leaf(p.prot);
    u8 const byte = mair_el1{{linux_smmu_mair}}.attr(a.stage1->attr_index);
    leaves.stage1 = decode_cd_mair(byte, a.stage1->sh);
  } else {
    a.config = smmu_config::stage2;
    a.stage2 = linux_stage2_leaf(p.prot, false);
    leaves.stage2 = a.stage2;
  }
  memory_attributes incoming = smmu_default_attributes;
  incoming.sh = smmu_choices{}.pcie;
  a.chain = smmu_attributes(incoming, {}, leaves, p.no_snoop);

  bool const cached = meets_the_caches(a.chain.output);
  if (!a.vfio_accepts.yes) {
    a.verdict = dma_verdict::refused_by_vfio;
    a.why =
        "the SMMU does not report coherent access; VFIO refuses such a device, because a guest that maps its "
        "buffers Normal-NC is forced to write-back by FWB while the device reads memory";
  } else if (nested && !a.nested_smmu.yes) {
    a.verdict = dma_verdict::no_nesting;
    a.why = a.nested_smmu.why;
  } else if (!p.coherent) {
    a.verdict = dma_verdict::not_coherent;
    a.why =
        "the device reads and writes memory past the caches, and this release takes it: whatever a CPU has cached is "
        "stale to the one or the other";
  } else if (cached) {
    a.verdict = dma_verdict::snoops;
    a.why = "the access is write-back and shareable, and the device asks to snoop";
  } else if (p.canwbs) {
    a.verdict = dma_verdict::canwbs_snoops;
    a.why = "CANWBS: the root complex makes every access coherent, No_Snoop or not";
  } else if (a.chain.no_snoop) {
    a.verdict = dma_verdict::no_snoop_bypass;
    a.why = "the device sets No_Snoop, which S2FWB does not stop; CANWBS would";
  } else {
    a.verdict = dma_verdict::mapped_uncached;
    a.why = "the mapping is not write-back, so accesses go past the caches";
  }
  a.snoops = a.verdict == dma_verdict::snoops || a.verdict == dma_verdict::canwbs_snoops;
  a.alias = a.snoops ? linux_write_back : p.coherent ? a.chain.output : linux_non_cacheable;
  return a;
}

/// Errors of mapping memory for a device; `none` beside a refusal says that the interface is not there at all.
enum class dma_errno : u8 { none, efault, eopnotsupp, eremoteio };

/// What becomes of mapping guest memory for the device: VFIO_IOMMU_MAP_DMA or IOMMU_IOAS_MAP. Its -EFAULT is printed as
/// "Bad address" too, but comes before the guest runs and is not KVM_RUN's.
struct dma_mapping {
  bool maps = true;
  dma_errno error = dma_errno::none;
  char const* why = "";
};

/// Both pin pages for long (FOLL_LONGTERM), which mm/gup.c refuses by the kind of mapping or page: check_vma_flags and
/// try_grab_folio.
constexpr dma_mapping map_for_dma(kernel_version v, dma_user user, memory_inputs const& memory, backing kind) noexcept {
  using enum dma_errno;
  if (user == dma_user::type1 && !has(v, dma_change::type1_maps_pfnmap))
    return {false, none, "there is no type1 before 3.6"};
  if (user != dma_user::type1 && !has(v, dma_change::iommufd)) return {false, none, "there is no iommufd before 6.2"};
  if (memory.vma.type == vma_type::none)
    return {false, efault, "the monitor has no mapping of it whose pages could be pinned"};
  if (memory.vma.access == host_access::none)
    return {false, efault, "the monitor's mapping grants nothing (PROT_NONE), so that no page can be pinned"};
  if (memory.page == page_class::p2pdma && !memory.vma.pfnmap)
    return {false, eremoteio, "peer-to-peer pages are pinned only for those that ask for them (FOLL_PCI_P2PDMA)"};
  if (kind == backing::fs_dax)
    return {false, eopnotsupp, "a file on a DAX file system is not pinned for long: its blocks must stay free to move"};
  if (kind == backing::devm_coherent)
    return {true, none, "its pages move to ordinary RAM before they are pinned for long (from 6.0 on)"};
  if (!memory.vma.pfnmap) return {true, none, "its pages are pinned"};
  if (user == dma_user::type1) {
    // is_invalid_reserved_pfn: no struct page, or one that is marked reserved.
    if (memory.page != page_class::map_memory)
      return {true, none, "PFNMAP: type1 looks the frames up, which are no ordinary RAM"};
    return {false, efault, "type1 maps PFNMAP memory only where the frames are no ordinary RAM"};
  }
  if (has(v, dma_change::iommufd_maps_dma_buf))
    return {false, efault,
            "iommufd pins pages, and PFNMAP memory cannot be pinned; mapped as a dma-buf of vfio-pci it works"};
  return {false, efault,
          "iommufd pins pages, and PFNMAP memory cannot be pinned; from 6.19 on it takes a dma-buf of vfio-pci"};
}

/// The device's accesses as an alias of the memory; none where this release refuses the device or the mapping.
constexpr std::optional<memory_attributes> alias_of(dma_answer const& device, dma_mapping const& mapping) noexcept {
  return device.taken() && mapping.maps ? std::optional(device.alias) : std::nullopt;
}

static_assert(linux_stage2_leaf(iommu_prot::cache, false).memattr == 0xf &&
              linux_stage2_leaf(iommu_prot::cache, true).memattr == 0x6);
static_assert(!judge_dma({6, 17}, {.s2fwb = true, .no_snoop = true}).snoops);
static_assert(judge_dma({5, 18}, {.coherent = false}).vfio_accepts.yes);
static_assert(!judge_dma({5, 19}, {.coherent = false}).vfio_accepts.yes);

}  // namespace vmsa
