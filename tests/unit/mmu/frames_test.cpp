// SPDX-License-Identifier: MIT
#include "vmsa/mmu/frames.hpp"

#include <gtest/gtest.h>

namespace frames_test {
namespace {

using namespace vmsa;

constexpr pa base{0x8000'0000};

// A table is written with zeros unless its frames say that they hold some: a pool must remember what came back how, and
// one frame that is not all zeros speaks for a run.
TEST(FramePool, SaysOfWhatCameBackWhetherItIsZeros) {
  frame_pool<4> pool(base, granule::k4);
  auto const taken = [&](u64 size) { return pool.take(size).value(); };
  frame const first = taken(0x1000);
  frame const second = taken(0x1000);
  EXPECT_TRUE(first.zeroed && second.zeroed);
  EXPECT_EQ(base, first.address);
  EXPECT_EQ(base + 0x1000, second.address);

  pool.give({first.address, false}, 0x1000);
  pool.give({second.address, true}, 0x1000);
  frame const run = taken(0x2000);
  EXPECT_EQ(base, run.address);
  EXPECT_FALSE(run.zeroed);

  pool.give({run.address, true}, 0x2000);
  EXPECT_TRUE(taken(0x1000).zeroed);
  EXPECT_TRUE(taken(0x1000).zeroed);
  EXPECT_TRUE(taken(0x2000).zeroed);
  EXPECT_EQ(4u, pool.frames_in_use());
  EXPECT_FALSE(pool.take(0x1000));
}

}  // namespace
}  // namespace frames_test
