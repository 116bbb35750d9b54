// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/audit.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests_folder.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text::audit_test {
namespace {

std::string sample(std::string const& name) { return tests_folder() + "/dumps/" + name; }
machine n1() { return open_machine(sample("n1/tables.elf.gz"), {.registers_file = sample("n1/registers.json")}); }

// The slots of n1's monitor (machine.txt), as the rows of the policy name them.
TEST(Audit, TheKernelThatRanExplainsEveryPage) {
  machine const m = n1();
  host_memory const iomem = read_iomem(read_text(sample("n1/iomem.txt")), "iomem.txt");
  audit_answer const a = audit(m, map_machine(m), {6, 12}, &iomem);
  EXPECT_EQ(626u, a.pages);
  EXPECT_EQ(0u, a.unexplained);
  std::map<std::string, u64> pages;
  for (audit_row const& r : a.rows)
    for (std::string const& rule : r.rules) pages[rule] += r.size / 4096;
  EXPECT_EQ((std::map<std::string, u64>{{"any-uncached", 20}, {"cacheable", 590}, {"not-ram", 16}}), pages);
}

TEST(Audit, AnOlderKernelWouldNotHaveMappedABarNormalNC) {
  machine const m = n1();
  audit_answer const a = audit(m, map_machine(m), {6, 1}, nullptr);
  EXPECT_EQ(20u, a.unexplained);
  for (audit_row const& r : a.rows) {
    if (!r.rules.empty()) continue;
    EXPECT_EQ("normal-nc", r.type.json());
    EXPECT_EQ(0x8000'0000'00u, r.first.value & ~u64{0xffff});
    EXPECT_TRUE(std::find(r.expected.begin(), r.expected.end(), "map Device-nGnRE, RW, execute-never") !=
                r.expected.end());
  }
}

}  // namespace
}  // namespace vmsa::text::audit_test
