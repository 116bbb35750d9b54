// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/machine.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "vmsa/text/ask/owners.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text::machine_test {
namespace {

sim::dump memory_of(u64 base, u64 size, std::vector<std::pair<u64, u64>> const& words) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  for (auto const& [at, value] : words) std::memcpy(bytes.data() + (at - base), &value, 8);
  return sim::open_dump(sim::in_memory(std::move(bytes)), {.base = pa{base}});
}

constexpr u64 base = 0x4000'0000;
// A 39-bit IPA space from level 1: one page at IPA 0x1000.
std::vector<std::pair<u64, u64>> tables(u64 leaf) {
  return {{base, base + 0x1003}, {base + 0x1000, base + 0x2003}, {base + 0x2008, leaf}};
}

TEST(Machine, PkvmsHostRunsBehindAStage2OfItsOwn) {
  machine_registers const r = parse_machine_registers(
      R"([[cpu]]
hcr_el2 = "0x400080000001"
vttbr_el2 = "0x40000000"
vtcr_el2 = "0x80053559"
)",
      "registers.toml");
  machine const m = open_machine("dump", memory_of(base, 0x3000, tables(0x4000'5000 | 0x7df)), r, {});
  ASSERT_EQ(1u, m.vms.size());
  EXPECT_EQ("host stage 2", m.vms[0].kind);
  EXPECT_EQ("host", m.vms[0].name);
  EXPECT_EQ(true, m.vms[0].fwb);
  sim::mapped_table const t = map_of(m, m.vms[0]);
  ASSERT_EQ(1u, t.ranges.size());
  EXPECT_EQ("stage1", stage2_type(t.ranges[0].first, true).json());  // MemAttr 0b0111 with FWB
}

TEST(Machine, FwbIsToldByLeavesAndNeverAssumed) {
  for (auto const& [leaf, fwb] : std::initializer_list<std::pair<u64, std::optional<bool>>>{
           {0x7ff, false}, {0x7db, true}, {0x7d7, std::nullopt}, {0x7c7, std::nullopt}}) {
    machine_registers const r = parse_machine_registers(
        R"({"cpus": [{"HCR_EL2": "0x488000000", "VTTBR_EL2": "0x1000040000000", "VTCR_EL2": "0x80053559"}]})",
        "r.json");
    machine const m = open_machine("dump", memory_of(base, 0x3000, tables(0x4000'5000 | leaf)), r, {});
    ASSERT_EQ(1u, m.vms.size());
    EXPECT_EQ("stage 2", m.vms[0].kind);
    EXPECT_EQ(fwb, m.vms[0].fwb) << leaf;
  }
}

TEST(Machine, WithoutVheTheHostIsAtEl1OfAProcessorThatRunsNoGuest) {
  machine_registers const r = parse_machine_registers(
      R"({"cpus": [
        {"HCR_EL2": "0x80000000", "VTTBR_EL2": "0x0", "VTCR_EL2": "0x80053559", "TTBR1_EL1": "0x40003000", "TTBR0_EL1": "0x40004000",
         "TCR_EL1": "0x5b5503519", "MAIR_EL1": "0x40044ffff", "SCTLR": "0x1005"},
        {"HCR_EL2": "0x80000001", "VTTBR_EL2": "0x1000040000000", "VTCR_EL2": "0x80053559", "TTBR1_EL1": "0x1234000", "TTBR0_EL1": "0x40010000",
         "TCR_EL1": "0x580993519", "MAIR_EL1": "0xff", "SCTLR": "0x1005"}]})",
      "r.json");
  machine const m = open_machine("dump", memory_of(base, 0x8000, tables(0x4000'5000 | 0x7ff)), r, {});
  ASSERT_EQ(2u, m.hosts.size());
  EXPECT_EQ("TTBR1_EL1 of CPU 0", m.hosts[0].from);
  EXPECT_EQ(pa{0x4000'3000}, m.hosts[0].root);
  ASSERT_EQ(1u, m.vms.size());
  ASSERT_TRUE(m.vms[0].guest);
  EXPECT_EQ("CPU 1", m.vms[0].guest->from);
}

// The structure stands where the image has it, and the root that it names lies outside.
TEST(Machine, AWrongBaseIsSeenWithoutRegisters) {
  std::vector<std::pair<u64, u64>> const words{{base + 0x100, 0x1'0003},
                                               {base + 0x108, 0x9000'0000},
                                               {base + 0x110, 0xffff'0000'0123'4000},
                                               {base + 0x118, 0x802d'3558}};
  try {
    static_cast<void>(open_machine("dump", memory_of(base, 0x3000, words), {}, {}));
    FAIL();
  } catch (sim::dump_error const& error) {
    EXPECT_EQ(
        "wrong base, or another machine's registers: the image is 0x40000000 to 0x40002fff, and the struct kvm_s2_mmu "
        "at "
        "0x40000100 names a root at 0x90000000, where it has no such table",
        error.problem());
  }
}

// A base that is wrong by less than the image: what stands where the root is named is zeros, which is no VM without
// memory but tables elsewhere.
TEST(Machine, AWrongBaseInsideTheImageIsFound) {
  for (u64 const wrong : {base - 0x1000, base + 0x2000}) {
    std::vector<std::pair<u64, u64>> const words{{0x100, 0x1'0003},
                                                 {0x108, base + 0x4000},
                                                 {0x110, 0xffff'0000'0123'4000},
                                                 {0x118, 0x802d'3558},
                                                 {0x4008, (base + 0x8000) | 3},
                                                 {0x8000, (base + 0x9000) | 3},
                                                 {0x9000, (base + 0x8000) | 0x7ff}};
    std::vector<std::pair<u64, u64>> moved = words;
    for (auto& [at, value] : moved) at += wrong;
    try {
      static_cast<void>(open_machine("dump", memory_of(wrong, 0x10000, moved), {}, {}));
      FAIL();
    } catch (sim::dump_error const& error) {
      EXPECT_EQ("--base 0x40000000", error.valid());
      EXPECT_NE(std::string::npos, error.problem().find("wrong base: the image is opened at " + hex(wrong)));
      EXPECT_NE(std::string::npos, error.problem().find(wrong < base ? "0x1000 bytes lower" : "0x2000 bytes higher"));
    }
  }
}

// A VM that maps nothing yet is no wrong base, and the answer says that it may be one.
TEST(Machine, AnEmptyRootIsSaid) {
  std::vector<std::pair<u64, u64>> const words{{base + 0x100, 0x1'0003},
                                               {base + 0x108, base + 0x4000},
                                               {base + 0x110, 0xffff'0000'0123'4000},
                                               {base + 0x118, 0x802d'3558}};
  machine const m = open_machine("dump", memory_of(base, 0x8000, words), {}, {});
  ASSERT_EQ(1u, m.notes.size());
  EXPECT_EQ(
      "the struct kvm_s2_mmu at 0x40000100 names a root at 0x40004000, which is there and empty, as every other root "
      "is: VMs that map nothing yet, or not the image's base",
      m.notes[0]);
}

TEST(Machine, ThatNothingWasFoundIsSaid) {
  machine const m = open_machine("dump", memory_of(base, 0x3000, {}), {}, {});
  EXPECT_EQ(
      (std::vector<std::string>{"no VM was found: no VTTBR_EL2 names a root, and no struct kvm_s2_mmu is in the dump"}),
      m.notes);
}

TEST(Machine, RegistersThatAreNoneAreRefused) {
  for (char const* text :
       {"{", "{}", R"({"cpus": [{"HCR_EL2": 1}]})", R"({"cpus": [{"HCR_EL2": 1e999}]})", R"({"cpus": [3]})",
        R"({"cpus": [], "vms": [{"TCR_EL1": "0x1"}]})", "[[cpu]]\nhcr = \"0x1\"\n", "[[vm]]\ntcr_el1 = \"0x1\"\n", ""})
    EXPECT_THROW(static_cast<void>(parse_machine_registers(text, "r")), input_error) << text;
}

}  // namespace
}  // namespace vmsa::text::machine_test
