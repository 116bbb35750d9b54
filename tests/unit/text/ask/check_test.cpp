// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/check.hpp"

#include <gtest/gtest.h>

#include "tests_folder.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text::check_test {
namespace {

std::string sample(std::string const& name) { return tests_folder() + "/dumps/" + name; }
check_answer check_text(std::string const& text, std::string const& vm = "") {
  machine const m = open_machine(sample("n1/tables.elf.gz"), {.registers_file = sample("n1/registers.json")});
  return check(m, parse_page_table_text(text, "text"), vm);
}

TEST(Check, TheKernelsOwnTextAgreesPageByPage) {
  for (auto const& [file, vm, pages] : std::initializer_list<std::tuple<char const*, char const*, u64>>{
           {"53-4", "vm-vmid3", 591}, {"53-5", "vm-vmid1", 23}, {"53-6", "vm-vmid2", 12}}) {
    check_answer const a = check_text(read_text(sample(std::string("n1/debugfs-kvm/") + file + "/stage2_page_tables")));
    EXPECT_EQ(vm, a.against);
    EXPECT_TRUE(a.chosen);
    EXPECT_EQ(page_table_dialect::stage2_6_12, a.dialect);
    EXPECT_EQ(pages, a.pages);
    EXPECT_EQ(0u, a.different);
  }
  check_answer const kernel = check_text(read_text(sample("n1/kernel_page_tables")));
  EXPECT_EQ("host kernel", kernel.against);
  EXPECT_EQ(0x2122'a000u / 4096, kernel.pages);
  EXPECT_EQ(0u, kernel.different);
}

// In 6.12 X means never: a page that the dump maps executable has none.
TEST(Check, DifferencesAreTold) {
  std::string const head = "---[ Guest IPA ]---\n0x0000000000000000-0x0000000040000000           1G 1\n";
  check_answer const a =
      check_text(head + "0x0000000040000000-0x0000000040001000           4K 3   R W X AF    \n", "2");
  ASSERT_FALSE(a.differences.empty());
  EXPECT_EQ("R W X AF", a.differences[0].text_says);
  EXPECT_EQ("R W - AF", a.differences[0].dump_says);
  EXPECT_EQ(3u, a.differences[0].line);
  check_answer const b =
      check_text(head + "0x0000000040000000-0x0000000040001000           4K 3   R   PXNUXN AF    \n", "2");
  EXPECT_EQ(page_table_dialect::stage2_7, b.dialect);
  EXPECT_EQ("R - PXNUXN AF", b.differences[0].text_says);
  EXPECT_EQ("R W px ux AF", b.differences[0].dump_says);
}

TEST(Check, TextThatIsNoneIsRefused) {
  for (char const* text : {"", "hello\n", "0x0-0x1000 4K 3 R W Q AF\n", "0x1000-0x0fff 4K 3\n",
                           "0x0-0x1000 4K 3 R AF\n0x0-0x1000 4K 3 R AF\n",
                           "0x0-0x1000 4K PTE ro\n0x1000-0x2000 4K 3 R\n", "0x0-0x1000 4K 9 R AF\n"})
    EXPECT_THROW(static_cast<void>(parse_page_table_text(text, "text")), input_error) << text;
}

}  // namespace
}  // namespace vmsa::text::check_test
