// SPDX-License-Identifier: MIT
// Backings: each named kind of memory behind a guest-physical range, as the inputs a policy sees.
#pragma once
#include "vmsa/policy/memory.hpp"

namespace vmsa {

enum class backing : u8 {
  anonymous,
  memfd,
  hugetlb_2m,
  hugetlb_1g,
  no_map,
  efi_runtime,
  efi_persistent,
  pci_sysfs_resource,
  pci_sysfs_resource_wc,
  dev_mem_bar,
  dev_mem_bar_private,
  dev_mem_no_map,
  vfio_pci_bar,
  vfio_platform,
  vfio_amba,
  vfio_cdx,
  vfio_fsl_mc,
  vfio_fsl_mc_cacheable,
  nvgrace_usemem,
  nvgrace_resmem,
  devm_generic,
  devm_generic_mixedmap,
  devm_coherent,
  devm_private,
  fs_dax,
  p2pdma,
  soft_reserved,
  cxl,
  pmem,
  gicv,
  guest_memfd,
  guest_memfd_no_mmap,
  drm_wc_ram,
  drm_vram,
  pfnmap_wb_ram,
  emulated_mmio,
  rom,
  custom,  // inputs given one by one
  // What hypervisors that are no Linux tell apart, by names of their own.
  ram = anonymous,
  device = vfio_platform,
  unbacked = emulated_mmio,
};
inline constexpr unsigned backing_count = static_cast<unsigned>(backing::custom) + 1;

struct backing_row {
  backing id = backing::custom;
  char const* name = "custom";
  memory_inputs inputs{};
  char const* what = "";
};

namespace backing_detail {
// The monitor's usual mappings.
inline constexpr vma plain_wb{.type = vma_type::wb};
inline constexpr vma anonymous_wb{.type = vma_type::wb, .swap_backed = true, .mte_allowed = true};
inline constexpr vma shmem_wb{.type = vma_type::wb, .shared = true, .swap_backed = true, .mte_allowed = true};
inline constexpr vma file_wb{.type = vma_type::wb, .shared = true};
inline constexpr vma hugetlb_wb{.type = vma_type::wb, .shared = true, .hugetlb = true};
inline constexpr vma no_vma{.type = vma_type::none, .access = host_access::none};
constexpr vma pfnmap(vma_type type, bool allow_any_uncached = false) noexcept {
  return {.type = type, .pfnmap = true, .allow_any_uncached = allow_any_uncached, .shared = true};
}
constexpr memory_inputs device(vma const& mapping) noexcept {
  return {.page = page_class::mmio, .linear = linear_alias::none, .vma = mapping};
}
}  // namespace backing_detail

// In the order of the enumeration.
inline constexpr auto backings = [] {
  using namespace backing_detail;
  using enum vma_type;
  memory_inputs const no_map_ram{.page = page_class::no_map, .linear = linear_alias::none, .vma = pfnmap(nGnRnE)};
  memory_inputs const dax{.page = page_class::zone_device, .vma = file_wb};
  struct {
    backing_row rows[backing_count];
  } table = {{
      {backing::anonymous, "anonymous", {.vma = anonymous_wb}, "system RAM, private anonymous memory of the monitor"},
      {backing::memfd, "memfd", {.vma = shmem_wb}, "system RAM, a shared memfd (shmem)"},
      {backing::hugetlb_2m,
       "hugetlb-2m",
       {.vma = hugetlb_wb, .host_leaf = level::l2},
       "system RAM, hugetlb 2 MiB pages"},
      {backing::hugetlb_1g,
       "hugetlb-1g",
       {.vma = hugetlb_wb, .host_leaf = level::l1},
       "system RAM, hugetlb 1 GiB pages"},
      {backing::no_map, "no-map", no_map_ram, "reserved-memory with no-map, mapped by a driver or /dev/mem"},
      {backing::efi_runtime, "efi-runtime", no_map_ram, "EFI runtime services memory"},
      {backing::efi_persistent, "efi-persistent", {.vma = file_wb}, "EFI persistent memory with the WB attribute"},
      {backing::pci_sysfs_resource, "pci-sysfs-resource", device(pfnmap(nGnRE)), "a BAR through PCI sysfs resourceN"},
      {backing::pci_sysfs_resource_wc, "pci-sysfs-resource-wc", device(pfnmap(nc)),
       "a BAR through PCI sysfs resourceN_wc"},
      {backing::dev_mem_bar, "dev-mem-bar", device(pfnmap(nGnRnE)), "a BAR through /dev/mem, shared and writable"},
      {backing::dev_mem_bar_private, "dev-mem-bar-private",
       device({.type = nGnRnE, .pfnmap = true, .access = host_access::read_only}),
       "a BAR through /dev/mem, a private mapping: its entries are read-only"},
      {backing::dev_mem_no_map, "dev-mem-no-map", no_map_ram, "no-map reserved RAM through /dev/mem"},
      {backing::vfio_pci_bar, "vfio-pci-bar", device(pfnmap(nGnRnE, true)),
       "a BAR through vfio-pci, prefetchable or not"},
      {backing::vfio_platform, "vfio-platform", device(pfnmap(nGnRnE)), "registers through vfio-platform"},
      {backing::vfio_amba, "vfio-amba", device(pfnmap(nGnRnE)), "registers through vfio-amba"},
      {backing::vfio_cdx, "vfio-cdx", device(pfnmap(nGnRnE)), "registers through vfio-cdx"},
      {backing::vfio_fsl_mc, "vfio-fsl-mc", device(pfnmap(nGnRnE)), "registers through vfio-fsl-mc"},
      {backing::vfio_fsl_mc_cacheable, "vfio-fsl-mc-cacheable", device(pfnmap(wb)),
       "a cacheable portal through vfio-fsl-mc"},
      {backing::nvgrace_usemem, "nvgrace-usemem", device(pfnmap(wb)),
       "coherent GPU memory through nvgrace-gpu vfio: USEMEM"},
      {backing::nvgrace_resmem, "nvgrace-resmem", device(pfnmap(nc, true)),
       "GPU memory that the driver keeps uncached, through nvgrace-gpu vfio: RESMEM"},
      {backing::devm_generic, "devm-generic", dax, "devm_memremap_pages GENERIC memory in a plain VMA (devdax)"},
      {backing::devm_generic_mixedmap,
       "devm-generic-mixedmap",
       {.page = page_class::zone_device, .vma = {.type = wb, .mixedmap = true, .shared = true}},
       "devm_memremap_pages GENERIC memory in a MIXEDMAP VMA"},
      {backing::devm_coherent, "devm-coherent", dax, "MEMORY_DEVICE_COHERENT: accelerator memory the CPU caches"},
      {backing::devm_private,
       "devm-private",
       {.page = page_class::zone_device, .linear = linear_alias::none, .vma = no_vma, .slot = {slot_kind::none}},
       "MEMORY_DEVICE_PRIVATE: device memory that the CPU cannot map"},
      {backing::fs_dax, "fs-dax", dax, "a file on a DAX file system"},
      {backing::p2pdma,
       "p2pdma",
       {.page = page_class::p2pdma,
        .linear = linear_alias::nGnRnE,
        .vma = {.type = wb, .mixedmap = true, .shared = true}},
       "MEMORY_DEVICE_PCI_P2PDMA: peer-to-peer memory of a BAR"},
      {backing::soft_reserved, "soft-reserved", dax, "EFI soft-reserved memory through devdax"},
      {backing::cxl, "cxl", dax, "CXL HDM memory through devdax"},
      {backing::pmem, "pmem", dax, "persistent memory outside the EFI memory map"},
      {backing::gicv,
       "gicv",
       {.page = page_class::mmio, .linear = linear_alias::none, .vma = no_vma, .slot = {slot_kind::ioremap}},
       "the GICv2 virtual CPU interface page, mapped by the hypervisor"},
      {backing::guest_memfd,
       "guest-memfd",
       {.vma = no_vma, .slot = {slot_kind::guest_memfd}},
       "system RAM, a guest_memfd that the monitor does not map"},
      {backing::guest_memfd_no_mmap,
       "guest-memfd-no-mmap",
       {.vma = no_vma, .slot = {.kind = slot_kind::guest_memfd, .mappable = false}},
       "system RAM, a guest_memfd made without GUEST_MEMFD_FLAG_MMAP"},
      {backing::drm_wc_ram,
       "drm-wc-ram",
       {.vma = pfnmap(nc)},
       "system RAM that a graphics driver maps write-combining"},
      {backing::drm_vram, "drm-vram", device(pfnmap(nc)),
       "memory of a graphics card that its driver maps write-combining: a blob of virtio-gpu"},
      {backing::pfnmap_wb_ram,
       "pfnmap-wb-ram",
       {.vma = pfnmap(wb)},
       "system RAM that a driver maps write-back with remap_pfn_range"},
      {backing::emulated_mmio,
       "emulated-mmio",
       {.page = page_class::mmio, .linear = linear_alias::none, .vma = no_vma, .slot = {slot_kind::none}},
       "no memslot: the monitor emulates the device"},
      {backing::rom, "rom", {.vma = shmem_wb, .slot = {.read_only = true}}, "system RAM in a read-only memslot"},
      {backing::custom, "custom", {}, "inputs given one by one"},
  }};
  return table;
}();

constexpr backing_row const& row_of(backing b) noexcept { return backings.rows[static_cast<unsigned>(b)]; }
constexpr memory_inputs const& inputs_of(backing b) noexcept { return row_of(b).inputs; }
constexpr char const* name(backing b) noexcept { return row_of(b).name; }

static_assert([] {
  for (unsigned i = 0; i < backing_count; ++i)
    if (static_cast<unsigned>(backings.rows[i].id) != i) return false;
  return true;
}());

}  // namespace vmsa
