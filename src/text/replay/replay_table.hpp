// SPDX-License-Identifier: MIT
// What the kinds of recorded tables share: rows by column name, and computed cells compared with recorded ones.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/constraint_choices.hpp"
#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/mmu/check_order.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text {

struct replay_verdict {
  enum class kind { matched, differed, newer, skipped, together } what = kind::matched;
  std::string detail{};  // what differs, or why it was skipped; empty when it matched
};

// Evaluates the lines that follow the header, or JSON lines.
class replay_evaluator {
 public:
  virtual ~replay_evaluator() = default;
  virtual replay_verdict evaluate(std::string_view line, line_position at) = 0;
};

// The header of a CSV table.
class column_names {
 public:
  static constexpr std::size_t absent = ~std::size_t{0};

  column_names(std::string_view header, line_position at);
  std::size_t find(std::string_view name) const noexcept;  // or absent
  bool has(std::string_view name) const noexcept { return find(name) != absent; }
  std::size_t count() const noexcept { return names_.size(); }
  std::string const& name(std::size_t column) const { return names_[column]; }

 private:
  std::vector<std::string> names_;
};

// One row, split at its commas.
class table_row {
 public:
  static constexpr std::size_t most_columns = 48;

  table_row(std::string_view line, column_names const& names, line_position at);

  // Empty when the table has no such column.
  std::string_view text(std::size_t column) const noexcept;
  // Throws input_error unless the cell is a number, at most `most`.
  std::uint64_t number(std::size_t column, std::uint64_t most, int base = 10) const;
  bool flag(std::size_t column) const { return number(column, 1) != 0; }

  [[noreturn]] void refuse(std::size_t column, std::string const& valid) const;
  column_names const& names() const noexcept { return names_; }

 private:
  column_names const& names_;
  line_position at_;
  std::array<std::string_view, most_columns> cells_{};
  std::size_t count_ = 0;
};

// The computed side of a row, compared cell by cell; columns that the table does not have are passed over.
class row_comparison {
 public:
  explicit row_comparison(table_row const& row) : row_(row) {}

  void expect(std::size_t column, std::string_view computed);
  void expect_number(std::size_t column, std::uint64_t computed, int base = 10);
  replay_verdict verdict() &&;

 private:
  void differ(std::size_t column, std::string_view computed);
  table_row const& row_;
  std::string detail_;
};

// The columns that hold effective attributes; a table may have any of them.
struct attribute_columns {
  explicit attribute_columns(column_names const& names);
  void expect(row_comparison& out, memory_attributes const& a, bool mte_perm) const;

  std::size_t fault, type, device, inner, outer, sh, tags, notagaccess, xs, par_attr, par_sh;
};

// Reads `NAME=CHOICE+NAME=CHOICE` into `choices`. Returns what it does not know, which makes the row a skipped one.
std::optional<std::string> apply_choices(std::string_view cu, constraint_choices& choices);

// Each of the columns that replay.cpp lists as needed.
std::unique_ptr<replay_evaluator> make_combine_evaluator(column_names const& names);
std::unique_ptr<replay_evaluator> make_attribute_context_evaluator(column_names const& names);
std::unique_ptr<replay_evaluator> make_stage2_config_evaluator(column_names const& names);
std::unique_ptr<replay_evaluator> make_stage1_permission_evaluator(column_names const& names);
std::unique_ptr<replay_evaluator> make_stage2_permission_evaluator(column_names const& names);
// Of JSON lines, which have no header.
std::unique_ptr<replay_evaluator> make_translate_evaluator(manual_release manual);

}  // namespace vmsa::text
