// SPDX-License-Identifier: MIT
// An ordered table of rows with its index: for every value of every input, the rows that allow it, one bit each. The
// first row that matches is then the lowest bit common to all the values of a fault, with no search.
#pragma once
#include <array>
#include <bit>

#include "vmsa/policy/rule.hpp"

namespace vmsa {

inline constexpr std::size_t max_policy_rows = 64;

class policy_index {
 public:
  constexpr policy_index() = default;
  // Of the first max_policy_rows rows.
  constexpr explicit policy_index(std::span<rule const> rows) noexcept {
    for (unsigned i = 0; i < policy_input_count; ++i) {
      auto const input = static_cast<policy_input>(i);
      for (std::size_t r = 0; r < rows.size() && r < max_policy_rows; ++r)
        for (unsigned value = 0; value < field_of(input).values; ++value)
          if ((rows[r].when.get(input) >> value & 1) != 0) allow_[slot(input, value)] |= u64{1} << r;
    }
  }

  // The first row that matches, max_policy_rows when none does.
  constexpr std::size_t first(policy_host const& h, memory_inputs const& m, backing kind,
                              fault_access const& a) const noexcept {
    // Four partial results, because a single one would wait for itself 31 times.
    u64 rows[4] = {~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}};
    for_each_input(h, m, kind, a, [&](policy_input input, unsigned value) {
      rows[static_cast<unsigned>(input) % 4] &= allow_[slot(input, value)];
    });
    return static_cast<std::size_t>(std::countr_zero((rows[0] & rows[1]) & (rows[2] & rows[3])));
  }

 private:
  // One place for every value of every input: where the value's bit is in a situation_set.
  static constexpr std::size_t slot(policy_input input, unsigned value) noexcept {
    return 64u * field_of(input).word + field_of(input).low + value;
  }
  std::array<u64, 128> allow_{};
};

enum class fwb_use : u8 { if_present, never, always };

struct policy_traits {
  fwb_use fwb = fwb_use::if_present;
  bool linux_cache_duties = true;      // the duties of KVM; where false none are claimed
  bool has_capability_243 = false;
};

// At most max_policy_rows rows, which outlive the table.
class policy_table {
 public:
  constexpr policy_table(char const* name, std::span<rule const> rows, policy_traits traits = {}) noexcept
      : name_(name), rows_(rows.first(rows.size() < max_policy_rows ? rows.size() : max_policy_rows)),
        traits_(traits), index_(rows_) {}

  constexpr char const* name() const noexcept { return name_; }
  constexpr std::span<rule const> rows() const noexcept { return rows_; }
  constexpr policy_traits const& traits() const noexcept { return traits_; }
  constexpr bool runs_with_fwb(policy_host const& h) const noexcept {
    return traits_.fwb == fwb_use::always || (traits_.fwb == fwb_use::if_present && h.cpu.s2fwb);
  }

  // The row that decides, or nullptr when none matches.
  constexpr rule const* find(policy_host const& h, memory_inputs const& m, backing kind,
                             fault_access const& a) const noexcept {
    std::size_t const r = index_.first(h, m, kind, a);
    return r < rows_.size() ? &rows_[r] : nullptr;
  }

 private:
  char const* name_;
  std::span<rule const> rows_;
  policy_traits traits_;
  policy_index index_;
};

}  // namespace vmsa
