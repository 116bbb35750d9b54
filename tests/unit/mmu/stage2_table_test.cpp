// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_events.hpp"

namespace stage2_table_test {
namespace {

using namespace vmsa;

geometry const shape = geometry::for_ipa_size(40, granule::k4, {}).shape;
constexpr stage2_controls controls{.fwb = true, .dic = true};
constexpr stage2_leaf ram{.fwb = true};

struct machine {
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), memory.size(), granule::k4};
};
using table_type = stage2_table<sim::machine_memory, arena_frames<sim::machine_memory>>;

TEST(Stage2Table, MapsOnePageAndFindsIt) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  stage2_outcome const out = table.map(ipa{0x1'2345'6000}, pa{0x4000'0000}, level::l3, ram);
  EXPECT_EQ(out.error, table_error::none);
  EXPECT_EQ(out.tables_allocated, 2u);
  EXPECT_EQ(out.entries_written, 3u);
  EXPECT_EQ(out.at, ipa{0x1'2345'7000});
  EXPECT_EQ(out.tlbi_count, 0u);

  stage2_mapping const found = table.look_up(ipa{0x1'2345'6789});
  ASSERT_TRUE(found);
  EXPECT_EQ(found.entry.raw, 0x4000'07dbu);
  EXPECT_EQ(found.output, pa{0x4000'0789});
  EXPECT_EQ(found.at, level::l3);
  EXPECT_EQ(found.size, 0x1000u);

  stage2_mapping const hole = table.look_up(ipa{0x1'2345'7000});
  EXPECT_FALSE(hole);
  EXPECT_EQ(hole.at, level::l3);
  stage2_mapping const large_hole = table.look_up(ipa{0x1'0000'0000});
  EXPECT_FALSE(large_hole);
  EXPECT_EQ(large_hole.at, level::l2);
  EXPECT_EQ(large_hole.size, 0x20'0000u);
}

TEST(Stage2Table, TheSameAgainWritesNothing) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  prepared_leaf const leaf = table.prepare(ram);
  stage2_cursor cursor;
  EXPECT_EQ(table.map(cursor, ipa{0x1000}, pa{0x5000}, leaf).tables_allocated, 2u);
  EXPECT_EQ(table.map(cursor, ipa{0x2000}, pa{0x6000}, leaf).entries_written, 1u);
  stage2_outcome const again = table.map(cursor, ipa{0x1000}, pa{0x5000}, leaf);
  EXPECT_EQ(again.error, table_error::none);
  EXPECT_EQ(again.entries_written, 0u);
}

TEST(Stage2Table, BlocksAtEveryLevel) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  EXPECT_EQ(table.map(ipa{0x4000'0000}, pa{0x8000'0000}, level::l1, ram).tables_allocated, 0u);
  EXPECT_EQ(table.map(ipa{0x8020'0000}, pa{0x20'0000}, level::l2, ram).tables_allocated, 1u);
  EXPECT_EQ(table.look_up(ipa{0x7fff'ffff}).output, pa{0xbfff'ffff});
  EXPECT_EQ(table.look_up(ipa{0x4000'0000}).size, u64{1} << 30);
  EXPECT_EQ(table.look_up(ipa{0x8020'1234}).output, pa{0x20'1234});
  EXPECT_EQ(table.look_up(ipa{0x8020'1234}).at, level::l2);
  // A page inside that the block maps already is there; a different one is not.
  EXPECT_EQ(table.map(ipa{0x8020'1000}, pa{0x20'1000}, level::l3, ram).error, table_error::none);
  stage2_outcome const other = table.map(ipa{0x8020'1000}, pa{0x20'2000}, level::l3, ram);
  EXPECT_EQ(other.error, table_error::needs_break);
  EXPECT_EQ(other.at, ipa{0x8020'1000});
  EXPECT_EQ(other.at_level, level::l2);
}

TEST(Stage2Table, RefusesWhatCannotBeMapped) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  EXPECT_EQ(table.map(ipa{u64{1} << 40}, pa{0}, level::l3, ram).error, table_error::out_of_range);
  EXPECT_EQ(table.map(ipa{0}, pa{u64{1} << 48}, level::l3, ram).error, table_error::out_of_range);
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0}, level::l2, ram).error, table_error::misaligned);
  EXPECT_EQ(table.map(ipa{0}, pa{0x1000}, level::l2, ram).error, table_error::misaligned);
  EXPECT_EQ(table.map(ipa{0}, pa{0}, level::l0, ram).error, table_error::leaf_encoding);
  EXPECT_EQ(table.map(ipa{0}, pa{0}, level::l3, {.fwb = false}).error, table_error::leaf_encoding);
  EXPECT_EQ(table.unmap(ipa{0}).error, table_error::not_mapped);
  EXPECT_EQ(table.tables(), 0u);
}

TEST(Stage2Table, ChangesInPlaceOnlyWhatNeedsNoBreak) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  stage2_leaf read_only = ram;
  read_only.access = stage2_access::read;
  stage2_leaf device{.memory = stage2_memory::device_nGnRE, .fwb = true};
  EXPECT_TRUE(table.map(ipa{0x1000}, pa{0x5000}, level::l3, read_only));
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0x5000}, level::l3, ram, existing::keep).error, table_error::already_mapped);
  stage2_outcome const relaxed = table.map(ipa{0x1000}, pa{0x5000}, level::l3, ram);
  EXPECT_EQ(relaxed.entries_written, 1u);
  EXPECT_EQ(relaxed.tlbi_count, 0u);
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0x5000}, level::l3, read_only).tlbi_count, 2u);
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0x5000}, level::l3, device).error, table_error::needs_break);
  stage2_outcome const replaced = table.map(ipa{0x1000}, pa{0x5000}, level::l3, device, existing::replace);
  EXPECT_TRUE(replaced);
  EXPECT_TRUE(replaced.broke);
  EXPECT_EQ(replaced.entries_written, 2u);
  EXPECT_EQ(table.look_up(ipa{0x1000}).entry.raw, 0x0040'0000'0000'57c7u);
}

