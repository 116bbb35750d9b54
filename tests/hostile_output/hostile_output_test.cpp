// SPDX-License-Identifier: MIT
// Every foreign string of every subcommand goes out escaped: values of all options that --help lists, names of files,
// and what files hold, with control characters, line breaks, a mark that changes the direction of writing, bytes that
// are not UTF-8, and what means something to Markdown, XML, C and a shell. The expectations are those of the formats
// themselves: a terminal's, JSON's, XML's, a shell's.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "reports/command.hpp"

namespace vmsa_test {
namespace {

std::string command;  // the built vmsa
std::string python;

// Goes into names, values and lines. Without NUL and `/`, so that a file may have it for a name.
std::string const hostile = "a\x1b[31m\a\r\n# evil\n\u202e\xff <evil> | `b` *c* \"d\" 'e' $(echo f) *\\;echo g #";
// Where a line break ends the field.
std::string const one_line =
    "a\x1b[31m\a\r\u202e\xff <evil> | `b` *c* \"d\" 'e' $(echo f) */ c_code { evil(); } /*;echo g #";

std::string quoted(std::string const& word) {
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}
// A TOML basic string. What TOML refuses in a document stands in it as an escape, but for bytes that are no UTF-8.
std::string toml(std::string const& text) {
  std::string out = "\"";
  for (char const byte : text) {
    auto const c = static_cast<unsigned char>(byte);
    char escape[12];
    std::snprintf(escape, sizeof escape, "\\u%04x", c);
    if (c == 0xff) continue;
    out += c < 0x20 || c == '"' || c == '\\' || c == 0x7f ? std::string(escape) : std::string(1, static_cast<char>(c));
  }
  return out + "\"";
}

// Length of the UTF-8 sequence at `at` with its code point, 0 where there is none.
std::size_t utf8(std::string const& s, std::size_t at, char32_t& point) {
  auto const byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  unsigned const first = byte(at);
  std::size_t const length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0) return 0;
  point = length == 1 ? first : first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(at + i) & 0x3f);
  }
  return length;
}

// What a terminal must not be sent: empty when there is nothing.
std::string unprintable(std::string const& text) {
  for (std::size_t i = 0; i < text.size();) {
    char32_t point = 0;
    std::size_t const length = utf8(text, i, point);
    std::string const where = "at byte " + std::to_string(i) + " of: " + text.substr(i < 80 ? 0 : i - 80, 100);
    if (length == 0) return "no UTF-8 " + where;
    if ((point < 0x20 && point != '\n') || (point >= 0x7f && point < 0xa0)) return "a control character " + where;
    if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x2028 ||
        point == 0x2029)
      return "a mark of direction or line " + where;
    i += length;
  }
  return "";
}

bool line_begins_with(std::string const& text, std::string const& what) {
  return text.starts_with(what) || text.find("\n" + what) != std::string::npos;
}

// Without code spans and blocks, in which nothing is markup.
std::string outside_code(std::string const& markdown) {
  std::string const no_blocks = std::regex_replace(markdown, std::regex("```[^]*?```|\n    [^\n]*"), "");
  return std::regex_replace(no_blocks, std::regex("([^\\\\])`[^`\n]*`"), "$1");
}

std::string without_comments(std::string const& c) { return std::regex_replace(c, std::regex("/\\*[^]*?\\*/"), ""); }

enum class format { text, json, markdown, svg, promela };

