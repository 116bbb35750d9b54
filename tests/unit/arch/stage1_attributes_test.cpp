// SPDX-License-Identifier: MIT
// What SCTLR_EL1 and HCR_EL2 make of stage 1 attributes.
#include "vmsa/arch/stage1_attributes.hpp"

#include <gtest/gtest.h>

namespace stage1_attributes_test {
namespace {

using namespace vmsa;

struct row {
  char const* what;
  u8 attr;
  u8 sh;
  stage1_controls controls;
  memory_attributes expected;
};
constexpr cacheability wb{cache_policy::write_back, true, true, false};
constexpr cacheability wt{cache_policy::write_through, true, false, false};
constexpr cacheability nc{};
using enum shareability;

constexpr row rows[] = {
    {"as MAIR and SH say", 0xff, 3, {}, normal_memory(wb, wb, inner, false)},
    {"Device is Outer Shareable", 0x04, 0, {}, device_memory(device_kind::nGnRE)},
    {"Normal-NC is Outer Shareable", 0x44, 3, {}, normal_memory(nc, nc, outer)},
    {"M=0, data", 0xff, 3, {.enabled = false}, device_memory(device_kind::nGnRnE)},
    {"M=0, fetch, I=1", 0xff, 3, {.enabled = false, .fetch = true}, normal_memory(wt, wt, outer)},
    {"M=0, fetch, I=0",
     0xff,
     3,
     {.enabled = false, .instruction_cacheable = false, .fetch = true},
     normal_memory(nc, nc, outer)},
    {"DC wins over M", 0x00, 3, {.dc = true}, normal_memory(wb, wb, non, false)},
    {"DC wins over I",
     0x00,
     3,
     {.dc = true, .instruction_cacheable = false, .fetch = true},
     normal_memory(wb, wb, non, false)},
    {"DC wins over C",
     0x00,
     3,
     {.enabled = false, .dc = true, .data_cacheable = false},
     normal_memory(wb, wb, non, false)},
    {"DCT makes it Tagged", 0x00, 3, {.dc = true, .dct = true}, normal_memory(wb, wb, non, false, true)},
    {"DCT needs FEAT_MTE2", 0x00, 3, {.dc = true, .dct = true, .feat = {}}, normal_memory(wb, wb, non, false)},
    {"DCT alone does nothing", 0x04, 3, {.dct = true}, device_memory(device_kind::nGnRE)},
    {"C=0 makes data NC and keeps XS", 0xff, 3, {.data_cacheable = false}, normal_memory(nc, nc, outer, false)},
    {"C=0 untags", 0xf0, 3, {.data_cacheable = false}, normal_memory(nc, nc, outer, false)},
    {"C=0 leaves Device", 0x08, 3, {.data_cacheable = false}, device_memory(device_kind::nGRE)},
    {"C=0 leaves fetches", 0xff, 3, {.data_cacheable = false, .fetch = true}, normal_memory(wb, wb, inner, false)},
    {"I=0 makes fetches NC", 0xbb, 3, {.instruction_cacheable = false, .fetch = true}, normal_memory(nc, nc, outer)},
    {"I=0 leaves data", 0xff, 3, {.instruction_cacheable = false}, normal_memory(wb, wb, inner, false)},
    {"a fetch from Device is NC", 0x0c, 3, {.fetch = true}, normal_memory(nc, nc, outer)},
    {"and keeps XS=0", 0x0d, 3, {.fetch = true}, normal_memory(nc, nc, outer, false)},
    {"reserved byte", 0x02, 3, {}, device_memory(device_kind::nGnRnE)},
    {"reserved SH", 0xff, 1, {}, normal_memory(wb, wb, outer, false)},
    {"SH of bits 1:0 only", 0xff, 0b100, {}, normal_memory(wb, wb, non, false)},
};

TEST(Stage1Attributes, Rows) {
  for (row const& r : rows) EXPECT_EQ(stage1_attributes(r.attr, r.sh, r.controls), r.expected) << r.what;
}

// Where effective Shareability is not applied at stage 1 the descriptor's SH is passed on; only with stage 2 on.
TEST(Stage1Attributes, ShareabilityPassedOnByChoice) {
  stage1_controls c{.choices = {.effective_sh_at_stage1 = false}};
  EXPECT_EQ(stage1_attributes(0x44, 0, c).sh, non);
  EXPECT_EQ(stage1_attributes(0x04, 3, c).sh, inner);
  c.data_cacheable = false;
  EXPECT_EQ(stage1_attributes(0xff, 3, c).sh, inner);
  c.vm = false;
  EXPECT_EQ(stage1_attributes(0xff, 3, c).sh, outer);
}

TEST(Stage1Attributes, TaggedMayBeKeptByChoice) {
  stage1_controls const c{.data_cacheable = false, .choices = {.keep_tagged_when_cache_off = true}};
  EXPECT_TRUE(stage1_attributes(0xf0, 3, c).tagged);
  EXPECT_FALSE(stage1_attributes(0xff, 3, c).tagged);
}

}  // namespace
}  // namespace stage1_attributes_test
