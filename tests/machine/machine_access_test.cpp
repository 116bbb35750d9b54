// SPDX-License-Identifier: MIT
// What guests and devices reach, and what goes wrong beside a stale translation: two entries at once, lost writes,
// stores that wait.
#include "rig.hpp"
#include "tiny_table.hpp"

namespace machine_access_test {
namespace {

using namespace vmsa;
using sim::finding_kind;
using sim::machine;

constexpr u64 page = 0x40'0000;
constexpr u64 data = 0x8100'0000;
constexpr u64 other = 0x8110'0000;

struct one_guest {
  explicit one_guest(machine& m) : table(m, 0, 0x8000'0000) {
    table.map(page, data);
    m.pe(0).enter({.root = table.root()});
    m.pe(0).exception();
    m.pe(1).enter({.root = table.root()});
  }
  test::tiny_table table;
};

TEST(MachineAccess, ReachesMemoryByTheTables) {
  for (sim::adversary const& who : test::every_adversary) {
    machine m({.who = who});
    one_guest const g(m);
    EXPECT_EQ(m.pe(1).store({page + 8}, 7).where.value, data + 8);
    EXPECT_EQ(m.pe(1).load({page + 8}).value, 7u);
    EXPECT_EQ(m.pe(1).exclusive({page + 8}, 9).value, 7u);
    EXPECT_EQ(m.pe(1).fetch({page + 8}).value, 9u);
    EXPECT_EQ(m.peek({data + 8}), 9u);
    sim::access_result const hole = m.pe(1).load({page + 0x1000});
    ASSERT_TRUE(hole.fault);
    EXPECT_EQ(hole.fault->fsc(), 7);  // Translation fault, level 3
    EXPECT_THROW((void)m.pe(0).load(va{page}), std::logic_error);
    EXPECT_THROW((void)m.pe(1).load(va{page + 4}), std::invalid_argument);
    EXPECT_THROW(m.pe(0).store({0}, {}, store_order::relaxed), std::out_of_range);
    m.finish();
    EXPECT_EQ(test::first_failure(m), "");
  }
}

// No break: both translations may be held at once [RWHZWS].
TEST(MachineAccess, TwoEntriesAtOnceAreAConflict) {
  machine m({.who = sim::adversary::hoarder()});
  one_guest g(m);
  m.pe(0).store(g.table.entry(page), {other | test::page_leaf}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  m.pe(1).load({page});
  EXPECT_TRUE(test::found(m, finding_kind::conflict));
}

// One page by two addresses, Write-Back and Non-cacheable: the line that was dirty before is written back afterwards,
// and takes the other word with it.
TEST(MachineAccess, ADirtyLineEndsOverAWritePastTheCaches) {
  machine m({.who = sim::adversary::hoarder()});
  one_guest g(m);
  constexpr u64 non_cacheable_leaf = (test::page_leaf & ~u64{0x3c}) | 0b0101 << 2;
  g.table.map(page + 0x1000, data, non_cacheable_leaf);
  m.pe(1).store({page}, 1);
  m.pe(1).dsb();
  m.pe(1).store({page + 0x1008}, 2);
  m.pe(1).dsb();
  m.finish();
  EXPECT_TRUE(test::found(m, finding_kind::lost_write));
  EXPECT_TRUE(test::found(m, finding_kind::mismatch));
}

// A doorbell orders nothing: the store is in its buffer yet.
TEST(MachineAccess, ADoorbellWithoutADsbIsTooEarly) {
  for (bool const fenced : {false, true}) {
    machine m({.who = sim::adversary::hoarder()});
    one_guest const g(m);
    m.pe(1).store({page}, 1);
    if (fenced) m.pe(1).dsb();
    m.device(0).read(data);
    EXPECT_EQ(test::found(m, finding_kind::stale_data), !fenced);
    if (!fenced) {
      EXPECT_EQ(m.findings().back().held, sim::holder_kind::buffer);
      EXPECT_EQ(m.findings().back().holder, 1);
    }
  }
}

// The host's memory comes in larger pieces than the machine's.
TEST(MachineAccess, MemoryEndsWhereItWasAskedToEnd) {
  for (sim::adversary const& who : test::every_adversary) {
    machine m({.memory = u64{1} << 20, .who = who});
    EXPECT_TRUE(m.device(0).write(0x800f'fff8, 1));
    EXPECT_TRUE(m.device(0).write(0x8010'0000, 1).refused);
    EXPECT_TRUE(m.device(0).read(0x7fff'fff8).refused);
    EXPECT_THROW((void)m.pe(0).host_load({0x8010'0000}), std::out_of_range);
  }
}

// A device behind the SMMU uses the guest's stage 2 tables: STE.Config = 0b110, and the walk is the exact one.
TEST(MachineAccess, ADeviceGoesThroughTheSmmu) {
  for (sim::adversary const& who : test::every_adversary) {
    machine m({.who = who});
    one_guest g(m);
    constexpr u64 stream_table = 0x8070'0000;
    smmu s = full_smmu;
    s.strtab_base.raw = stream_table;
    s.strtab_base_cfg = s.strtab_base_cfg.with<smmu_strtab_base_cfg::log2size>(0);
    s.cr0 = s.cr0.with<smmu_cr0::smmuen>(true);
    m.set_smmu(s);
    m.poke({stream_table}, 1 | 0b110 << 1);
    m.poke({stream_table + 8}, u64{1} << 25 | u64{0b01} << 44);  // S2FWB; SHCFG: as it comes
    m.poke({stream_table + 16}, 1 | (m.vtcr() & low_mask(19)) << 32 | u64{1} << 51);
    m.poke({stream_table + 24}, g.table.root().value);
    m.device(0).stream = 0;
    m.pe(1).store({page}, 5);
    m.pe(1).dsb();
    sim::access_result const read = m.device(0).read(page);
    ASSERT_TRUE(read);
    EXPECT_EQ(read.where.value, data);
    EXPECT_EQ(read.value, 5u);
    EXPECT_TRUE(is_write_back(read.attributes));
    m.device(0).write(page, 6);
    EXPECT_EQ(m.pe(1).load({page}).value, 6u);
    EXPECT_TRUE(m.device(0).read(page + 0x1000).refused);
    m.device(0).stream = 1;  // beyond the stream table
    EXPECT_TRUE(m.device(0).read(page).refused);
    m.finish();
    EXPECT_EQ(test::first_failure(m), "");
  }
}

}  // namespace
}  // namespace machine_access_test
