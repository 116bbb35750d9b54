// SPDX-License-Identifier: MIT
// Runs the command on what people brought, block by block; README.md in this folder has the form of a block.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "command.hpp"

namespace {

namespace fs = std::filesystem;

std::string vmsa_command;  // the path of the program under test

struct expectation {
  std::size_t line;
  std::string left;  // "out", "err" or a JSON pointer
  bool negated;
  char relation;  // '=' the value itself, '~' a regular expression that it holds
  std::string right;
};

struct block {
  std::string title;
  std::string arguments;  // as a shell reads them
  std::string input;      // what standard input holds
  int exit_code = 0;
  std::vector<expectation> expected;
  std::string file;
  std::size_t line = 0;
};

// What stands at `pointer` of the JSON in `out`: a string as it is, anything else as JSON spells it.
std::string value_at(std::string const& out, std::string const& pointer) {
  nlohmann::json const document = nlohmann::json::parse(out, nullptr, false);
  if (document.is_discarded()) return "(no JSON)";
  nlohmann::json::json_pointer const at(pointer == "/" ? "" : pointer);
  if (!document.contains(at)) return "(no such key)";
  nlohmann::json const& value = document.at(at);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class report : public ::testing::Test {
 public:
  explicit report(block b) : block_(std::move(b)) {}
  void TestBody() override {
    vmsa_test::answer const a = vmsa_test::run(vmsa_command, block_.arguments, block_.input);
    std::string const where = block_.file + ":" + std::to_string(block_.line) + ": vmsa " + block_.arguments;
    EXPECT_EQ(a.exit_code, block_.exit_code) << where << '\n' << a.err;
    for (expectation const& e : block_.expected) {
      std::string const got = e.left == "out" ? a.out : e.left == "err" ? a.err : value_at(a.out, e.left);
      bool const holds = e.relation == '=' ? got == e.right : std::regex_search(got, std::regex(e.right));
      EXPECT_NE(holds, e.negated) << block_.file << ':' << e.line << ": " << e.left << " is\n"
                                  << got << "\nbut should " << (e.negated ? "not " : "")
                                  << (e.relation == '=' ? "be " : "hold ") << e.right << "\nvmsa " << block_.arguments;
    }
  }

 private:
  block block_;
};

[[noreturn]] void refuse(fs::path const& file, std::size_t number, std::string const& problem) {
  std::fprintf(stderr, "%s:%zu: %s\n", file.c_str(), number, problem.c_str());
  std::exit(2);
}

std::vector<block> blocks_of(fs::path const& file) {
  std::vector<block> blocks;
  std::ifstream in(file);
  std::string title;
  std::size_t number = 0;
  static std::regex const row("(not )?(out|err|/[^ ]*) ([=~]) (.*)");
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::smatch match;
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      title = line.substr(2);
    } else if (line.starts_with("$ vmsa ")) {
      blocks.push_back({title, line.substr(7), {}, 0, {}, file.filename().string(), number});
    } else if (blocks.empty()) {
      refuse(file, number, "before the first '$ vmsa ARGUMENTS'");
    } else if (line.starts_with("< ")) {
      blocks.back().input += line.substr(2) + "\n";
    } else if (line.starts_with("exit ")) {
      blocks.back().exit_code = std::stoi(line.substr(5));
    } else if (std::regex_match(line, match, row)) {
      blocks.back().expected.push_back({number, match[2].str(), match[1].matched, match[3].str()[0], match[4].str()});
    } else {
      refuse(file, number, "neither a title, a command, input, exit code nor expectation: " + line);
    }
  }
  return blocks;
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return std::fprintf(stderr, "usage: reports VMSA\n"), 2;
  vmsa_command = fs::absolute(argv[1]);  // it is run in tests/
  std::size_t blocks = 0;
  for (fs::directory_entry const& entry : fs::directory_iterator(vmsa::tests_folder() + "/reports")) {
    if (entry.path().extension() != ".cases") continue;
    for (block& b : blocks_of(entry.path())) {
      if (b.expected.empty()) refuse(entry.path(), b.line, "a command of which nothing is expected");
      std::string const name = entry.path().stem().string() + "_line_" + std::to_string(b.line);
      std::string const title = b.title;
      ::testing::RegisterTest("Reports", name.c_str(), nullptr, title.c_str(), b.file.c_str(), static_cast<int>(b.line),
                              [b = std::move(b)]() -> ::testing::Test* { return new report(b); });
      ++blocks;
    }
  }
  if (blocks == 0) return std::fprintf(stderr, "no block found\n"), 1;
  return RUN_ALL_TESTS();
}
