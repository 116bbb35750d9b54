// SPDX-License-Identifier: MIT
// Calls on one lock_free table that interrupt each other at every access: each outcome is that of some order of the
// calls, one after another, and no break, DSB or TLBI is missing between them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "hardware_walker.hpp"
#include "one_at_a_time.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_trace.hpp"
#include "vmsa/text/report/check_report.hpp"

namespace {

using namespace vmsa;

constexpr u64 page = 0x1000;
constexpr u64 block = 0x200000;
constexpr u64 delta = u64{1} << 32;
constexpr stage2_leaf plain_leaf{.fwb = true};
constexpr ipa first_page{3 * page};

geometry const shape = geometry::for_ipa_size(40, granule::k4, all_features).shape;

// Calls functions in the middle of another call's accesses; each is a PE of its own.
class interrupted_port {
 public:
  explicit interrupted_port(sim::machine_memory& memory) : memory_(&memory) {}

  struct interruption {
    unsigned after = 0;  // points of the first call until then
    std::function<void()> call;
  };
  std::vector<interruption> interruptions;  // in order
  test::hardware_walker<sim::machine_memory>* guest = nullptr;
  u8 pe = 0;  // whose accesses these are

  descriptor load(pa where, load_order order) {
    access(kind::load);
    return memory_->load(where, order);
  }
  void store(pa where, descriptor d, store_order order) {
    access(kind::store);
    memory_->store(where, d, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    access(kind::exchange);
    return memory_->compare_exchange(where, expected, desired);
  }
  void maintain(cache_op, pa, u64) { access(kind::maintain); }
  // A TLBI is complete at its own PE's next DSB ISH, and not before.
  void issue(barrier b) {
    access(kind::barrier);
    if (b != barrier::dsb_ish) return;
    for (tlbi const& op : issued_[pe])
      if (guest != nullptr) guest->invalidate(op);
    issued_[pe].clear();
  }
  void issue(tlbi const& op) {
    access(kind::barrier);
    issued_[pe].push_back(op);
  }

 private:
  // Of the many alike, such as a table's 512 entries, the first few are points to interrupt at.
  enum class kind : u8 { load, store, exchange, maintain, barrier };
  static constexpr unsigned alike = 10;
  void access(kind k) {
    if (inside_) return;
    if (k == kind::barrier) seen_ = {};
    if (++seen_[static_cast<unsigned>(k)] > alike) return;
    inside_ = true;
    while (!interruptions.empty() && interruptions.front().after == count_) {
      auto const call = std::move(interruptions.front().call);
      interruptions.erase(interruptions.begin());
      call();
    }
    ++count_;
    inside_ = false;
  }
  sim::machine_memory* memory_;
  std::array<std::vector<tlbi>, 3> issued_;
  std::array<unsigned, 5> seen_{};  // of each kind since the last barrier
  unsigned count_ = 0;
  bool inside_ = false;
};

using recorder = test::one_at_a_time<sim::recording_port<interrupted_port>>;
using one_table = stage2_table<recorder, arena_frames<recorder, lock_free>, geometry, lock_free>;

struct operation {
  char const* name;
  stage2_outcome (*run)(one_table&, stage2_cursor&);
  bool unmaps = false;  // whatever the page was mapped to before
};
operation const on_a_page[] = {
    {"map",
     [](one_table& t, stage2_cursor& c) {
       return t.map(c, first_page, {delta + 3 * page}, t.prepare(plain_leaf), existing::keep);
     }},
    {"map elsewhere",
     [](one_table& t, stage2_cursor& c) {
       return t.map(c, first_page, {5 * delta}, t.prepare(plain_leaf), existing::keep);
     }},
    {"replace",
     [](one_table& t, stage2_cursor& c) {
       return t.map(c, first_page, {6 * delta}, t.prepare(plain_leaf), existing::replace);
     },
     true},
    {"unmap page", [](one_table& t, stage2_cursor& c) { return t.unmap(c, first_page); }, true},
    {"relax", [](one_table& t, stage2_cursor& c) { return t.relax(c, first_page, stage2_access::read_write); }},
    {"tighten",
     [](one_table& t, stage2_cursor& c) {
       return t.map(c, first_page, {delta + 3 * page}, t.prepare({.fwb = true, .access = stage2_access::read}));
     }},
    {"unmap pages", [](one_table& t, stage2_cursor&) { return t.unmap({2 * page}, 4 * page); }, true},
    {"write-protect", [](one_table& t, stage2_cursor&) { return t.write_protect({2 * page}, 4 * page); }},
};
operation const on_a_block[] = {
    {"unmap block", [](one_table& t, stage2_cursor&) { return t.unmap({0}, block); }, true},
    {"change memory",
     [](one_table& t, stage2_cursor&) { return t.change_memory({2 * page}, 4 * page, stage2_memory::normal_nc); }},
    {"split", [](one_table& t, stage2_cursor&) { return t.split({0}, block); }},
    {"collapse", [](one_table& t, stage2_cursor&) { return t.collapse({0}, block); }},
    {"map pages",
     [](one_table& t, stage2_cursor&) {
       return t.map_range({0}, {delta}, 8 * page, plain_leaf, {.what = existing::keep});
     }},
    {"map batch",
     [](one_table& t, stage2_cursor&) {
       page_mapping const pages[] = {{first_page, {delta + 3 * page}}, {{9 * page}, {delta + 9 * page}}};
       return t.map(pages, t.prepare(plain_leaf), existing::keep).all;
     }},
    {"collect_dirty", [](one_table& t, stage2_cursor&) { return t.collect_dirty({0}, block, [](ipa, u64) {}); }},
    {"age",
     [](one_table& t, stage2_cursor&) {
       u64 young = 0;
       return t.age({0}, block, young);
     }},
    {"protect all",
     [](one_table& t, stage2_cursor&) { return t.protect({0}, block, stage2_access::read, stage2_execute::nobody); }},
};

// What one page of guest memory is mapped to; all zeros when it is not.
struct content {
  u64 output = 0;
  u64 bits = 0;  // of the page that is mapped, address and size aside
  friend bool operator==(content const&, content const&) = default;
};
content content_of(one_table const& table) {
  stage2_mapping const m = table.look_up(first_page);
  EXPECT_FALSE(is_busy(m.entry)) << "left busy";
  if (!m) return {};
  u64 const size = descriptor_bits::contiguous::mask | 0b10;
  return {m.output.value, m.entry.raw & ~(bit_mask(47, 12) | size)};
}

enum class start_state { empty, one_block, pages, whole_table, runs };

struct scenario {
  start_state start{};
  u8 bbm = 0;
  bool coherent_walks = true;
  friend auto operator<=>(scenario const&, scenario const&) = default;
};

// The first call, and those that interrupt it at its n-th access, or run after it when it does not last that long.
struct interleaving {
  operation const* call = nullptr;
  unsigned after = 0;
};
struct end_state {
  content page{};
  std::array<table_error, 3> errors{};
  bool all_inside = true;  // the first call lasted until the last interruption
};

end_state run(scenario const& s, operation const& first, std::vector<interleaving> const& others) {
  static sim::machine_memory memory(12 * page, pa{block});
  memory.fill(memory.base(), {}, 0, memory.size() / 8);
  interrupted_port port(memory);
  recorder log(port);
  arena_frames<recorder, lock_free> frames(log, memory.base(), memory.size(), granule::k4);
  stage2_controls const controls{
      .fwb = true, .bbm = s.bbm, .ttl = true, .dic = true, .coherent_walks = s.coherent_walks};
  end_state result;
  {
    one_table table(std::move(*one_table::create(log, frames, shape, controls)));
    sim::port_judge judge(table.root(), shape, controls);
    std::array<stage2_cursor, 3> cursors{};
    stage2_outcome made;
    switch (s.start) {
      case start_state::empty: break;
      case start_state::one_block: made = table.map({0}, {delta}, level::l2, plain_leaf); break;
      case start_state::pages: made = table.map_range({2 * page}, {delta + 2 * page}, 4 * page, plain_leaf); break;
      case start_state::whole_table:
        made = table.map_range({0}, {delta}, block, plain_leaf, {.largest = level::l3});
        break;
      case start_state::runs:
        made = table.map_range({0}, {delta}, block, plain_leaf, {.largest = level::l3, .contiguous = true});
        break;
    }
    EXPECT_TRUE(made);
    for (sim::port_event const& e : log.events) judge.on(e);
    log.events.clear();

    test::hardware_walker<sim::machine_memory> guest(memory, table.root(), shape, false);
    port = interrupted_port(memory);
    port.guest = &guest;
    constexpr ipa neighbour{9 * page};
    (void)guest.access(first_page, false);
    (void)guest.access(neighbour, false);
    // What a call unmapped is out of the guest's reach when it returns, whatever the others are at. Permissions are
    // less strict: who finds that another has taken one leaves the TLBI to it.
    auto const returned = [&](operation const& call, stage2_outcome const& out) {
      if (!out || out.entries_written == 0 || !call.unmaps) return;
      (void)guest.access(neighbour, false);
      stage2_mapping const m = table.look_up(first_page);
      auto const reached = guest.access(first_page, false).output;
      EXPECT_TRUE(is_busy(m.entry) || !reached || (m && *reached == m.output))
          << "the guest still has what " << call.name << " took away";
    };
    // A cursor takes its group the second time.
    for (stage2_cursor& c : cursors)
      for (unsigned n = 0; s.start == start_state::whole_table && n < 2; ++n)
        EXPECT_TRUE(table.map(c, {6 * page}, {delta + 6 * page}, table.prepare(plain_leaf)));
    auto const other = [&](std::size_t n) {
      u8 const interrupted = std::exchange(log.pe, static_cast<u8>(n + 1));
      port.pe = log.pe;
      stage2_outcome const out = others[n].call->run(table, cursors[n + 1]);
      result.errors[n + 1] = out.error;
      returned(*others[n].call, out);
      log.pe = port.pe = interrupted;
    };
    for (std::size_t n = 0; n < others.size(); ++n)
      port.interruptions.push_back({others[n].after, [&other, n] { other(n); }});
    stage2_outcome const out = first.run(table, cursors[0]);
    result.errors[0] = out.error;
    returned(first, out);
    result.all_inside = port.interruptions.empty();
    std::size_t const left = port.interruptions.size();
    port.interruptions.clear();
    for (std::size_t n = others.size() - left; n < others.size(); ++n) other(n);

    // Cursors that outlived a table's unlinking must not lead back into it.
    (void)table.give_back(table.take_retired());
    // Its frame comes back as another table, in which they would find free entries.
    ipa const elsewhere{8 * block};
    EXPECT_TRUE(table.map(elsewhere, {delta}, level::l3, plain_leaf));
    for (std::size_t n = 0; n <= others.size(); ++n) {
      ipa const at{(5 + n) * page};
      stage2_outcome const mapped =
          table.map(cursors[n], at, {delta + at.value}, table.prepare(plain_leaf), existing::keep);
      EXPECT_FALSE(table.look_up(elsewhere + at.value)) << "a cursor led into another table";
      if (!mapped) continue;
      EXPECT_EQ(table.look_up(at).output.value, delta + at.value) << "a cursor led into a table that is gone";
    }
    result.page = content_of(table);
    for (sim::port_event const& e : log.events) judge.on(e);
    judge.finish();
    EXPECT_EQ(judge.first(), nullptr) << text::describe(*judge.first());
    log.events.clear();
  }
  EXPECT_EQ(frames.bytes_in_use(), 0u);
  return result;
}

// The calls of `order` one after another, in a table of their own.
end_state in_order(scenario const& s, std::vector<operation const*> const& order) {
  static std::map<std::pair<scenario, std::vector<operation const*>>, end_state> known;
  auto const [at, fresh] = known.try_emplace({s, order});
  if (!fresh) return at->second;
  if (order.empty()) {
    static operation const nothing{"nothing", [](one_table&, stage2_cursor&) { return stage2_outcome{}; }};
    return at->second = run(s, nothing, {});
  }
  std::vector<interleaving> others;
  for (std::size_t n = 1; n < order.size(); ++n) others.push_back({order[n], ~0u});
  end_state const result = run(s, *order[0], others);
  return known[{s, order}] = result;
}

// Some order of the calls that were not refused as busy ends so and tells each what it was told. The calls that
// interrupt follow one another. A call that does several leaves one by one may have met a busy one behind the page: it
// counts as refused or as done.
bool explained(scenario const& s, std::vector<operation const*> const& calls, end_state const& got) {
  std::vector<unsigned> busy;
  for (unsigned n = 0; n < calls.size(); ++n)
    if (got.errors[n] == table_error::busy) busy.push_back(n);
  for (unsigned included = 0; included < 1u << busy.size(); ++included) {
    for (std::size_t place = 0; place < calls.size(); ++place) {
      std::vector<unsigned> order;
      for (unsigned n = 1; n < calls.size(); ++n) order.push_back(n);
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(place), 0u);
      for (unsigned b = 0; b < busy.size(); ++b)
        if ((included >> b & 1) == 0) order.erase(std::find(order.begin(), order.end(), busy[b]));
      std::vector<operation const*> named;
      for (unsigned n : order) named.push_back(calls[n]);
      end_state const want = in_order(s, named);
      bool same = want.page == got.page;
      for (std::size_t n = 0; n < order.size(); ++n)
        same = same && (got.errors[order[n]] == want.errors[n] || got.errors[order[n]] == table_error::busy);
      if (same) return true;
    }
  }
  // Making leaves smaller is a step that others may see.
  bool const larger = s.start == start_state::one_block || s.start == start_state::runs;
  return larger && explained({start_state::whole_table, s.bbm, s.coherent_walks}, calls, got);
}

::testing::Message describe(scenario const& s, operation const& first, std::vector<interleaving> const& others,
                            end_state const& got) {
  ::testing::Message m;
  m << "start " << static_cast<int>(s.start) << ", FEAT_BBM " << int{s.bbm} << ": " << first.name << " ("
    << static_cast<int>(got.errors[0]) << ')';
  for (std::size_t n = 0; n < others.size(); ++n)
    m << ", " << others[n].call->name << " at its point " << others[n].after << " ("
      << static_cast<int>(got.errors[n + 1]) << ')';
  m << ", ends at output 0x" << std::hex << got.page.output << " bits 0x" << got.page.bits;
  return m;
}

constexpr start_state starts[] = {start_state::empty, start_state::one_block, start_state::pages,
                                  start_state::whole_table, start_state::runs};

std::vector<operation const*> all_operations() {
  std::vector<operation const*> all;
  for (operation const& o : on_a_page) all.push_back(&o);
  for (operation const& o : on_a_block) all.push_back(&o);
  return all;
}

unsigned pairs(u8 bbm, bool coherent_walks) {
  unsigned runs = 0;
  for (start_state const start : starts) {
    scenario const s{start, bbm, coherent_walks};
    for (operation const* a : all_operations())
      for (operation const* b : all_operations())
        for (unsigned after = 0;; ++after) {
          std::vector<interleaving> const others{{b, after}};
          end_state const got = run(s, *a, others);
          if (!got.all_inside) break;
          ++runs;
          bool const is_explained = explained(s, {a, b}, got);
          EXPECT_TRUE(is_explained) << describe(s, *a, others, got);
          if (::testing::Test::HasFailure()) {
            ADD_FAILURE() << describe(s, *a, others, got);
            return runs;
          }
        }
  }
  return runs;
}

TEST(Stage2TableInterleaving, TwoCalls) { std::printf("measured: %u interleavings of two calls\n", pairs(0, true)); }
TEST(Stage2TableInterleavingSlow, TwoCallsWithBbm1) {
  std::printf("measured: %u interleavings of two calls\n", pairs(1, true));
}
TEST(Stage2TableInterleavingSlow, TwoCallsWithBbm2) {
  std::printf("measured: %u interleavings of two calls\n", pairs(2, true));
}
TEST(Stage2TableInterleavingSlow, TwoCallsWithWalkersThatReadMemory) {
  std::printf("measured: %u interleavings of two calls\n", pairs(0, false));
}

// Two calls, one after the other, in the middle of a third.
TEST(Stage2TableInterleavingSlow, ThreeCalls) {
  unsigned runs = 0;
  for (start_state const start : {start_state::empty, start_state::pages}) {
    scenario const s{start, 0, true};
    for (operation const& a : on_a_page)
      for (operation const& b : on_a_page)
        for (operation const& c : on_a_page)
          for (unsigned first = 0, inside = 1; inside != 0; ++first) {
            inside = 0;
            for (unsigned second = first; second < first + 24; ++second) {
              std::vector<interleaving> const others{{&b, first}, {&c, second}};
              end_state const got = run(s, a, others);
              if (!got.all_inside) break;
              ++runs;
              ++inside;
              bool const is_explained = explained(s, {&a, &b, &c}, got);
              EXPECT_TRUE(is_explained) << describe(s, a, others, got);
              if (::testing::Test::HasFailure()) FAIL() << describe(s, a, others, got);
            }
          }
  }
  std::printf("measured: %u interleavings of three calls\n", runs);
}

}  // namespace
