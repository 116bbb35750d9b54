// SPDX-License-Identifier: MIT
// Threads on one lock_free table; frames that run out everywhere.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "insist.hpp"
#include "jostled_port.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace stage2_table_stress_test {
namespace {

using namespace vmsa;

constexpr u64 page = 0x1000;
constexpr u64 block = 0x200000;
constexpr u64 pages_per_block = block / page;

geometry shape() { return geometry::for_ipa_size(40, granule::k4, all_features).shape; }

using test::jostled_port;
using frames_type = arena_frames<jostled_port, lock_free>;
using table_type = stage2_table<jostled_port, frames_type, geometry, lock_free>;

constexpr unsigned thread_count = 4;

// Three parts of guest memory:
//   owned    each page is mapped, unmapped and protected by one thread alone, which knows what it must find; the others
//            change its memory type and age
//   counted  any thread maps and unmaps any page; every success is counted
//   shared   any thread does anything, blocks and whole tables included; a page has one possible output
class stress {
 public:
  explicit stress(stage2_controls const& controls)
      : memory_(4 * block, pa{block}),
        port_(memory_),
        frames_(port_, memory_.base(), memory_.size(), granule::k4),
        table_(std::move(*table_type::create(port_, frames_, shape(), controls))) {}

  void run(unsigned operations) {
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < thread_count; ++n) threads.emplace_back([this, n, operations] { work(n, operations); });
    for (std::thread& t : threads) t.join();
    judge();
    (void)table_.give_back(table_.take_retired());
    stage2_statistics const s = table_.statistics();
    EXPECT_EQ(table_.tables(), s.tables[index(level::l2)] + s.tables[index(level::l3)]);
    EXPECT_EQ(frames_.bytes_in_use(), table_.table_bytes());
    stage2_outcome const gone = table_.unmap({0}, 16 * block);
    EXPECT_TRUE(gone);
    (void)table_.give_back(table_.take_retired());
    { table_type const last = std::move(table_); }
    EXPECT_EQ(frames_.bytes_in_use(), 0u);
    EXPECT_GT(freed_.load(), 0u) << "no table was unlinked beside others";
    std::printf("measured: %u threads, %u operations each, %u busy, %u tables retired and freed\n", thread_count,
                operations, busy_.load(), freed_.load());
  }

 private:
  static constexpr u64 owned_begin = 0;
  static constexpr u64 owned_pages = 256;
  static constexpr u64 counted_begin = 2 * block;
  static constexpr u64 counted_pages = 64;
  static constexpr u64 shared_begin = 4 * block;
  static constexpr u64 shared_blocks = 2;
  static constexpr u64 shared_delta = u64{1} << 30;

  struct owned_page {
    u64 output = 0;  // 0: not mapped
    bool writable = false;
  };
  struct thread_state {
    std::minstd_rand random;
    stage2_cursor cursor;
    unsigned number = 0;
    u64 serial = 0;
    u64 pick(u64 n) { return random() % n; }
  };

  stage2_leaf leaf(bool writable = true) const {
    return {.fwb = table_.controls().fwb, .access = writable ? stage2_access::read_write : stage2_access::read};
  }

  void work(unsigned number, unsigned operations) {
    thread_state me{std::minstd_rand(number + 1), {}, number};
    for (unsigned n = 0; n < operations && !::testing::Test::HasFailure(); ++n) {
      switch (me.pick(3)) {
        case 0: own(me); break;
        case 1: count(me); break;
        default: share(me);
      }
      quiet_[number].fetch_add(1, std::memory_order_release);
      if (number == 0 && n % 32 == 0) reclaim();
    }
    quiet_[number].store(~u64{0}, std::memory_order_release);
    // The others need the frames that they retire even when this thread was done first.
    while (number == 0 && others_work()) reclaim();
  }
  bool others_work() const {
    for (unsigned n = 1; n < thread_count; ++n)
      if (quiet_[n].load(std::memory_order_acquire) != ~u64{0}) return true;
    return false;
  }

