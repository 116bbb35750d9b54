// SPDX-License-Identifier: MIT
// The usual questions about one page: the guest's mapping, and whatever else is mapped to the same memory.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/sim/coherency.hpp"

namespace vmsa::coherency {

enum class alias_use : u8 {
  idle,   // a live mapping that nobody need use: the kernel's linear map
  reads,  // software reads and writes through it: the monitor
  dma,    // a device; write-back attributes mean that it snoops
};

struct live_alias {
  std::string name{};
  memory_attributes attributes{};
  alias_use use = alias_use::idle;
};

struct alias_verdict {
  scenario asked;       // the first that is violated, else the last one asked
  check_result result;  // of it
};

// Asks whether each of `others` that is used sees what the guest wrote, after a DSB and a doorbell, and the guest what
// the other wrote in turn, while all the rest is mapped. None: nothing else is used, or attributes that the model does
// not hold (inner and outer cacheability differ).
std::optional<alias_verdict> judge_aliases(memory_attributes const& guest, std::vector<live_alias> const& others);

}  // namespace vmsa::coherency
