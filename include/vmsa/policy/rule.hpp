// SPDX-License-Identifier: MIT
// A policy is an ordered table of rows: the first row that matches decides, and the decision carries it. Every input
// is one field of a bit set with one bit for each value, so that a row is a box of sets and matching is a few ANDs; the
// same boxes are what check_policy subtracts to find rows that can never match and situations that none matches.
#pragma once
#include <span>

#include "vmsa/policy/decision.hpp"
#include "vmsa/policy/inputs.hpp"

namespace vmsa {

enum class write_grant : u8 {
  never = 0,
  host = 1,                // if the host's mapping is writable and the slot is not read-only
  host_unless_logged = 2,  // the same, but a dirty-logged slot becomes writable on a write only
  slot = 3,                // if the slot is not read-only
  always = 4,
};
enum class execute_grant : u8 {
  never = 0,
  fetch_or_dic = 1,  // on an instruction fault, or always where the instruction cache needs no maintenance
  always = 2,
};
enum class leaf_limit : u8 {
  page,
  vma,   // PFNMAP: whatever is congruent; otherwise a page
  host,  // the same, and otherwise what the host's own mapping has: hugetlb, transparent huge pages
};

struct verdict {
  policy_outcome outcome = policy_outcome::map;
  stage2_memory memory = stage2_memory::normal_wb;
  shareability sh = shareability::inner;
  write_grant write = write_grant::host;
  execute_grant execute = execute_grant::never;
  leaf_limit leaf = leaf_limit::host;
  policy_errno error = policy_errno::none;
  policy_cause cause = policy_cause::none;
  injected_exception exception = injected_exception::none;
};

inline constexpr u8 no_memattr = 0xff;

// Build it with row().
struct rule {
  char const* id = "";
  situation_set when{};
  verdict then{};
  char const* why = "";  // a sentence
  // MemAttr of then.memory without and with FWB, encoded once; no_memattr where there is no encoding.
  u8 memattr[2] = {};
};

constexpr rule row(char const* id, match const& when, verdict const& then, char const* why) noexcept {
  return {id,
          pack(when),
          then,
          why,
          {encode_memattr(then.memory, false).value_or(no_memattr),
           encode_memattr(then.memory, true).value_or(no_memattr)}};
}

// The first row that matches, or nullptr.
constexpr rule const* first_match(std::span<rule const> rows, situation_set const& s) noexcept {
  for (rule const& row : rows)
    if (s.within(row.when)) return &row;
  return nullptr;
}

}  // namespace vmsa
