// SPDX-License-Identifier: MIT
// The roots of stage 2 tables in a host's memory, found without symbols: by what KVM keeps beside them, and by what
// tables look like.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/sim/dump/physical_memory.hpp"

namespace vmsa::sim {

/// Called from time to time with the bytes searched so far, and ends the search when it says false; may be empty.
using search_progress = std::function<bool(u64 done)>;

/// A struct kvm_s2_mmu of Linux: what KVM keeps for one stage 2.
struct found_mmu {
  pa where{};  // of the structure
  u64 vmid = 0;
  pa root{};
  vtcr_el2 vtcr{};
  pa owner{};           // low bits of the address of the struct kvm_arch it names; 0 where that word is none
  bool shadow = false;  // not the VM's own stage 2, but the shadow of one that its guest made for a guest of its own
  bool root_present = false;
};

/// Finds structures by their consecutive words. `threads` share the work by slice.
std::vector<found_mmu> find_kvm_mmus(physical_memory const& memory, unsigned threads, search_progress const& progress);

/// Whether a root's tables, as far as the dump holds them, are stage 2 tables of KVM's: valid descriptors only with
/// what a table or a leaf has, at the first level.
bool looks_like_root(physical_memory const& memory, geometry const& shape, pa root);

/// A root whose tables all stand `displacement` bytes higher than they are named, modulo 2^64: what an image shows
/// whose base is not the address that it was opened with. None where no such tables are found, or more than one
/// displacement fits.
struct named_root {
  pa where{};
  geometry shape{};
};
std::optional<u64> find_displacement(physical_memory const& memory, std::vector<named_root> const& roots,
                                     unsigned threads);

/// A table that no other table of its kind names.
struct shape_root {
  pa where{};
  level at = level::l3;  // by the tables below it
  u64 leaves = 0;        // of the tables it leads to
  u64 pages = 0;         // that it leads to, itself among them
};

/// Finds stage 2 tables by their descriptors: every valid one a leaf that is readable, never nG and has a MemAttr that
/// KVM writes, or a bare table descriptor; then builds levels from below.
std::vector<shape_root> find_table_roots(physical_memory const& memory, granule tg, bool ds, unsigned threads,
                                         search_progress const& progress);

}  // namespace vmsa::sim
