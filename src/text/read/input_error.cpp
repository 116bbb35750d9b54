// SPDX-License-Identifier: MIT
#include "vmsa/text/read/input_error.hpp"

#include <fmt/format.h>

#include <utility>

#include "vmsa/text/words/foreign.hpp"

namespace vmsa::text {
namespace {

std::string message(std::string const& file, std::size_t line, std::string const& problem, std::string const& valid) {
  std::string out = "vmsa: ";
  if (!file.empty()) {
    std::string const name = printable(input_name(file));
    out += line == 0 ? fmt::format("{}: ", name) : fmt::format("{}:{}: ", name, line);
  }
  out += printable(problem);
  if (!valid.empty()) out += fmt::format("\n  valid: {}", printable(valid));
  return out;
}

}  // namespace

std::string input_name(std::string const& path) { return path == "-" ? "standard input" : path; }

input_error::input_error(std::string file, std::size_t line, std::string problem, std::string valid)
    : std::runtime_error(message(file, line, problem, valid)),
      file_(std::move(file)),
      line_(line),
      problem_(std::move(problem)),
      valid_(std::move(valid)) {}

}  // namespace vmsa::text
