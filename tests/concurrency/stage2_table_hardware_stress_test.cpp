// SPDX-License-Identifier: MIT
// Threads on one lock_free table while PEs with hardware updates use it, and frames that run out now and then.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "hardware_walker.hpp"
#include "insist.hpp"
#include "jostled_port.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace stage2_table_hardware_stress_test {
namespace {

using namespace vmsa;

// What a PE does between two looks at its TLB is done under its lock.
class jostled_memory {
 public:
  explicit jostled_memory(sim::machine_memory& memory) : memory_(&memory) {}
  descriptor load(pa where, load_order order) {
    test::jostle(8);
    return memory_->load(where, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    test::jostle(4);
    return memory_->compare_exchange(where, expected, desired);
  }

 private:
  sim::machine_memory* memory_;
};
struct processor {
  std::mutex lock;
  test::hardware_walker<jostled_memory> walker;
};

// A TLBI is complete at the issuing thread's next DSB ISH, which waits for what the other PEs are doing.
class machine_port : public test::jostled_port {
 public:
  using jostled_port::jostled_port;
  std::vector<std::unique_ptr<processor>>* others = nullptr;

  void issue(barrier b) {
    if (b != barrier::dsb_ish || others == nullptr) return;
    for (std::unique_ptr<processor>& p : *others) {
      std::lock_guard const hold(p->lock);
      for (tlbi const& op : issued()) p->walker.invalidate(op);
    }
    issued().clear();
  }
  void issue(tlbi const& op) {
    jostled_port::issue(op);
    issued().push_back(op);
  }

 private:
  static std::vector<tlbi>& issued() {
    thread_local std::vector<tlbi> ops;
    return ops;
  }
};

using arena_type = arena_frames<machine_port, lock_free>;

// One in `one_in` fails, once that is set.
struct moody_frames {
  using mode = lock_free;

  arena_type& source;
  std::atomic<unsigned> one_in{0};
  std::atomic<unsigned> refused{0};

  std::optional<frame> take(u64 size) {
    thread_local std::minstd_rand random(std::random_device{}());
    unsigned const n = one_in.load(std::memory_order_relaxed);
    if (n != 0 && random() % n == 0) {
      refused.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return source.take(size);
  }
  void give(frame f, u64 size) { source.give(f, size); }
};

using table_type = stage2_table<machine_port, moody_frames, geometry, lock_free>;

constexpr unsigned threads = 3;
constexpr unsigned processors = 2;
constexpr u64 delta = u64{1} << 40;

// Five blocks of guest memory, all DBM; of each the first pages are used.
//   logged   pages; every time hardware made one dirty, it is reported once or still dirty
//   shaped   a block or pages, split and collapsed; what hardware wrote stays dirty
//   runs     Contiguous, taken apart; what hardware wrote stays dirty
//   owned    each page mapped and unmapped by one thread, each time to another output; nobody reaches an old one
//   faulted  mapped by anyone, unmapped with its table
class hardware_stress {
 public:
  hardware_stress(granule tg, stage2_controls const& controls, unsigned operations)
      : tg_(tg),
        operations_(operations),
        memory_(96 * granule_size(tg), pa{64 * granule_size(tg)}),
        port_(memory_),
        arena_(port_, memory_.base(), memory_.size(), tg),
        table_(std::move(*table_type::create(port_, frames_, shape_of(tg), controls))),
        dead_(threads * (operations + 1)),
        used_(threads * (operations + 1)) {
    EXPECT_TRUE(table_.map_range({logged}, {delta}, block(), clean, {.largest = level::l3}));
    EXPECT_TRUE(table_.map_range({shaped()}, {delta + shaped()}, block(), clean));
    EXPECT_TRUE(
        table_.map_range({runs()}, {delta + runs()}, block(), clean, {.largest = level::l3, .contiguous = true}));
    for (unsigned n = 0; n < processors; ++n)
      pes_.push_back(std::unique_ptr<processor>(new processor{{}, {walked_, table_.root(), shape_of(tg)}}));
    port_.others = &pes_;
  }

  void run() {
    frames_.one_in = 3;
    std::vector<std::thread> all;
    for (unsigned n = 0; n < threads; ++n) all.emplace_back([this, n] { work(n); });
    for (unsigned n = 0; n < processors; ++n) all.emplace_back([this, n] { use(n); });
    for (unsigned n = 0; n < threads; ++n) all[n].join();
    done_ = true;
    for (unsigned n = 0; n < processors; ++n) all[threads + n].join();
    frames_.one_in = 0;
    // No PE holds a translation that hides a write.
    for (std::unique_ptr<processor>& pe : pes_) {
      for (u64 n = 0; n < used_pages; ++n) {
        dirtied_[n] += pe->walker.access({logged + n * page()}, true).dirtied;
        EXPECT_TRUE(dirty(logged + n * page())) << "a write through a stale translation";
      }
    }
    judge();
    unsigned const bbm = table_bbm();
    tear_down();
    std::printf(
        "measured: %s granule, FEAT_BBM %u: %llu writes, %llu made dirty, %llu reported, %u times no frame, %u busy\n",
        tg_ == granule::k4    ? "4K"
        : tg_ == granule::k16 ? "16K"
                              : "64K",
        bbm, static_cast<unsigned long long>(writes_.load()), static_cast<unsigned long long>(total(dirtied_)),
        static_cast<unsigned long long>(total(reported_)), frames_.refused.load(), busy_.load());
  }

