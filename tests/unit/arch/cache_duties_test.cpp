// SPDX-License-Identifier: MIT
// The judge is a table written by hand: Linux 6.1 to 7.3 clean and invalidate a Normal Write-Back leaf to the Point of
// Coherency where it is mapped and unmapped, without FWB only (stage2_map_walker_try_leaf and stage2_unmap_walker of
// arch/arm64/kvm/hyp/pgtable.c); what they never do, such as Write-Through, follows from the definition of the types.
#include "vmsa/arch/cache_duties.hpp"

#include <gtest/gtest.h>

namespace vmsa::cache_duties_test {
namespace {

using enum stage2_memory;
constexpr bool fwb = true;
constexpr bool dic = true;
constexpr bool executable = true;
constexpr cache_duties none{};
constexpr cache_duties clean{.clean_invalidate_poc = true};
constexpr cache_duties fetch{.invalidate_instruction_pou = true};
constexpr cache_duties both{true, true};

struct leaf_row {
  stage2_memory memory;
  bool fwb;
  bool needs_clean;  // when it is mapped, and when it is unmapped
};
constexpr leaf_row leaves[] = {
    {normal_wb, !fwb, true},     {normal_wb, fwb, false},   {normal_wt, !fwb, true},
    {stage1, !fwb, true},        {stage1, fwb, true},  // FWB's MemAttr 0b0111 lets the guest go around the caches
    {normal_nc, !fwb, false},    {normal_nc, fwb, false},   {device_nGnRE, !fwb, false},
    {device_nGnRnE, fwb, false}, {device_GRE, !fwb, false}, {device_nGRE, fwb, false},
};

TEST(CacheDuties, MapAndUnmap) {
  for (leaf_row const& row : leaves) {
    leaf_caching const data = caching_of(row.memory, !executable, row.fwb);
    EXPECT_EQ(row.needs_clean ? clean : none, duties_of_map(data, !dic)) << int(row.memory) << row.fwb;
    EXPECT_EQ(row.needs_clean ? clean : none, duties_of_unmap(data)) << int(row.memory) << row.fwb;
  }
}

TEST(CacheDuties, InstructionsUnlessDic) {
  EXPECT_EQ(both, duties_of_map(caching_of(normal_wb, executable, !fwb), !dic));
  EXPECT_EQ(clean, duties_of_map(caching_of(normal_wb, executable, !fwb), dic));
  EXPECT_EQ(fetch, duties_of_map(caching_of(normal_wb, executable, fwb), !dic));
  EXPECT_EQ(fetch, duties_of_map(caching_of(normal_nc, executable, !fwb), !dic));
  EXPECT_EQ(none, duties_of_map(caching_of(device_GRE, executable, !fwb), !dic));
  EXPECT_EQ(none, duties_of_unmap(caching_of(normal_wb, executable, fwb)));
  EXPECT_EQ(fetch, duties_of_relax(executable, !dic));
  EXPECT_EQ(none, duties_of_relax(executable, dic));
  EXPECT_EQ(none, duties_of_relax(!executable, !dic));
}

struct retype_row {
  stage2_memory before;
  stage2_memory after;
  bool fwb;
  cache_duties duties;  // of data: nobody executes
};
constexpr retype_row retypes[] = {
    {normal_wb, normal_nc, !fwb, clean},    {normal_nc, normal_wb, !fwb, clean}, {normal_wb, device_nGnRE, fwb, clean},
    {normal_nc, normal_wb, fwb, clean},  // a write-back alias of the host may have filled the caches meanwhile
    {normal_wb, stage1, fwb, clean},        {stage1, normal_wb, fwb, clean},     {normal_nc, device_nGnRE, fwb, none},
    {device_nGnRnE, normal_nc, !fwb, none},
};

TEST(CacheDuties, Retype) {
  for (retype_row const& row : retypes)
    EXPECT_EQ(row.duties, duties_of_retype(caching_of(row.before, !executable, row.fwb),
                                           caching_of(row.after, !executable, row.fwb), !dic))
        << int(row.before) << int(row.after) << row.fwb;
  EXPECT_EQ(both,
            duties_of_retype(caching_of(normal_nc, executable, !fwb), caching_of(normal_wb, executable, !fwb), !dic));
}

TEST(CacheDuties, AGuestThatTurnsItsCachesOnOrOff) {
  EXPECT_EQ(clean, duties_of_cache_toggle(!fwb));
  EXPECT_EQ(none, duties_of_cache_toggle(fwb));
}

}  // namespace
}  // namespace vmsa::cache_duties_test
