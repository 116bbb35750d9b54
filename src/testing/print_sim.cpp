// SPDX-License-Identifier: MIT
// Printers for the values of sim.
#include "testing/print_fields.hpp"
#include "vmsa/sim/coherency/repair.hpp"
#include "vmsa/sim/machine/adversary.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa {

void sim::PrintTo(port_event const& v, std::ostream* out) {
  auto const& [kind, where, before, after, size, fence, invalidation, cache, order, pe] = v;
  print_fields(out, "kind", kind, "where", where, "before", before, "after", after, "size", size, "fence", fence,
               "invalidation", invalidation, "cache", cache, "order", order, "pe", pe);
}

void sim::PrintTo(choice const& v, std::ostream* out) {
  auto const& [event, what, pe, address] = v;
  print_fields(out, "event", event, "what", what, "pe", pe, "address", address);
}

void coherency::PrintTo(scenario_change const& v, std::ostream* out) {
  auto const& [kind, agent, before, line, alias, dsb] = v;
  print_fields(out, "kind", kind, "agent", agent, "before", before, "line", line, "alias", alias, "dsb", dsb);
}

}  // namespace vmsa
