// SPDX-License-Identifier: MIT
// Golden tables whose cells are divided by tabs.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests_folder.hpp"

namespace vmsa {

using golden_row = std::vector<std::string>;

/// The rows of the table `path` under tests/, without its header. A row with fewer than `cells` cells fails the test
/// and is left out; so does a table that is not there.
inline std::vector<golden_row> golden_rows(std::string const& path, std::size_t cells) {
  std::vector<golden_row> rows;
  std::ifstream in(tests_folder() + "/" + path);
  std::string line;
  EXPECT_TRUE(std::getline(in, line)) << path;
  while (std::getline(in, line)) {
    golden_row row;
    std::istringstream split(line);
    for (std::string cell; std::getline(split, cell, '\t');) row.push_back(cell);
    EXPECT_GE(row.size(), cells) << path << ": " << line;
    if (row.size() >= cells) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vmsa
