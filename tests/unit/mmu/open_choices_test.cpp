// SPDX-License-Identifier: MIT
// Choices that an answer hangs on are named where they change it, and only there. Expected values from the prose of the
// Arm ARM: stage 2 Shareability under FWB, the 64K granule's address bits 51:48, alignment of data accesses.
#include <gtest/gtest.h>

#include <vector>

#include "unit/mmu/few_words.hpp"
#include "vmsa/mmu/translate.hpp"

namespace open_choices_test {
namespace {

using namespace vmsa;

constexpr u64 fwb_on = u64{1} << 46;

bool names(translation const& t, open_choice c) {
  for (open_choice const seen : t.consulted)
    if (seen == c) return true;
  return false;
}

// Stage 1 maps 1 GiB at 0x4000'0000 by its root at 0x1000, stage 2 maps all of it to itself.
struct two_stages {
  u64 mair = 0x44;
  u64 sh = 0b11;
  u64 memattr = 0b0110;
  u64 hcr = 1 | fwb_on;
  u64 tcr = 0x2'0080'3519;
};
translation through(two_stages const& s, constraint_choices const& choices = {}, memory_access const& acc = {}) {
  regime_registers r;
  r.hcr = {{s.hcr}};
  r.tcr = {{s.tcr}};
  r.mair = {{s.mair}};
  r.sctlr = {{0x1005}};
  r.ttbr0 = {{0x1000}};
  r.vtcr = {{0x8002'3559}};
  r.vttbr = {{0x2000}};
  u64 const leaf = 0x7c1 | s.memattr << 2;
  test::few_words memory{{{0x1000, 0x4000'0441 | s.sh << 8}, {0x2000, leaf}, {0x2008, leaf | 0x4000'0000}}};
  return translate(memory, make_regime(r, all_features, choices), va{0x140}, acc);
}

// FWB makes write-back of Device and Normal-NC; stage 1 hands on their SH, or the Outer Shareable that they have.
TEST(OpenChoices, TheShareabilityUnderFwb) {
  constraint_choices as_written;
  as_written.effective_sh_at_stage1 = false;
  translation const effective = through({});
  translation const written = through({}, as_written);
  EXPECT_EQ(effective.attributes.sh, shareability::outer);
  EXPECT_EQ(written.attributes.sh, shareability::inner);
  EXPECT_TRUE(names(effective, open_choice::stage1_shareability));
  EXPECT_TRUE(names(written, open_choice::stage1_shareability));

  struct row {
    char const* what;
    two_stages s;
  };
  for (row const& r : std::vector<row>{{"Outer Shareable as it is", {.sh = 0b10}},
                                       {"write-back", {.mair = 0xff}},
                                       {"stage 2 leaves the type alone", {.memattr = 0b0111}},
                                       {"no FWB", {.memattr = 0b1111, .hcr = 1}}}) {
    EXPECT_FALSE(names(through(r.s), open_choice::stage1_shareability)) << r.what;
    EXPECT_EQ(through(r.s).attributes.sh, through(r.s, as_written).attributes.sh) << r.what;
  }
}

// TCR_EL1 says how tables are read: Non-cacheable and Inner Shareable under a leaf that FWB makes write-back.
TEST(OpenChoices, TheShareabilityOfTableReadsUnderFwb) {
  EXPECT_TRUE(names(through({.mair = 0xff, .tcr = 0x2'0080'3019}), open_choice::stage1_shareability));
  EXPECT_FALSE(names(through({.mair = 0xff, .tcr = 0x2'0080'2019}), open_choice::stage1_shareability));
  EXPECT_FALSE(names(through({.mair = 0xff, .memattr = 0b1111, .hcr = 1, .tcr = 0x2'0080'3019}),
                     open_choice::stage1_shareability));
}

// 64K, FEAT_LPA and PAMax 48: bits 15:12 of a descriptor are ignored, or address bits 51:48 and so beyond the machine.
TEST(OpenChoices, HighOutputBits) {
  features f;
  f.lpa = true;
  auto const block = [&f](u64 low, bool high) {
    regime_registers const r{.hcr = {{1}}, .vtcr = {{0x8005'7558}}, .vttbr = {{0x1'0000}}};
    constraint_choices choices;
    choices.high_output_bits = high;
    test::few_words memory{{{0x1'0000, 0x4000'07fd | low}}};
    return translate(memory, make_regime(r, f, choices), ipa{0}, mair(0xff), {});
  };
  translation const ignored = block(0x2000, false);
  ASSERT_TRUE(ignored);
  EXPECT_EQ(ignored.output, pa{0x4000'0000});
  EXPECT_TRUE(names(ignored, open_choice::high_output_bits));
  translation const counted = block(0x2000, true);
  ASSERT_TRUE(counted.fault);
  EXPECT_EQ(counted.fault->kind, fault_kind::address_size);
  EXPECT_TRUE(names(counted, open_choice::high_output_bits));
  EXPECT_FALSE(names(block(0, false), open_choice::high_output_bits));
  f.lpa = false;
  EXPECT_FALSE(names(block(0x2000, false), open_choice::high_output_bits));
  f.lpa = true;
  f.pa_bits = 52;
  EXPECT_FALSE(names(block(0x2000, false), open_choice::high_output_bits));
}

// "If FEAT_LSE2 is not implemented ... Load-Exclusive/Store-Exclusive and Atomic instructions ... generate an alignment
// fault when the address being accessed is not aligned to the overall size of the access."
TEST(OpenChoices, UnalignedAtomics) {
  auto const at = [](operation op, bool aligned, bool lse2, bool faults) {
    regime_registers r;
    r.tcr = {{0x2'0080'3519}};
    r.mair = {{0xff}};
    r.sctlr = {{0x1005}};
    r.ttbr0 = {{0x1000}};
    features f;
    f.lse2 = lse2;
    constraint_choices choices;
    choices.unaligned_atomic_faults = faults;
    test::few_words memory{{{0x1000, 0x4000'0741}}};
    return translate(memory, make_regime(r, f, choices), va{0x141}, {.op = op, .aligned = aligned});
  };
  for (operation const op : {operation::read_modify_write, operation::exclusive_load, operation::exclusive_store}) {
    translation const sure = at(op, false, false, false);
    ASSERT_TRUE(sure.fault);
    EXPECT_EQ(sure.fault->kind, fault_kind::alignment);
    EXPECT_EQ(sure.fault->by, stage::one);
    EXPECT_FALSE(names(sure, open_choice::unaligned_atomic));
    EXPECT_TRUE(at(op, false, true, false));
    EXPECT_TRUE(names(at(op, false, true, false), open_choice::unaligned_atomic));
    ASSERT_TRUE(at(op, false, true, true).fault);
    EXPECT_EQ(at(op, false, true, true).fault->kind, fault_kind::alignment);
    EXPECT_TRUE(names(at(op, false, true, true), open_choice::unaligned_atomic));
    EXPECT_TRUE(at(op, true, false, true));
    EXPECT_FALSE(names(at(op, true, true, false), open_choice::unaligned_atomic));
  }
  EXPECT_TRUE(at(operation::read, false, false, true));
  EXPECT_TRUE(at(operation::write, false, false, true));
}

}  // namespace
}  // namespace open_choices_test
