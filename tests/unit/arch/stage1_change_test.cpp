// SPDX-License-Identifier: MIT
// [Arm ARM RWHZWS, Using break-before-make when updating translation table entries], at stage 1.
#include "vmsa/arch/stage1_change.hpp"

#include <gtest/gtest.h>

namespace stage1_change_test {
namespace {

using namespace vmsa;
using enum change_class;
using why = break_reason;

struct row {
  char const* what;
  u64 from, to;
  stage1_change_context context;
  change_class expected;
  break_reason reason;
};

constexpr u64 bit(unsigned n) { return u64{1} << n; }
constexpr u64 page = 0x4000'0f03;  // index 0, RW at EL1, inner shareable, AF, nG
constexpr u64 el0 = page | bit(6);
constexpr u64 ro = page | bit(7);
constexpr u64 elsewhere = u64{0x1000};
constexpr u64 index_1 = bit(2);
constexpr u64 pxn = bit(53);
constexpr u64 uxn = bit(54);
constexpr u64 dbm = bit(51);
constexpr u64 contiguous = bit(52);
constexpr u64 ng = bit(11);
constexpr u64 af = bit(10);
constexpr u64 sh = bit(8);
// Indexes 0 and 1: both Normal-WB; Normal-WB and Normal-NC; both Device-nGnRE; both Normal-NC with XS=0.
constexpr stage1_change_context known(u64 mair) { return {.mair_known = true, .mair = mair}; }
constexpr stage1_change_context same_bytes(bool ha = false, bool hd = false) {
  return {.table = {.ha = ha, .hd = hd, .same_contents = true}};
}

constexpr row rows[] = {
    {"nothing changes", page, page, {}, none, why::none},
    {"a first mapping", 0, page, {}, install, why::none},
    {"unmapping", page, 0, {}, invalidate, why::none},
    {"another index", page, page | index_1, {}, break_required, why::memory_type},
    {"another index of the same type", page, page | index_1, known(0xffff), none, why::none},
    {"another index of another type", page, page | index_1, known(0x44ff), break_required, why::memory_type},
    {"the same index", page, page | uxn, known(0x44ff), tighten, why::none},
    {"shareability", page, page & ~sh, {}, break_required, why::shareability},
    {"of Normal-WB", page, page & ~sh, known(0xff), break_required, why::shareability},
    {"of Device, where it does not count", page, page & ~sh, known(0x04), none, why::none},
    {"of Normal-NC, where it does not count", page, page & ~sh, known(0x44), none, why::none},
    {"of Normal-NC with XS=0", page, page & ~sh, known(0x40), none, why::none},
    {"of memory with one half cached", page, page & ~sh, known(0x4f), break_required, why::shareability},
    {"address of a writable page", page, page | elsewhere, {}, break_required, why::output_address},
    {"address, contents differ", ro, ro | elsewhere, {}, break_required, why::output_address},
    {"address, same contents", ro, ro | elsewhere, same_bytes(), invalidate, why::none},
    {"address, was writable", page, ro | elsewhere, same_bytes(), break_required, why::output_address},
    {"address, becomes writable", ro, page | elsewhere, same_bytes(), break_required, why::output_address},
    {"address, writable by DBM", ro | dbm, ro | dbm | elsewhere, same_bytes(true, true), break_required,
     why::output_address},
    {"address, DBM without HD", ro | dbm, ro | dbm | elsewhere, same_bytes(true, false), invalidate, why::none},
    {"address, DBM without HA", ro | dbm, ro | dbm | elsewhere, same_bytes(false, true), invalidate, why::none},
    {"global where entries of one ASID may be held", page, page & ~ng, {}, break_required, why::global},
    {"the same in a regime without ASIDs", page, page & ~ng, {.asids = false}, none, why::none},
    {"no longer global", page & ~ng, page, {}, invalidate, why::none},
    {"the same in a regime without ASIDs", page & ~ng, page, {.asids = false}, none, why::none},
    {"Contiguous", page, page | contiguous, {}, break_required, why::contiguous},
    {"Contiguous with FEAT_BBM level 1", page, page | contiguous, {.table = {.bbm = 1}}, none, why::none},
    {"AF cleared", page, page & ~af, {}, tighten, why::none},
    {"AF set", page & ~af, page, {}, install, why::none},
    {"write protected", page, ro, {}, tighten, why::none},
    {"made writable", ro, page, {}, relax, why::none},
    {"given to EL0", page, el0, {}, relax, why::none},
    {"taken from EL0", el0, page, {}, tighten, why::none},
    {"PXN set", page, page | pxn, {}, tighten, why::none},
    {"PXN cleared", page | pxn, page, {}, relax, why::none},
    {"UXN set", page, page | uxn, {}, tighten, why::none},
    {"UXN cleared", page | uxn, page, {}, relax, why::none},
    {"given to EL0 and UXN set", page, el0 | uxn, {}, tighten, why::none},
    {"DBM set where hardware counts it", ro, ro | dbm, {.table = {.ha = true, .hd = true}}, relax, why::none},
    {"DBM set where it does not", ro, ro | dbm, {}, none, why::none},
};

TEST(Stage1Change, Changes) {
  for (row const& r : rows) {
    change const c = classify_stage1_change({r.from}, {r.to}, r.context);
    EXPECT_EQ(r.expected, c.what) << r.what;
    EXPECT_EQ(r.reason, c.why) << r.what;
  }
}

}  // namespace
}  // namespace stage1_change_test
