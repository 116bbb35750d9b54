// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vmsa/arch/combine.hpp"
#include "vmsa/mmu/permissions.hpp"
#include "vmsa/sim/tables/leaf_runs.hpp"
#include "vmsa/sim/tables/reverse_index.hpp"
#include "vmsa/text/ask/machine.hpp"

namespace vmsa::text {

// Who maps which physical memory with which attributes, in the whole of a machine.

/// A memory type as a leaf of stage 2 alone can say it: with FWB, MemAttr 0b0111 leaves it to stage 1.
struct leaf_type {
  summary type = summary::normal_wb;
  bool stage1_decides = false;
  bool reserved = false;  ///< The encoding is reserved; `type` is one permitted reading of it.

  std::string text() const;
  std::string json() const;
};
leaf_type stage2_type(descriptor leaf, bool fwb);
leaf_type type_of(memory_attributes const& attributes);

/// What both stages of a guest make of a range of its virtual addresses.
struct combined_range {
  u64 va = 0;
  u64 ipa = 0;
  u64 pa = 0;
  u64 size = 0;
  descriptor one{};
  descriptor two{};
  memory_attributes stage1{};
  memory_attributes effective{};
  access_rights rights{};  ///< Of EL1 and EL0 together, through both stages.
};

struct guest_map {
  std::vector<combined_range>
      ranges{};      ///< In ascending order of virtual addresses, merged as ranges of one stage are.
  u64 leaves = 0;    ///< Of stage 1.
  u64 unmapped = 0;  ///< Bytes that stage 1 maps and stage 2 does not.
  std::vector<sim::absent_table> absent{};
};

/// A guest's stage 1 over its stage 2, by the EL1 registers that were found for it; stage 1 off maps every IPA.
guest_map map_guest(machine const& m, vm_table const& vm, sim::mapped_table const& stage2);

/// One stage 2, or one stage 1 of the host, as a whole.
sim::mapped_table map_of(machine const& m, vm_table const& vm, sim::merge_options options = {});
sim::mapped_table map_of(machine const& m, host_table const& host, sim::merge_options options = {});

enum class owner_kind : u8 { kernel, user, hypervisor, guest, stage2 };

struct memory_owner {
  std::string name{};  ///< `host kernel`, `monitor`, `vm-vmid3 guest EL1&0`, `vm-vmid3 stage 2`
  owner_kind kind = owner_kind::kernel;
  std::optional<std::size_t> vm{};  ///< Index in machine::vms.
};

struct owner_mapping {
  u64 address = 0;  ///< A VA; of stage 2 an IPA.
  memory_attributes attributes{};
  leaf_type type{};
  access_rights rights{};
  descriptor leaf{};
};

/// What somebody maps at one place, with the address at which they see it.
struct owned {
  std::string owner{};
  owner_kind kind = owner_kind::kernel;
  std::optional<std::size_t> vm{};
  u64 address = 0;
  memory_attributes attributes{};
  leaf_type type{};
  access_rights rights{};
  descriptor leaf{};
};

/// What a disagreement about one page can do, by how bad it is.
enum class disagreement : u8 {
  none,
  ordering_only,      ///< All uncached: accesses through different aliases may be reordered.
  write_policy,       ///< Write-back and write-through.
  loss_of_coherency,  ///< Cached and uncached, or cached for different observers.
};

struct machine_map {
  std::vector<memory_owner> owners{};
  std::vector<owner_mapping> mappings{};
  sim::reverse_index index{{}};
  u64 absent_tables = 0;  ///< Tables that are named and not in the dump: what they map is missing here.
  std::vector<std::string> notes{};

  owned tell(sim::physical_mapping const& m, pa at) const;
};
machine_map map_machine(machine const& m);

/// The worst of all pairs. A VM's stage 2 alone is no alias where its guest's stage 1 maps the same memory.
disagreement worst_disagreement(std::vector<owned> const& owners);

/// What EL1 and EL0 may do through a leaf; writable and clean counts as writable where hardware keeps dirty state. At
/// EL2 without E2H there is one privilege level, which stands in `el1`.
struct leaf_rights {
  access_rights el1{};
  access_rights el0{};

  access_rights either() const noexcept {
    return {el1.read || el0.read, el1.write || el0.write, el1.execute || el0.execute};
  }
};
leaf_rights rights_of(machine const& m, vm_table const& vm, descriptor leaf);
leaf_rights rights_of(machine const& m, host_table const& host, sim::mapped_range const& range);

/// `rw`, `r`, `w` or `none`.
std::string access_name(access_rights rights);

}  // namespace vmsa::text
