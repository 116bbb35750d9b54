// SPDX-License-Identifier: MIT
#include "vmsa/text/read/attribute_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/replay/replay_table.hpp"
#include "vmsa/text/read/combine_arguments.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/combine_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view known_columns[] = {"stage1", "stage2", "s1_sh", "s2_sh", "fwb", "cd",
                                              "id",     "fnxs",   "fetch", "type",  "sh",  "par_attr"};

void check_header(column_names const& names, line_position at) {
  auto const refuse = [&](std::string problem) {
    throw input_error(std::string(at.file), at.number, std::move(problem),
                      fmt::format("stage1, stage2, and at least one of type, sh, par_attr; all columns: {}",
                                  fmt::join(known_columns, " ")));
  };
  for (std::size_t i = 0; i < names.count(); ++i)
    if (std::find(std::begin(known_columns), std::end(known_columns), names.name(i)) == std::end(known_columns))
      refuse(fmt::format("column \"{}\"", names.name(i)));
  for (std::string_view const need : {"stage1", "stage2"})
    if (!names.has(need)) refuse(fmt::format("no column \"{}\"", need));
  if (!names.has("type") && !names.has("sh") && !names.has("par_attr")) refuse("no column says what is expected");
}

class row_reader {
 public:
  row_reader(std::string_view line, column_names const& names, line_position at)
      : row_(line, names, at), names_(names), at_(at) {}

  // The cell, or nothing where it is empty or its column is absent.
  std::optional<std::string_view> cell(std::string_view column) const {
    std::string_view const text = row_.text(names_.find(column));
    return text.empty() ? std::nullopt : std::optional(text);
  }
  bool flag(std::string_view column) const { return cell(column) && row_.flag(names_.find(column)); }

  // `parse(column, text)` of an argument parser; its error gets this row's place.
  template <class Parse>
  u8 parse(std::string_view column, Parse const& parse, u8 fallback) const {
    std::optional<std::string_view> const text = cell(column);
    if (!text) return fallback;
    try {
      return parse(column, *text);
    } catch (input_error const& error) {
      row_.refuse(names_.find(column), error.valid());
    }
  }
  void need(std::string_view column) const {
    if (!cell(column))
      throw input_error(std::string(at_.file), at_.number, fmt::format("column {} is empty", column), "a value");
  }
  table_row const& row() const { return row_; }
  std::size_t find(std::string_view column) const { return names_.find(column); }

 private:
  table_row row_;
  column_names const& names_;
  line_position at_;
};

attribute_case read_row(std::string_view line, column_names const& names, line_position at) {
  row_reader const in(line, names, at);
  in.need("stage1");
  in.need("stage2");
  attribute_case out;
  out.file = at.file;
  out.line = at.number;
  combine_question& q = out.question;
  q.stage2.fwb = in.flag("fwb");
  q.stage2.cd = in.flag("cd");
  q.stage2.id = in.flag("id");
  q.stage2.fetch = q.stage1.fetch = in.flag("fetch");
  q.fnxs = in.flag("fnxs");
  q.mair = in.parse("stage1", parse_mair_byte, 0);
  bool const fwb = q.stage2.fwb;
  q.memattr = in.parse(
      "stage2", [fwb](auto column, auto text) { return parse_memattr(column, text, fwb); }, 0);
  q.s1_sh = in.parse("s1_sh", parse_sh, q.s1_sh);
  q.s2_sh = in.parse("s2_sh", parse_sh, q.s2_sh);

  if (auto const text = in.cell("type")) {
    out.type = *text == json_name(summary::mixed) ? summary::mixed : parse_summary(*text);
    if (!out.type)
      in.row().refuse(in.find("type"),
                      "normal-wb normal-wt normal-nc normal-mixed device-nGnRnE device-nGnRE device-nGRE "
                      "device-GRE");
  }
  if (auto const text = in.cell("sh")) {
    for (shareability const s : {shareability::non, shareability::inner, shareability::outer})
      if (*text == json_name(s)) out.sh = s;
    if (!out.sh) in.row().refuse(in.find("sh"), "non inner outer");
  }
  if (in.cell("par_attr")) out.par_attr = static_cast<u8>(in.row().number(in.find("par_attr"), 0xff, 16));
  return out;
}

// `line` as cells without the blanks and the double quotes around them, as spreadsheets write them. No cell holds a
// comma: one within quotes, which would become two, is refused as a quote is that nobody closed.
std::string plain_cells(std::string_view line, line_position at) {
  std::string out;
  std::string cell;
  bool quoted = false;
  auto const end_cell = [&] {
    std::size_t const first = cell.find_first_not_of(" \t");
    std::size_t const last = cell.find_last_not_of(" \t");
    if (first != std::string::npos) out.append(cell, first, last - first + 1);
    cell.clear();
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cell += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && quoted) {
      throw input_error(std::string(at.file), at.number, "a comma within double quotes",
                        "cells without commas, each quote closed before the next comma");
    } else if (line[i] == ',') {
      end_cell();
      out += ',';
    } else {
      cell += line[i];
    }
  }
  if (quoted)
    throw input_error(std::string(at.file), at.number, "a double quote that is not closed", "quotes in pairs");
  end_cell();
  return out;
}

attribute_case row_or_reason(std::string_view line, column_names const& names, line_position at) {
  try {
    return read_row(plain_cells(line, at), names, at);
  } catch (input_error const& error) {
    attribute_case out;
    out.file = at.file;
    out.line = at.number;
    out.unreadable = error.what();
    return out;
  }
}

}  // namespace

std::vector<attribute_case> read_attribute_table(line_reader& lines) {
  std::vector<attribute_case> rows;
  std::optional<column_names> names;
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
    if (!names) {
      names.emplace(plain_cells(line, lines.position()), lines.position());
      check_header(*names, lines.position());
      continue;
    }
    rows.push_back(row_or_reason(line, *names, lines.position()));
  }
  if (rows.empty())
    throw input_error(std::string(lines.position().file), 0, "the table holds no rows",
                      "a header and at least one row");
  return rows;
}

std::string explain_differences(attribute_case const& row) {
  if (!row.unreadable.empty()) return row.unreadable + "\n";
  combine_answer const a = answer(row.question);
  std::string out;
  auto const differ = [&out](std::string_view column, auto const& expected, auto const& computed) {
    out += fmt::format("{}: expected {}, vmsa {}\n", column, expected, computed);
  };
  summary const type = summarize(a.effective);
  if (row.type && *row.type != type) differ("type", json_name(*row.type), json_name(type));
  if (row.sh && *row.sh != a.effective.sh) differ("sh", json_name(*row.sh), json_name(a.effective.sh));
  if (row.par_attr && *row.par_attr != a.par_attr) differ("par_attr", hex(*row.par_attr), hex(a.par_attr));
  return out.empty() ? out : fmt::format("{}:{}:\n{}{}", row.file, row.line, out, as_text(tell(row.question, a)));
}

}  // namespace vmsa::text
