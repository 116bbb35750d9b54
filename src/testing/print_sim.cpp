// SPDX-License-Identifier: MIT
// Printers for the values of sim.
#include "print_fields.hpp"
#include "vmsa/sim/coherency_repair.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa {

void sim::PrintTo(port_event const& v, std::ostream* out) {
  auto const& [kind, where, before, after, size, fence, invalidation, cache, pe] = v;
  print_fields(out, "kind", kind, "where", where, "before", before, "after", after, "size", size, "fence", fence,
               "invalidation", invalidation, "cache", cache, "pe", pe);
}

void coherency::PrintTo(change const& v, std::ostream* out) {
  auto const& [kind, agent, before, line, alias, dsb] = v;
  print_fields(out, "kind", kind, "agent", agent, "before", before, "line", line, "alias", alias, "dsb", dsb);
}

}  // namespace vmsa
