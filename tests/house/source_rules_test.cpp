// SPDX-License-Identifier: MIT
// Rules of the tree that a compiler does not check: who may include whom, licence lines, sizes, leftovers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests_folder.hpp"

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;

// A folder may include itself and what stands before it.
constexpr std::array<std::string_view, 8> layers{"arch", "mmu", "policy", "c", "sim", "text", "testing", "cli"};
constexpr std::size_t core_layers = 4;

std::set<std::string> const allowed_in_core{
    "array",  "bit",         "compare", "concepts", "cstddef",  "cstdint", "initializer_list",
    "limits", "type_traits", "utility", "version",  "optional", "span"};
// The C face has C's headers, and its bodies build values in the caller's memory.
std::set<std::string> const allowed_in_c{"stdbool.h", "stddef.h", "stdint.h", "new"};

// Costly or narrow dependencies, and the one folder of src/ that may include them. None may appear in include/.
struct confined {
  std::string_view prefix;
  std::string_view where;
};
constexpr confined confined_to[] = {
    {"CLI/", "src/cli/"}, {"nlohmann/", "src/"}, {"toml++/", "src/text/"}, {"fmt/", "src/"}, {"zlib.h", "src/"}};

// A file over 400 lines is usually two; these are one, for the reason given.
struct long_file {
  std::string_view path;
  std::string_view reason;
};
constexpr std::array<long_file, 0> long_on_purpose{};
constexpr std::ptrdiff_t most_lines = 400;

std::size_t layer_of(std::string_view name) {
  return static_cast<std::size_t>(std::find(layers.begin(), layers.end(), name) - layers.begin());
}

// The layer that the file at `path` belongs to; layers.size() when it is in none.
std::size_t layer_of_file(std::string const& path) {
  std::smatch match;
  if (!std::regex_search(path, match, std::regex("^(?:include/vmsa|src)/([a-z]+)/"))) return layers.size();
  return layer_of(match[1].str());
}

// What is wrong with the #include lines of the file `path` whose text is `text`.
strings include_violations(std::string const& path, std::string const& text) {
  strings wrong;
  std::size_t const own = layer_of_file(path);
  if (own == layers.size()) return wrong;
  static std::regex const include_line("(?:^|\n)[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"\n]+)[>\"]");
  static std::regex const own_header("vmsa/([a-z]+)/.*");
  for (std::sregex_iterator it(text.begin(), text.end(), include_line), end; it != end; ++it) {
    std::string const name = (*it)[2].str();
    bool const quoted = (*it)[1].str() == "\"";
    std::smatch match;
    if (std::regex_match(name, match, own_header)) {
      std::size_t const other = layer_of(match[1].str());
      if (other > own) wrong.push_back(path + " includes " + name + ", which stands above it");
      if (!quoted) wrong.push_back(path + " includes <" + name + ">; our own headers are quoted");
    } else if (quoted && path.starts_with("include/") && name != "vmsa/version.hpp") {
      wrong.push_back(path + " includes \"" + name + "\", which is not installed");
    } else if (!quoted && own < core_layers && !allowed_in_core.contains(name) &&
               !(layers[own] == "c" && allowed_in_c.contains(name))) {
      wrong.push_back(path + " includes <" + name + ">, which the freestanding core may not");
    }
    for (confined const& rule : confined_to) {
      if (name.starts_with(rule.prefix) && !path.starts_with(rule.where)) {
        wrong.push_back(path + " includes " + name + ", which belongs in " + std::string(rule.where));
      }
    }
  }
  return wrong;
}

bool can_hold_licence_line(fs::path const& path, std::string const& text) {
  if (path.generic_string().starts_with("tests/fuzz/corpus/")) return false;  // seeds are inputs, to the byte
  static std::set<std::string> const extensions{".hpp", ".cpp",  ".h",   ".c",  ".S",  ".ld",  ".cmake", ".in",
                                                ".md",  ".toml", ".pml", ".py", ".sh", ".yml", ".dts"};
  static std::set<std::string> const names{"CMakeLists.txt", ".clang-format", ".clang-tidy", ".gitignore"};
  return extensions.contains(path.extension().string()) || names.contains(path.filename().string()) ||
         text.starts_with("#!");
}

