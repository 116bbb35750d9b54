// SPDX-License-Identifier: MIT
// [Arm ARM, PAR_EL1], of translations and of faults.
#include "vmsa/arch/par.hpp"

#include <gtest/gtest.h>

namespace par_test {
namespace {

using namespace vmsa;

constexpr cacheability wt_r{cache_policy::write_through, true, false, false};
constexpr cacheability wt_rw{cache_policy::write_through, true, true, false};
constexpr cacheability wb_w_t{cache_policy::write_back, false, true, true};
constexpr cacheability nc{};
using enum shareability;

struct row {
  memory_attributes attributes;
  u8 attr, sh;
};
constexpr memory_attributes tagged(bool no_access) {
  memory_attributes a = normal_memory(write_back_rw, write_back_rw, inner, false, true);
  a.no_tag_access = no_access;
  return a;
}
constexpr row rows[] = {
    {device_memory(device_kind::nGnRnE), 0x00, 2},
    {device_memory(device_kind::nGnRE), 0x04, 2},
    {device_memory(device_kind::nGRE), 0x08, 2},
    {device_memory(device_kind::GRE), 0x0c, 2},
    {device_memory(device_kind::GRE, false), 0x0d, 2},
    {device_memory(device_kind::nGnRnE, false), 0x01, 2},
    {normal_memory(nc, nc, inner), 0x44, 2},
    {normal_memory(nc, nc, inner, false), 0x40, 2},
    {normal_memory(wt_r, wt_r, inner), 0xaa, 3},
    {normal_memory(wt_r, wt_r, inner, false), 0xa0, 3},
    {normal_memory(wt_rw, wt_r, inner, false), 0xa0, 3},  // looks only at the outer half
    {normal_memory(wt_r, wt_rw, inner, false), 0xba, 3},
    {normal_memory(write_back_rw, write_back_rw, non, false), 0xff, 0},
    {normal_memory(write_back_rw, nc, outer), 0x4f, 2},
    {normal_memory(wb_w_t, wt_rw, inner), 0xb5, 3},
    {tagged(false), 0xf0, 3},
    {tagged(true), 0xe0, 3},
};

TEST(Par, Attributes) {
  for (row const& r : rows) {
    EXPECT_EQ(encode_par_attr(r.attributes, true), r.attr);
    EXPECT_EQ(encode_par_sh(r.attributes), r.sh) << std::hex << int{r.attr};
  }
  EXPECT_EQ(encode_par_attr(tagged(true), false), 0xf0) << "0xE0 needs FEAT_MTE_PERM";
}

TEST(Par, Success) {
  // ATTR 63:56, PA 51:12, RES1 bit 11, SH 8:7, F 0.
  par_el1 const par = encode_par({0x000a'bcde'f012'3fff}, device_memory(device_kind::nGnRE), true);
  EXPECT_EQ(par.raw, 0x040a'bcde'f012'3900u);
  auto const back = decode_par(par);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->output.value, 0x000a'bcde'f012'3000u);
  EXPECT_EQ(back->attributes, device_memory(device_kind::nGnRE));
  EXPECT_FALSE(back->attr_reserved);
  EXPECT_TRUE(decode_par({0x2000'0000'0000'0800})->attr_reserved);
  EXPECT_TRUE(decode_par({0xe000'0000'0000'0980})->attributes.no_tag_access);
  EXPECT_TRUE(decode_par({0xe000'0000'0000'0980}, {})->attr_reserved);
}

TEST(Par, Failure) {
  // FST 6:1, PTW 8, S 9, RES1 11, F 0.
  EXPECT_EQ(encode_par_fault(0x06, false, true).raw, 0xa0du);
  EXPECT_EQ(encode_par_fault(0x0f, true, true).raw, 0xb1fu);
  EXPECT_EQ(encode_par_fault(0x3f, false, false).raw, 0x87fu);
  EXPECT_FALSE(decode_par({0xa0d}));
  EXPECT_EQ(par_el1{0xb1f}.get<par_el1::fst>(), 0x0f);
  EXPECT_TRUE(par_el1{0xb1f}.get<par_el1::ptw>());
  EXPECT_TRUE(par_el1{0xb1f}.get<par_el1::s>());
}

}  // namespace
}  // namespace par_test
