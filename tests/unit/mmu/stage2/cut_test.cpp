// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/cut.hpp"

#include <gtest/gtest.h>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace cut_test {
namespace {

using namespace vmsa;

constexpr u64 page = 0x1000;

// Whether the entries of a Contiguous run were invalid meanwhile, when one of its pages was unmapped.
template <class Mode>
bool unfolding_breaks(u8 bbm) {
  using memory = sim::machine_memory;
  memory port{u64{1} << 20, pa{0x8000'0000}};
  arena_frames<memory, Mode> frames{port, port.base(), port.size(), granule::k4};
  auto table = *stage2_table<memory, arena_frames<memory, Mode>, geometry, Mode>::create(
      port, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .bbm = bbm, .dic = true});
  EXPECT_TRUE(table.map_range(ipa{0}, pa{0}, 16 * page, {.fwb = true, .contiguous = true}));
  EXPECT_NE(0u, table.look_up(ipa{0}).entry.raw & descriptor_bits::contiguous::mask);
  stage2_outcome const out = table.unmap(ipa{5 * page}, page);
  EXPECT_TRUE(out);
  for (u64 n = 0; n < 16; ++n) EXPECT_EQ(n != 5, table.look_up(ipa{n * page}).mapped) << n;
  return out.broke;
}

// FEAT_BBM level 1 lets the Contiguous bit change while the run is cached, but not beside other calls: an entry that
// still has the bit speaks for a page that another call may unmap.
TEST(Stage2Cut, BesideOthersARunIsBrokenWhateverTheProcessorAllows) {
  EXPECT_TRUE(unfolding_breaks<exclusive>(0));
  EXPECT_FALSE(unfolding_breaks<exclusive>(1));
  EXPECT_FALSE(unfolding_breaks<exclusive>(2));
  for (u8 bbm : {u8{0}, u8{1}, u8{2}}) EXPECT_TRUE(unfolding_breaks<lock_free>(bbm)) << int{bbm};
}

}  // namespace
}  // namespace cut_test
