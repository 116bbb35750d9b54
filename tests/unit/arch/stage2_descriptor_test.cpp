// SPDX-License-Identifier: MIT
#include "vmsa/arch/stage2_descriptor.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stage2_descriptor_test {
namespace {

using namespace vmsa;
using enum stage2_memory;

struct row {
  char const* what;
  stage2_leaf leaf;
  level at;
  u64 raw;
};
// MemAttr 5:2, S2AP 7:6, SH 9:8, AF 10, FnXS 11, nT 16, DBM 51, Contiguous 52, XN 54:53, software 58:55.
constexpr row rows[] = {
    {"defaults", {}, level::l3, 0x4000'07ff},
    {"a block", {}, level::l2, 0x4000'07fd},
    {"Normal-NC", {.memory = normal_nc}, level::l3, 0x4000'07d7},
    {"Device-nGnRE", {.memory = device_nGnRE}, level::l3, 0x0040'0000'4000'07c7},
    {"Device-nGnRE that executes",
     {.memory = device_nGnRE, .execute = stage2_execute::everyone},
     level::l3,
     0x4000'07c7},
    {"Normal-WT", {.memory = normal_wt}, level::l3, 0x4000'07eb},
    {"FWB: Normal-WB", {.fwb = true}, level::l3, 0x4000'07db},
    {"FWB: stage 1", {.memory = stage1, .fwb = true}, level::l3, 0x4000'07df},
    {"RO", {.access = stage2_access::read}, level::l3, 0x4000'077f},
    {"no access", {.access = stage2_access::none}, level::l3, 0x4000'073f},
    {"XN", {.execute = stage2_execute::nobody}, level::l3, 0x0040'0000'4000'07ff},
    {"EL0 only", {.execute = stage2_execute::el0_only}, level::l3, 0x0020'0000'4000'07ff},
    {"EL1 only", {.execute = stage2_execute::el1_only}, level::l3, 0x0060'0000'4000'07ff},
    {"SH", {.sh = shareability::outer}, level::l3, 0x4000'06ff},
    {"AF", {.af = false}, level::l3, 0x4000'03ff},
    {"DBM", {.dbm = true}, level::l3, 0x0008'0000'4000'07ff},
    {"Contiguous", {.contiguous = true}, level::l3, 0x0010'0000'4000'07ff},
    {"FnXS", {.fnxs = true}, level::l3, 0x4000'0fff},
    {"nT", {.nt = true}, level::l2, 0x4001'07fd},
    {"software", {.software = 0b1010}, level::l3, 0x0500'0000'4000'07ff},
};

TEST(Stage2Descriptor, Leaves) {
  for (row const& r : rows) {
    encoded_descriptor const d = encode_leaf({0x4000'0000}, r.at, r.leaf);
    EXPECT_EQ(d.error, encode_error::none) << r.what;
    EXPECT_EQ(d.value.raw, r.raw) << r.what << std::hex << ' ' << d.value.raw;
  }
}

struct refusal {
  char const* what;
  u64 output;
  level at;
  stage2_leaf leaf;
  descriptor_format format;
  encode_error error;
};
constexpr descriptor_format ds{.ds = true}, k16{.tg = granule::k16}, k64{.tg = granule::k64};
constexpr refusal refusals[] = {
    {"4K level 0 holds no block", 0, level::l0, {}, {}, encode_error::level},
    {"but with DS it does", 0, level::l0, {}, ds, encode_error::none},
    {"16K level 1 holds no block", 0, level::l1, {}, k16, encode_error::level},
    {"no granule has level -1 blocks", 0, level::m1, {}, ds, encode_error::level},
    {"a 2 MiB block at 4 KiB", 0x1000, level::l2, {}, {}, encode_error::misaligned},
    {"a 64K page at 4 KiB", 0x1000, level::l3, {}, k64, encode_error::misaligned},
    {"beyond 48 bits", u64{1} << 48, level::l3, {}, {}, encode_error::out_of_range},
    {"within 52 bits", u64{1} << 48, level::l3, {}, ds, encode_error::none},
    {"beyond 52 bits", u64{1} << 52, level::l3, {}, ds, encode_error::out_of_range},
    {"Normal-WT under FWB", 0, level::l3, {.memory = normal_wt, .fwb = true}, {}, encode_error::memory_type},
    {"nT in a page", 0, level::l3, {.nt = true}, {}, encode_error::nt_on_page},
    {"five software bits", 0, level::l3, {.software = 0x10}, {}, encode_error::software_bits},
    {"Contiguous where ignored", 0, level::l0, {.contiguous = true}, ds, encode_error::contiguous},
};

TEST(Stage2Descriptor, WhatHasNoEncodingIsRefused) {
  for (refusal const& r : refusals) EXPECT_EQ(encode_leaf({r.output}, r.at, r.leaf, r.format).error, r.error) << r.what;
  EXPECT_EQ(encode_table({0x1800}).error, encode_error::misaligned);
  EXPECT_EQ(encode_table({u64{1} << 48}).error, encode_error::out_of_range);
  EXPECT_EQ(encode_table({0x8000'1000}).value.raw, 0x8000'1003u);
  EXPECT_EQ(encode_table({0x000f'0000'8000'1000}, ds).value.raw, 0x0003'0000'8000'1303u);
}

TEST(Stage2Descriptor, AttributesOfALeaf) {
  descriptor const d{0x4000'0ed7};  // FnXS, AF, SH outer, MemAttr 0101
  stage2_attributes const expected{.memattr = 0b0101, .sh = shareability::outer, .fnxs = true};
  EXPECT_EQ(leaf_attributes(d, {}, 0b11), expected);
  EXPECT_EQ(leaf_attributes(d, ds, 0b11).sh, shareability::inner) << "with DS the Shareability is VTCR_EL2.SH0";
  EXPECT_EQ(leaf_attributes({0x4000'05d7}, {}, 0, {.reserved_sh = shareability::non}).sh, shareability::non);
}

TEST(Stage2Descriptor, EveryLayoutNamesEveryBitOnce) {
  for (granule const tg : {granule::k4, granule::k16, granule::k64})
    for (bool const wide : {false, true})
      for (int n = -1; n <= 3; ++n)
        for (descriptor_kind const kind : {descriptor_kind::invalid, descriptor_kind::table, descriptor_kind::block,
                                           descriptor_kind::page, descriptor_kind::reserved}) {
          bool const k64_granule = tg == granule::k64;
          descriptor_format const f{.tg = tg, .ds = wide && !k64_granule, .lpa = wide && k64_granule, .pa52 = wide};
          auto const l = static_cast<level>(n);
          if ((kind == descriptor_kind::page) != (l == level::l3) && is_leaf(kind)) continue;
          if (kind == descriptor_kind::block && !block_allowed(f, l)) continue;
          EXPECT_TRUE(covers_all_bits(stage2_layout(kind, l, f)))
              << "granule " << granule_size(tg) << " wide " << wide << " level " << n << " kind " << int(kind);
        }
}

TEST(Stage2Descriptor, LayoutNames) {
  auto const name_of = [](unsigned bit, descriptor_kind kind, level l, descriptor_format const& f) -> std::string {
    for (field_info const& info : stage2_layout(kind, l, f))
      if (bit <= info.high && bit >= info.low) return info.name;
    return "none";
  };
  EXPECT_EQ(name_of(5, descriptor_kind::page, level::l3, {}), "MemAttr");
  EXPECT_EQ(name_of(6, descriptor_kind::page, level::l3, {}), "S2AP");
  EXPECT_EQ(name_of(8, descriptor_kind::page, level::l3, {}), "SH");
  EXPECT_EQ(name_of(8, descriptor_kind::page, level::l3, ds), "OA[51:50]");
  EXPECT_EQ(name_of(16, descriptor_kind::page, level::l3, {}), "OA");
  EXPECT_EQ(name_of(16, descriptor_kind::block, level::l2, {}), "nT");
  EXPECT_EQ(name_of(54, descriptor_kind::page, level::l3, {}), "XN");
  EXPECT_EQ(name_of(59, descriptor_kind::page, level::l3, {}), "PBHA");
  EXPECT_EQ(name_of(12, descriptor_kind::table, level::l2, {.tg = granule::k64, .lpa = true}), "OA[51:48]");
  EXPECT_EQ(name_of(10, descriptor_kind::table, level::l2, {}), "AF");
}

}  // namespace
}  // namespace stage2_descriptor_test
