// SPDX-License-Identifier: MIT
#include "vmsa/text/read/fault_input.hpp"

#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::fault_input_test {
namespace {

// Line and problem of the error that `text` is refused with.
std::pair<std::size_t, std::string> refusal(std::string const& text) {
  try {
    (void)parse_fault_scenario(text, "t.toml");
  } catch (input_error const& error) {
    return {error.line(), error.problem()};
  }
  return {0, "accepted"};
}

std::string const ram = R"([[memory]]
ipa = "0x40000000"
size = "0x1000000"
pa = "0x80000000"
backing = "anonymous"
)";

TEST(FaultInput, TheExampleParses) {
  fault_scenario const s = parse_fault_scenario(example_fault_scenario(), "example");
  EXPECT_EQ(s.policy, "linux-6.17");
  ASSERT_EQ(s.memory.size(), 4u);
  EXPECT_EQ(s.memory[2].name, "NIC BAR2");
  EXPECT_EQ(s.memory[2].where.backing, backing::vfio_pci_bar);
  ASSERT_EQ(s.accesses.size(), 7u);
  EXPECT_EQ(s.accesses[3].stage1.mair, 0x44);
}

TEST(FaultInput, MemoryIsSortedByAddress) {
  fault_scenario const s = parse_fault_scenario(R"([[memory]]
ipa = "0x90000000"
size = "0x1000"
pa = "0x0"
backing = "memfd"
)" + ram,
                                                "t");
  ASSERT_EQ(s.memory.size(), 2u);
  EXPECT_EQ(s.memory[0].where.base, ipa{0x40000000});
}

TEST(FaultInput, NoTwoMemoriesOverlap) {
  auto const at = [](std::string const& ipa, std::string const& size) {
    return "[[memory]]\nipa = \"" + ipa + "\"\nsize = \"" + size + "\"\npa = \"0x0\"\nbacking = \"memfd\"\n";
  };
  std::string const two = at("0x8000", "0x4000") + at("0x2000", "0x2000");
  struct row {
    char const *ipa, *size;
    bool overlaps;
  };
  for (row const& r : {row{"0x8000", "0x4000", true},
                       {"0xb000", "0x8000", true},
                       {"0x7000", "0x2000", true},
                       {"0x9000", "0x1000", true},
                       {"0x1000", "0x2000", true},
                       {"0x1000", "0x20000", true},
                       {"0x0", "0x2000", false},
                       {"0x4000", "0x4000", false},
                       {"0xc000", "0x1000", false}}) {
    SCOPED_TRACE(std::string(r.ipa) + " " + r.size);
    std::string const text = two + at(r.ipa, r.size);
    if (r.overlaps)
      EXPECT_EQ(refusal(text).first, 12u);
    else
      EXPECT_EQ(parse_fault_scenario(text, "t").memory.size(), 3u);
  }
}

TEST(FaultInput, AnAccessByRegistersIsTakenAsItIs) {
  fault_scenario const s = parse_fault_scenario(
      "[[access]]\nesr = \"0x93810006\"\nfar = \"0x123\"\nhpfar = \"0x200000\"\nmair = \"0x04\"\n", "t");
  ASSERT_EQ(s.accesses.size(), 1u);
  EXPECT_EQ(s.accesses[0].esr.raw, 0x93810006u);
  EXPECT_EQ(s.accesses[0].stage1.mair, 0x04);
}

TEST(FaultInput, CapabilitiesComeByNameOrById) {
  EXPECT_TRUE(parse_fault_scenario("[machine]\ncpu = \"neoverse-v1\"\n", "t").host.cpu.s2fwb);
  fault_scenario const bits = parse_fault_scenario(
      "[machine]\nid_aa64mmfr0_el1 = \"0x5\"\nid_aa64mmfr2_el1 = \"0x10000000000\"\nctr_el0 = \"0x20000000\"\n", "t");
  EXPECT_TRUE(bits.host.cpu.s2fwb);
  EXPECT_TRUE(bits.host.cpu.dic);
  EXPECT_FALSE(parse_fault_scenario("[machine]\ncpu = \"neoverse-v1\"\nfwb = false\n", "t").host.cpu.s2fwb);
  EXPECT_EQ(parse_fault_scenario("[machine]\nmode = \"pkvm-guest\"\n", "t").host.mode, hypervisor_mode::pkvm_guest);
}

TEST(FaultInput, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_EQ(refusal("[machine]\ncpu = \"z80\"\n").first, 2u);
  EXPECT_EQ(refusal("[machine]\ncpu = \"neoverse-v1\"\nctr_el0 = \"0x0\"\n").first, 3u);
  EXPECT_EQ(refusal("[machine]\n\nipa_bits = 12\n").first, 3u);
  EXPECT_EQ(refusal("[machine]\npolcy = \"linux-6.1\"\n").first, 2u);
  EXPECT_EQ(refusal("[[memory]]\nipa = 0x40000000\n").first, 2u);
  EXPECT_EQ(refusal("[[memory]]\nipa = \"0x4000000g\"\n").first, 2u);
  EXPECT_EQ(refusal(ram + ram).first, 7u);
  EXPECT_EQ(refusal("[[memory]]\nipa = \"0x1000\"\nsize = \"0x1800\"\npa = \"0x0\"\nbacking = \"anonymous\"\n").first,
            3u);
  EXPECT_EQ(refusal("[[memory]]\nipa = \"0x1000\"\nsize = \"0x1000\"\npa = \"0x0\"\nbacking = \"anon\"\n").first, 5u);
  EXPECT_EQ(refusal("[[access]]\nkind = \"read\"\n").first, 1u);
  EXPECT_EQ(refusal("[[access]]\nipa = \"0x0\"\nstage1 = \"normal-xx\"\n").first, 3u);
  EXPECT_EQ(refusal("[[access]]\nipa = \"0x0\"\nmair = \"0x50\"\n").first, 3u);
  EXPECT_EQ(refusal("[[access]]\nesr = \"0x5600000\"\nfar = \"0x0\"\nhpfar = \"0x0\"\n").first, 2u);
  EXPECT_EQ(refusal("title = \n").first, 1u);
}

TEST(FaultInput, TracepointLines) {
  auto const access = parse_tracepoint(
      " qemu-1 [001] 1.0: kvm_guest_fault: ipa 0x20000000, hsr 0x93810006, hxfar 0x20000123, pc 0x00000010000000",
      {"t", 3});
  ASSERT_TRUE(access);
  EXPECT_EQ(access->esr.raw, 0x93810006u);
  EXPECT_EQ(access->hpfar.page(), ipa{0x20000000});
  EXPECT_EQ(access->far.raw, 0x20000123u);
  EXPECT_FALSE(parse_tracepoint("kvm_exit: TRAP: 0x24", {"t", 1}));
  EXPECT_THROW((void)parse_tracepoint("kvm_guest_fault: ipa 0x2", {"t", 1}), input_error);
  EXPECT_THROW((void)parse_tracepoint("kvm_guest_fault: ipa 0x2, hsr 0x0, hxfar 0x0", {"t", 1}), input_error);
}

}  // namespace
}  // namespace vmsa::text::fault_input_test
