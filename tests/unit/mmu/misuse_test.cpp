// SPDX-License-Identifier: MIT
// What callers get wrong: each has a defined answer, or stops a debug build where its precondition is written.
#include <gtest/gtest.h>

#include <limits>
#include <new>
#include <stdexcept>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa::misuse_test {
namespace {

using memory = sim::machine_memory;
using table_type = stage2_table<memory, arena_frames<memory>>;

constexpr u64 page = 0x1000;
constexpr u64 block = 0x20'0000;
constexpr u64 most = std::numeric_limits<u64>::max();

struct machine {
  memory ram{u64{4} << 20, pa{0x8000'0000}};
  arena_frames<memory> frames{ram, ram.base(), ram.size(), granule::k4};
  table_type table = *table_type::create(ram, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {});
};

// What may be in a lock-free table says so itself: nobody's wrapper, recorder or pool does by accident.
using for_many = sim::direct_memory<lock_free>;
using frames_for_many = arena_frames<for_many, lock_free>;
struct says_something_else {
  using mode = bool;
};
static_assert(fits_mode<for_many, lock_free> && fits_mode<frames_for_many, lock_free>);
static_assert(fits_mode<for_many, exclusive> && fits_mode<for_many, compact>);
static_assert(!fits_mode<sim::direct_memory<exclusive>, lock_free>);
static_assert(!fits_mode<sim::direct_memory<compact>, lock_free>);
static_assert(!fits_mode<arena_frames<memory>, lock_free> && !fits_mode<occupancy_frames<memory>, lock_free>);
static_assert(!fits_mode<failing_frames<frames_for_many>, lock_free>);
static_assert(!fits_mode<frame_pool<4>, lock_free>);
static_assert(!fits_mode<sim::recording_port<for_many>, lock_free>);
static_assert(!fits_mode<sim::recording_frames<frames_for_many, sim::recording_port<for_many>>, lock_free>);
static_assert(!fits_mode<says_something_else, lock_free>);

TEST(Misuse, ALevelThatIsNone) {
  for (int n : {-128, -2, 4, 127}) {
    machine m;
    auto const level_of = static_cast<level>(n);
    ASSERT_TRUE(m.table.map(ipa{0}, pa{block}, level::l2, {}));
    EXPECT_EQ(m.table.split(ipa{0}, block, level_of).error, table_error::leaf_encoding) << n;
    EXPECT_EQ(m.table.map_range(ipa{block}, pa{block}, block, {}, {.largest = level_of}).error,
              table_error::leaf_encoding)
        << n;
    EXPECT_EQ(m.table.map(ipa{block}, pa{block}, level_of, {}).error, table_error::leaf_encoding) << n;
    EXPECT_EQ(m.table.look_up(ipa{0}).at, level::l2) << n;
    EXPECT_EQ(m.table.tables(), 1u) << n;
  }
}

TEST(Misuse, AGranuleThatIsNone) {
  for (int n : {3, 4, 255})
    EXPECT_EQ(geometry::for_ipa_size(40, static_cast<granule>(n), all_features).error,
              geometry_error::granule_unsupported)
        << n;
}

TEST(Misuse, SizesThatWrap) {
  memory m(u64{2} << 20, pa{0x8000'0000});
  for (u64 count : {most, most / 8 + 1, most / 8, u64{1} << 61, m.size() / 8 + 1}) {
    EXPECT_THROW(m.fill(m.base(), {}, 0, count), std::out_of_range) << count;
    EXPECT_THROW((void)m.clear_bits(m.base(), count, 1), std::out_of_range) << count;
  }
  EXPECT_NO_THROW(m.fill(m.base(), {}, 0, m.size() / 8));
  for (u64 size : {most, most - sim::arena::alignment, most - 2 * sim::arena::alignment + 1})
    EXPECT_THROW(sim::arena{size}, std::bad_alloc) << size;
}

TEST(Misuse, FramesOfSizesThatAreNone) {
  machine m;
  u64 const before = m.frames.bytes_in_use();
  for (u64 size : {3 * page, 17 * page, 32 * page, u64{1} << 40, most, page + 8})
    EXPECT_FALSE(m.frames.take(size).has_value()) << size;
  EXPECT_TRUE(m.frames.take(16 * page).has_value());
  EXPECT_TRUE(m.frames.take(8).has_value());
  EXPECT_EQ(m.frames.bytes_in_use(), before + 17 * page);

  frame_pool<4> pool(pa{0x4000'0000}, granule::k4);
  for (u64 size : {5 * page, u64{1} << 45, most}) EXPECT_FALSE(pool.take(size).has_value()) << size;
  EXPECT_EQ(pool.frames_in_use(), 0u);
}

#ifndef NDEBUG
TEST(MisuseDeathTest, AMovedFromTable) {
  machine m;
  table_type other = std::move(m.table);
  EXPECT_TRUE(other.map(ipa{0}, pa{page}, level::l3, {}));
  EXPECT_DEATH((void)m.table.map(ipa{0}, pa{page}, level::l3, {}), "");
  EXPECT_DEATH((void)m.table.root(), "");
}

TEST(MisuseDeathTest, FramesThatAreNotTheSources) {
  machine m;
  frame const mine = *m.frames.take(page);
  EXPECT_DEATH(m.frames.give({pa{0x1000}}, page), "");                   // below it
  EXPECT_DEATH(m.frames.give({m.ram.base() + m.ram.size()}, page), "");  // behind it
  EXPECT_DEATH(m.frames.give({mine.address + 8}, page), "");             // inside a frame
  EXPECT_DEATH(m.frames.give(mine, 3 * page), "");                       // not of this size
  EXPECT_DEATH((arena_frames<memory>(m.ram, pa{0x8000'0800}, page, granule::k4)), "");
  EXPECT_DEATH((arena_frames<memory>(m.ram, m.ram.base(), most, granule::k4)), "");

  frame_pool<4> pool(pa{0x4000'0000}, granule::k4);
  frame const once = *pool.take(page);
  pool.give(once, page);
  EXPECT_DEATH(pool.give(once, page), "");  // twice
  EXPECT_DEATH(pool.give({pa{0x5000'0000}}, page), "");
}

// The operations of a table are noexcept, and so end the program when its port throws.
TEST(MisuseDeathTest, APortThatThrows) {
  machine m;
  memory small(u64{2} << 20, pa{0x8000'0000});
  arena_frames<memory> beyond(small, pa{0x9000'0000}, u64{1} << 20, granule::k4);
  EXPECT_DEATH((void)table_type::create(small, beyond, geometry::for_ipa_size(40, granule::k4, {}).shape, {}), "");
  EXPECT_DEATH(
      {
        auto t = table_type::create(m.ram, beyond, geometry::for_ipa_size(40, granule::k4, {}).shape, {});
        (void)t->map(ipa{0}, pa{page}, level::l3, {});
      },
      "");
}
#else
TEST(Misuse, AFramePoolTakesBackWhatIsItsOwn) {
  frame_pool<4> pool(pa{0x4000'0000}, granule::k4);
  frame const once = *pool.take(page);
  pool.give(once, page);
  pool.give(once, page);
  pool.give({pa{0x5000'0000}}, page);
  EXPECT_EQ(pool.frames_in_use(), 0u);
}
#endif

}  // namespace
}  // namespace vmsa::misuse_test
