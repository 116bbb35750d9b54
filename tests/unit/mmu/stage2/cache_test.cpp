// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/cache.hpp"

#include <gtest/gtest.h>

#include <string>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_events.hpp"

namespace cache_test {
namespace {

using namespace vmsa;

using recorder = sim::recording_port<sim::machine_memory>;
using table_type = stage2_table<recorder, arena_frames<recorder>>;

geometry const shape = geometry::for_ipa_size(40, granule::k4, {}).shape;
constexpr u64 page = 0x1000;
constexpr u64 block = 0x20'0000;

struct machine {
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  recorder port{memory};
  arena_frames<recorder> frames{port, memory.base(), memory.size(), granule::k4};

  table_type table(stage2_controls const& controls) { return *table_type::create(port, frames, shape, controls); }
  // What was done since the last time: T for TLBI (several in a row are one), C 4 for clean and invalidate of 4 pages,
  // I for instructions.
  std::string duties() {
    std::string all;
    for (sim::port_event const& e : port.events) {
      if (e.kind == sim::event_kind::tlbi && (all.empty() || all.back() != 'T')) all += 'T';
      if (e.kind != sim::event_kind::maintain) continue;
      all += e.cache == cache_op::clean_invalidate_to_poc  ? 'C'
             : e.cache == cache_op::invalidate_instruction ? 'I'
                                                           : '?';
      all += std::to_string(e.size / page) + ' ';
    }
    port.events.clear();
    return all;
  }
};

constexpr stage2_controls without_fwb{.dic = true};
constexpr stage2_controls with_fwb{.fwb = true, .dic = true};

// As Linux does it (stage2_unmap_put_pte): without FWB a Normal Write-Back leaf that is unmapped asks for TLBI, then
// clean and invalidate; with FWB for the TLBI alone; Non-cacheable and Device for nothing more.
TEST(Stage2TableCache, WhatIsUnmappedLeavesTheCachesAfterTheTlbs) {
  machine m;
  table_type table = m.table(without_fwb);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, 2 * block, {}));
  ASSERT_TRUE(table.map_range(ipa{2 * block}, pa{4 * block}, block, {}));
  EXPECT_EQ(m.duties(), "C1024 C512 ");
  stage2_cursor cursor;
  EXPECT_TRUE(table.unmap(cursor, ipa{page}));
  EXPECT_EQ(m.duties(), "TC1 ");
  EXPECT_TRUE(table.unmap(ipa{2 * page}, 2 * page));
  EXPECT_EQ(m.duties(), "TC1 C1 ");
  EXPECT_TRUE(table.unmap(ipa{2 * block}));
  EXPECT_EQ(m.duties(), "TC512 ");
  stage2_outcome const rest = table.unmap(ipa{block}, block);
  EXPECT_EQ(rest.tables_freed, 1u);
  std::string each;
  for (int n = 0; n < 512; ++n) each += "C1 ";
  EXPECT_EQ(m.duties(), "T" + each);
  EXPECT_TRUE(table.unmap(ipa{0}, block));
  EXPECT_EQ(table.tables(), 0u);
}

TEST(Stage2TableCache, NoDutyForWhatWasNeverCachedOrIsForcedWriteBack) {
  machine m;
  {
    table_type table = m.table(without_fwb);
    ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, 4 * page, {.memory = stage2_memory::normal_nc}));
    ASSERT_TRUE(table.map_range(ipa{block}, pa{page}, 4 * page, {.memory = stage2_memory::device_nGnRE}));
    EXPECT_TRUE(table.unmap(ipa{0}, 4 * page));
    EXPECT_TRUE(table.unmap(ipa{block}, 4 * page));
    EXPECT_EQ(m.duties(), "T");
  }
  table_type table = m.table(with_fwb);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, 4 * page, {.fwb = true}));
  EXPECT_TRUE(table.unmap(ipa{0}, 4 * page));
  EXPECT_EQ(m.duties(), "T");
}

// And to map or relax a leaf to executable: invalidate the instruction cache unless DIC.
TEST(Stage2TableCache, WhatBecomesExecutableLeavesTheInstructionCaches) {
  stage2_leaf const data{.fwb = true, .execute = stage2_execute::nobody};
  for (bool dic : {false, true}) {
    machine m;
    table_type table = m.table({.fwb = true, .dic = dic});
    ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, 4 * page, data));
    EXPECT_EQ(m.duties(), "");
    stage2_cursor cursor;
    EXPECT_TRUE(table.relax(cursor, ipa{0}, stage2_access::read_write, true));
    EXPECT_EQ(m.duties(), dic ? "" : "I1 ");
    EXPECT_TRUE(table.relax(cursor, ipa{0}, stage2_access::read_write, true));
    EXPECT_EQ(m.duties(), "");
    EXPECT_TRUE(table.protect(ipa{page}, page, stage2_access::read_write, stage2_execute::everyone));
    EXPECT_EQ(m.duties(), dic ? "" : "I1 ");
    EXPECT_TRUE(table.map(ipa{2 * page}, pa{3 * page}, level::l3, {.fwb = true}));
    EXPECT_EQ(m.duties(), dic ? "" : "I1 ");
    EXPECT_TRUE(table.protect(ipa{page}, page, stage2_access::read_write, stage2_execute::nobody));
    EXPECT_EQ(m.duties(), "T");
  }
}

