// SPDX-License-Identifier: MIT
#include "vmsa/arch/address.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace address_test {
namespace {

using vmsa::ipa;
using vmsa::pa;
using vmsa::va;

static_assert(!std::is_convertible_v<ipa, pa> && !std::is_constructible_v<pa, ipa>);
static_assert(!std::is_convertible_v<va, ipa> && !std::is_convertible_v<ipa, vmsa::u64>);

TEST(Address, ArithmeticWrapsAsTheHardwareDoes) {
  EXPECT_EQ((ipa{0xffff'ffff'ffff'f000} + 0x1000).value, 0u);
  EXPECT_EQ((pa{0x1000} - 0x2000).value, 0xffff'ffff'ffff'f000u);
  EXPECT_EQ(va{0x3000} - va{0x1000}, 0x2000u);
}

TEST(Address, Alignment) {
  EXPECT_TRUE(pa{0x20'0000}.aligned_to(0x20'0000));
  EXPECT_FALSE(pa{0x20'1000}.aligned_to(0x20'0000));
  EXPECT_EQ(ipa{0x20'1fff}.floor_to(0x1000).value, 0x20'1000u);
}

}  // namespace
}  // namespace address_test
