// SPDX-License-Identifier: MIT
// Whole answers and the shapes of JSON answers, against what is written down; README.md says when to change one.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "reports/command.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string vmsa_command;

struct golden {
  std::string arguments;
  int exit_code = 0;
  std::string expected;
  std::string head;  // the lines before `expected`, as they stand in the file
};

// `$ vmsa ARGUMENTS`, `exit N` where it is not 0, an empty line, and the answer.
golden read(fs::path const& path) {
  std::string const text = vmsa_test::read_file(path);
  golden g;
  std::size_t at = 0;
  while (at < text.size() && text[at] != '\n') {
    std::size_t const end = text.find('\n', at);
    std::string const line = text.substr(at, end - at);
    if (line.starts_with("$ vmsa ")) g.arguments = line.substr(7);
    if (line.starts_with("exit ")) g.exit_code = std::stoi(line.substr(5));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  g.head = text.substr(0, at);
  g.expected = at < text.size() ? text.substr(at + 1) : "";
  return g;
}

// Where each value of `j` stands and of which type it is, elements of one array together: `/ranges[]/pa string`.
void add_shape(json const& j, std::string const& where, std::set<std::string>& lines) {
  if (j.is_object()) {
    lines.insert(where + " object");
    for (auto const& [key, value] : j.items()) add_shape(value, where + "/" + key, lines);
  } else if (j.is_array()) {
    lines.insert(where + " array");
    for (json const& value : j) add_shape(value, where + "[]", lines);
  } else {
    lines.insert(where + " " + (j.is_number() ? "number" : j.type_name()));
  }
}

std::string shape_of(std::string const& out) {
  json const j = json::parse(out, nullptr, false);
  if (j.is_discarded()) return "no JSON\n";
  std::set<std::string> lines;
  add_shape(j, "", lines);
  std::string all;
  for (std::string const& line : lines) all += line + "\n";
  return all;
}

std::string actual(fs::path const& path, golden const& g, int& exit_code) {
  vmsa_test::answer const a = vmsa_test::run(vmsa_command, g.arguments, "");
  exit_code = a.exit_code;
  return path.extension() == ".shape" ? shape_of(a.out) : a.out + a.err;
}

std::set<std::string> subcommands() {
  std::string const help = vmsa_test::run(vmsa_command, "--help", "").out;
  std::size_t const from = help.find("Subcommands:\n") + 12;
  std::string const list = help.substr(from, help.find("\n\n", from) - from);
  std::set<std::string> names;
  std::regex const name("\n  ([a-z]+) ");
  for (std::sregex_iterator at(list.begin(), list.end(), name), end; at != end; ++at) names.insert((*at)[1]);
  return names;
}

// A subcommand that is added without its files would have a form that nobody wrote down.
class each_subcommand_has_its_files : public ::testing::Test {
 public:
  void TestBody() override {
    std::map<std::string, std::set<std::string>> extensions;
    for (fs::directory_entry const& entry : fs::directory_iterator(vmsa::tests_folder() + "/golden")) {
      std::string const arguments = read(entry.path()).arguments;
      extensions[arguments.substr(0, arguments.find(' '))].insert(entry.path().extension());
    }
    std::set<std::string> const names = subcommands();
    EXPECT_GE(names.size(), 12U);
    for (std::string const& name : names) {
      EXPECT_TRUE(extensions[name].contains(".shape")) << name;
      // The figures of bench are other ones each time.
      EXPECT_EQ(extensions[name].contains(".golden"), name != "bench") << name;
    }
  }
};

class answer_as_written : public ::testing::Test {
 public:
  explicit answer_as_written(fs::path path) : path_(std::move(path)) {}
  void TestBody() override {
    golden const g = read(path_);
    ASSERT_FALSE(g.arguments.empty()) << path_ << ": no line `$ vmsa ARGUMENTS`";
    int exit_code = 0;
    std::string const got = actual(path_, g, exit_code);
    EXPECT_EQ(g.exit_code, exit_code);
    EXPECT_EQ(g.expected, got) << "vmsa " << g.arguments << "\ngolden VMSA --update writes the new answer";
  }

 private:
  fs::path path_;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  bool const update = argc == 3 && std::string(argv[2]) == "--update";
  if (argc != 2 && !update) return std::fprintf(stderr, "usage: golden VMSA [--update]\n"), 2;
  vmsa_command = fs::absolute(argv[1]);  // it is run in tests/
  for (fs::directory_entry const& entry : fs::directory_iterator(vmsa::tests_folder() + "/golden")) {
    fs::path const path = entry.path();
    if (path.extension() != ".golden" && path.extension() != ".shape") continue;
    if (update) {
      golden const g = read(path);
      int exit_code = 0;
      std::string const got = actual(path, g, exit_code);
      std::string const head =
          "$ vmsa " + g.arguments + "\n" + (exit_code == 0 ? "" : "exit " + std::to_string(exit_code) + "\n");
      std::ofstream(path, std::ios::binary) << head << "\n" << got;
      continue;
    }
    std::string name = path.filename().string();
    for (char& c : name)
      if (c == '.' || c == '-') c = '_';
    ::testing::RegisterTest("Golden", name.c_str(), nullptr, nullptr, path.c_str(), 1,
                            [path]() -> ::testing::Test* { return new answer_as_written(path); });
  }
  ::testing::RegisterTest("Golden", "EachSubcommandHasItsFiles", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> ::testing::Test* { return new each_subcommand_has_its_files; });
  return update ? 0 : RUN_ALL_TESTS();
}
