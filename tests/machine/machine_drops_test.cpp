// SPDX-License-Identifier: MIT
// Every barrier and TLBI of the table's operations is taken out, one at a time, on the machine under the hoarder, and a
// guest uses what the operation left.
#include "rig.hpp"
#include "table_operations.hpp"

namespace machine_drops_test {
namespace {

using namespace vmsa;
using sim::machine;

// PE 0, which leaves out one barrier or TLBI.
class forgetful_port {
 public:
  using mode = lock_free;  // the test has one thread

  explicit forgetful_port(sim::machine_pe& pe) : pe_(pe) {}

  std::vector<sim::port_event> seen;  // barriers and TLBI
  std::size_t without = ~std::size_t{0};

  descriptor load(pa where, load_order order) { return pe_.load(where, order); }
  void store(pa where, descriptor d, store_order order) { pe_.store(where, d, order); }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    return pe_.compare_exchange(where, expected, desired);
  }
  void maintain(cache_op op, pa where, u64 size) { pe_.maintain(op, where, size); }
  void issue(barrier b) {
    seen.push_back({.kind = sim::event_kind::barrier, .fence = b});
    if (seen.size() - 1 != without) pe_.issue(b);
  }
  void issue(tlbi const& op) {
    seen.push_back({.kind = sim::event_kind::tlbi, .invalidation = op});
    if (seen.size() - 1 != without) pe_.issue(op);
  }

 private:
  sim::machine_pe& pe_;
};

struct tally {
  unsigned dropped = 0;
  unsigned redundant = 0;
  unsigned by_access = 0;  // a guest's access shows it, and not the judge alone
  std::vector<std::string> wrong;
};

template <class Mode>
void drop_each(granule tg, stage2_controls const& controls, tally& out) {
  using rig_type = test::engine_rig<Mode, forgetful_port>;
  using table = typename rig_type::table_type;
  test::table_sizes const s{granule_size(tg), level_size(tg, level::l2)};
  for (test::table_operation<table> const& what : test::table_operations<table>()) {
    // Returns whether something failed, and what barriers and TLBI there were.
    auto const run = [&](std::size_t without, bool& by_access) {
      machine m({.memory = u64{16} << 20, .tg = tg, .controls = controls, .who = sim::adversary::hoarder()});
      forgetful_port port(m.pe(0));
      rig_type rig(m, port);
      EXPECT_TRUE(what.prepare(rig.table, s));
      m.pe(0).done();
      m.pe(0).enter({.root = rig.table.root()});
      m.pe(0).exception();
      m.pe(1).enter({.root = rig.table.root()});
      port.seen.clear();
      port.without = without;
      EXPECT_TRUE(what.run(rig.table, s));
      port.without = ~std::size_t{0};
      m.pe(0).done();
      for (u64 n = 0; n < 16; ++n)
        for (u64 const base : {u64{0}, s.block}) static_cast<void>(m.pe(1).store({base + n * s.page}, n));
      bool failed = false;
      by_access = false;
      for (sim::finding const& f : m.findings()) {
        failed = failed || f.failure();
        by_access = by_access || (f.failure() && f.what != sim::finding_kind::judged);
      }
      return std::pair{failed, port.seen};
    };
    bool by_access = false;
    auto const [failed, events] = run(~std::size_t{0}, by_access);
    EXPECT_FALSE(failed) << what.name;
    for (std::size_t n = 0; n < events.size(); ++n) {
      bool const redundant = test::may_go(what.name, controls.bbm, events, n);
      ++out.dropped;
      out.redundant += redundant;
      if (run(n, by_access).first == redundant)
        out.wrong.push_back(std::string(what.name) + ": barrier or TLBI " + std::to_string(n + 1) + " of " +
                            std::to_string(events.size()));
      out.by_access += by_access;
    }
  }
}

template <class Mode>
void drop_all(char const* mode) {
  tally out;
  for (granule const tg : {granule::k4, granule::k16, granule::k64})
    for (u8 const bbm : {u8{0}, u8{2}})
      for (bool const range : {false, true})
        drop_each<Mode>(tg, {.fwb = true, .bbm = bbm, .ttl = range, .tlbi_range = range, .dic = true}, out);
  EXPECT_GT(out.dropped, 300u);
  EXPECT_GT(out.by_access, out.dropped / 4);
  EXPECT_TRUE(out.wrong.empty()) << ::testing::PrintToString(out.wrong);
  std::printf("measured: %s: %u left out one at a time, %u redundant, %u shown by an access, the rest by the judge\n",
              mode, out.dropped, out.redundant, out.by_access);
}

TEST(MachineDrops, EachIsNeededExclusive) { drop_all<exclusive>("exclusive"); }
TEST(MachineDrops, EachIsNeededLockFree) { drop_all<lock_free>("lock-free"); }

}  // namespace
}  // namespace machine_drops_test
