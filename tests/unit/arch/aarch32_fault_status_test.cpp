// SPDX-License-Identifier: MIT
#include "vmsa/arch/aarch32_fault_status.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace vmsa::aarch32_fault_status_test {
namespace {

// FS[4] is bit 10, FS[3:0] bits 3:0 [Arm ARM, DFSR, When TTBCR.EAE == 0].
TEST(Aarch32FaultStatus, ShortDescriptorCodes) {
  struct row {
    u64 raw;
    std::string_view says;
  };
  constexpr row rows[] = {{0x1, "alignment fault"},
                          {0x805, "translation fault, level 1"},
                          {0x7, "translation fault, level 2"},
                          {0xd, "permission fault, level 1"},
                          {0x80f, "permission fault, level 2"},
                          {0x8, "synchronous external abort"},
                          {0x406, "SError"},
                          {0x40c, "synchronous parity or ECC error on the walk, level 1"}};
  for (row const& r : rows) {
    char const* const says = name_short_fault(short_fault_status(r.raw));
    EXPECT_EQ(says == nullptr ? "" : std::string_view(says), r.says) << r.raw;
  }
  EXPECT_EQ(name_short_fault(0), nullptr);
  EXPECT_EQ(name_short_fault(0b11111), nullptr);
}

// What DFSR has and IFSR does not, and where they differ in words [Arm ARM, IFSR, FS and STATUS].
TEST(Aarch32FaultStatus, FetchesHaveFewerCodes) {
  for (unsigned const fs : {0b00100u, 0b10101u, 0b10110u, 0b11000u}) {
    EXPECT_NE(name_short_fault(static_cast<u8>(fs)), nullptr) << fs;
    EXPECT_EQ(name_short_fault(static_cast<u8>(fs), true), nullptr) << fs;
  }
  for (unsigned const status : {0b010001u, 0b011001u, 0b110100u, 0b110101u}) {
    EXPECT_NE(name_long_fault(static_cast<u8>(status)), nullptr) << status;
    EXPECT_EQ(name_long_fault(static_cast<u8>(status), true), nullptr) << status;
  }
  EXPECT_EQ(std::string_view(name_short_fault(1, true)), "PC alignment fault");
  EXPECT_EQ(std::string_view(name_long_fault(0b100001, true)), "PC alignment fault");
  EXPECT_EQ(std::string_view(name_short_fault(0b10100, true)), "IMPLEMENTATION DEFINED fault (lockdown)");
}

// No code of the Long-descriptor format names level 0: 0b000100 and its like are reserved, and so is every code that
// AArch64 alone has [Arm ARM, DFSR.STATUS].
TEST(Aarch32FaultStatus, LongDescriptorCodes) {
  EXPECT_EQ(std::string_view(name_long_fault(0)), "address size fault in the translation table base register");
  EXPECT_EQ(std::string_view(name_long_fault(0b000111)), "translation fault, level 3");
  EXPECT_EQ(std::string_view(name_long_fault(0b010001)), "SError");
  EXPECT_EQ(std::string_view(name_long_fault(0b110000)), "TLB conflict abort");
  unsigned valid = 0;
  for (u8 status = 0; status < 64; ++status) valid += name_long_fault(status) != nullptr ? 1u : 0u;
  EXPECT_EQ(valid, 28u);
  for (unsigned const status : {0b000100u, 0b001000u, 0b001100u, 0b010100u, 0b011100u, 0b101001u, 0b110001u})
    EXPECT_EQ(name_long_fault(static_cast<u8>(status)), nullptr) << status;
}

TEST(Aarch32FaultStatus, FieldsOfBothFormats) {
  EXPECT_TRUE(dfsr{{0x805}}.get<dfsr::wnr>());
  EXPECT_FALSE(dfsr{{0x805}}.get<dfsr::lpae>());
  EXPECT_TRUE(dfsr{{0x2805}}.get<dfsr::cm>());
  EXPECT_TRUE(dfsr{{0xa07}}.get<dfsr::lpae>());
  EXPECT_TRUE(dfsr{{0x1406}}.get<dfsr::ext>());
  EXPECT_TRUE(covers_all_bits(ifsr::short_layout));
}

}  // namespace
}  // namespace vmsa::aarch32_fault_status_test
