// SPDX-License-Identifier: MIT
#include "vmsa/sim/tables/leaf_runs.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/sim/tables/find_roots.hpp"
#include "vmsa/sim/tables/reverse_index.hpp"

namespace vmsa::sim::leaf_runs_test {
namespace {

struct word {
  u64 at, value;
};

dump memory_of(u64 base, u64 size, std::vector<word> const& words) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  for (word const& w : words) std::memcpy(bytes.data() + (w.at - base), &w.value, 8);
  return open_dump(in_memory(std::move(bytes)), {.base = pa{base}});
}
geometry shape_of(u64 vtcr) { return decode_vtcr({{vtcr}}, all_features).value; }
mapped_table map(dump const& d, u64 vtcr, u64 root) {
  return map_of(physical_tables(*d.memory), shape_of(vtcr), root, 0, 1000);
}

void expect(mapped_range const& r, u64 input, u64 output, u64 size, u64 leaves, level at) {
  EXPECT_EQ(input, r.input);
  EXPECT_EQ(output, r.output);
  EXPECT_EQ(size, r.size);
  EXPECT_EQ(leaves, r.leaves);
  EXPECT_EQ(at, r.at);
}

// VTCR_EL2: TG0 in bits 15:14 (00 4K, 01 64K, 10 16K), SL0 in 7:6, T0SZ in 5:0.
TEST(LeafRuns, A64KRootMayBeginInTheMiddleOfAPage) {
  dump const d = memory_of(0x4000'0000, 0x2'0000,
                           {{0x4000'4008, 0x4001'0003},
                            {0x4000'4010, 0x1'0000'07fd},
                            {0x4001'0028, 0x8001'07ff},
                            {0x4001'0030, 0x8002'07ff}});
  mapped_table const t = map(d, 0x8006'3540 | 1 << 14 | 24, 0x4000'4000);
  ASSERT_EQ(2u, t.ranges.size());
  expect(t.ranges[0], 0x2005'0000, 0x8001'0000, 0x2'0000, 2, level::l3);
  expect(t.ranges[1], 0x4000'0000, 0x1'0000'0000, 0x2000'0000, 1, level::l2);
}

TEST(LeafRuns, Sixteen16KTablesAreOneRoot) {
  dump const d = memory_of(0x4000'0000, 0x4'4000,
                           {{0x4003'fff8, 0x80'0200'07fd}, {0x4000'0000, 0x4004'0003}, {0x4004'3ff8, 0x4000'07ff}});
  mapped_table const t = map(d, 0x8006'3540 | 2 << 14 | 24, 0x4000'0000);
  EXPECT_EQ(16u + 1, t.totals.tables);
  ASSERT_EQ(2u, t.ranges.size());
  expect(t.ranges[0], 0x1ff'c000, 0x4000'0000, 0x4000, 1, level::l3);
  expect(t.ranges[1], 0xff'fe00'0000, 0x80'0200'0000, 0x200'0000, 1, level::l2);
}

TEST(LeafRuns, UnderLpa2TwoAddressBitsStandInSh) {
  dump const d = memory_of(
      0x4000'0000, 0x3000,
      {{0x4000'0000, 0x4000'1003}, {0x4000'1000, 0x4000'2003}, {0x4000'2008, 0x1234'57db}, {0x4000'2010, 0x1234'67db}});
  mapped_table const t = map(d, 0x1'8006'3540 | 25, 0x4000'0000);
  ASSERT_EQ(1u, t.ranges.size());
  expect(t.ranges[0], 0x1000, 0xc'0000'1234'5000, 0x2000, 2, level::l3);
}

TEST(LeafRuns, TheContiguousBitSplitsOnlyWhenAsked) {
  u64 const contiguous = u64{1} << 52;
  dump const d = memory_of(0x4000'0000, 0x3000,
                           {{0x4000'0000, 0x4000'1003},
                            {0x4000'1000, 0x4000'2003},
                            {0x4000'2000, contiguous | 0x5000'07ff},
                            {0x4000'2008, 0x5000'17ff}});
  geometry const g = shape_of(0x8006'3540 | 25);
  EXPECT_EQ(1u, map_of(physical_tables(*d.memory), g, 0x4000'0000, 0, 10).ranges.size());
  EXPECT_EQ(2u, map_of(physical_tables(*d.memory), g, 0x4000'0000, 0, 10, {.contiguous = true}).ranges.size());
  EXPECT_EQ(2u, map_of(physical_tables(*d.memory), g, 0x4000'0000, 0, 10, {.merge = false}).ranges.size());
}

TEST(LeafRuns, AbsentReservedAndEndlessTablesAreToldApart) {
  // A table outside the dump, a block where none can be, and a table that names itself.
  dump const d = memory_of(0x4000'0000, 0x2000,
                           {{0x4000'0000, 0x9000'0003}, {0x4000'0008, 0x4000'1003}, {0x4000'1000, 0x4000'1003}});
  geometry const g = shape_of(0x8006'3540 | 25);
  mapped_table const t = map_of(physical_tables(*d.memory), g, 0x4000'0000, 0, 1000);
  ASSERT_EQ(1u, t.absent.size());
  EXPECT_EQ(0x9000'0000u, t.absent[0].address);
  EXPECT_EQ(0x4000'0000u, t.absent[0].size);
  EXPECT_EQ(level::l2, t.absent[0].at);
  EXPECT_FALSE(t.totals.endless);
  std::vector<std::byte> page(4096);
  for (std::size_t i = 0; i < page.size(); i += 8) {
    u64 const self = 0x4000'0003;
    std::memcpy(page.data() + i, &self, 8);
  }
  dump const loop = open_dump(in_memory(page), {.base = pa{0x4000'0000}});
  EXPECT_TRUE(
      map_of(physical_tables(*loop.memory), g, 0x4000'0000, 0, table_budget(*loop.memory, granule::k4)).totals.endless);
}

TEST(FindRoots, TablesAreFoundByShapeInEveryGranule) {
  dump const d64 = memory_of(0x4000'0000, 0x3'0000,
                             {{0x4001'0008, 0x4002'0003}, {0x4002'0028, 0x8001'07ff}, {0x4000'0000, 0x1234'5678}});
  std::vector<shape_root> const roots = find_table_roots(*d64.memory, granule::k64, false, 1, {});
  ASSERT_EQ(1u, roots.size());
  EXPECT_EQ(pa{0x4001'0000}, roots[0].where);
  EXPECT_EQ(level::l2, roots[0].at);
  EXPECT_EQ(2u, roots[0].pages);
  EXPECT_EQ(1u, roots[0].leaves);
  dump const d16 = memory_of(0x4000'0000, 0xc000,
                             {{0x4000'4008, 0x4000'8003}, {0x4000'8028, 0x8000'47ff}, {0x4000'0000, 0x1234'5679}});
  ASSERT_EQ(1u, find_table_roots(*d16.memory, granule::k16, false, 2, {}).size());
  EXPECT_EQ(pa{0x4000'4000}, find_table_roots(*d16.memory, granule::k16, false, 2, {})[0].where);
}

// What tells stage 2 apart: stage 1 leaves have nG or are not readable by EL0, and upper tables of a kernel have bits
// 60:59.
TEST(FindRoots, Stage1TablesAreNone) {
  dump const d = memory_of(0x4000'0000, 0x4000,
                           {{0x4000'0000, 0x1800'0000'4000'1003},
                            {0x4000'1000, 0x00e8'0000'8000'0f07},
                            {0x4000'2000, 0x0020'0000'8000'0fc3}});
  EXPECT_TRUE(find_table_roots(*d.memory, granule::k4, false, 1, {}).empty());
}

// struct kvm_s2_mmu as 6.8 has it: vmid, pgd_phys, pgt, vtcr, and at 88 its kvm_arch; a shadow names the kvm_arch that
// another begins.
TEST(FindRoots, StructuresOfKvmAreFoundByRelease) {
  u64 const base = 0x4000'0000;
  u64 const arch = 0xffff'0000'0000'0100;
  dump const d = memory_of(base, 0x8000,
                           {{base + 0x100, 0x1'0003},
                            {base + 0x108, base + 0x2000},
                            {base + 0x110, 0xffff'0000'0123'4000},
                            {base + 0x118, 0x802d'3558},
                            {base + 0x158, arch},
                            {base + 0x240, 0x1'0004},
                            {base + 0x248, base + 0x4000},
                            {base + 0x250, 0xffff'0000'0123'5000},
                            {base + 0x258, 0x802d'3558},
                            {base + 0x298, arch},
                            // 6.1: last_vcpu_ran and arch stand before vtcr
                            {base + 0x400, 0x105},
                            {base + 0x408, base + 0x6000},
                            {base + 0x410, 0xffff'0000'0123'6000},
                            {base + 0x428, 0x8025'3558},
                            // no generation above the VMID, and no kernel pointer
                            {base + 0x600, 0x3},
                            {base + 0x608, base + 0x2000},
                            {base + 0x610, 0xffff'0000'0123'4000},
                            {base + 0x618, 0x802d'3558},
                            {base + 0x700, 0x1'0003},
                            {base + 0x708, base + 0x2000},
                            {base + 0x710, 0x1234'4000},
                            {base + 0x718, 0x802d'3558}});
  std::vector<found_mmu> const found = find_kvm_mmus(*d.memory, 2, {});
  ASSERT_EQ(3u, found.size());
  EXPECT_EQ(pa{base + 0x100}, found[0].where);
  EXPECT_EQ(3u, found[0].vmid);
  EXPECT_FALSE(found[0].shadow);
  EXPECT_EQ(pa{base + 0x4000}, found[1].root);
  EXPECT_TRUE(found[1].shadow);
  EXPECT_EQ(pa{base + 0x400}, found[2].where);
  EXPECT_EQ(5u, found[2].vmid);  // of 8 bits, because VTCR_EL2.VS is 0
}

// Where a shadow tells itself from the VM's own, by release. Offsets from struct kvm_s2_mmu of each release's
// kvm_host.h: split_page_cache is 40 bytes in 6.8 (int, two gfp_t, padding, two pointers, int, padding) and 48 with
// init_value.
TEST(FindRoots, ShadowsAreToldByRelease) {
  u64 const base = 0x4000'0000;
  for (u64 const arch_at : {u64{88}, u64{96}}) {
    std::vector<word> words;
    for (unsigned i = 0; i < 2; ++i) {
      u64 const at = base + 0x100 + 0x200 * i;
      words.push_back({at, 0x1'0003 + i});
      words.push_back({at + 8, base + 0x2000 + 0x2000 * i});
      words.push_back({at + 16, 0xffff'0000'0123'4000});
      words.push_back({at + 24, 0x802d'3558});
      words.push_back({at + 88, 0x20'0000});  // split_page_chunk_size, from 6.10 on
      words.push_back({at + arch_at, 0xffff'0000'0000'0100});
    }
    std::vector<found_mmu> const found = find_kvm_mmus(*memory_of(base, 0x8000, words).memory, 1, {});
    ASSERT_EQ(2u, found.size()) << arch_at;
    EXPECT_FALSE(found[0].shadow);
    EXPECT_TRUE(found[1].shadow);
  }
}

// vtcr was a member of struct kvm_arch before 6.8, behind all of kvm_s2_mmu; before 5.18 vmid was two words.
TEST(FindRoots, StructuresOfEarlierReleases) {
  u64 const base = 0x4000'0000;
  struct row {
    char const* release;
    std::vector<word> words;
    u64 vmid;
  };
  u64 const pointer = 0xffff'0000'0123'4000;
  u64 const arch = 0xffff'0000'0000'0100;
  row const rows[] = {
      {"6.6",
       {{0, 0x1'0007}, {8, base + 0x2000}, {16, pointer}, {24, pointer}, {72, 0}, {80, arch}, {88, 0x802d'3558}},
       7},
      {"6.6, which splits by 2M",
       {{0, 0x1'0007},
        {8, base + 0x2000},
        {16, pointer},
        {24, pointer},
        {72, 0x20'0000},
        {80, arch},
        {88, 0x802d'3558}},
       7},
      {"6.1", {{0, 0x1'0007}, {8, base + 0x2000}, {16, pointer}, {24, pointer}, {32, arch}, {40, 0x802d'3558}}, 7},
      {"6.1, never run", {{0, 0}, {8, base + 0x2000}, {16, pointer}, {24, pointer}, {32, arch}, {40, 0x802d'3558}}, 0},
      {"5.15", {{0, 2}, {8, 7}, {16, base + 0x2000}, {24, pointer}, {32, pointer}, {40, arch}, {48, 0x802d'3558}}, 7},
      {"5.15, never run",
       {{0, 0}, {8, 0}, {16, base + 0x2000}, {24, pointer}, {32, pointer}, {40, arch}, {48, 0x802d'3558}},
       0},
  };
  for (row const& r : rows) {
    std::vector<word> words = r.words;
    for (word& w : words) w.at += base + 0x100;
    std::vector<found_mmu> const found = find_kvm_mmus(*memory_of(base, 0x8000, words).memory, 1, {});
    ASSERT_EQ(1u, found.size()) << r.release;
    EXPECT_EQ(pa{base + 0x100}, found[0].where) << r.release;
    EXPECT_EQ(pa{base + 0x2000}, found[0].root) << r.release;
    EXPECT_EQ(r.vmid, found[0].vmid) << r.release;
    EXPECT_FALSE(found[0].shadow) << r.release;
  }
}

TEST(ReverseIndex, StretchesHaveTheSameOwnersThroughout) {
  reverse_index const index({{pa{0x1000}, 0x3000, 0, 0}, {pa{0x2000}, 0x1000, 1, 1}, {pa{0x8000}, 0x1000, 1, 2}});
  std::vector<std::tuple<u64, u64, std::size_t>> found;
  index.for_each_stretch([&](pa first, u64 size, std::span<physical_mapping const> active) {
    found.emplace_back(first.value, size, active.size());
  });
  EXPECT_EQ((std::vector<std::tuple<u64, u64, std::size_t>>{
                {0x1000, 0x1000, 1}, {0x2000, 0x1000, 2}, {0x3000, 0x1000, 1}, {0x8000, 0x1000, 1}}),
            found);
  EXPECT_EQ(2u, index.at({0x2fff}).size());
  EXPECT_EQ(1u, index.at({0x3000}).size());
  EXPECT_TRUE(index.at({0x4000}).empty());
}

// Between two ranges and behind the last nothing is mapped.
TEST(LeafRuns, ARangeIsFoundByWhatItMapsAlone) {
  mapped_table const t{.ranges = {{.input = 0x1000, .size = 0x2000}, {.input = 0x8000, .size = 0x1000}}};
  EXPECT_EQ(nullptr, t.find(0xfff));
  EXPECT_EQ(&t.ranges[0], t.find(0x1000));
  EXPECT_EQ(&t.ranges[0], t.find(0x2fff));
  EXPECT_EQ(nullptr, t.find(0x3000));
  EXPECT_EQ(&t.ranges[1], t.find(0x8fff));
  EXPECT_EQ(nullptr, t.find(0x9000));
  EXPECT_EQ(nullptr, mapped_table{}.find(0));
}

}  // namespace
}  // namespace vmsa::sim::leaf_runs_test
