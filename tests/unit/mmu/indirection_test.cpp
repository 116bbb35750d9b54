// SPDX-License-Identifier: MIT
#include "vmsa/mmu/indirection.hpp"

#include <gtest/gtest.h>

namespace indirection_test {
namespace {

using namespace vmsa;

// The stage 1 code that grants exactly these, as the table of PIR_EL1 lists them; codes that overlays may limit.
u8 code_of(access_rights r) {
  struct row {
    access_rights rights;
    u8 code;
  };
  constexpr row rows[] = {{{false, false, false}, 0x0}, {{true, false, false}, 0x1}, {{false, false, true}, 0x2},
                          {{true, false, true}, 0x3},   {{true, true, false}, 0x5},  {{true, true, true}, 0x7}};
  for (row const& x : rows)
    if (x.rights == r) return x.code;
  return 0xff;
}

// A register that says by index what a leaf says directly gives the same permissions, but for a conflict: what EL0 may
// write the privileged level must not execute, in both schemes.
TEST(Indirection, SaysWhatDirectPermissionsSay) {
  for (u64 bits = 0; bits < 16; ++bits) {
    descriptor const direct{(bits & 3) << 6 | (bits >> 2) << 53};
    access_rights const privileged = stage1_rights(direct, {}, {});
    access_rights const el0 = stage1_rights(direct, {}, {.el0 = true});
    ASSERT_NE(code_of(privileged), 0xff) << bits;
    ASSERT_NE(code_of(el0), 0xff) << bits;
    for (u8 index = 0; index < 16; ++index) {
      descriptor const leaf{u64{index & 1u} << 6 | u64{index >> 1 & 1u} << 51 | u64{index >> 2 & 3u} << 53};
      ASSERT_EQ(permission_index(leaf), index);
      stage1_indirection const i{.indirect = true,
                                 .privileged = u64{code_of(privileged)} << (4 * index),
                                 .el0 = u64{code_of(el0)} << (4 * index)};
      EXPECT_EQ(stage1_rights(leaf, {}, {}, i).base, privileged) << bits;
      EXPECT_EQ(stage1_rights(leaf, {}, {.el0 = true}, i).base, el0) << bits;
    }
  }
}

// Code n of PIR and of POR is bits 4n+3:4n; the leaf's index is 5, its overlay index 2.
constexpr descriptor leaf{u64{0b01} << 53 | 1 << 6 | u64{2} << 60};
stage1_indirection with(u8 privileged, u8 el0) {
  return {.indirect = true, .privileged = u64{privileged} << 20, .el0 = u64{el0} << 20};
}

TEST(Indirection, AConflictGrantsNothing) {
  EXPECT_EQ(stage1_rights(leaf, {}, {}, with(0xa, 0xc)).base, access_rights{}) << "EL1 executes what EL0 writes";
  EXPECT_EQ(stage1_rights(leaf, {}, {.el0 = true}, with(0xa, 0xc)).base, access_rights{});
  EXPECT_EQ(stage1_rights(leaf, {}, {}, with(0x9, 0x9)).base, access_rights{}) << "a guarded control stack of both";
  EXPECT_EQ(stage1_rights(leaf, {}, {}, with(0xa, 0xa)).base, (access_rights{true, false, true}));
  stage1_indirection one_level = with(0xa, 0xc);
  one_level.has_el0 = false;
  EXPECT_EQ(stage1_rights(leaf, {}, {}, one_level).base, (access_rights{true, false, true})) << "EL2 has no EL0";
}

TEST(Indirection, PanLooksAtTheNumberOfTheEl0Code) {
  EXPECT_EQ(stage1_rights(leaf, {}, {.pan = true}, with(0xc, 0x0)).base, (access_rights{true, true, false}));
  EXPECT_EQ(stage1_rights(leaf, {}, {.pan = true}, with(0xc, 0xb)).base, access_rights{}) << "0xb grants nothing";
  EXPECT_EQ(stage1_rights(leaf, {}, {.pan = true}, with(0xe, 0xa)).base, (access_rights{false, false, true}));
}

TEST(Indirection, AnOverlayLimitsTheCodesBelowEight) {
  stage1_indirection i = with(0x5, 0x0);
  i.overlay_privileged = true;
  i.por = u64{0x1} << 8;  // read
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i).overlay, (access_rights{true, false, false}));
  i.por = u64{0x9} << 8;  // reserved
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i).overlay, access_rights{});
  i.privileged = u64{0xc} << 20;
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i).overlay, (access_rights{true, true, true})) << "0xc is not overlaid";
  i.privileged = u64{0x6} << 20;  // read, write, execute as long as not writable
  i.por = u64{0x7} << 8;
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i), (overlaid_rights{{true, true, true}, {true, false, true}}));
  i.por = u64{0x5} << 8;  // read, write
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i), (overlaid_rights{{true, true, false}, {true, true, false}}));
  // Direct permissions are overlaid too.
  i.indirect = false;
  i.por = u64{0x1} << 8;
  EXPECT_EQ(stage1_rights(leaf, {}, {}, i).overlay, (access_rights{true, false, false}));
}

TEST(Indirection, TheTopLevelOfAHalfMayBeTiedToItsPages) {
  stage2_code const none = decode_stage2_code(0b0010);
  stage2_code const tl0 = decode_stage2_code(0b0110);
  stage2_code const tl1 = decode_stage2_code(0b0011);
  stage2_code const both = decode_stage2_code(0b0111);
  EXPECT_FALSE(top_level_refused({}, none, false)) << "neither TL0 nor TL1 asks";
  EXPECT_TRUE(top_level_refused({.tl0 = true}, none, false));
  EXPECT_FALSE(top_level_refused({.tl0 = true}, tl0, false));
  EXPECT_FALSE(top_level_refused({.tl0 = true}, none, true)) << "the upper half is not asked";
  EXPECT_TRUE(top_level_refused({.tl1 = true}, tl1, false)) << "a page of the other half";
  EXPECT_FALSE(top_level_refused({.tl0 = true, .tl1 = true}, both, true));
  // Mostly read-only survives an overlay that leaves the trusted writers alone.
  EXPECT_TRUE(overlaid(tl0, decode_stage2_code(0b0011)).top_level1);
  EXPECT_FALSE(overlaid(tl0, decode_stage2_code(0b1100)).write);
  EXPECT_TRUE(overlaid(tl0, decode_stage2_code(0b1100)).top_level0);
  EXPECT_FALSE(overlaid(tl0, decode_stage2_code(0b1000)).top_level0) << "nobody writes";
}

}  // namespace
}  // namespace indirection_test
