// SPDX-License-Identifier: MIT
#include "vmsa/mmu/wide_geometry.hpp"

#include <gtest/gtest.h>

#include <map>

#include "vmsa/mmu/translate.hpp"

namespace wide_geometry_test {
namespace {

using namespace vmsa;

constexpr manual_release now = manual_release::newest;
constexpr manual_release then = manual_release::v2023_03;

// [Arm ARM, VMSAv9-128 address translation process]: strides of 8, 10 and 12 bits, and SKL moves the start level down.
TEST(WideGeometry, StartLevelFollowsFromSizeAndSkl) {
  struct row {
    granule tg;
    u8 txsz;
    u8 skl;
    int start;
    unsigned root_bits;
  };
  constexpr row rows[] = {{granule::k4, 16, 0, -1, 8},  {granule::k4, 9, 0, -2, 7},   {granule::k4, 16, 1, 0, 16},
                          {granule::k4, 25, 0, 0, 7},   {granule::k16, 16, 0, 0, 8},  {granule::k16, 16, 3, 3, 38},
                          {granule::k64, 16, 0, 1, 12}, {granule::k64, 12, 0, 1, 16}, {granule::k64, 9, 0, 0, 7}};
  for (row const& r : rows) {
    wide_geometry_result const g = make_wide_geometry(r.tg, r.txsz, 0b101, u64{r.skl} << 1, now, all_features);
    EXPECT_EQ(geometry_error::none, g.error);
    EXPECT_EQ(r.start, number(g.value.start)) << int{r.txsz} << ' ' << int{r.skl};
    EXPECT_EQ(r.root_bits, g.value.root_bits()) << int{r.txsz} << ' ' << int{r.skl};
  }
  EXPECT_EQ(geometry_error::start_level_mismatch,
            make_wide_geometry(granule::k4, 39, 0b101, 3 << 1, now, all_features).error)
      << "a start level above 3";
}

TEST(WideGeometry, SmallestTxszByRelease) {
  features f = all_features;
  f.lva3 = false;
  auto const error = [&](u8 txsz, manual_release manual) {
    return decode_wide_tcr({.txsz = txsz}, va_half::lower, 0, manual, f, {}).error;
  };
  EXPECT_EQ(geometry_error::none, error(12, now)) << "FEAT_LVA, any granule";
  EXPECT_EQ(geometry_error::input_too_large, error(15, then)) << "FEAT_LVA, 64K alone";
  f.lva3 = true;
  EXPECT_EQ(geometry_error::none, error(9, now));
  EXPECT_EQ(geometry_error::input_too_large, error(8, now));

  // PAMax 52: 4K without DS has 48-bit IPAs in the manual's current text.
  vtcr_el2 const vtcr = vtcr_el2{}.with<vtcr_el2::t0sz>(12);
  EXPECT_EQ(geometry_error::none, decode_wide_vtcr(vtcr, 0, then, all_features, {}).error);
  EXPECT_EQ(geometry_error::input_too_large, decode_wide_vtcr(vtcr, 0, now, all_features, {}).error);
}

TEST(WideGeometry, ATableThatSkipsLevelsIsAlignedToItsSize) {
  wide_geometry g{.on = true};
  wide_descriptor const table{{0x4003'5001}, u64{1} << 45};  // SKL 1: 2^16 entries of 16 bytes
  EXPECT_EQ(0x4000'0010u, g.next_slot(table, level::l3, 0x1000));
  g.aligned_tables = false;
  EXPECT_EQ(0x4003'5010u, g.next_slot(table, level::l3, 0x1000)) << "the pseudocode of 2023-03";
}

struct memory {
  std::map<u64, u64> words;
  descriptor load(pa where, load_order) const {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
};

// A 128-bit table that mirrors a 64-bit one under indirection translates alike: same output, attributes, permissions.
TEST(WideGeometry, MirroredTablesTranslateAlike) {
  features const f = all_features;
  for (unsigned pi = 0; pi < 16; ++pi)
    for (unsigned memattr : {0b0001u, 0b0101u, 0b1111u})
      for (operation const op : {operation::read, operation::write, operation::exec, operation::read_modify_write}) {
        regime_registers narrow{.hcr = {{1}}, .vtcr = {{0x10'8002'3559}}, .vttbr = {{0x1000}}};
        narrow.s2pir = 0xfedc'ba98'7654'3210;
        // 64 bits: level 1 with entries of 1G; AF, ISH, dirty.
        u64 const index = u64{pi & 1} << 6 | u64{pi >> 1 & 1} << 51 | u64{pi >> 2} << 53;
        memory const small{{{0x1000, 0x4000'0781 | u64{memattr} << 2 | index}}};
        // 128 bits: 28-bit blocks at level 1, so the first of the four that make up that gigabyte; SKL 2.
        regime_registers wide = narrow;
        wide.vtcr.raw = 0x40'8002'3519 | u64{0} << 6;
        wide.vttbr.raw = 0x1000;
        // The start level is 0 and skips nothing: a table, then a block at level 1 that skips 2.
        memory const large{{{0x1000, 0x2001},
                            {0x1008, 0},
                            {0x2000, 0x4000'0781 | u64{memattr} << 2},
                            {0x2008, u64{2} << 45 | u64{pi} << 51}}};
        translation const a = translate(small, make_regime(narrow, f), ipa{0x1234}, mair(0xff), {.op = op});
        translation const b = translate(large, make_regime(wide, f), ipa{0x1234}, mair(0xff), {.op = op});
        ASSERT_EQ(a.fault.has_value(), b.fault.has_value()) << pi << ' ' << memattr << ' ' << static_cast<int>(op);
        if (a.fault) {
          EXPECT_EQ(a.fault, b.fault) << pi;
        } else {
          EXPECT_EQ(pa{0x4000'1234}, b.output);
          EXPECT_EQ(a.output, b.output);
          EXPECT_EQ(a.attributes, b.attributes);
        }
      }
}

TEST(WideGeometry, ParHasTheWideFormat) {
  par_el1 const narrow = encode_par({0xa1'5852'651e'5000}, mair(0xff), true);
  par_el1 const wide = encode_wide_par(narrow, {0xa1'5852'651e'5000});
  EXPECT_EQ(0xa1'5852'651e'5001u, wide.high);
  EXPECT_EQ(0u, wide.raw & par_el1::output::mask);
  EXPECT_EQ(pa{0xa1'5852'651e'5000}, decode_par(wide)->output);
}

}  // namespace
}  // namespace wide_geometry_test
