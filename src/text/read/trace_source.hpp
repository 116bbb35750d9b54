// SPDX-License-Identifier: MIT
// What every form of trace gives: a machine, then tables and events.
#pragma once
#include <memory>
#include <unordered_map>

#include "vmsa/text/read/trace_file.hpp"

namespace vmsa::text {

class trace_source {
 public:
  explicit trace_source(std::string file) : name(std::move(file)) {}
  virtual ~trace_source() = default;
  virtual trace_reader::item next() = 0;

  std::string name;
  sim::trace_machine machine{};
  sim::trace_event event{};
  sim::trace_table table{};
  std::size_t line = 0;
  std::vector<trace_expectation> expectations;
  std::deque<std::string> sources;
  std::unordered_map<std::string, u32> source_numbers;
  u64 skipped = 0;

  u32 source_number(std::string_view word) {
    auto const [at, is_new] = source_numbers.try_emplace(std::string(word), static_cast<u32>(sources.size() + 1));
    if (is_new) sources.emplace_back(word);
    return at->second;
  }
};

std::unique_ptr<trace_source> text_trace(std::string name, std::string content, trace_reading const& how);
std::unique_ptr<trace_source> binary_trace(std::string name, std::string content);
std::unique_ptr<trace_source> casemate_trace(std::string name, std::string content, trace_reading const& how);

// The `machine` line, or a `table` line, without `#`. Throws input_error at `file`:`line`.
sim::trace_machine parse_trace_machine(std::string_view words, std::string const& file, std::size_t line);
sim::trace_table parse_trace_table(std::string_view words, std::string const& file, std::size_t line);

// Loads of VTTBR_EL2 or a TTBR say when a table is in use; without any, it always is.
void find_register_mode(sim::trace_machine& machine, std::string_view text);

// Throws input_error for an event that this machine cannot have.
void check_trace_event(sim::trace_event const& e, sim::trace_machine const& machine, std::string const& file,
                       std::size_t line);

}  // namespace vmsa::text
