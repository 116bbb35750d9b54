// SPDX-License-Identifier: MIT
#include "vmsa/text/words/foreign.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace vmsa::text::foreign_test {
namespace {

struct row {
  std::string_view in;
  std::string_view out;
};

TEST(Foreign, PrintableShowsWhatWouldAct) {
  constexpr row rows[] = {
      {"plain name.toml", "plain name.toml"},
      {"a\nb\tc\r", "a\\nb\\tc\\r"},
      {"\x1b[31mred\x07", "\\x1b[31mred\\x07"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b", "\\x9b"},  // U+009B, the one-character control sequence introducer
      {"a\xe2\x80\xae"
       "b",
       "a\\u{202e}b"},                               // right-to-left override
      {"\xe2\x81\xa6", "\\u{2066}"},                 // left-to-right isolate
      {"\xef\xbb\xbfx", "\\u{feff}x"},               // byte order mark
      {"\xff", "\\xff"},                             // no UTF-8
      {"\xc0\x80", "\\xc0\\x80"},                    // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xe2\x82", "\\xe2\\x82"},                    // cut short
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xe2\x82\xac \xc3\xa9 \xf0\x9f\x98\x80", "\xe2\x82\xac \xc3\xa9 \xf0\x9f\x98\x80"},
      {"C:\\dir", "C:\\dir"},
  };
  for (row const& r : rows) EXPECT_EQ(r.out, printable(r.in));
  EXPECT_EQ("a\\x00b", printable(std::string_view("a\0b", 3)));
}

TEST(Foreign, MarkdownKeepsItsMeaning) {
  constexpr row rows[] = {
      {"ESR_EL1 0x96000061", "ESR_EL1 0x96000061"},
      {"a|b", "a\\|b"},
      {"<script>", "&lt;script>"},
      {"*bold* `code` [link](x)", "\\*bold\\* \\`code\\` \\[link\\](x)"},
      {"# heading", "\\# heading"},
      {"> quoted", "\\> quoted"},
      {"- item", "\\- item"},
      {"1. item", "1\\. item"},
      {"a # b > c - d", "a # b > c - d"},
      {"two\nlines", "two\\\\nlines"},
      {"&lt;", "&amp;lt;"},
  };
  for (row const& r : rows) EXPECT_EQ(r.out, markdown_text(r.in));
}

TEST(Foreign, XmlStaysWellFormed) {
  EXPECT_EQ("&lt;a href=&quot;x&quot;&gt; &amp; &#39;", xml_text("<a href=\"x\"> & '"));
  EXPECT_EQ("\\x1b\\u{202e}", xml_text("\x1b\xe2\x80\xae"));
  EXPECT_EQ("?", xml_text("\xef\xbf\xbe"));
}

TEST(Foreign, ShellWordsAreOneWord) {
  constexpr row rows[] = {
      {"seed", "seed"},
      {"tests/scenarios/seed.toml", "tests/scenarios/seed.toml"},
      {"", "''"},
      {"a b;echo x #.toml", "'a b;echo x #.toml'"},
      {"it's", "'it'\\''s'"},
      {"$(id)", "'$(id)'"},
      {"a\nb", "$'a\\012b'"},
      {"\xff"
       "1",
       "$'\\3771'"},
      {"a\n'\\", "$'a\\012\\'\\\\'"},
      {"~root", "'~root'"},
  };
  for (row const& r : rows) EXPECT_EQ(r.out, shell_word(r.in));
}

TEST(Foreign, AShellGivesTheBytesBack) {
  for (std::string const text :
       {"a b;echo x #.toml", "it's", "$HOME `id` \\ \"", "tab\t, line\nend 1", "\xff\xe2\x80\xae'1"}) {
    // popen's own shell may not know $'...'.
    std::string const script = "printf %s " + shell_word(text);
    FILE* const pipe = popen(("bash <<'END_OF_SCRIPT'\n" + script + "\nEND_OF_SCRIPT\n").c_str(), "r");
    ASSERT_NE(nullptr, pipe);
    std::string out;
    for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    EXPECT_EQ(0, pclose(pipe));
    EXPECT_EQ(text, out) << script;
  }
}

TEST(Foreign, CommentsCannotEnd) {
  EXPECT_EQ("title ?? c_code { }", comment_text("title */ c_code { }"));
  EXPECT_EQ("??n", comment_text("*\\n"));
  EXPECT_EQ("???", comment_text("*\\\n"));
}

}  // namespace
}  // namespace vmsa::text::foreign_test
