// SPDX-License-Identifier: MIT
// Runs the built command as a person's shell would.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests_folder.hpp"

namespace vmsa_test {

namespace fs = std::filesystem;

struct answer {
  int exit_code;
  std::string out;
  std::string err;
};

inline std::string read_file(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `command` with `arguments`, as a shell reads them, and with `input` as its standard input, run in tests/. The exit
/// code is -1 for a program that a signal ended.
inline answer run(std::string const& command, std::string const& arguments, std::string const& input) {
  fs::path const folder = fs::temp_directory_path() / ("vmsa_test_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "in", std::ios::binary) << input;
  std::string const place = folder.string() + "/";
  std::string const line = "cd '" + vmsa::tests_folder() + "' && '" + command + "' " + arguments + " <" + place +
                           "in >" + place + "out 2>" + place + "err";
  int const status = std::system(line.c_str());
  answer a{WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder / "out"), read_file(folder / "err")};
  fs::remove_all(folder);
  return a;
}

}  // namespace vmsa_test
