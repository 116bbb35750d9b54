// SPDX-License-Identifier: MIT
#include "vmsa/text/input_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace vmsa::text {
namespace {

std::string message(std::string const& file, std::size_t line, std::string const& problem, std::string const& valid) {
  std::string out = "vmsa: ";
  if (!file.empty()) out += line == 0 ? fmt::format("{}: ", file) : fmt::format("{}:{}: ", file, line);
  out += problem;
  if (!valid.empty()) out += fmt::format("\n  valid: {}", valid);
  return out;
}

}  // namespace

input_error::input_error(std::string file, std::size_t line, std::string problem, std::string valid)
    : std::runtime_error(message(file, line, problem, valid)),
      file_(std::move(file)),
      line_(line),
      problem_(std::move(problem)),
      valid_(std::move(valid)) {}

}  // namespace vmsa::text
