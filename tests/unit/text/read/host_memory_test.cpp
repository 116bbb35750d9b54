// SPDX-License-Identifier: MIT
#include "vmsa/text/read/host_memory.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "vmsa/text/read/fault_input.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text::host_memory_test {
namespace {

constexpr char const* iomem =
    "40000000-57ffffff : System RAM\n"
    "  40200000-428fffff : Kernel code\n"
    "  50000000-50ffffff : reserved\n"
    "58000000-581fffff : reserved\n"
    "60000000-6fffffff : Soft Reserved\n"
    "  60000000-6fffffff : dax0.0\n"
    "    60000000-67ffffff : System RAM (kmem)\n"
    "8000000000-ffffffffff : pcie@10000000\n"
    "  8000000000-80003fffff : 0000:00:01.0\n";
constexpr char const* resource =
    "0x0000008000000000 0x00000080003fffff 0x000000000014220c\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x0000000000001000 0x000000000000101f 0x0000000000040101\n"
    "0x0000000010000000 0x0000000010000fff 0x0000000000040200\n";
constexpr char const* tree =
    "/dts-v1/;\n/memreserve/ 0x48000000 0x10000;\n/ {\n\t#address-cells = <0x02>;\n\t#size-cells = <0x02>;\n"
    "\tcompatible = \"linux,dummy-virt\", \"x\\\"y\";\n\tmac = [00 11 22];\n"
    "\tmemory@40000000 {\n\t\tdevice_type = \"memory\";\n\t\treg = <0x00 0x40000000 0x00 0x20000000>;\n\t};\n"
    "\treserved-memory {\n\t\t#address-cells = <0x02>;\n\t\t#size-cells = <0x02>;\n\t\tranges;\n"
    "\t\ta@58000000 {\n\t\t\treg = <0x00 0x58000000 0x00 0x200000>;\n\t\t\tno-map;\n\t\t};\n"
    "\t\tb@58200000 {\n\t\t\treg = <0x00 0x58200000 0x00 0x200000>;\n\t\t};\n"
    "\t\tpool {\n\t\t\tsize = <0x00 0x400000>;\n\t\t\treusable;\n\t\t};\n\t};\n};\n";
constexpr char const* mtree =
    "FlatView #0\n AS \"I/O\", root: io\n Root memory region: io\n"
    "  0000000000000000-000000000000ffff (prio 0, i/o): io\n\n"
    "FlatView #1\n AS \"memory\", root: system\n AS \"cpu-memory-0\", root: system\n Root memory region: system\n"
    "  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0\n"
    "  0000000009000000-0000000009000fff (prio 0, i/o): pl011\n"
    "  0000000010000000-00000000103fffff (prio 0, ramd): 0000:01:00.0 BAR 0 mmaps[0]\n"
    "  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram\n\n"
    "FlatView #2\n AS \"gpex-root\", root: bus master container\n Root memory region: (none)\n  No rendered FlatView\n";

TEST(HostMemory, ClassesOfIomem) {
  host_memory const m = read_iomem(iomem, "iomem");
  auto const page = [&](u64 at) { return m.find({at})->page; };
  EXPECT_EQ(page(0x40000000), page_class::map_memory);
  EXPECT_EQ(page(0x50000000), page_class::map_memory);  // reserved, but inside System RAM: mapped
  EXPECT_EQ(page(0x58000000), page_class::no_map);
  EXPECT_EQ(page(0x60000000), page_class::map_memory);  // soft-reserved, then hot-plugged by dax/kmem
  EXPECT_EQ(page(0x68000000), page_class::zone_device);
  EXPECT_EQ(page(0x8000000000), page_class::mmio);
  EXPECT_EQ(m.find({0x3fffffff}), nullptr);
  EXPECT_EQ(m.find({0x58200000}), nullptr);
  EXPECT_EQ(m.find({0x58000000})->line, 4u);
}

TEST(HostMemory, ResourcesOfAPciDevice) {
  host_memory const m = read_pci_resource(resource, "resource");
  ASSERT_EQ(m.ranges.size(), 2u);
  EXPECT_EQ(m.ranges[0].name, "BAR 3");
  EXPECT_EQ(m.ranges[0].size, 0x1000u);
  EXPECT_EQ(m.ranges[1].name, "BAR 0, prefetchable");
  EXPECT_EQ(m.ranges[1].size, 0x400000u);
  host_memory both = read_iomem(iomem, "iomem");
  both.overlay(m);
  EXPECT_EQ(both.find({0x8000000000})->name, "BAR 0, prefetchable");
  EXPECT_EQ(both.find({0x8000400000})->name, "pcie@10000000");
}

TEST(HostMemory, ReservationsOfADeviceTree) {
  host_memory const m = read_device_tree(tree, "dts");
  EXPECT_EQ(m.find({0x57ffffff})->page, page_class::map_memory);
  EXPECT_EQ(m.find({0x58000000})->page, page_class::no_map);
  EXPECT_EQ(m.find({0x58200000})->page, page_class::map_memory);
  EXPECT_EQ(m.find({0x58200000})->name, "b@58200000");
  EXPECT_EQ(m.find({0x5fffffff})->name, "memory@40000000");
  ASSERT_EQ(m.open.size(), 1u);
  EXPECT_EQ(m.open[0], "pool: the kernel chooses its address at boot");
}

TEST(HostMemory, GuestMemoryOfQemu) {
  std::vector<guest_range> const m = read_mtree(mtree, "mtree");
  ASSERT_EQ(m.size(), 4u);
  EXPECT_EQ(m[0].backs, backing::rom);
  EXPECT_EQ(m[1].backs, backing::emulated_mmio);
  EXPECT_EQ(m[2].backs, backing::vfio_pci_bar);
  EXPECT_FALSE(m[3].backs);  // RAM: anonymous, memfd or hugetlb, which QEMU does not print here
  EXPECT_EQ(m[3].base.value, 0x40000000u);
  EXPECT_EQ(m[3].size, 0x10000000u);
  EXPECT_EQ(m[3].name, "mach-virt.ram");
}

TEST(HostMemory, TheDeviceAndNotItsBridge) {
  host_memory const m = read_iomem(
      "8000000000-ffffffffff : pcie@10000000\n"
      "  8000000000-80ffffffff : PCI Bus 0000:01\n"
      "    8000000000-80003fffff : 0000:01:00.0\n"
      "      8000000000-80003fffff : vfio-pci\n"
      "    8000400000-800040001f : 0000:01:00.1\n",
      "iomem");
  EXPECT_EQ(m.find({0x8000000000})->name, "0000:01:00.0, vfio-pci");
  EXPECT_EQ(m.find({0x8000400010})->name, "0000:01:00.1");
  EXPECT_TRUE(m.find({0x8000400010})->partial());
  EXPECT_EQ(m.find({0x8000500000})->name, "PCI Bus 0000:01");
  EXPECT_EQ(m.find({0x9000000000})->name, "pcie@10000000");
}

TEST(HostMemory, KvmBehindAName) {
  std::vector<guest_range> const m = read_mtree(
      "FlatView #0\n AS \"memory\", root: system\n Root memory region: system\n"
      "  0000000010000000-00000000103fffff (prio 0, ramd): 0000:01:00.0 BAR 0 mmaps[0] KVM\n"
      "  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram @0000000000001000 KVM\n"
      "  0000000050000000-000000005fffffff (prio 0, i/o): KVM\n",
      "mtree");
  ASSERT_EQ(m.size(), 3u);
  EXPECT_EQ(m[0].name, "0000:01:00.0 BAR 0 mmaps[0]");
  EXPECT_TRUE(m[0].memslot);
  EXPECT_EQ(m[1].name, "mach-virt.ram");
  EXPECT_FALSE(m[2].memslot);
  EXPECT_EQ(m[2].name, "KVM");
}

TEST(HostMemory, NodesWhoseDmaSeesTheCaches) {
  std::string text = tree;
  text.replace(text.find("\tmac ="), 0, "\tpcie@10000000 {\n\t\tdma-coherent;\n\t};\n");
  EXPECT_EQ(read_device_tree(text, "dts").coherent, std::vector<std::string>{"/pcie@10000000"});
}

// Later layers win, whatever their order; the end of the address space is no end of the ranges.
TEST(HostMemory, LayersArePainted) {
  auto const range = [](u64 base, u64 size, char const* name) { return host_range{{base}, size, {}, name, "f", 1}; };
  std::vector<host_range> const seen = painted({range(0x0, 0x1000, "a"), range(0x200, 0x100, "b"),
                                                range(0x280, 0x100, "c"), range(~u64{0} - 0xff, 0x100, "end")});
  std::string got;
  for (host_range const& r : seen) got += fmt::format("{} {:x}+{:x}; ", r.name, r.base.value, r.size);
  EXPECT_EQ(got, "a 0+200; b 200+80; c 280+100; a 380+c80; end ffffffffffffff00+100; ");
}

// One step for each line: were each laid over all before it, this would take minutes.
TEST(HostMemory, ManyChildrenOfOneRange) {
  constexpr unsigned count = 20'000;
  std::string text = "8000000000-8fffffffff : pcie@10000000\n";
  for (unsigned i = 0; i < count; ++i)
    text +=
        fmt::format("  {:x}-{:x} : d{}\n", 0x80'0000'0000u + 0x2000u * u64{i}, 0x80'0000'0fffu + 0x2000u * u64{i}, i);
  EXPECT_EQ(read_iomem(text, "iomem").ranges.size(), 2 * count);
}

template <class Read>
std::string wrong(Read read, std::string const& text) {
  try {
    (void)read(text, "f");
  } catch (input_error const& e) {
    return e.what();
  }
  return "nothing";
}
bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

TEST(HostMemory, DamagedIomem) {
  std::string const whole = iomem;
  EXPECT_TRUE(has(wrong(read_iomem, whole.substr(0, 50)), "f:2: \"  40200000-428fffff\" is no line"));
  EXPECT_TRUE(has(wrong(read_iomem, "40000000-57ffffff : Syst"), "f:1: the text ends inside \"Syst\""));
  EXPECT_EQ(wrong(read_iomem, "40000000-57ffffff : System RAM"), "nothing");
  EXPECT_TRUE(has(wrong(read_iomem, ""), "no ranges"));
  EXPECT_TRUE(has(wrong(read_iomem, "00000000-00000000 : System RAM\n  00000000-00000000 : x\n00000000-00000000 : y\n"),
                  "as root"));
  EXPECT_TRUE(has(wrong(read_iomem, "4000000g-57ffffff : System RAM\n"), "no range of hexadecimal"));
  EXPECT_TRUE(has(wrong(read_iomem, "57ffffff-40000000 : System RAM\n"), "ends before it begins"));
  EXPECT_TRUE(has(wrong(read_iomem, "40000000-57ffffff : System RAM\n50000000-6fffffff : reserved\n"),
                  "f:2: 50000000-6fffffff is out of order or overlaps"));
  EXPECT_TRUE(
      has(wrong(read_iomem, "40000000-57ffffff : System RAM\n  57000000-58ffffff : x\n"), "leaves \"System RAM\""));
  EXPECT_TRUE(has(wrong(read_iomem, "40000000-57ffffff : System RAM\n    41000000-41ffffff : x\n"), "deeper"));
  EXPECT_TRUE(has(wrong(read_iomem, "0-ffffffffffffffff : x\n"), "whole address space"));
  EXPECT_TRUE(has(wrong(read_iomem, std::string("40000000-57ffffff : System\0RAM\n", 31)), "NUL"));
}

TEST(HostMemory, DamagedResources) {
  EXPECT_TRUE(has(wrong(read_pci_resource, ""), "no resources"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "0x0000008000000000 0x00000080003fffff\n"), "f:1"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "8000000000 80003fffff 14220c\n"), "no line of a PCI resource"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "0x2000 0x1000 0x200\n"), "ends before it begins"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "0x1000 0x1fff 0x40000\n"), "neither memory nor I/O"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "0x1000 0x1fff 0x200\n0x1800 0x1fff 0x200\n"), "overlaps BAR 0"));
  EXPECT_TRUE(has(wrong(read_pci_resource, "0x1000 0x1fff 0x200 0x1\n"), "after the flags"));
}