 private:
  static constexpr u64 logged = 0;
  static constexpr u64 used_pages = 48;
  static constexpr stage2_leaf clean{.fwb = true, .access = stage2_access::read, .dbm = true};

  static geometry shape_of(granule tg) { return geometry::for_ipa_size(42, tg, all_features).shape; }
  u64 page() const { return granule_size(tg_); }
  u64 block() const { return level_size(tg_, level::l2); }
  u64 shaped() const { return block(); }
  u64 runs() const { return 2 * block(); }
  u64 owned() const { return 3 * block(); }
  u64 faulted() const { return 4 * block(); }
  u8 table_bbm() const { return table_.controls().bbm; }
  static u64 total(std::array<std::atomic<u64>, used_pages> const& counts) {
    u64 sum = 0;
    for (auto const& c : counts) sum += c.load();
    return sum;
  }

  // A PE: accesses under its lock, so that a DSB waits for it.
  void use(unsigned number) {
    std::minstd_rand random(1000 + number);
    processor& me = *pes_[number];
    while (!done_ && !::testing::Test::HasFailure()) {
      u64 const n = random() % used_pages;
      u64 const region = (random() % 5) * block();
      bool const write = random() % 4 != 0;
      std::lock_guard const hold(me.lock);
      auto const a = me.walker.access({region + n * page()}, write);
      if (!a.output) continue;
      if (region != owned()) {
        EXPECT_EQ(a.output->value, region + n * page() + delta);
        if (!write) continue;
        writes_.fetch_add(1, std::memory_order_relaxed);
        if (region == logged) dirtied_[n] += a.dirtied;
        if (region == shaped()) written_[0][n] = true;
        if (region == runs()) written_[1][n] = true;
        continue;
      }
      u64 const output = (a.output->value - 2 * delta) / page();
      test::jostle(2);
      ASSERT_LT(output, dead_.size());
      EXPECT_FALSE(dead_[output].load()) << "a page was reached after its unmap had returned";
      if (write) used_[output] = true;
    }
  }

  static bool allowed(stage2_outcome const& out) {
    return out || out.error == table_error::busy || out.error == table_error::out_of_frames;
  }

  void work(unsigned number) {
    std::minstd_rand random(number);
    stage2_cursor cursor;
    u64 serial = 0;
    std::array<u64, used_pages> mine{};
    for (unsigned n = 0; n < operations_ && !::testing::Test::HasFailure(); ++n) {
      u64 const p = random() % used_pages;
      u64 const size = (1 + random() % (used_pages - p)) * page();
      u64 young = 0;
      switch (random() % 4) {
        case 0: log(random, cursor, p, size); break;
        case 1: {
          u64 const region = random() % 2 ? shaped() : runs();
          ipa const at{region + p * page()};
          switch (random() % 6) {
            case 0: EXPECT_TRUE(allowed(table_.split({region}, block()))); break;
            case 1: EXPECT_TRUE(allowed(table_.collapse({region}, block()))); break;
            case 2: EXPECT_TRUE(allowed(table_.age(at, size, young))); break;
            case 3: EXPECT_TRUE(allowed(table_.relax(cursor, at, stage2_access::read))); break;
            case 4: (void)table_.change_memory({region}, block(), stage2_memory::normal_nc); break;
            default:
              EXPECT_TRUE(allowed(
                  table_.change_memory(at, size, random() % 2 ? stage2_memory::normal_nc : stage2_memory::normal_wb)));
          }
          break;
        }
        case 2: {
          u64 const own = p - p % threads + number;
          if (own >= used_pages) break;
          ipa const at{owned() + own * page()};
          if (mine[own] == 0) {
            u64 const output = serial * threads + number;
            pa const to{2 * delta + output * page()};
            if (test::insist(busy_,
                             [&] { return table_.map(cursor, at, to, table_.prepare(clean), existing::keep); })) {
              mine[own] = output + 1;
              owned_[own] = output + 1;
              ++serial;
            }
          } else {
            EXPECT_TRUE(test::insist(busy_, [&] { return table_.unmap(cursor, at); }));
            dead_[mine[own] - 1] = true;
            owned_[own] = mine[own] = 0;
          }
          break;
        }
        default: {
          ipa const at{faulted() + p * page()};
          if (random() % 8 == 0)
            (void)table_.unmap({faulted()}, block());
          else if (random() % 2)
            EXPECT_TRUE(allowed(table_.map(cursor, at, {at.value + delta}, table_.prepare(clean), existing::keep)));
          else
            EXPECT_TRUE(allowed(table_.map_range(at, {at.value + delta}, size, clean)));
        }
      }
      quiet_[number].fetch_add(1, std::memory_order_release);
      if (number == 0 && n % 32 == 0) reclaim();
    }
    quiet_[number].store(~u64{0}, std::memory_order_release);
  }

