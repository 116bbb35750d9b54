// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "vmsa/text/ask/machine.hpp"
#include "vmsa/text/read/translation_input.hpp"

namespace vmsa::text {

struct walk_question {
  u64 where = 0;
  std::string vm{};   ///< As machine::vm reads it; empty: the only one.
  bool host = false;  ///< Through the host's stage 1 instead.
  bool ipa = false;   ///< `where` is an IPA: stage 2 alone.
  memory_access acc{};
};

/// The question as `vmsa translate` asks it, with the dump's memory and the registers found for the VM or the host.
/// Throws input_error where there are none.
translation_scenario walk_scenario(machine const& m, walk_question const& q);

}  // namespace vmsa::text
