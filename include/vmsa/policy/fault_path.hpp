// SPDX-License-Identifier: MIT
// The way of a fault as a hypervisor goes it: registers to region to decision to leaf. The outcome is small enough for
// the stack of an exception handler; fault_trace.hpp says more, to people.
#pragma once
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/policy/alias.hpp"
#include "vmsa/policy/decision.hpp"

namespace vmsa {

/// What the guest and its devices bring to the access. handle_fault looks at `from_el0` alone.
struct guest_context {
  memory_attributes stage1 = linux_write_back;  // stage 1's output: see stage1_attributes
  std::optional<memory_attributes> dma =
      linux_write_back;   // of devices assigned to the guest; absent: none gets through
  bool from_el0 = false;  // SPSR_EL2.M: the guest was at EL0
};

enum class fault_step : u8 {
  resolved,         // a leaf is in the table: the guest retries
  decided,          // the decision is something else than a mapping, and the caller's to carry out; nothing was changed
  unknown_address,  // HPFAR_EL2 is not to be believed: translate FAR_EL2 with AT S1E1x, set `where` and `where_valid`
  table_refused,    // see `mapping.error`: give the frame source frames, or mend what the caller made
  try_again,        // lock_free: another call holds the entry or restructures; the guest retries, and faults again
};

/// What became of one fault. Two pointers lead out of it: `where` into the regions that handle_fault was given, and
/// `decided.row` into the policy's rows; both must outlive it.
struct [[nodiscard]] fault_outcome {
  fault_step step = fault_step::decided;
  fault_access access{};
  level at = level::l3;  // of the leaf, when the decision maps; so are the next four
  stage2_leaf leaf{};
  ipa base{};
  pa output{};
  stage2_outcome mapping{};
  region const* where = nullptr;  // null: no memslot
  decision decided{};

  constexpr explicit operator bool() const noexcept { return step == fault_step::resolved; }
};
static_assert(sizeof(fault_outcome) <= 256, "an exception handler's stack is small");

/// What handle_fault needs of a table: stage2_table in either mode, or anything that answers like it.
template <class Table>
concept fault_table = requires(Table& table, stage2_cursor& cursor, ipa where, pa output, level l,
                               stage2_leaf const& leaf) {
  { table.look_up(where) } -> std::same_as<stage2_mapping>;
  { table.map(where, output, l, leaf, existing::keep) } -> std::same_as<stage2_outcome>;
  { table.relax(cursor, where, stage2_access::read, true) } -> std::same_as<stage2_outcome>;
  { table.shape() } -> translation_geometry;
  { table.controls() } -> std::convertible_to<stage2_controls>;
};

namespace fault_detail {

// Whether two leaves differ in nothing but who may do what, what hardware recorded, and the owner's bits.
constexpr bool same_but_permissions(descriptor a, descriptor b) noexcept {
  constexpr u64 permissions = stage2_bits::s2ap::mask | stage2_bits::xn::mask | descriptor_bits::af::mask |
                              descriptor_bits::dbm::mask | descriptor_bits::software::mask;
  return ((a.raw ^ b.raw) & ~permissions) == 0;
}

// The host as the table is walked: what both know, the table knows better.
template <class Table>
constexpr policy_host host_of(Table const& table, policy_host host) noexcept {
  host.page = table.shape().format.tg;
  host.lpa2_tables = table.shape().format.ds;
  host.cpu.s2fwb = table.controls().fwb;
  host.cpu.dic = table.controls().dic;
  return host;
}

// The leaf goes where nothing is, beside others at work without restructuring. Of the page as it is already mapped the
// fault adds permissions and takes none: another vCPU may have written to it, and a dirty log counts on its record.
// Anything else that is there is replaced.
template <class Table>
void map_leaf(Table& table, ipa at, level limit, fault_outcome& out) noexcept {
  granule const tg = table.shape().format.tg;
  stage2_mapping there = table.look_up(at);
  for (;;) {
    // Where the table is finer already, as after a split, the fault fills in what is missing; to collapse is the
    // owner's.
    out.at = limit < there.at ? there.at : limit;
    u64 const size = level_size(tg, out.at);
    out.base = at.floor_to(size);
    out.output = out.where->output_of(out.base);
    // A region of part of a page only, whatever it was checked for.
    if (out.base < out.where->base || out.where->size - (out.base - out.where->base) < size) {
      out.mapping.error = table_error::misaligned;
      return;
    }
    out.mapping = table.map(out.base, out.output, out.at, out.leaf, existing::keep);
    if (out.mapping.error != table_error::already_mapped) return;
    there = table.look_up(at);
    if (there.mapped && there.at <= out.at) break;
  }
  encoded_descriptor const wanted = encode_leaf(out.output, out.at, out.leaf, table.shape().format);
  if (there.at == out.at && same_but_permissions(there.entry, wanted.value)) {
    stage2_cursor cursor;
    out.mapping = table.relax(cursor, at, out.leaf.access, execution_of(out.leaf) == stage2_execute::everyone);
    if (out.mapping.error != table_error::not_mapped) return;
  }
  out.mapping = table.map(out.base, out.output, out.at, out.leaf, existing::replace);
}

}  // namespace fault_detail

/// Resolves one stage 2 fault: finds the region, asks the policy and maps what it decided, with the cache and TLB
/// maintenance that the change needs. Granule, FEAT_LPA2, FWB and DIC are the table's, whatever `host` says of them; a
/// policy that decides for the other FWB is refused as leaf_encoding. Under lock_free any number of callers may be in
/// it.
template <fault_table Table, fault_policy Policy>
fault_outcome handle_fault(Table& table, region_map const& regions, Policy const& policy, policy_host const& host,
                           stage2_fault const& fault, guest_context const& guest) noexcept {
  fault_outcome out;
  unsigned const vm_bits = table.shape().input_bits;
  out.access = access_of(fault, guest.from_el0, {.vm = vm_bits, .host = vm_bits < 48 ? 48 : vm_bits});
  // Which memory it is matters to a fault that a mapping cures, and to one that is handed on only where a memslot is.
  bool const about_memory = cured_by_mapping(out.access.fault) || out.access.fault == fault_reason::unsupported_access;
  if (!fault.where_valid && about_memory) {
    out.step = fault_step::unknown_address;
    return out;
  }
  granule const tg = table.shape().format.tg;
  if (fault.where_valid) out.where = regions.find(fault.where);
  policy_host const walked = fault_detail::host_of(table, host);
  if (out.where == nullptr) {
    // Where there is no memslot, a policy is asked about a page that nobody backs.
    region const nothing =
        make_region(fault.where.floor_to(granule_size(tg)), granule_size(tg), {}, backing::emulated_mmio);
    out.decided = policy(walked, nothing, out.access);
    return out;
  }
  out.decided = policy(walked, *out.where, out.access);
  if (!out.decided.maps()) return out;
  out.leaf = leaf_of(out.decided);
  fault_detail::map_leaf(table, fault.where, leaf_at(*out.where, fault.where, out.decided.largest_leaf, tg), out);
  out.step = out.mapping                              ? fault_step::resolved
             : out.mapping.error == table_error::busy ? fault_step::try_again
                                                      : fault_step::table_refused;
  return out;
}

}  // namespace vmsa
