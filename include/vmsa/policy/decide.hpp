// SPDX-License-Identifier: MIT
// From inputs to a decision: find the row, then say what it means for this access.
#pragma once
#include "vmsa/policy/rule.hpp"

namespace vmsa {

// What a new leaf asks of the caches. Without FWB the guest may read memory past the cache, so what the host left in
// it must be in memory first; an executable leaf must not hit stale instructions unless DIC says it cannot.
constexpr cache_duties duties_of_map(stage2_memory memory, bool executable, bool fwb, bool dic) noexcept {
  bool const cacheable = memory == stage2_memory::normal_wb || memory == stage2_memory::stage1;
  return {.clean_invalidate_poc = cacheable && !fwb, .invalidate_instruction_pou = executable && !dic};
}
// Relaxing permissions of a leaf that is there: its data was cleaned when it was mapped.
constexpr cache_duties duties_of_relax(bool executable, bool dic) noexcept {
  return {.invalidate_instruction_pou = executable && !dic};
}
// After the TLBI. The guest may have written past the cache while the host's alias was cached.
constexpr cache_duties duties_of_unmap(stage2_memory memory, bool fwb) noexcept {
  bool const cacheable = memory == stage2_memory::normal_wb || memory == stage2_memory::stage1;
  return {.clean_invalidate_poc = cacheable && !fwb};
}
// When the guest toggles SCTLR_EL1.M or C, or maintains by set/way: over the whole VM.
constexpr cache_duties duties_of_cache_toggle(bool fwb) noexcept { return {.clean_invalidate_poc = !fwb}; }

constexpr decision decide(policy_table const& table, policy_host const& host, memory_inputs const& inputs,
                          backing kind, fault_access const& access) noexcept {
  decision d;
  d.fwb = runs_with_fwb(table, host);
  d.capability_243 = table.has_capability_243 && maintenance_free(host);
  d.row = first_match(table.rows, situation(host, inputs, kind, access));
  if (d.row == nullptr) return d;
  verdict const& v = d.row->then;
  d.outcome = v.outcome;
  d.error = v.error;
  d.cause = v.cause;
  d.exception = v.exception;
  d.esr_el1 = exception_syndrome(v.exception, access);
  if (!d.maps()) return d;

  bool const exec = access.kind == access_kind::exec && !access.stage1_walk;
  bool const logged_clean = inputs.slot.log_dirty && access.kind != access_kind::write;
  bool const host_writable = inputs.vma.access == host_access::read_write && !inputs.slot.read_only;
  d.memory = v.memory;
  d.sh = v.sh;
  d.sh_in_leaf = !host.lpa2_tables;
  d.readable = true;
  switch (v.write) {
    case write_grant::never: break;
    case write_grant::host: d.writable = host_writable; break;
    case write_grant::host_unless_logged: d.writable = host_writable && !logged_clean; break;
    case write_grant::always: d.writable = true; break;
  }
  switch (v.execute) {
    case execute_grant::never: break;
    case execute_grant::fetch_or_dic: d.executable = exec || host.cpu.dic; break;
    case execute_grant::always: d.executable = true; break;
  }
  if (host.mode == hypervisor_mode::nested) {
    d.readable = host.nested.read;
    d.writable = d.writable && host.nested.write;
    d.executable = d.executable && host.nested.execute;
  }
  std::optional<u8> const memattr = encode_memattr(v.memory, d.fwb);
  if (!memattr) {  // Normal-WT has no encoding with FWB
    d.outcome = policy_outcome::not_applicable;
    return d;
  }
  d.memattr = *memattr;
  if (v.leaf != leaf_limit::page && !inputs.slot.log_dirty) {
    if (inputs.vma.pfnmap) {
      d.largest_leaf = level::l1;
    } else if (v.leaf == leaf_limit::host) {
      d.largest_leaf = inputs.host_leaf;
    }
    // pKVM's hypervisor takes pages and level 2 blocks only.
    if (host.mode == hypervisor_mode::pkvm_guest && d.largest_leaf < level::l2) d.largest_leaf = level::l2;
  }
  if (table.linux_cache_duties) {
    d.duties = access.fault == fault_reason::permission
                   ? duties_of_relax(d.executable, host.cpu.dic)
                   : duties_of_map(d.memory, d.executable, d.fwb, host.cpu.dic);
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
