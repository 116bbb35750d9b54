// SPDX-License-Identifier: MIT
// How far long work has come, on a terminal.
#pragma once
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace vmsa::cli {

// Whether a person looks at standard error.
inline bool on_terminal() { return isatty(STDERR_FILENO) != 0; }

// One line on standard error, where it is wanted, from the second second on; gone when the work is done.
class progress_line {
 public:
  explicit progress_line(bool wanted = on_terminal()) : wanted_(wanted) {}
  ~progress_line() {
    if (shown_) fmt::print(stderr, "\r{:78}\r", "");
  }
  void show(std::string const& text) {
    auto const now = std::chrono::steady_clock::now();
    if (!wanted_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    shown_ = true;
    fmt::print(stderr, "\r{:<78}", text.substr(0, 78));
    std::fflush(stderr);
  }

 private:
  bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
};

}  // namespace vmsa::cli