TEST(Stage2Table, UnmapGivesEmptyTablesBack) {
  machine m;
  {
    table_type table = *table_type::create(m.memory, m.frames, shape, controls);
    EXPECT_TRUE(table.map(ipa{0x1000}, pa{0x5000}, level::l3, ram));
    EXPECT_TRUE(table.map(ipa{0x2000}, pa{0x6000}, level::l3, ram));
    EXPECT_EQ(table.unmap(ipa{0x1000}).tables_freed, 0u);
    stage2_outcome const last = table.unmap(ipa{0x2000});
    EXPECT_EQ(last.error, table_error::none);
    EXPECT_EQ(last.tables_freed, 2u);
    EXPECT_EQ(table.tables(), 0u);
    EXPECT_FALSE(table.look_up(ipa{0x2000}));
    EXPECT_TRUE(table.map(ipa{0x2000}, pa{0x6000}, level::l3, ram));
    EXPECT_EQ(table.table_bytes(), 8192u + 2 * 4096);
  }
  EXPECT_EQ(m.frames.bytes_in_use(), 0u);
}

// 8 bytes for each page or block, and little above: 2 MiB per GiB of pages; 64 tables of 2 MiB blocks and a root of 8
// KiB.
TEST(Stage2Table, TablesTakeLittleMoreThanTheirLeaves) {
  sim::machine_memory memory{u64{10} << 20, pa{0x8000'0000}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), memory.size(), granule::k4};
  {
    table_type table = *table_type::create(memory, frames, shape, controls);
    ASSERT_TRUE(table.map_range(ipa{0}, pa{0}, u64{4} << 30, ram, {.largest = level::l3}));
    EXPECT_GE(table.table_bytes(), u64{8} << 20);
    EXPECT_LE(table.table_bytes() * 100, (u64{8} << 20) * 102);
    EXPECT_EQ(table.table_bytes(), frames.bytes_in_use());
  }
  table_type table = *table_type::create(memory, frames, shape, controls);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0}, u64{64} << 30, ram, {.largest = level::l2}));
  EXPECT_GE(table.table_bytes(), u64{256} << 10);
  EXPECT_LE(table.table_bytes() * 100, (u64{264} << 10) * 102);
}

TEST(Stage2Table, OutOfFramesLeavesTheTableAsItWas) {
  for (u64 available = 0; available < 3; ++available) {
    machine m;
    using failing = failing_frames<arena_frames<sim::machine_memory>>;
    failing frames{m.frames, available};
    auto table = stage2_table<sim::machine_memory, failing>::create(m.memory, frames, shape, controls);
    ASSERT_EQ(table.has_value(), available > 0);
    if (!table) continue;
    u64 const before = m.frames.bytes_in_use();
    stage2_outcome const out = table->map(ipa{0x1000}, pa{0x5000}, level::l3, ram);
    EXPECT_EQ(out.error, table_error::out_of_frames);
    EXPECT_EQ(out.at, ipa{0x1000});
    EXPECT_EQ(m.frames.bytes_in_use(), before);
    EXPECT_FALSE(table->look_up(ipa{0x1000}));
  }
}

