// SPDX-License-Identifier: MIT
#include "vmsa/text/words/format.hpp"

#include <gtest/gtest.h>

namespace format_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;

TEST(Format, SizesThatAreNoneAreRefused) {
  EXPECT_EQ(u64{0}, parse_size("0"));
  EXPECT_EQ(u64{4096}, parse_size("4096"));
  EXPECT_EQ(u64{512} << 20, parse_size("512M"));
  EXPECT_EQ(u64{3} << 40, parse_size("3T"));
  EXPECT_EQ(u64{2} << 30, parse_size("2g"));
  EXPECT_EQ(u64{0x1000}, parse_size("0x1000"));
  EXPECT_EQ(~u64{0} >> 10 << 10, parse_size("18014398509481983K"));
  for (std::string_view const bad :
       {"", "K", "0x1K", "-1", "+1", "1 K", "1KB", "1.5G", "18014398509481984K", "18446744073709551616"})
    EXPECT_EQ(std::nullopt, parse_size(bad)) << bad;
}

TEST(Format, Numbers) {
  EXPECT_EQ(hex(0), "0x0");
  EXPECT_EQ(hex(0xDEAD'BEEF), "0xdeadbeef");
  EXPECT_EQ(hex(~u64{0}), "0xffffffffffffffff");
  EXPECT_EQ(hex(ipa{0x4000'0000}), "0x40000000");
  EXPECT_EQ(binary(0b0101, 4), "0b0101");
  EXPECT_EQ(binary(0, 1), "0b0");
  EXPECT_EQ(size_name(4096), "4K");
  EXPECT_EQ(size_name(u64{2} << 20), "2M");
  EXPECT_EQ(size_name(u64{512} << 30), "512G");
  EXPECT_EQ(size_name(1536), "1536");
  EXPECT_EQ(size_name(0), "0");
}

TEST(Format, ParseNumber) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("42"), 42u);
  EXPECT_EQ(parse_number("0x2A"), 42u);
  EXPECT_EQ(parse_number("2a", 16), 42u);
  EXPECT_EQ(parse_number("101", 2), 5u);
  EXPECT_EQ(parse_number("18446744073709551615"), ~u64{0});
  for (char const* bad :
       {"", "0x", "-1", "+1", " 1", "1 ", "0x1g", "18446744073709551616", "0x10000000000000000", "1.0"})
    EXPECT_EQ(parse_number(bad), std::nullopt) << '"' << bad << '"';
  EXPECT_EQ(parse_number("0x1", 2), std::nullopt);
}

TEST(Format, Attributes) {
  constexpr cacheability wt{cache_policy::write_through, true, false, false};
  constexpr cacheability wb_t{cache_policy::write_back, false, true, true};
  using enum shareability;
  EXPECT_EQ(describe(normal_memory(write_back_rw, write_back_rw, inner, false)), "Normal-WB, inner shareable");
  EXPECT_EQ(describe(normal_memory(write_back_rw, write_back_rw, inner, true)), "Normal-WB, inner shareable, XS");
  EXPECT_EQ(describe(normal_memory(wt, wt, non)), "Normal-WT (WT-R), non-shareable");
  EXPECT_EQ(describe(normal_memory(wb_t, non_cacheable, outer)),
            "Normal-mixed (inner WB-W-T, outer NC), outer shareable");
  EXPECT_EQ(describe(device_memory(device_kind::nGRE, false)), "Device-nGRE, outer shareable, XS=0");
  EXPECT_EQ(describe(normal_memory(write_back_rw, write_back_rw, inner, false, true)),
            "Normal-WB, inner shareable, Tagged");
}

TEST(Format, ParseTypes) {
  EXPECT_EQ(parse_summary("normal-wb"), summary::normal_wb);
  EXPECT_EQ(parse_summary("Normal-NC"), summary::normal_nc);
  EXPECT_EQ(parse_summary("device-ngnrne"), summary::device_nGnRnE);
  EXPECT_EQ(parse_summary("Device-GRE"), summary::device_GRE);
  EXPECT_EQ(parse_summary("normal-mixed"), std::nullopt);
  EXPECT_EQ(parse_summary(""), std::nullopt);
  EXPECT_EQ(usual_mair("normal-nc"), 0x44);
  EXPECT_EQ(usual_mair("Device-nGnRE"), 0x04);
  EXPECT_EQ(usual_mair("cached"), std::nullopt);
}

}  // namespace
}  // namespace format_test
