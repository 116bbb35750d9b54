// SPDX-License-Identifier: MIT
// The smallest set of changes that turns a violation coherent, found by exploring each candidate.
#pragma once
#include <vector>

#include "vmsa/sim/coherency.hpp"

namespace vmsa::coherency {

// In order of preference among sets of equal size.
enum class change_kind : u8 {
  add_dsb,
  add_cvac,  // DC CVAC, and a DSB unless the program has one where it is needed
  add_civac,
  map_write_back,  // what FWB forces: all aliases of the agent become Normal-WB, Inner Shareable
  make_snoop,      // the device's accesses become write-back Inner Shareable
  set_canwbs,
  drop_alias,  // one that no program uses: unmapped from the start
};

struct change {
  change_kind kind{};
  unsigned agent = 0;   // whose program, aliases or accesses
  unsigned before = 0;  // add_*: the step that it comes before; the length of the program: at the end
  unsigned line = 0;    // add_cvac, add_civac
  unsigned alias = 0;   // drop_alias, and what a DC goes through
  bool dsb = false;     // add_cvac, add_civac: followed by a DSB

  friend constexpr bool operator==(change const&, change const&) = default;
};

struct repair_options {
  check_options check;
  unsigned most_changes = 3;
  std::size_t state_budget = std::size_t{20} << 20;  // over all explorations
};

struct repair_result {
  // Sets of equal, smallest size; in the first place of a program that works. Empty: none within the limits.
  std::vector<std::vector<change>> sets;
  std::size_t explorations = 0;
  bool finished = true;  // false: the budget ended before every set of that size was tried
};

scenario apply(scenario s, std::vector<change> const& changes);
// `s` has a violation under `options.check`.
repair_result find_repair(scenario const& s, repair_options const& options = {});

}  // namespace vmsa::coherency
