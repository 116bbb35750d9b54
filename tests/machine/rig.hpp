// SPDX-License-Identifier: MIT
// A machine with one guest whose stage 2 table is the library's own, and what tests ask about the findings.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/machine.hpp"
#include "vmsa/text/report/machine_report.hpp"

namespace vmsa::test {

inline sim::adversary const every_adversary[] = {sim::adversary::obedient(), sim::adversary::hoarder(),
                                                 sim::adversary::random(1),  sim::adversary::random(2),
                                                 sim::adversary::random(3),  sim::adversary::random(4)};

// Frames for tables in the first 8 MiB of memory; the guest's pages lie above.
template <class Mode = exclusive, class Port = sim::machine_pe>
struct engine_rig {
  using arena = arena_frames<Port, Mode>;
  using frames = sim::machine_frames<arena>;
  using table_type = stage2_table<Port, frames, geometry, Mode>;

  explicit engine_rig(sim::machine& m) requires std::same_as<Port, sim::machine_pe> : engine_rig(m, m.pe(0)) {}
  engine_rig(sim::machine& m, Port& port)
      : source(port, m.options().base, u64{8} << 20, m.options().tg),
        given(source, m.pe(0)),
        table(std::move(*table_type::create(port, given, m.shape(), m.options().controls))) {}

  arena source;
  frames given;
  table_type table;
};

inline std::string first_failure(sim::machine const& m) {
  for (sim::finding const& f : m.findings())
    if (f.failure()) return text::describe(f, m.options().pes);
  return "";
}

inline bool found(sim::machine const& m, sim::finding_kind what) {
  for (sim::finding const& f : m.findings())
    if (f.what == what) return true;
  return false;
}

}  // namespace vmsa::test
