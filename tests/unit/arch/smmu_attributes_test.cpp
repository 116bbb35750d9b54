// SPDX-License-Identifier: MIT
// What a stream's translation leaves out because it cannot matter, against the rules in full: for every attribute byte.
#include "vmsa/arch/smmu_attributes.hpp"

#include <gtest/gtest.h>

namespace smmu_attributes_test {
namespace {

using namespace vmsa;

constexpr shareability shareabilities[] = {shareability::non, shareability::outer, shareability::inner};

// Combining a consistent stage 1 leaves nothing but XS to make consistent.
TEST(SmmuAttributes, AfterCombiningOnlyXsIsLeftToMakeConsistent) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (shareability const one : shareabilities)
      for (shareability const two : shareabilities)
        for (u8 memattr = 0; memattr < 16; ++memattr)
          for (unsigned bits = 0; bits < 4; ++bits) {
            memory_attributes const stage1 = consistent(decode_cd_mair(static_cast<u8>(byte), one));
            controls const how{.fwb = (bits & 1) != 0};
            memory_attributes const both =
                combine(stage1, {.memattr = memattr, .sh = two, .fnxs = (bits & 2) != 0}, how);
            EXPECT_EQ(with_xs_of_type(both), consistent(both)) << byte << ' ' << unsigned{memattr} << ' ' << bits;
          }
}

// Shareability put into consistent attributes leaves nothing but its effect to make consistent.
TEST(SmmuAttributes, ALeafOfConsistentAttributesStaysSo) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (shareability const sh : shareabilities) {
      memory_attributes leaf = consistent(decode_cd_mair(static_cast<u8>(byte), shareability::non));
      leaf.sh = sh;
      EXPECT_EQ(with_effective_shareability(leaf), consistent(decode_cd_mair(static_cast<u8>(byte), sh))) << byte;
    }
}

TEST(SmmuAttributes, HintsThatChangeNothingChangeNothing) {
  unsigned idle = 0;
  for (unsigned in = 0; in < 256; ++in) {
    memory_attributes const incoming = consistent(decode_cd_mair(static_cast<u8>(in), shareability::inner));
    if (!hints_change_nothing(incoming)) continue;
    ++idle;
    for (unsigned byte = 0; byte < 256; ++byte) {
      memory_attributes const leaf = decode_cd_mair(static_cast<u8>(byte), shareability::inner);
      EXPECT_EQ(with_incoming_hints(leaf, incoming), consistent(leaf)) << in << ' ' << byte;
    }
  }
  EXPECT_GT(idle, 4u);
  // 0xee: write-back that allocates on reads alone.
  EXPECT_FALSE(hints_change_nothing(decode_cd_mair(0xee, shareability::inner)));
}

}  // namespace
}  // namespace smmu_attributes_test
