// SPDX-License-Identifier: MIT
// The AT sweep: the model's answers against the processor's, row by row. Arguments: QEMU's version, the CPU's name.
#include "arguments.hpp"
#include "judge.hpp"
#include "recorded.hpp"

namespace sweep {
namespace {

void add(tally& total, tally const& part, char const* name) noexcept {
  print_line("  ", name, ": rows ", part.rows, ", equal ", part.equal, ", explained ", part.explained_rows(),
             ", unexplained ", part.unexplained);
  total.rows += part.rows;
  total.equal += part.equal;
  total.unexplained += part.unexplained;
  for (unsigned i = 0; i < static_cast<unsigned>(deviation::count); ++i) total.explained[i] += part.explained[i];
}

constexpr int skipped = 77;

}  // namespace

extern "C" int main() noexcept {
  vmsa::features const f = el2::machine_features();
  tally total;
  add(total, sweep_attributes(f), "attributes");
  add(total, sweep_controls(f), "controls");
  add(total, sweep_configuration(f), "configuration");
  add(total, sweep_faults(f), "faults");

  for (unsigned i = 1; i < static_cast<unsigned>(deviation::count); ++i)
    if (total.explained[i] != 0) print_line("  ", deviation_names[i], ": ", total.explained[i]);
  print_line("rows ", total.rows, ", equal ", total.equal, ", explained ", total.explained_rows(), ", unexplained ",
             total.unexplained);
  switch (compare_with_record(total, argument(0), argument(1))) {
    case verdict::as_recorded: return total.unexplained == 0 ? 0 : 1;
    case verdict::different: return 1;
    case verdict::unknown_machine: break;
  }
  print_line("skipped: no counts are recorded for QEMU ", argument(0), " and CPU ", argument(1),
             "; see tests/qemu/sweep/recorded.hpp");
  return skipped;
}

}  // namespace sweep