// The cursor holds the group, and is asked for an address in the middle of one of its pages.
TEST(Stage2Table, ACursorTakesNoMisalignedAddress) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  prepared_leaf const page = table.prepare(ram);
  stage2_cursor cursor;
  for (u64 at = 0; at < 0x8000; at += 0x1000) ASSERT_TRUE(table.map(cursor, {at}, {at}, page));
  EXPECT_EQ(table.map(cursor, ipa{0x8800}, pa{0x8000}, page).error, table_error::misaligned);
  EXPECT_EQ(table.map(cursor, ipa{0x8000}, pa{0x8800}, page).error, table_error::misaligned);
  EXPECT_EQ(table.unmap(cursor, ipa{0x7800}).error, table_error::misaligned);
  EXPECT_FALSE(table.look_up(ipa{0x8000}));
  EXPECT_EQ(table.look_up(ipa{0x7800}).output, pa{0x7800});
}

// One cursor walks up and down over three last-level tables, another strays; they map, then unmap, and must agree with
// a list of what is mapped; tables are there exactly as long as they map something.
template <template <class, class> class Frames>
void cursors_among_neighbours(stage2_controls const& how, unsigned stray_share, unsigned seed) {
  using source = Frames<sim::machine_memory, exclusive>;
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  source frames{memory, memory.base(), memory.size(), granule::k4};
  auto table = *stage2_table<sim::machine_memory, source>::create(memory, frames, shape, how);
  prepared_leaf const page = table.prepare(ram);
  stage2_cursor cursors[2];
  std::vector<bool> mapped(3 * 512);
  u64 in_table[3] = {};
  std::mt19937 random(seed);
  bool const noisy = seed % 2 != 0;  // some unmap while others map, everywhere
  u64 walker = 0;
  bool filling = true;
  for (unsigned step = 0; step < 50'000; ++step) {
    if (random() % 100 == 0) walker = random() % mapped.size();
    if (random() % 3000 == 0) filling = !filling;
    walker = (walker + (random() % 8 == 0 ? mapped.size() - 1 : 1)) % mapped.size();
    bool const stray = random() % stray_share == 0;
    u64 const anywhere = random() % mapped.size();
    // Near one end of a table, so that all that strays mapped is unmapped now and then.
    u64 const near_end = random() % 3 * 512 + random() % 2 * 448 + random() % 24;
    u64 const n = !stray ? walker : noisy ? anywhere : near_end;
    stage2_cursor& cursor = cursors[stray];
    ipa const at{n << 12};
    if (filling != (noisy && random() % 4 == 0)) {
      stage2_outcome const out = table.map(cursor, at, pa{n << 12}, page);
      ASSERT_TRUE(out);
      ASSERT_EQ(out.entries_written != 0, !mapped[n]) << n;
      in_table[n >> 9] += !mapped[n];
      mapped[n] = true;
    } else {
      ASSERT_EQ(table.unmap(cursor, at).error, mapped[n] ? table_error::none : table_error::not_mapped) << n;
      in_table[n >> 9] -= mapped[n];
      mapped[n] = false;
    }
    u64 const used = 3u - static_cast<u64>(std::count(in_table, in_table + 3, u64{0}));
    ASSERT_EQ(table.tables(), used + (used != 0)) << step;
    ASSERT_EQ(table.look_up(at).mapped, mapped[n]);
  }
  for (u64 n = 0; n < mapped.size(); ++n) EXPECT_EQ(table.look_up({n << 12}).mapped, mapped[n]) << n;
}
TEST(Stage2Table, CursorsAmongNeighbours) {
  stage2_controls hardware = controls;
  hardware.ha = hardware.hd = true;
  for (unsigned stray_share : {1u, 2u, 8u, 1000u}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      cursors_among_neighbours<occupancy_frames>(controls, stray_share, seed);
      cursors_among_neighbours<occupancy_frames>(hardware, stray_share, seed);
      cursors_among_neighbours<arena_frames>(controls, stray_share, seed);
    }
  }
}

