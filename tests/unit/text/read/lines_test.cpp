// SPDX-License-Identifier: MIT
#include "vmsa/text/read/lines.hpp"
#include "tests_folder.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::lines_test {
namespace {

std::vector<std::string> all(std::string text) {
  line_reader reader("t", std::move(text));
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

TEST(Lines, EndsAreNewlinesWithOrWithoutCarriageReturn) {
  EXPECT_EQ(all("a\nb\r\n\nc"), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(all(""), std::vector<std::string>{});
  EXPECT_EQ(all("\n"), std::vector<std::string>{""});
}

TEST(Lines, AByteOrderMarkIsNoPartOfTheText) {
  EXPECT_EQ(all("\xef\xbb\xbf"
                "a\n\xef\xbb\xbf"
                "b"),
            (std::vector<std::string>{"a",
                                      "\xef\xbb\xbf"
                                      "b"}));
}

TEST(Lines, PositionIsThatOfTheLineHandedOut) {
  line_reader reader("t", "a\nb\n");
  std::string_view line;
  EXPECT_EQ(reader.position().number, 0u);
  ASSERT_TRUE(reader.next(line));
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(reader.position().number, 2u);
  EXPECT_EQ(reader.position().file, "t");
}

TEST(Lines, WhatIsNoTextIsRefused) {
  EXPECT_THROW(all(std::string("a\n\0b", 4)), input_error);
  EXPECT_THROW(all(std::string((std::size_t{1} << 20) + 2, 'x')), input_error);
  EXPECT_THROW(line_reader{tests_folder()}, input_error);
  EXPECT_THROW(line_reader("no such file"), input_error);
}

// A file is read in chunks, of which each may hold what is no text.
TEST(Lines, ANulByteFarBehindTheFirstIsRefusedToo) {
  std::string const path = testing::TempDir() + "vmsa_lines_test_nul";
  constexpr std::size_t lines = 100'000;
  {
    std::ofstream file(path, std::ios::binary);
    for (std::size_t i = 0; i < lines; ++i) file << "line\n";
    file << '\0' << "\n";
  }
  line_reader reader(path);
  std::string_view line;
  EXPECT_THROW(while (reader.next(line)) continue, input_error);
  EXPECT_GT(reader.position().number, lines / 2) << "what comes before it is handed out";
  std::remove(path.c_str());
}

}  // namespace
}  // namespace vmsa::text::lines_test
