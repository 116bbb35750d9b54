// SPDX-License-Identifier: MIT
// Is a policy well made? Every row must be able to match, and every situation must have a row. Rows are boxes, so both
// are answered exactly, by subtracting earlier boxes from later ones.
#pragma once
#include <optional>
#include <span>

#include "vmsa/policy/policy_table.hpp"

namespace vmsa {

enum class policy_problem : u8 {
  none,
  empty,        // no rows
  too_many,     // more than max_policy_rows
  impossible,   // a row allows no value of some input: it contradicts itself
  unreachable,  // earlier rows take every situation of this one
  missing,      // a situation that no row matches
  too_complex,  // not decided within check_budget steps
};

inline constexpr unsigned check_budget = 1u << 22;

struct [[nodiscard]] policy_check {
  policy_problem what = policy_problem::none;
  std::size_t row = 0;                 // of impossible and unreachable
  std::optional<std::size_t> taker{};  // of unreachable: one earlier row that alone takes it all, if there is one
  policy_input input{};                // of impossible
  situation_set witness{};             // of missing: one situation

  constexpr explicit operator bool() const noexcept { return what == policy_problem::none; }
};

namespace check_detail {

constexpr situation_set everything() noexcept { return pack({}); }

constexpr std::optional<policy_input> empty_input(situation_set const& s) noexcept {
  for (unsigned i = 0; i < policy_input_count; ++i)
    if (s.get(static_cast<policy_input>(i)) == 0) return static_cast<policy_input>(i);
  return std::nullopt;
}

constexpr situation_set any_one(situation_set s) noexcept {
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    u64 const values = s.get(input);
    s.put(input, values & (~values + 1));
  }
  return s;
}

// A situation of `box` that none of `rows` matches. Each row takes its own part of the box away; what lies outside the
// row in one input goes on to the next row, input by input, so that the pieces do not overlap.
constexpr std::optional<situation_set> uncovered(situation_set box, std::span<rule const> rows,
                                                 unsigned& budget) noexcept {
  if (budget == 0) return std::nullopt;
  --budget;
  if (rows.empty()) return any_one(box);
  situation_set const& row = rows.front().when;
  auto const rest = rows.subspan(1);
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    if ((box.get(input) & row.get(input)) == 0) return uncovered(box, rest, budget);
  }
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    u64 const outside = box.get(input) & ~row.get(input);
    if (outside == 0) continue;
    situation_set piece = box;
    piece.put(input, outside);
    if (std::optional<situation_set> const found = uncovered(piece, rest, budget)) return found;
    box.put(input, box.get(input) & row.get(input));
  }
  return std::nullopt;
}

}  // namespace check_detail

constexpr policy_check check_policy(std::span<rule const> rows) noexcept {
  using namespace check_detail;
  if (rows.empty()) return {.what = policy_problem::empty};
  if (rows.size() > max_policy_rows) return {.what = policy_problem::too_many};
  unsigned budget = check_budget;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::optional<policy_input> const input = empty_input(rows[i].when))
      return {.what = policy_problem::impossible, .row = i, .input = *input};
    if (uncovered(rows[i].when, rows.first(i), budget)) continue;
    if (budget == 0) return {.what = policy_problem::too_complex, .row = i};
    policy_check found{.what = policy_problem::unreachable, .row = i};
    for (std::size_t j = 0; j < i && !found.taker; ++j)
      if (rows[i].when.within(rows[j].when)) found.taker = j;
    return found;
  }
  if (std::optional<situation_set> const hole = uncovered(everything(), rows, budget))
    return {.what = policy_problem::missing, .witness = *hole};
  if (budget == 0) return {.what = policy_problem::too_complex};
  return {};
}

}  // namespace vmsa
