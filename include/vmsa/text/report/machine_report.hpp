// SPDX-License-Identifier: MIT
// A run of a simulated machine told: what was wrong, with the events that lead there.
#pragma once
#include <string>

#include "vmsa/sim/machine.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// One line, without a line feed. Agents from `pes` on are devices.
std::string describe(sim::finding const& f, unsigned pes);
std::string describe(sim::machine_event const& e, unsigned pes);
std::string describe(sim::choice const& c);

/// The findings, each with the events that it names. `shortest`: and the choices that a failure needs.
document tell_machine(sim::machine const& m, sim::shortest_failure const* shortest = nullptr);
/// The run as a sequence diagram: PEs and devices, caches and memory; findings stand where they showed. At most the
/// last 60 events before the first failure.
std::string machine_as_svg(sim::machine const& m, std::string const& title);

}  // namespace vmsa::text
