// SPDX-License-Identifier: MIT
// From inputs to a decision: find the row, then say what it means for this access.
#pragma once
#include "vmsa/arch/cache_duties.hpp"
#include "vmsa/policy/policy_table.hpp"

namespace vmsa {

constexpr decision decide(policy_table const& table, policy_host const& host, memory_inputs const& inputs, backing kind,
                          fault_access const& access) noexcept {
  decision d;
  d.fwb = table.runs_with_fwb(host);
  d.capability_243 = table.traits().has_capability_243 && maintenance_free(host);
  d.of_kvm = table.traits().of_kvm;
  std::size_t const found = table.find({host, inputs, kind, access});
  if (found == table.rows().size()) return d;
  rule const& row = table.rows()[found];
  d.row = &row;
  verdict const& v = row.then;
  d.outcome = v.outcome;
  d.error = v.error;
  d.cause = v.cause;
  d.exception = v.exception;
  d.esr_el1 = exception_syndrome(v.exception, access);
  if (!d.maps()) return d;
  d.memattr = row.memattr[d.fwb];
  if (d.memattr == no_memattr) {  // Normal-WT has no encoding with FWB
    d.outcome = policy_outcome::not_applicable;
    return d;
  }
  d.memory = v.memory;
  d.sh = v.sh;
  d.sh_in_leaf = !host.lpa2_tables;
  d.tg = host.page;

  // Every grant as one bit, so that the row's own is picked without a branch: the rows of a real guest's faults vary.
  bool const exec = access.kind == access_kind::exec && !access.stage1_walk;
  bool const logged_clean = inputs.slot.log_dirty && access.kind != access_kind::write;
  bool const host_writable = inputs.vma.access == host_access::read_write && !inputs.slot.read_only;
  auto const pick = [](unsigned grants, auto which) { return (grants >> static_cast<unsigned>(which) & 1) != 0; };
  unsigned const write_grants = 0b10000u | (inputs.slot.read_only ? 0u : 0b01000u) | (host_writable ? 0b00010u : 0u) |
                                (host_writable && !logged_clean ? 0b00100u : 0u);
  unsigned const execute_grants = 0b100u | (exec || host.cpu.dic ? 0b010u : 0u);
  bool const nested = host.mode == hypervisor_mode::nested;
  d.readable = !nested || host.nested.read;
  d.writable = pick(write_grants, v.write) && (!nested || host.nested.write);
  d.executable = pick(execute_grants, v.execute) && (!nested || host.nested.execute);

  if (v.leaf != leaf_limit::page && !inputs.slot.log_dirty) {
    // Stage 2 has level 1 blocks of 4K tables only; a hugetlb page smaller than a block is mapped in pages.
    bool const k4 = host.page == granule::k4;
    if (inputs.vma.pfnmap) {
      d.largest_leaf = k4 ? level::l1 : level::l2;
    } else if (v.leaf == leaf_limit::host) {
      d.largest_leaf = k4 ? inputs.host_leaf : inputs.host_leaf == level::l1 ? level::l2 : level::l3;
    }
    // pKVM's hypervisor takes pages and level 2 blocks only.
    if (host.mode == hypervisor_mode::pkvm_guest && d.largest_leaf < level::l2) d.largest_leaf = level::l2;
  }
  if (table.traits().linux_cache_duties) {
    d.duties = access.fault == fault_reason::permission
                   ? duties_of_relax(d.executable, host.cpu.dic)
                   : duties_of_map(caching_of(d.memory, d.executable, d.fwb), host.cpu.dic);
  }
  return d;
}

// A policy_table as a fault_policy. The table outlives it.
struct table_policy {
  policy_table const* table;

  constexpr decision operator()(policy_host const& host, region const& r, fault_access const& access) const noexcept {
    return decide(*table, host, r.inputs, r.backing, access);
  }
};
static_assert(fault_policy<table_policy>);

}  // namespace vmsa
