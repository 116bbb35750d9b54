// SPDX-License-Identifier: MIT
#include "vmsa/text/report/document.hpp"

#include <gtest/gtest.h>

namespace vmsa::text::document_test {
namespace {

document sample() {
  key_values facts;
  facts.add("host", "FWB");
  facts.rows.push_back({"capability", {"yes", "no"}});
  document d;
  d.add(heading{"seed: violation"})
      .add(paragraph{"The host read the page.", 2})
      .add(blank{})
      .add(std::move(facts))
      .add(table{.header = {"step", "agent"}, .rows = {{"1", "host"}, {"2", "a|b"}}, .indent = 2})
      .add(listing{{"add DSB", "map it"}})
      .add(commands{"reproduce", {"vmsa coherency seed"}});
  return d;
}

TEST(Document, AsText) {
  EXPECT_EQ(R"(seed: violation
  The host read the page.

host        FWB
capability  yes
            no
  step  agent
  1     host
  2     a|b
  add DSB
  map it
reproduce: vmsa coherency seed
)",
            as_text(sample()));
}

TEST(Document, AsMarkdown) {
  EXPECT_EQ(R"(### seed: violation

The host read the page.

|            |     |
|------------|-----|
| host       | FWB |
| capability | yes |
|            | no  |

| step | agent |
|------|-------|
| 1    | host  |
| 2    | a\|b  |

- add DSB
- map it

reproduce:

    vmsa coherency seed
)",
            as_markdown(sample()));
}

// A line may have text_columns characters, and the next word goes to the next line, below the first.
TEST(Document, LongTextIsBrokenBelowItsFirstWord) {
  std::string const word(48, 'x');
  document d;
  d.add(paragraph{word + " " + word + " " + word, 2});
  EXPECT_EQ("  " + word + " " + word + "\n  " + word + "\n", as_text(d));
  key_values k;
  k.add("key", word + " " + word + " y");
  document e;
  e.add(std::move(k));
  EXPECT_EQ("key  " + word + "\n     " + word + " y\n", as_text(e));
}

// A word that is longer than a line stands in a line of its own and is not cut: addresses and paths stay whole.
TEST(Document, AWordIsNeverCut) {
  std::string const path(130, 'p');
  document d;
  d.add(paragraph{"see " + path + " there", 0});
  EXPECT_EQ("see\n" + path + "\nthere\n", as_text(d));
}

TEST(Document, WhatCameFromOutsideCannotAct) {
  document d;
  d.add(heading{"a\x1b[2J"})
      .add(paragraph{"p\rq"})
      .add(table{.header = {}, .rows = {{"x\ny", "\xe2\x80\xae"}}})
      .add(listing{{"i\tj"}})
      .add(commands{"next", {"vmsa fault a\nb"}});
  for (std::string const& out : {as_text(d), as_markdown(d)}) {
    EXPECT_EQ(std::string::npos, out.find_first_of("\x1b\r\t\a")) << out;
    EXPECT_EQ(std::string::npos, out.find("\xe2\x80\xae")) << out;
    EXPECT_NE(std::string::npos, out.find("x\\")) << out;
  }
}

// What is grepped for is found in one line, however long; and what stands beside it begins where it is told to.
TEST(Document, AWholeLineIsNeverBroken) {
  std::string const fact(60, 'f');
  key_values k{.rows = {}, .indent = 1, .key_columns = 6};
  k.add_whole("ipa", fact + " " + fact);
  k.add("why", fact + " " + fact);
  document d;
  d.add(std::move(k));
  EXPECT_EQ(" ipa   " + fact + " " + fact + "\n why   " + fact + "\n       " + fact + "\n", as_text(d));
}

TEST(Document, TheGapBetweenColumnsIsTheTables) {
  document d;
  d.add(table{.header = {"a", "b"}, .rows = {{"cc", "d"}}, .gap = 1});
  EXPECT_EQ("a  b\ncc d\n", as_text(d));
}

// A table of two columns without rows would show its header.
TEST(Document, NothingIsShownOfNoRows) {
  document d;
  d.add(key_values{}).add(listing{}).add(table{}).add(paragraph{"end"});
  EXPECT_EQ("end\n", as_text(d));
  EXPECT_EQ("end\n", as_markdown(d));
}

TEST(Document, ColumnsCountCharactersAndNotBytes) {
  document d;
  d.add(table{.header = {}, .rows = {{"\xc3\xa9", "1"}, {"ab", "2"}}});
  EXPECT_EQ("\xc3\xa9   1\nab  2\n", as_text(d));
}

}  // namespace
}  // namespace vmsa::text::document_test