  // Every other thread was between two calls once since the tables were taken, so that none holds one.
  void reclaim() {
    unlinked_tables const tables = table_.take_retired();
    std::array<u64, thread_count> before{};
    for (unsigned n = 1; n < thread_count; ++n) before[n] = quiet_[n].load(std::memory_order_acquire);
    for (unsigned n = 1; n < thread_count; ++n)
      while (before[n] != ~u64{0} && quiet_[n].load(std::memory_order_acquire) == before[n]) std::this_thread::yield();
    freed_ += table_.give_back(tables);
  }

  void own(thread_state& me) {
    u64 const n = me.pick(owned_pages / thread_count) * thread_count + me.number;
    ipa const at{owned_begin + n * page};
    owned_page& mine = owned_[n];
    switch (me.pick(8)) {
      case 0:
      case 1: {
        bool const writable = me.pick(2) != 0;
        u64 const output = (u64{1} << 32) + ((++me.serial * thread_count + me.number) << 12);
        bool const was = mine.output != 0;
        auto const what = was && me.pick(2) ? existing::replace : existing::keep;
        prepared_leaf const prepared = table_.prepare(leaf(writable));
        stage2_outcome const out =
            test::insist(busy_, [&] { return table_.map(me.cursor, at, {output}, prepared, what); });
        EXPECT_EQ(out.error, was && what == existing::keep ? table_error::already_mapped : table_error::none);
        if (out) mine = {output, writable};
        break;
      }
      case 2: {
        stage2_outcome const out = test::insist(busy_, [&] { return table_.unmap(me.cursor, at); });
        EXPECT_EQ(out.error, mine.output != 0 ? table_error::none : table_error::not_mapped);
        mine = {};
        break;
      }
      case 3:
        EXPECT_TRUE(test::insist(busy_, [&] { return table_.write_protect(at, page); }));
        mine.writable = false;
        break;
      case 4: {
        stage2_outcome const out =
            test::insist(busy_, [&] { return table_.relax(me.cursor, at, stage2_access::read_write); });
        EXPECT_EQ(out.error, mine.output != 0 ? table_error::none : table_error::not_mapped);
        mine.writable = mine.output != 0;
        break;
      }
      case 5: {
        u64 const first = me.pick(owned_pages - 8);
        u64 const size = (1 + me.pick(8)) * page;
        auto const type = me.pick(2) ? stage2_memory::normal_nc : stage2_memory::normal_wb;
        (void)table_.change_memory({owned_begin + first * page}, size, type);
        break;
      }
      case 6: {
        u64 young = 0;
        (void)table_.age({owned_begin + me.pick(owned_pages - 16) * page}, 16 * page, young);
        break;
      }
      default: check_owned(n, true);
    }
  }

  void check_owned(u64 n, bool running) {
    stage2_mapping const m = table_.look_up({owned_begin + n * page});
    owned_page const& mine = owned_[n];
    if (running && is_busy(m.entry)) return;  // another's change of memory type
    ASSERT_EQ(m.mapped, mine.output != 0) << n;
    if (!m.mapped) return;
    EXPECT_EQ(m.output.value, mine.output);
    EXPECT_EQ((m.entry.raw & engine::write_bit) != 0, mine.writable) << n;
  }

  void count(thread_state& me) {
    u64 const n = me.pick(counted_pages);
    ipa const at{counted_begin + n * page};
    if (me.pick(2)) {
      u64 const output = (u64{1} << 33) + ((++me.serial * thread_count + me.number) << 12);
      stage2_outcome const out =
          table_.map(me.cursor, at, {output}, table_.prepare(leaf()), me.pick(2) ? existing::keep : existing::update);
      if (out && out.entries_written != 0) counted_[n].fetch_add(1, std::memory_order_relaxed);
    } else if (table_.unmap(me.cursor, at)) {
      counted_[n].fetch_sub(1, std::memory_order_relaxed);
    }
  }

