// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests_folder.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/tables_report.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text::tables_test {
namespace {

using nlohmann::json;

std::string sample(std::string const& name) { return tests_folder() + "/dumps/" + name; }
json expected(std::string const& name) { return json::parse(read_text(sample(name))); }
u64 number(json const& j) { return *parse_number(j.get<std::string>(), 16); }

machine open_sample(std::string const& dump, std::string const& registers = "") {
  return open_machine(sample(dump), {.registers_file = registers.empty() ? "" : sample(registers), .by_shape = true});
}

// A line for each thing that a sample is expected to hold: the difference of two sets of them says all at once.
using lines = std::multiset<std::string>;
template <class... Args>
std::string line(Args const&... args) {
  std::string out;
  ((out += out.empty() ? "" : " ", out += args), ...);
  return out;
}

class Sample : public testing::TestWithParam<char const*> {
 protected:
  std::string folder = GetParam();
  json want = expected(folder + "/expected.json.gz");
  machine m = open_sample(folder + "/tables.elf.gz", folder + "/registers.json");
  vm_table const& vm(json const& e) { return m.vm(e["name"].get<std::string>()); }
};

TEST_P(Sample, VmsAreThoseThatRan) {
  ASSERT_EQ(want["vms"].size(), m.vms.size());
  for (json const& e : want["vms"]) {
    vm_table const& v = vm(e);
    EXPECT_EQ(e["kvm_s2_mmu"], hex(v.mmu.value_or(pa{}))) << v.name;
    EXPECT_EQ(e["vttbr_el2"], hex(v.vttbr())) << v.name;
    EXPECT_EQ(e["vtcr_el2"], hex(v.vtcr.raw)) << v.name;
    EXPECT_EQ(e["ipa_bits"], v.shape.input_bits) << v.name;
    EXPECT_EQ(e["start_level"], number(v.shape.start)) << v.name;
    EXPECT_EQ(e["concatenated"], v.shape.concatenated_tables()) << v.name;
    EXPECT_EQ(e["lpa2"], v.shape.format.ds) << v.name;
    EXPECT_EQ(want["fwb"], v.fwb.value_or(!want["fwb"].get<bool>())) << v.name;
    EXPECT_EQ(e["live_on_cpus"], json(v.cpus)) << v.name;
    EXPECT_TRUE(std::count(v.seen_by.begin(), v.seen_by.end(), "shape") == 1) << v.name;
    json const& one = e["stage1"];
    ASSERT_TRUE(v.guest) << v.name;
    EXPECT_EQ(one["from_cpu"].is_null(), v.guest->assumed) << v.name;
    EXPECT_EQ(one["tcr_el1"], hex(v.guest->tcr)) << v.name;
  }
}

TEST_P(Sample, EveryRangeOfStage2) {
  for (json const& e : want["vms"]) {
    vm_table const& v = vm(e);
    sim::mapped_table const table = map_of(m, v);
    EXPECT_EQ(e["table_pages"], table.totals.tables);
    EXPECT_EQ(e["leaves"], table.totals.leaves);
    EXPECT_TRUE(table.absent.empty());
    lines wanted, found;
    for (json const& r : e["stage2"])
      wanted.insert(line(r["ipa"].get<std::string>(), r["end"].get<std::string>(), r["pa"].get<std::string>(),
                         r["level"].dump(), r["leaves"].dump(), r["descriptor"].get<std::string>(),
                         r["type"].get<std::string>(), r["s2ap"].dump(), r["xn"].dump()));
    for (sim::mapped_range const& r : table.ranges)
      found.insert(line(hex(r.input), hex(r.input + r.size), hex(r.output), std::to_string(number(r.at)),
                        std::to_string(r.leaves), hex(r.first.raw), stage2_type(r.first, *v.fwb).text(),
                        std::to_string(static_cast<unsigned>(stage2_bits::s2ap::get(r.first.raw))),
                        std::to_string(static_cast<unsigned>(stage2_bits::xn::get(r.first.raw)))));
    EXPECT_EQ(wanted, found) << v.name;
  }
}

TEST_P(Sample, EveryRangeOfBothStages) {
  for (json const& e : want["vms"]) {
    vm_table const& v = vm(e);
    guest_map const guest = map_guest(m, v, map_of(m, v));
    EXPECT_EQ(e["stage1"]["leaves"], guest.leaves) << v.name;
    EXPECT_EQ(e["stage1"]["pages_not_mapped_at_stage2"], guest.unmapped / 4096) << v.name;
    EXPECT_TRUE(guest.absent.empty());
    lines wanted, found;
    for (json const& r : e["combined"])
      wanted.insert(line(r["va"].get<std::string>(), r["end"].get<std::string>(), r["ipa"].get<std::string>(),
                         r["pa"].get<std::string>(), r["stage1"].get<std::string>(), r["memattr"].dump(),
                         r["effective"].get<std::string>()));
    for (combined_range const& r : guest.ranges)
      found.insert(line(hex(r.va), hex(r.va + r.size), hex(r.ipa), hex(r.pa), type_of(r.stage1).text(),
                        std::to_string(stage2_bits::memattr::get(r.two.raw)), type_of(r.effective).text()));
    EXPECT_EQ(wanted, found) << v.name;
  }
}

TEST_P(Sample, EveryRangeOfTheHost) {
  ASSERT_EQ(want["host"]["roots"].size(), m.hosts.size());
  for (std::size_t i = 0; i < m.hosts.size(); ++i) {
    json const& e = want["host"]["roots"][i];
    host_table const& h = m.hosts[i];
    sim::mapped_table const table = map_of(m, h);
    EXPECT_EQ(e["root"], hex(h.root));
    EXPECT_EQ(e["va_bits"], h.shape.input_bits);
    EXPECT_EQ(e["start_level"], number(h.shape.start));
    EXPECT_EQ(e["table_pages"], table.totals.tables);
    EXPECT_EQ(e["leaves"], table.totals.leaves);
    lines wanted, found;
    for (json const& r : want["host"]["ranges"][h.kind == "kernel" ? "kernel cpu0" : "user cpu0"])
      wanted.insert(line(r[0].get<std::string>(), r[1].get<std::string>(), r[2].get<std::string>(), r[3].dump(),
                         r[4].get<std::string>(), r[5].get<std::string>()));
    for (sim::mapped_range const& r : table.ranges)
      found.insert(line(hex(r.input), hex(r.input + r.size), hex(r.output), std::to_string(number(r.at)),
                        hex(r.first.raw),
                        type_of(mair(static_cast<u8>(h.mair >> (8 * ((r.first.raw >> 2) & 7))))).text()));
    EXPECT_EQ(wanted, found) << h.owner;
  }
}

// Page by page: who maps it, where, and with which type.
TEST_P(Sample, EveryOwnerOfEveryPageThatAGuestMaps) {
  machine_map const map = map_machine(m);
  std::map<u64, lines> found;
  map.index.for_each_stretch([&](pa first, u64 size, std::span<sim::physical_mapping const> active) {
    bool const guest =
        std::any_of(active.begin(), active.end(), [&](auto const& p) { return map.owners[p.owner].vm.has_value(); });
    for (u64 at = 0; guest && at < size; at += 4096)
      for (sim::physical_mapping const& p : active) {
        owned const o = map.tell(p, first + at);
        found[first.value + at].insert(line(o.owner, hex(o.address), o.type.text()));
      }
  });
  std::map<u64, lines> wanted;
  for (json const& a : want["aliases"])
    for (u64 at = 0, size = number(a["end"]) - number(a["pa"]); at < size; at += 4096)
      for (json const& by : a["by"])
        wanted[number(a["pa"]) + at].insert(
            line(by[0].get<std::string>(), hex(number(by[1]) + at), by[2].get<std::string>()));
  EXPECT_EQ(wanted, found);
}

TEST_P(Sample, EveryMismatch) {
  mismatches_answer const answer = mismatches(m, map_machine(m), false);
  EXPECT_EQ(want["pages_guests_map"], answer.guest_pages);
  std::map<std::string, std::string> const classes{
      {"loss of coherency or ordering (cacheable and not)", "loss-of-coherency"},
      {"write-back and write-through", "write-policy"},
      {"uncached types that differ", "ordering-only"}};
  lines wanted, found;
  for (json const& a : want["aliases"])
    if (a.contains("mismatch"))
      wanted.insert(line(a["pa"].get<std::string>(), a["end"].get<std::string>(), classes.at(a["mismatch"])));
  u64 pages = 0;
  for (mismatched_range const& r : answer.ranges) {
    found.insert(line(hex(r.first), hex(r.first + r.size), std::string(name(r.how))));
    pages += r.size / 4096;
  }
  EXPECT_EQ(want["mismatched_pages"], pages);
  EXPECT_EQ(wanted, found);
}

INSTANTIATE_TEST_SUITE_P(Machines, Sample, testing::Values("n1", "lpa2"));

// SCTLR_ELx.WXN, and XNTable of a regime with one privilege [Arm ARM, Stage 1 data and instruction access permissions].
TEST(Tables, WhatTakesExecutionAway) {
  machine const m;
  sim::mapped_range page{.first = {0x0040'0000'0000'0703}};  // RW at EL1, UXN, no PXN
  host_table kernel{.kind = "kernel"};
  EXPECT_TRUE(rights_of(m, kernel, page).el1.execute);
  kernel.wxn = true;
  EXPECT_FALSE(rights_of(m, kernel, page).el1.execute);
  EXPECT_TRUE(rights_of(m, kernel, page).el1.write);
  page.first.raw |= 0b10 << 6;  // read-only
  EXPECT_TRUE(rights_of(m, kernel, page).el1.execute);

  page.first.raw = 0x703 | 0b01 << 6;
  host_table el2{.kind = "hypervisor", .two_halves = false};
  EXPECT_TRUE(rights_of(m, el2, page).el1.execute);
  page.limits = 0b10;  // bit 60 of a table descriptor above
  EXPECT_FALSE(rights_of(m, el2, page).el1.execute);
  el2.tcr.hpd = true;
  EXPECT_TRUE(rights_of(m, el2, page).el1.execute);
  el2.wxn = true;
  EXPECT_FALSE(rights_of(m, el2, page).el1.execute);
}

// Nothing that a guest does, and no FWB, makes cacheable what stage 2 calls Normal-NC; and where FWB is on already it
// is no repair [Arm ARM, Stage 2 memory type and cacheability attributes].
TEST(Tables, ARepairIsOfWhoCanEndTheMismatch) {
  memory_attributes const wb = normal_memory(write_back_rw, write_back_rw, shareability::inner);
  memory_attributes const nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);
  auto const told = [&](bool fwb, memory_attributes const& stage2, memory_attributes const& guest) {
    machine m;
    m.vms.push_back({.name = "vm", .fwb = fwb});
    mismatched_range r{.size = 4096, .how = disagreement::loss_of_coherency, .guest = true};
    r.owners = {{.owner = "host kernel", .attributes = wb},
                {.owner = "guest", .kind = owner_kind::guest, .vm = 0, .attributes = guest},
                {.owner = "stage 2", .kind = owner_kind::stage2, .vm = 0, .attributes = stage2}};
    return as_text(tell(m, mismatches_answer{.ranges = {r}}));
  };
  using testing::HasSubstr, testing::Not, testing::AllOf;
  EXPECT_THAT(told(false, wb, nc), AllOf(HasSubstr("Normal-WB in the guest's stage 1"), HasSubstr(", or FWB"),
                                         Not(HasSubstr("stage 2 itself"))));
  EXPECT_THAT(told(true, wb, nc), AllOf(HasSubstr("Normal-WB in the guest's stage 1"), Not(HasSubstr(", or FWB"))));
  EXPECT_THAT(told(false, nc, nc),
              AllOf(HasSubstr("where stage 2 itself is not Normal-WB"), Not(HasSubstr("asks for"))));
}

TEST(Tables, EveryDifferenceOfThePair) {
  diff_answer const answer = diff(open_sample("pair/before.elf.gz"), open_sample("pair/after.elf.gz"), false);
  lines wanted, found;
  auto const or_null = [](json const& j) { return j.is_null() ? std::string("null") : j.get<std::string>(); };
  json const want = expected("pair/expected-diff.json");
  for (json const& e : want["differences"])
    wanted.insert(line(e["vm"].get<std::string>(), e["ipa"].get<std::string>(), e["size"].get<std::string>(),
                       e["what"].get<std::string>(), or_null(e["before"]), or_null(e["after"])));
  for (table_change const& c : answer.changes)
    found.insert(line(c.vm, hex(c.ipa), hex(c.size), std::string(name(c.kind)), c.before ? hex(c.before->raw) : "null",
                      c.after ? hex(c.after->raw) : "null"));
  EXPECT_EQ(wanted, found);
  EXPECT_EQ(-1, answer.tables);
}

TEST(Tables, WithoutRegistersTheRootsAreSought) {
  for (char const* file : {"n1/tables.elf.gz", "kdump/tables-4k.kdump.gz", "kdump/tables-64k.flat.gz"}) {
    machine const m = open_sample(file);
    std::vector<root_row> const roots = find_roots(m);
    ASSERT_EQ(4u, roots.size()) << file;
    EXPECT_EQ("VMCOREINFO swapper_pg_dir - kimage_voffset", roots[3].where) << file;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ((std::vector<std::string>{"signature", "shape"}), roots[i].seen_by) << file;
      EXPECT_EQ("leaves", m.vms[i].fwb_from) << file;
    }
  }
}

TEST(Tables, AbsentTablesAreTold) {
  // The root of the VM of 40 bits is there, and nothing below it.
  machine m = open_sample("n1/tables.elf.gz", "n1/registers.json");
  std::vector<std::byte> root(8192);
  ASSERT_TRUE(m.dump.memory->read({0x40e9'e000}, root));
  machine const cut = open_machine("cut", sim::open_dump(sim::in_memory(root), {.base = pa{0x40e9'e000}}), m.registers,
                                   {.search = false});
  sim::mapped_table const table = map_of(cut, cut.vm("3"));
  EXPECT_TRUE(table.ranges.empty());
  ASSERT_EQ(5u, table.absent.size());  // gigabytes 1, 2, 64, 68 and 72 of the IPA space
  EXPECT_EQ(0x4000'0000u, table.absent[0].input);
  EXPECT_EQ(level::l2, table.absent[0].at);
}

TEST(Tables, AWrongBaseIsRefused) {
  machine m = open_sample("n1/tables.elf.gz", "n1/registers.json");
  std::vector<std::byte> root(8192);
  ASSERT_TRUE(m.dump.memory->read({0x40e9'e000}, root));
  try {
    static_cast<void>(
        open_machine("cut", sim::open_dump(sim::in_memory(root), {.base = pa{0x8000'0000}}), m.registers, {}));
    FAIL();
  } catch (sim::dump_error const& error) {
    EXPECT_EQ(
        "wrong base, or another machine's registers: the image is 0x80000000 to 0x80001fff, and VTTBR_EL2 of CPU 1 "
        "names a root at "
        "0x40e9e000, where it has no such table",
        error.problem());
  }
}

TEST(RangeFilter, TermsJoin) {
  filter_subject const page{
      .type = "normal-nc", .rights = {true, true, false}, .size = 4096, .level = 3, .leaves = 1, .kind = "mmio"};
  for (auto const& [text, holds] :
       std::initializer_list<std::pair<char const*, bool>>{{"", true},
                                                           {"w and x", false},
                                                           {"w and not x", true},
                                                           {"Normal-NC", true},
                                                           {"device or uncached", true},
                                                           {"not (normal or x)", false},
                                                           {"size >= 4K", true},
                                                           {"size > 4K", false},
                                                           {"level = 3 and leaves < 2", true},
                                                           {"class != mmio", false}})
    EXPECT_EQ(holds, range_filter(text, "--where")(page)) << text;
  for (char const* text : {"w and", "(w", "w x", "size >= x", "class < a", "frobnicate", "size"})
    EXPECT_THROW(range_filter(text, "--where"), input_error) << text;
}

}  // namespace
}  // namespace vmsa::text::tables_test
