// SPDX-License-Identifier: MIT
// A walker with hardware updates uses the table at every access of every operation: whatever it wrote stays known.
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "hardware_walker.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace stage2_table_hardware_test {
namespace {

using namespace vmsa;

// Calls a function at one access of an operation. A TLBI is complete at the next DSB ISH, and not before.
class walked_port {
 public:
  using mode = lock_free;  // the test has one thread

  explicit walked_port(sim::machine_memory& memory) : memory_(&memory) {}

  test::hardware_walker<sim::machine_memory>* walker = nullptr;
  std::function<void()> interrupt;
  unsigned after = 0;  // accesses until then

  descriptor load(pa where, load_order order) {
    access();
    return memory_->load(where, order);
  }
  void store(pa where, descriptor d, store_order order) {
    access();
    memory_->store(where, d, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    access();
    return memory_->compare_exchange(where, expected, desired);
  }
  void maintain(cache_op, pa, u64) {}
  void issue(barrier b) {
    access();
    if (b != barrier::dsb_ish || walker == nullptr) return;
    for (tlbi const& op : pending_) walker->invalidate(op);
    pending_.clear();
  }
  void issue(tlbi const& op) {
    access();
    pending_.push_back(op);
  }

 private:
  void access() {
    if (interrupt && after-- == 0) std::exchange(interrupt, nullptr)();
  }
  sim::machine_memory* memory_;
  std::vector<tlbi> pending_;
};

template <class Mode>
using table_of = stage2_table<walked_port, arena_frames<walked_port, Mode>, geometry, Mode>;

struct setting {
  granule tg = granule::k4;
  u8 bbm = 0;
  bool ttl = true;
  bool tlbi_range = false;
  u64 page() const { return granule_size(tg); }
  u64 block() const { return level_size(tg, level::l2); }
};

constexpr u64 delta = u64{1} << 36;
constexpr stage2_leaf clean{.fwb = true, .access = stage2_access::read, .dbm = true};

// Where a report of dirty pages goes; a page that is written and not in it must be found writable later.
using report = std::vector<std::pair<u64, u64>>;

enum class loses { nothing, state };  // state: the caller gives up what was written so far, by what the call is

template <class Table>
struct call {
  char const* name;
  loses what;
  stage2_outcome (*run)(Table&, setting const&, report&);
};

template <class Table>
std::vector<call<Table>> const& calls() {
  using table = Table;
  static std::vector<call<Table>> const all = {
      {"age", loses::nothing,
       [](table& t, setting const& s, report&) {
         u64 young = 0;
         return t.age({0}, s.block(), young);
       }},
      {"collect_dirty", loses::nothing,
       [](table& t, setting const& s, report& r) {
         return t.collect_dirty({0}, s.block(), [&](ipa at, u64 size) { r.emplace_back(at.value, size); });
       }},
      {"relax", loses::nothing,
       [](table& t, setting const& s, report&) {
         stage2_cursor cursor;
         return t.relax(cursor, {3 * s.page()}, stage2_access::read);
       }},
      {"map the same", loses::nothing,
       [](table& t, setting const& s, report&) {
         stage2_cursor cursor;
         return t.map(cursor, {3 * s.page()}, {delta + 3 * s.page()}, t.prepare(clean));
       }},
      {"map with execution taken away", loses::nothing,
       [](table& t, setting const& s, report&) {
         stage2_leaf data = clean;
         data.execute = stage2_execute::nobody;
         return t.map({3 * s.page()}, {delta + 3 * s.page()}, level::l3, data, existing::replace);
       }},
      {"map with another type", loses::nothing,
       [](table& t, setting const& s, report&) {
         stage2_leaf nc = clean;
         nc.memory = stage2_memory::normal_nc;
         return t.map({3 * s.page()}, {delta + 3 * s.page()}, level::l3, nc, existing::replace);
       }},
      {"map_range the same", loses::nothing,
       [](table& t, setting const& s, report&) {
         return t.map_range({2 * s.page()}, {delta + 2 * s.page()}, 4 * s.page(), clean);
       }},
      {"unmap a neighbour", loses::nothing,
       [](table& t, setting const& s, report&) { return t.unmap({4 * s.page()}, s.page()); }},
      {"unmap", loses::nothing,
       [](table& t, setting const& s, report&) { return t.unmap({2 * s.page()}, 4 * s.page()); }},
      {"unmap all", loses::nothing, [](table& t, setting const& s, report&) { return t.unmap({0}, s.block()); }},
      {"split", loses::nothing, [](table& t, setting const& s, report&) { return t.split({0}, s.block()); }},
      {"collapse", loses::nothing, [](table& t, setting const& s, report&) { return t.collapse({0}, s.block()); }},
      {"change memory", loses::nothing,
       [](table& t, setting const& s, report&) {
         return t.change_memory({2 * s.page()}, 4 * s.page(), stage2_memory::normal_nc);
       }},
      {"protect: execution", loses::nothing,
       [](table& t, setting const& s, report&) {
         return t.protect({2 * s.page()}, 4 * s.page(), stage2_access::read_write, stage2_execute::nobody);
       }},
      {"write-protect", loses::state,
       [](table& t, setting const& s, report&) { return t.write_protect({2 * s.page()}, 4 * s.page()); }},
      {"start_dirty_log", loses::state,
       [](table& t, setting const& s, report&) { return t.start_dirty_log({0}, s.block()); }},
  };
  return all;
}

enum class start_state { pages, block, runs };

// Whether the page's last write can be found in the table. Of a Contiguous run any entry may say it.
template <class Table>
bool known(Table const& table, u64 at, u64 page) {
  stage2_mapping const m = table.look_up({at});
  if (!m || m.output.value != at + delta) return true;
  u64 const region = u64{1} << leaf_region_bits(m.entry, m.at, table.shape().format);
  if (region == m.size) return (m.entry.raw & engine::write_bit) != 0;
  for (u64 in = at & ~(region - 1); in < (at | (region - 1)); in += page)
    if ((table.look_up({in}).entry.raw & engine::write_bit) != 0) return true;
  return false;
}

// True when the operation lasted until the walker came.
template <class Mode>
bool interrupted(setting const& s, start_state start, call<table_of<Mode>> const& c, unsigned after, bool warm) {
  sim::machine_memory memory(24 * s.page(), pa{s.block()});
  walked_port port(memory);
  arena_frames<walked_port, Mode> frames(port, memory.base(), memory.size(), s.tg);
  stage2_configuration const configuration = geometry::for_ipa_size(40, s.tg, all_features);
  stage2_controls const controls{
      .fwb = true, .ha = true, .hd = true, .bbm = s.bbm, .ttl = s.ttl, .tlbi_range = s.tlbi_range, .dic = true};
  auto table = std::move(*table_of<Mode>::create(port, frames, configuration.shape, controls));
  map_range_options const options{.largest = start == start_state::block ? level::l2 : level::l3,
                                  .contiguous = start == start_state::runs};
  EXPECT_TRUE(table.map_range({0}, {delta}, s.block(), clean, options));

  test::hardware_walker<sim::machine_memory> walker(memory, table.root(), configuration.shape);
  port.walker = &walker;
  u64 const used[] = {3 * s.page(), 9 * s.page()};
  if (warm) {
    for (u64 at : used) {
      EXPECT_TRUE(walker.access({at}, false).output);
    }
  }

  std::vector<u64> written;
  port.after = after;
  port.interrupt = [&] {
    for (u64 at : used) {
      auto const a = walker.access({at}, true);
      if (!a.output) continue;  // a fault: the guest tries again later
      EXPECT_EQ(a.output->value, at + delta);
      written.push_back(at);
    }
  };
  report reported;
  stage2_outcome const out = c.run(table, s, reported);
  EXPECT_EQ(out.error, table_error::none);
  bool const reached = !port.interrupt;
  port.interrupt = nullptr;
  auto const said = [&](u64 at) {
    for (auto const& [begin, size] : reported)
      if (begin <= at && at - begin < size) return true;
    return false;
  };
  for (u64 at : written) {
    if (c.what == loses::nothing && !said(at)) {
      EXPECT_TRUE(known(table, at, s.page())) << "a write was lost at 0x" << std::hex << at;
    }
  }
  // What it may still hold must not hide the next write.
  for (u64 at : used) {
    auto const a = walker.access({at}, true);
    stage2_mapping const m = table.look_up({at});
    if (a.output) {
      EXPECT_TRUE(m) << "a translation outlived its mapping at 0x" << std::hex << at;
      EXPECT_EQ(a.output->value, m.output.value);
      EXPECT_TRUE(known(table, at, s.page())) << "a write through a stale translation at 0x" << std::hex << at;
    }
  }
  return reached;
}

template <class Mode>
unsigned every_call() {
  unsigned runs = 0;
  for (u8 const bbm : {u8{0}, u8{1}, u8{2}})
    for (bool const warm : {false, true})
      for (start_state const start : {start_state::pages, start_state::block, start_state::runs})
        for (call<table_of<Mode>> const& c : calls<table_of<Mode>>())
          // The entries of a table are alike: all accesses at the beginning, then some.
          for (unsigned after = 0; after < 4000; after += after < 24 ? 1 : 97) {
            SCOPED_TRACE(::testing::Message()
                         << c.name << ", FEAT_BBM " << int{bbm} << ", start " << static_cast<int>(start) << ", access "
                         << after << (warm ? ", warm" : ""));
            bool const reached = interrupted<Mode>({.bbm = bbm, .ttl = bbm != 1}, start, c, after, warm);
            if (::testing::Test::HasFailure()) return runs;
            if (!reached) break;
            ++runs;
          }
  return runs;
}

TEST(Stage2TableHardware, NothingWrittenIsForgottenExclusive) {
  std::printf("measured: %u interruptions by a walker\n", every_call<exclusive>());
}
TEST(Stage2TableHardware, NothingWrittenIsForgottenLockFree) {
  std::printf("measured: %u interruptions by a walker\n", every_call<lock_free>());
}

template <class Mode>
struct machine {
  sim::machine_memory memory{24 * u64{0x1000}, pa{0x20'0000}};
  walked_port port{memory};
  arena_frames<walked_port, Mode> frames{port, memory.base(), memory.size(), granule::k4};
  geometry shape = geometry::for_ipa_size(40, granule::k4, all_features).shape;
  table_of<Mode> table =
      std::move(*table_of<Mode>::create(port, frames, shape, {.fwb = true, .ha = true, .hd = true, .dic = true}));
  test::hardware_walker<sim::machine_memory> walker{memory, table.root(), shape};

  machine() { port.walker = &walker; }
};

// DBM gives write permission where software took it away: both must go.
TEST(Stage2TableHardware, WhatIsProtectedStaysProtected) {
  machine<exclusive> m;
  ASSERT_TRUE(m.table.map_range({0}, {delta}, 0x20'0000, clean, {.largest = level::l3}));
  EXPECT_TRUE(m.walker.access({0x1000}, true).output);
  EXPECT_TRUE(m.table.protect({0}, 0x3000, stage2_access::read, stage2_execute::everyone));
  EXPECT_FALSE(m.walker.access({0x1000}, true).output);
  EXPECT_FALSE(m.walker.access({0x2000}, true).output);
  EXPECT_TRUE(m.walker.access({0x3000}, true).output);
  EXPECT_TRUE(m.table.write_protect({0x3000}, 0x1000));
  EXPECT_FALSE(m.walker.access({0x3000}, true).output);
  EXPECT_TRUE(m.walker.access({0x3000}, false).output);
}

// Without DBM S2AP[1] is a permission, whatever VTCR_EL2.HD says, and a block has one for all of its pages.
TEST(Stage2TableHardware, CollapseGrantsNothing) {
  machine<lock_free> m;
  stage2_leaf const writable{.fwb = true};
  stage2_leaf const read_only{.fwb = true, .access = stage2_access::read};
  ASSERT_TRUE(m.table.map_range({0}, {delta}, 0x20'0000, writable, {.largest = level::l3}));
  ASSERT_TRUE(m.table.map({0x5000}, {delta + 0x5000}, level::l3, read_only));
  EXPECT_TRUE(m.table.collapse({0}, 0x20'0000));
  EXPECT_FALSE(m.walker.access({0x5000}, true).output);
  EXPECT_TRUE(m.walker.access({0x4000}, true).output);
}

}  // namespace
}  // namespace stage2_table_hardware_test
