// SPDX-License-Identifier: MIT
// Many callers on one lock_free table. Each page has one output it may ever be mapped to, and each thread remembers
// what it was told, so that every page's end can be explained by some order of the calls.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace {

using namespace vmsa;
using port_type = sim::direct_memory<lock_free>;
using frames_type = arena_frames<port_type, lock_free>;
using table_type = stage2_table<port_type, frames_type, geometry, lock_free>;

constexpr u64 page = 4096;
constexpr u64 pages = 4 * 512;
constexpr unsigned threads = 4;
constexpr stage2_leaf ram{.fwb = true, .access = stage2_access::read};

pa output_of_page(u64 n) { return {(u64{1} << 36) + n * page}; }

struct machine {
  sim::arena memory{u64{64} << 20};
  port_type port{memory, pa{u64{1} << 32}};
  frames_type frames{port, port.base(), port.size(), granule::k4};
  table_type table =
      *table_type::create(port, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});
};

template <class Body>
void together(Body body) {
  std::atomic<unsigned> waiting{threads};
  std::vector<std::thread> all;
  for (unsigned n = 0; n < threads; ++n) {
    all.emplace_back([&, n] {
      waiting.fetch_sub(1);
      while (waiting.load() != 0) std::this_thread::yield();
      body(n);
    });
  }
  for (std::thread& t : all) t.join();
}

// Every page is faulted by every thread: one installs it, the others find it.
TEST(Stage2TableStress, FaultsOnTheSamePages) {
  for (unsigned round = 0; round < 4; ++round) {
    machine m;
    std::atomic<u64> installed{0};
    std::atomic<u64> tables{0};
    together([&](unsigned thread) {
      std::mt19937 random(round * threads + thread);
      prepared_leaf const leaf = m.table.prepare(ram);
      stage2_cursor cursor;
      for (u64 n = 0; n < pages; ++n) {
        u64 const p = thread % 2 ? n : random() % pages;
        stage2_outcome const out = m.table.map(cursor, {p * page}, output_of_page(p), leaf);
        ASSERT_EQ(out.error, table_error::none);
        installed += out.entries_written - out.tables_allocated;
        tables += out.tables_allocated;
      }
    });
    EXPECT_EQ(installed.load(), pages);
    EXPECT_EQ(tables.load(), m.table.tables());
    for (u64 p = 0; p < pages; ++p) ASSERT_EQ(m.table.look_up({p * page}).output, output_of_page(p));
  }
}

// A page's installs and removals alternate, whoever makes them: their numbers differ by what is mapped in the end.
TEST(Stage2TableStress, FaultsAgainstUnmapsOfPages) {
  machine m;
  std::vector<std::atomic<int>> balance(pages);
  together([&](unsigned thread) {
    std::mt19937 random(thread);
    prepared_leaf const leaf = m.table.prepare(ram);
    stage2_cursor cursor;
    for (unsigned n = 0; n < 60000; ++n) {
      u64 const p = random() % 64 * 32 + random() % 4;
      if (random() % 2) {
        stage2_outcome const out = m.table.map(cursor, {p * page}, output_of_page(p), leaf, existing::keep);
        ASSERT_TRUE(out || out.error == table_error::busy || out.error == table_error::already_mapped);
        if (out) balance[p] += static_cast<int>(out.entries_written - out.tables_allocated);
      } else {
        stage2_outcome const out = m.table.unmap(cursor, {p * page});
        ASSERT_TRUE(out || out.error == table_error::busy || out.error == table_error::not_mapped);
        if (out) balance[p] -= static_cast<int>(out.entries_written);
      }
    }
  });
  for (u64 p = 0; p < pages; ++p) {
    ASSERT_EQ(balance[p].load(), m.table.look_up({p * page}).mapped ? 1 : 0) << p;
  }
}

// Faults, unmaps of ranges with whole tables, permissions, age, look-ups. Retired tables go back at quiet moments only.
TEST(Stage2TableStress, EverythingThatMayRunTogether) {
  machine m;
  for (unsigned round = 0; round < 60; ++round) {
    together([&](unsigned thread) {
      std::mt19937 random(round * threads + thread);
      prepared_leaf const leaf = m.table.prepare(ram);
      stage2_cursor cursor;
      for (unsigned n = 0; n < 400; ++n) {
        u64 const p = random() % pages;
        ipa const at{p * page};
        switch (random() % 8) {
          case 0: {
            u64 const first = random() % 4 * 512;
            (void)m.table.unmap({first * page}, 512 * page);
            break;
          }
          case 1: (void)m.table.unmap(at, page * std::min<u64>(1 + random() % 40, pages - p)); break;
          case 2: (void)m.table.relax(cursor, at, stage2_access::read_write); break;
          case 3: (void)m.table.write_protect(at, page * std::min<u64>(1 + random() % 100, pages - p)); break;
          case 4: {
            u64 young = 0;
            (void)m.table.age(at, page, young);
            break;
          }
          case 5: {
            stage2_mapping const found = m.table.look_up(at);
            if (found) {
              ASSERT_EQ(found.output, output_of_page(p));
            }
            break;
          }
          default: {
            stage2_outcome const out = m.table.map(cursor, at, output_of_page(p), leaf);
            ASSERT_TRUE(out || out.error == table_error::busy) << static_cast<int>(out.error);
          }
        }
      }
    });
    m.table.give_back(m.table.take_retired());
    for (u64 p = 0; p < pages; ++p) {
      stage2_mapping const found = m.table.look_up({p * page});
      if (found) {
        ASSERT_EQ(found.output, output_of_page(p));
      }
    }
  }
  EXPECT_TRUE(m.table.unmap(ipa{0}, pages * page));
  EXPECT_EQ(m.table.statistics().bytes_mapped, 0u);
  m.table.give_back(m.table.take_retired());
  EXPECT_EQ(m.table.tables(), m.table.statistics().tables[2] + m.table.statistics().tables[3] +
                                  m.table.statistics().tables[4] - (m.table.shape().root_size() >> 12));
}

// Frames come back when the table goes, whatever was retired.
TEST(Stage2TableStress, NothingLeaks) {
  auto m = std::make_unique<machine>();
  auto const before = m->frames.bytes_in_use();
  {
    table_type other = *table_type::create(m->port, m->frames, m->table.shape(), m->table.controls());
    EXPECT_TRUE(other.map_range({0}, {page}, u64{1} << 30, {.fwb = true}));
    EXPECT_TRUE(other.unmap(ipa{0}, u64{1} << 29));
  }
  EXPECT_EQ(m->frames.bytes_in_use(), before);
}

}  // namespace
