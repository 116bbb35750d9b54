// SPDX-License-Identifier: MIT
// SIGINT in long work: it stops where it can, what is known is told, and the command exits with by_interrupt.
#pragma once
#include <csignal>

namespace vmsa::cli {

constexpr int by_interrupt = 130;

// Set by SIGINT while an `interruptible` lives.
inline volatile std::sig_atomic_t interrupted = 0;

// A second SIGINT ends the command as it would without this. A read that waits goes on waiting, so that nothing that
// was read is lost; the writer of a pipe gets the signal too.
class interruptible {
 public:
  interruptible() {
    struct sigaction act {};
    act.sa_handler = [](int) { interrupted = 1; };
    act.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigaction(SIGINT, &act, &before_);
  }
  ~interruptible() { sigaction(SIGINT, &before_, nullptr); }
  interruptible(interruptible const&) = delete;
  interruptible& operator=(interruptible const&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace vmsa::cli