  void share(thread_state& me) {
    ipa const b{shared_begin + me.pick(shared_blocks) * block};
    ipa const at = b + me.pick(pages_per_block) * page;
    auto const to = [](ipa x) { return pa{x.value + shared_delta}; };
    auto const what = me.pick(3) == 0 ? existing::replace : existing::keep;
    u64 young = 0;
    auto const done = [&](stage2_outcome const& out) {
      if (out.error == table_error::busy) busy_.fetch_add(1, std::memory_order_relaxed);
      EXPECT_NE(out.error, table_error::out_of_frames);
    };
    switch (me.pick(16)) {
      case 0: done(table_.map(b, to(b), level::l2, leaf(), what)); break;
      case 1: done(table_.map_range(b, to(b), block, leaf(), {.contiguous = me.pick(2) == 0, .what = what})); break;
      case 2: done(table_.map_range(at, to(at), (1 + me.pick(4)) * page, leaf(), {.what = what})); break;
      case 3:
      case 4: done(table_.map(me.cursor, at, to(at), table_.prepare(leaf()), what)); break;
      case 5: done(table_.unmap(b, block)); break;
      case 6: done(table_.unmap(me.cursor, at)); break;
      case 7: done(table_.split(b, block)); break;
      case 8: done(table_.collapse(b, block)); break;
      case 9: done(table_.write_protect(at, page)); break;
      case 10: done(table_.relax(me.cursor, at, stage2_access::read_write)); break;
      case 11: done(table_.age(b, block, young)); break;
      case 12:
        done(table_.change_memory(b, block, me.pick(2) ? stage2_memory::normal_nc : stage2_memory::normal_wb));
        break;
      case 13: done(table_.visit(b, block, [&](stage2_run const& r) { EXPECT_EQ(r.output, to(r.at)); })); break;
      case 14: done(table_.collect_dirty(b, block, [](ipa, u64) {})); break;
      default:
        for (unsigned n = 0; n < 8; ++n)
          if (stage2_mapping const m = table_.look_up(at + n * 16 * page)) {
            EXPECT_EQ(m.output, to(at + n * 16 * page));
          }
    }
  }

  void judge() {
    for (u64 n = 0; n < owned_pages; ++n) check_owned(n, false);
    for (u64 n = 0; n < counted_pages; ++n) {
      stage2_mapping const m = table_.look_up({counted_begin + n * page});
      EXPECT_FALSE(is_busy(m.entry));
      EXPECT_EQ(counted_[n].load(), m.mapped ? 1 : 0) << n;
    }
    EXPECT_TRUE(table_.visit({0}, 16 * block, [&](stage2_run const& r) {
      if (r.at.value >= shared_begin && r.at.value < shared_begin + shared_blocks * block) {
        EXPECT_EQ(r.output.value, r.at.value + shared_delta);
      }
    })) << "an entry was left busy";
  }

  sim::machine_memory memory_;
  jostled_port port_;
  frames_type frames_;
  table_type table_;
  std::array<owned_page, owned_pages> owned_{};
  std::array<std::atomic<int>, counted_pages> counted_{};
  std::array<std::atomic<u64>, thread_count> quiet_{};
  std::atomic<unsigned> busy_{0};
  std::atomic<unsigned> freed_{0};
};

