// SPDX-License-Identifier: MIT
// Threads that are set aside where it hurts.
#pragma once
#include <random>
#include <thread>

namespace vmsa::test {

inline void jostle(unsigned one_in) {
  thread_local std::minstd_rand random(std::random_device{}());
  if (random() % one_in == 0) std::this_thread::yield();
}

}  // namespace vmsa::test
