// SPDX-License-Identifier: MIT
#include "vmsa/text/read/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"

namespace value_test {
namespace {

using vmsa::u64;
using vmsa::text::input_error;
using vmsa::text::named_value;
using vmsa::text::parse_named_value;

struct accepted {
  char const* text;
  u64 value;
  char const* name;
};

TEST(Value, TakesWhatPeopleWrite) {
  accepted const rows[] = {
      {"0x93810006", 0x9381'0006, ""},
      {"  93810006\r", 0x9381'0006, ""},
      {"0X9381_0006", 0x9381'0006, ""},
      {"0x93810006UL", 0x9381'0006, ""},
      {"0x93810006ull", 0x9381'0006, ""},
      {"0xffu64", 0xff, ""},
      {"0b1010", 10, ""},
      {"0b1111_0000", 0xf0, ""},
      {"0000000093810006", 0x9381'0006, ""},
      {"ESR_EL2=0x93810006", 0x9381'0006, "ESR_EL2"},
      {"esr_el1: 0x93810006", 0x9381'0006, "ESR_EL1"},
      {"ESR    : 93810006", 0x9381'0006, "ESR"},
      {"far 0x1000", 0x1000, "FAR"},
      {"far_el1 dead0000", 0xdead'0000, "FAR_EL1"},
      {"MAIR_EL1 0xff44 65348", 0xff44, "MAIR_EL1"},
      {"fade", 0xfade, ""},
  };
  for (accepted const& row : rows) {
    named_value const v = parse_named_value(row.text);
    EXPECT_EQ(v.value, row.value) << row.text;
    EXPECT_EQ(v.name, row.name) << row.text;
  }
}

struct refused {
  char const* text;
  char const* problem;
};

TEST(Value, RefusesWhatTwoReadingsTakeDifferently) {
  refused const rows[] = {
      {"2449473542", "could be hexadecimal, 0x2449473542, or decimal, 0x92000006"},
      {"1096358298624", "or decimal, 0xff440c0400"},
      {"MAIR_EL1 0xff44 65349", "the two numbers are not the same value: 0xff44, and 0xff45 in decimal"},
      {"0x12345678901234567", "is wider than 64 bits"},
      {"0b12", ""},
      {"0xg", "\"g\" is no hexadecimal digit"},
      {"_1", "\"_\" is no hexadecimal digit"},
      {"0x10 0x20", "stands behind it"},
      {"", "holds no digits"},
  };
  for (refused const& row : rows) {
    try {
      named_value const v = parse_named_value(row.text);
      if (row.problem[0] != '\0') ADD_FAILURE() << row.text << ": accepted as " << v.value;
    } catch (input_error const& error) {
      EXPECT_THAT(error.problem(), testing::HasSubstr(row.problem)) << row.text;
    }
  }
  EXPECT_EQ(parse_named_value("0b12").value, 0xb12u);  // hexadecimal without its 0x
}

}  // namespace
}  // namespace value_test
