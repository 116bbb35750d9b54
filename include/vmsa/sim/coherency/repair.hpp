// SPDX-License-Identifier: MIT
// The smallest set of changes that turns a violation coherent, found by exploring each candidate.
#pragma once
#include <vector>

#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::coherency {

// In order of preference among sets of equal size.
enum class change_kind : u8 {
  add_dsb,
  add_cvac,  // DC CVAC, and a DSB unless the program has one where it is needed
  add_civac,
  map_write_back,    // by the agent itself, as for a dma-coherent device: its aliases become Normal-WB, Inner Shareable
  force_write_back,  // by the hypervisor with FWB: the same, whatever the agent maps
  make_snoop,        // the device's accesses become write-back Inner Shareable
  set_canwbs,
  drop_alias,  // one that no program uses: unmapped from the start
};

struct scenario_change {
  change_kind kind{};
  unsigned agent = 0;   // whose program, aliases or accesses
  unsigned before = 0;  // add_*: the step that it comes before; the length of the program: at the end
  unsigned line = 0;    // add_cvac, add_civac
  unsigned alias = 0;   // drop_alias, and what a DC goes through
  bool dsb = false;     // add_cvac, add_civac: followed by a DSB

  friend constexpr bool operator==(scenario_change const&, scenario_change const&) = default;
};

struct repair_result {
  // Sets of equal, smallest size; in the first place of a program that works. Empty: none within the limits.
  std::vector<std::vector<scenario_change>> sets;
  u64 explorations = 0;
  bool finished = true;                     // false: not every set of that size was tried to its end
  stop_reason stopped = stop_reason::none;  // why not
};

struct repair_options {
  check_options check;
  unsigned most_changes = 3;
  u64 state_budget = u64{20} << 20;  // over all explorations
  /// Called after each exploration with what is known so far.
  std::function<void(repair_result const&)> progress;
};

scenario apply(scenario s, std::vector<scenario_change> const& changes);
// `s` has a violation under `options.check`.
repair_result find_repair(scenario const& s, repair_options const& options = {});

}  // namespace vmsa::coherency