TEST(HostMemory, DamagedTrees) {
  std::string const whole = tree;
  for (std::size_t cut = 0; cut + 2 < whole.size(); cut += 7)
    EXPECT_NE(wrong(read_device_tree, whole.substr(0, cut)), "nothing") << cut;
  EXPECT_TRUE(has(wrong(read_device_tree, "/ { a = <0x1ffffffff>; };"), "32-bit cell"));
  EXPECT_TRUE(
      has(wrong(read_device_tree, "/ { #address-cells = <3>; m { device_type = \"memory\"; reg = <1 2 3>; }; };"),
          "1 or 2"));
  EXPECT_TRUE(has(wrong(read_device_tree, "/ { m { device_type = \"memory\"; reg = <1 2>; }; };"), "has 2 cells"));
  EXPECT_TRUE(has(wrong(read_device_tree, "/ { };"), "neither memory nor"));
  EXPECT_TRUE(
      has(wrong(read_device_tree,
                "/ { #size-cells = <2>; m { device_type = \"memory\"; reg = <0xffffffff 0 0xffffffff 0>; }; };"),
          "pass 2^64"));
  std::string deep = "/";
  for (int i = 0; i < 100; ++i) deep += " { n";
  EXPECT_TRUE(has(wrong(read_device_tree, deep), "too deeply"));
}

