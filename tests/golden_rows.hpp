// SPDX-License-Identifier: MIT
// Golden tables line by line, and those whose cells are divided by tabs.
#pragma once

#include <gtest/gtest.h>

#include <zlib.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests_folder.hpp"

namespace vmsa {

using golden_row = std::vector<std::string>;

/// The lines of the file `path` under tests/, gzipped or not. A file that is not there, is
/// empty or is damaged fails the test.
inline std::vector<std::string> golden_lines(std::string const& path) {
  std::vector<std::string> lines;
  gzFile const in = gzopen((tests_folder() + "/" + path).c_str(), "rb");
  EXPECT_NE(in, nullptr) << path;
  if (in == nullptr) return lines;
  std::string line;
  for (int c = 0; (c = gzgetc(in)) != -1;) {
    if (c != '\n') {
      line += static_cast<char>(c);
    } else {
      lines.push_back(std::move(line));
      line.clear();
    }
  }
  if (!line.empty()) lines.push_back(std::move(line));
  int error = Z_OK;
  gzerror(in, &error);
  EXPECT_EQ(error, Z_OK) << path;
  EXPECT_EQ(gzclose(in), Z_OK) << path;
  EXPECT_FALSE(lines.empty()) << path;
  return lines;
}

/// The rows of the table `path` under tests/, without its header. A row with fewer than `cells` cells fails the test
/// and is left out; so does a table that is not there.
inline std::vector<golden_row> golden_rows(std::string const& path, std::size_t cells) {
  std::vector<golden_row> rows;
  bool header = true;
  for (std::string const& line : golden_lines(path)) {
    if (std::exchange(header, false)) continue;
    golden_row row;
    std::istringstream split(line);
    for (std::string cell; std::getline(split, cell, '\t');) row.push_back(cell);
    EXPECT_GE(row.size(), cells) << path << ": " << line;
    if (row.size() >= cells) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vmsa
