// SPDX-License-Identifier: MIT
// The binary form of traces, byte by byte as src/README.md specifies it: what each error names.
#include <gtest/gtest.h>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/trace_file.hpp"

namespace vmsa::text::trace_binary_test {
namespace {

std::string number(u64 value, unsigned size) {
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string record(u8 verb, u8 op, u64 a, u64 b, u16 pe = 0, u32 source = 0) {
  return number(verb, 1) + number(op, 1) + number(pe, 2) + number(source, 4) + number(a, 8) + number(b, 8);
}
constexpr std::string_view one_machine = "machine granule=4k ipa=39 pes=2\n";

std::string with_machine(std::string_view more) {
  std::string out(one_machine);
  out.append(more);
  return out;
}

std::string file(std::string const& records, std::string_view text = one_machine, u32 version = 1, u32 size = 24) {
  return "VMSATRB1" + number(version, 4) + number(size, 4) + number(24 + records.size(), 8) + records +
         std::string(text);
}

// What is said of a trace that is read to its end; "" where nothing is.
std::string said(std::string const& content) {
  try {
    trace_reader reader("t", content);
    while (reader.next() != trace_reader::item::end) {
    }
  } catch (input_error const& error) {
    return error.what();
  }
  return "";
}

constexpr u8 write = 0, write_128 = 1, dsb = 7, tlbi = 11, second = 0x80;

TEST(TraceBinary, HeadersSayWhatTheyAreToSay) {
  EXPECT_EQ("", said(file(record(write, 0, 0x1000, 1))));
  EXPECT_EQ("vmsa: t: a header that ends early\n  valid: 24 bytes", said(file("").substr(0, 20)));
  EXPECT_EQ("vmsa: t: version 2 with records of 24 bytes\n  valid: version 1, 24 bytes",
            said(file("", one_machine, 2, 24)));
  EXPECT_EQ("vmsa: t: version 1 with records of 32 bytes\n  valid: version 1, 24 bytes",
            said(file("", one_machine, 1, 32)));
  std::string beyond = file(record(write, 0, 0x1000, 1));
  beyond.replace(16, 8, number(4800, 8));
  EXPECT_EQ("vmsa: t: the text block at 4800\n  valid: an offset of 24 times a whole number, inside the file",
            said(beyond));
  EXPECT_EQ("vmsa: t: \"engine 9\" in the text block\n  valid: machine, table and src lines",
            said(file("", with_machine("engine 9\n"))));
}

// The line of an error is the number of its record, from 1.
TEST(TraceBinary, RecordsSayWhichOneIsWrong) {
  std::string const good = record(write, 0, 0x1000, 1);
  EXPECT_EQ("vmsa: t:2: source 3\n  valid: 0 to 1",
            said(file(good + record(write, 0, 0x1000, 1, 0, 3), with_machine("src map.c:7\n"))));
  EXPECT_EQ("vmsa: t:1: PE 2 of 2\n  valid: 0 to 1, or pes= of the machine",
            said(file(record(write, 0, 0x1000, 1, 2))));
  EXPECT_EQ("vmsa: t:1: address 0x1004\n  valid: a multiple of 8", said(file(record(write, 0, 0x1004, 1))));
  EXPECT_EQ("vmsa: t:2: verb 24\n  valid: 0 to 23", said(file(good + record(24, 0, 0, 0))));
  EXPECT_EQ("vmsa: t:1: barrier 12\n  valid: one for loads or stores", said(file(record(dsb, 12, 0, 0))));
  EXPECT_EQ("vmsa: t:1: TLBI 192\n  valid: local, inner or outer in bits 7:6", said(file(record(tlbi, 0xc0, 0, 0))));
  EXPECT_EQ("vmsa: t:1: a write whose old value is missing\n  valid: a second record",
            said(file(record(write, 8, 0x1000, 1))));
  EXPECT_EQ("vmsa: t:1: an event of one record\n  valid: two", said(file(record(write_128, 0, 0x1000, 1) + good)));
  EXPECT_EQ("", said(file(record(write_128, 0, 0x1000, 1) + record(write_128 | second, 0, 2, 0))));
}

TEST(TraceBinary, KindsBeyondTheLastAreRefused) {
  struct {
    u8 verb;
    u8 op;
    char const* problem;
  } const rows[] = {{12, 9, "maintenance 9"}, {13, 99, "register 99"}, {14, 9, "kind of memory 9"}};
  for (auto const& row : rows)
    EXPECT_TRUE(said(file(record(row.verb, row.op, 0x1000, 8)))
                    .starts_with(std::string("vmsa: t:1: ") + row.problem + "\n  valid: 0 to "))
        << said(file(record(row.verb, row.op, 0x1000, 8)));
}

}  // namespace
}  // namespace vmsa::text::trace_binary_test
