// SPDX-License-Identifier: MIT
// Unit-test your own table of attribute combinations with GoogleTest:
//
//   class OurTable : public testing::TestWithParam<vmsa::text::attribute_case> {};
//   TEST_P(OurTable, Holds) { EXPECT_TRUE(vmsa::attribute_case_holds(GetParam())); }
//   INSTANTIATE_TEST_SUITE_P(All, OurTable, testing::ValuesIn(vmsa::load_attribute_table("ours.csv")),
//                            vmsa::attribute_case_name);
//
// vmsa/text/read/attribute_table.hpp lists the columns.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vmsa/text/read/attribute_table.hpp"

namespace vmsa {

/// The rows of the table in the file `path`. What cannot be read, a row or the whole file, is a row that fails with the
/// reason: GoogleTest calls this before main, where an exception would end the program without a word.
std::vector<text::attribute_case> load_attribute_table(std::string path);

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
