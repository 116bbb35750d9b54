// SPDX-License-Identifier: MIT
// The library's own table on the machine, unchanged: no adversary finds anything, whatever a guest does meanwhile.
#include "rig.hpp"

namespace machine_engine_test {
namespace {

using namespace vmsa;
using sim::machine;

constexpr u64 memory = 0x8100'0000;
constexpr u64 block = 0x20'0000;

template <class Table>
struct operation {
  char const* name;
  stage2_outcome (*run)(Table&);
};

constexpr stage2_leaf ram{.fwb = true};

template <class Table>
std::vector<operation<Table>> operations() {
  return {
      {"map", [](Table& t) { return t.map({6 * block}, {memory + 6 * block}, level::l3, ram); }},
      {"unmap a page", [](Table& t) { return t.unmap({block + 0x3000}, 0x1000); }},
      {"unmap pages", [](Table& t) { return t.unmap({block + 0x2000}, 0x4000); }},
      {"unmap a table", [](Table& t) { return t.unmap({block}, block); }},
      {"unmap a block", [](Table& t) { return t.unmap({2 * block}, block); }},
      {"replace",
       [](Table& t) { return t.map({block + 0x3000}, {memory + 5 * block}, level::l3, ram, existing::replace); }},
      {"change the type",
       [](Table& t) { return t.change_memory({block + 0x3000}, 0x1000, stage2_memory::device_nGnRE); }},
      {"write-protect", [](Table& t) { return t.write_protect({block}, 0x8000); }},
      {"split", [](Table& t) { return t.split({2 * block}, block); }},
      {"collapse", [](Table& t) { return t.collapse({block}, block); }},
      {"dirty log", [](Table& t) { return t.start_dirty_log({2 * block}, block); }},
  };
}

template <class Mode>
void none_fails() {
  using rig_type = test::engine_rig<Mode>;
  using table = typename rig_type::table_type;
  for (sim::adversary const& who : test::every_adversary)
    for (u8 const bbm : {u8{0}, u8{2}})
      for (bool const range : {false, true})
        for (auto const& op : operations<table>()) {
          SCOPED_TRACE(op.name);
          machine m(
              {.controls = {.fwb = true, .bbm = bbm, .ttl = range, .tlbi_range = range, .dic = true}, .who = who});
          rig_type rig(m);
          ASSERT_TRUE(rig.table.map_range({block}, {memory + block}, block, ram, {.largest = level::l3}));
          ASSERT_TRUE(rig.table.map_range({2 * block}, {memory + 2 * block}, block, ram));
          m.pe(0).enter({.root = rig.table.root()});
          m.pe(0).exception();
          m.pe(1).enter({.root = rig.table.root()});
          auto const guest = [&] {
            for (u64 const at : {block, block + 0x3000, block + 0x5000, 2 * block, 2 * block + 0x7000, 6 * block})
              static_cast<void>(m.pe(1).load({at}));
          };
          guest();
          // And in the middle: before each of the operation's first events.
          for (u32 n = 1; n <= 24; ++n) m.before(m.event() + 1 + n * 7, guest);
          ASSERT_TRUE(op.run(rig.table));
          m.pe(0).done();
          guest();
          m.finish();
          ASSERT_EQ(test::first_failure(m), "");
        }
}

TEST(MachineEngine, NoAdversaryFindsAnythingExclusive) { none_fails<exclusive>(); }
TEST(MachineEngine, NoAdversaryFindsAnythingLockFree) { none_fails<lock_free>(); }

}  // namespace
}  // namespace machine_engine_test
