// SPDX-License-Identifier: MIT
#include "vmsa/text/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmsa/text/input_error.hpp"

namespace {

using vmsa::text::decode;
using vmsa::text::decode_options;
using vmsa::text::input_error;

TEST(Decode, ReadsHexadecimalWithOrWithoutPrefix) {
  EXPECT_EQ(decode("hcr", "0x80000001", {}).value, 0x8000'0001u);
  EXPECT_EQ(decode("hcr", " 80000001\r", {}).value, 0x8000'0001u);
  EXPECT_EQ(decode("tcr", "0x0000000000000000000001", {}).value, 1u);
}

TEST(Decode, TwoDigitsOfMairAreOneByte) {
  EXPECT_EQ(decode("mair", "ff", {}).fields.size(), 1u);
  EXPECT_EQ(decode("mair", "0x4", {}).fields.size(), 1u);
  EXPECT_EQ(decode("mair", "0ff", {}).fields.size(), 8u);
  EXPECT_EQ(decode("mair", "0x00ff", {}).fields.size(), 8u);
}

TEST(Decode, TakesALogLine) {
  vmsa::text::explanation const e = decode("pte", "[   12.3] Raw PTE: 0x00400001000007d7 (Level 2, VALID)", {});
  EXPECT_EQ(e.value, 0x0040'0001'0000'07d7u);
  EXPECT_THAT(e.summary, testing::StartsWith("stage 2 level 2 table"));
  EXPECT_THAT(decode("pte", "Raw PTE: 0x7d7 (Level 2, VALID)", {.level = "3"}).summary,
              testing::StartsWith("stage 2 level 3 page"));
}

struct refusal {
  char const* kind;
  char const* value;
  decode_options options;
  char const* problem;
  char const* valid;
};

TEST(Decode, RefusesWithTheValueAndWhatIsValid) {
  refusal const rows[] = {
      {"pgd", "0x1", {}, "no kind \"pgd\"", "pte mair esr hpfar par vtcr vttbr hcr tcr"},
      {"esr", "0x9381000g", {}, "\"0x9381000g\": \"g\" is no hexadecimal digit", "hexadecimal digits"},
      {"esr", "", {}, "\"\" holds no digits", "hexadecimal digits"},
      {"esr", "0x", {}, "\"0x\" holds no digits", "hexadecimal digits"},
      {"esr", "-1", {}, "\"-\" is no hexadecimal digit", "hexadecimal digits"},
      {"esr", "0x10000000000000000", {}, "is wider than 64 bits", "at most 64 bits"},
      {"esr", "0x1", {.level = "3"}, "--level means nothing for esr", "with pte"},
      {"pte", "0x1", {.level = "4"}, "--level \"4\"", "-1 0 1 2 3"},
      {"pte", "0x1", {.level = "3x"}, "--level \"3x\"", "-1 0 1 2 3"},
      {"pte", "0x1", {.level = "0", .granule = "64k"}, "no such level with the 64K granule", "1 2 3"},
      {"pte", "0x1", {.level = "-1", .granule = "16k"}, "no such level with the 16K granule", "0 1 2 3"},
      {"pte", "0x1", {.level = "-1", .ds = "off"}, "no such level with the 4K granule and DS=0", "0 1 2 3"},
      {"pte", "0x1", {.level = "0", .granule = "16k", .ds = "off"}, "no such level", "1 2 3"},
      {"pte", "0x1", {.stage = "3"}, "--stage \"3\"", "1 2"},
      {"pte", "0x1", {.granule = "8k"}, "--granule \"8k\"", "4k 16k 64k"},
      {"pte", "0x1", {.fwb = "maybe"}, "--fwb \"maybe\"", "on off"},
      {"pte", "Raw PTE:", {}, "holds no digits", "hexadecimal digits"},
      {"pte", "Raw PTE: 0x1 (Level 7, VALID)", {}, "--level \"7\"", "-1 0 1 2 3"},
  };
  for (refusal const& row : rows) {
    try {
      (void)decode(row.kind, row.value, row.options);
      ADD_FAILURE() << row.problem << ": accepted";
    } catch (input_error const& error) {
      EXPECT_THAT(error.problem(), testing::HasSubstr(row.problem));
      EXPECT_THAT(error.valid(), testing::HasSubstr(row.valid)) << row.problem;
    }
  }
}

}  // namespace
