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
  too_complex,  // not decided within the budget of steps
};

inline constexpr unsigned check_budget = 1u << 22;

struct [[nodiscard]] policy_check {
  policy_problem what = policy_problem::none;
  std::size_t row = 0;                 // of impossible and unreachable
  std::optional<std::size_t> taker{};  // of unreachable: one earlier row that alone takes it all, if there is one
  unsigned field = 0;                  // of impossible, in input_fields
  situation_set witness{};             // of missing: one situation

  constexpr explicit operator bool() const noexcept { return what == policy_problem::none; }
};

/// True when some situation is in both boxes.
constexpr bool overlap(situation_set const& a, situation_set const& b) noexcept {
  for (unsigned field = 0; field < input_fields.size(); ++field)
    if ((a.get(field) & b.get(field)) == 0) return false;
  return true;
}

namespace check_detail {

constexpr situation_set everything() noexcept { return pack({}); }

constexpr std::optional<unsigned> empty_field(situation_set const& s) noexcept {
  for (unsigned i = 0; i < input_fields.size(); ++i)
    if (s.get(i) == 0) return i;
  return std::nullopt;
}

constexpr situation_set any_one(situation_set s) noexcept {
  for (unsigned field = 0; field < input_fields.size(); ++field) {
    u64 const values = s.get(field);
    s.put(field, values & (~values + 1));
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
  if (!overlap(box, row)) return uncovered(box, rest, budget);
  for (unsigned field = 0; field < input_fields.size(); ++field) {
    u64 const outside = box.get(field) & ~row.get(field);
    if (outside == 0) continue;
    situation_set piece = box;
    piece.put(field, outside);
    if (std::optional<situation_set> const found = uncovered(piece, rest, budget)) return found;
    box.put(field, box.get(field) & row.get(field));
  }
  return std::nullopt;
}

}  // namespace check_detail

/// What is wrong with a policy, if anything: each row must be able to match, and some row must match each situation.
/// Proving it may take time exponential in the rows, so after `budget` boxes of situations it ends with too_complex: at
/// the row that was looked at, or at row 0, which can always match, when it was whether anything is missing.
constexpr policy_check check_policy(std::span<rule const> rows, unsigned budget = check_budget) noexcept {
  using namespace check_detail;
  if (rows.empty()) return {.what = policy_problem::empty};
  if (rows.size() > max_policy_rows) return {.what = policy_problem::too_many};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::optional<unsigned> const field = empty_field(rows[i].when))
      return {.what = policy_problem::impossible, .row = i, .field = *field};
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
