// SPDX-License-Identifier: MIT
// [Arm ARM, TLB maintenance instructions]: what an operand names, and what of it is a hint.
#include "vmsa/arch/tlbi_operation.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tlbi_operation_test {
namespace {

using namespace vmsa;

constexpr tlbi_operation by_ipa{.type = tlbi_type::by_ipa};
constexpr tlbi_operation by_va{.type = tlbi_type::by_va};
constexpr tlbi_operation range{.type = tlbi_type::by_ipa, .range = true};

TEST(TlbiOperation, WhoNamesWhat) {
  EXPECT_TRUE(by_ipa.by_address() && by_va.by_address());
  EXPECT_TRUE((tlbi_operation{.type = tlbi_type::by_vaa}.by_address()));
  EXPECT_FALSE((tlbi_operation{.type = tlbi_type::by_asid}.by_address()));
  EXPECT_FALSE((tlbi_operation{.type = tlbi_type::vmalls12}.by_address()));
  EXPECT_TRUE(by_va.names_asid());
  EXPECT_TRUE((tlbi_operation{.type = tlbi_type::by_asid}.names_asid()));
  EXPECT_FALSE((tlbi_operation{.type = tlbi_type::by_vaa}.names_asid()));
  EXPECT_FALSE(by_ipa.names_asid());
}

TEST(TlbiOperation, OneAddress) {
  tlbi_target t = decode_tlbi_operand(by_ipa, 0x8'0001, granule::k4, false, true);
  EXPECT_EQ(0x8000'1000u, t.begin);
  EXPECT_EQ(0x8000'2000u, t.end);
  EXPECT_FALSE(t.hinted || t.other_granule || t.unpredictable);
  // The whole page of the tables' granule, whatever the low bits; an IPA has 40 bits of page number, a VA 44.
  t = decode_tlbi_operand(by_ipa, 0x13, granule::k64, false, true);
  EXPECT_EQ(0x1'0000u, t.begin);
  EXPECT_EQ(0x2'0000u, t.end);
  EXPECT_EQ(0u, decode_tlbi_operand(by_ipa, u64{1} << 40, granule::k4, false, true).begin);
  EXPECT_EQ(u64{1} << 52, decode_tlbi_operand(by_va, u64{1} << 40, granule::k4, false, true).begin);
}

// TTL of one address: [3:2] the granule, [1:0] the level.
TEST(TlbiOperation, HintOfOneAddress) {
  struct row {
    u64 ttl;
    granule tg;
    bool ds, hinted, foreign;
    int leaf;
  };
  constexpr row rows[] = {
      {0b0111, granule::k4, false, true, false, 3},  {0b0110, granule::k4, false, true, false, 2},
      {0b0101, granule::k4, false, true, false, 1},  {0b0100, granule::k4, false, false, false, 0},
      {0b0100, granule::k4, true, true, false, 0},   {0b0011, granule::k4, false, false, false, 3},
      {0b1011, granule::k4, false, true, true, 3},   {0b1001, granule::k16, false, false, false, 1},
      {0b1001, granule::k16, true, true, false, 1},  {0b1010, granule::k16, false, true, false, 2},
      {0b1101, granule::k64, false, true, false, 1}, {0b1100, granule::k64, true, false, false, 0},
  };
  for (row const& r : rows) {
    SCOPED_TRACE(r.ttl);
    tlbi_target const t = decode_tlbi_operand(by_ipa, r.ttl << 44, r.tg, r.ds, true);
    EXPECT_EQ(r.hinted, t.hinted);
    EXPECT_EQ(r.foreign, t.foreign_hint);
    if (r.hinted) {
      EXPECT_EQ(r.leaf, number(t.leaf));
    }
    EXPECT_FALSE(decode_tlbi_operand(by_ipa, r.ttl << 44, r.tg, r.ds, false).hinted) << "without FEAT_TTL";
  }
}

// (NUM + 1) * 2^(5 * SCALE + 1) granules from BaseADDR on; TG must be the tables' granule.
TEST(TlbiOperation, Ranges) {
  tlbi_range_size const four{.scale = 0, .num = 1};
  u64 const xt = encode_tlbi_range(ipa{0x10'0000}, four, granule::k4);
  tlbi_target t = decode_tlbi_operand(range, xt, granule::k4, false, true);
  EXPECT_EQ(0x10'0000u, t.begin);
  EXPECT_EQ(0x10'4000u, t.end);
  EXPECT_FALSE(t.hinted || t.other_granule || t.unpredictable);
  EXPECT_TRUE(decode_tlbi_operand(range, xt, granule::k16, false, true).other_granule);
  // BaseADDR counts in 64 KiB with 52-bit addresses.
  EXPECT_EQ(0x100'0000u, decode_tlbi_operand(range, xt, granule::k4, true, true).begin);
  EXPECT_EQ(0x100'4000u, decode_tlbi_operand(range, xt, granule::k4, true, true).end);
  t = decode_tlbi_operand(range, encode_tlbi_range(ipa{0x10'0000}, four, granule::k64), granule::k64, false, true);
  EXPECT_EQ(0x10'0000u, t.begin);
  EXPECT_EQ(0x14'0000u, t.end);
}

// A hint above level 3 asks for a base that is aligned to its leaves [RQNPXY].
TEST(TlbiOperation, HintOfARange) {
  tlbi_range_size const two{};
  auto const at = [&](u64 base, u8 ttl, granule tg = granule::k4, bool ds = false) {
    return decode_tlbi_operand(range, encode_tlbi_range(ipa{base}, two, tg, ds, ttl), tg, ds, true);
  };
  EXPECT_FALSE(at(0x20'0000, 0).hinted);
  EXPECT_TRUE(at(0x20'1000, 3).hinted);
  EXPECT_FALSE(at(0x20'1000, 3).unpredictable);
  EXPECT_FALSE(at(0x20'0000, 2).unpredictable);
  EXPECT_TRUE(at(0x20'1000, 2).unpredictable);
  EXPECT_EQ(level::l2, at(0x20'1000, 2).leaf);
  EXPECT_TRUE(at(0x20'0000, 1).unpredictable);
  EXPECT_FALSE(at(0x4000'0000, 1).unpredictable);
  EXPECT_FALSE(at(0x4000, 1, granule::k16).hinted);
  EXPECT_TRUE(at(0x1'0000, 1, granule::k16, true).hinted);
}

// What each instruction's Xt holds, by the first row of its layout.
TEST(TlbiOperation, Layouts) {
  auto const first = [](tlbi_operation const& op) { return std::string(tlbi_layout(op).rows[0].name); };
  EXPECT_EQ("NS", first(by_ipa));
  EXPECT_EQ("ASID", first(by_va));
  EXPECT_EQ("ASID", first({.type = tlbi_type::by_asid}));
  EXPECT_EQ("RES0", first({.type = tlbi_type::by_vaa}));
}

}  // namespace
}  // namespace tlbi_operation_test
