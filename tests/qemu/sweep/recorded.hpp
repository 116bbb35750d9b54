// SPDX-License-Identifier: MIT
// How many rows each deviation explains, by version of QEMU and by CPU. A count that changes is a finding: the emulator
// was mended, the sweep lost rows, or a predicate excuses something else.
#pragma once
#include "arguments.hpp"
#include "judge.hpp"

namespace sweep {

inline constexpr char const* cpus[] = {"max", "cortex-a57", "neoverse-n1"};

struct recorded_rows {
  char const* qemu;  // major.minor
  deviation why;
  u64 rows[3];  // by cpus
};

// A deviation without a line explains nothing.
inline constexpr recorded_rows recorded[] = {
    {"7.2", deviation::d1, {4032, 4032, 4032}},
    {"7.2", deviation::d2, {14688, 14688, 14688}},
    {"7.2", deviation::d3, {408, 0, 0}},
    {"7.2", deviation::d4, {30720, 30592, 30592}},
    {"7.2", deviation::d5, {120544, 45600, 45600}},
    {"7.2", deviation::d6, {41520, 0, 0}},
    {"7.2", deviation::d7, {1800, 900, 1560}},
    {"7.2", deviation::d8, {50, 0, 0}},
    {"7.2", deviation::d9, {4320, 0, 0}},
    {"7.2", deviation::d10, {450, 0, 244}},
    {"7.2", deviation::d13, {139080, 42816, 42816}},
    {"7.2", deviation::d14, {4608, 1536, 6912}},
    {"7.2", deviation::d15, {26764, 4016, 15716}},
    {"7.2", deviation::d16, {6, 0, 0}},
    {"7.2", deviation::d17, {60, 0, 0}},
    {"7.2", deviation::d18, {520, 48, 320}},
};

enum class verdict { as_recorded, different, unknown_machine };

inline verdict compare_with_record(tally const& t, char const* qemu, char const* cpu) noexcept {
  unsigned column = 0;
  while (column < 3 && !same_text(cpus[column], cpu)) ++column;
  u64 expected[static_cast<unsigned>(deviation::count)] = {};
  bool known = false;
  for (recorded_rows const& r : recorded) {
    if (column == 3 || !same_text(r.qemu, qemu)) continue;
    known = true;
    expected[static_cast<unsigned>(r.why)] = r.rows[column];
  }
  if (!known) return verdict::unknown_machine;
  verdict result = verdict::as_recorded;
  for (unsigned i = 1; i < static_cast<unsigned>(deviation::count); ++i) {
    if (t.explained[i] == expected[i]) continue;
    print_line("  FAILED: ", deviation_names[i], ": recorded ", expected[i], " rows, counted ", t.explained[i]);
    result = verdict::different;
  }
  return result;
}

}  // namespace sweep