void judge(answer const& a, format f, std::string const& asked) {
  SCOPED_TRACE(asked);
  EXPECT_NE(a.exit_code, -1);
  EXPECT_NE(a.exit_code, 134);
  EXPECT_EQ(unprintable(a.out), "");
  EXPECT_EQ(unprintable(a.err), "");
  EXPECT_FALSE(line_begins_with(a.out, "# evil") || line_begins_with(a.err, "# evil"));
  if (a.out.empty()) return;
  switch (f) {
    case format::text: break;
    case format::json: EXPECT_TRUE(nlohmann::json::accept(a.out)) << a.out.substr(0, 2000); break;
    case format::markdown:
      EXPECT_EQ(outside_code(a.out).find("<evil>"), std::string::npos) << a.out;
      EXPECT_FALSE(std::regex_search(outside_code(a.out), std::regex("(^|[^\\\\])\\*c\\*"))) << a.out;
      break;
    case format::svg: {
      EXPECT_EQ(a.out.find("<evil>"), std::string::npos);
      if (python.empty()) break;
      answer const parsed =
          run(python, "-c 'import sys, xml.dom.minidom as x; x.parseString(sys.stdin.buffer.read())'", a.out);
      EXPECT_EQ(parsed.exit_code, 0) << parsed.err;
      break;
    }
    case format::promela: EXPECT_EQ(without_comments(a.out).find("evil"), std::string::npos) << a.out; break;
  }
}

answer vmsa(std::string const& arguments, std::string const& input = {}) { return run(command, arguments, input); }

// `--name TEXT` of a help page, but for those that are a switch.
std::vector<std::string> options_of(std::string const& subcommand) {
  std::vector<std::string> out;
  std::string const help = vmsa(subcommand + " --help").out;
  std::regex const row("\n +(--[a-z0-9-]+) (TEXT|UINT|INT|FLOAT)");
  for (std::sregex_iterator i(help.begin(), help.end(), row), end; i != end; ++i) out.push_back((*i)[1]);
  return out;
}

char const* const subcommands[] = {
    "explain",    "coherency",   "fault",        "decide",       "translate",         "classify",    "replay",
    "decode",     "combine",     "check",        "bench",        "tables ranges",     "tables find", "tables walk",
    "tables who", "tables diff", "tables stats", "tables check", "tables mismatches", "tables audit"};

TEST(HostileOutput, EverySubcommandIsListedHere) {
  std::string const help = vmsa("--help").out;
  std::size_t const from = help.find("Subcommands:");
  std::regex const row("\n  ([a-z]+)  +[A-Z]");
  std::set<std::string> listed;
  for (char const* s : subcommands) listed.insert(std::string(s).substr(0, std::string(s).find(' ')));
  unsigned found = 0;
  for (std::sregex_iterator i(help.begin() + static_cast<std::ptrdiff_t>(from), help.end(), row), end; i != end; ++i) {
    EXPECT_TRUE(listed.contains((*i)[1])) << (*i)[1];
    ++found;
  }
  EXPECT_EQ(found, listed.size());
}

TEST(HostileOutput, EveryOptionsValue) {
  unsigned tried = 0;
  for (char const* subcommand : subcommands) {
    for (std::string const& option : options_of(subcommand)) {
      std::string const asked = std::string(subcommand) + " " + option + " " + quoted(hostile);
      judge(vmsa(asked), format::text, asked);
      ++tried;
    }
    std::string const positional = std::string(subcommand) + " " + quoted(hostile);
    judge(vmsa(positional), format::text, positional);
    judge(vmsa(positional + " " + quoted(hostile) + " --json"), format::json, positional);
  }
  judge(vmsa(quoted(hostile)), format::text, "no subcommand");
  judge(vmsa(quoted("--" + hostile)), format::text, "no option");
  EXPECT_GT(tried, 60u);
}

// Files whose name and content are hostile, each with the commands that read it; %s is the file.
struct file_row {
  char const* ending;
  std::string content;  // empty: `copy_of`, a file of tests/
  char const* copy_of;
  std::vector<std::pair<std::string, format>> commands;
};

