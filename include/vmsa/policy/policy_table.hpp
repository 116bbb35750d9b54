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
    for (unsigned field = 0; field < input_fields.size(); ++field)
      for (std::size_t r = 0; r < rows.size() && r < max_policy_rows; ++r)
        for (unsigned value = 0; value < input_fields[field].values; ++value)
          if ((rows[r].when.get(field) >> value & 1) != 0) allow_[slot(field, value)] |= u64{1} << r;
  }

  // The first row that matches, max_policy_rows when none does.
  constexpr std::size_t first(fault_question const& q) const noexcept {
    // Four partial results, because a single one would wait for itself at every field.
    u64 rows[4] = {~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}};
    for_each_field(q, [&](auto field, unsigned value) { rows[field % 4] &= allow_[slot(field, value)]; });
    return static_cast<std::size_t>(std::countr_zero((rows[0] & rows[1]) & (rows[2] & rows[3])));
  }

 private:
  // One place for every value of every field: where the value's bit is in a situation_set.
  static constexpr std::size_t slot(unsigned field, unsigned value) noexcept {
    return 64u * input_fields[field].word + input_fields[field].low + value;
  }
  std::array<u64, 64 * situation_words> allow_{};
};

enum class fwb_use : u8 { if_present, never, always };

struct policy_traits {
  fwb_use fwb = fwb_use::if_present;
  bool linux_cache_duties = true;  // the duties of KVM; where false none are claimed
  bool has_capability_243 = false;
  bool of_kvm = false;  // its errors are KVM_RUN's and the memslot ioctl's
};

// At most max_policy_rows rows, which outlive the table.
class policy_table {
 public:
  constexpr policy_table(char const* name, std::span<rule const> rows, policy_traits traits = {}) noexcept
      : name_(name),
        rows_(rows.first(rows.size() < max_policy_rows ? rows.size() : max_policy_rows)),
        traits_(traits),
        index_(rows_) {}

  constexpr char const* name() const noexcept { return name_; }
  constexpr std::span<rule const> rows() const noexcept { return rows_; }
  constexpr policy_traits const& traits() const noexcept { return traits_; }
  constexpr bool runs_with_fwb(policy_host const& h) const noexcept {
    return traits_.fwb == fwb_use::always || (traits_.fwb == fwb_use::if_present && h.cpu.s2fwb);
  }

  /// The index in rows() of the row that decides, rows().size() when none matches. An index and no pointer, because g++
  /// does not fold a comparison with nullptr under -fno-delete-null-pointer-checks or -fsanitize=undefined.
  constexpr std::size_t find(fault_question const& q) const noexcept {
    std::size_t const r = index_.first(q);
    return r < rows_.size() ? r : rows_.size();
  }

 private:
  char const* name_;
  std::span<rule const> rows_;
  policy_traits traits_;
  policy_index index_;
};

}  // namespace vmsa
