// SPDX-License-Identifier: MIT
// From the prose: [Arm ARM, Hardware dirty state tracking structure; Hardware accelerator for cleaning dirty state;
// HACDBS errors]. Every literal is an address, an entry or a descriptor as the manual draws it.
#include "vmsa/mmu/dirty_structure.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/mmu/few_words.hpp"

namespace dirty_structure_test {
namespace {

using namespace vmsa;

struct memory : test::few_words {
  void store(pa where, descriptor d, store_order) { words[where.value] = d.raw; }
};
static_assert(storing_port<memory>);

constexpr u64 clean_page = u64{1} << 51 | 0x77d;  // DBM, S2AP read-only, AF, Inner Shareable, write-back
constexpr u64 dirty_page = clean_page | 0x80;

// Stage 2 of 39 bits at 0x1000 and 0x2000: blocks of 2 MiB at IPA 0 and 2 MiB, then a table of pages at 0x3000. Stage 1
// off, with HCR_EL2.DC, so that a VA is an IPA.
struct machine {
  memory ram;
  dirty_structure log{{{0x8000}}, {}};  // 4 KiB: 512 entries
  translation_regime<> regime;

  explicit machine(bool big_endian = false) {
    regime_registers r{.hcr = {{0x1001}}, .vtcr = {{0x8062'3559}}, .vttbr = {{0x1000}}};
    if (big_endian) r.el2.sctlr = 1 << 25;
    regime = make_regime(r, all_features);
    ram.words = {
        {0x1000, 0x2003}, {0x2000, 0x4000'0000 | clean_page}, {0x2008, 0x4020'0000 | clean_page}, {0x2010, 0x3003}};
    ram.words[0x3000] = 0x5000'0000 | clean_page | 2;
    ram.words[0x3008] = 0x5000'1000 | clean_page | 2;
    if (big_endian)
      for (auto& [where, word] : ram.words) word = __builtin_bswap64(word);
  }
  tracked_translation write(u64 where) {
    return translate_tracked(ram, regime, va{where}, {.op = operation::write}, log);
  }
  u32 index() const { return log.produced.get<hdbssprod_el2::index>(); }
};

TEST(DirtyStructure, AnEntryHoldsTheLeafsAddressAndLevel) {
  EXPECT_EQ(make_dirty_entry(ipa{0x12'3456'7000}, level::l3).raw, 0x12'3456'7007u);
  EXPECT_EQ(make_dirty_entry(ipa{0x4000'0000}, level::l1).raw, 0x4000'0003u);
  EXPECT_EQ(make_dirty_entry(ipa{0}, level::m1).raw, 0xfu);
  EXPECT_EQ(make_dirty_entry(ipa{0}, level::m1).level_number(), -1);
  EXPECT_EQ(make_dirty_entry(ipa{0x1000}, level::l0, true).raw, 0x1801u);
}

// [RWZKFT, IRYKVL, RPCTTC]
TEST(DirtyStructure, WhatHardwareMakesDirtyIsAppended) {
  machine m;
  ASSERT_TRUE(m.write(0x20'1234).result);
  ASSERT_TRUE(m.write(0x40'1008).result);
  EXPECT_EQ(m.index(), 2u);
  EXPECT_EQ(m.ram.words[0x8000], 0x20'0005u) << "a block of 2 MiB, at level 2";
  EXPECT_EQ(m.ram.words[0x8008], 0x40'1007u) << "a page, at level 3";
  EXPECT_EQ(m.ram.words[0x2008], 0x4020'0000 | dirty_page);
  // Neither a write to what is dirty already nor a read adds anything.
  ASSERT_TRUE(m.write(0x20'0000).result);
  ASSERT_TRUE(translate_tracked(m.ram, m.regime, va{0x40'0000}, {}, m.log).result);
  EXPECT_EQ(m.index(), 2u);
  std::vector<std::pair<u64, u64>> seen;
  read_dirty(m.ram, m.regime, m.log, [&](ipa where, u64 bytes) { seen.emplace_back(where.value, bytes); });
  EXPECT_EQ(seen, (std::vector<std::pair<u64, u64>>{{0x20'0000, 0x20'0000}, {0x40'1000, 0x1000}}));
}

// SCTLR_EL2.EE orders the bytes of entries as of tables.
TEST(DirtyStructure, EntriesHaveTheByteOrderOfTables) {
  machine m(true);
  ASSERT_TRUE(m.write(0x40'1008).result);
  EXPECT_EQ(m.ram.words[0x8000], 0x0710'4000'0000'0000u);
}

// [RRXCMY, RYHLRY, RSTJMN]
TEST(DirtyStructure, WhenFullNothingIsMadeDirtyAndTheWriteFaults) {
  for (u64 const stopped : {u64{512}, u64{513}, u64{0b100001} << 26}) {
    machine m;
    m.log.produced.raw = stopped;
    tracked_translation const t = m.write(0x20'0000);
    ASSERT_TRUE(t.result.fault) << stopped;
    EXPECT_EQ(t.result.fault->kind, fault_kind::permission);
    EXPECT_EQ(t.result.fault->by, stage::two);
    EXPECT_TRUE(t.structure_fault);
    EXPECT_EQ(m.log.produced.raw, stopped);
    EXPECT_EQ(m.ram.words[0x2008], 0x4020'0000 | clean_page);
    // What needs no dirty update goes on; what would have faulted anyway is not the structure's doing.
    EXPECT_TRUE(translate_tracked(m.ram, m.regime, va{0x20'0000}, {}, m.log).result);
    m.ram.words[0x2008] = 0x4020'0000 | (clean_page & ~(u64{1} << 51));
    EXPECT_TRUE(m.write(0x20'0000).result.fault);
    EXPECT_FALSE(m.write(0x20'0000).structure_fault);
    m.ram.words[0x2008] = 0x4020'0000 | dirty_page;
    EXPECT_TRUE(m.write(0x20'0000).result);
  }
}

TEST(DirtyStructure, TheLastEntryIsStillWritten) {
  machine m;
  m.log.produced.raw = 511;
  ASSERT_TRUE(m.write(0).result);
  EXPECT_EQ(m.ram.words[0x8ff8], 0x5u);
  EXPECT_EQ(m.index(), 512u);
  EXPECT_TRUE(m.write(0x20'0000).structure_fault);
}

// One access may make two leaves dirty: the page of the stage 1 table that it rewrites, and its own. The structure may
// be full between them.
TEST(DirtyStructure, APageOfTablesIsRecordedBeforeTheData) {
  for (bool const room_for_one : {false, true}) {
    memory ram;
    ram.words = {{0x1000, 0x2003},
                 {0x2000, 0x4000'0000 | clean_page},  // IPA 0: stage 1 tables
                 {0x2008, 0x4020'0000 | clean_page},  // IPA 2 MiB: data
                 {0x4000'0000, 0x1003},
                 {0x4000'1000, 0x0008'0000'0020'0781}};  // level 2 block: read-only and DBM
    regime_registers r{.hcr = {{1}}, .vtcr = {{0x8062'3559}}, .vttbr = {{0x1000}}};
    r.tcr = {{0x2'0080'3519 | u64{0b11} << 39}};
    r.mair = {{0xff}};
    r.sctlr = {{0x1005}};
    dirty_structure log{{{0x8000}}, {{room_for_one ? u64{511} : u64{0}}}};
    tracked_translation const t =
        translate_tracked(ram, make_regime(r, all_features), va{0x123}, {.op = operation::write}, log);
    if (room_for_one) {
      EXPECT_TRUE(t.structure_fault);
      EXPECT_EQ(ram.words[0x8ff8], 0x5u);
      EXPECT_EQ(log.produced.get<hdbssprod_el2::index>(), 512u);
      EXPECT_EQ(ram.words[0x2008], 0x4020'0000 | clean_page);
    } else {
      ASSERT_TRUE(t.result);
      EXPECT_EQ(ram.words[0x8000], 0x5u);
      EXPECT_EQ(ram.words[0x8008], 0x20'0005u);
      EXPECT_EQ(log.produced.get<hdbssprod_el2::index>(), 2u);
    }
  }
}

// [RSNFDZ, RLFZLR]: what one PE recorded an accelerator cleans; entries that are not valid are passed over.
TEST(DirtyStructure, TheAcceleratorCleansWhatIsRecorded) {
  machine m;
  ASSERT_TRUE(m.write(0x20'0000).result);
  ASSERT_TRUE(m.write(0x40'1000).result);
  hacdbscons_el2 consumed;
  clean_dirty(m.ram, m.regime, {{0x8000}}, consumed);
  EXPECT_EQ(consumed.raw, 0u) << "EN is 0";
  clean_dirty(m.ram, m.regime, {{0x8800}}, consumed);
  EXPECT_EQ(consumed.raw, 512u);
  EXPECT_EQ(m.ram.words[0x2008], 0x4020'0000 | clean_page);
  EXPECT_EQ(m.ram.words[0x3008], 0x5000'1000 | clean_page | 2);
  m.log.produced = {};
  ASSERT_TRUE(m.write(0x20'0000).result);
  EXPECT_EQ(m.index(), 1u) << "clean again, so recorded again";
}

// [RLMZLD, RWHMDV, RHDDCT, RFQSJP, IRMLQL]
TEST(DirtyStructure, AnErrorStopsTheAcceleratorAtItsEntry) {
  struct row {
    char const* what;
    u64 entry;
    u64 leaf;  // of IPA 2 MiB
    cleaning_error error;
  };
  constexpr u64 here = 0x20'0005;
  constexpr row rows[] = {
      {"clean already", here, 0x4020'0000 | clean_page, cleaning_error::none},
      {"no access flag", here, 0x4020'0000 | (dirty_page & ~u64{0x400}), cleaning_error::none},
      {"not mapped", here, 0, cleaning_error::translation},
      {"outside the input size", 0x80'0020'0005, 0x4020'0000 | dirty_page, cleaning_error::translation},
      {"writable without DBM", here, 0x4020'0000 | (dirty_page & ~(u64{1} << 51)), cleaning_error::descriptor},
      {"Contiguous", here, 0x4020'0000 | dirty_page | u64{1} << 52, cleaning_error::descriptor},
      {"of another level", 0x20'0007, 0x4020'0000 | dirty_page, cleaning_error::descriptor},
      {"a reserved level, which software ends a list with", 0x20'0009, 0x4020'0000 | dirty_page,
       cleaning_error::descriptor},
  };
  for (row const& r : rows) {
    machine m;
    m.ram.words[0x2000] = 0x4000'0000 | dirty_page;
    m.ram.words[0x2008] = r.leaf;
    m.ram.words[0x8000] = 0x5;
    m.ram.words[0x8008] = r.entry;
    m.ram.words[0x8010] = 0x5;
    hacdbscons_el2 consumed;
    clean_dirty(m.ram, m.regime, {{0x8800}}, consumed);
    EXPECT_EQ(consumed.error(), r.error) << r.what;
    EXPECT_EQ(consumed.get<hacdbscons_el2::index>(), r.error == cleaning_error::none ? 512u : 1u) << r.what;
    EXPECT_EQ(m.ram.words[0x2000], 0x4000'0000 | clean_page) << r.what;
    if (r.error != cleaning_error::none) {
      EXPECT_EQ(m.ram.words[0x2008], r.leaf) << r.what;
    }
  }
}

}  // namespace
}  // namespace dirty_structure_test
