// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vmsa/text/ask/owners.hpp"

namespace vmsa::text {

// The questions that `vmsa tables` asks of a machine. Each answer owns all that it says.

struct root_row {
  pa root{};
  std::string kind{};   ///< `stage 2`, `shadow stage 2`, `host stage 2`, `kernel`, `user`, `hypervisor`
  std::string where{};  ///< `kvm_s2_mmu at 0x40dd79c8`, `TTBR1_EL2 of CPU 0`
  std::string name{};   ///< Of the VM, or the owner.
  std::optional<u64> vmid{};
  std::optional<u64> vtcr_el2{};
  unsigned ipa_bits = 0;  ///< Of a stage 1: VA bits.
  u64 pages = 0;          ///< Granules of the root.
  u64 tables = 0;         ///< Granules that all its tables take.
  u64 leaves = 0;
  u64 absent = 0;          ///< Tables that are not in the dump.
  bool known_size = true;  ///< false: `ipa_bits` is only what the tables found reach.
  std::vector<std::string> seen_by{};
};
std::vector<root_row> find_roots(machine const& m);

struct who_answer {
  pa where{};
  std::vector<owned> owners{};
  disagreement mismatch = disagreement::none;
  std::vector<std::string> notes{};
};
who_answer who(machine const& m, machine_map const& map, pa where);

struct mismatched_range {
  pa first{};
  u64 size = 0;
  std::vector<owned> owners{};  ///< As they see `first`.
  disagreement how = disagreement::none;
  bool guest = false;  ///< A VM maps it.
};
struct mismatches_answer {
  std::vector<mismatched_range> ranges{};  ///< Worst first, then by address.
  u64 guest_pages = 0;                     ///< 4K pages that a VM maps.
  u64 host_only_pages = 0;                 ///< Mismatched pages that no VM maps, where they were left out.
  std::vector<std::string> notes{};
};
/// Stretches of memory whose owners disagree; `host_too`: also where no VM maps it.
mismatches_answer mismatches(machine const& m, machine_map const& map, bool host_too);

enum class change_kind : u8 { mapped, unmapped, output_address, attributes, level, software };

struct table_change {
  change_kind kind = change_kind::mapped;
  std::string vm{};
  u64 ipa = 0;
  u64 size = 0;
  std::optional<descriptor> before{};
  std::optional<descriptor> after{};
  std::optional<pa> pa_before{};
  std::optional<pa> pa_after{};
  bool fwb = false;
};
struct diff_answer {
  std::vector<table_change> changes{};  ///< One a leaf.
  std::vector<std::string> notes{};     ///< VMs that only one dump has, tables that are absent.
  std::int64_t tables = 0;              ///< Granules more in the second dump.
};
/// Leaf by leaf, between VMs of the same name; `all`: also changes of bits that only software reads.
diff_answer diff(machine const& before, machine const& after, bool all);

struct stats_row {
  level at = level::l3;
  u64 leaves = 0;
  u64 bytes = 0;
  u64 contiguous = 0;  ///< Leaves with the Contiguous bit.
};
struct stats_type {
  std::string type{};
  std::string json{};
  u64 bytes = 0;
};
struct stats_answer {
  std::string name{};
  granule tg = granule::k4;
  std::vector<stats_row> levels{};
  std::vector<stats_type> types{};
  u64 tables = 0;  ///< Granules.
  u64 table_bytes = 0;
  u64 leaves = 0;
  u64 bytes = 0;
  u64 ranges = 0;
  u64 could_be_blocks = 0;    ///< Level 2 blocks that pages make up: aligned, whole, alike, one after the other.
  u64 misaligned_blocks = 0;  ///< The same but for the address: IPA and PA differ below the block's size.
  u64 absent = 0;
};
std::vector<stats_answer> stats(machine const& m);

}  // namespace vmsa::text
