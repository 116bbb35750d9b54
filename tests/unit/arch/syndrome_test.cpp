// SPDX-License-Identifier: MIT
// [Arm ARM, ESR_EL2, FAR_EL2 and HPFAR_EL2] as a fault is read from them.
#include "vmsa/arch/syndrome.hpp"

#include <gtest/gtest.h>

namespace syndrome_test {
namespace {

using namespace vmsa;

TEST(Syndrome, KnownDataAbort) {
  decoded_fault const d = decode_fault({{0x9381'0006}}, {{0xffff'8000'1234'5678}}, {{0x0000'0000'0020'0000}});
  ASSERT_EQ(d.error, fault_error::none);
  stage2_fault const& f = d.fault;
  EXPECT_EQ(f.access, access_kind::read);
  EXPECT_EQ(f.status, (fault_status{fault_kind::translation, 2}));
  EXPECT_EQ(f.fsc, 0x06);
  transfer const expected{.reg = 1, .size = 4, .sign_extend = false, .reg64 = false, .ordered = false};
  EXPECT_EQ(f.isv, expected);
  EXPECT_EQ(f.where, ipa{0x2000'0678}) << "HPFAR[43:4] << 12 | FAR[11:0]";
  EXPECT_TRUE(f.where_valid && f.virtual_address_valid);
  EXPECT_EQ(f.virtual_address, va{0xffff'8000'1234'5678});
}

// One bit of the ISS after the other: ISV 24, SAS 23:22, SSE 21, SRT 20:16, SF 15, AR 14, FnV 10, EA 9, CM 8, S1PTW 7,
// WnR 6.
TEST(Syndrome, EveryBitOfADataAbort) {
  auto const fault = [](u64 iss) { return decode_fault({{u64{0x24} << 26 | iss}}, {}, {}).fault; };
  EXPECT_FALSE(fault(0x00c0'0000).isv) << "without ISV the rest says nothing";
  u64 const isv = u64{1} << 24;
  EXPECT_EQ(fault(isv).isv->size, 1);
  EXPECT_EQ(fault(isv | 0x0040'0000).isv->size, 2);
  EXPECT_EQ(fault(isv | 0x0080'0000).isv->size, 4);
  EXPECT_EQ(fault(isv | 0x00c0'0000).isv->size, 8);
  EXPECT_TRUE(fault(isv | 0x0020'0000).isv->sign_extend);
  EXPECT_EQ(fault(isv | 0x001f'0000).isv->reg, 31);
  EXPECT_TRUE(fault(isv | 0x8000).isv->reg64);
  EXPECT_TRUE(fault(isv | 0x4000).isv->ordered);
  EXPECT_FALSE(fault(0x400).virtual_address_valid);
  EXPECT_TRUE(fault(0x200).external_abort);
  EXPECT_TRUE(fault(0x100).cache_maintenance);
  EXPECT_TRUE(fault(0x080).s1ptw);
  EXPECT_EQ(fault(0x040).access, access_kind::write);
}

TEST(Syndrome, InstructionAbort) {
  decoded_fault const d = decode_fault({{u64{0x20} << 26 | 0x0140'014f}}, {}, {});
  ASSERT_TRUE(d);
  EXPECT_EQ(d.fault.access, access_kind::exec);
  EXPECT_FALSE(d.fault.isv) << "a fetch transfers no register";
  EXPECT_FALSE(d.fault.cache_maintenance);
  EXPECT_EQ(d.fault.status.kind, fault_kind::permission);
}

TEST(Syndrome, WhatIsNoGuestAbort) {
  EXPECT_EQ(decode_fault({{u64{0x25} << 26}}, {}, {}).error, fault_error::same_exception_level);
  EXPECT_EQ(decode_fault({{u64{0x21} << 26}}, {}, {}).error, fault_error::same_exception_level);
  for (unsigned ec = 0; ec < 64; ++ec) {
    if (ec == 0x20 || ec == 0x21 || ec == 0x24 || ec == 0x25) continue;
    EXPECT_EQ(decode_fault({{u64{ec} << 26}}, {}, {}).error, fault_error::not_an_abort) << ec;
  }
}

// HPFAR_EL2 is UNKNOWN for a permission fault that is not on a stage 1 table access.
TEST(Syndrome, WhereIsNotKnown) {
  u64 const data = u64{0x24} << 26;
  EXPECT_FALSE(decode_fault({{data | 0x0f}}, {}, {}).fault.where_valid);
  EXPECT_TRUE(decode_fault({{data | 0x8f}}, {}, {}).fault.where_valid);
  EXPECT_TRUE(decode_fault({{data | 0x0b}}, {}, {}).fault.where_valid);
  EXPECT_EQ(decode_fault({{data | 0x87}}, {{0xabc}}, {{0x10}}).fault.where, ipa{0x1000})
      << "on a table access FAR's offset is another address's";
}

TEST(Syndrome, HpfarHoldsBits43To4) {
  EXPECT_EQ(hpfar_el2{{0x8000'0fff'ffff'fff0}}.page(), ipa{0x0000'ffff'ffff'f000} + 0x000f'0000'0000'0000);
  EXPECT_EQ(hpfar_el2{{0xf}}.page(), ipa{0});
  EXPECT_EQ(encode_hpfar({0x2000'0678}).raw, 0x0020'0000u);
}

TEST(Syndrome, Encode) {
  EXPECT_EQ(encode_abort(access_kind::read, 0x06).raw, 0x9200'0006u);
  EXPECT_EQ(encode_abort(access_kind::write, 0x4f & 0x3f).raw, 0x9200'004fu);
  EXPECT_EQ(encode_abort(access_kind::exec, 0x07).raw, 0x8200'0007u);
  EXPECT_EQ(encode_abort(access_kind::read, 0x07, true).raw, 0x9200'0087u);
}

struct extend_row {
  transfer how;
  u64 bytes, result;
};
constexpr extend_row extends[] = {
    {{.size = 1}, 0xfff0, 0xf0},
    {{.size = 1, .sign_extend = true}, 0x80, 0xffff'ff80},
    {{.size = 1, .sign_extend = true, .reg64 = true}, 0x80, 0xffff'ffff'ffff'ff80},
    {{.size = 2, .sign_extend = true, .reg64 = true}, 0x7fff, 0x7fff},
    {{.size = 4, .reg64 = true}, 0xffff'ffff'8000'0000, 0x8000'0000},
    {{.size = 4, .sign_extend = true, .reg64 = true}, 0x8000'0000, 0xffff'ffff'8000'0000},
    {{.size = 8, .reg64 = true}, 0xffff'ffff'8000'0000, 0xffff'ffff'8000'0000},
};

TEST(Syndrome, ALoadExtendsAsTheInstructionAsks) {
  for (extend_row const& r : extends) EXPECT_EQ(r.how.extend(r.bytes), r.result) << &r - extends;
}

}  // namespace
}  // namespace syndrome_test
