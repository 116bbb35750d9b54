// SPDX-License-Identifier: MIT
// Host memory from what a host prints about itself: /proc/iomem, a PCI device's `resource` file, a device tree as dtc
// prints it. And guest memory as QEMU prints it. What they cannot know, how a monitor maps the memory, stays open:
// compatible_backings lists what may be asked for.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/policy/region.hpp"

namespace vmsa::text {

struct host_range {
  pa base{};
  u64 size = 0;  // bytes
  page_class page = page_class::mmio;
  std::string name;  // as the source calls it: `System RAM`, `0000:00:01.0`, `BAR 2, prefetchable`
  std::string file;  // where it was read
  std::size_t line = 0;

  constexpr bool contains(pa where) const noexcept { return where >= base && where - base < size; }
  // It begins or ends inside a page: a mapping of it, which is made of pages, holds what lies beside it too.
  constexpr bool partial(u64 page_size = 4096) const noexcept { return ((base.value | size) & (page_size - 1)) != 0; }
};

// What `layers` leave to be seen where each lies over those before it: sorted and disjoint, in n log n steps.
std::vector<host_range> painted(std::vector<host_range> layers);

struct host_memory {
  std::vector<host_range> ranges;     // sorted, disjoint
  std::vector<std::string> open;      // what the source leaves to the kernel: a reservation without an address
  std::vector<std::string> coherent;  // nodes with `dma-coherent`: their DMA sees the caches
  granule host_page = granule::k4;    // what a mapping is made of

  host_range const* find(pa where) const noexcept;
  // Lays `other` over this: where both speak, the later source is the more precise one.
  void overlay(host_memory other);
};

// They throw input_error with file and line for anything that is not such a text, and for a truncated one.
host_memory read_iomem(std::string_view text, std::string const& file);
host_memory read_pci_resource(std::string_view text, std::string const& file);
host_memory read_device_tree(std::string_view text, std::string const& file);

// The kernel's linear-map alias of a page of this class.
linear_alias linear_of(page_class page) noexcept;
// Backings that can stand on a page of this class.
std::vector<backing> compatible_backings(page_class page);

// One line of QEMU's `info mtree -f`. RAM's backing is the -object's choice, which the monitor does not print.
struct guest_range {
  ipa base{};
  u64 size = 0;
  std::string kind;                // ram rom romd ramd i/o
  std::optional<backing> backs{};  // none for ram
  std::string name;
  bool memslot = false;  // QEMU gave it to KVM
  std::size_t line = 0;
};
// The flat view of the address space "memory", or the only one there is.
std::vector<guest_range> read_mtree(std::string_view text, std::string const& file);

}  // namespace vmsa::text
