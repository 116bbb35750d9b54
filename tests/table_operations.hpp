// SPDX-License-Identifier: MIT
// The operations of a stage 2 table that change what TLBs may hold, and which of their barriers and TLB invalidations
// may go without loss: of tests that take out one at a time.
#pragma once
#include <string>
#include <vector>

#include "vmsa/mmu/stage2/outcome.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa::test {

struct table_sizes {
  u64 page;
  u64 block;
};

template <class Table>
struct table_operation {
  char const* name;
  stage2_outcome (*prepare)(Table&, table_sizes const&);
  stage2_outcome (*run)(Table&, table_sizes const&);
};

template <class Table>
std::vector<table_operation<Table>> table_operations() {
  static constexpr stage2_leaf ram{.fwb = true};
  constexpr auto nothing = [](Table&, table_sizes const&) { return stage2_outcome{}; };
  constexpr auto pages = [](Table& t, table_sizes const& s) {
    return t.map_range({s.page}, {8 * s.block + s.page}, 8 * s.page, ram);
  };
  constexpr auto block = [](Table& t, table_sizes const& s) { return t.map({s.block}, {8 * s.block}, level::l2, ram); };
  constexpr auto whole = [](Table& t, table_sizes const& s) {
    return t.map_range({s.block}, {8 * s.block}, s.block, ram, {.largest = level::l3});
  };
  return {
      {"map", nothing, [](Table& t, table_sizes const&) { return t.map({0}, {0}, level::l3, ram); }},
      {"map beside others", pages,
       [](Table& t, table_sizes const& s) { return t.map({12 * s.page}, {0}, level::l3, ram); }},
      {"unmap a page", pages, [](Table& t, table_sizes const& s) { return t.unmap(ipa{3 * s.page}); }},
      {"unmap pages", pages, [](Table& t, table_sizes const& s) { return t.unmap({2 * s.page}, 4 * s.page); }},
      {"unmap a block", block, [](Table& t, table_sizes const& s) { return t.unmap({s.block}, s.block); }},
      {"unmap a table", pages, [](Table& t, table_sizes const& s) { return t.unmap({0}, s.block); }},
      {"change the type", pages,
       [](Table& t, table_sizes const& s) {
         return t.change_memory({3 * s.page}, s.page, stage2_memory::device_nGnRE);
       }},
      {"replace", pages,
       [](Table& t, table_sizes const& s) {
         return t.map({3 * s.page}, {64 * s.page}, level::l3, ram, existing::replace);
       }},
      {"write-protect", pages, [](Table& t, table_sizes const& s) { return t.write_protect({s.page}, 8 * s.page); }},
      {"split", block, [](Table& t, table_sizes const& s) { return t.split({s.block}, s.block); }},
      {"collapse", whole, [](Table& t, table_sizes const& s) { return t.collapse({s.block}, s.block); }},
  };
}

// What may go. A split in place (FEAT_BBM level 2) makes the new entry before its TLBI, and the DSB before the TLBI
// makes that visible already; the DSB ISHST at its end has no store before it. Where the removal of a table invalidates
// its leaves first and ends with VMALLS12E1IS, that makes good whatever is missing of the first invalidation, on which
// nothing in between relies.
inline bool may_go(std::string const& name, u8 bbm, std::vector<sim::port_event> const& events, std::size_t n) {
  sim::port_event const& e = events[n];
  if (name == "split")
    return bbm == 2 && n + 1 == events.size() && e.kind == sim::event_kind::barrier && e.fence == barrier::dsb_ishst;
  if (name != "unmap a table") return false;
  for (std::size_t last = events.size(); last-- > n + 1;)
    if (events[last].kind == sim::event_kind::barrier && events[last].fence == barrier::dsb_ishst) return true;
  return false;
}

}  // namespace vmsa::test