TEST(Stage2TableStress, EveryPageEndsAsASerialOrderExplains) {
  for (u8 const bbm : {u8{0}, u8{1}, u8{2}})
    stress({.fwb = bbm != 1, .bbm = bbm, .ttl = true, .dic = true}).run(12'000);
}

// What one page of guest memory is mapped to; all zeros when it is not.
struct content {
  u64 output = 0;
  bool writable = false;
  u8 memattr = 0;
  friend bool operator==(content const&, content const&) = default;
};
template <class Table>
content content_of(Table const& table, u64 at) {
  stage2_mapping const m = table.look_up({at});
  EXPECT_FALSE(is_busy(m.entry)) << std::hex << at;
  if (!m) return {};
  return {m.output.value, (m.entry.raw & engine::write_bit) != 0, stage2_bits::memattr::get(m.entry.raw)};
}

constexpr u64 delta = u64{1} << 32;
constexpr stage2_leaf plain_leaf{.fwb = true};

using direct = sim::machine_memory;
struct short_frames : failing_frames<arena_frames<direct, lock_free>> {
  using mode = lock_free;  // the test has one thread
};
using short_table = stage2_table<direct, short_frames, geometry, lock_free>;

// Before the call, blocks of 2 MiB at 0 and 2 MiB and of 1 GiB at 1 GiB, all read-write.
struct starving_call {
  char const* name;
  stage2_outcome (*run)(short_table&);
  u64 begin;
  u64 size;
  content (*after)(u64 at);
  unsigned frames;  // that it takes
};
constexpr u64 gib = u64{1} << 30;
constexpr u8 wb = 0b0110;  // [MemAttr with FWB: Normal Write-Back]
constexpr u8 nc = 0b0101;
starving_call const calls[] = {
    {"map far away", [](short_table& t) { return t.map({5 * gib}, {delta}, level::l3, plain_leaf); }, 5 * gib, page,
     [](u64) {
       return content{delta, true, wb};
     },
     2},
    {"map range",
     [](short_table& t) {
       return t.map_range({6 * block - 4 * page}, {delta}, 2 * block, plain_leaf, {.largest = level::l3});
     },
     6 * block - 4 * page, 2 * block,
     [](u64 at) {
       return content{at - (6 * block - 4 * page) + delta, true, wb};
     },
     3},
    {"split", [](short_table& t) { return t.split({0}, 2 * block); }, 0, 2 * block,
     [](u64 at) {
       return content{at + delta, true, wb};
     },
     2},
    {"write-protect", [](short_table& t) { return t.write_protect({page}, 2 * block - 2 * page); }, page,
     2 * block - 2 * page,
     [](u64 at) {
       return content{at + delta, false, wb};
     },
     2},
    {"unmap", [](short_table& t) { return t.unmap({gib + page}, page); }, gib + page, page,
     [](u64) { return content{}; }, 2},
    {"change memory",
     [](short_table& t) { return t.change_memory({page}, 2 * block - 2 * page, stage2_memory::normal_nc); }, page,
     2 * block - 2 * page,
     [](u64 at) {
       return content{at + delta, true, nc};
     },
     2},
    {"replace",
     [](short_table& t) { return t.map({gib + page}, {7 * delta}, level::l3, plain_leaf, existing::replace); },
     gib + page, page,
     [](u64) {
       return content{7 * delta, true, wb};
     },
     2},
};

content before(u64 at) {
  bool const mapped = at < 2 * block || (at >= gib && at < 2 * gib);
  return mapped ? content{at + delta, true, wb} : content{};
}

TEST(Stage2TableFrames, RunningOutAnywhereSaysHowFarItCameAndLeaksNothing) {
  for (starving_call const& call : calls) {
    for (u64 left = 0; left <= call.frames; ++left) {
      SCOPED_TRACE(::testing::Message() << call.name << " with " << left << " frames");
      direct memory(24 * page, pa{block});
      arena_frames<direct, lock_free> all(memory, memory.base(), memory.size(), granule::k4);
      short_frames frames{all, 1000};
      {
        short_table table(std::move(*short_table::create(memory, frames, shape(), {.fwb = true, .dic = true})));
        ASSERT_TRUE(table.map_range({0}, {delta}, 2 * block, plain_leaf));
        ASSERT_TRUE(table.map({gib}, {gib + delta}, level::l1, plain_leaf));
        u64 const tables = table.tables();
        frames.left = left;
        stage2_outcome const out = call.run(table);
        ASSERT_EQ(out.error, left < call.frames ? table_error::out_of_frames : table_error::none);
        EXPECT_EQ(table.tables(), tables + out.tables_allocated - out.tables_freed);
        for (u64 const from : {u64{0}, gib - 2 * page, 2 * gib - 2 * page, 5 * gib - page})
          for (u64 at = from; at < from + 8 * block; at += page) {
            bool const done = at >= call.begin && at < call.begin + call.size && (out || at < out.at.value);
            ASSERT_EQ(content_of(table, at) == (done ? call.after(at) : before(at)), true) << std::hex << at;
          }
        stage2_statistics const s = table.statistics();
        EXPECT_EQ(table.tables(), s.tables[index(level::l2)] + s.tables[index(level::l3)]);
      }
      EXPECT_EQ(all.bytes_in_use(), 0u);
    }
  }
}

}  // namespace
}  // namespace stage2_table_stress_test
