// SPDX-License-Identifier: MIT
// Traces of what happened to translation tables: `vmsa-trace 1` as text, its binary form, and Casemate's logs.
// src/README.md specifies the forms.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/sim/checker.hpp"

namespace vmsa::text {

struct trace_reading {
  bool lenient = false;  // lines that are not understood are skipped and counted
};

struct trace_expectation {
  u32 event = 0;  // that it is about
  u32 line = 0;
  sim::violation_class what{};
  sim::violation_cause why{};  // none: any
};

/// One trace, item by item. The form is told by its first bytes.
class trace_reader {
 public:
  /// `content` is the whole file, `name` what errors call it. Throws input_error, as does next().
  trace_reader(std::string name, std::string content, trace_reading const& how = {});
  ~trace_reader();
  trace_reader(trace_reader const&) = delete;
  trace_reader& operator=(trace_reader const&) = delete;

  sim::trace_machine const& machine() const noexcept;

  enum class item { event, table, end };
  item next();
  sim::trace_event const& event() const noexcept;  // valid until the next call
  sim::trace_table const& table() const noexcept;
  std::size_t line() const noexcept;  // of the item

  std::vector<trace_expectation> const& expectations() const noexcept;
  std::string_view source(u32 number) const noexcept;  // of trace_event::source; empty for 0
  u64 skipped() const noexcept;                        // lines, with `lenient`

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// The whole of a file, gzipped or not, text or not; `-` is standard input. Throws input_error.
std::string read_trace_bytes(std::string const& path);

/// One event as a line of the text form, without its newline.
std::string trace_line(sim::trace_event const& e, std::string_view source = {});
/// The lines `machine` and `table`.
std::string trace_line(sim::trace_machine const& m);
std::string trace_line(sim::trace_table const& t);

/// One event as the records of the binary form: 24 bytes, or 48 where it does not fit into one.
std::string trace_record(sim::trace_event const& e);
/// A binary trace of these records; `sources` are what trace_event::source counts from 1.
std::string trace_binary_file(sim::trace_machine const& m, std::vector<sim::trace_table> const& tables,
                              std::string_view records, std::vector<std::string> const& sources = {});

}  // namespace vmsa::text
