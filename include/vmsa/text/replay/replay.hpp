// SPDX-License-Identifier: MIT
// Recorded outcomes against the model: every row is evaluated by the library and compared, column by column.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "vmsa/mmu/check_order.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text {

struct replay_difference {
  std::size_t line = 0;
  std::string row;     // as recorded
  std::string detail;  // `column: recorded X, vmsa Y`, one after the other
};

struct replay_report {
  std::string table;  // which kind of table it was recognised as
  std::uint64_t rows = 0;
  std::uint64_t matched = 0;
  std::uint64_t differed = 0;
  std::uint64_t newer = 0;  // rows that differ, and are recorded to differ under the manual that was asked for
  // Likewise, where no rule of that manual alone makes the difference, but its two about assurance do together.
  std::uint64_t together = 0;
  std::uint64_t skipped = 0;                     // rows with a feature, control or choice that the model does not have
  std::vector<replay_difference> differences{};  // the first `show`
  std::vector<replay_difference> skips{};        // the first `show`
  std::vector<std::string> unread{};             // columns that the table has and the model does not know
  bool interrupted = false;                      // the table was not read to its end
};

// Recognises the table by its header, or as JSON lines, and evaluates each row. Throws input_error for a file or a row
// that cannot be read. `stop` is asked now and then, and ends the reading when it says true.
replay_report replay(line_reader& reader, std::size_t show, manual_release manual = manual_release::v2023_03,
                     std::function<bool()> const& stop = {});

}  // namespace vmsa::text
