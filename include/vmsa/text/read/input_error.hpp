// SPDX-License-Identifier: MIT
// What a reader of files and arguments throws. The command prints what() and exits 2.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>

namespace vmsa::text {

// What messages call the file that the user named: `-` is standard input everywhere.
std::string input_name(std::string const& path);

class input_error : public std::runtime_error {
 public:
  // `file` as the user named it, empty for an argument; `line` from 1, 0 where there is none; `problem` quotes the
  // offending value as it is, and what() shows it printable; `valid` says what would be accepted, empty where nothing
  // useful can be said.
  input_error(std::string file, std::size_t line, std::string problem, std::string valid);

  std::string const& file() const noexcept { return file_; }
  std::size_t line() const noexcept { return line_; }
  std::string const& problem() const noexcept { return problem_; }
  std::string const& valid() const noexcept { return valid_; }

 private:
  std::string file_;
  std::size_t line_;
  std::string problem_;
  std::string valid_;
};

}  // namespace vmsa::text
