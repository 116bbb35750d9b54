// SPDX-License-Identifier: MIT
// `vmsa check`: a trace put to the judge, and what it says.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vmsa/sim/discipline.hpp"
#include "vmsa/text/read/trace_file.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

struct check_question {
  sim::checker_policy policy{};
  trace_reading reading{};
  sim::violation_severity least = sim::violation_severity::trace;  // violations below it are left out
  bool casemate = false;                                           // its discipline as well
  bool final = false;                                              // the end of the trace ends every operation
  std::function<bool(u64 events)> go_on{};                         // asked now and then; false ends the judging
};

struct trace_answer {
  std::string file;
  u32 events = 0;
  u64 ignored_registers = 0;
  u64 skipped = 0;
  u64 uncounted = 0;
  std::vector<sim::violation> violations;
  std::vector<std::string> sources;  // src= of each violation's event, empty where there is none
  std::vector<trace_expectation> unmet;
  bool disciplined = false;  // the discipline was asked for
  std::vector<sim::discipline_violation> against_discipline;
  bool interrupted = false;  // the trace was not judged to its end

  enum class verdict_type : u8 { good, warn, bad };
  /// The architecture's. `warn`: nothing worse than severity policy.
  verdict_type verdict() const noexcept;
  /// Nothing is against the architecture beyond severity policy, and nothing against a discipline that was asked for.
  bool passes() const noexcept { return verdict() != verdict_type::bad && against_discipline.empty(); }
};

/// Reads the whole trace. Throws input_error.
trace_answer check_trace(std::string const& file, std::string content, check_question const& q);

/// One line: `event 18: make-early: IPA 0x1000 (VMID 1, level 3): ...; cause: dsb-weak at event 17`.
std::string describe(sim::violation const& v);

document tell(trace_answer const& a);
std::string to_json(trace_answer const& a);

/// What the judge goes by, as `vmsa check --rules` prints it.
document tell_trace_rules();

/// The trace in the text form, whatever form it has.
std::string trace_as_text(std::string const& file, std::string content);

}  // namespace vmsa::text