bool has_licence_line(std::string const& text) {
  return text.substr(0, 200).find("SPDX-License-Identifier: MIT") != std::string::npos;
}

// Words that must not be left behind. Split, so that this file does not hold them.
strings leftovers(std::string const& path, std::string const& text) {
  strings wrong;
  strings banned{std::string("/ho") + "me/",  std::string("/wo") + "rk/", std::string("/ro") + "ot/",
                 std::string("/Us") + "ers/", std::string("TO") + "DO",   std::string("FIX") + "ME"};
  if (!path.ends_with(".md")) banned.push_back(std::string("../sha") + "red");
  for (std::string const& word : banned) {
    if (text.find(word) != std::string::npos) wrong.push_back(path + " holds " + word);
  }
  return wrong;
}

std::string read(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

fs::path root() { return fs::path(vmsa::tests_folder()).parent_path(); }

struct source_file {
  std::string path;  // from the root, with forward slashes
  std::string text;
};

// Every file of the tree but those of version control and of builds.
std::vector<source_file> const& tree() {
  static std::vector<source_file> const files = [] {
    std::vector<source_file> found;
    for (fs::recursive_directory_iterator it(root()), end; it != end; ++it) {
      if (it->is_directory()) {
        std::string const name = it->path().filename().string();
        if (name == ".git" || name == "build" || fs::exists(it->path() / "CMakeCache.txt"))
          it.disable_recursion_pending();
      } else {
        found.push_back({fs::relative(it->path(), root()).generic_string(), read(it->path())});
      }
    }
    return found;
  }();
  return files;
}

std::string lines(strings const& wrong) {
  std::ostringstream out;
  for (std::string const& line : wrong) out << line << '\n';
  return out.str();
}

TEST(SourceRules, LayersIncludeOnlyWhatStandsBelowThem) {
  strings wrong;
  std::size_t checked = 0;
  for (source_file const& file : tree()) {
    strings const found = include_violations(file.path, file.text);
    wrong.insert(wrong.end(), found.begin(), found.end());
    checked += layer_of_file(file.path) != layers.size();
  }
  EXPECT_TRUE(wrong.empty()) << lines(wrong);
  EXPECT_GT(checked, 5u) << "the rule looked at almost nothing";
}

TEST(SourceRules, EveryFileThatCanHoldALicenceLineHasOne) {
  strings wrong;
  for (source_file const& file : tree()) {
    if (can_hold_licence_line(file.path, file.text) && !has_licence_line(file.text)) wrong.push_back(file.path);
  }
  EXPECT_TRUE(wrong.empty()) << lines(wrong);
}

TEST(SourceRules, NoFileIsTooLong) {
  for (source_file const& file : tree()) {
    if (!file.path.starts_with("include/") && !file.path.starts_with("src/")) continue;
    if (file.path.ends_with(".md")) continue;
    if (std::any_of(long_on_purpose.begin(), long_on_purpose.end(),
                    [&](long_file const& row) { return row.path == file.path; })) {
      continue;
    }
    EXPECT_LE(std::count(file.text.begin(), file.text.end(), '\n'), most_lines) << file.path;
  }
}

TEST(SourceRules, NothingIsLeftBehind) {
  strings wrong;
  for (source_file const& file : tree()) {
    strings const found = leftovers(file.path, file.text);
    wrong.insert(wrong.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(wrong.empty()) << lines(wrong);
}

TEST(SourceRules, EveryHeaderIsListedInTheReadme) {
  std::string const readme = read(root() / "include/vmsa/README.md");
  for (source_file const& file : tree()) {
    if (!file.path.starts_with("include/vmsa/") || !(file.path.ends_with(".hpp") || file.path.ends_with(".h")))
      continue;
    // As it stands in its layer: `mair.hpp`, `coherency/model.hpp`.
    std::string const name = std::regex_replace(file.path, std::regex("^include/vmsa/(?:[a-z]+/)?"), "");
    EXPECT_NE(readme.find("`" + name + "`"), std::string::npos) << file.path;
  }
}

TEST(SourceRules, TheTopLevelHoldsOnlyWhatItShould) {
  std::set<std::string> const expected{
      "include",           "src",      "tests", "bench", "cmake", "CMakeLists.txt", "build", "LICENSE",
      "CMakePresets.json", "README.md"};
  for (fs::directory_entry const& entry : fs::directory_iterator(root())) {
    std::string const name = entry.path().filename().string();
    if (name.starts_with(".") || fs::exists(entry.path() / "CMakeCache.txt")) continue;
    EXPECT_TRUE(expected.contains(name)) << name;
  }
}

// What can be compared can be printed: a failed comparison must show fields.
TEST(SourceRules, EveryComparableValueHasAPrinter) {
  static std::set<std::string> const printed_otherwise{"address", "register_value", "word_structure", "const_iterator"};
  static std::regex const comparison("operator(?:==|<=>)\\(([a-z0-9_]+)(?: const&)?[, ]");
  std::string const printers = read(root() / "include/vmsa/testing/printers.hpp");
  std::size_t checked = 0;
  for (source_file const& file : tree()) {
    std::size_t const layer = layer_of_file(file.path);
    if (!file.path.starts_with("include/") || layer > layer_of("sim")) continue;
    for (std::sregex_iterator it(file.text.begin(), file.text.end(), comparison), end; it != end; ++it) {
      std::string const type = (*it)[1].str();
      if (printed_otherwise.contains(type)) continue;
      EXPECT_NE(printers.find("PrintTo(" + type + " const&"), std::string::npos)
          << file.path << ": " << type << " needs a PrintTo in vmsa/testing/printers.hpp, its body in src/testing";
      ++checked;
    }
  }
  EXPECT_GT(checked, 30u);
}

// The rules themselves can fail.
TEST(SourceRules, NoticeWhatTheyForbid) {
  EXPECT_EQ(include_violations("include/vmsa/mmu/port.hpp", "#include \"vmsa/policy/choice.hpp\"\n").size(), 1u);
  EXPECT_EQ(include_violations("include/vmsa/arch/mair.hpp", "#pragma once\n#include <vector>\n").size(), 1u);
  EXPECT_EQ(include_violations("include/vmsa/arch/mair.hpp", "#include <vmsa/arch/bits.hpp>\n").size(), 1u);
  EXPECT_EQ(include_violations("include/vmsa/text/words.hpp", "#include <fmt/format.h>\n").size(), 1u);
  EXPECT_EQ(include_violations("include/vmsa/text/words.hpp", "# include \"words_table.hpp\"\n").size(), 1u);
  EXPECT_EQ(include_violations("src/sim/tlb.cpp", "#include \"vmsa/text/words.hpp\"\n").size(), 1u);
  EXPECT_EQ(include_violations("src/text/json.cpp", "#include <CLI/CLI.hpp>\n").size(), 1u);
  EXPECT_TRUE(include_violations("src/text/json.cpp", "#include <nlohmann/json.hpp>\n").empty());

  EXPECT_TRUE(include_violations("include/vmsa/mmu/port.hpp", "#include \"vmsa/arch/bits.hpp\"\n").empty());
  EXPECT_TRUE(can_hold_licence_line("tests/run", "#!/bin/sh\n"));
  EXPECT_FALSE(can_hold_licence_line("tests/tables/combine.csv", "a,b\n"));
  EXPECT_FALSE(has_licence_line("int x;\n"));
  EXPECT_EQ(leftovers("src/sim/tlb.cpp", std::string("// TO") + "DO: later\n").size(), 1u);
  EXPECT_EQ(leftovers("tests/a.cmake", std::string("../sha") + "red/vectors\n").size(), 1u);
}

}  // namespace
