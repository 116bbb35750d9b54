// SPDX-License-Identifier: MIT
// The discipline that Casemate asks of a hypervisor on top of the architecture: a lock for each tree, one place for
// each table, one way to break an entry. What it forbids may be legal, so its verdict stands beside the judge's. The
// rules are our wording of what github.com/rems-project/casemate refuses (src/lib/src/model.c, read in November 2026).
#pragma once
#include <memory>
#include <vector>

#include "vmsa/sim/checker.hpp"

namespace vmsa::sim {

enum class discipline_rule : u8 {
  no_lock,           // an entry is written, and no lock was named for the root of its tree
  unlocked_write,    // by a PE that does not hold that lock
  plain_write,       // a second plain store of a valid entry under one lock, without a DSB since the first
  foreign_entry,     // to an entry that another PE owns, or such an entry loses its table
  valid_to_valid,    // more than the bits of software changed in a valid entry
  unclean_to_valid,  // an entry is made before the sequence that cleans it is through
  unclean_child,     // a table is linked or unlinked while an entry below it is not clean
  under_unlinked,    // a change below a table entry that is broken and not clean yet
  double_use,        // a table is linked that stands in a tree already
  changed_unseen,    // a read finds what no store of the trace wrote
  initialised_used,  // memory is initialised while it is a table of a tree
  owner_of_used,     // a table in a tree is said to be another tree's, or an owner is named for what is no last-level
                     // entry
  release_unclean,   // a table is released while an entry in or above it is not clean
  release_in_use,    // a root is released while a PE walks from it
  release_linked,    // what is released is no root, and a tree leads to it
  id_changed,        // a root in use gets another VMID or ASID
  id_shared,         // a VMID or ASID of a root in use goes to another root
  el2_asid,          // TTBR0_EL2 with an ASID
  lock_held,         // a lock is taken that is held
  unlock_not_held,   // a lock is given back by a PE that does not hold it
};
inline constexpr unsigned discipline_rules = static_cast<unsigned>(discipline_rule::unlock_not_held) + 1;

struct discipline_violation {
  discipline_rule rule = discipline_rule::no_lock;
  violation_cause why = violation_cause::none;  // of unclean_to_valid: the link that is missing
  u32 event = 0;                                // from 1
  u32 line = 0;
  u32 cause_event = 0;  // 0: no event is the cause
  u32 cause_line = 0;
  u64 address = 0;  // of the entry, table or lock
  u16 pe = 0;
};

class discipline {
 public:
  explicit discipline(trace_machine const& machine);
  ~discipline();
  discipline(discipline&&) noexcept;
  discipline& operator=(discipline&&) noexcept;

  /// Declares a table: it is in a tree from here on where it is always in use. Throws std::invalid_argument when the
  /// machine has no such shape.
  void declare(trace_table const& table);

  /// The next event.
  void on(trace_event const& e);

  // In the order of events; an event breaks a rule once. Beyond checker::most_violations they are not kept.
  std::vector<discipline_violation> const& violations() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace vmsa::sim