// The written-out walk of a geometry that is known at compile time, at the ends of every level's reach.
// A cursor holds a group of the table at 0 when the table goes and its frame comes back as another: the cursor must not
// find its free entries there.
template <template <class, class> class Frames, class Mode, class Gone>
void cursor_outlives_its_table(Gone gone) {
  constexpr u64 block = 0x20'0000;
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  Frames<sim::machine_memory, Mode> frames{memory, memory.base(), memory.size(), granule::k4};
  using table_of_mode = stage2_table<sim::machine_memory, Frames<sim::machine_memory, Mode>, geometry, Mode>;
  table_of_mode table = std::move(*table_of_mode::create(memory, frames, shape, controls));
  ASSERT_TRUE(table.map_range({0}, {block}, block, ram, {.largest = level::l3}));
  ASSERT_TRUE(table.map(ipa{9 * block}, pa{block}, level::l3, ram));
  prepared_leaf const leaf = table.prepare(ram);
  std::array<stage2_cursor, 3> cursors;
  for (stage2_cursor& cursor : cursors)
    for (u64 at : {u64{0x1000}, u64{0x2000}, u64{0x3000}}) ASSERT_TRUE(table.map(cursor, {at}, {block + at}, leaf));
  gone(table);
  ASSERT_EQ(table.give_back(table.take_retired()), Mode::concurrent ? 1u : 0u);

  ipa const elsewhere{8 * block};
  ASSERT_TRUE(table.map(elsewhere, pa{block}, level::l3, ram));
  (void)table.map(cursors[0], {0x5000}, {block + 0x5000}, leaf);
  EXPECT_FALSE(table.look_up(elsewhere + 0x5000));
  (void)table.relax(cursors[1], {0}, stage2_access::read_write);
  (void)table.unmap(cursors[2], {0});
  EXPECT_TRUE(table.look_up(elsewhere));
}

template <template <class, class> class Frames, class Mode>
void cursors_outlive_their_tables() {
  constexpr u64 block = 0x20'0000;
  cursor_outlives_its_table<Frames, Mode>([](auto& table) { EXPECT_TRUE(table.collapse({0}, block)); });
  cursor_outlives_its_table<Frames, Mode>([](auto& table) { EXPECT_TRUE(table.unmap({0}, block)); });
  cursor_outlives_its_table<Frames, Mode>(
      [](auto& table) { EXPECT_TRUE(table.map(ipa{0}, pa{4 * block}, level::l2, ram, existing::replace)); });
}

TEST(Stage2Table, CursorsOutliveTheirTables) {
  cursors_outlive_their_tables<arena_frames, exclusive>();
  cursors_outlive_their_tables<occupancy_frames, exclusive>();
  cursors_outlive_their_tables<arena_frames, lock_free>();
}

