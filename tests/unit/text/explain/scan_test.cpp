// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scan_test {
namespace {

using vmsa::text::scan_answer;
using vmsa::text::scan_context;
using vmsa::text::scanner;

scan_answer scan(std::string_view text, scan_context given = {}) {
  scanner s(std::move(given));
  s.begin("f");
  s.add(text);
  return s.finish();
}

TEST(Scan, LongLinesAreCutAndTheNextOneIsFound) {
  std::string text = "far 0x1000 " + std::string(10'000'000, 'x') + " esr 0x92000006\n";
  text += "ESR_EL2=0x92000007\n";
  scan_answer const a = scan(text);
  ASSERT_EQ(a.items.size(), 1u);  // the second line's register joins the first's
  EXPECT_EQ(a.items[0].number("FAR"), 0x1000u);
  EXPECT_EQ(a.items[0].number("ESR_EL2"), 0x9200'0007u);
  EXPECT_EQ(a.items[0].find("ESR"), nullptr);
}

// A register of a guest that KVM reset and nobody wrote, as decode says of it.
TEST(Scan, WhatNobodyWroteIsNotExplained) {
  scan_answer const a = scan("MAIR_EL1=0x1de7ec7edbadc0de TTBR0_EL1=0x1de7ec7edbadc0de TCR_EL1=0x80801510\n");
  ASSERT_EQ(a.items.size(), 1u);
  EXPECT_THAT(a.items[0].summary,
              testing::AllOf(testing::HasSubstr("MAIR_EL1 0x1de7ec7edbadc0de: KVM's pattern"),
                             testing::HasSubstr("TTBR0_EL1 0x1de7ec7edbadc0de: KVM's pattern"),
                             testing::Not(testing::HasSubstr("Attr")), testing::HasSubstr("TCR_EL1 0x80801510: ")));
}

TEST(Scan, ItemsAreBounded) {
  std::string text;
  for (unsigned i = 0; i < 2 * scanner::most_items; ++i)
    text += "kvm [1]: Unsupported FSC: ESR_EL2=0x" + std::to_string(10'000'000 + i) + "\n";
  scan_answer const a = scan(text);
  EXPECT_EQ(a.items.size(), scanner::most_items);
  EXPECT_EQ(a.left_out, scanner::most_items);
}

TEST(Scan, WhatAPersonSaysGoesBeforeTheText) {
  scan_context given;
  given.kernel = "7.1";
  scan_answer const a =
      scan("Linux version 6.1.0-18-arm64 (debian)\n[0x410fd0c1] physical CPU 0x1 [0x410fd0c1]\n", given);
  EXPECT_EQ(a.context.kernel, "7.1");
  EXPECT_EQ(a.context.midr, "0x410fd0c1");
  EXPECT_EQ(a.context.cpu, "neoverse-n1");
}

TEST(Scan, FarLinesAreOtherItems) {
  std::string const oops = "Mem abort info:\n  ESR = 0x0000000096000004\n";
  scan_answer const a = scan(oops + std::string(100, '\n') + "Internal error: Oops: 0000000096000004 [#1] SMP\n");
  EXPECT_EQ(a.items.size(), 1u);  // they say the same
  EXPECT_EQ(a.items[0].count, 2u);
  EXPECT_EQ(a.items[0].line, 1u);
}

TEST(Scan, ControlBytesAndNulsAreNoReasonToStop) {
  scan_answer const a = scan(std::string("\0\x1b[31m kvm_guest_fault: ipa 0x1000, hsr 0x93810006\0\xff\n", 53));
  ASSERT_EQ(a.items.size(), 1u);
  EXPECT_EQ(a.items[0].form, "trace");
}

}  // namespace
}  // namespace scan_test
