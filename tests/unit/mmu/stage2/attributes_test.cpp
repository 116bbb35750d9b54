// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/attributes.hpp"

#include <gtest/gtest.h>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_events.hpp"

namespace attributes_test {
namespace {

using namespace vmsa;

using recorder = sim::recording_port<sim::machine_memory>;
using table_type = stage2_table<recorder, arena_frames<recorder>>;

constexpr u64 page = 0x1000;
constexpr u64 contiguous = u64{1} << 52;

struct machine {
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  recorder port{memory};
  arena_frames<recorder> frames{port, memory.base(), memory.size(), granule::k4};
  table_type table =
      *table_type::create(port, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});

  // How many invalidations there were since the last time.
  std::size_t tlbis() {
    std::size_t n = 0;
    for (sim::port_event const& e : port.events) n += e.kind == sim::event_kind::tlbi;
    port.events.clear();
    return n;
  }
};

// Whoever loses the right to execute must lose it in the TLBs too, whichever of the two it was.
TEST(Stage2Attributes, WhoMayNoLongerExecuteIsToldToTheTlbs) {
  for (stage2_execute before : {stage2_execute::everyone, stage2_execute::el0_only, stage2_execute::el1_only}) {
    machine m;
    ASSERT_TRUE(m.table.map(ipa{0}, pa{0}, level::l3, {.fwb = true, .execute = before}));
    m.tlbis();
    ASSERT_TRUE(m.table.protect(ipa{0}, page, stage2_access::read_write, stage2_execute::nobody));
    EXPECT_NE(0u, m.tlbis()) << int(before);
    EXPECT_EQ(stage2_execute::nobody, stage2_bits::xn::get(m.table.look_up(ipa{0}).entry.raw)) << int(before);
  }
}

// DBM lets hardware make a page writable: it goes where write permission is taken, and stays where it is given.
TEST(Stage2Attributes, WhatMayNotBeWrittenHasNoDbm) {
  constexpr u64 dbm = u64{1} << 51;
  machine m;
  ASSERT_TRUE(m.table.map(ipa{0}, pa{0}, level::l3, {.fwb = true, .dbm = true}));
  ASSERT_TRUE(m.table.protect(ipa{0}, page, stage2_access::read_write, stage2_execute::everyone));
  EXPECT_EQ(dbm, m.table.look_up(ipa{0}).entry.raw & dbm);
  ASSERT_TRUE(m.table.protect(ipa{0}, page, stage2_access::read, stage2_execute::everyone));
  EXPECT_EQ(0u, m.table.look_up(ipa{0}).entry.raw & (dbm | 0x80));
}

// A range that is write-protected and ends inside a Contiguous run leaves no run whose entries differ.
template <class Table>
void expect_cut_runs_unfolded(Table& table) {
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0}, 64 * page, {.fwb = true, .contiguous = true}));
  ASSERT_NE(0u, table.look_up(ipa{0}).entry.raw & contiguous);
  ASSERT_TRUE(table.write_protect(ipa{20 * page}, 20 * page));
  for (u64 n = 0; n < 64; ++n) {
    u64 const raw = table.look_up(ipa{n * page}).entry.raw;
    EXPECT_EQ(n < 16 || n >= 48, (raw & contiguous) != 0) << n;
    EXPECT_EQ(n < 20 || n >= 40, (raw & 0x80) != 0) << n;
  }
}

TEST(Stage2Attributes, ARunThatWriteProtectionCutsIsNoRunAnyMore) {
  machine m;
  expect_cut_runs_unfolded(m.table);
}

// The same through a port that clears the bits of many entries in one call.
TEST(Stage2Attributes, ARunThatASweepCutsIsNoRunAnyMore) {
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  static_assert(sweeping_port<sim::machine_memory>);
  arena_frames<sim::machine_memory> frames{memory, memory.base(), memory.size(), granule::k4};
  auto table = *stage2_table<sim::machine_memory, arena_frames<sim::machine_memory>>::create(
      memory, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});
  expect_cut_runs_unfolded(table);
}

// The access flag of a leaf that aged comes back with the permission that a fault asks for: the access just happened.
TEST(Stage2Attributes, RelaxingSetsTheAccessFlag) {
  machine m;
  ASSERT_TRUE(m.table.map(ipa{0}, pa{0}, level::l3, {.fwb = true, .access = stage2_access::read, .af = false}));
  ASSERT_EQ(0u, m.table.look_up(ipa{0}).entry.raw & 0x400);
  stage2_cursor cursor;
  ASSERT_TRUE(m.table.relax(cursor, ipa{0}, stage2_access::read_write, false));
  EXPECT_EQ(0x4c0u, m.table.look_up(ipa{0}).entry.raw & 0x4c0);
}

}  // namespace
}  // namespace attributes_test
