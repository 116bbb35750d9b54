// SPDX-License-Identifier: MIT
// What a hypervisor knows about memory before it decides: the page, the mapping in the monitor's address space, the
// memslot. Linux names, because Linux is where the argument is held; other hypervisors look at fewer of these.
#pragma once
#include "vmsa/arch/granule.hpp"

namespace vmsa {

// What the host kernel says about a page frame.
enum class page_class : u8 {
  map_memory,   // system RAM in the linear map: pfn_is_map_memory
  no_map,       // reserved-memory with no-map, EFI runtime: has struct page, is in no kernel mapping
  mmio,         // a BAR, a hole, coherent device memory outside the memory map: no struct page
  zone_device,  // devm_memremap_pages GENERIC, COHERENT, FS_DAX; soft-reserved and persistent memory
  p2pdma,       // devm_memremap_pages PCI_P2PDMA: cannot be pinned for a guest
};
inline constexpr unsigned page_class_count = 5;

// The two questions Linux asks of a frame. devm_memremap_pages memory answers no to the first and yes to the second:
// "not RAM", although it has struct page and a write-back linear alias. The long argument about policy begins there.
constexpr bool pfn_is_map_memory(page_class p) noexcept { return p == page_class::map_memory; }
constexpr bool pfn_valid(page_class p) noexcept { return p != page_class::mmio; }
constexpr bool is_zone_device(page_class p) noexcept { return p == page_class::zone_device || p == page_class::p2pdma; }

// The attribute of the kernel's own linear-map alias of the page.
enum class linear_alias : u8 { none, write_back, nGnRnE };

// Memory type of the monitor's mapping (vm_page_prot). `none`: no VMA at that address. Tagged counts as write-back.
enum class vma_type : u8 { none, wb, nc, nGnRE, nGnRnE };
inline constexpr unsigned vma_type_count = 5;

// What the host's page-table entry grants the monitor. `none` is PROT_NONE.
enum class host_access : u8 { none, read_only, read_write };
inline constexpr unsigned host_access_count = 3;

struct vma {
  vma_type type = vma_type::wb;
  bool pfnmap = false;              // VM_PFNMAP: frames mapped without struct page
  bool mixedmap = false;            // VM_MIXEDMAP: either kind of frame
  bool allow_any_uncached = false;  // VM_ALLOW_ANY_UNCACHED: the driver vouches for Normal-NC
  bool shared = false;              // MAP_SHARED
  bool swap_backed = false;         // anonymous or shmem pages
  bool mte_allowed = false;         // VM_MTE_ALLOWED
  bool hugetlb = false;             // VM_HUGETLB
  host_access access = host_access::read_write;
  // The VMA replaced another after the memslot was made, so that only the fault looks at it.
  bool late = false;

  friend constexpr bool operator==(vma const&, vma const&) = default;
};

enum class slot_kind : u8 {
  none,         // nothing registered: emulated MMIO
  memory,       // userspace_addr in the monitor
  guest_memfd,  // pages of a guest_memfd, with no VMA
  ioremap,      // mapped by the hypervisor itself: the GICv2 GICV page
};
inline constexpr unsigned slot_kind_count = 4;

struct memslot {
  slot_kind kind = slot_kind::memory;
  bool read_only = false;   // KVM_MEM_READONLY
  bool log_dirty = false;   // KVM_MEM_LOG_DIRTY_PAGES
  bool mappable = true;     // of a guest_memfd: made with GUEST_MEMFD_FLAG_MMAP
  bool whole_pages = true;  // size and addresses are multiples of the host's page

  friend constexpr bool operator==(memslot const&, memslot const&) = default;
};

// Everything about a piece of memory that any known policy looks at.
struct memory_inputs {
  page_class page = page_class::map_memory;
  linear_alias linear = linear_alias::write_back;
  struct vma vma {};
  memslot slot{};
  bool dma = false;             // devices reach it through an SMMU: the guest has one assigned
  level host_leaf = level::l3;  // largest leaf the host's own mapping fills, in levels of the 4K granule: l2 is 2 MiB

  friend constexpr bool operator==(memory_inputs const&, memory_inputs const&) = default;
};

static_assert(!pfn_is_map_memory(page_class::zone_device) && pfn_valid(page_class::zone_device));

}  // namespace vmsa
