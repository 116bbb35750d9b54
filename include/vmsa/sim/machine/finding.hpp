// SPDX-License-Identifier: MIT
// What a machine saw happen, and what was wrong with it.
#pragma once
#include <string>
#include <vector>

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/sim/checker.hpp"

namespace vmsa::sim {

enum class machine_event_kind : u8 {
  load,       // of a guest, by VA
  store,      // of a guest
  fetch,      // of a guest
  exclusive,  // of a guest: a load and a store that nobody comes between
  dma_read,
  dma_write,
  host_load,
  host_store,
  table_store,  // of the hypervisor, to a table or another word of its own
  barrier,
  tlbi,
  maintain,
  msr,
  context,  // ISB, exception or its return
  give,
  done,
};

struct machine_event {
  u32 number = 0;  // from 1
  machine_event_kind what = machine_event_kind::load;
  u8 agent = 0;     // a PE, or beyond the PEs a device
  u64 address = 0;  // as the agent named it
  u64 where = 0;    // the physical address
  u64 value = 0;
  bool faulted = false;
  bool complete = false;           // of maintenance: nothing happens before it is over
  memory_attributes attributes{};  // of accesses
  trace_event told{};              // to the judge, where it was
};

enum class finding_kind : u8 {
  stale_translation,  // an access went through an entry that had to be gone
  other_table,        // an access went through an entry of another table under the same VMID
  conflict,           // two entries of one address at once: a TLB conflict abort is possible
  stale_data,         // a read returned older data than the last write
  lost_write,         // an older write ended over a newer one, or a write was discarded
  mismatch,           // two live aliases of one page disagree about its attributes
  judged,             // the judge says so
};

/// Where data was that a read returned, or a write ended in.
enum class holder_kind : u8 { memory, cache, buffer };

struct finding {
  finding_kind what = finding_kind::judged;
  u32 event = 0;  // at which it showed
  u8 agent = 0;
  u64 address = 0;                         // as the agent named it, or of a mismatch the page
  u64 where = 0;                           // the physical address
  u32 since = 0;                           // event of the change or write that should have counted; 0: none
  u32 got = 0;                             // event of the write that was read instead; 0: what was there at the start
  holder_kind held = holder_kind::memory;  // who held what was read
  u8 holder = 0;                           // of a cache or buffer
  u64 old_descriptor = 0;
  memory_attributes first{}, second{};  // of a mismatch
  u32 places = 1;                       // pages concerned in the same way
  violation verdict{};                  // of judged; its lines are events of the machine

  /// A mismatch is a danger, and no failure by itself; nor is what is only a matter of policy.
  bool failure() const noexcept {
    return what != finding_kind::mismatch &&
           (what != finding_kind::judged || verdict.severity != violation_severity::policy);
  }
};

}  // namespace vmsa::sim
