// SPDX-License-Identifier: MIT
#include "text/replay/replay_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/arch/par.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

column_names::column_names(std::string_view header, line_position at) {
  for (;;) {
    std::size_t const comma = header.find(',');
    std::string_view const name = header.substr(0, comma);
    if (find(name) != absent)
      throw input_error(std::string(at.file), at.number, fmt::format("column \"{}\" stands twice", name),
                        "each column once");
    names_.emplace_back(name);
    if (comma == std::string_view::npos) break;
    header.remove_prefix(comma + 1);
  }
  if (names_.size() > table_row::most_columns)
    throw input_error(std::string(at.file), at.number, fmt::format("{} columns", names_.size()),
                      fmt::format("at most {} columns", table_row::most_columns));
}

std::size_t column_names::find(std::string_view name) const noexcept {
  auto const it = std::find(names_.begin(), names_.end(), name);
  return it == names_.end() ? absent : static_cast<std::size_t>(it - names_.begin());
}

table_row::table_row(std::string_view line, column_names const& names, line_position at) : names_(names), at_(at) {
  for (;;) {
    std::size_t const comma = line.find(',');
    if (count_ < most_columns) cells_[count_] = line.substr(0, comma);
    ++count_;
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  if (count_ != names.count())
    throw input_error(std::string(at.file), at.number, fmt::format("a row of {} cells", count_),
                      fmt::format("{} cells, as many as the header has", names.count()));
}

std::string_view table_row::text(std::size_t column) const noexcept {
  return column < count_ ? cells_[column] : std::string_view{};
}

std::uint64_t table_row::number(std::size_t column, std::uint64_t most, int base) const {
  std::optional<u64> const value = parse_number(text(column), base);
  if (!value || *value > most)
    refuse(column, fmt::format("a {} number up to {}", base == 16 ? "hexadecimal" : "decimal",
                               base == 16 ? hex(most) : fmt::format("{}", most)));
  return *value;
}

void table_row::refuse(std::size_t column, std::string const& valid) const {
  throw input_error(std::string(at_.file), at_.number,
                    column < count_ ? fmt::format("column {}: \"{}\"", names_.name(column), text(column))
                                    : "a column that this table needs is missing",
                    valid);
}

void row_comparison::expect(std::size_t column, std::string_view computed) {
  if (column != column_names::absent && row_.text(column) != computed) differ(column, computed);
}

void row_comparison::expect_number(std::size_t column, std::uint64_t computed, int base) {
  if (column == column_names::absent || parse_number(row_.text(column), base) == computed) return;
  differ(column, base == 16 ? fmt::format("{:x}", computed) : fmt::format("{}", computed));
}

void row_comparison::differ(std::size_t column, std::string_view computed) {
  fmt::format_to(std::back_inserter(detail_), "{}{}: recorded {}, vmsa {}", detail_.empty() ? "" : "; ",
                 row_.names().name(column), row_.text(column).empty() ? "(empty)" : row_.text(column),
                 computed.empty() ? "(empty)" : computed);
}

replay_verdict row_comparison::verdict() && {
  if (detail_.empty()) return {};
  return {replay_verdict::kind::differed, std::move(detail_)};
}

attribute_columns::attribute_columns(column_names const& names)
    : fault(names.find("fault")),
      type(names.find("type")),
      device(names.find("device")),
      inner(names.find("inner")),
      outer(names.find("outer")),
      sh(names.find("sh")),
      tags(names.find("tags")),
      notagaccess(names.find("notagaccess")),
      xs(names.find("xs")),
      par_attr(names.find("par_attr")),
      par_sh(names.find("par_sh")) {}

void attribute_columns::expect(row_comparison& out, memory_attributes const& a, bool mte_perm) const {
  bool const dev = is_device(a);
  out.expect(fault, "None");
  out.expect(type, dev ? "Device" : "Normal");
  out.expect(device, dev ? name(a.device) : "");
  out.expect(inner, dev ? "" : name(a.inner));
  out.expect(outer, dev ? "" : name(a.outer));
  out.expect(sh, name(a.sh));
  out.expect(tags, a.tagged ? "A" : "U");
  out.expect_number(notagaccess, a.no_tag_access);
  out.expect_number(xs, a.xs);
  out.expect_number(par_attr, encode_par_attr(a, mte_perm), 16);
  out.expect_number(par_sh, encode_par_sh(a));
}

std::optional<std::string> apply_choices(std::string_view cu, constraint_choices& choices) {
  while (!cu.empty()) {
    std::size_t const plus = cu.find('+');
    std::string_view const item = cu.substr(0, plus);
    cu.remove_prefix(plus == std::string_view::npos ? cu.size() : plus + 1);
    std::size_t const equals = item.find('=');
    std::string_view const key = item.substr(0, equals);
    std::string_view const value = equals == std::string_view::npos ? "" : item.substr(equals + 1);
    auto const one_of = [&](bool& target, std::string_view yes, std::string_view no) {
      if (value != yes && value != no) return false;
      target = value == yes;
      return true;
    };
    bool known = false;
    if (key == "RESMAIR") {
      std::optional<u64> const byte = parse_number(value, 16);
      known = byte && *byte <= 0xff && classify_mair(static_cast<u8>(*byte)) != mair_class::reserved;
      if (known) choices.reserved_mair = static_cast<u8>(*byte);
    } else if (key == "Shareability") {
      for (shareability s : {shareability::non, shareability::inner, shareability::outer})
        if (value == name(s)) {
          choices.reserved_sh = s;
          known = true;
        }
    } else if (key == "S2RESMEMATTR") {
      for (cache_policy p : {cache_policy::non_cacheable, cache_policy::write_through, cache_policy::write_back})
        if (value == name(p)) {
          choices.reserved_s2_half = p;
          known = true;
        }
    } else if (key == "AFUPDATE") {
      known = one_of(choices.set_af_on_fault, "TRUE", "FALSE");
    } else if (key == "DBUPDATE") {
      known = one_of(choices.set_dirty_on_fault, "TRUE", "FALSE");
    } else if (key == "DEVICETAGSTORE") {
      known = one_of(choices.device_tag_store_faults, "FAULT", "NONE");
    } else if (key == "INSTRDEVICE") {
      known = one_of(choices.device_fetch_faults, "FAULT", "NONE");
    } else if (key == "NVNV1") {
      known = value == "00";
    } else if (key == "S1CTAGGED") {
      known = one_of(choices.keep_tagged_when_cache_off, "TRUE", "FALSE");
    }
    if (!known) return fmt::format("the choice \"{}\" is not one the model has", item);
  }
  return std::nullopt;
}

}  // namespace vmsa::text
