// SPDX-License-Identifier: MIT
#include "vmsa/arch/memory_attributes.hpp"

#include <gtest/gtest.h>

namespace memory_attributes_test {
namespace {

using namespace vmsa;

constexpr cacheability wt{cache_policy::write_through, true, true, false};

struct summary_row {
  memory_attributes attributes;
  summary expected;
  bool write_back, non_cacheable;
};
constexpr summary_row summaries[] = {
    {device_memory(device_kind::nGnRnE), summary::device_nGnRnE, false, false},
    {device_memory(device_kind::nGnRE), summary::device_nGnRE, false, false},
    {device_memory(device_kind::nGRE), summary::device_nGRE, false, false},
    {device_memory(device_kind::GRE), summary::device_GRE, false, false},
    {normal_memory(non_cacheable, non_cacheable, shareability::outer), summary::normal_nc, false, true},
    {normal_memory(wt, wt, shareability::inner), summary::normal_wt, false, false},
    {normal_memory(write_back_rw, write_back_rw, shareability::inner), summary::normal_wb, true, false},
    {normal_memory(write_back_rw, non_cacheable, shareability::inner), summary::mixed, false, false},
    {normal_memory(non_cacheable, write_back_rw, shareability::inner), summary::mixed, false, false},
    {normal_memory(wt, write_back_rw, shareability::inner), summary::mixed, false, false},
};

TEST(MemoryAttributes, Summary) {
  for (summary_row const& row : summaries) {
    EXPECT_EQ(summarize(row.attributes), row.expected);
    EXPECT_EQ(is_write_back(row.attributes), row.write_back);
    EXPECT_EQ(is_non_cacheable(row.attributes), row.non_cacheable);
    EXPECT_EQ(is_device(row.attributes), is_device(row.expected));
    EXPECT_NE(is_device(row.attributes), is_normal(row.attributes));
  }
}

TEST(MemoryAttributes, TheWiderDomainWins) {
  using enum shareability;
  shareability const order[] = {non, inner, outer};
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) EXPECT_EQ(widest(order[a], order[b]), order[a > b ? a : b]);
}

TEST(MemoryAttributes, DeviceAndNonCacheableAreOuterShareable) {
  memory_attributes device = device_memory(device_kind::GRE);
  device.sh = shareability::non;
  EXPECT_EQ(with_effective_shareability(device).sh, shareability::outer);
  EXPECT_EQ(with_effective_shareability(normal_memory(non_cacheable, non_cacheable, shareability::non)).sh,
            shareability::outer);
  EXPECT_EQ(with_effective_shareability(normal_memory(write_back_rw, non_cacheable, shareability::non)).sh,
            shareability::non);
  EXPECT_EQ(with_effective_shareability(normal_memory(wt, wt, shareability::inner)).sh, shareability::inner);
}

TEST(MemoryAttributes, HintsDoNotMakeAMismatch) {
  cacheability const read_only_hint{cache_policy::write_back, true, false, false};
  memory_attributes const a = normal_memory(write_back_rw, write_back_rw, shareability::inner);
  memory_attributes b = normal_memory(read_only_hint, read_only_hint, shareability::inner);
  EXPECT_TRUE(same_definition(a, b));
  b.sh = shareability::outer;
  EXPECT_FALSE(same_definition(a, b));
  EXPECT_FALSE(same_definition(a, normal_memory(write_back_rw, wt, shareability::inner)));
  EXPECT_FALSE(same_definition(a, device_memory(device_kind::GRE)));
  EXPECT_FALSE(same_definition(device_memory(device_kind::GRE), device_memory(device_kind::nGRE)));
  EXPECT_TRUE(same_definition(device_memory(device_kind::GRE), device_memory(device_kind::GRE, false)));
}

// Inner and Outer Shareable name the same observers where one Inner Shareable domain holds all; Non-shareable never
// does.
TEST(MemoryAttributes, AgreementDependsOnWhoLooks) {
  constexpr auto normal = [](cacheability half, shareability sh) { return normal_memory(half, half, sh); };
  struct row {
    bool one_domain, two_domains;
    memory_attributes a, b;
  };
  row const rows[] = {
      {true, true, normal(write_back_rw, shareability::inner), normal(write_back_rw, shareability::inner)},
      {true, false, normal(write_back_rw, shareability::inner), normal(write_back_rw, shareability::outer)},
      {true, false, normal(write_through_ra, shareability::outer), normal(write_through_ra, shareability::inner)},
      {false, false, normal(write_back_rw, shareability::non), normal(write_back_rw, shareability::inner)},
      {false, false, normal(write_back_rw, shareability::outer), normal(write_back_rw, shareability::non)},
      {false, false, normal(write_back_rw, shareability::inner), normal(write_through_ra, shareability::inner)},
      {true, true, normal(non_cacheable, shareability::non), normal(non_cacheable, shareability::outer)},
      {false, false, normal(non_cacheable, shareability::outer), device_memory(device_kind::GRE)},
  };
  for (row const& r : rows) {
    EXPECT_EQ(r.one_domain, agree(r.a, r.b, true));
    EXPECT_EQ(r.two_domains, agree(r.a, r.b, false));
  }
}

}  // namespace
}  // namespace memory_attributes_test
