// SPDX-License-Identifier: MIT
// The question of `vmsa decide --outcome`: which situations lead to an outcome, read out of the policy's own boxes.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/policy/rule.hpp"
#include "vmsa/text/read/policy_file.hpp"

namespace vmsa::text {

/// One row that answers so. Whatever lies in `box` is decided by this row: no row above it takes a part.
struct outcome_situation {
  rule const* row = nullptr;  // of the answer's policy
  decision decided{};         // of the example, or of the row alone where there is none
  situation_set box{};
  unsigned conditions = 0;  // fields in which the box is narrower than everything
  std::string command;      // a question that leads there; empty where no named backing does
};

struct outcome_answer {
  named_policy policy;  // owns what the situations point at
  std::string outcome;
  std::vector<outcome_situation> situations;  // the fewest conditions first
};

/// The words that name an outcome: `EFAULT`, `memslot-error`, `normal-nc` ...
std::string outcome_names();

/// `outcome` is one of outcome_names; throws input_error for any other.
outcome_answer situations_of(named_policy policy, std::string outcome);

}  // namespace vmsa::text
