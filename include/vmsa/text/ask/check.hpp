// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "vmsa/text/ask/owners.hpp"
#include "vmsa/text/read/page_table_text.hpp"

namespace vmsa::text {

struct text_difference {
  u64 first = 0;
  u64 size = 0;
  std::string text_says{};  ///< `R W X AF`, or `not mapped`
  std::string dump_says{};
  std::size_t line = 0;  ///< Of the text; 0 where it has none there.
};

struct check_answer {
  std::string against{};  ///< `vm-vmid3`, `host kernel`
  bool chosen = false;    ///< No --vm was given: of several this one agrees.
  page_table_dialect dialect = page_table_dialect::stage2_6_12;
  u64 pages = 0;  ///< Compared: mapped in the text, in the dump, or in both.
  u64 different = 0;
  std::vector<text_difference> differences{};
};

/// What the kernel printed against what the dump holds, page by page: what is mapped, permissions, access flag and
/// block size; of a kernel's table also Shareability, nG, Contiguous, GP and AttrIndx. `vm` as machine::vm reads it;
/// empty: the only VM, or the one that agrees. Throws input_error where none can be chosen.
check_answer check(machine const& m, page_table_text const& text, std::string const& vm);

}  // namespace vmsa::text