template <granule Granule, u8 Bits>
void map_and_find_in_fixed() {
  using fixed = fixed_geometry<Granule, Bits>;
  static_assert(fixed::start_level() == level::l1);
  sim::machine_memory memory{u64{16} << 20, pa{0x8000'0000}};
  using source = arena_frames<sim::machine_memory>;
  source frames{memory, memory.base(), memory.size(), Granule};
  auto table = *stage2_table<sim::machine_memory, source, fixed>::create(memory, frames, fixed{}, controls);
  u64 const page = granule_size(Granule);
  u64 const block = level_size(Granule, level::l2);
  prepared_leaf const leaf = table.prepare(ram);
  stage2_cursor cursor;
  u64 const last = (u64{1} << Bits) - page;
  for (u64 at : {u64{0}, page, block - page, block, level_size(Granule, level::l1), last}) {
    ASSERT_TRUE(table.map(cursor, {at}, {at & low_mask(36)}, leaf)) << at;
    stage2_mapping const found = table.look_up({at + page - 1});
    EXPECT_EQ(found.output, pa{(at & low_mask(36)) + page - 1}) << at;
    EXPECT_EQ(found.size, page);
  }
  EXPECT_EQ(table.map(cursor, {last + page}, {0}, leaf).error, table_error::out_of_range);
  EXPECT_FALSE(table.look_up({last + page}));
  EXPECT_TRUE(table.unmap(cursor, {last}));
  EXPECT_FALSE(table.look_up({last}));
  ASSERT_TRUE(table.map(ipa{2 * block}, pa{4 * block}, level::l2, ram));
  EXPECT_EQ(table.look_up({2 * block + page}).output, pa{4 * block + page});
  EXPECT_EQ(table.look_up({2 * block + page}).at, level::l2);
}
TEST(Stage2Table, FixedGeometriesOfThreeLevels) {
  map_and_find_in_fixed<granule::k4, 40>();
  map_and_find_in_fixed<granule::k16, 44>();
  map_and_find_in_fixed<granule::k64, 48>();
}

// The Contiguous bit is set for whole runs only, whoever asks for it: the leaf or the options.
TEST(Stage2Table, ARangeOfAContiguousLeafHasTheBitInWholeRunsOnly) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  stage2_leaf contiguous = ram;
  contiguous.contiguous = true;
  ASSERT_TRUE(table.map_range(ipa{0x20'0000}, pa{0x20'0000}, 0x20'0000, contiguous));
  EXPECT_EQ(table.look_up(ipa{0x20'0000}).entry.raw, 0x20'07d9u);
  ASSERT_TRUE(table.unmap(ipa{0x20'0000}));
  EXPECT_FALSE(table.look_up(ipa{0x40'0000}));
  ASSERT_TRUE(table.map_range(ipa{0x1'0000}, pa{0x1'0000}, 0x1'1000, contiguous));
  EXPECT_EQ(table.look_up(ipa{0x1'0000}).entry.raw, 0x10'0000'0001'07dbu);
  EXPECT_EQ(table.look_up(ipa{0x2'0000}).entry.raw, 0x2'07dbu);
}

TEST(Stage2Table, RefusesTheShapeOfAFailedConfiguration) {
  machine m;
  stage2_configuration const failed = geometry::for_ipa_size(52, granule::k4, {});
  ASSERT_FALSE(failed);
  EXPECT_FALSE(table_type::create(m.memory, m.frames, failed.shape, controls));
  EXPECT_EQ(m.frames.bytes_in_use(), 0u);
}

// A root of 16 pages is smaller than a cursor's group.
TEST(Stage2Table, ACursorKeepsWithinASmallRoot) {
  geometry const small = geometry::for_ipa_size(16, granule::k4, {.ttst = true}).shape;
  ASSERT_EQ(small.start_level(), level::l3);
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, small, controls);
  prepared_leaf const page = table.prepare(ram);
  stage2_cursor cursor;
  for (u64 at = 0; at < 0x1'0000; at += 0x1000) ASSERT_TRUE(table.map(cursor, {at}, {at}, page));
  EXPECT_EQ(table.map(cursor, ipa{0x1'0000}, pa{0}, page).error, table_error::out_of_range);
  EXPECT_EQ(table.relax(cursor, ipa{0x1'0000}, stage2_access::read).error, table_error::out_of_range);
  for (u64 at = 0; at < 0x1'0000; at += 0x1000) EXPECT_TRUE(table.unmap(cursor, {at}));
  EXPECT_EQ(table.unmap(cursor, ipa{0x1'0000}).error, table_error::out_of_range);
}

// What a level 3 root left in the bits of its frame would tell the next table there that entries are free.
TEST(Stage2Table, ALevel3RootLeavesNoBitsBehind) {
  using source = occupancy_frames<sim::machine_memory>;
  sim::machine_memory memory{u64{8} << 20, pa{0x8000'0000}};
  source frames{memory, memory.base(), memory.size(), granule::k64};
  using table64 = stage2_table<sim::machine_memory, source>;
  {
    auto small = *table64::create(memory, frames, geometry::for_ipa_size(29, granule::k64, {}).shape, controls);
    stage2_cursor cursor;
    u64 const root_alone = frames.bytes_in_use();
    for (u64 at : {u64{0}, u64{0x10'0000}}) {
      ASSERT_TRUE(small.map(cursor, {at}, {at}, small.prepare(ram)));
      stage2_outcome const unmapped = small.unmap(cursor, {at});
      ASSERT_TRUE(unmapped);
      EXPECT_EQ(unmapped.tables_freed, 0u);
      EXPECT_EQ(unmapped.entries_written, 1u);
      EXPECT_EQ(frames.bytes_in_use(), root_alone);
    }
    // The last page before the cursor's group.
    stage2_cursor other;
    ASSERT_TRUE(small.map(other, ipa{63 * 0x1'0000}, pa{0}, small.prepare(ram)));
    ASSERT_TRUE(small.map(cursor, ipa{64 * 0x1'0000}, pa{0}, small.prepare(ram)));
    ASSERT_TRUE(small.unmap(cursor, ipa{64 * 0x1'0000}));
    EXPECT_EQ(small.unmap(cursor, ipa{63 * 0x1'0000}).tables_freed, 0u);
    pa const bits{small.root().value / 64 + frames.occupancy_bias()};
    EXPECT_EQ(memory.load(bits, load_order::relaxed).raw, 0u);
  }
  auto table = *table64::create(memory, frames, geometry::for_ipa_size(36, granule::k64, {}).shape, controls);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0x1'0000}, u64{1} << 29, ram, {.largest = level::l3}));
  stage2_cursor cursor;
  for (u64 at = 0; at < 0x100'0000; at += 0x10'0000)
    EXPECT_EQ(table.map(cursor, {at}, {0}, table.prepare(ram), existing::keep).error, table_error::already_mapped);
}

TEST(Stage2Table, KeepsAPageThatOnlyAged) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  ASSERT_TRUE(table.map(ipa{0x1000}, pa{0x5000}, level::l3, ram));
  u64 young = 0;
  ASSERT_TRUE(table.age(ipa{0x1000}, 0x1000, young));
  EXPECT_EQ(young, 0x1000u);
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0x5000}, level::l3, ram, existing::keep).entries_written, 1u);
  EXPECT_EQ(table.look_up(ipa{0x1000}).entry.raw, 0x57dbu);
  EXPECT_EQ(table.map(ipa{0x1000}, pa{0x6000}, level::l3, ram, existing::keep).error, table_error::already_mapped);
}

// No table where the walker answers an Address size fault: here beyond 2^40.
TEST(Stage2Table, TablesLieWhereTheWalkerReads) {
  geometry const narrow = geometry::for_ipa_size(40, granule::k4, {.pa_bits = 40}).shape;
  sim::machine_memory memory{u64{4} << 20, pa{u64{1} << 41}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), memory.size(), granule::k4};
  EXPECT_FALSE(table_type::create(memory, frames, narrow, controls));
  EXPECT_EQ(frames.bytes_in_use(), 0u);
}

TEST(Frames, RootsAreThereForRootsAgain) {
  sim::machine_memory memory{u64{1} << 20, pa{0x8000'0000}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), u64{1} << 20, granule::k4};
  for (int n = 0; n < 1000; ++n) {
    auto const table = table_type::create(memory, frames, shape, controls);
    ASSERT_TRUE(table) << n;
    ASSERT_FALSE(table->look_up(ipa{0}));
  }
}

// What hangs below a table that a block replaces is given back with it, wherever in the table it hung.
TEST(Frames, EveryTableBelowAReplacedOneComesBack) {
  for (u64 const slot : {u64{0}, u64{1}, u64{2}, u64{511}}) {
    machine m;
    table_type table = *table_type::create(m.memory, m.frames, shape, controls);
    u64 const root = m.frames.bytes_in_use();
    ASSERT_TRUE(table.map(ipa{slot << 21}, pa{0x1000}, level::l3, ram));
    ASSERT_TRUE(table.map(ipa{0x1f << 21}, pa{0x1000}, level::l3, ram));
    ASSERT_EQ(root + 3 * 0x1000, m.frames.bytes_in_use()) << slot;
    ASSERT_TRUE(table.map(ipa{0}, pa{0x4000'0000}, level::l1, ram, existing::replace));
    EXPECT_EQ(root, m.frames.bytes_in_use()) << slot;
  }
}

// Memory where others are at work between what a pop sees first and what it does about it.
struct interrupted_memory : sim::machine_memory {
  using sim::machine_memory::machine_memory;
  std::function<void()> meanwhile;
  descriptor load(pa where, load_order order) {
    descriptor const seen = sim::machine_memory::load(where, order);
    if (auto const once = std::exchange(meanwhile, nullptr)) once();
    return seen;
  }
};

// A frame that was taken and given back between a look and its exchange is another one: what it leads to has changed.
TEST(Frames, AFrameThatCameBackMeanwhileIsNotTakenByAnOldLook) {
  interrupted_memory memory(u64{1} << 20, pa{0});
  arena_frames<interrupted_memory, lock_free> frames{memory, pa{0}, u64{1} << 20, granule::k4};
  std::array<frame, 3> three;
  for (frame& f : three) f = *frames.take(0x1000);
  for (frame const& f : three) frames.give(f, 0x1000);  // the last is on top, the one before it below
  std::optional<frame> second;
  memory.meanwhile = [&] {
    frame const first = *frames.take(0x1000);
    second = frames.take(0x1000);
    frames.give(first, 0x1000);
  };
  std::optional<frame> const got = frames.take(0x1000);
  std::optional<frame> const next = frames.take(0x1000);
  ASSERT_TRUE(second && got && next);
  EXPECT_NE(second->address, got->address);
  EXPECT_NE(second->address, next->address);
  EXPECT_NE(got->address, next->address);
}

// Entries that a range wrote are not free for a fault, whatever the source's bits say of a table written as a whole.
TEST(Stage2Table, AFaultFindsWhatARangeMapped) {
  using source = occupancy_frames<sim::machine_memory>;
  sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
  source frames{memory, memory.base(), memory.size(), granule::k4};
  auto table = *stage2_table<sim::machine_memory, source>::create(memory, frames, shape, controls);
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0x1000}, 0x20'3000, ram));
  prepared_leaf const page = table.prepare(ram);
  stage2_cursor cursor;
  for (u64 at : {u64{0}, u64{0x1f'f000}, u64{0x20'2000}}) {
    EXPECT_EQ(table.map(cursor, {at}, {0}, page, existing::keep).error, table_error::already_mapped) << at;
    EXPECT_EQ(table.look_up({at}).output, pa{at + 0x1000});
  }
  EXPECT_TRUE(table.map(cursor, {0x20'3000}, {0}, page, existing::keep));
}

// A root of two tables, then a table of 1 GiB, and one for each 2 MiB: the last of the arena's frames maps 12 to 14
// MiB.
TEST(Stage2Table, ARangeThatRunsOutOfFramesSaysHowFarItCame) {
  sim::machine_memory memory{u64{10} << 12, pa{0x8000'0000}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), u64{10} << 12, granule::k4};
  {
    table_type table = *table_type::create(memory, frames, shape, controls);
    stage2_outcome const out = table.map_range(ipa{0}, pa{0x1000}, u64{64} << 20, ram);
    EXPECT_EQ(out.error, table_error::out_of_frames);
    EXPECT_EQ(out.at, ipa{0xe0'0000});
    EXPECT_EQ(out.tables_allocated, 8u);
    EXPECT_EQ(out.entries_written, 1u + 7 + 7 * 512);
    EXPECT_EQ(table.look_up(ipa{0xdf'ffff}).output, pa{0xe0'0fff});
    EXPECT_FALSE(table.look_up(ipa{0xe0'0000}));
    EXPECT_EQ(frames.bytes_in_use(), u64{10} << 12);
  }
  EXPECT_EQ(frames.bytes_in_use(), 0u);
}

TEST(Frames, RunsComeFromWhatWasNeverTaken) {
  sim::machine_memory memory{u64{8} << 12, pa{0x8000'0000}};
  arena_frames<sim::machine_memory> frames{memory, memory.base(), u64{8} << 12, granule::k4};
  frame_run const first = frames.take_run(3);
  EXPECT_EQ(first.first, pa{0x8000'0000});
  EXPECT_EQ(first.count, 3u);
  frames.give({pa{0x8000'1000}, false}, 0x1000);
  frame_run const again = frames.take_run(3);
  EXPECT_EQ(again.first, pa{0x8000'1000});
  EXPECT_EQ(again.count, 1u);
  frame_run const rest = frames.take_run(100);
  EXPECT_EQ(rest.first, pa{0x8000'3000});
  EXPECT_EQ(rest.count, 5u);
  EXPECT_EQ(frames.bytes_in_use(), u64{8} << 12);
  EXPECT_EQ(frames.take_run(1).count, 0u);
  EXPECT_FALSE(frames.take(0x1000));
}

// A leaf prepared for FWB is another in a table without, and one of 64K pages fits no 4K table: each is refused by
// every way of mapping, and nothing is written.
TEST(Stage2Table, APreparedLeafBelongsToAKindOfTable) {
  using memory = sim::machine_memory;
  using frames = arena_frames<memory>;
  using table = stage2_table<memory, frames>;
  memory port(u64{8} << 20);
  frames four(port, pa{0}, u64{2} << 20, granule::k4);
  frames sixty_four(port, pa{u64{2} << 20}, u64{4} << 20, granule::k64);
  geometry const pages_of_4k = geometry::for_ipa_size(40, granule::k4, {}).shape;
  table t = *table::create(port, four, pages_of_4k, {.fwb = true, .dic = true});
  table same_kind = *table::create(port, four, pages_of_4k, {.fwb = true, .tlbi_range = true, .dic = true});
  table without_fwb = *table::create(port, four, pages_of_4k, {.dic = true});
  table other_pages =
      *table::create(port, sixty_four, geometry::for_ipa_size(40, granule::k64, {}).shape, {.fwb = true, .dic = true});
  stage2_cursor cursor;
  prepared_leaf const shared = same_kind.prepare({.fwb = true});
  EXPECT_TRUE(t.map(cursor, {0x1000}, {0x1000}, shared));
  for (prepared_leaf const& p :
       {without_fwb.prepare({}), other_pages.prepare({.fwb = true}), without_fwb.prepare({}, level::l2),
        prepared_leaf{}, without_fwb.prepare({.fwb = true})}) {
    stage2_cursor fresh;
    page_mapping const pages[] = {{{0x20'0000}, {0x20'0000}}};
    EXPECT_EQ(t.map(cursor, {0x20'0000}, {0x20'0000}, p).error, table_error::leaf_encoding);
    EXPECT_EQ(t.map(fresh, {0x20'0000}, {0x20'0000}, p).error, table_error::leaf_encoding);
    EXPECT_EQ(t.map(std::span(pages), p).all.error, table_error::leaf_encoding);
    EXPECT_EQ(t.map(cursor, {0x1000}, {0x1000}, p).error, table_error::leaf_encoding);
  }
  EXPECT_EQ(t.statistics().leaves[index(level::l3)], 1u);
}

TEST(Stage2TableDeathTest, ASinkThatThrowsEndsTheProgram) {
  using memory = sim::machine_memory;
  memory port(u64{2} << 20);
  arena_frames<memory> frames(port, pa{0}, u64{2} << 20, granule::k4);
  auto t = *stage2_table<memory, decltype(frames)>::create(
      port, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true});
  ASSERT_TRUE(t.map({0x1000}, {0x1000}, level::l3, {.fwb = true}));
  EXPECT_DEATH((void)t.visit({0}, 0x2000, [](stage2_run const&) { throw 1; }), "");
  EXPECT_DEATH((void)t.collect_dirty({0}, 0x2000, [](ipa, u64) { throw 1; }), "");
}

// A walker that does not look into the caches would find what the root's memory held before.
TEST(Stage2Table, AWalkerPastTheCachesFindsTheRootInMemory) {
  using recorder = sim::recording_port<sim::machine_memory>;
  for (bool const coherent : {false, true}) {
    sim::machine_memory memory{u64{4} << 20, pa{0x8000'0000}};
    recorder port{memory};
    arena_frames<recorder> frames{port, memory.base(), memory.size(), granule::k4};
    auto const table =
        stage2_table<recorder, arena_frames<recorder>>::create(port, frames, shape, {.coherent_walks = coherent});
    ASSERT_TRUE(table);
    u64 cleaned = 0;
    for (sim::port_event const& e : port.events)
      if (e.kind == sim::event_kind::maintain && e.cache == cache_op::clean_to_poc) cleaned += e.size;
    EXPECT_EQ(coherent ? 0u : shape.root_size(), cleaned);
  }
}

// The last page of all addresses: 2^64 is no output address.
TEST(Stage2Table, ARangeThatWrapsIsRefused) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  EXPECT_EQ(table_error::out_of_range, table.map_range(ipa{~u64{0xfff}}, pa{0}, 0x2000, ram).error);
  EXPECT_EQ(table_error::out_of_range, table.map_range(ipa{0}, pa{~u64{0xfff}}, 0x2000, ram).error);
}

// A block that is there with nT is the same block: mapping a page of it again is no error.
TEST(Stage2Table, ABlockWithNtIsTheSameBlock) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  stage2_leaf nt = ram;
  nt.nt = true;
  ASSERT_TRUE(table.map(ipa{0x20'0000}, pa{0x20'0000}, level::l2, nt));
  EXPECT_EQ(table_error::none, table.map(ipa{0x20'1000}, pa{0x20'1000}, level::l3, ram).error);
}

// With FEAT_LPA2 output address bits 51:50 lie in bits 9:8 and 49:48 above bit 47: a range that crosses 2^48 has both.
TEST(Stage2Table, ARangeAcrossBit48AndItsLookUp) {
  machine m;
  geometry const wide = geometry::for_ipa_size(40, granule::k4, {.pa_bits = 52, .lpa2 = true}).shape;
  ASSERT_TRUE(wide.format.ds);
  table_type table = *table_type::create(m.memory, m.frames, wide, controls);
  for (u64 const edge : {u64{1} << 48, u64{1} << 50}) {
    u64 const first = edge - 0x2000;
    ASSERT_TRUE(table.map_range(ipa{0x1000}, pa{first}, 0x4000, ram));
    std::array<ipa, 4> const at{ipa{0x1123}, ipa{0x2123}, ipa{0x3123}, ipa{0x4123}};
    std::array<stage2_mapping, 4> found;
    table.look_up(at, found);
    for (u64 n = 0; n < 4; ++n) {
      EXPECT_EQ((pa{first + n * 0x1000}), table.look_up(ipa{0x1000 + n * 0x1000}).output);
      EXPECT_EQ((pa{first + n * 0x1000 + 0x123}), found[n].output);
    }
    ASSERT_TRUE(table.unmap(ipa{0x1000}, 0x4000));
  }
}

TEST(Stage2Table, StatisticsCountWhatIsThere) {
  machine m;
  table_type table = *table_type::create(m.memory, m.frames, shape, controls);
  stage2_leaf run = ram;
  run.contiguous = true;
  ASSERT_TRUE(table.map_range(ipa{0}, pa{0}, 0x1'0000, run));
  ASSERT_TRUE(table.map(ipa{0x2'0000}, pa{0}, level::l3, ram));
  ASSERT_TRUE(table.map(ipa{0x20'0000}, pa{0}, level::l2, ram));
  ASSERT_TRUE(table.map_range(ipa{0x4000'0000}, pa{0x4000'0000}, 16 * 0x20'0000, run));
  stage2_statistics const s = table.statistics();
  EXPECT_EQ(16u + 16u, s.contiguous);
  EXPECT_EQ(17u, s.leaves[index(level::l3)]);
  EXPECT_EQ(17u, s.leaves[index(level::l2)]);
  EXPECT_EQ(0x1'1000u + 17 * 0x20'0000u, s.bytes_mapped);
  EXPECT_EQ(1u, s.tables[index(level::l3)]);
}

}  // namespace
}  // namespace stage2_table_test