TEST(HostMemory, DamagedMtree) {
  EXPECT_TRUE(has(wrong(read_mtree, ""), "no memory regions"));
  EXPECT_TRUE(has(wrong(read_mtree, "  0000000040000000-000000004fffffff (prio 0, ram)\n"), "no line of info mtree"));
  EXPECT_TRUE(has(wrong(read_mtree, "  0000000040000000-000000004fffffff (prio 0, rum): x\n"), "no kind"));
  EXPECT_TRUE(has(wrong(read_mtree, "  4-3 (prio 0, ram): x\n"), "no range"));
  EXPECT_TRUE(has(wrong(read_mtree, "  0-fff (prio 0, ram): x\n  800-fff (prio 0, ram): y\n"), "overlaps"));
}

TEST(HostMemory, WhatCanStandOnAPageIsAskedFor) {
  for (page_class p :
       {page_class::map_memory, page_class::no_map, page_class::mmio, page_class::zone_device, page_class::p2pdma}) {
    auto const list = compatible_backings(p);
    EXPECT_FALSE(list.empty());
    for (backing b : list) EXPECT_EQ(inputs_of(b).page, p);
  }
  EXPECT_EQ(linear_of(page_class::zone_device), linear_alias::write_back);
  EXPECT_EQ(linear_of(page_class::no_map), linear_alias::none);
}