std::vector<file_row> files() {
  using enum format;
  std::string const h = toml(hostile);
  return {
      {".toml",
       "title = " + h + "\nreason = " + toml("x *\\\n/ c_code { evil(); } /* " + one_line) +
           "\n[[agent]]\nname = \"guest\"\nprogram = [\"store x\", \"dsb\", \"signal go\"]\n"
           "[[device]]\nname = \"nic\"\nsnoops = false\nprogram = [\"wait go\", \"dma read x\"]\n"
           "[[alias]]\nname = \"g\"\nagent = \"guest\"\nattributes = \"Normal-WB\"\n",
       "",
       {{"coherency %s --no-repair", text},
        {"coherency %s", text},
        {"coherency %s --json", json},
        {"coherency %s --format markdown", markdown},
        {"coherency %s --format svg", svg},
        {"coherency %s --format promela", promela}}},
      {".toml", "[[agent]]\nname = " + h + "\n", "", {{"coherency %s", text}, {"coherency %s --json", json}}},
      {".toml", "[[agent]]\nname = \"x\"\nprogram = [" + h + "]\n", "", {{"coherency %s", text}}},
      {".toml", h + " = 1\n", "", {{"coherency %s", text}, {"fault %s", text}, {"translate %s", text}}},
      {".toml",
       "title = " + h + "\n[machine]\npolicy = \"linux-6.17\"\ncpu = \"neoverse-v1\"\n[[memory]]\nname = " + h +
           "\nipa = \"0x40000000\"\nsize = \"0x40000000\"\npa = \"0x880000000\"\nbacking = \"anonymous\"\n"
           "[[access]]\nname = " +
           h + "\nipa = \"0x40001000\"\nkind = \"write\"\nstage1 = \"normal-nc\"\n",
       "",
       {{"fault %s", text},
        {"fault %s --json", json},
        {"fault --map %s --esr 0x92000006 --far 0x40000000 --hpfar 0x400000", text}}},
      {".toml", "[machine]\npolicy = " + h + "\n[[access]]\nipa = \"0x0\"\n", "", {{"fault %s", text}}},
      {".toml",
       "name = " + h + "\n[[rule]]\nid = " + h + "\nmemory_type = \"normal-wb\"\nwhy = " + h + "\n",
       "",
       {{"decide --policy %s --backing memfd --access read --fwb on --dic on", text},
        {"decide --policy %s --backing memfd --access read --fwb on --dic on --json", json},
        {"decide --policy %s --outcome map", text},
        {"decide --policy %s --outcome map --json", json},
        {"decide --matrix --column %s --column 6.17", text},
        {"decide --matrix --column %s --column 6.17 --format markdown", markdown},
        {"decide --matrix --column %s --json", json},
        {"decide --diff %s 6.17 --access read", text},
        {"decide --diff %s 6.17 --access read --format markdown", markdown},
        {"decide --diff %s 6.17 --access read --json", json},
        {"fault --policy %s --esr 0x92000006 --far 0x40000000 --hpfar 0x400000 --backing memfd", text},
        {"fault --policy %s --esr 0x92000006 --far 0x40000000 --hpfar 0x400000 --backing memfd --json", json}}},
      {".toml", "[[rule]]\nid = \"x\"\nmemory_type = " + h + "\n", "", {{"decide --policy %s --outcome map", text}}},
      {".toml",
       "title = " + h +
           "\n[registers]\nhcr_el2 = \"0x1\"\nvtcr_el2 = \"0x80023558\"\nvttbr_el2 = \"0x0\"\n[[memory]]\n" +
           "word = { \"0x0\" = \"0x7fd\" }\n[[access]]\nname = " + h + "\nipa = \"0x1234\"\n",
       "",
       {{"translate %s", text}, {"translate %s --json", json}}},
      {".txt",
       "[    1.0] " + one_line + "\nkvm [1]: Unsupported FSC: EC=0x24 xFSC=0x21 ESR_EL2=0x92000061 " + one_line +
           "\nvmsa kvm_guest_fault: ipa 0x20000000, hsr 0x93810006, hxfar 0x20000000, pc 0x10000000 " + one_line +
           "\nLinux version 6.8.0-" + one_line + "\narm-smmu-v3 " + one_line + ": event 0x10 received:\n" +
           "Raw PTE: 0x00400001000007d7 (Level 3, VALID) " + one_line + "\n",
       "",
       {{"explain %s", text},
        {"explain %s --json", json},
        {"explain %s --format markdown", markdown},
        {"fault %s --backing memfd", text},
        {"fault %s --backing memfd --json", json},
        {"replay %s", text},
        {"replay %s --format markdown", markdown},
        {"check %s", text},
        {"classify --iomem %s", text},
        {"classify --pci-resource %s", text},
        {"classify --device-tree %s", text},
        {"classify --mtree %s", text},
        {"tables find dumps/n1/tables.elf.gz --registers %s", text},
        {"tables check dumps/n1/tables.elf.gz %s", text},
        {"tables audit dumps/n1/tables.elf.gz --kernel 6.12 --iomem %s", text}}},
      {".iomem",
       "40000000-57ffffff : System RAM\n  40200000-428fffff : " + one_line + "\n58000000-581fffff : " + one_line + "\n",
       "",
       {{"classify --iomem %s", text}, {"classify --iomem %s --json", json}}},
      {".dts",
       "/dts-v1/;\n/ {\n memory@40000000 { device_type = \"memory\"; reg = <0x0 0x40000000 0x0 0x1000>; };\n " +
           std::string("x\x1b\xff@0 { reg = <0x1>; compatible = \"") + one_line + "\"; };\n};\n",
       "",
       {{"classify --device-tree %s", text}, {"classify --device-tree %s --json", json}}},
      {".mtree",
       "FlatView #0\n  0000000040000000-000000004fffffff (prio 0, ram): " + one_line + " KVM\n",
       "",
       {{"classify --mtree %s", text}, {"classify --mtree %s --json", json}}},
      {".csv",
       "s1,s2," + one_line + "\n" + one_line + ",1,2\n",
       "",
       {{"replay %s", text}, {"replay %s --format markdown", markdown}, {"replay %s --json", json}}},
      {".jsonl", "{\"va\": \"" + one_line + "\"}\n", "", {{"replay %s", text}}},
      {".vtr",
       "vmsa-trace 1\nmachine granule=4k ipa=39 pes=2\ntable s2 root=0x82000000 vmid=1 name=" + one_line + "\nnote " +
           one_line + "\n0 w 0x82002008 0x400017ff src=" + one_line + "\n0 " + one_line + "\n",
       "",
       {{"check %s", text},
        {"check %s --json", json},
        {"check %s --lenient", text},
        {"check %s --lenient --json", json},
        {"check %s --lenient --format markdown", markdown},
        {"check --text %s", text}}},
      {".json",
       "{\"cpus\": [{\"" + one_line + "\": 1}]}",
       "",
       {{"tables find dumps/n1/tables.elf.gz --registers %s", text}}},
      {".toml",
       "[[vm]]\nname = " + h + "\nvttbr_el2 = \"0x0001000048000000\"\nvtcr_el2 = \"0x80023559\"\n",
       "",
       {{"tables find dumps/n1/tables.elf.gz --registers %s", text},
        {"tables find dumps/n1/tables.elf.gz --registers %s --json", json}}},
      {".elf.gz",
       "",
       "dumps/n1/tables.elf.gz",
       {{"tables find %s --registers dumps/n1/registers.json", text},
        {"tables find %s --json", json},
        {"tables ranges %s --registers dumps/n1/registers.json", text},
        {"tables ranges %s --registers dumps/n1/registers.json --json", json},
        {"tables ranges %s --registers dumps/n1/registers.json --format markdown", markdown},
        {"tables ranges %s --registers dumps/n1/registers.json --format svg", svg},
        {"tables mismatches %s --registers dumps/n1/registers.json", text},
        {"tables mismatches %s --registers dumps/n1/registers.json --json", json},
        {"tables mismatches %s --registers dumps/n1/registers.json --format markdown", markdown},
        {"tables stats %s", text},
        {"tables stats %s --json", json},
        {"tables diff %s %s", text},
        {"tables diff %s %s --json", json},
        {"tables who %s 0x480b5000 --registers dumps/n1/registers.json", text},
        {"tables who %s 0x480b5000 --registers dumps/n1/registers.json --json", json},
        {"tables walk %s 0x90001000 --ipa --registers dumps/n1/registers.json", text},
        {"tables walk %s 0x90001000 --ipa --registers dumps/n1/registers.json --json", json},
        {"tables audit %s --kernel 6.12 --registers dumps/n1/registers.json", text},
        {"tables audit %s --kernel 6.12 --registers dumps/n1/registers.json --json", json}}},
  };
}

