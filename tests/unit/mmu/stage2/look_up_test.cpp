// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/look_up.hpp"

#include <gtest/gtest.h>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::look_up_test {
namespace {

// A caller's own way to descriptors finds pages and nothing else, of three levels and of four, and asks the port
// nothing.
TEST(LookUp, ACallersWayToDescriptorsFindsPages) {
  for (u8 ipa_bits : {u8{36}, u8{40}, u8{48}}) {
    sim::machine_memory memory{u64{2} << 20};
    arena_frames<sim::machine_memory> frames{memory, pa{0}, memory.size(), granule::k4};
    features machine;
    machine.pa_bits = 48;
    auto table = *stage2_table<sim::machine_memory, decltype(frames)>::create(
        memory, frames, geometry::for_ipa_size(ipa_bits, granule::k4, machine).shape, {.fwb = true});
    ASSERT_TRUE(table.map(ipa{0x4000'1000}, pa{0x1234'5000}, level::l3, {.fwb = true}));
    ASSERT_TRUE(table.map(ipa{0x4020'0000}, pa{0x1220'0000}, level::l2, {.fwb = true}));
    unsigned loads = 0;
    auto const own = [&](pa where) {
      ++loads;
      return memory.load(where, load_order::acquire);
    };
    stage2_mapping found;
    EXPECT_TRUE(table.look_up_page(ipa{0x4000'1abc}, own, found));
    EXPECT_EQ(found.output, pa{0x1234'5abc});
    EXPECT_EQ(found.size, 0x1000u);
    EXPECT_EQ(found, table.look_up(ipa{0x4000'1abc}));
    EXPECT_EQ(loads, ipa_bits == 48 ? 4u : 3u);
    for (u64 elsewhere : {u64{0x4020'0000}, u64{0x4000'2000}, u64{0x8000'0000}, u64{1} << ipa_bits, ~u64{0}}) {
      stage2_mapping untouched = found;
      EXPECT_FALSE(table.look_up_page(ipa{elsewhere}, own, untouched)) << elsewhere;
      EXPECT_EQ(untouched, found);
    }
  }
}

}  // namespace
}  // namespace vmsa::look_up_test
