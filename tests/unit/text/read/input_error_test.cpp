// SPDX-License-Identifier: MIT
#include "vmsa/text/read/input_error.hpp"

#include <gtest/gtest.h>

namespace input_error_test {
namespace {

using vmsa::text::input_error;

TEST(InputError, NamesFileLineProblemAndWhatIsValid) {
  input_error const error("scenario.toml", 7, "\"0x12g\" is not a number", "\"0x\" and hex digits");
  EXPECT_STREQ(error.what(), "vmsa: scenario.toml:7: \"0x12g\" is not a number\n  valid: \"0x\" and hex digits");
}

TEST(InputError, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(input_error("map.txt", 0, "empty", "").what(), "vmsa: map.txt: empty");
  EXPECT_STREQ(input_error("", 0, "level 4", "-1 to 3").what(), "vmsa: level 4\n  valid: -1 to 3");
}

TEST(InputError, NamesOfFilesAndValuesCannotAct) {
  EXPECT_STREQ(input_error("a\x1b[2J\n.toml", 1, "no kind \"\r\"", "\xe2\x80\xae").what(),
               "vmsa: a\\x1b[2J\\n.toml:1: no kind \"\\r\"\n  valid: \\u{202e}");
}

}  // namespace
}  // namespace input_error_test