// A folder that is gone at the end.
struct folder {
  fs::path path = fs::temp_directory_path() / ("vmsa_hostile_" + std::to_string(::getpid()));
  folder() { fs::create_directories(path); }
  ~folder() { fs::remove_all(path); }
};

std::string replaced(std::string text, std::string const& by) {
  for (std::size_t at; (at = text.find("%s")) != std::string::npos;) text.replace(at, 2, by);
  return text;
}

TEST(HostileOutput, EveryFilesNameAndContent) {
  folder const home;
  unsigned answered = 0;
  for (file_row const& row : files()) {
    fs::path const file = home.path / (hostile + row.ending);
    if (row.content.empty())
      fs::copy_file(fs::path(vmsa::tests_folder()) / row.copy_of, file, fs::copy_options::overwrite_existing);
    else
      std::ofstream(file, std::ios::binary) << row.content;
    for (auto const& [pattern, f] : row.commands) {
      std::string const asked = replaced(pattern, quoted(file.string()));
      answer const a = vmsa(asked);
      judge(a, f, asked);
      answered += !a.out.empty();
    }
    fs::remove(file);
  }
  // Most of them are answered, so that reports and not messages alone were looked at.
  EXPECT_GE(answered, 45u);
}

// What is printed to be run again runs nothing else, and names the file as it is.
TEST(HostileOutput, WhatIsPrintedForAShellIsQuotedForIt) {
  folder const home;
  fs::path const file = home.path / "a b;echo x $(echo y) 'z' #.toml";
  fs::copy_file(fs::path(vmsa::tests_folder()) / "reports/every-outcome.toml", file);
  fs::path const scenario = home.path / "c d;echo x #.toml";
  fs::copy_file(fs::path(vmsa::tests_folder()) / "scenarios/seed.toml", scenario);
  fs::path const dump = home.path / "e f;echo x #.elf.gz";
  fs::copy_file(fs::path(vmsa::tests_folder()) / "dumps/n1/tables.elf.gz", dump);
  struct row {
    std::string asked;
    fs::path names;
  };
  row const rows[] = {{"coherency " + quoted(scenario.string()), scenario},
                      {"tables stats " + quoted(dump.string()), dump},
                      {"decide --policy " + quoted(file.string()) + " --outcome EIO", file}};
  std::regex const printed("(?:reproduce|next|example): (vmsa [^\n]*)|\n *(vmsa [^\n]*)");
  for (row const& r : rows) {
    SCOPED_TRACE(r.asked);
    std::string const out = vmsa(r.asked).out;
    unsigned found = 0;
    for (std::sregex_iterator i(out.begin(), out.end(), printed), end; i != end; ++i) {
      std::string const line = (*i)[1].matched ? (*i)[1] : (*i)[2];
      std::ofstream(home.path / "script") << "vmsa() { printf '<%s>\\n' \"$@\"; }\n" << line << "\n";
      answer const words = run("bash", quoted((home.path / "script").string()), {});
      EXPECT_NE(words.out.find("<" + r.names.string() + ">"), std::string::npos) << line;
      EXPECT_FALSE(line_begins_with(words.out, "x\n")) << line;
      ++found;
    }
    EXPECT_NE(found, 0u) << out;
  }
}

}  // namespace
}  // namespace vmsa_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) {
    std::fprintf(stderr, "hostile_output: the command's path is missing\n");
    return 2;
  }
  vmsa_test::command = argv[1];
  if (argc > 2) vmsa_test::python = argv[2];
  return RUN_ALL_TESTS();
}
