// SPDX-License-Identifier: MIT
// [Arm ARM RWHZWS, Using break-before-make when updating translation table entries]: which changes need the sequence.
#include "vmsa/arch/break_before_make.hpp"

#include <gtest/gtest.h>

namespace break_before_make_test {
namespace {

using namespace vmsa;
using enum change_class;
using why = break_reason;

struct row {
  char const* what;
  u64 from, to;
  change_context context;
  change_class expected;
  break_reason reason;
};

constexpr u64 page = 0x4000'07ff;        // Normal-WB, RW, inner shareable, AF
constexpr u64 ro = 0x4000'077f;          // the same, RO
constexpr u64 other_page = 0x4000'17ff;  // elsewhere
constexpr u64 other_ro = 0x4000'177f;
constexpr u64 block = 0x4000'07fd;
constexpr u64 table = 0x8000'0003;
constexpr u64 contiguous = u64{1} << 52;
constexpr u64 dbm = u64{1} << 51;
constexpr u64 xn = u64{1} << 54;
constexpr change_context l2{.at = level::l2}, l2_bbm2{.at = level::l2, .bbm = 2};

constexpr row rows[] = {
    {"nothing changes", page, page, {}, none, why::none},
    {"a first mapping", 0, page, {}, install, why::none},
    {"invalid to invalid", 0, 0x1234'0000, {}, none, why::none},
    {"unmapping", page, 0, {}, invalidate, why::none},
    {"unmapping a page that was never accessed", page & ~u64{0x400}, 0, {}, none, why::none},
    {"which hardware may have made accessed", page & ~u64{0x400}, 0, {.ha = true}, invalidate, why::none},
    {"AF set", page & ~u64{0x400}, page, {}, install, why::none},
    {"AF set where hardware may have", page & ~u64{0x400}, page, {.ha = true}, none, why::none},
    {"AF cleared", page, page & ~u64{0x400}, {}, tighten, why::none},
    {"write protected", page, ro, {}, tighten, why::none},
    {"made writable", ro, page, {}, relax, why::none},
    {"made execute-never", page, page | xn, {}, tighten, why::none},
    {"made executable", page | xn, page, {}, relax, why::none},
    {"write protected and made executable", page | xn, ro, {}, tighten, why::none},
    {"DBM set where hardware counts it", ro, ro | dbm, {.ha = true, .hd = true}, relax, why::none},
    {"DBM set where it does not", ro, ro | dbm, {}, none, why::none},
    {"software bits", page, page | u64{0xf} << 55, {}, none, why::none},
    {"memory type", page, 0x4000'07d7, {}, break_required, why::memory_type},
    {"Device kind", 0x4000'07c3, 0x4000'07c7, {}, break_required, why::memory_type},
    {"one half", page, 0x4000'07fb, {}, break_required, why::memory_type},
    {"FWB: bit 3 says nothing", 0x4000'07d7, 0x4000'07f7, {.fwb = true}, none, why::none},
    {"without FWB it does", 0x4000'07d7, 0x4000'07f7, {}, break_required, why::memory_type},
    {"FWB: 100 means 101", 0x4000'07d3, 0x4000'07d7, {.fwb = true}, none, why::none},
    {"FWB: NoTagAccess", 0x4000'07df, 0x4000'07ff, {.fwb = true}, break_required, why::memory_type},
    {"shareability", page, 0x4000'06ff, {}, break_required, why::shareability},
    {"of Device, where it does not count", 0x4000'07c7, 0x4000'06c7, {}, none, why::none},
    {"of Normal-NC with FWB, where it does not count either", 0x4000'07d7, 0x4000'06d7, {.fwb = true}, none, why::none},
    {"of Normal-WB with FWB", 0x4000'07db, 0x4000'06db, {.fwb = true}, break_required, why::shareability},
    {"of memory that stage 1 decides", 0x4000'07df, 0x4000'06df, {.fwb = true}, break_required, why::shareability},
    {"with DS bits 9:8 are address", page, 0x4000'06ff, {.format = {.ds = true}}, break_required, why::output_address},
    {"address of a writable page", page, other_page, {}, break_required, why::output_address},
    {"address, read-only, contents differ", ro, other_ro, {}, break_required, why::output_address},
    {"address, read-only, same contents", ro, other_ro, {.same_contents = true}, invalidate, why::none},
    {"address, becomes writable", ro, other_page, {.same_contents = true}, break_required, why::output_address},
    {"address, was writable", page, other_ro, {.same_contents = true}, break_required, why::output_address},
    {"address, DBM without HD", ro | dbm, other_ro | dbm, {.ha = true, .same_contents = true}, invalidate, why::none},
    {"address, DBM without HA", ro | dbm, other_ro | dbm, {.hd = true, .same_contents = true}, invalidate, why::none},
    {"address, writable by DBM",
     ro | dbm,
     other_ro | dbm,
     {.ha = true, .hd = true, .same_contents = true},
     break_required,
     why::output_address},
    {"Contiguous", page, page | contiguous, {}, break_required, why::contiguous},
    {"Contiguous with FEAT_BBM level 1", page, page | contiguous, {.bbm = 1}, none, why::none},
    {"EL0 alone executes, then EL1 alone", page | u64{1} << 53, page | u64{3} << 53, {}, tighten, why::none},
    {"EL1 alone executes, then everybody", page | u64{3} << 53, page, {}, relax, why::none},
    {"read taken away", page, page & ~u64{0x40}, {}, tighten, why::none},
    {"Contiguous of a level 1 block",
     block,
     block | contiguous,
     {.format = {.tg = granule::k4}, .at = level::l1},
     break_required,
     why::contiguous},
    {"block to table with FEAT_BBM level 1",
     block,
     table,
     {.at = level::l2, .bbm = 1},
     break_required,
     why::block_size},
    {"block to table", block, table, l2, break_required, why::block_size},
    {"table to block", table, block, l2, break_required, why::block_size},
    {"block to table with FEAT_BBM level 2", block, table, l2_bbm2, invalidate, why::none},
    {"table to another table", table, 0x8000'1003, l2_bbm2, break_required, why::next_table},
    {"a table's ignored bits", table, table | 0x800, l2, none, why::none},
    {"table removed", table, 0, l2, invalidate, why::none},
    {"a level 3 block encoding is invalid", page, block, {}, invalidate, why::none},
    {"and is replaced like one", block, page, {}, install, why::none},
    {"nT set", block, block | 0x1'0000, l2, none, why::none},
};

TEST(BreakBeforeMake, Changes) {
  for (row const& r : rows) {
    change const c = classify_change({r.from}, {r.to}, r.context);
    EXPECT_EQ(c.what, r.expected) << r.what;
    EXPECT_EQ(c.why, r.reason) << r.what;
  }
}

}  // namespace
}  // namespace break_before_make_test
