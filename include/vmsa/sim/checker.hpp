// SPDX-License-Identifier: MIT
// The judge: events on translation tables in, what the architecture does not allow out. It knows nothing of the code
// that made the events, and reports what some legal machine may do [Arm ARM, TLB maintenance; Using break-before-make].
#pragma once
#include <memory>
#include <vector>

#include "vmsa/sim/trace.hpp"

namespace vmsa::sim {

enum class violation_class : u8 {
  no_break,         // a live entry changed in a way that needs break-before-make
  make_early,       // a new entry while an old one may be cached
  stale_at_done,    // the operation is over, and what it took away may be cached
  free_early,       // a table is given away while walk caches may lead to it
  free_data_early,  // a page is given away while a translation to it may be cached
  free_reachable,   // a table is given away while the tables lead to it
  vmid_reuse,       // a VMID passes to another table with entries left
  vmid_conflict,    // two tables in use under one VMID
  control_stale,    // a control changed that TLBs may hold
  pe_reset,         // a guest runs on a PE whose TLB was never invalidated
  publish_missing,  // no DSB after an entry was made
  publish_order,    // a table linked before its contents
  clean_missing,    // a walker that does not read the caches
  isb_missing,      // the PE itself may go on with the old translation
  contiguous_misprogrammed,
  lost_update,     // a plain store over an entry that hardware writes
  attribute_lost,  // a change of size that changes what the memory is
  use_stale,       // seen: a translation that had to be gone
  use_impossible,  // seen: a translation that nothing allows
};

/// The first link that is missing between the write and the end of the old translation.
enum class violation_cause : u8 {
  none,
  tlbi_missing,
  tlbi_before_write,
  dsb_missing,
  dsb_before_missing,
  dsb_after_missing,
  dsb_weak,
  dsb_other_pe,
  tlbi_local,
  tlbi_domain,
  tlbi_wrong_vmid,
  tlbi_wrong_asid,
  tlbi_wrong_address,
  tlbi_wrong_level,
  tlbi_wrong_granule,
  tlbi_wrong_regime,
  tlbi_wrong_space,
  tlbi_range_short,
  tlbi_unpredictable,
  tlbi_last_level,
  tlbi_stage1_missing,
  tlbi_order,
  tlbi_global,
  tlbi_scope,
  tlbi_nxs,
  isb_missing,
  dc_missing,
  cnp,
  tlbi_not_repeated,  // of an erratum
};

// From the most to the least severe.
enum class violation_severity : u8 {
  corrupt,   // isolation, coherency or the dirty log can be broken
  conflict,  // a TLB conflict abort, or CONSTRAINED UNPREDICTABLE behaviour
  fault,     // a spurious fault
  portable,  // no guarantee, though most machines behave
  policy,    // legal, against a declared discipline
  trace,     // the trace does not fit the tables
};

struct violation {
  violation_class what = violation_class::no_break;
  violation_cause why = violation_cause::none;
  violation_severity severity = violation_severity::corrupt;
  u32 event = 0;  // from 1
  u32 line = 0;
  u32 cause_event = 0;  // 0: no event is the cause
  u32 cause_line = 0;
  u64 input = 0;  // first input address concerned
  level at = level::l3;
  stage of = stage::two;
  trace_regime regime = trace_regime::el10;
  u16 vmid = 0;
  u16 asid = 0;
  u64 old_descriptor = 0;
  u64 new_descriptor = 0;
  u64 who = 0;            // the PEs that may use the old entry, one bit each
  bool combined = false;  // only entries that combine stage 1 and 2
  u32 places = 1;         // words that the same event concerns in the same way
};

/// A copy of an entry that one PE's TLB may still hold while the tables have another one, or none.
struct held_entry {
  u32 name = 0;  // of the element; with `generation`, as long as it lives
  u32 generation = 0;
  u64 root = 0;  // of the tree that it was in
  u64 begin = 0;
  u64 old = 0;   // the descriptor
  u32 line = 0;  // of the event that took it out of the tables
  u8 writer = 0;
  level at = level::l3;
  bool table = false;
  bool size_only = false;   // the tables have the same translation in another size
  bool harmless = false;    // it grants no more than the tables do
  bool whole_tree = false;  // every entry of another tree under the same VMID; `root` alone counts
};

/// Errata of processors that ask for more than the architecture does, as Linux works around them.
struct tlb_errata {
  // Accesses that an invalidated entry translated may still be under way when the DSB after a broadcast TLBI completes;
  // one more broadcast TLBI and DSB wait for them.
  bool repeat_tlbi = false;
  // EL2 may make entries of whatever the registers of EL1 and stage 2 select, by an AT instruction that it speculates.
  bool speculative_at = false;
  // With CnP a local TLBI leaves what another PE put into shared TLBs.
  bool carmel_cnp = false;
};

struct checker_policy {
  bool table_change = true;  // a table entry that leads to another table needs a break, though RWHZWS does not name it
  bool af_always = false;    // entries with AF=0 count as cacheable
  tlb_errata errata{};
};

class checker {
 public:
  explicit checker(trace_machine const& machine, checker_policy const& policy = {});
  ~checker();
  checker(checker&&) noexcept;
  checker& operator=(checker&&) noexcept;

  /// Declares a table, before it is first reachable. Throws std::invalid_argument when the machine has no such shape.
  void declare(trace_table const& table);
  /// The same with a shape of the caller's, whose granule and format are the machine's.
  void declare(trace_table const& table, geometry const& shape);

  /// The next event. One that makes no sense (a PE that does not exist) throws std::invalid_argument.
  void on(trace_event const& e);

  /// Judges what every PE has begun as if it were done.
  void finish();

  /// What the TLB of `pe` may hold for `input` under this VMID, or of the stage 1 tables at `root`, beside what the
  /// tables in memory have now: leaves before tables, the deepest first.
  void held(unsigned pe, stage of, u64 root, u16 vmid, u64 input, std::vector<held_entry>& out) const;

  u32 events() const noexcept;
  u64 ignored_registers() const noexcept;  // MSR to registers that do not change translation

  // In the order of events. Beyond most_violations they are only counted.
  std::vector<violation> const& violations() const noexcept;
  u64 uncounted() const noexcept;
  static constexpr std::size_t most_violations = 10000;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace vmsa::sim
