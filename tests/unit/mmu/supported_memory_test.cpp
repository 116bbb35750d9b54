// SPDX-License-Identifier: MIT
// From the prose of "Single-copy atomic 64-byte load/store": what such an access does with each memory type, and which
// stage refuses it. Tables are written by hand.
#include "vmsa/mmu/supported_memory.hpp"

#include <gtest/gtest.h>

#include <map>

#include "unit/mmu/few_words.hpp"
#include "vmsa/mmu/translate.hpp"

namespace supported_memory_test {
namespace {

using namespace vmsa;
using enum operation;

constexpr u64 dc_on = u64{1} << 12;
constexpr u64 fwb_on = u64{1} << 46;

// A leaf of stage 2 with this MemAttr: 1 GiB, readable and writable, Inner Shareable.
constexpr u64 stage2_leaf(u64 memattr) { return 0x7c1 | memattr << 2; }

// Stage 1, if `attr` is given, has MAIR byte `attr` for a 1 GiB block at 0x4000'0000, at the root 0x1000; stage 2, if
// it is on, gives `memattr` to all of it and lets the tables be read.
struct setting {
  std::optional<u8> attr{};
  std::optional<u8> memattr{};
  u64 hcr = 0;
  u8 ls64 = 3;
  constraint_choices choices{};
  u64 stage1_sh = 0b11;
};
translation answer(setting const& s, memory_access const& acc) {
  regime_registers r;
  r.tcr = {{0x2'0080'3519}};
  r.mair = {{s.attr.value_or(0)}};
  r.sctlr = {{s.attr ? u64{0x1005} : u64{0x1004}}};
  r.ttbr0 = {{0x1000}};
  r.vtcr = {{0x8002'3559}};
  r.vttbr = {{0x2000}};
  r.hcr = {{s.hcr | (s.memattr ? 1u : 0u)}};
  u64 const stage1_leaf = 0x4000'0441 | s.stage1_sh << 8;
  test::few_words memory{{{0x1000, stage1_leaf},
                          {0x2000, stage2_leaf(s.hcr & fwb_on ? 0b0110 : 0b1111)},
                          {0x2008, stage2_leaf(s.memattr.value_or(0)) | 0x4000'0000}}};
  features f = all_features;
  f.ls64 = s.ls64;
  u64 const where = s.attr ? 0x140 : 0x4000'0140;
  return translate(memory, make_regime(r, f, s.choices), va{where}, acc);
}

// 0 when the access is made, else the stage whose fault it is.
unsigned refused_by_stage(translation const& t) {
  if (!t.fault) return 0;
  EXPECT_EQ(t.fault->kind, fault_kind::unsupported_access);
  EXPECT_EQ(t.fault->fsc(), 0b110101);
  return t.fault->by == stage::one ? 1 : 2;
}
bool consults(translation const& t, open_choice c) {
  for (open_choice const seen : t.consulted)
    if (seen == c) return true;
  return false;
}

// "... attempts to access a memory type that is not one of the following, then a Data Abort with DFSC code 0b110101 is
// generated: Normal Inner Non-cacheable, Outer Non-cacheable; Device-GRE; -nGRE; -nGnRE; -nGnRnE."
TEST(SupportedMemory, SixtyFourBytesNeedDeviceOrNonCacheableMemory) {
  for (operation const op : {load_64, store_64, store_64_status})
    for (auto const& [attr, by] : std::map<u8, unsigned>{{0x00, 0},  // Device, all four
                                                         {0x04, 0},
                                                         {0x08, 0},
                                                         {0x0c, 0},
                                                         {0x44, 0},  // Non-cacheable
                                                         {0x4f, 1},  // in one half only
                                                         {0xf4, 1},
                                                         {0xbb, 1},  // write-through
                                                         {0xff, 1}}) {
      translation const t = answer({.attr = attr}, {.op = op});
      EXPECT_EQ(refused_by_stage(t), by) << "MAIR byte " << unsigned{attr} << " op " << static_cast<int>(op);
      // With one stage there is nothing to choose.
      EXPECT_TRUE(t.consulted.empty());
    }
  // Other accesses do not ask.
  EXPECT_EQ(refused_by_stage(answer({.attr = 0xff}, {})), 0u);
  // Stage 1 off is Device-nGnRnE.
  EXPECT_EQ(refused_by_stage(answer({}, {.op = load_64})), 0u);
}

// "It is IMPLEMENTATION DEFINED which of the following approaches is used": the three of them, over pairs of types.
TEST(SupportedMemory, TheCheckIsAtOneOfThreePlaces) {
  struct row {
    u8 attr, memattr;
    u64 hcr;
    unsigned each, last, first;
  };
  for (row const& x : {row{0xff, 0b1111, 0, 1, 2, 1},       // both cacheable
                       row{0xff, 0b0101, 0, 1, 0, 0},       // stage 2 makes it Non-cacheable
                       row{0xff, 0b0001, 0, 1, 0, 0},       // and Device
                       row{0x44, 0b1111, 0, 2, 0, 0},       // stage 2's own type is write-back, what results is not
                       row{0x44, 0b0101, 0, 0, 0, 0},       // neither
                       row{0x44, 0b0110, fwb_on, 2, 2, 2},  // stage 2 forces write-back
                       row{0x44, 0b0111, fwb_on, 0, 0, 0},  // stage 2 leaves stage 1's type
                       row{0xff, 0b0111, fwb_on, 1, 2, 1}, row{0xff, 0b0101, fwb_on, 1, 0, 0}}) {
    unsigned const expected[] = {x.each, x.last, x.first};
    for (type_check const check : {type_check::each_stage, type_check::result_at_last, type_check::result_at_first}) {
      setting s{.attr = x.attr, .memattr = x.memattr, .hcr = x.hcr};
      s.choices.check_of_64_bytes = check;
      translation const t = answer(s, {.op = load_64});
      EXPECT_EQ(refused_by_stage(t), expected[static_cast<unsigned>(check)])
          << "MAIR " << unsigned{x.attr} << " MemAttr " << unsigned{x.memattr} << " check " << static_cast<int>(check);
      bool const open = x.each != x.last || x.last != x.first;
      EXPECT_EQ(consults(t, open_choice::check_of_64_bytes), open) << unsigned{x.attr} << " " << unsigned{x.memattr};
      if (!t.fault) continue;
      EXPECT_EQ(t.fault->at, level::l1);
      EXPECT_EQ(t.fault->where, t.fault->by == stage::two ? ipa{0x4000'0140} : ipa{});
    }
  }
}

// "The value of the HCR_EL2.DC bit does not cause accesses generated by the instructions to generate a stage 1 Data
// abort": the write-back that DC makes up is no fault of stage 1's.
TEST(SupportedMemory, TheDefaultCacheableTypeIsNoFaultOfStage1) {
  for (type_check const check : {type_check::each_stage, type_check::result_at_last, type_check::result_at_first}) {
    setting s{.memattr = 0b0101, .hcr = dc_on};
    s.choices.check_of_64_bytes = check;
    EXPECT_EQ(refused_by_stage(answer(s, {.op = store_64})), 0u);
    s.memattr = 0b1111;
    EXPECT_EQ(refused_by_stage(answer(s, {.op = store_64})), 2u);
  }
}

// "If FEAT_LS64WB is implemented, then LD64B and ST64B are also supported ... for ... Inner and Outer Write-Back
// Cacheable, Shareable"; for "a cacheable type of memory other than" that it is IMPLEMENTATION DEFINED whether a stage
// 1 Data Abort is generated. ST64BV and ST64BV0 stay as they are.
TEST(SupportedMemory, WriteBackMemoryTakesThemWithLs64wb) {
  setting s{.attr = 0xff, .ls64 = 4};
  for (operation const op : {load_64, store_64}) {
    translation const t = answer(s, {.op = op});
    EXPECT_EQ(refused_by_stage(t), 0u);
    EXPECT_TRUE(t.consulted.empty());
  }
  EXPECT_EQ(refused_by_stage(answer(s, {.op = store_64_status})), 1u);
  // Write-through, and write-back that is Non-shareable.
  for (auto const& [attr, sh] : {std::pair<u8, u64>{0xbb, 0b11}, std::pair<u8, u64>{0xff, 0b00}}) {
    setting other{.attr = attr, .ls64 = 4, .stage1_sh = sh};
    EXPECT_EQ(refused_by_stage(answer(other, {.op = load_64})), 0u);
    EXPECT_TRUE(consults(answer(other, {.op = load_64}), open_choice::cacheable_64_bytes));
    other.choices.cacheable_64_bytes_fault = true;
    EXPECT_EQ(refused_by_stage(answer(other, {.op = load_64})), 1u);
  }
  // Stage 2 decides what it is in the end: a stage 1 fault all the same.
  setting both{.attr = 0xff, .memattr = 0b1010, .ls64 = 4};
  both.choices.cacheable_64_bytes_fault = true;
  EXPECT_EQ(refused_by_stage(answer(both, {.op = load_64})), 1u);
  both.memattr = 0b0101;
  EXPECT_EQ(refused_by_stage(answer(both, {.op = load_64})), 0u);
}

// "The memory location accessed by the instructions is required to be aligned on a 64-byte boundary, otherwise an
// Alignment fault occurs", whatever the memory and SCTLR_EL1.A.
TEST(SupportedMemory, UnalignedIsAnAlignmentFault) {
  for (operation const op : {load_64, store_64, store_64_status}) {
    translation const t = answer({.attr = 0x44}, {.op = op, .aligned = false});
    ASSERT_TRUE(t.fault);
    EXPECT_EQ(t.fault->kind, fault_kind::alignment);
    EXPECT_EQ(t.steps.size(), 0u);
  }
}

// A load needs to read and a store to write: at a read-only leaf, AP[2] = 1.
TEST(SupportedMemory, LoadsReadAndStoresWrite) {
  EXPECT_TRUE((memory_access{.op = load_64}.reads()) && !(memory_access{.op = load_64}.writes()));
  for (operation const op : {store_64, store_64_status})
    EXPECT_TRUE((memory_access{.op = op}.writes()) && !(memory_access{.op = op}.reads()));
}

}  // namespace
}  // namespace supported_memory_test
