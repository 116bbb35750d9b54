// SPDX-License-Identifier: MIT
#include "vmsa/arch/stage1_descriptor.hpp"

#include <gtest/gtest.h>

namespace stage1_descriptor_test {
namespace {

using namespace vmsa;

struct row {
  char const* what;
  stage1_leaf leaf;
  level at;
  u64 raw;
};
// AttrIndx 4:2, AP 7:6, SH 9:8, AF 10, nG 11, nT 16, DBM 51, Contiguous 52, PXN 53, UXN 54.
constexpr row rows[] = {
    {"defaults", {}, level::l3, 0x4000'0703},
    {"a block", {}, level::l2, 0x4000'0701},
    {"AttrIndx", {.attr_index = 7}, level::l3, 0x4000'071f},
    {"AP", {.ap = 0b11}, level::l3, 0x4000'07c3},
    {"SH", {.sh = 0b10}, level::l3, 0x4000'0603},
    {"AF", {.af = false}, level::l3, 0x4000'0303},
    {"nG", {.ng = true}, level::l3, 0x4000'0f03},
    {"UXN", {.uxn = true}, level::l3, 0x0040'0000'4000'0703},
    {"PXN", {.pxn = true}, level::l3, 0x0020'0000'4000'0703},
    {"DBM", {.dbm = true}, level::l3, 0x0008'0000'4000'0703},
    {"Contiguous", {.contiguous = true}, level::l3, 0x0010'0000'4000'0703},
    {"nT", {.nt = true}, level::l2, 0x4001'0701},
};

TEST(Stage1Descriptor, Leaves) {
  for (row const& r : rows) EXPECT_EQ(encode_leaf(ipa{0x4000'0000}, r.at, r.leaf).raw, r.raw) << r.what;
  EXPECT_EQ(encode_leaf(ipa{0x000c'0000'4000'0000}, level::l3, {.sh = 0b00}, {.ds = true}).raw, 0x4000'0703u)
      << "with DS bits 9:8 are address, and SH is not encoded";
}

struct field_row {
  descriptor_kind kind;
  descriptor_format format;
  unsigned bit;
  char const* name;
};
constexpr descriptor_format ds{.ds = true}, lpa{.tg = granule::k64, .lpa = true};
constexpr field_row fields[] = {
    {descriptor_kind::page, {}, 2, "AttrIndx"},    {descriptor_kind::page, {}, 5, "NS"},
    {descriptor_kind::page, {}, 6, "AP"},          {descriptor_kind::page, {}, 8, "SH"},
    {descriptor_kind::page, ds, 8, "OA[51:50]"},   {descriptor_kind::page, ds, 49, "OA"},
    {descriptor_kind::page, {}, 49, "RES0"},       {descriptor_kind::page, {}, 50, "GP"},
    {descriptor_kind::page, {}, 11, "nG"},         {descriptor_kind::page, {}, 53, "PXN"},
    {descriptor_kind::page, {}, 54, "UXN"},        {descriptor_kind::page, {}, 16, "OA"},
    {descriptor_kind::page, lpa, 12, "OA[51:48]"}, {descriptor_kind::page, {}, 58, "SW"},
    {descriptor_kind::block, {}, 16, "nT"},        {descriptor_kind::table, {}, 59, "PXNTable"},
    {descriptor_kind::table, {}, 60, "UXNTable"},  {descriptor_kind::table, {}, 61, "APTable"},
    {descriptor_kind::table, {}, 63, "NSTable"},   {descriptor_kind::table, {}, 10, "AF"},
    {descriptor_kind::invalid, {}, 63, "IGNORED"},
};

TEST(Stage1Descriptor, Layout) {
  for (field_row const& f : fields) {
    level const at = f.kind == descriptor_kind::page ? level::l3 : level::l2;
    std::string name = "none";
    for (field_info const& info : stage1_layout(f.kind, at, f.format))
      if (f.bit <= info.high && f.bit >= info.low) name = info.name;
    EXPECT_EQ(name, f.name) << "bit " << f.bit;
  }
}

TEST(Stage1Descriptor, EveryLayoutNamesEveryBitOnce) {
  for (granule const tg : {granule::k4, granule::k16, granule::k64})
    for (bool const wide : {false, true})
      for (int n = -1; n <= 3; ++n)
        for (descriptor_kind const kind : {descriptor_kind::invalid, descriptor_kind::table, descriptor_kind::block,
                                           descriptor_kind::page, descriptor_kind::reserved}) {
          bool const k64 = tg == granule::k64;
          descriptor_format const f{.tg = tg, .ds = wide && !k64, .lpa = wide && k64, .pa52 = wide};
          auto const l = static_cast<level>(n);
          if ((kind == descriptor_kind::page) != (l == level::l3) && is_leaf(kind)) continue;
          if (kind == descriptor_kind::block && !block_allowed(f, l)) continue;
          EXPECT_TRUE(covers_all_bits(stage1_layout(kind, l, f)))
              << "granule " << granule_size(tg) << " wide " << wide << " level " << n << " kind " << int(kind);
        }
}

}  // namespace
}  // namespace stage1_descriptor_test