// Whoever may execute it: a page of one exception level is fetched from as one of both.
TEST(Stage2TableCache, WhatOneExceptionLevelExecutesLeavesThemToo) {
  for (stage2_execute who : {stage2_execute::el0_only, stage2_execute::el1_only, stage2_execute::everyone}) {
    machine m;
    table_type table = m.table({.fwb = true});
    ASSERT_TRUE(table.map(ipa{0}, pa{page}, level::l3, {.fwb = true, .execute = who}));
    EXPECT_EQ(m.duties(), "I1 ") << int(who);
    stage2_cursor cursor;
    prepared_leaf const leaf = table.prepare({.fwb = true, .execute = who});
    ASSERT_TRUE(table.map(cursor, ipa{page}, pa{page}, leaf));
    EXPECT_EQ(m.duties(), "I1 ") << int(who);
    ASSERT_TRUE(table.map_range(ipa{4 * page}, pa{page}, 2 * page, {.fwb = true, .execute = who}));
    EXPECT_EQ(m.duties(), "I2 ") << int(who);
  }
}

// With FWB MemAttr 0b0111 leaves the type to stage 1, which may go around the caches: its page is cleaned like one
// without FWB, by every way that maps or unmaps it.
TEST(Stage2TableCache, WhatStage1DecidesIsCleanedWithFwbToo) {
  stage2_leaf const leaf{.memory = stage2_memory::stage1, .fwb = true};
  machine m;
  table_type table = m.table(with_fwb);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, 4 * page, leaf));
  ASSERT_TRUE(table.map(ipa{4 * page}, pa{5 * page}, level::l3, leaf));
  ASSERT_TRUE(table.map(ipa{block}, pa{block}, level::l2, leaf));
  EXPECT_EQ(m.duties(), "C4 C1 C512 ");
  stage2_cursor cursor;
  EXPECT_TRUE(table.unmap(cursor, ipa{0}));
  EXPECT_EQ(m.duties(), "TC1 ");
  EXPECT_TRUE(table.unmap(cursor, ipa{page}));
  EXPECT_EQ(m.duties(), "TC1 ");
  EXPECT_TRUE(table.unmap(ipa{2 * page}));
  EXPECT_EQ(m.duties(), "TC1 ");
  EXPECT_TRUE(table.unmap(cursor, ipa{block}));
  EXPECT_EQ(m.duties(), "TC512 ");
  EXPECT_TRUE(table.change_memory(ipa{3 * page}, page, stage2_memory::normal_wb));
  EXPECT_EQ(m.duties(), "TC1 ");
  EXPECT_TRUE(table.unmap(ipa{3 * page}));
  EXPECT_EQ(m.duties(), "T");
}

TEST(Stage2TableCache, AChangeOfMemoryCleansWhatIsReachedAnotherWay) {
  machine m;
  {
    table_type table = m.table(with_fwb);
    ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, page, {.fwb = true}));
    EXPECT_TRUE(table.change_memory(ipa{0}, page, stage2_memory::normal_nc));
    EXPECT_EQ(m.duties(), "TC1 ");
    // A write-back alias of the host may have filled the caches while the guest wrote around them.
    EXPECT_TRUE(table.change_memory(ipa{0}, page, stage2_memory::normal_wb));
    EXPECT_EQ(m.duties(), "TC1 ");
    EXPECT_TRUE(
        table.map(ipa{0}, pa{page}, level::l3, {.memory = stage2_memory::normal_nc, .fwb = true}, existing::replace));
    EXPECT_EQ(m.duties(), "TC1 ");
  }
  table_type table = m.table(without_fwb);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{page}, page, {.memory = stage2_memory::device_nGnRnE}));
  EXPECT_TRUE(table.change_memory(ipa{0}, page, stage2_memory::device_GRE));
  EXPECT_EQ(m.duties(), "T");
  EXPECT_TRUE(table.change_memory(ipa{0}, page, stage2_memory::normal_wb));
  EXPECT_EQ(m.duties(), "TC1 ");
}

}  // namespace
}  // namespace cache_test
