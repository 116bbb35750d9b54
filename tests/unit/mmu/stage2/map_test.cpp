// SPDX-License-Identifier: MIT
#include "vmsa/mmu/stage2/map.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace map_test {
namespace {

using namespace vmsa;

constexpr u64 page = 0x1000;

// Memory in which another call runs as a whole before one of the loads.
struct interrupted_memory : sim::machine_memory {
  using machine_memory::machine_memory;
  unsigned loads_until = 0;
  std::function<void()> meanwhile;
  descriptor load(pa where, load_order order) {
    if (meanwhile && loads_until-- == 0) std::exchange(meanwhile, nullptr)();
    return sim::machine_memory::load(where, order);
  }
};

// A Contiguous run is mapped where nothing was, and another call maps one of its pages elsewhere meanwhile: one of the
// two is refused, wherever they meet, and the page is the other's.
TEST(Stage2Map, ARunAndAPageOfItAreNotMappedOverEachOther) {
  using frames_type = arena_frames<interrupted_memory, lock_free>;
  constexpr pa elsewhere{0x4000'0000};
  unsigned met = 0;
  for (unsigned at = 0; at < 64; ++at) {
    interrupted_memory memory(u64{1} << 20, pa{0x8000'0000});
    frames_type frames{memory, memory.base(), memory.size(), granule::k4};
    auto table = *stage2_table<interrupted_memory, frames_type, geometry, lock_free>::create(
        memory, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});
    ASSERT_TRUE(table.map(ipa{32 * page}, pa{32 * page}, level::l3, {.fwb = true}));  // the tables are there
    stage2_outcome other;
    memory.loads_until = at;
    memory.meanwhile = [&] {
      other = table.map(ipa{3 * page}, elsewhere, level::l3, {.fwb = true}, existing::keep);
      ++met;
    };
    stage2_outcome const run = table.map(ipa{0}, pa{0}, level::l3, {.fwb = true, .contiguous = true}, existing::keep);
    bool const in_time = !std::exchange(memory.meanwhile, nullptr);
    if (!in_time) break;  // the run takes fewer loads
    EXPECT_NE(static_cast<bool>(run), static_cast<bool>(other)) << "before load " << at;
    EXPECT_EQ(run ? pa{3 * page} : elsewhere, table.look_up(ipa{3 * page}).output) << "before load " << at;
    EXPECT_EQ(static_cast<bool>(run), table.look_up(ipa{4 * page}).mapped) << "before load " << at;
  }
  EXPECT_GE(met, 16u);
}

}  // namespace
}  // namespace map_test
