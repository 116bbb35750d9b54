// SPDX-License-Identifier: MIT
// How many instructions a call retires, counted by stepping a child process through it one by one: exact, repeatable,
// and without the permissions that performance counters need.
#pragma once
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace vmsa::bench {

// Steps between the two points where the child stops itself, around `calls` calls of `f`; none where tracing is denied.
template <class F>
std::optional<unsigned long> steps_of(F& f, unsigned calls) {
  pid_t const child = fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    f();  // what is lazy happens now
    std::raise(SIGSTOP);
    for (unsigned i = 0; i < calls; ++i) f();
    std::raise(SIGSTOP);
    _exit(0);
  }
  unsigned long steps = 0;
  unsigned stops = 0;
  int status = 0;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    if (WSTOPSIG(status) == SIGSTOP && ++stops == 2) break;
    if (stops == 1) ++steps;
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
  }
  if (WIFSTOPPED(status)) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  if (stops != 2) return std::nullopt;
  return steps;
}

// Of one call on average; what surrounds the calls cancels out.
template <class F>
std::optional<double> instructions_per_call(F f) {
  constexpr unsigned few = 2;
  constexpr unsigned many = 18;
  auto const less = steps_of(f, few);
  auto const more = steps_of(f, many);
  if (!less || !more) return std::nullopt;
  return static_cast<double>(*more - *less) / (many - few);
}

}  // namespace vmsa::bench
