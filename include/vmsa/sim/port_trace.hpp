// SPDX-License-Identifier: MIT
// What a recording_port wrote down, as events of a trace, and a judge that listens to one table's port.
#pragma once
#include "vmsa/mmu/stage2/outcome.hpp"
#include "vmsa/sim/checker.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa::sim {

/// The machine that walks tables of this shape under these controls.
trace_machine trace_machine_of(geometry const& shape, stage2_controls const& controls, unsigned pes = 1);

/// `ds`: the tables have 52-bit addresses, and ranges are in units of 64 KiB.
trace_event to_trace(port_event const& e, bool ds);

/// The judge of one stage 2 table, which every PE uses from the start. Feed it each event since the root was empty.
class port_judge {
 public:
  port_judge(pa root, geometry const& shape, stage2_controls const& controls, unsigned pes = 4);

  void on(port_event const& e) { judge_.on(to_trace(e, ds_)); }
  /// Every operation is over: nothing that it took away may be cached, and a walker sees all it installed.
  void finish() { judge_.finish(); }

  std::vector<violation> const& violations() const noexcept { return judge_.violations(); }
  /// The first one that is more than a matter of policy; none when the architecture has nothing against the events.
  violation const* first() const noexcept {
    for (violation const& v : violations())
      if (v.severity != violation_severity::policy) return &v;
    return nullptr;
  }

 private:
  bool ds_;
  checker judge_;
};

}  // namespace vmsa::sim