// A scenario that says what its host has may not back memory by what the host has not.
std::string scenario(std::string const& backing, std::string const& pa) {
  return "[host]\niomem = '''\n" + std::string(iomem) +
         "'''\n[[memory]]\nipa = \"0x40000000\"\nsize = \"0x200000\"\npa = \"" + pa + "\"\nbacking = \"" + backing +
         "\"\n";
}
std::string refused(std::string const& text) {
  return wrong([](std::string const& t, std::string f) { return parse_fault_scenario(t, std::move(f)); }, text);
}

TEST(HostMemory, InAScenario) {
  EXPECT_EQ(refused(scenario("anonymous", "0x40000000")), "nothing");
  EXPECT_EQ(refused(scenario("no-map", "0x58000000")), "nothing");
  EXPECT_TRUE(has(refused(scenario("anonymous", "0x58000000")),
                  "anonymous needs map-memory pages, and the host has no-map (reserved) at 0x58000000"));
  EXPECT_TRUE(has(refused(scenario("vfio-pci-bar", "0x57f00000")), "the host has map-memory"));
  EXPECT_TRUE(has(refused(scenario("no-map", "0x58100000")), "in no range of [host]"));
  EXPECT_TRUE(has(refused("[host]\niomem = \"40000000-57\"\n"), "line 1 of the text: \"40000000-57\" is no line"));
}

// The tree of a virt machine as QEMU prints it without -f: what has regions inside is no memory, a higher priority
// shows.
TEST(HostMemory, PlainMtree) {
  std::vector<guest_range> const m = read_mtree(
      "address-space: I/O\n"
      "  0000000000000000-000000000000ffff (prio 0, i/o): io\n"
      "\n"
      "address-space: memory\n"
      "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
      "    0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0\n"
      "    0000000040000000-00000000bfffffff (prio 0, ram): mach-virt.ram\n"
      "    0000000040200000-00000000402fffff (prio 1, i/o): over\n"
      "    0000000009000000-0000000009000fff (prio 0, i/o): pl011 [disabled]\n"
      "\n"
      "memory-region: other\n"
      "  0000000000000000-ffffffffffffffff (prio 0, ram): other\n",
      "mtree");
  ASSERT_EQ(m.size(), 4u);
  EXPECT_EQ(m[0].kind, "romd");
  EXPECT_EQ(m[1].base, ipa{0x4000'0000});
  EXPECT_EQ(m[1].size, 0x20'0000u);
  EXPECT_EQ(m[2].name, "over");
  EXPECT_EQ(m[2].backs, backing::emulated_mmio);
  EXPECT_EQ(m[3].base, ipa{0x4030'0000});
  EXPECT_EQ(m[3].name, "mach-virt.ram");
  EXPECT_TRUE(has(wrong(read_mtree, "address-space: memory\n  nonsense\n"), "no line of info mtree"));
}

}  // namespace
}  // namespace vmsa::text::host_memory_test
