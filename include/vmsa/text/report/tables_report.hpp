// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "vmsa/text/ask/audit.hpp"
#include "vmsa/text/ask/check.hpp"
#include "vmsa/text/ask/tables.hpp"
#include "vmsa/text/read/range_filter.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

// What `vmsa tables` prints; the formats are in src/README.md.

/// Which ranges are told.
enum class range_stage : u8 { two, one, both, host };

struct ranges_question {
  range_stage stage = range_stage::two;
  std::string vm{};  ///< As machine::vm reads it; empty: all.
  sim::merge_options merge{};
};

/// Takes the next piece of a report.
using text_sink = std::function<void(std::string const&)>;

/// Every range as it is found: a scattered guest has millions, and none is kept. Throws input_error for an unknown VM.
void tell_ranges(machine const& m, ranges_question const& q, range_filter const& where, report_format format,
                 text_sink const& out);

document tell(machine const& m, std::vector<root_row> const& roots);
std::string to_json(machine const& m, std::vector<root_row> const& roots);

document tell(machine const& m, who_answer const& a);
std::string to_json(machine const& m, who_answer const& a);

document tell(machine const& m, mismatches_answer const& a);
std::string to_json(machine const& m, mismatches_answer const& a);

document tell(diff_answer const& a);
std::string to_json(diff_answer const& a);

document tell(machine const& m, std::vector<stats_answer> const& a);
std::string to_json(machine const& m, std::vector<stats_answer> const& a);

document tell(machine const& m, check_answer const& a);
std::string to_json(machine const& m, check_answer const& a);

document tell(machine const& m, audit_answer const& a);
std::string to_json(machine const& m, audit_answer const& a);

/// `loss-of-coherency`, `write-policy`, `ordering-only`, `none`; and back.
std::string_view name(disagreement d) noexcept;
std::optional<disagreement> parse_disagreement(std::string_view text) noexcept;
std::string_view name(change_kind k) noexcept;

/// One strip a VM, its IPA space coloured by memory type without its holes; where two VMs map the same memory, a line.
std::string ranges_svg(machine const& m, machine_map const& map);

}  // namespace vmsa::text
