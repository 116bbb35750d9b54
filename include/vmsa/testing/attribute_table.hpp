// SPDX-License-Identifier: MIT
// Unit-test your own table of attribute combinations with GoogleTest:
//
//   class OurTable : public testing::TestWithParam<vmsa::text::attribute_case> {};
//   TEST_P(OurTable, Holds) { EXPECT_TRUE(vmsa::attribute_case_holds(GetParam())); }
//   INSTANTIATE_TEST_SUITE_P(All, OurTable, testing::ValuesIn(vmsa::load_attribute_table("ours.csv")),
//                            vmsa::attribute_case_name);
//
// vmsa/text/attribute_table.hpp lists the columns.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "vmsa/text/attribute_table.hpp"

namespace vmsa {

// Throws text::input_error, with the line, for a file or row that cannot be read.
inline std::vector<text::attribute_case> load_attribute_table(std::string path) {
  text::line_reader lines(std::move(path));
  return text::read_attribute_table(lines);
}

inline ::testing::AssertionResult attribute_case_holds(text::attribute_case const& row) {
  std::string const differences = text::explain_differences(row);
  if (differences.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << differences;
}

inline std::string attribute_case_name(::testing::TestParamInfo<text::attribute_case> const& info) {
  return "line_" + std::to_string(info.param.line);
}

namespace text {
inline void PrintTo(attribute_case const& row, std::ostream* out) { *out << row.file << ':' << row.line; }
}  // namespace text

}  // namespace vmsa