  void log(std::minstd_rand& random, stage2_cursor& cursor, u64 p, u64 size) {
    ipa const at{logged + p * page()};
    u64 young = 0;
    switch (random() % 6) {
      case 0: EXPECT_TRUE(allowed(table_.age(at, size, young))); break;
      case 1: EXPECT_TRUE(allowed(table_.relax(cursor, at, stage2_access::read))); break;
      case 2: EXPECT_TRUE(allowed(table_.map(cursor, at, {at.value + delta}, table_.prepare(clean)))); break;
      case 3: EXPECT_TRUE(allowed(table_.change_memory(at, size, stage2_memory::normal_wb))); break;
      default:
        (void)table_.collect_dirty(at, size, [&](ipa page_at, u64 bytes) {
          EXPECT_EQ(bytes, page());
          reported_[(page_at.value - logged) / page()] += 1;
        });
    }
  }

  // Every other thread was between two calls once since the tables were taken, so that none holds one.
  void reclaim() {
    unlinked_tables const tables = table_.take_retired();
    std::array<u64, threads> before{};
    for (unsigned n = 1; n < threads; ++n) before[n] = quiet_[n].load(std::memory_order_acquire);
    for (unsigned n = 1; n < threads; ++n)
      while (before[n] != ~u64{0} && quiet_[n].load(std::memory_order_acquire) == before[n]) std::this_thread::yield();
    (void)table_.give_back(tables);
  }

  bool dirty(u64 at) const {
    stage2_mapping const m = table_.look_up({at});
    return m && (m.entry.raw & engine::write_bit) != 0;
  }
  void judge() {
    for (u64 n = 0; n < used_pages; ++n) {
      EXPECT_EQ(dirtied_[n] - reported_[n], dirty(logged + n * page()) ? 1u : 0u) << "page " << n;
      if (written_[0][n]) {
        EXPECT_TRUE(dirty(shaped() + n * page())) << n;
      }
      if (written_[1][n]) {
        stage2_mapping const m = table_.look_up({runs() + n * page()});
        u64 const run = (u64{1} << leaf_region_bits(m.entry, m.at, table_.shape().format)) / page();
        bool any = dirty(runs() + n * page());
        for (u64 other = n / run * run; m.at == level::l3 && other < (n / run + 1) * run; ++other)
          any = any || dirty(runs() + other * page());
        EXPECT_TRUE(any) << n;
      }
      stage2_mapping const m = table_.look_up({owned() + n * page()});
      ASSERT_EQ(m.mapped, owned_[n] != 0);
      if (m) {
        EXPECT_EQ(m.output.value, 2 * delta + (owned_[n] - 1) * page());
        EXPECT_EQ((m.entry.raw & engine::write_bit) != 0, used_[owned_[n] - 1].load());
      }
    }
    EXPECT_GT(writes_.load(), 0u);
    EXPECT_GT(total(reported_), 0u);
    EXPECT_GT(frames_.refused.load(), 0u);
  }
  void tear_down() {
    (void)table_.give_back(table_.take_retired());
    stage2_statistics const s = table_.statistics();
    u64 below_root = 0;
    for (level l = next(table_.shape().start_level());; l = next(l)) {
      below_root += s.tables[index(l)];
      if (l == level::l3) break;
    }
    EXPECT_EQ(table_.tables(), below_root);
    u64 const root = std::max(table_.shape().root_size(), page());
    EXPECT_EQ(arena_.bytes_in_use(), root + below_root * page());
    { table_type const last = std::move(table_); }
    EXPECT_EQ(arena_.bytes_in_use(), 0u);
  }

  granule tg_;
  unsigned operations_;
  sim::machine_memory memory_;
  machine_port port_;
  arena_type arena_;
  moody_frames frames_{arena_};
  table_type table_;
  jostled_memory walked_{memory_};
  std::vector<std::unique_ptr<processor>> pes_;
  std::atomic<bool> done_{false};
  std::array<std::atomic<u64>, used_pages> dirtied_{};
  std::array<std::atomic<u64>, used_pages> reported_{};
  std::array<std::array<std::atomic<bool>, used_pages>, 2> written_{};
  std::array<std::atomic<u64>, used_pages> owned_{};
  std::vector<std::atomic<bool>> dead_;
  std::vector<std::atomic<bool>> used_;
  std::array<std::atomic<u64>, threads> quiet_{};
  std::atomic<u64> writes_{0};
  std::atomic<unsigned> busy_{0};
};

TEST(Stage2TableHardwareStress, NoWriteIsLostAndNoFrame) {
  for (granule const tg : {granule::k4, granule::k16, granule::k64})
    for (u8 const bbm : {u8{0}, u8{1}, u8{2}})
      hardware_stress(
          tg, {.fwb = true, .ha = true, .hd = true, .bbm = bbm, .ttl = bbm != 1, .tlbi_range = bbm == 2, .dic = true},
          tg == granule::k4 ? 4000 : 1500)
          .run();
}

}  // namespace
}  // namespace stage2_table_hardware_stress_test
