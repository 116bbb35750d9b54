// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "vmsa/testing/attribute_table.hpp"
#include "vmsa/testing/printers.hpp"

namespace {

class GuestMappings : public testing::TestWithParam<vmsa::text::attribute_case> {};

TEST_P(GuestMappings, EndAsWePromise) { EXPECT_TRUE(vmsa::attribute_case_holds(GetParam())); }

INSTANTIATE_TEST_SUITE_P(All, GuestMappings, testing::ValuesIn(vmsa::load_attribute_table(TABLE)),
                         vmsa::attribute_case_name);

TEST(Printers, ShowFields) {
  EXPECT_EQ(testing::PrintToString(vmsa::mair(0x44)),
            "{type normal, device nGnRnE, inner NC, outer NC, sh inner, xs true, tagged false, no_tag_access false}");
}

}  // namespace
