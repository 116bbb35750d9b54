// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/short_way.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_events.hpp"

namespace short_way_test {
namespace {

using namespace vmsa;

using recorder = sim::recording_port<sim::machine_memory>;

constexpr u64 page = 0x1000;
constexpr u64 block = 0x20'0000;
constexpr u64 giant = 0x4000'0000;
constexpr stage2_leaf ram{.fwb = true};

// Remembers what was given back as known zeros.
struct watched_frames : occupancy_frames<recorder> {
  using occupancy_frames<recorder>::occupancy_frames;
  void give(frame f, u64 size) noexcept {
    zeroed.push_back(f.zeroed);
    occupancy_frames<recorder>::give(f, size);
  }
  std::vector<bool> zeroed;
};

using table_type = stage2_table<recorder, watched_frames>;

struct machine {
  sim::machine_memory memory{u64{8} << 20, pa{0x8000'0000}};
  recorder port{memory};
  watched_frames frames{port, memory.base(), memory.size(), granule::k4};

  table_type table(u8 bits = 40) {
    return *table_type::create(port, frames, geometry::for_ipa_size(bits, granule::k4, {}).shape,
                               {.fwb = true, .ttl = true, .dic = true});
  }
  std::vector<tlbi> invalidations() const {
    std::vector<tlbi> all;
    for (sim::port_event const& e : port.events)
      if (e.kind == sim::event_kind::tlbi) all.push_back(e.invalidation);
    return all;
  }
};

TEST(Stage2ShortWay, OneLeafOfAnyLevelIsUnmappedWithTwoTlbi) {
  for (u8 const bits : {u8{40}, u8{48}}) {
    for (auto const& [at, l] : {std::pair{page, level::l3}, std::pair{block, level::l2}, std::pair{giant, level::l1}}) {
      machine m;
      table_type table = m.table(bits);
      ASSERT_TRUE(table.map(ipa{at}, pa{at}, l, ram));
      ASSERT_TRUE(table.map(ipa{2 * at}, pa{at}, l, ram));
      u64 const tables = table.tables();
      m.port.events.clear();
      stage2_outcome const out = table.unmap(ipa{at});
      EXPECT_EQ(table_error::none, out.error);
      EXPECT_EQ(at + at, out.at.value);
      EXPECT_EQ(l, out.at_level);
      EXPECT_EQ(1u, out.entries_written);
      EXPECT_EQ(2u, out.tlbi_count);
      EXPECT_EQ(tables, table.tables());
      ASSERT_EQ(2u, m.invalidations().size());
      EXPECT_EQ((tlbi{tlbi_kind::ipas2e1is, ipa{at}, 0, granule::k4, true, l}), m.invalidations()[0]);
      EXPECT_EQ(tlbi_kind::vmalle1is, m.invalidations()[1].kind);
      // The last one takes every table with it.
      EXPECT_EQ(tables, table.unmap(ipa{2 * at}).tables_freed);
      EXPECT_EQ(0u, table.tables());
      EXPECT_EQ(table_error::not_mapped, table.unmap(ipa{at}).error);
    }
  }
}

TEST(Stage2ShortWay, ABlockIsNotUnmappedFromItsMiddle) {
  machine m;
  table_type table = m.table();
  ASSERT_TRUE(table.map(ipa{block}, pa{block}, level::l2, ram));
  EXPECT_EQ(table_error::misaligned, table.unmap(ipa{block + page}).error);
  EXPECT_TRUE(table.look_up(ipa{block + page}));
}

TEST(Stage2ShortWay, ARootIsGivenBackAsZerosWhenNoLeafWasInIt) {
  machine m;
  {
    table_type table = m.table();
    ASSERT_TRUE(table.map(ipa{page}, pa{page}, level::l3, ram));
  }
  ASSERT_EQ(3u, m.frames.zeroed.size());
  EXPECT_TRUE(m.frames.zeroed.back());
  {
    table_type table = m.table();
    ASSERT_TRUE(table.map(ipa{giant}, pa{giant}, level::l1, ram));
  }
  EXPECT_FALSE(m.frames.zeroed.back());
  table_type table = m.table();
  EXPECT_FALSE(table.look_up(ipa{giant}));
  EXPECT_FALSE(table.look_up(ipa{page}));
}

TEST(Stage2ShortWay, ARangeOfOneTableStopsShortOfARun) {
  machine m;
  table_type table = m.table();
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0}, 16 * page, ram));
  ASSERT_TRUE(table.map_range(ipa{16 * page}, pa{16 * page}, 16 * page, ram, {.contiguous = true}));
  stage2_outcome const out = table.unmap(ipa{8 * page}, 16 * page);
  EXPECT_EQ(table_error::none, out.error);
  EXPECT_TRUE(table.look_up(ipa{7 * page}));
  EXPECT_FALSE(table.look_up(ipa{8 * page}));
  EXPECT_FALSE(table.look_up(ipa{23 * page}));
  EXPECT_TRUE(table.look_up(ipa{24 * page}));
  EXPECT_FALSE(descriptor_bits::contiguous::get(table.look_up(ipa{24 * page}).entry.raw));
}

TEST(Stage2ShortWay, ARangeOfOneTableIsInvalidatedFromItsFirstPageToItsLast) {
  machine m;
  table_type table = m.table();
  for (u64 n : {u64{0}, u64{62}, u64{63}, u64{66}, u64{67}, u64{511}})
    ASSERT_TRUE(table.map(ipa{n * page}, pa{0}, level::l3, ram));
  auto const unmapped = [&](u64 first, u64 pages) {
    m.port.events.clear();
    return table.unmap(ipa{first * page}, pages * page);
  };
  stage2_outcome out = unmapped(60, 12);
  EXPECT_EQ(ipa{72 * page}, out.at);
  EXPECT_EQ(4u, out.entries_written);
  ASSERT_EQ(7u, out.tlbi_count);
  EXPECT_EQ(ipa{62 * page}, m.invalidations()[0].base);
  EXPECT_EQ(ipa{67 * page}, m.invalidations()[5].base);
  EXPECT_EQ(0u, unmapped(60, 12).tlbi_count);
  // Into the next table.
  out = unmapped(511, 2);
  EXPECT_EQ(ipa{513 * page}, out.at);
  EXPECT_EQ(1u, out.entries_written);
  EXPECT_FALSE(table.look_up(ipa{511 * page}));
  EXPECT_EQ(2u, unmapped(0, 1).tables_freed);
}

// A group's occupancy bits say nothing while a cursor works in it. A range that frees all of the group makes them say
// "free", so the cursor must not go on without them.
TEST(Stage2ShortWay, APageThatACursorMapsAfterARangeWasUnmappedIsNotMappedOver) {
  machine m;
  table_type table = m.table();
  prepared_leaf const leaf = table.prepare(ram);
  stage2_cursor cursor;
  for (u64 n = 0; n < 64; ++n) ASSERT_TRUE(table.map(cursor, ipa{n * page}, pa{n * page}, leaf));
  stage2_cursor other;
  ASSERT_TRUE(table.map(other, ipa{100 * page}, pa{0}, leaf));
  ASSERT_TRUE(table.unmap(ipa{0}, 64 * page));
  ASSERT_TRUE(table.map(cursor, ipa{5 * page}, pa{block}, leaf));
  EXPECT_EQ(table_error::needs_break, table.map(other, ipa{5 * page}, pa{giant}, leaf).error);
  EXPECT_EQ(pa{block}, table.look_up(ipa{5 * page}).output);
}

}  // namespace
}  // namespace short_way_test
