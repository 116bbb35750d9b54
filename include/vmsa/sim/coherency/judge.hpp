// SPDX-License-Identifier: MIT
// What follows from a resolved fault: can the guest and everybody else who maps the page hand data to each other? Asked
// of every interleaving, for each alias and direction, with the barriers that drivers have and no cache maintenance.
#pragma once
#include <vector>

#include "vmsa/policy/fault_trace.hpp"
#include "vmsa/sim/coherency/explorer.hpp"

namespace vmsa::coherency {

enum class handover : u8 {
  from_guest,  // the guest writes, and tells the other, who reads
  to_guest,    // the other writes, and tells the guest, who reads
};

struct handover_question {
  alias_owner other{};
  handover direction{};
  scenario asked{};
};

// One question for each alias and each direction in which data can go; all aliases of the page are live in each. Empty
// unless the fault was resolved and somebody else maps the page, and for attributes that the model does not hold (inner
// and outer cacheability differ).
std::vector<handover_question> handovers(fault_trace const& outcome);

struct judgement {
  handover_question question{};
  check_result result{};
};
std::vector<judgement> judge(fault_trace const& outcome);

}  // namespace vmsa::coherency
