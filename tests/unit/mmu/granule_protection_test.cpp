// SPDX-License-Identifier: MIT
#include "vmsa/mmu/granule_protection.hpp"

#include <gtest/gtest.h>

#include <map>

#include "vmsa/mmu/translate.hpp"

namespace granule_protection_test {
namespace {

using namespace vmsa;
using enum physical_space;

// Memory that tells the Root space from the others.
struct two_memories {
  std::map<u64, u64> root;
  std::map<u64, u64> others{};
  unsigned root_reads = 0;

  static descriptor of(std::map<u64, u64> const& words, pa where) {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
  descriptor load(pa where, load_order) { return of(others, where); }
  descriptor load(pa where, physical_space space, load_order) {
    root_reads += space == physical_space::root;
    return of(space == physical_space::root ? root : others, where);
  }
};

constexpr features machine{.pa_bits = 48, .sel2 = true, .rme = true};
// GPC, write-back and inner shareable fetches, 4K, 40 bits protected in entries of 1G, the table at 0x80000000.
constexpr u64 forty_bits = 0x1'3502;
granule_protection protection(u64 gpccr = forty_bits, features const& f = machine) {
  return make_granule_protection({{gpccr}}, {{0x8'0000}}, f);
}

struct check_row {
  char const* what;
  u64 gpccr;
  std::map<u64, u64> table;
  u64 where;
  physical_space space;
  gpc_failure failure;
  unsigned at_level;
};

// [Arm ARM, Granule Protection Tables; GPC faults]: 512G is 2^39, so with 40 bits an entry of 1G has ten index bits.
TEST(GranuleProtection, EveryOutcomeOfACheck) {
  constexpr u64 t0 = 0x8000'0000;
  constexpr u64 t1 = 0x9000'0000;
  using enum gpc_failure;
  check_row const rows[] = {
      {"off", forty_bits & ~u64{0x1'0000}, {}, 0x1000, realm, none, 0},
      {"a block of the space", forty_bits, {{t0, 0xb1}}, 0x1000, realm, none, 0},
      {"a block of another", forty_bits, {{t0, 0xb1}}, 0x1000, non_secure, not_permitted, 0},
      {"a block for any", forty_bits, {{t0, 0xf1}}, 0x1000, secure, none, 0},
      {"a block for nobody", forty_bits, {{t0, 0x01}}, 0x1000, root, not_permitted, 0},
      {"the second gigabyte", forty_bits, {{t0 + 8, 0x91}}, 0x4000'0000, non_secure, none, 0},
      {"a reserved entry", forty_bits, {{t0, 0x2}}, 0x1000, realm, walk, 0},
      {"a block with a reserved bit", forty_bits, {{t0, 0x1b1}}, 0x1000, realm, walk, 0},
      {"a block with a reserved GPI", forty_bits, {{t0, 0x41}}, 0x1000, realm, walk, 0},
      {"a granule", forty_bits, {{t0, t1 | 3}, {t1, 0xb0}}, 0x1000, realm, none, 1},
      {"its neighbour", forty_bits, {{t0, t1 | 3}, {t1, 0xb0}}, 0x2000, realm, not_permitted, 1},
      {"the seventeenth granule", forty_bits, {{t0, t1 | 3}, {t1 + 8, 0xb}}, 0x1'0000, realm, none, 1},
      {"a reserved GPI beside it", forty_bits, {{t0, t1 | 3}, {t1, 0x40b0}}, 0x1000, realm, walk, 1},
      {"two megabytes", forty_bits, {{t0, t1 | 3}, {t1, 0x1b1}}, 0x5000, realm, none, 1},
      {"a range of no size", forty_bits, {{t0, t1 | 3}, {t1, 0xb1}}, 0x1000, realm, walk, 1},
      {"a table that is not aligned", forty_bits, {{t0, (t1 + 0x1'0000) | 3}}, 0x1000, realm, walk, 0},
      {"a table beyond the size", forty_bits, {{t0, u64{1} << 40 | 3}}, 0x1000, realm, address_size, 0},
      {"above the size, Non-secure", forty_bits, {}, u64{1} << 40, non_secure, none, 0},
      {"above the size, Realm", forty_bits, {}, u64{1} << 40, realm, not_permitted, 0},
      {"PPS above PAMax", (forty_bits & ~u64{7}) | 6, {}, 0x1000, non_secure, walk, 0},
      {"a reserved PPS", forty_bits | 7, {}, 0x1000, non_secure, walk, 0},
      {"a reserved granule", forty_bits | 0xc000, {}, 0x1000, non_secure, walk, 0},
      {"a reserved Shareability", (forty_bits & ~u64{0x3000}) | 0x1000, {}, 0x1000, non_secure, walk, 0},
      {"Non-cacheable fetches that are not Outer Shareable", forty_bits & ~u64{0xf00}, {}, 0x1000, non_secure, walk, 0},
  };
  for (check_row const& r : rows) {
    two_memories memory{.root = r.table};
    gpc_result const got = check_granule(memory, protection(r.gpccr), pa{r.where}, r.space);
    EXPECT_EQ(r.failure, got.failure) << r.what;
    if (!got) {
      EXPECT_EQ(r.at_level, got.at_level) << r.what;
      EXPECT_EQ(pa{r.where}, got.where) << r.what;
      EXPECT_EQ(r.space, got.space) << r.what;
    }
  }
}

TEST(GranuleProtection, SecureNeedsSecureEl2) {
  two_memories memory{.root = {{0x8000'0000, 0x81}}};
  EXPECT_TRUE(check_granule(memory, protection(), pa{0x1000}, secure));
  EXPECT_EQ(gpc_failure::walk,
            check_granule(memory, protection(forty_bits, {.rme = true}), pa{0x1000}, secure).failure);
}

TEST(GranuleProtection, SizesOfEntriesAndGranules) {
  // Entries of 16G over a granule of 64K: a level 1 table has 128K, so bits 16:12 of its address are reserved.
  u64 const gpccr = (forty_bits & ~u64{0xc000}) | 0x4000 | u64{4} << 20;
  two_memories memory{.root = {{0x8000'0008, 0x9002'0003}, {0x9002'0000, 0xb0}}};
  EXPECT_TRUE(check_granule(memory, protection(gpccr), pa{0x4'0001'0000}, realm));
  memory.root[0x8000'0008] = 0x9001'0003;
  EXPECT_EQ(gpc_failure::walk, check_granule(memory, protection(gpccr), pa{0x4'0001'0000}, realm).failure);
}

// Stage 1 alone, 39 bits from 0x1000: a gigabyte block. SCR_EL3.{NSE, NS} = {1, 1} is Realm state.
regime_registers realm_registers() {
  regime_registers r{.tcr = {{0x2'0080'3519}}, .ttbr0 = {{0x1000}}, .mair = {{0xff}}, .sctlr = {{0x1005}}};
  r.scr.raw |= u64{1} << 62;
  r.gpccr = {{forty_bits}};
  r.gptbr = {{0x8'0000}};
  return r;
}

TEST(GranuleProtection, IsAskedAtEachDescriptorAndAtTheEnd) {
  auto const regime = make_regime(realm_registers(), machine);
  two_memories memory{.root = {{0x8000'0000, 0xb1}}, .others = {{0x1000, 0x4000'0701}}};
  translation const refused = translate(memory, regime, va{0x1234}, {});
  ASSERT_TRUE(refused.fault);
  EXPECT_EQ(fault_kind::granule_protection, refused.fault->kind) << "the output lies in a gigabyte without an entry";
  EXPECT_EQ(pa{0x4000'1234}, refused.fault->granule.where);
  EXPECT_EQ(0x28, refused.fault->fsc());

  memory.root[0x8000'0008] = 0xf1;
  translation const t = translate(memory, regime, va{0x1234}, {});
  ASSERT_TRUE(t);
  EXPECT_EQ(pa{0x4000'1234}, t.output);
  EXPECT_EQ(realm, t.space);

  memory.root[0x8000'0000] = 0x91;
  translation const on_walk = translate(memory, regime, va{0x1234}, {});
  ASSERT_TRUE(on_walk.fault);
  EXPECT_EQ(fault_kind::granule_protection_on_walk, on_walk.fault->kind);
  EXPECT_EQ(level::l1, on_walk.fault->at);
  EXPECT_EQ(0x25, on_walk.fault->fsc());
  EXPECT_TRUE(on_walk.steps.empty()) << "a table that may not be read is not read";
}

TEST(GranuleProtection, AnAddressTranslationInstructionMakesNoAccess) {
  two_memories memory{.root = {{0x8000'0000, 0xb1}}, .others = {{0x1000, 0x4000'0701}}};
  EXPECT_TRUE(translate(memory, make_regime(realm_registers(), machine), va{0x1234}, {.op = operation::at_read}));
}

}  // namespace
}  // namespace granule_protection_test
