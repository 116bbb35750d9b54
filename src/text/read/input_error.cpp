// SPDX-License-Identifier: MIT
#include "vmsa/text/read/input_error.hpp"

#include <fmt/format.h>

#include <utility>

#include "vmsa/text/words/foreign.hpp"

namespace vmsa::text {
namespace {

std::string message(std::string const& file, std::size_t line, std::string const& problem, std::string const& valid) {
  std::string out = "vmsa: ";
  if (!file.empty())
    out += line == 0 ? fmt::format("{}: ", printable(file)) : fmt::format("{}:{}: ", printable(file), line);
  out += printable(problem);
  if (!valid.empty()) out += fmt::format("\n  valid: {}", printable(valid));
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
